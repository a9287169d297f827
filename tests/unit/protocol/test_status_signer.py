"""Who may change a consent: one rule for holder, hub and auditor."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from protocol.consent import ConsentState, ConsentStatus, StatusSigner
from protocol.errors import UnknownKeyError
from protocol.keys import SigningKey
from protocol.limits import CLOCK_AHEAD_S_CEILING
from protocol.problems import ClockSkewError, ConsentSignatureError
from protocol.registry import KeyEntry, MemberEntry, Registry, SubjectEntry
from protocol.status_signer import StatusKey, check_party, check_statement, find_status_key
from tests.support.auditing import ALPHA, BETA
from tests.support.federation import NOW_S, build_consent

SUBJECT_KEY, HUB_KEY = SigningKey(b"\x01" * 32), SigningKey(b"\x02" * 32)
BETA_KEY, BETA_LOG_KEY = SigningKey(b"\x03" * 32), SigningKey(b"\x04" * 32)
CONSENT = build_consent(ALPHA, BETA)
STATUS = ConsentStatus(
    consent=bytes(32), seq=1, state=ConsentState.PAUSED, iat=NOW_S, by="provider", reason="brake"
)


def entry_of(key: SigningKey, *, use: str) -> KeyEntry:
    return KeyEntry(key=key.public, use=use, nbf=0, exp=NOW_S + 1_000)


REGISTRY = Registry(
    seq=1,
    prev=bytes(32),
    hash=bytes(32),
    iat=NOW_S,
    exp=NOW_S + 1,
    hub="hub.example",
    simulated=True,
    threshold=1,
    witness_vkey="",
    hub_keys=(entry_of(HUB_KEY, use="hub"),),
    members=(
        MemberEntry(
            member=BETA,
            name=BETA,
            endpoints={"v1": f"https://{BETA}"},
            roles=("provider",),
            status="active",
            log_origin=f"{BETA}/chengxin/log/1",
            keys=(entry_of(BETA_KEY, use="message"), entry_of(BETA_LOG_KEY, use="log")),
        ),
    ),
    subjects=(
        SubjectEntry(
            commitment=CONSENT.subject,
            verified="test",
            keys=(entry_of(SUBJECT_KEY, use="consent"),),
        ),
    ),
)


def find(key: SigningKey) -> StatusKey:
    return find_status_key(REGISTRY, key.kid)


def test_a_key_is_found_with_its_owner() -> None:
    assert (find(SUBJECT_KEY).signers, find(SUBJECT_KEY).commitment) == (
        frozenset({StatusSigner.SUBJECT}),
        CONSENT.subject,
    )
    assert (find(BETA_KEY).signers, find(BETA_KEY).member) == (
        frozenset({StatusSigner.PROVIDER, StatusSigner.CONSUMER}),
        BETA,
    )
    assert find(HUB_KEY).signers == {StatusSigner.HUB}


@pytest.mark.parametrize("key", [BETA_LOG_KEY, SigningKey(b"\x09" * 32)], ids=["log", "stranger"])
def test_another_key_signs_no_status(key: SigningKey) -> None:
    with pytest.raises(UnknownKeyError):
        find(key)


@pytest.mark.parametrize("key", [SUBJECT_KEY, BETA_KEY, HUB_KEY], ids=["subject", "beta", "hub"])
def test_the_parties_and_a_hub_change_a_consent(key: SigningKey) -> None:
    by = "provider" if key == BETA_KEY else next(iter(find(key).signers)).value
    status = replace(STATUS, by=by)

    check_party(status, find(key), consent=CONSENT)
    check_statement(status, find(key), now_s=NOW_S)


def test_a_member_that_is_not_the_provider_changes_nothing() -> None:
    with pytest.raises(ConsentSignatureError):
        check_party(STATUS, find(BETA_KEY), consent=replace(CONSENT, provider="gamma.example"))


def test_another_subject_changes_nothing() -> None:
    with pytest.raises(ConsentSignatureError):
        check_party(
            replace(STATUS, by="subject"),
            find(SUBJECT_KEY),
            consent=replace(CONSENT, subject=bytes(32)),
        )


@pytest.mark.parametrize(
    ("consumer", "evidence", "state", "is_taken"),
    [
        (BETA, bytes(32), ConsentState.REVOKED, True),
        (BETA, bytes(32), ConsentState.PAUSED, False),
        (BETA, bytes(32), ConsentState.ACTIVE, False),
        (BETA, bytes(32), ConsentState.EXPIRED, False),
        (BETA, None, ConsentState.REVOKED, False),
        (ALPHA, bytes(32), ConsentState.REVOKED, False),
    ],
    ids=["revoked", "paused", "active", "expired", "signed-by-subject", "another-consumer"],
)
def test_a_consumer_states_only_that_what_it_vouched_for_is_withdrawn(
    consumer: str, evidence: bytes | None, state: ConsentState, *, is_taken: bool
) -> None:
    consent = replace(CONSENT, consumer=consumer, provider="gamma.example", evidence=evidence)
    status = replace(STATUS, by="consumer", state=state)

    with nullcontext() if is_taken else pytest.raises(ConsentSignatureError):
        check_party(status, find(BETA_KEY), consent=consent)
        check_statement(status, find(BETA_KEY), now_s=NOW_S)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"by": "subject"}, ConsentSignatureError),
        ({"by": "hub"}, ConsentSignatureError),
        ({"iat": NOW_S + 1_000}, ConsentSignatureError),
        ({"iat": NOW_S + CLOCK_AHEAD_S_CEILING + 1}, ClockSkewError),
    ],
    ids=["as-subject", "as-hub", "key-ended", "future"],
)
def test_a_statement_that_is_not_its_signers_to_make_is_refused(
    change: dict[str, object], error: type[Exception]
) -> None:
    status = replace(STATUS, **change)  # type: ignore[arg-type]  # any field in turn

    with pytest.raises(error):
        check_statement(status, find(BETA_KEY), now_s=NOW_S)


def test_a_hub_states_no_end_that_it_cannot_see() -> None:
    status = replace(STATUS, by="hub", state=ConsentState.EXHAUSTED)

    with pytest.raises(ConsentSignatureError):
        check_statement(status, find(HUB_KEY), now_s=NOW_S)


def test_a_revoked_key_closes_and_never_opens() -> None:
    revoked = replace(find(BETA_KEY).entry, revoked_at=NOW_S + 1, reason="lost")
    key = replace(find(BETA_KEY), entry=revoked)

    check_statement(STATUS, key, now_s=NOW_S + 10)

    with pytest.raises(ConsentSignatureError):
        check_statement(replace(STATUS, state=ConsentState.ACTIVE), key, now_s=NOW_S + 10)


def test_an_auditor_judges_without_a_clock() -> None:
    check_statement(replace(STATUS, iat=NOW_S + 999), find(BETA_KEY))
