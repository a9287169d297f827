"""Consents of subjects without a key: what a paper may allow, and who may vouch for it."""

from dataclasses import replace
from typing import Any

import pytest

from protocol.consent import (
    Consent,
    commit_document,
    open_consent,
    sign_consent,
)
from protocol.consent_signer import check_signer, check_unkeyed, find_consent_key
from protocol.encoding import sha256
from protocol.errors import UnknownKeyError
from protocol.keys import SigningKey
from protocol.limits import VOUCHED_LIFE_S_MAX, VOUCHED_USES_MAX
from protocol.problems import ConsentSignatureError, OverCeilingError
from protocol.purpose import TEMPLATES, WATCHED_METRICS
from protocol.registry import KeyEntry, Registry, RegistryChainError, SubjectEntry, check_succession
from tests.support.auditing import ALPHA, BETA
from tests.support.federation import NOW_S, SUBJECT_SALT, Federation, build_consent
from tests.support.snapshots import FIRST, follow, opened

PAPER = sha256(b"a signed paper")
CONSENT = replace(
    build_consent(ALPHA, BETA),
    metrics=WATCHED_METRICS,
    max_uses=VOUCHED_USES_MAX,
    exp=build_consent(ALPHA, BETA).nbf + VOUCHED_LIFE_S_MAX,
    evidence=PAPER,
)
SUBJECT_KEY = SigningKey(b"\x07" * 32)


def enter(federation: Federation, *, is_unkeyed: bool = True, key: KeyEntry | None = None) -> None:
    document = commit_document(PAPER, salt=SUBJECT_SALT) if is_unkeyed else None
    subject = SubjectEntry(
        commitment=CONSENT.subject,
        verified="document",
        keys=() if key is None else (key,),
        document=document,
    )
    federation.publish(lambda registry: replace(registry, subjects=(subject,)))


@pytest.fixture
def federation() -> Federation:
    made = Federation(ALPHA, BETA)
    enter(made)
    return made


def own_key(*, nbf: int) -> KeyEntry:
    return KeyEntry(key=SUBJECT_KEY.public, use="consent", nbf=nbf, exp=NOW_S + 10**9)


def check(consent: Consent, registry: Registry, *, key: SigningKey) -> None:
    check_signer(consent, kid=key.kid, registry=registry)


# --- the artefact


def test_a_vouched_consent_opens_with_the_hash_of_its_paper(federation: Federation) -> None:
    key = federation.members[ALPHA].key

    token = sign_consent(CONSENT, key=key)

    registry = federation.registry
    held = open_consent(token, find_key=lambda kid: find_consent_key(registry, kid))
    assert held == CONSENT
    assert held.evidence == PAPER
    check(held, registry, key=key)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"exp": CONSENT.exp + 1}, id="life"),
        pytest.param({"max_uses": VOUCHED_USES_MAX + 1}, id="uses"),
        pytest.param({"metrics": ("volume",)}, id="volume"),
        pytest.param({"metrics": ("money", "index")}, id="money"),
        pytest.param({"basis": "legal"}, id="law"),
        pytest.param({"basis": "member-agreement"}, id="members"),
    ],
)
def test_a_paper_allows_less_than_a_signature(change: dict[str, Any]) -> None:
    sign_consent(replace(CONSENT, **change, evidence=None), key=SUBJECT_KEY)

    with pytest.raises(OverCeilingError):
        sign_consent(replace(CONSENT, **change), key=SUBJECT_KEY)


def test_a_paper_lets_no_provider_push() -> None:
    template = TEMPLATES["P3"]
    purpose = replace(
        CONSENT.purpose,
        code="P3",
        template=template.template,
        template_hash=template.hash,
        text=template.text,
    )
    watching = replace(CONSENT, purpose=purpose, ops=("query", "push"), derive=("rating",))
    sign_consent(replace(watching, evidence=None), key=SUBJECT_KEY)

    with pytest.raises(OverCeilingError):
        sign_consent(watching, key=SUBJECT_KEY)


