"""Judges one exchange: its messages, its entries in both logs, and whether they say the same.

A refusal is judged by what it says: an expired request that was refused as expired is in order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocol.audit.anchoring import Chain
from protocol.audit.evidence import Case, KnownEntry, SeenCopy
from protocol.audit.findings import Evidence, ExchangeReport, Outcome, Place
from protocol.audit.reading import ReadLog
from protocol.encoding import encode_b64u
from protocol.entry import Entry, ExchangeEntry, RequestEntry, ResponseEntry
from protocol.errors import ProtocolError
from protocol.exchange import check_registry_reference
from protocol.freshness import check_freshness
from protocol.limits import CLOCK_AHEAD_S_CEILING
from protocol.merkle import leaf_hash
from protocol.message import ANSWERED, Envelope, check_body
from protocol.problems import PROBLEMS, QuotaError, ReplayMismatchError

# Refusals that do not settle the message they answer; a node keeps no copy of them.
PASSING_CODES = frozenset({QuotaError.code, ReplayMismatchError.code})


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the judge of every exchange needs to know of the rest.

    ``last_n`` is the highest own counter by member and peer that an exported log shows;
    ``receipts`` maps asker, answerer and answer to where it was acknowledged.
    """

    chain: Chain
    logs: Mapping[str, ReadLog]
    last_n: Mapping[tuple[str, str], int]
    receipts: Mapping[tuple[str, str, bytes], Place]


def judge_case(case: Case, *, world: World, more: Sequence[Evidence] = ()) -> ExchangeReport:
    """Return the verdict on one exchange; ``more`` are lines on receipts and consents."""
    judge = _Judge(case, world)
    judge.run()
    entry = judge.decided
    op = judge.request.op if judge.request is not None else _op_of(case)
    return ExchangeReport(
        xid=case.name,
        consumer=case.key.consumer,
        provider=case.key.provider,
        op=op,
        code=judge.code,
        at_ms=_at_ms_of(case),
        uses=entry.use if entry is not None else 0,
        consents=tuple(encode_b64u(one) for one in (entry.consents if entry is not None else ())),
        evidence=(*judge.lines, *more),
    )


