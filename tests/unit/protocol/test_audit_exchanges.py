"""The audit of exchanges: logs and messages of both sides agree, or the report says where not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from protocol.audit.findings import Outcome, Report, Verdict
from protocol.encoding import sha256
from protocol.entry import ExchangeEntry, RequestEntry, ResponseEntry, format_entry, parse_entry
from protocol.message import Envelope, LogHead, seal_envelope
from protocol.receipt import format_receipt
from tests.support.auditing import (
    ALPHA,
    BETA,
    GAMMA,
    audit,
    audit_files,
    codes,
    find_line,
    flip_in,
    make_pair,
)
from tests.support.federation import Asked, Federation, query_body

UNKNOWN = Outcome.UNKNOWN


def put(
    federation: Federation, change: Callable[[Envelope], Envelope] = lambda envelope: envelope
) -> Asked:
    """Make a request that needs no consent; it is not decided yet."""
    return federation.request(ALPHA, BETA, op="consent.put", body=b"{}", purpose="-", change=change)


def codes_of(report: Report, outcome: Outcome) -> set[str]:
    return {
        line.code for one in report.exchanges for line in one.evidence if line.outcome is outcome
    }


# --- both sides


def test_a_request_without_decision_is_undetermined() -> None:
    federation, _ = make_pair()
    put(federation)

    report = audit(federation.bundles())

    (one,) = report.exchanges
    assert (one.verdict, one.code, one.op) == (Verdict.UNDETERMINED, "open", "consent.put")
    assert "its log shows no decision" in find_line(report, "request-unanswered").text


def test_a_request_without_decision_says_where_the_other_log_is_not_here() -> None:
    federation, _ = make_pair()
    put(federation)

    report = audit(federation.bundles(ALPHA))

    assert "its log is not here" in find_line(report, "request-unanswered").text


def test_a_decision_without_arrival_is_undetermined() -> None:
    federation, _ = make_pair()
    federation.decide(put(federation), code="held", use=0)

    report = audit(federation.bundles())

    assert codes(report, UNKNOWN) == {"response-missing"}
    assert codes(report) == set()


def test_an_acknowledged_answer_that_the_asker_did_not_log_is_contradicted() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    federation.decide(asked, code="held", use=0)
    federation.acknowledge(ALPHA, BETA, asked)

    report = audit(federation.bundles())

    line = find_line(report, "response-missing")
    assert line.outcome is Outcome.FAILS
    assert line.place is not None
    assert line.place.file == "messages.jsonl"


def test_a_receipt_for_an_answer_that_was_never_given_is_contradicted() -> None:
    federation, _ = make_pair()
    body = format_receipt([sha256(b"no answer")])
    asked = federation.request(ALPHA, BETA, op="receipt", body=body, purpose="-")
    federation.decide(asked, code="receipt", use=0)
    federation.receive(asked)

    assert codes(audit(federation.bundles())) == {"receipt-unfounded"}
    assert codes(audit(federation.bundles(ALPHA))) == set()


def test_a_receipt_that_was_refused_binds_nobody() -> None:
    federation, _ = make_pair()
    body = format_receipt([sha256(b"no answer")])
    asked = federation.request(ALPHA, BETA, op="receipt", body=body, purpose="-")
    federation.decide(asked, code="schema", use=0)
    federation.receive(asked)

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


def test_a_receipt_that_cannot_be_read_acknowledges_nothing() -> None:
    federation, _ = make_pair()
    asked = federation.request(ALPHA, BETA, op="receipt", body=b"[]", purpose="-")
    federation.decide(asked, code="schema", use=0)
    federation.receive(asked)

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


def test_a_receipt_of_a_third_party_acknowledges_nothing() -> None:
    federation = Federation(ALPHA, BETA, GAMMA)
    asked = put(federation)
    federation.decide(asked, code="held", use=0)
    federation.acknowledge(GAMMA, BETA, asked)

    report = audit(federation.bundles())

    assert codes(report) == {"receipt-unfounded"}
    assert codes(report, UNKNOWN) == {"response-missing"}


# --- entries that are not there


def drop(federation: Federation, name: str, index: int) -> None:
    federation.members[name].log.entries.pop(index)


@pytest.mark.parametrize(("name", "index"), [(ALPHA, 1), (BETA, 1)])
def test_a_log_that_lacks_what_its_owner_signed_is_contradicted(name: str, index: int) -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    federation.ask(ALPHA, BETA, consent)
    drop(federation, name, index)

    report = audit(federation.bundles())

    assert {"entry-missing", "fork", "entry-differs"} <= codes(report)
    assert "counter-gap" in codes(report, UNKNOWN)


def without_proofs(federation: Federation, name: str) -> None:
    """Make this member's proofs unreadable, as its own copies and its peers' would show them."""
    for member in federation.members.values():
        for record in member.records:
            if record.side == ("out" if member.member == name else "in"):
                record.request = replace(record.request, inclusion="x")
            elif record.answer is not None:
                record.answer = replace(record.answer, inclusion="x")


@pytest.mark.parametrize("name", [ALPHA, BETA])
def test_a_signed_message_that_an_older_export_cannot_show_is_undetermined(name: str) -> None:
    federation, consent = make_pair()
    early = federation.export(name)
    federation.ask(ALPHA, BETA, consent)
    without_proofs(federation, name)
    other = BETA if name == ALPHA else ALPHA

    report = audit_files(early=early, late=federation.export(other))

    assert "entry-beyond" in codes(report, UNKNOWN)
    assert "bad-inclusion" in codes(report)


def test_without_a_log_and_without_a_proof_only_the_proof_is_blamed() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    without_proofs(federation, BETA)

    report = audit(federation.bundles(ALPHA))

    assert codes(report) == {"bad-inclusion"}
    assert codes(report, UNKNOWN) == set()


# --- messages that are not there


def test_entries_without_any_message_are_undetermined() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    for member in federation.members.values():
        member.records.clear()

    report = audit(federation.bundles())

    assert codes(report) == set()
    assert codes(report, UNKNOWN) == {"request-absent", "answer-absent"}
    assert report.exchanges[0].op == "query"


def test_an_arrival_alone_is_undetermined() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    log = federation.members[ALPHA].log
    log.entries.pop(1)
    federation.members[ALPHA].records.clear()

    report = audit(federation.bundles(ALPHA))

    (one,) = report.exchanges
    assert (one.op, one.code, one.verdict) == ("", "open", Verdict.UNDETERMINED)
    assert one.at_ms > 0


def test_an_answer_alone_shows_its_code() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    files = federation.export(ALPHA)
    without_proofs(federation, BETA)
    files["messages.jsonl"] = federation.export(ALPHA)["messages.jsonl"]

    (one,) = audit_files(alpha=files).exchanges

    assert one.code == "200"


def test_a_refusal_in_passing_of_which_no_copy_is_kept_leaves_the_exchange_proven() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    federation.decide(asked, code="quota", use=0, keep=False)
    federation.decide(asked, code="held", use=0)
    federation.receive(asked)
    envelope = replace(asked.envelope, exp=asked.envelope.exp - 1)
    env = seal_envelope(envelope, key=federation.members[ALPHA].key)
    other = Asked(request=replace(asked.request, env=env), envelope=envelope)
    federation.decide(other, code="replay-mismatch", use=0, keep=False)

    report = audit(federation.bundles())

    assert codes(report) == codes(report, UNKNOWN) == set()
    passing = [line for line in report.exchanges[0].evidence if line.code == "refused-in-passing"]
    assert len(passing) == 2


def test_a_refusal_in_passing_alone_is_undetermined() -> None:
    federation, _ = make_pair()
    federation.decide(put(federation), code="quota", use=0, keep=False)

    report = audit(federation.bundles())

    assert codes(report, UNKNOWN) == {"answer-absent", "response-missing"}
    assert report.exchanges[0].code == "quota"


def test_a_refusal_in_passing_that_counts_a_use_is_contradicted() -> None:
    federation, consent = make_pair()
    asked = put(federation)
    federation.decide(asked, code="quota", use=1, keep=False)
    federation.decide(asked, code="held", use=0)
    federation.receive(asked)

    assert "use-miscounted" in codes(audit(federation.bundles()))
    assert consent


def test_a_message_decided_twice_is_contradicted() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    federation.decide(asked, code="held", use=0, keep=False)
    federation.decide(asked, code="held", use=0)
    federation.receive(asked)

    assert codes(audit(federation.bundles())) == {"exchange-repeated"}


def test_a_request_logged_twice_is_contradicted() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    log = federation.members[ALPHA].log
    log.append(log.entries[1])

    assert codes(audit(federation.bundles())) == {"request-repeated", "counter-repeated"}


def test_an_arrival_logged_twice_is_contradicted() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    log = federation.members[ALPHA].log
    log.append(log.entries[2])

    assert codes(audit(federation.bundles())) == {"response-repeated"}


# --- entries that say something else than the messages


def rewrite_request(federation: Federation, **values: object) -> None:
    log = federation.members[ALPHA].log
    entry = parse_entry(log.entries[1])
    assert isinstance(entry, RequestEntry)
    log.entries[1] = format_entry(replace(entry, **values))  # type: ignore[arg-type]  # any field in turn


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", 7), ("op", "poll"), ("msg", sha256(b"x")), ("consents", ())],
)
def test_a_request_entry_that_contradicts_its_message_is_named(name: str, value: object) -> None:
    federation, consent = make_pair()
    asked = federation.request(
        ALPHA, BETA, op="query", body=query_body(consent), purpose="P1", consents=(consent,)
    )
    rewrite_request(federation, **{name: value})
    record = federation.members[ALPHA].records[0]
    record.request = replace(record.request, inclusion=federation.members[ALPHA].log.prove(1))
    asked.request = record.request
    federation.decide(asked, code="no-answer", use=1)
    federation.receive(asked)

    report = audit(federation.bundles())

    named = [line.text for line in report.exchanges[0].evidence if line.code == "entry-mismatch"]
    assert any(text.endswith(f"in {name}") for text in named)
    assert ("bad-inclusion" in codes(report)) is (name == "msg")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("peer_n", 7),
        ("n", 7),
        ("op", "poll"),
        ("code", "no-answer"),
        ("consents", (sha256(b"x"),)),
        ("head", LogHead(size=1, root=sha256(b"x"))),
    ],
)
def test_a_decision_that_contradicts_its_messages_is_named(name: str, value: object) -> None:
    federation, _ = make_pair()
    asked = put(federation)

    def change(entry: ExchangeEntry) -> ExchangeEntry:
        return replace(entry, **{name: value})  # type: ignore[arg-type]  # any field in turn

    federation.decide(asked, code="held", use=0, change=change)
    federation.receive(asked)

    report = audit(federation.bundles())

    named = [line.text for line in report.exchanges[0].evidence if line.code == "entry-mismatch"]
    assert [text.rpartition(" in ")[2] for text in named] == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("peer_n", 7),
        ("msg", sha256(b"x")),
        ("ans", sha256(b"x")),
        ("code", "schema"),
        ("head", LogHead(size=1, root=sha256(b"x"))),
    ],
)
def test_an_arrival_that_contradicts_the_messages_is_named(name: str, value: object) -> None:
    federation, _ = make_pair()
    asked = put(federation)
    federation.decide(asked, code="held", use=0)

    def change(entry: ResponseEntry) -> ResponseEntry:
        return replace(entry, **{name: value})  # type: ignore[arg-type]  # any field in turn

    federation.receive(asked, change=change)

    report = audit(federation.bundles())

    named = [line.text for line in report.exchanges[0].evidence if line.code == "entry-mismatch"]
    assert [text.rpartition(" in ")[2] for text in named] == [name]


def test_a_proof_of_another_entry_does_not_prove_the_message() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    federation.ask(ALPHA, BETA, consent)
    first, second = federation.members[ALPHA].records
    first.request = replace(first.request, inclusion=second.request.inclusion)

    report = audit(federation.bundles())

    assert codes(report) == {"bad-inclusion"}


def test_a_proof_of_a_genesis_entry_does_not_prove_a_message() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    record = federation.members[ALPHA].records[0]
    record.request = replace(record.request, inclusion=federation.members[ALPHA].log.prove(0))

    assert codes(audit(federation.bundles())) == {"bad-inclusion"}


def test_a_proof_that_does_not_carry_its_entry_is_refused() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    record = federation.members[ALPHA].records[0]
    lines = record.request.inclusion.split("\n")
    bare = "\n".join(line for line in lines if not line.startswith("extra "))
    record.request = replace(record.request, inclusion=bare)

    assert codes(audit(federation.bundles())) == {"bad-inclusion"}


# --- the answer and its request


def test_an_answer_bound_to_another_request_is_contradicted() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    federation.decide(
        asked,
        code="held",
        use=0,
        change_reply=lambda envelope: replace(envelope, req=sha256(b"another")),
    )
    federation.receive(asked)

    assert codes(audit(federation.bundles())) == {"req-mismatch"}


@pytest.mark.parametrize(("op", "st"), [("problem", "200"), ("answer", "schema")])
def test_an_answer_whose_operation_and_state_contradict_is_named(op: str, st: str) -> None:
    federation, _ = make_pair()
    asked = put(federation)
    code = "held" if st == "200" else st
    federation.decide(
        asked, code=code, use=0, change_reply=lambda envelope: replace(envelope, op=op, st=st)
    )
    federation.receive(asked)

    assert codes(audit(federation.bundles())) == {"state-mismatch"}


def test_a_request_answered_long_after_its_end_is_contradicted() -> None:
    federation, consent = make_pair()
    asked = federation.request(
        ALPHA, BETA, op="query", body=query_body(consent), purpose="P1", consents=(consent,)
    )
    federation.now_s += 400
    federation.decide(asked, code="full", use=1)
    federation.receive(asked)

    assert codes(audit(federation.bundles())) == {"expired"}


@pytest.mark.parametrize("late_s", [299, 300, 330])
def test_a_decision_may_wait_for_the_writer(late_s: int) -> None:
    federation, _ = make_pair()
    asked = put(federation)
    federation.now_s += late_s
    federation.decide(asked, code="held", use=0)
    federation.receive(asked)

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


def test_an_expired_request_that_was_refused_is_in_order() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    federation.now_s += 4_000
    federation.decide(asked, code="expired", use=0)
    federation.receive(asked)

    assert audit(federation.bundles()).verdict is Verdict.PROVEN


# --- what a refusal excuses


def test_a_body_that_was_refused_as_not_the_signed_one_is_in_order() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    asked.request = replace(asked.request, body=b"other")
    federation.decide(asked, code="body-mismatch", use=0)
    federation.receive(asked)

    report = audit(federation.bundles())

    assert report.verdict is Verdict.PROVEN
    assert "body-mismatch" in codes_of(report, Outcome.NOT_SHOWN)


def test_a_proof_that_was_refused_is_in_order() -> None:
    federation, _ = make_pair()
    asked = put(federation)
    true_proof = asked.request.inclusion
    asked.request = replace(asked.request, inclusion="no proof")
    federation.decide(asked, code="bad-inclusion", use=0)
    federation.receive(asked)
    federation.members[BETA].heads[ALPHA] = true_proof.partition("\n\n")[2]

    report = audit(federation.bundles())

    assert report.verdict is Verdict.PROVEN
    assert "bad-inclusion" in codes_of(report, Outcome.NOT_SHOWN)


@pytest.mark.parametrize("part", [b'"request_body":"', b'"answer_body":"'])
def test_a_body_that_is_not_the_signed_one_is_named_with_its_copy(part: bytes) -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    ours, theirs = federation.export(ALPHA), federation.export(BETA)
    position = ours["messages.jsonl"].index(part) + len(part)

    report = audit_files(alpha=flip_in(ours, "messages.jsonl", position), beta=theirs)

    assert "body-mismatch" in codes(report)
    places = {
        line.place.text
        for one in report.exchanges
        for line in one.evidence
        if line.code == "body-mismatch" and line.place is not None
    }
    assert places == {"alpha/messages.jsonl:1"}


def test_an_answer_that_another_signed_is_not_held_against_the_one_asked() -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    asked = federation.request(
        ALPHA, BETA, op="query", body=query_body(consent), purpose="P1", consents=(consent,)
    )
    alpha = federation.members[ALPHA]
    envelope = replace(
        asked.envelope, aud=ALPHA, op="answer", n=1, req=asked.request.msg_hash, st="200"
    )
    env = seal_envelope(envelope, key=alpha.key)
    alpha.records[-1].answer = replace(asked.request, env=env)

    report = audit(federation.bundles())

    assert "entry-missing" not in codes(report)
    assert "answer-foreign" in codes(report)
    assert all(line.code != "answer-signed" for line in report.exchanges[1].evidence)
