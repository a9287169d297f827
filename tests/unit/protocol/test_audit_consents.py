"""The audit of consents: each use is covered and counted, and none follows a withdrawal."""

from dataclasses import replace

import pytest

from protocol.audit.findings import Outcome, Verdict
from protocol.bundle import format_consent, format_status
from protocol.consent import (
    Consent,
    ConsentState,
    ConsentStatus,
    Span,
    hash_consent,
    sign_consent,
    sign_status,
)
from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.entry import ConsentEntry, ExchangeEntry, format_entry
from protocol.keys import SigningKey
from protocol.registry import Registry, SubjectEntry
from protocol.strict_json import canonical_json
from tests.support.auditing import (
    ALPHA,
    BETA,
    GAMMA,
    audit,
    audit_files,
    codes,
    find_exchange,
    find_line,
    flip_in,
    make_pair,
)
from tests.support.federation import (
    HUB_KEY,
    NOW_S,
    SUBJECT_KEY,
    SUBJECT_SALT,
    Federation,
    build_consent,
    key_entry,
    make_key,
    query_body,
)

STRANGER = make_key("another subject")


# --- coverage


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (query_body(b"", purpose="P2"), "purpose-mismatch"),
        (query_body(b"", metrics=["money"]), "metric-not-allowed"),
        (query_body(b"", last_months=36), "over-ceiling"),
        (b"[]", "malformed"),
        (b"{}", "schema"),
    ],
    ids=["purpose", "metric", "range", "no-object", "no-query"],
)
def test_a_question_beyond_its_consent_that_was_answered_is_contradicted(
    body: bytes, code: str
) -> None:
    federation, consent = make_pair()
    body = body.replace(b'"consent":""', f'"consent":"{encode_b64u(consent)}"'.encode())
    federation.ask(ALPHA, BETA, consent, body=body)

    report = audit(federation.bundles())

    assert codes(report) == {code}
    assert report.exchanges[0].verdict is Verdict.CONTRADICTED


def test_a_question_that_names_another_consent_than_was_used_is_contradicted() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent, body=query_body(sha256(b"another")))

    assert codes(audit(federation.bundles())) == {"schema"}


def test_a_refused_question_is_not_judged_by_the_consent() -> None:
    federation, consent = make_pair()
    federation.ask(
        ALPHA, BETA, consent, body=query_body(consent, purpose="P9"), code="schema", use=0
    )

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


def test_another_logged_purpose_than_the_one_asked_for_is_contradicted() -> None:
    federation, consent = make_pair()
    asked = federation.request(
        ALPHA, BETA, op="query", body=query_body(consent), purpose="P3", consents=(consent,)
    )
    federation.decide(asked, code="full", use=1)
    federation.receive(asked)

    assert "purpose-mismatch" in codes(audit(federation.bundles()))


def test_a_redacted_question_is_judged_by_the_logged_purpose() -> None:
    federation, consent = make_pair()
    asked = federation.request(
        ALPHA, BETA, op="query", body=query_body(consent), purpose="P3", consents=(consent,)
    )
    federation.decide(asked, code="full", use=1)
    federation.receive(asked)

    assert codes(audit(federation.bundles(redacted=True))) == {"purpose-mismatch"}


def test_a_question_of_which_nothing_is_shown_says_so() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    files = federation.export(BETA, redacted=True)
    files["messages.jsonl"] = b""

    report = audit_files(beta=files)

    (line,) = [one for one in report.exchanges[0].evidence if one.code == "query-not-shown"]
    assert "not shown either" in line.text


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"consumer": GAMMA}, "wrong-consumer"),
        ({"provider": GAMMA}, "wrong-provider"),
        ({"exp": NOW_S}, "consent-expired"),
        ({"nbf": NOW_S + 1}, "consent-not-yet-valid"),
        ({"max_uses": 1}, "consent-exhausted"),
        ({"frequency": Span(unit="hour", n=1)}, "frequency-exceeded"),
    ],
    ids=["consumer", "provider", "expired", "early", "used-up", "too-often"],
)
def test_a_use_that_the_consent_does_not_cover_is_contradicted(
    change: dict[str, object], code: str
) -> None:
    federation = Federation(ALPHA, BETA)
    consent = federation.consent(
        ALPHA,
        BETA,
        lambda one: replace(one, **change),  # type: ignore[arg-type]  # any in turn
    )
    federation.ask(ALPHA, BETA, consent)
    federation.ask(ALPHA, BETA, consent)

    assert codes(audit(federation.bundles())) == {code}