class _Judge:
    """Collects the lines on one case."""

    def __init__(self, case: Case, world: World) -> None:
        self._case = case
        self._world = world
        self.lines: list[Evidence] = []
        self._decided = _choose_decided(case)
        self.decided = None if self._decided is None else self._decided.entry
        self._request_copy = self._choose_request()
        self._answer_copy = self._choose_answer()
        self.request = _verified(self._request_copy)
        self.answer = _verified(self._answer_copy)
        self.code = self._find_code()

    @property
    def _is_answered(self) -> bool:
        return self.decided is not None and self.decided.code not in PROBLEMS

    def run(self) -> None:
        """Look at everything in the order in which it happened."""
        for one in self._case.requests:
            self._judge_copy(one, what="request", excused=self._excused_codes())
        for one in self._case.answers:
            self._judge_copy(one, what="answer", excused=frozenset())
        self._judge_altered()
        self._judge_request()
        self._judge_answer()
        self._judge_asked()
        self._judge_decided()
        self._judge_received()

    def _add(self, outcome: Outcome, code: str, text: str, place: Place | None = None) -> None:
        self.lines.append(Evidence(outcome=outcome, code=code, text=text, place=place))

    # --- the copies

    def _excused_codes(self) -> frozenset[str]:
        """Return which defects of the request are what it was refused for."""
        return frozenset() if self.decided is None else frozenset({self.decided.code})

    def _judge_copy(self, one: SeenCopy, *, what: str, excused: frozenset[str]) -> None:
        failure = one.opened.failure
        envelope = one.opened.verified
        if failure is not None or envelope is None:
            detail = "" if failure is None else failure.detail
            code = "bad-signature" if failure is None else failure.code
            self._add(
                Outcome.FAILS, code, f"this copy of the {what} does not hold: {detail}", one.place
            )
            return
        self._judge_shown_body(one, envelope, what=what, excused=excused)
        proof = one.proof
        if proof is None or proof.failure is not None:
            outcome = Outcome.NOT_SHOWN if "bad-inclusion" in excused else Outcome.FAILS
            detail = "" if proof is None or proof.failure is None else proof.failure.detail
            text = f"the proof beside this copy of the {what} does not hold: {detail}"
            self._add(outcome, "bad-inclusion", text, one.place)
            return
        named = _named_message(proof.entry, what=what)
        if named != one.opened.msg:
            text = f"the proof beside this copy of the {what} is of another entry"
            self._add(Outcome.FAILS, "bad-inclusion", text, one.place)
        self._compare_with_export(one, what=what)

    def _judge_shown_body(
        self, one: SeenCopy, envelope: Envelope, *, what: str, excused: frozenset[str]
    ) -> None:
        copy = one.copy
        if copy.body is None or copy.salt is None:
            text = f"the body of this copy of the {what} is erased or redacted"
            self._add(Outcome.NOT_SHOWN, "body-absent", text, one.place)
            return
        try:
            check_body(envelope, body=copy.body, salt=copy.salt)
        except ProtocolError as err:
            outcome = Outcome.NOT_SHOWN if err.code in excused else Outcome.FAILS
            text = f"the body of this copy of the {what} is not the signed one"
            self._add(outcome, err.code, text, one.place)

    def _compare_with_export(self, one: SeenCopy, *, what: str) -> None:
        proof = one.proof
        log = None if proof is None else self._world.logs.get(proof.member)
        if proof is None or log is None or proof.index >= log.tree.size:
            return
        if leaf_hash(proof.raw) != log.tree.leaves[proof.index]:
            text = (
                f"{proof.member} signed another entry {proof.index} than it exports: the proof "
                f"beside the {what} shows it"
            )
            self._add(Outcome.FAILS, "entry-differs", text, one.place)

    def _judge_altered(self) -> None:
        for place in self._case.altered:
            text = "this entry was changed after it was signed"
            self._add(Outcome.FAILS, "entry-altered", text, place)
        for place in self._case.suspect:
            text = "an entry that cannot be read any more may be one that is missing here"
            self._add(Outcome.UNKNOWN, "entry-suspect", text, place)

    # --- the messages

    def _choose_request(self) -> SeenCopy | None:
        wanted = {known.entry.msg for known in self._case.asked}
        if self.decided is not None:
            wanted = {self.decided.msg}
        return _choose(self._case.requests, wanted)

    def _choose_answer(self) -> SeenCopy | None:
        wanted = {known.entry.ans for known in self._case.received}
        if self.decided is not None:
            wanted = {self.decided.ans}
        return _choose(self._case.answers, wanted)

    def _find_code(self) -> str:
        if self.decided is not None:
            return self.decided.code
        return (self.answer.st or "") if self.answer is not None else "open"

    def _judge_request(self) -> None:
        if self.request is None or self._request_copy is None:
            self._add(
                Outcome.UNKNOWN, "request-absent", "no copy of the request that verifies is here"
            )
            return
        key = self._case.key
        # A refused request is judged by the time of its refusal: its own may be what was wrong.
        at_s = self.request.iat if self._is_answered else _at_ms_of(self._case) // 1000
        self._judge_key(self._request_copy, at_s=at_s, what="request", signer=key.consumer)
        if self._is_answered and self.decided is not None:
            self._judge_times(self.request, self.decided)
            self._judge_reference(self.request, what="request")

    def _judge_answer(self) -> None:
        if self.answer is None or self._answer_copy is None:
            if self._decided is not None:
                self._add(
                    Outcome.UNKNOWN, "answer-absent", "no copy of the answer that verifies is here"
                )
            return
        key = self._case.key
        self._judge_key(self._answer_copy, at_s=self.answer.iat, what="answer", signer=key.provider)
        self._judge_reference(self.answer, what="answer")
        asked = {one.opened.msg for one in self._case.requests if one.opened.failure is None}
        if asked and self.answer.req not in asked:
            self._add(Outcome.FAILS, "req-mismatch", "the answer is bound to another request")
        if (self.answer.op == "problem") == (self.answer.st == ANSWERED):
            self._add(
                Outcome.FAILS, "state-mismatch", "the answer's operation and state contradict"
            )

    def _judge_key(self, one: SeenCopy, *, at_s: int, what: str, signer: str) -> None:
        if one.opened.is_key_valid_at(at_s):
            text = f"the {what} is signed by {signer}"
            self._add(Outcome.HOLDS, f"{what}-signed", text, one.place)
        else:
            text = f"the {what} is signed with a key that was not valid at {at_s}"
            self._add(Outcome.FAILS, "key-revoked", text, one.place)

    def _judge_times(self, request: Envelope, decided: ExchangeEntry) -> None:
        at_s = decided.at_ms // 1000
        try:
            # The entry is younger than the check by the time that it waited for the writer.
            now_s = min(at_s, max(request.exp - 1, at_s - CLOCK_AHEAD_S_CEILING))
            check_freshness(request, now_s=now_s, ahead_s=CLOCK_AHEAD_S_CEILING)
        except ProtocolError as err:
            self._add(
                Outcome.FAILS, err.code, f"answered although the request had ended: {err.detail}"
            )

    def _judge_reference(self, envelope: Envelope, *, what: str) -> None:
        try:
            check_registry_reference(envelope, find_registry=self._world.chain.find_reference)
        except ProtocolError as err:
            is_beyond = envelope.reg.seq > self._world.chain.newest.seq
            outcome = Outcome.UNKNOWN if is_beyond else Outcome.FAILS
            self._add(outcome, err.code, f"the snapshot that the {what} names: {err.detail}")

    # --- the entries

    def _judge_asked(self) -> None:
        consumer = self._case.key.consumer
        for known in self._case.asked:
            self._judge_entry(known, self._compare_asked(known.entry), what="request")
        if len(self._case.asked) > 1:
            self._add(Outcome.FAILS, "request-repeated", f"{consumer} logged this request twice")
        if not self._case.asked and self.request is not None:
            self._judge_missing(consumer, n=self.request.n, what="request that it signed")

    def _compare_asked(self, entry: RequestEntry) -> list[str]:
        wrong: list[str] = []
        if self.decided is not None:
            wrong += _differences(msg=(entry.msg, self.decided.msg))
        if self.request is not None:
            wrong += _differences(
                n=(entry.n, self.request.n),
                op=(entry.op, self.request.op),
                consents=(entry.consents, self.request.consents),
            )
        return wrong

    def _judge_decided(self) -> None:
        provider = self._case.key.provider
        for known in self._case.decided:
            if known is not self._decided:
                self._judge_passing(known)
        if self._decided is None or self.decided is None:
            self._judge_undecided(provider)
            return
        entry = self.decided
        wrong: list[str] = []
        if self.request is not None:
            wrong += _differences(
                peer_n=(entry.peer_n, self.request.n),
                op=(entry.op, self.request.op),
                head=(entry.head, self.request.head),
            )
        if self.answer is not None:
            wrong += _differences(
                n=(entry.n, self.answer.n),
                consents=(entry.consents, self.answer.consents),
                code=(_state_of(entry.code), self.answer.st),
            )
        self._judge_entry(self._decided, wrong, what="decision")

    def _judge_passing(self, known: KnownEntry[ExchangeEntry]) -> None:
        entry = known.entry
        if entry.code not in PASSING_CODES:
            text = f"{known.member} decided this message twice"
            self._add(Outcome.FAILS, "exchange-repeated", text, known.place)
        elif entry.use:
            text = f"a refusal ({entry.code}) counted a use"
            self._add(Outcome.FAILS, "use-miscounted", text, known.place)
        else:
            text = f"also refused with {entry.code}; a node keeps no copy of that"
            self._add(Outcome.NOT_SHOWN, "refused-in-passing", text, known.place)

    def _judge_undecided(self, provider: str) -> None:
        if self.answer is not None:
            self._judge_missing(provider, n=self.answer.n, what="answer that it signed")
            return
        where = (
            "its log shows no decision" if provider in self._world.logs else "its log is not here"
        )
        text = f"no answer of {provider} is known; {where}"
        self._add(Outcome.UNKNOWN, "request-unanswered", text)

    def _judge_received(self) -> None:
        consumer = self._case.key.consumer
        for known in self._case.received:
            self._judge_entry(known, self._compare_received(known.entry), what="arrival")
        if len(self._case.received) > 1:
            self._add(Outcome.FAILS, "response-repeated", f"{consumer} logged two answers")
        if not self._case.received and self._decided is not None:
            self._judge_not_received(self._decided.entry)

    def _compare_received(self, entry: ResponseEntry) -> list[str]:
        wrong: list[str] = []
        if self.decided is not None:
            wrong += _differences(
                ans=(entry.ans, self.decided.ans), msg=(entry.msg, self.decided.msg)
            )
        if self.answer is not None:
            wrong += _differences(
                peer_n=(entry.peer_n, self.answer.n),
                code=(entry.code, self.answer.st),
                head=(entry.head, self.answer.head),
            )
        return wrong

    def _judge_not_received(self, entry: ExchangeEntry) -> None:
        consumer = self._case.key.consumer
        key = self._case.key
        receipt = self._world.receipts.get((key.consumer, key.provider, entry.ans))
        if consumer not in self._world.logs:
            outcome, code = Outcome.NOT_SHOWN, "arrival-not-shown"
            text = f"whether the answer arrived is in the log of {consumer}, which is not here"
            if receipt is not None:
                outcome, code = Outcome.HOLDS, "acknowledged"
                text = f"{consumer} has acknowledged the answer by a signed receipt"
            self._add(outcome, code, text, receipt)
        elif receipt is not None:
            text = f"{consumer} acknowledged the answer, and its log does not have it"
            self._add(Outcome.FAILS, "response-missing", text, receipt)
        else:
            text = f"the log of {consumer} has no answer: it was sent, its arrival is not shown"
            self._add(Outcome.UNKNOWN, "response-missing", text)

    def _judge_entry(self, known: KnownEntry[Entry], wrong: Sequence[str], *, what: str) -> None:
        if wrong:
            named = ", ".join(wrong)
            text = f"entry {known.index} of {known.member} contradicts the messages in {named}"
            self._add(Outcome.FAILS, "entry-mismatch", text, known.place)
        elif not known.anchored:
            text = f"no signed head that holds covers entry {known.index} of {known.member}"
            self._add(Outcome.UNKNOWN, "entry-unanchored", text, known.place)
        else:
            text = f"the {what} is entry {known.index} of the log of {known.member}"
            self._add(Outcome.HOLDS, f"{what}-logged", text, known.place)

    def _judge_missing(self, member: str, *, n: int, what: str) -> None:
        """Judge a signed message that its sender's log does not show."""
        if member not in self._world.logs:
            return  # The proof beside the message has been judged with it.
        if n <= self._world.last_n.get((member, self._peer_of(member)), 0):
            text = f"the log of {member} goes on to later numbers and lacks the {what} (number {n})"
            self._add(Outcome.FAILS, "entry-missing", text)
        else:
            text = f"the {what} (number {n}) may lie beyond the export of {member}"
            self._add(Outcome.UNKNOWN, "entry-beyond", text)

    def _peer_of(self, member: str) -> str:
        key = self._case.key
        return key.provider if member == key.consumer else key.consumer