# --- who may sign


def test_only_the_consumer_vouches(federation: Federation) -> None:
    with pytest.raises(ConsentSignatureError):
        check(CONSENT, federation.registry, key=federation.members[BETA].key)


def test_a_members_key_signs_no_consent_without_a_paper(federation: Federation) -> None:
    with pytest.raises(ConsentSignatureError):
        check(
            replace(CONSENT, evidence=None), federation.registry, key=federation.members[ALPHA].key
        )


def test_a_consent_dated_before_its_vouchers_key_is_refused(federation: Federation) -> None:
    with pytest.raises(ConsentSignatureError):
        check(replace(CONSENT, iat=0), federation.registry, key=federation.members[ALPHA].key)


def test_a_subject_that_nobody_entered_is_not_vouched_for(federation: Federation) -> None:
    with pytest.raises(ConsentSignatureError):
        check(
            replace(CONSENT, subject=bytes(32)),
            federation.registry,
            key=federation.members[ALPHA].key,
        )


def test_a_subject_that_was_entered_with_a_key_is_not_vouched_for(federation: Federation) -> None:
    enter(federation, is_unkeyed=False, key=own_key(nbf=NOW_S + 999))

    with pytest.raises(ConsentSignatureError):
        check(CONSENT, federation.registry, key=federation.members[ALPHA].key)


def test_a_subject_that_gets_a_key_signs_for_itself_from_then_on(federation: Federation) -> None:
    key = federation.members[ALPHA].key
    enter(federation, key=own_key(nbf=CONSENT.iat + 10))

    check(CONSENT, federation.registry, key=key)  # What stood before stays good.
    with pytest.raises(ConsentSignatureError):
        check(replace(CONSENT, iat=CONSENT.iat + 10), federation.registry, key=key)
    with pytest.raises(ConsentSignatureError):
        check_unkeyed(CONSENT, registry=federation.registry, at_s=CONSENT.iat + 10)
    check(replace(CONSENT, iat=NOW_S + 10, evidence=None), federation.registry, key=SUBJECT_KEY)


def test_a_key_that_nobody_has_is_found_nowhere(federation: Federation) -> None:
    with pytest.raises(UnknownKeyError):
        find_consent_key(federation.registry, SigningKey(b"\x0f" * 32).kid)


# --- the registry


UNKEYED = SubjectEntry(
    commitment=sha256(b"no key"), verified="document", keys=(), document=sha256(b"salted")
)
WITH_UNKEYED = replace(FIRST, subjects=(*FIRST.subjects, UNKEYED))


def test_a_subject_without_a_key_is_in_the_registry_with_its_document() -> None:
    assert opened(WITH_UNKEYED).find_subject(UNKEYED.commitment) == UNKEYED


@pytest.mark.parametrize(
    "left",
    [
        pytest.param((), id="dropped"),
        pytest.param((replace(UNKEYED, document=sha256(b"another")),), id="other-paper"),
        pytest.param((replace(UNKEYED, document=None),), id="no-paper"),
    ],
)
def test_a_subject_without_a_key_and_its_document_stay(left: tuple[SubjectEntry, ...]) -> None:
    newer = follow(WITH_UNKEYED, subjects=(*FIRST.subjects, *left))

    with pytest.raises(RegistryChainError):
        check_succession(newer, older=opened(WITH_UNKEYED))


def test_a_subject_without_a_key_may_get_one() -> None:
    keyed = replace(UNKEYED, keys=(own_key(nbf=NOW_S),))

    newer = follow(WITH_UNKEYED, subjects=(*FIRST.subjects, keyed))

    check_succession(newer, older=opened(WITH_UNKEYED))


def test_a_document_is_committed_to_with_the_subjects_salt() -> None:
    assert commit_document(PAPER, salt=SUBJECT_SALT) == sha256(SUBJECT_SALT, PAPER)
    assert commit_document(PAPER, salt=SUBJECT_SALT) != commit_document(PAPER, salt=bytes(32))