def test_uses_in_another_calendar_window_count_anew() -> None:
    federation = Federation(ALPHA, BETA)
    consent = federation.consent(
        ALPHA, BETA, lambda one: replace(one, frequency=Span(unit="hour", n=1))
    )
    federation.ask(ALPHA, BETA, consent)
    federation.now_s += 3_600
    federation.ask(ALPHA, BETA, consent)

    report = audit(federation.bundles())

    assert report.verdict is Verdict.PROVEN
    assert report.consents[0].uses == 2


def test_uses_known_from_proofs_alone_are_counted_as_such() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)

    report = audit(federation.bundles(ALPHA))

    (line,) = [one for one in report.exchanges[0].evidence if one.code == "consent-covers"]
    assert "as far as is known" in line.text
    assert report.totals.uses == 1


# --- counting


@pytest.mark.parametrize(("code", "use"), [("full", 0), ("no-answer", 0), ("consent-missing", 1)])
def test_a_use_counted_wrongly_is_contradicted(code: str, use: int) -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent, code=code, use=use)

    assert "use-miscounted" in codes(audit(federation.bundles()))


def test_a_delivery_that_counts_a_use_is_contradicted() -> None:
    federation, consent = make_pair()
    asked = federation.request(
        ALPHA, BETA, op="poll", body=query_body(consent), purpose="P1", consents=(consent,)
    )
    federation.decide(asked, code="held", use=1)
    federation.receive(asked)

    assert {"use-miscounted", "operation-not-allowed"} <= codes(audit(federation.bundles()))


def test_a_use_that_names_no_consent_is_contradicted() -> None:
    federation, _ = make_pair()
    asked = federation.request(ALPHA, BETA, op="query", body=b"{}", purpose="P1")
    federation.decide(asked, code="full", use=1)
    federation.receive(asked)

    assert codes(audit(federation.bundles())) == {"consent-unnamed"}


# --- artefacts


def test_a_use_of_a_consent_that_is_in_no_bundle_is_undetermined() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    for member in federation.members.values():
        member.consents.clear()

    report = audit(federation.bundles())

    assert codes(report, Outcome.UNKNOWN) == {"consent-absent"}
    assert codes(report) == set()


def test_a_changed_consent_is_named_and_the_other_sides_copy_still_proves_the_use() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    ours = federation.export(ALPHA)
    ours = flip_in(ours, "consents.jsonl", ours["consents.jsonl"].index(b'"token":"') + 300)

    report = audit_files(alpha=ours, beta=federation.export(BETA))

    (bad,) = [one for one in report.consents if one.verdict is Verdict.CONTRADICTED]
    assert bad.evidence[0].place is not None
    assert bad.evidence[0].place.text == "alpha/consents.jsonl:1"
    assert (bad.consumer, bad.max_uses) == ("", 0)
    assert report.exchanges[0].verdict is Verdict.PROVEN


def sign_as(key: SigningKey, consent: Consent) -> str:
    return sign_consent(consent, key=key)


def enter_stranger(draft: Registry) -> Registry:
    stranger = SubjectEntry(
        commitment=sha256(b"stranger"),
        verified="register",
        keys=(key_entry(STRANGER, "consent"),),
    )
    return replace(draft, subjects=(*draft.subjects, stranger))


@pytest.mark.parametrize(
    ("is_entered", "code"), [(False, "unknown-key"), (True, "consent-signature")]
)
def test_a_consent_signed_by_somebody_else_covers_nothing(*, is_entered: bool, code: str) -> None:
    federation = Federation(ALPHA, BETA)
    if is_entered:
        federation.publish(enter_stranger)
    token = sign_as(STRANGER, build_consent(ALPHA, BETA))
    federation.members[BETA].consents.append(token)
    federation.ask(ALPHA, BETA, hash_consent(token))

    report = audit(federation.bundles())

    assert code in codes(report)
    assert "consent-signature" in {line.code for line in report.exchanges[0].evidence}


