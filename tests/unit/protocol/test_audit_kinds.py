"""The audit of the entries beside an exchange's own three, and of batches, pushes and polls."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from protocol.audit.findings import LogVerdict, Outcome, Report, Verdict
from protocol.consent import Purpose
from protocol.encoding import encode_b64u, sha256
from protocol.entry import (
    AbortedEntry,
    AnchorEntry,
    ErasedEntry,
    HeadEntry,
    KeyChangeEntry,
    KnownKind,
    StartEntry,
    StopEntry,
    UnackedEntry,
    format_entry,
)
from protocol.message import LogHead
from protocol.purpose import TEMPLATES
from protocol.receipt import format_receipt
from protocol.strict_json import JsonValue, canonical_json
from tests.support.auditing import ALPHA, BETA, audit, audit_files, codes, find_line, make_pair
from tests.support.federation import NOW_S, Asked, Federation, query_body

UNKNOWN = Outcome.UNKNOWN
AT_MS = NOW_S * 1000


def log_entry(federation: Federation, name: str, entry: KnownKind) -> int:
    return federation.members[name].log.append(format_entry(entry))


def put(federation: Federation) -> Asked:
    return federation.request(ALPHA, BETA, op="consent.put", body=b"{}", purpose="-")


def texts(report: Report, code: str) -> list[str]:
    return [line.text for one in report.exchanges for line in one.evidence if line.code == code]


# --- unacked


def unacked(asked: Asked, *, ans: bytes | None = None) -> UnackedEntry:
    answer = asked.answer.msg_hash if asked.answer is not None else b""
    return UnackedEntry(
        at_ms=AT_MS, xid=asked.envelope.jti, peer=ALPHA, ans=answer if ans is None else ans
    )


def test_an_answer_that_nobody_acknowledged_stays_open_and_says_why() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    federation.decide(asked, code="held", use=0)
    log_entry(federation, BETA, unacked(asked))

    report = audit(federation.bundles())

    assert codes(report) == set()
    assert codes(report, UNKNOWN) == {"response-unacknowledged"}


def test_an_answer_that_arrived_and_was_not_acknowledged_is_proven() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    federation.decide(asked, code="held", use=0)
    federation.receive(asked)
    log_entry(federation, BETA, unacked(asked))

    report = audit(federation.bundles())

    assert report.verdict is Verdict.PROVEN
    assert texts(report, "unacknowledged")


def test_a_missing_receipt_that_was_logged_before_is_contradicted() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    federation.decide(asked, code="held", use=0)
    federation.receive(asked)
    federation.acknowledge(ALPHA, BETA, asked)
    log_entry(federation, BETA, unacked(asked))

    assert codes(audit(federation.bundles())) == {"unacked-contradicted"}


def test_a_receipt_after_the_word_that_none_had_come_is_in_order() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    federation.decide(asked, code="held", use=0)
    federation.receive(asked)
    log_entry(federation, BETA, unacked(asked))
    federation.acknowledge(ALPHA, BETA, asked)

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


def test_waiting_for_a_receipt_of_an_answer_that_was_never_logged_is_contradicted() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    federation.decide(asked, code="held", use=0)
    federation.receive(asked)
    log_entry(federation, BETA, unacked(asked, ans=sha256(b"no answer")))

    assert codes(audit(federation.bundles())) == {"entry-mismatch"}


# --- aborted


def aborted(n: int, reason: str, *, xid: bytes | None = None, peer: str = BETA) -> AbortedEntry:
    return AbortedEntry(at_ms=AT_MS, peer=peer, n=n, reason=reason, xid=xid)


def test_a_number_that_comes_to_nothing_is_no_gap() -> None:
    federation, consent = make_pair()
    federation.members[ALPHA].counters[BETA] = 1
    federation.ask(ALPHA, BETA, consent)
    log_entry(federation, ALPHA, aborted(1, "not-sent"))

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


def test_a_number_of_a_logged_message_cannot_have_come_to_nothing() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    log_entry(federation, ALPHA, aborted(1, "not-sent"))

    assert codes(audit(federation.bundles())) == {"aborted-contradicted"}


def test_a_message_that_its_receiver_holds_cannot_have_been_unsent() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    log_entry(federation, ALPHA, aborted(1, "not-sent", xid=asked.envelope.jti))
    federation.decide(asked, code="held", use=0)
    federation.receive(asked)

    assert codes(audit(federation.bundles())) == {"aborted-contradicted"}


@pytest.mark.parametrize("reason", ["not-sent", "given-up"])
def test_an_ask_that_was_given_up_is_not_open(reason: str) -> None:
    federation, _ = make_pair()
    asked = put(federation)
    log_entry(federation, ALPHA, aborted(1, reason, xid=asked.envelope.jti))

    report = audit(federation.bundles())

    assert report.verdict is Verdict.PROVEN
    assert texts(report, reason)


def test_an_ask_given_up_after_its_answer_was_logged_is_contradicted() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    federation.decide(asked, code="held", use=0)
    federation.receive(asked)
    log_entry(federation, ALPHA, aborted(1, "given-up", xid=asked.envelope.jti))

    assert codes(audit(federation.bundles())) == {"aborted-contradicted"}


# --- erased


def erased(asked: Asked, *, peer: str, msgs: Sequence[bytes]) -> ErasedEntry:
    return ErasedEntry(
        at_ms=AT_MS, xid=asked.envelope.jti, peer=peer, basis="data-life", msgs=tuple(msgs)
    )


def test_a_body_that_was_erased_is_explained_by_the_log() -> None:
    federation, consent = make_pair()
    asked = federation.ask(ALPHA, BETA, consent)
    assert asked.answer is not None
    log_entry(federation, ALPHA, erased(asked, peer=BETA, msgs=[asked.answer.msg_hash]))
    (record,) = federation.members[ALPHA].records
    assert record.answer is not None
    files = federation.export(ALPHA)
    salt = encode_b64u(record.answer.salt).encode()
    body = encode_b64u(record.answer.body).encode()
    files["messages.jsonl"] = (
        files["messages.jsonl"]
        .replace(b'"answer_body":"' + body + b'",', b"")
        .replace(b'"answer_salt":"' + salt + b'",', b"")
    )

    report = audit_files(alpha=files, beta=federation.export(BETA))

    assert report.verdict is Verdict.PROVEN
    assert any("the log of its holder says so" in text for text in texts(report, "body-absent"))


def test_a_body_that_is_shown_was_not_erased() -> None:
    federation, consent = make_pair()
    asked = federation.ask(ALPHA, BETA, consent)
    assert asked.answer is not None
    log_entry(federation, ALPHA, erased(asked, peer=BETA, msgs=[asked.answer.msg_hash]))

    assert codes(audit(federation.bundles())) == {"erasure-contradicted"}


def test_an_erasure_of_another_exchange_explains_nothing() -> None:
    federation, consent = make_pair()
    asked = federation.ask(ALPHA, BETA, consent)
    log_entry(federation, ALPHA, erased(asked, peer="gamma.example", msgs=[sha256(b"x")]))

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


# --- key, head, anchor, start, stop


def test_starts_and_stops_are_counted_by_kind() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    log_entry(federation, ALPHA, StartEntry(at_ms=AT_MS, software="1.0"))
    log_entry(federation, ALPHA, StopEntry(at_ms=AT_MS))

    report = audit(federation.bundles())

    assert report.verdict is Verdict.PROVEN
    kinds = {"genesis": 1, "request": 1, "response": 1, "start": 1, "stop": 1}
    assert dict(report.logs[0].kinds) == kinds


@pytest.mark.parametrize("is_known", [True, False])
def test_a_changed_key_is_known_to_the_registry_and_stated_here(*, is_known: bool) -> None:
    federation, _ = make_pair()
    kid = federation.members[ALPHA].key.kid if is_known else "nobody's"
    log_entry(
        federation,
        ALPHA,
        KeyChangeEntry(at_ms=AT_MS, use="message", kid=kid, statement=sha256(b"statement")),
    )

    expected = {"key-statement-absent"} if is_known else {"key-statement-absent", "key-unknown"}
    assert codes(audit(federation.bundles()), UNKNOWN) == expected


def test_a_head_that_only_a_peer_states_accuses_nobody() -> None:
    federation, _ = make_pair()
    origin = federation.members[BETA].log.origin
    lie = LogHead(size=1, root=sha256(b"lie"))
    log_entry(federation, ALPHA, HeadEntry(at_ms=AT_MS, origin=origin, head=lie))

    report = audit(federation.bundles())

    assert codes(report) == set()
    assert codes(report, UNKNOWN) == {"head-disputed"}
    assert report.logs[1].verdict is LogVerdict.HOLDS


def test_two_heads_that_only_peers_state_are_no_fork() -> None:
    federation, _ = make_pair()
    origin = federation.members[BETA].log.origin
    for root in (sha256(b"lie"), sha256(b"another")):
        head = LogHead(size=9, root=root)
        log_entry(federation, ALPHA, HeadEntry(at_ms=AT_MS, origin=origin, head=head))

    assert codes(audit(federation.bundles())) == set()


def test_a_head_of_a_log_that_nobody_knows_is_compared_with_nothing() -> None:
    federation, _ = make_pair()
    head = LogHead(size=1, root=sha256(b"somebody's"))
    log_entry(federation, ALPHA, HeadEntry(at_ms=AT_MS, origin="nobody.example/log", head=head))

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


@pytest.mark.parametrize("is_true", [True, False])
def test_a_stamped_head_is_the_logs_own(*, is_true: bool) -> None:
    federation, _ = make_pair()
    head = federation.members[ALPHA].log.head()
    if not is_true:
        head = replace(head, root=sha256(b"another"))
    entry = AnchorEntry(at_ms=AT_MS, head=head, authority="tsa.example", token=sha256(b"token"))
    log_entry(federation, ALPHA, entry)

    assert codes(audit(federation.bundles())) == (set() if is_true else {"fork"})


# --- batches


def batch_body(consents: Sequence[bytes]) -> bytes:
    items: list[JsonValue] = [
        {"consent": encode_b64u(one), "metrics": ["delay"], "last_months": 12} for one in consents
    ]
    return canonical_json({"v": 1, "kind": "query-batch", "purpose": "P1", "items": items})


def ask_batch(
    federation: Federation,
    consents: Sequence[bytes],
    *,
    item_codes: tuple[str, ...],
    use: int,
    answered: Sequence[str] | None = None,
) -> Report:
    body = batch_body(consents)
    asked = federation.request(
        ALPHA, BETA, op="query", body=body, purpose="P1", consents=tuple(consents)
    )
    items: list[JsonValue] = [
        {"consent": encode_b64u(one), "code": code}
        for one, code in zip(consents, answered or item_codes, strict=True)
    ]
    federation.decide(
        asked,
        code="batch",
        use=use,
        change=lambda entry: replace(entry, codes=item_codes),
        body=canonical_json({"v": 1, "kind": "summary-batch", "items": items}),
    )
    federation.receive(asked)
    return audit(federation.bundles())


def make_batch() -> tuple[Federation, list[bytes]]:
    federation, first = make_pair()
    others = [
        federation.consent(ALPHA, BETA, lambda one, name=name: replace(one, id=name))  # type: ignore[misc]  # a default binds
        for name in ("second", "third")
    ]
    return federation, [first, *others]


def test_a_batch_counts_one_use_of_each_consent_that_was_decided() -> None:
    federation, consents = make_batch()

    report = ask_batch(
        federation, consents, item_codes=("full", "no-answer", "consent-paused"), use=2
    )

    assert codes(report) == codes(report, UNKNOWN) == set()
    assert report.totals.uses == 2
    assert sorted(one.uses for one in report.consents) == [0, 1, 1]


def test_a_batch_that_sums_its_uses_wrongly_is_contradicted() -> None:
    federation, consents = make_batch()

    report = ask_batch(federation, consents, item_codes=("full", "full", "full"), use=2)

    assert codes(report) == {"use-miscounted"}


def test_a_batch_whose_answer_says_otherwise_is_contradicted() -> None:
    federation, consents = make_batch()

    report = ask_batch(
        federation,
        consents,
        item_codes=("full", "full", "full"),
        use=3,
        answered=("full", "full", "class"),
    )

    assert codes(report) == {"batch-mismatch"}


def test_a_batch_beyond_one_of_its_consents_is_contradicted() -> None:
    federation, consents = make_batch()
    consents[0] = federation.consent(
        ALPHA, BETA, lambda one: replace(one, id="narrow", metrics=("trend",))
    )

    report = ask_batch(federation, consents, item_codes=("full", "full", "full"), use=3)

    assert codes(report) == {"metric-not-allowed"}


def test_a_batch_that_does_not_ask_under_a_consent_that_was_used_is_contradicted() -> None:
    federation, consents = make_batch()
    asked = federation.request(
        ALPHA,
        BETA,
        op="query",
        body=batch_body(consents[:1]),
        purpose="P1",
        consents=tuple(consents[:2]),
    )
    federation.decide(
        asked,
        code="batch",
        use=2,
        change=lambda entry: replace(entry, codes=("full", "full")),
        body=b"{}",
    )
    federation.receive(asked)

    assert codes(audit(federation.bundles())) == {"schema"}


# --- later answers, pushes


def test_an_accepted_question_counts_once_and_its_poll_does_not() -> None:
    federation, consent = make_pair()
    asked = federation.request(
        ALPHA, BETA, op="query", body=query_body(consent), purpose="P1", consents=(consent,)
    )
    federation.decide(
        asked, code="accepted", use=1, change_reply=lambda envelope: replace(envelope, st="202")
    )
    federation.receive(asked)
    poll = canonical_json({"v": 1, "kind": "poll", "request": encode_b64u(asked.request.msg_hash)})
    polled = federation.request(
        ALPHA, BETA, op="poll", body=poll, purpose="P1", consents=(consent,)
    )
    federation.decide(polled, code="full", use=0)
    federation.receive(polled)

    report = audit(federation.bundles())

    assert report.verdict is Verdict.PROVEN
    assert report.totals.uses == 1


def ack_body(of: bytes) -> bytes:
    return canonical_json({"v": 1, "kind": "ack", "of": encode_b64u(of)})


def push(
    federation: Federation, consent: bytes, *, changed: Sequence[str], times: int = 1
) -> Report:
    for _ in range(times):
        body = canonical_json(
            {
                "v": 1,
                "kind": "push",
                "consent": encode_b64u(consent),
                "changed": list(changed),
                "summary": {},
            }
        )
        asked = federation.request(
            BETA, ALPHA, op="push", body=body, purpose="P3", consents=(consent,)
        )
        federation.decide(
            asked,
            code="push",
            use=0,
            change_reply=lambda envelope: replace(envelope, op="ack"),
            body=ack_body(asked.request.msg_hash),
        )
        federation.receive(asked)
    return audit(federation.bundles())


def standing(federation: Federation) -> bytes:
    """Have the customer allow pushes, twice."""
    template = TEMPLATES["P3"]
    purpose = Purpose(
        code=template.code,
        template=template.template,
        template_hash=template.hash,
        text=template.text,
    )
    return federation.consent(
        ALPHA,
        BETA,
        lambda one: replace(
            one, id="standing", ops=("push",), max_uses=2, purpose=purpose, derive=()
        ),
    )


def test_a_push_counts_a_use_at_the_provider() -> None:
    federation, _ = make_pair()

    report = push(federation, standing(federation), changed=["delay"], times=2)

    assert codes(report) == codes(report, UNKNOWN) == set()
    assert report.totals.uses == 2
    assert [one.uses for one in report.exchanges] == [1, 1]


def test_a_push_that_no_consent_allows_is_contradicted() -> None:
    federation, consent = make_pair()

    report = push(federation, consent, changed=["delay"])

    assert codes(report) == {"purpose-mismatch"}


def test_a_push_of_a_section_that_was_not_named_is_contradicted() -> None:
    federation, _ = make_pair()

    report = push(federation, standing(federation), changed=["money"])

    assert codes(report) == {"metric-not-allowed"}


def test_more_pushes_than_uses_are_contradicted() -> None:
    federation, _ = make_pair()

    report = push(federation, standing(federation), changed=["delay"], times=3)

    assert codes(report) == {"consent-exhausted"}


def test_a_receipt_for_a_push_is_founded() -> None:
    federation, _ = make_pair()
    push(federation, standing(federation), changed=["delay"])
    (record,) = [one for one in federation.members[BETA].records if one.side == "out"]
    body = format_receipt([record.request.msg_hash])
    receipt = federation.request(ALPHA, BETA, op="receipt", body=body, purpose="-")
    federation.decide(receipt, code="receipt", use=0)
    federation.receive(receipt)

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


def test_an_unknown_line_says_where_to_look() -> None:
    federation, _ = make_pair()
    log_entry(federation, ALPHA, aborted(3, "not-sent"))

    line = find_line(audit(federation.bundles()), "counter-gap")

    assert "its number 1 to 2 for beta.example" in line.text
