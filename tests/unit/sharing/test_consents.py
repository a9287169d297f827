"""The verdict on an artefact is kept by its hash; the standing of its signer is looked at anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from node.sharing import consents
from node.sharing.consents import (
    VERDICTS_MAX,
    ConsentNotHeldError,
    ConsentVerdicts,
    check_opening,
    check_parties,
    take_consent,
    verify_status,
)
from protocol.consent import Consent, ConsentState, hash_consent, open_consent, sign_consent
from protocol.encoding import encode_b64u
from protocol.errors import IdentifierError, MalformedError
from protocol.keys import SigningKey
from protocol.problems import (
    ConsentSignatureError,
    OverCeilingError,
    WrongConsumerError,
    WrongProviderError,
)
from protocol.registry import Registry, SubjectEntry
from tests.support.exchanges import deliver
from tests.support.forging import break_signature, build_consent, sign_state
from tests.support.nodes import (
    HUB_KEY,
    NOW_S,
    OTHER_SUBJECT,
    SUBJECT,
    SUBJECT_KEY,
    SUBJECT_SALT,
    build_key_entry,
    build_subject_entry,
)

STRANGER = SigningKey(b"\x77" * 32)


def build_registry(*subjects: SubjectEntry) -> Registry:
    return Registry(
        seq=1,
        prev=bytes(32),
        hash=bytes(32),
        iat=NOW_S,
        exp=NOW_S + 1,
        hub="hub.example",
        simulated=True,
        threshold=1,
        witness_vkey="",
        hub_keys=(build_key_entry(HUB_KEY, use="hub"),),
        members=(),
        subjects=subjects or (build_subject_entry(SUBJECT, salt=SUBJECT_SALT, key=SUBJECT_KEY),),
    )


REGISTRY = build_registry()
CONSENT = build_consent(now_s=NOW_S)


def test_a_verdict_is_reached_once_for_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def count(token: str, **named: object) -> Consent:
        opened.append(token)
        return open_consent(token, **named)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(consents, "open_consent", count)
    verdicts, token = ConsentVerdicts(), sign_consent(CONSENT, key=SUBJECT_KEY)

    found = [verdicts.verify(token, registry=REGISTRY) for _ in range(3)]

    assert found == [CONSENT] * 3
    assert opened == [token]


def test_a_refusal_is_not_kept() -> None:
    verdicts, token = ConsentVerdicts(), sign_consent(CONSENT, key=STRANGER)
    with pytest.raises(ConsentSignatureError):
        verdicts.verify(token, registry=REGISTRY)

    entry = build_subject_entry(SUBJECT, salt=SUBJECT_SALT, key=STRANGER)

    assert verdicts.verify(token, registry=build_registry(entry)) == CONSENT


def test_the_signers_standing_is_looked_at_each_time() -> None:
    verdicts, token = ConsentVerdicts(), sign_consent(CONSENT, key=SUBJECT_KEY)
    verdicts.verify(token, registry=REGISTRY)
    entry = REGISTRY.subjects[0]
    revoked = replace(entry.keys[0], revoked_at=CONSENT.iat, reason="compromised")

    with pytest.raises(ConsentSignatureError):
        verdicts.verify(token, registry=build_registry(replace(entry, keys=(revoked,))))
    with pytest.raises(ConsentSignatureError):
        verdicts.verify(token, registry=build_registry(replace(entry, commitment=bytes(32))))
    assert verdicts.verify(token, registry=REGISTRY) == CONSENT


def test_the_table_of_verdicts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consents, "VERDICTS_MAX", 3)
    verdicts = ConsentVerdicts()

    for index in range(5):
        token = sign_consent(replace(CONSENT, id=f"consent-{index}"), key=SUBJECT_KEY)
        verdicts.verify(token, registry=REGISTRY)

    assert len(verdicts._verified) == 3
    assert VERDICTS_MAX >= 1_000


@pytest.mark.parametrize(
    ("token", "error"),
    [
        (break_signature(sign_consent(CONSENT, key=SUBJECT_KEY)), ConsentSignatureError),
        (sign_consent(CONSENT, key=HUB_KEY), ConsentSignatureError),
        ("a.b.c", MalformedError),
        ("", MalformedError),
    ],
    ids=["broken", "by the hub", "no token", "empty"],
)
def test_what_no_subject_has_signed_is_refused(token: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        ConsentVerdicts().verify(token, registry=REGISTRY)


def test_a_consent_above_its_purpose_is_not_signed() -> None:
    with pytest.raises(OverCeilingError):
        sign_consent(replace(CONSENT, max_uses=101), key=SUBJECT_KEY)


def test_a_delivered_consent_is_taken_as_it_will_be_held() -> None:
    delivered = deliver(CONSENT)

    held, consent = take_consent(delivered, verdicts=ConsentVerdicts(), registry=REGISTRY)

    assert consent == CONSENT
    assert (held.hash, held.subject, held.salt) == (
        hash_consent(delivered.token),
        str(SUBJECT),
        SUBJECT_SALT,
    )
    assert (held.state, held.uses, held.seq, held.delivered) == (ConsentState.ACTIVE, 0, 0, False)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject": str(OTHER_SUBJECT)}, ConsentSignatureError),
        ({"salt": encode_b64u(bytes(32))}, ConsentSignatureError),
        ({"salt": encode_b64u(bytes(16))}, MalformedError),
        ({"subject": "nowhere:1"}, IdentifierError),
    ],
    ids=["other id", "other salt", "short salt", "no id"],
)
def test_what_does_not_open_the_commitment_is_refused(
    changes: dict[str, str], error: type[Exception]
) -> None:
    delivered = deliver(CONSENT).model_copy(update=changes)

    with pytest.raises(error):
        take_consent(delivered, verdicts=ConsentVerdicts(), registry=REGISTRY)


def test_the_opening_is_id_and_salt_together() -> None:
    check_opening(CONSENT, subject=SUBJECT, salt=SUBJECT_SALT)

    with pytest.raises(ConsentSignatureError):
        check_opening(CONSENT, subject=OTHER_SUBJECT, salt=SUBJECT_SALT)


def test_each_party_is_compared_where_it_is_known() -> None:
    check_parties(CONSENT)
    check_parties(CONSENT, consumer="alpha.example", provider="beta.example")

    with pytest.raises(WrongConsumerError):
        check_parties(CONSENT, consumer="gamma.example", provider="beta.example")
    with pytest.raises(WrongProviderError):
        check_parties(CONSENT, consumer="alpha.example", provider="gamma.example")


def test_a_status_of_a_consent_that_is_not_held_is_refused() -> None:
    token = sign_state(
        b"\x09" * 32, state=ConsentState.REVOKED, seq=1, key=SUBJECT_KEY, now_s=NOW_S
    )

    with pytest.raises(ConsentNotHeldError):
        verify_status(token, registry=REGISTRY, find_consent=lambda _hash: None, now_s=NOW_S)


@pytest.mark.parametrize(
    ("key", "by", "may"),
    [
        (SUBJECT_KEY, "subject", True),
        (HUB_KEY, "hub", True),
        (SUBJECT_KEY, "hub", False),
        (HUB_KEY, "subject", False),
        (HUB_KEY, "provider", False),
        (STRANGER, "subject", False),
    ],
)
def test_the_subject_and_the_hub_may_change_a_consent(
    key: SigningKey, by: str, *, may: bool
) -> None:
    token = sign_state(bytes(32), state=ConsentState.REVOKED, seq=1, key=key, now_s=NOW_S, by=by)

    def verify() -> None:
        verify_status(token, registry=REGISTRY, find_consent=lambda _hash: CONSENT, now_s=NOW_S)

    if may:
        verify()
    else:
        with pytest.raises(ConsentSignatureError):
            verify()