def test_a_consent_signed_after_its_key_was_revoked_covers_nothing() -> None:
    federation, consent = make_pair()

    def revoke(draft: Registry) -> Registry:
        (subject,) = draft.subjects
        key = replace(subject.keys[0], revoked_at=NOW_S - 7_200, reason="lost")
        return replace(draft, subjects=(replace(subject, keys=(key,)),))

    federation.publish(revoke)
    federation.ask(ALPHA, BETA, consent)

    assert codes(audit(federation.bundles())) == {"consent-signature"}


@pytest.mark.parametrize("subject", ["sim:0200756073", "no subject", "sim:"])
def test_a_subject_that_does_not_open_the_commitment_is_named(subject: str) -> None:
    federation, _ = make_pair()
    files = federation.export(ALPHA)
    files["consents.jsonl"] = format_consent(
        token=federation.members[ALPHA].consents[0], subject=subject, salt=SUBJECT_SALT
    )

    report = audit_files(alpha=files, beta=federation.export(BETA))

    assert codes(report) == {"commitment-mismatch"}


# --- withdrawal


def test_a_use_after_a_logged_withdrawal_is_contradicted() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    federation.set_state(consent, provider=BETA, state=ConsentState.REVOKED)
    federation.ask(ALPHA, BETA, consent)

    report = audit(federation.bundles())

    assert codes(report) == {"consent-revoked"}
    assert [one.verdict for one in report.exchanges] == [Verdict.PROVEN, Verdict.CONTRADICTED]
    assert report.consents[0].state == "revoked"


def test_a_consent_that_was_paused_and_resumed_covers_again() -> None:
    federation, consent = make_pair()
    federation.set_state(consent, provider=BETA, state=ConsentState.PAUSED, seq=1)
    federation.set_state(consent, provider=BETA, state=ConsentState.ACTIVE, seq=2)
    federation.ask(ALPHA, BETA, consent)

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


def status_token(
    consent: bytes,
    *,
    by: str = "subject",
    key: SigningKey = SUBJECT_KEY,
    state: ConsentState = ConsentState.REVOKED,
    iat: int = NOW_S,
) -> str:
    status = ConsentStatus(consent=consent, seq=1, state=state, iat=iat, by=by, reason="withdrawn")
    return sign_status(status, key=key)


def log_change(federation: Federation, name: str, token: str, consent: bytes, state: str) -> None:
    entry = ConsentEntry(
        at_ms=federation.now_s * 1000,
        consent=consent,
        seq=1,
        state=state,
        status=sha256(token.encode("ascii")),
    )
    federation.members[name].log.append(format_entry(entry))


@pytest.mark.parametrize(
    ("by", "key", "is_in_order"),
    [
        ("subject", SUBJECT_KEY, True),
        ("hub", HUB_KEY, True),
        ("hub", SUBJECT_KEY, False),
        ("subject", HUB_KEY, False),
        ("subject", STRANGER, False),
    ],
)
def test_a_change_of_state_is_signed_by_the_subject_or_the_hub(
    *, by: str, key: SigningKey, is_in_order: bool
) -> None:
    federation, consent = make_pair()
    federation.publish(enter_stranger)
    token = status_token(consent, by=by, key=key)
    federation.members[BETA].statuses.append(token)
    log_change(federation, BETA, token, consent, "revoked")

    report = audit(federation.bundles())

    expected = set() if is_in_order else {"consent-signature", "status-invalid"}
    assert codes(report) == expected


@pytest.mark.parametrize("is_held", [True, False])
def test_a_status_of_a_consent_that_is_not_here_is_taken_at_its_signers_word(
    *, is_held: bool
) -> None:
    federation, _ = make_pair()
    token = status_token(sha256(b"not here"))
    federation.members[BETA].statuses += [token, token]
    if is_held:
        federation.members[BETA].consents.append(sign_as(STRANGER, build_consent(ALPHA, BETA)))

    report = audit(federation.bundles())

    assert codes(report) == ({"unknown-key"} if is_held else set())


def test_a_logged_change_without_its_signed_status_is_undetermined() -> None:
    federation, consent = make_pair()
    federation.set_state(consent, provider=BETA, state=ConsentState.REVOKED)
    federation.members[BETA].statuses.clear()

    report = audit(federation.bundles())

    assert codes(report, Outcome.UNKNOWN) == {"status-absent"}


