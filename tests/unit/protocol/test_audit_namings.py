"""The audit of bodies that name other messages: ack, poll, correct, erase."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from protocol.audit import preparing
from protocol.audit.findings import Outcome, Report, Verdict
from protocol.bundle import parse_bundle_files
from protocol.encoding import encode_b64u, sha256
from protocol.entry import ErasedEntry, ExchangeEntry, RequestEntry, format_entry, parse_entry
from protocol.errors import ProtocolError
from protocol.notices import parse_ack, parse_correction, parse_erasure, parse_poll
from protocol.strict_json import JsonObject, canonical_json
from tests.support.auditing import ALPHA, BETA, GAMMA, audit, codes, find_line
from tests.support.federation import NOW_S, SUBJECT, Asked, Federation, query_body
from tests.unit.protocol.test_audit_kinds import ack_body

UNKNOWN = Outcome.UNKNOWN
NOBODY = sha256(b"a message that nobody sent")
NAMING = ("poll", "correct", "erase")


@dataclass(kw_only=True)
class Story:
    """Alpha asked beta under a consent; what is told of that follows."""

    federation: Federation
    consent: bytes
    asked: Asked

    @property
    def answer(self) -> bytes:
        assert self.asked.answer is not None
        return self.asked.answer.msg_hash

    def send(self, sender: str, receiver: str, op: str, body: JsonObject | bytes) -> Asked:
        raw = body if isinstance(body, bytes) else canonical_json(body)
        consents = (self.consent,) if op in {"correct", "push"} else ()
        return self.federation.request(
            sender, receiver, op=op, body=raw, purpose="-", consents=consents
        )

    def acknowledge(self, sent: Asked, *, of: bytes | None = None, op: str = "ack") -> None:
        self.federation.decide(
            sent,
            code=sent.envelope.op,
            use=0,
            change_reply=lambda envelope: replace(envelope, op=op),
            body=ack_body(of or sent.request.msg_hash),
        )
        self.federation.receive(sent)

    def correct(
        self, *, supersedes: bytes | None = None, summary: JsonObject | None = None
    ) -> Asked:
        """Have beta take its answer back, or put another in its place."""
        body: JsonObject = {
            "v": 1,
            "kind": "correct",
            "supersedes": encode_b64u(supersedes or self.answer),
            "consent": encode_b64u(self.consent),
            "reason": "records-corrected",
        }
        if summary is not None:
            body["summary"] = summary
        return self.send(BETA, ALPHA, "correct", body)

    def log_erasure(self) -> None:
        entry = ErasedEntry(
            at_ms=NOW_S * 1000,
            xid=self.asked.envelope.jti,
            peer=BETA,
            basis="data-life",
            msgs=(self.answer,),
        )
        self.federation.members[ALPHA].log.append(format_entry(entry))
        for record in self.federation.members[ALPHA].records[:1]:
            record.answer = None  # An auditor sees beta's copy; alpha has none of the body left.

    def erase(self, *answers: bytes) -> Asked:
        """Have alpha say that bodies are gone."""
        named = [encode_b64u(one) for one in answers or (self.answer,)]
        body: JsonObject = {"v": 1, "kind": "erase", "basis": "data-life", "answers": [*named]}
        return self.send(ALPHA, BETA, "erase", body)

    def accept(self, *, consumer: str = ALPHA) -> Asked:
        """Have beta accept a question, to be answered later."""
        question = self.federation.request(
            consumer,
            BETA,
            op="query",
            body=query_body(self.consent),
            purpose="P1",
            consents=(self.consent,),
        )
        self.federation.decide(
            question,
            code="accepted",
            use=1,
            change_reply=lambda envelope: replace(envelope, st="202"),
        )
        self.federation.receive(question)
        return question

    def poll(self, question: bytes, *, consents: Sequence[bytes] | None = None) -> None:
        """Have alpha poll, and beta answer."""
        body: JsonObject = {"v": 1, "kind": "poll", "request": encode_b64u(question)}
        polled = self.send(ALPHA, BETA, "poll", body)
        names = (self.consent,) if consents is None else tuple(consents)
        self.federation.decide(
            polled,
            code="full",
            use=0,
            change=lambda entry: replace(entry, consents=names),
            change_reply=lambda envelope: replace(envelope, consents=names),
        )
        self.federation.receive(polled)

    def second_consent(self) -> bytes:
        return self.federation.consent(ALPHA, BETA, lambda one: replace(one, id="second"))

    def audit(self, *names: str) -> Report:
        return audit(self.federation.bundles(*names))


@pytest.fixture
def story() -> Story:
    federation = Federation(ALPHA, BETA, GAMMA)
    consent = federation.consent(ALPHA, BETA)
    return Story(federation=federation, consent=consent, asked=federation.ask(ALPHA, BETA, consent))


def holds(report: Report) -> set[str]:
    return {
        line.code
        for one in report.exchanges
        for line in one.evidence
        if line.outcome is Outcome.HOLDS
    }


# --- ack


def test_an_ack_names_what_was_taken(story: Story) -> None:
    story.acknowledge(story.correct())

    assert story.audit().verdict is Verdict.PROVEN


def test_an_ack_of_another_message_is_contradicted(story: Story) -> None:
    story.acknowledge(story.correct(), of=NOBODY)

    report = story.audit()

    assert codes(report) == {"ack-mismatch"}
    assert find_line(report, "ack-mismatch").text.startswith(ALPHA)


def test_what_is_told_is_acknowledged_by_an_ack_alone(story: Story) -> None:
    story.acknowledge(story.correct(), op="answer")

    assert codes(story.audit()) == {"ack-mismatch"}


def test_a_body_that_is_no_ack_is_contradicted(story: Story) -> None:
    sent = story.correct()
    story.federation.decide(
        sent,
        code="correct",
        use=0,
        change_reply=lambda envelope: replace(envelope, op="ack"),
        body=b"{}",
    )
    story.federation.receive(sent)

    assert codes(story.audit()) == {"schema"}


def test_what_was_told_and_is_not_acknowledged_stays_open(story: Story) -> None:
    story.correct()

    report = story.audit()

    assert codes(report) == set()
    assert codes(report, UNKNOWN) == {"request-unanswered"}


def test_an_ack_whose_message_is_not_here_stays_open(story: Story) -> None:
    story.acknowledge(story.correct())
    for name in (ALPHA, BETA):
        records = story.federation.members[name].records
        records[:] = [one for one in records if one.request.body.find(b"correct") < 0]

    report = story.audit()

    assert codes(report) == set()
    assert codes(report, UNKNOWN) == {"request-absent", "answer-absent"}


# --- poll


def test_a_poll_names_a_question_that_was_accepted(story: Story) -> None:
    story.poll(story.accept().request.msg_hash)

    report = story.audit()

    assert report.verdict is Verdict.PROVEN
    assert "poll-founded" in holds(report)


def test_one_side_whose_copy_is_not_the_signed_body_leaves_the_other_sides(story: Story) -> None:
    story.poll(story.accept().request.msg_hash)
    record = story.federation.members[ALPHA].records[-1]
    record.request = replace(record.request, body=b"{}")

    report = story.audit()

    assert codes(report) == {"body-mismatch"}
    assert "poll-founded" in holds(report)


def test_what_is_founded_is_counted_where_reports_are_not_kept(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "KEPT_ENTRIES_MAX", 0)
    story.poll(story.accept().request.msg_hash)

    report = story.audit()

    assert report.verdict is Verdict.PROVEN
    assert len(report.exchanges) == 0


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered-at-once", "nobodys"])
def test_an_answered_poll_for_what_was_never_accepted_is_contradicted(
    story: Story, *, is_answered: bool
) -> None:
    story.poll(story.asked.request.msg_hash if is_answered else NOBODY)

    report = story.audit()

    assert codes(report) == {"poll-unfounded"}
    assert f"the log of {BETA} has no such" in find_line(report, "poll-unfounded").text


def test_a_poll_for_a_question_that_another_asked_is_contradicted(story: Story) -> None:
    story.poll(story.accept(consumer=GAMMA).request.msg_hash)

    assert "poll-unfounded" in codes(story.audit())


def test_a_poll_answered_under_another_consent_than_its_question_is_contradicted(
    story: Story,
) -> None:
    story.poll(story.accept().request.msg_hash, consents=[story.second_consent()])

    assert codes(story.audit()) == {"poll-foreign"}


def test_a_poll_of_a_provider_whose_log_is_not_here_stays_open(story: Story) -> None:
    story.poll(NOBODY)

    report = story.audit(ALPHA)

    assert codes(report) == set()
    assert codes(report, UNKNOWN) == {"poll-open"}


def test_a_refused_poll_is_in_order(story: Story) -> None:
    body: JsonObject = {"v": 1, "kind": "poll", "request": encode_b64u(NOBODY)}
    polled = story.send(ALPHA, BETA, "poll", body)
    story.federation.decide(polled, code="poll-unknown", use=0)
    story.federation.receive(polled)

    assert story.audit().verdict is Verdict.PROVEN


# --- correct


def test_a_correction_supersedes_an_answer_that_was_sent(story: Story) -> None:
    story.acknowledge(story.correct(summary={"subject": str(SUBJECT)}))

    report = story.audit()

    assert report.verdict is Verdict.PROVEN
    assert "correct-founded" in holds(report)


def test_a_correction_of_a_correction_is_founded(story: Story) -> None:
    first = story.correct()
    story.acknowledge(first)
    story.acknowledge(story.correct(supersedes=first.request.msg_hash))

    assert story.audit().verdict is Verdict.PROVEN


def test_a_correction_of_what_was_never_told_is_contradicted(story: Story) -> None:
    story.acknowledge(story.correct(supersedes=NOBODY))

    report = story.audit()

    assert codes(report) == {"correct-unfounded"}
    assert f"the log of {BETA} has no such summary told" in (
        find_line(report, "correct-unfounded").text
    )


def test_a_correction_of_a_refusal_is_contradicted(story: Story) -> None:
    refused = story.federation.ask(ALPHA, BETA, story.consent, code="consent-paused", use=0)
    assert refused.answer is not None
    story.acknowledge(story.correct(supersedes=refused.answer.msg_hash))

    assert "correct-unfounded" in codes(story.audit())


def test_a_correction_under_another_consent_than_its_answer_is_contradicted(story: Story) -> None:
    other = story.second_consent()
    named, story.consent = story.consent, other
    story.acknowledge(story.correct())

    assert named != other
    assert codes(story.audit()) == {"correct-foreign"}


def test_a_correction_under_another_consent_than_its_envelope_is_contradicted(
    story: Story,
) -> None:
    other = story.second_consent()
    raw = canonical_json(
        {
            "v": 1,
            "kind": "correct",
            "supersedes": encode_b64u(story.answer),
            "consent": encode_b64u(story.consent),
            "reason": "records-corrected",
        }
    )
    story.consent = other
    story.acknowledge(story.send(BETA, ALPHA, "correct", raw))

    assert codes(story.audit()) == {"correct-foreign"}


def test_a_correction_with_a_summary_on_somebody_else_is_contradicted(story: Story) -> None:
    story.acknowledge(story.correct(summary={"subject": "sim:0000000000"}))

    report = story.audit()

    assert codes(report) == {"subject-mismatch"}
    assert find_line(report, "subject-mismatch").text.startswith(BETA)


def test_a_correction_that_came_before_its_answer_is_contradicted(story: Story) -> None:
    later = story.federation.request(
        ALPHA,
        BETA,
        op="query",
        body=query_body(story.consent),
        purpose="P1",
        consents=(story.consent,),
    )
    story.federation.decide(later, code="full", use=1)
    assert later.answer is not None
    sent = story.correct(supersedes=later.answer.msg_hash)
    entries = story.federation.members[BETA].log.entries
    entries[-1], entries[-2] = entries[-2], entries[-1]  # as if it had logged them so
    story.acknowledge(sent)
    story.federation.receive(later)

    assert "correct-early" in codes(story.audit())


@pytest.mark.parametrize("body", [b"{}", b"no json"])
@pytest.mark.parametrize("op", NAMING)
def test_a_body_that_is_none_of_its_operation_is_contradicted(
    story: Story, op: str, body: bytes
) -> None:
    sender, receiver = (BETA, ALPHA) if op == "correct" else (ALPHA, BETA)
    sent = story.send(sender, receiver, op, body)
    if op == "poll":
        story.federation.decide(sent, code="full", use=0)
        story.federation.receive(sent)
    else:
        story.acknowledge(sent)

    assert codes(story.audit()) & {"schema", "malformed"}


def test_a_correction_by_a_provider_whose_log_is_not_here_stays_open(story: Story) -> None:
    story.acknowledge(story.correct(supersedes=NOBODY))

    report = story.audit(ALPHA)

    assert codes(report) == set()
    assert "correct-open" in codes(report, UNKNOWN)


# --- erase


def test_an_erasure_names_answers_that_its_sender_had_erased(story: Story) -> None:
    story.log_erasure()
    story.acknowledge(story.erase())

    report = story.audit()

    assert codes(report) == set()
    assert {"erase-founded", "erasure-logged"} <= holds(report)


def test_an_erasure_of_what_was_never_answered_is_contradicted(story: Story) -> None:
    story.acknowledge(story.erase(NOBODY))

    assert codes(story.audit()) == {"erase-unfounded"}


def test_an_erasure_that_its_sender_never_logged_is_contradicted(story: Story) -> None:
    story.acknowledge(story.erase())

    report = story.audit()

    assert codes(report) == {"erase-unlogged"}
    assert find_line(report, "erase-unlogged").text.startswith(ALPHA)


def test_an_erasure_that_was_logged_after_it_was_told_is_contradicted(story: Story) -> None:
    sent = story.erase()
    story.log_erasure()
    story.acknowledge(sent)

    assert codes(story.audit()) == {"erase-unlogged"}


@pytest.mark.parametrize(("here", "expected"), [(BETA, "erasure-open"), (ALPHA, "erase-open")])
def test_an_erasure_stays_open_where_one_of_the_logs_is_not_here(
    story: Story, here: str, expected: str
) -> None:
    story.log_erasure()
    story.acknowledge(story.erase(*([NOBODY] if here == ALPHA else [])))

    report = story.audit(here)

    assert codes(report) == set()
    assert expected in codes(report, UNKNOWN)


def test_a_body_is_not_corrected_after_its_erasure_was_acknowledged(story: Story) -> None:
    story.log_erasure()
    story.acknowledge(story.erase())
    story.acknowledge(story.correct())

    report = story.audit()

    assert codes(report) == {"correct-after-erasure"}
    assert find_line(report, "correct-after-erasure").text.startswith(BETA)


def test_a_body_may_be_erased_after_it_was_corrected(story: Story) -> None:
    story.acknowledge(story.correct())
    story.log_erasure()
    story.acknowledge(story.erase())

    assert codes(story.audit()) == set()


# --- what is altered or left out decides nothing


@pytest.mark.parametrize("op", NAMING)
def test_where_an_entry_of_the_sender_is_altered_nothing_is_said_to_be_unfounded(
    story: Story, op: str
) -> None:
    match op:
        case "poll":
            story.poll(NOBODY)
        case "correct":
            story.acknowledge(story.correct(supersedes=NOBODY))
        case _:
            story.acknowledge(story.erase(NOBODY))
    files = story.federation.export(BETA)
    path = next(name for name in files if name.startswith("tile/entries/"))
    files[path] = files[path].replace(b'"use":1', b'"use":2', 1)
    report = audit([*story.federation.bundles(ALPHA), parse_bundle_files(files, name="beta")])

    assert f"{op}-unfounded" not in codes(report)
    assert f"{op}-open" in codes(report, UNKNOWN)


def test_a_redacted_body_names_nothing_and_weighs_nothing(story: Story) -> None:
    story.acknowledge(story.correct(supersedes=NOBODY))

    report = audit(story.federation.bundles(redacted=True))

    assert report.verdict is Verdict.PROVEN


# --- the rows of the table of attacks hold for what is told as for what is asked


def tell(story: Story, op: str) -> Asked:
    if op == "erase":
        story.log_erasure()
    sent = story.correct() if op == "correct" else story.erase()
    story.acknowledge(sent)
    # What follows shows that the log went on.
    story.acknowledge(story.correct() if op == "correct" else story.erase())
    return sent


@pytest.mark.parametrize("op", ["correct", "erase"])
@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_one_side_that_drops_what_was_told_is_contradicted(
    story: Story, op: str, side: str
) -> None:
    sent = tell(story, op)
    name = sent.envelope.iss if side == "sender" else sent.envelope.aud
    entries = story.federation.members[name].log.entries
    kind = RequestEntry if side == "sender" else ExchangeEntry
    (index,) = [
        number
        for number, raw in enumerate(entries)
        if isinstance(entry := parse_entry(raw), kind) and entry.xid == sent.envelope.jti
    ]
    del entries[index]

    report = story.audit()

    assert report.verdict is Verdict.CONTRADICTED
    assert codes(report) & {"fork", "entry-missing", "entry-differs"}


@pytest.mark.parametrize("op", ["correct", "erase"])
def test_one_side_that_rewrites_what_it_decided_is_contradicted(story: Story, op: str) -> None:
    sent = tell(story, op)
    entries = story.federation.members[sent.envelope.aud].log.entries
    for index, raw in enumerate(entries):
        entry = parse_entry(raw)
        if isinstance(entry, ExchangeEntry) and entry.xid == sent.envelope.jti:
            entries[index] = format_entry(replace(entry, ans=NOBODY))

    assert codes(story.audit()) & {"fork", "entry-differs", "entry-mismatch"}


# --- the bodies by themselves


@pytest.mark.parametrize(
    "parse", [parse_ack, parse_poll, parse_correction, parse_erasure], ids=lambda one: one.__name__
)
def test_a_body_of_another_kind_is_refused(parse: Callable[[bytes], object]) -> None:
    for body in (b"{}", b"[]", b'{"kind":"other","v":1}', b'{"kind":"ack","v":2}'):
        with pytest.raises(ProtocolError):
            parse(body)