def _choose_decided(case: Case) -> KnownEntry[ExchangeEntry] | None:
    """Return the entry that settles the exchange: the one whose answer is here, else the first."""
    answers = {one.opened.msg for one in case.answers}
    answers |= {known.entry.ans for known in case.received}
    settling = [known for known in case.decided if known.entry.ans in answers]
    settling += [known for known in case.decided if known.entry.code not in PASSING_CODES]
    return next(iter((*settling, *case.decided)), None)


def _choose(copies: Sequence[SeenCopy], wanted: set[bytes]) -> SeenCopy | None:
    """Return the first copy that verifies, of the messages wanted if any is."""
    verified = [one for one in copies if one.opened.verified is not None]
    if wanted:
        verified = [one for one in verified if one.opened.msg in wanted]
    return next(iter(verified), None)


def _verified(copy: SeenCopy | None) -> Envelope | None:
    return None if copy is None else copy.opened.verified


def _named_message(entry: object, *, what: str) -> bytes | None:
    match entry:
        case RequestEntry() if what == "request":
            return entry.msg
        case ExchangeEntry() if what == "answer":
            return entry.ans
        case _:
            return None


def _differences(**pairs: tuple[object, object]) -> list[str]:
    return [name for name, (left, right) in pairs.items() if left != right]


def _state_of(code: str) -> str:
    return code if code in PROBLEMS else ANSWERED


def _op_of(case: Case) -> str:
    ops = [known.entry.op for known in case.decided] + [known.entry.op for known in case.asked]
    return next(iter(ops), "")


def _at_ms_of(case: Case) -> int:
    times = [known.entry.at_ms for known in case.decided]
    times += [known.entry.at_ms for known in case.asked]
    times += [known.entry.at_ms for known in case.received]
    return next(iter(times), 0)