def test_a_logged_change_that_is_not_the_signed_one_is_contradicted() -> None:
    federation, consent = make_pair()
    token = status_token(consent)
    federation.members[BETA].statuses.append(token)
    log_change(federation, BETA, token, consent, "paused")

    assert codes(audit(federation.bundles())) == {"status-mismatch"}


def test_a_state_that_no_consent_has_changes_nothing() -> None:
    federation, consent = make_pair()
    token = status_token(consent)
    federation.members[BETA].statuses.append(token)
    log_change(federation, BETA, token, consent, "odd")

    report = audit(federation.bundles())

    assert report.consents[0].state == "active"


def test_the_consumers_copy_of_a_withdrawal_does_not_decide() -> None:
    federation, consent = make_pair()
    token = status_token(consent)
    federation.members[ALPHA].statuses.append(token)
    log_change(federation, ALPHA, token, consent, "revoked")
    federation.ask(ALPHA, BETA, consent)

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


@pytest.mark.parametrize(("late_s", "is_open"), [(300, False), (400, True)])
def test_a_use_long_after_a_withdrawal_that_the_provider_did_not_log_is_undetermined(
    late_s: int, *, is_open: bool
) -> None:
    federation, consent = make_pair()
    federation.members[ALPHA].statuses.append(status_token(consent))
    federation.now_s += late_s
    federation.ask(ALPHA, BETA, consent)

    report = audit(federation.bundles())

    assert codes(report) == set()
    assert codes(report, Outcome.UNKNOWN) == ({"revoked-elsewhere"} if is_open else set())


def test_another_consents_withdrawal_and_a_pause_leave_nothing_open() -> None:
    federation, consent = make_pair()
    statuses = federation.members[ALPHA].statuses
    statuses.append(status_token(sha256(b"another")))
    statuses.append(status_token(consent, state=ConsentState.PAUSED))
    federation.now_s += 1_000
    federation.ask(ALPHA, BETA, consent)

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


def test_a_changed_status_is_named_with_its_line() -> None:
    federation, consent = make_pair()
    federation.set_state(consent, provider=BETA, state=ConsentState.REVOKED)
    files = flip_in(federation.export(BETA), "statuses.jsonl", 200)

    report = audit_files(alpha=federation.export(ALPHA), beta=files)

    (code,) = codes(report)
    place = find_line(report, code).place
    assert place is not None
    assert place.text == "beta/statuses.jsonl:1"
    assert codes(report, Outcome.UNKNOWN) == {"status-absent"}


def test_lines_of_a_bundle_read_back_as_they_were_written() -> None:
    federation, consent = make_pair()
    (token,) = federation.members[BETA].consents

    assert format_status(token) == canonical_json({"token": token}) + b"\n"
    assert hash_consent(token) == decode_b64u(encode_b64u(consent))


# --- what others log of a consent


def test_what_another_member_counts_uses_up_nothing_of_a_consent() -> None:
    federation = Federation("a.example", ALPHA, BETA)
    consent = federation.consent(ALPHA, BETA, lambda one: replace(one, max_uses=1))
    asked = federation.ask(ALPHA, BETA, consent)
    lie = ExchangeEntry(
        at_ms=NOW_S * 1000,
        xid=bytes(16),
        peer=ALPHA,
        peer_n=1,
        n=1,
        op="query",
        msg=sha256(b"never asked"),
        ans=sha256(b"never answered"),
        code="full",
        use=1,
        consents=(consent,),
        head=federation.members[ALPHA].log.head(),
    )
    federation.members["a.example"].log.append(format_entry(lie))

    report = audit(federation.bundles())

    assert codes(report) == {"wrong-provider"}
    assert find_exchange(report, encode_b64u(asked.envelope.jti)).verdict is Verdict.PROVEN
    assert report.consents[0].uses == 1


def test_an_older_status_logged_again_reopens_nothing() -> None:
    federation, consent = make_pair()
    federation.set_state(consent, provider=BETA, state=ConsentState.PAUSED, seq=1)
    federation.set_state(consent, provider=BETA, state=ConsentState.ACTIVE, seq=2)
    log = federation.members[BETA].log
    again = log.entries[-1]
    federation.set_state(consent, provider=BETA, state=ConsentState.REVOKED, seq=3)
    log.append(again)
    federation.ask(ALPHA, BETA, consent)

    report = audit(federation.bundles())

    assert codes(report) == {"status-stale", "consent-revoked"}
    assert report.consents[0].state == "revoked"
