"""Judges one exchange: its messages, its entries in both logs, and whether they say the same.

A refusal is judged by what it says: an expired request that was refused as expired is in order.
"""

from __future__ import annotations

from collections.abc import Sequence

from protocol.audit.copies import CopyJudge
from protocol.audit.evidence import Case, KnownEntry, Lines, SeenCopy
from protocol.audit.findings import Evidence, ExchangeReport, Outcome
from protocol.audit.key_order import is_early
from protocol.audit.world import World
from protocol.encoding import encode_b64u
from protocol.entry import Entry, ExchangeEntry, RequestEntry, ResponseEntry
from protocol.errors import ProtocolError
from protocol.exchange import check_registry_reference
from protocol.freshness import check_freshness
from protocol.limits import CLOCK_AHEAD_S_CEILING
from protocol.message import ANSWERED, Envelope
from protocol.problems import PROBLEMS, QuotaError, ReplayMismatchError

# Refusals that do not settle the message they answer; a node keeps no copy of them.
PASSING_CODES = frozenset({QuotaError.code, ReplayMismatchError.code})
ACCEPTED_CODE = "accepted"  # of a question that is answered later
ACCEPTED = "202"


class Judge:
    """Collects the lines on one case."""

    def __init__(self, case: Case, world: World) -> None:
        """Choose the entry and the copies that count."""
        self._case = case
        self._world = world
        self.lines = Lines()
        self._decided = choose_decided(case)
        self.decided = None if self._decided is None else self._decided.entry
        self._request_copy = self._choose_request()
        self._answer_copy = self._choose_answer()
        self.request = _verified(self._request_copy)
        self.answer = _verified(self._answer_copy)
        self.code = self._find_code()

    def run(self) -> None:
        """Look at everything in the order in which it happened."""
        excused = frozenset[str]() if self.decided is None else frozenset({self.decided.code})
        copies = CopyJudge(self._case, self._world, self.lines)
        for one in self._case.requests:
            copies.judge(one, what="request", excused=excused)
        for one in self._case.answers:
            copies.judge(one, what="answer", excused=frozenset())
            if one.opened.verified is not None and not self._is_own(one):
                text = "the message beside the request is no answer to it of the one asked"
                self.lines.fail("answer-foreign", text, place=one.place)
        self._judge_altered()
        self._judge_request()
        self._judge_answer()
        self._judge_asked()
        self._judge_decided()
        self._judge_received()

    def report(self, more: Sequence[Evidence] = ()) -> ExchangeReport:
        """Return the report, with its texts."""
        entry = self.decided
        consents = entry.consents if entry is not None else ()
        return ExchangeReport(
            xid=self._case.name,
            consumer=self._case.key.consumer,
            provider=self._case.key.provider,
            op=self.op,
            code=self.code,
            at_ms=self._case.at_ms,
            uses=count_uses(self._case, entry),
            consents=tuple(encode_b64u(one) for one in consents),
            evidence=(*self.lines.build(), *more),
        )

    @property
    def settled(self) -> KnownEntry[ExchangeEntry] | None:
        """Return the entry that settles the exchange."""
        return self._decided

    @property
    def op(self) -> str:
        """Return the operation asked for."""
        if self.request is not None:
            return self.request.op
        ops = [known.entry.op for known in self._case.decided]
        ops += [known.entry.op for known in self._case.asked]
        return next(iter(ops), "")

    @property
    def _is_answered(self) -> bool:
        return self.decided is not None and self.decided.code not in PROBLEMS

    def _judge_altered(self) -> None:
        for place in self._case.altered:
            text = "this entry was changed after it was signed"
            self.lines.fail("entry-altered", text, place=place)
        for place in self._case.suspect:
            text = "an entry that cannot be read any more may be one that is missing here"
            self.lines.add(Outcome.UNKNOWN, "entry-suspect", text, place=place)

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
        return _choose([one for one in self._case.answers if self._is_own(one)], wanted)

    def _is_own(self, one: SeenCopy) -> bool:
        """Tell whether an answer goes from the one asked to the asker, under the request's id."""
        envelope, key = one.opened.verified, self._case.key
        return envelope is not None and key == (envelope.aud, envelope.iss, envelope.jti)

    def _find_code(self) -> str:
        if self.decided is not None:
            return self.decided.code
        return (self.answer.st or "") if self.answer is not None else "open"

    def _judge_request(self) -> None:
        if self.request is None or self._request_copy is None:
            self._judge_absent("request")
            return
        # A refused request is judged by the time of its refusal: its own may be what was wrong.
        at_s = self.request.iat if self._is_answered else self._case.at_ms // 1000
        known = self._case.asked[0] if self._case.asked else None
        self._judge_key(self._request_copy, known, at_s=at_s, what="request")
        self._judge_not_sent(self.request, is_seen=bool(self._case.decided))
        if self._is_answered and self.decided is not None:
            self._judge_times(self.request, self.decided)
            self._judge_reference(self.request, what="request")

    def _judge_answer(self) -> None:
        if self.answer is None or self._answer_copy is None:
            if self._decided is not None:
                self._judge_absent("answer")
            return
        self._judge_key(self._answer_copy, self._decided, at_s=self.answer.iat, what="answer")
        self._judge_not_sent(self.answer, is_seen=bool(self._case.received))
        self._judge_reference(self.answer, what="answer")
        asked = {one.opened.msg for one in self._case.requests if one.opened.failure is None}
        if asked and self.answer.req not in asked:
            self.lines.fail("req-mismatch", "the answer is bound to another request")
        if (self.answer.op == "problem") == (self.answer.st in {ANSWERED, ACCEPTED}):
            text = "the answer's operation and state contradict"
            self.lines.fail("state-mismatch", text)

    def _judge_absent(self, what: str) -> None:
        key = self._case.key
        times = {key.provider: self._case.at_ms, key.consumer: self._case.at_ms}
        times |= {known.member: known.entry.at_ms for known in self._case.asked}
        chosen = [
            (member, one)
            for member, one in self._world.filters.values()
            if member in {key.consumer, key.provider}
        ]
        is_left_out = bool(chosen) and not any(
            one is None or one.admits(peer=self._peer_of(member), at_s=times[member] // 1000)
            for member, one in chosen
        )
        # What the asker's own log does not show either, the answerer alone says: a filter must not
        # turn its word into proof.
        if is_left_out and (what == "answer" or self._case.asked):
            text = "the {} is not in these bundles by their filter"
            self.lines.add(Outcome.NOT_SHOWN, f"{what}-filtered", text, what)
            return
        text = f"no copy of the {what} that verifies is here"
        self.lines.add(Outcome.UNKNOWN, f"{what}-absent", text)

    def _judge_key(
        self, one: SeenCopy, known: KnownEntry[Entry] | None, *, at_s: int, what: str
    ) -> None:
        envelope, key = one.opened.verified, one.opened.key
        signer = "" if envelope is None else envelope.iss
        if key is not None and key.reason == "compromised" and key.revoked_at is not None:
            self._judge_compromised(one, known, revoked_at_s=key.revoked_at, what=what)
        elif one.opened.is_key_valid_at(at_s):
            text = "the {} is signed by {}"
            self.lines.add(Outcome.HOLDS, f"{what}-signed", text, what, signer, place=one.place)
        else:
            text = "the {} is signed with a key that was not valid at {}"
            self.lines.fail("key-revoked", text, what, at_s, place=one.place)
        if known is not None and key is not None and known.member == signer:
            self._judge_key_order(known, kid=key.key.kid, what=what)

    def _judge_key_order(self, known: KnownEntry[Entry], *, kid: str, what: str) -> None:
        world, member = self._world, known.member
        if is_early(world, world.key_places, member=member, kid=kid, position=known.position):
            text = "the {} is signed by the key {}, which the log of {} names only later or never"
            self.lines.fail("key-unlogged", text, what, kid, member, place=known.place)

    def _judge_compromised(
        self, one: SeenCopy, known: KnownEntry[Entry] | None, *, revoked_at_s: int, what: str
    ) -> None:
        """Judge a message by the time of a cosigned head: who has the key writes any time in it."""
        proof = one.proof
        origin, index = "", -1
        if known is not None and known.anchored:
            origin, index = known.origin, known.index
        elif proof is not None and proof.failure is None:
            origin, index = proof.origin, proof.index
        covered = self._world.is_covered(origin, index, before_s=revoked_at_s)
        values = what, revoked_at_s
        if covered is None:
            text = "the key of the {} was compromised at {}, and no head cosigned before is here"
            if self._world.asked is not None:
                text += " that the witnesses of the policy given had seen by then"
            self.lines.add(Outcome.UNKNOWN, "key-compromised", text, *values, place=one.place)
        elif covered:
            text = "the {} lies below a head cosigned before its key was compromised at {}"
            self.lines.add(Outcome.HOLDS, f"{what}-signed", text, *values, place=one.place)
        else:
            text = "the {} lies below no head cosigned before its key was compromised at {}"
            self.lines.fail("key-compromised", text, *values, place=one.place)

    def _judge_not_sent(self, envelope: Envelope, *, is_seen: bool) -> None:
        known = self._world.not_sent.get((envelope.iss, envelope.aud, envelope.n))
        if known is None:
            return
        is_held = any(
            one.holder == envelope.aud
            for one in (*self._case.requests, *self._case.answers)
            if one.opened.verified == envelope
        )
        if is_seen or is_held:
            text = "{} logged that no message has its number {}, and this one has"
            self.lines.fail(
                "aborted-contradicted", text, envelope.iss, envelope.n, place=known.place
            )

    def _judge_times(self, request: Envelope, decided: ExchangeEntry) -> None:
        at_s = decided.at_ms // 1000
        try:
            # The entry is younger than the check by the time that it waited for the writer.
            now_s = min(at_s, max(request.exp - 1, at_s - CLOCK_AHEAD_S_CEILING))
            check_freshness(request, now_s=now_s, ahead_s=CLOCK_AHEAD_S_CEILING)
        except ProtocolError as err:
            self.lines.fail(err.code, "answered although the request had ended: {}", err.detail)

    def _judge_reference(self, envelope: Envelope, *, what: str) -> None:
        try:
            check_registry_reference(envelope, find_registry=self._world.chain.find_reference)
        except ProtocolError as err:
            is_beyond = envelope.reg.seq > self._world.chain.newest.seq
            outcome = Outcome.UNKNOWN if is_beyond else Outcome.FAILS
            self.lines.add(
                outcome, err.code, "the snapshot that the {} names: {}", what, err.detail
            )

    # --- the entries

    def _judge_asked(self) -> None:
        consumer = self._case.key.consumer
        for known in self._case.asked:
            self._judge_entry(known, self._compare_asked(known.entry), what="request")
        if len(self._case.asked) > 1:
            self.lines.fail("request-repeated", "{} logged this request twice", consumer)
        if not self._case.asked and self.request is not None:
            self._judge_missing(consumer, n=self.request.n, what="request that it signed")

    def _compare_asked(self, entry: RequestEntry) -> list[str]:
        wrong: list[str] = []
        if self.decided is not None and entry.msg != self.decided.msg:
            wrong.append("msg")
        request = self.request
        if request is not None and (entry.n, entry.op, entry.consents) != (
            request.n,
            request.op,
            request.consents,
        ):
            wrong += _differences(
                n=(entry.n, request.n),
                op=(entry.op, request.op),
                consents=(entry.consents, request.consents),
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
            text = "{} decided this message twice"
            self.lines.fail("exchange-repeated", text, known.member, place=known.place)
        elif entry.use:
            text = "a refusal ({}) counted a use"
            self.lines.fail("use-miscounted", text, entry.code, place=known.place)
        else:
            text = "also refused with {}; a node keeps no copy of that"
            self.lines.add(
                Outcome.NOT_SHOWN, "refused-in-passing", text, entry.code, place=known.place
            )

    def _judge_undecided(self, provider: str) -> None:
        if self.answer is not None:
            self._judge_missing(provider, n=self.answer.n, what="answer that it signed")
            return
        is_here = provider in self._world.members
        where = "its log shows no decision" if is_here else "its log is not here"
        for known in self._case.aborted:
            text = f"no answer of {{}} is known; {where}, and {{}} logged that it is {{}}"
            self.lines.add(
                Outcome.NOT_SHOWN,
                known.entry.reason,
                text,
                provider,
                known.member,
                known.entry.reason,
                place=known.place,
            )
            return
        text = f"no answer of {provider} is known; {where}"
        self.lines.add(Outcome.UNKNOWN, "request-unanswered", text)

    def _judge_received(self) -> None:
        consumer = self._case.key.consumer
        for known in self._case.received:
            self._judge_entry(known, self._compare_received(known.entry), what="arrival")
            self._judge_given_up(known)
        if len(self._case.received) > 1:
            self.lines.fail("response-repeated", "{} logged two answers", consumer)

    def _judge_given_up(self, received: KnownEntry[ResponseEntry]) -> None:
        for known in self._case.aborted:
            if received.position < known.position:
                text = "{} gave up an answer that it had logged"
                self.lines.fail("aborted-contradicted", text, known.member, place=known.place)

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

    def _judge_entry(self, known: KnownEntry[Entry], wrong: Sequence[str], *, what: str) -> None:
        values = known.index, known.member
        if wrong:
            text = "entry {} of {} contradicts the messages in {}"
            named = ", ".join(wrong)
            self.lines.fail("entry-mismatch", text, *values, named, place=known.place)
        elif not known.anchored:
            text = "no signed head that holds covers entry {} of {}"
            self.lines.add(Outcome.UNKNOWN, "entry-unanchored", text, *values, place=known.place)
        else:
            text = "the {2} is entry {0} of the log of {1}"
            self.lines.add(Outcome.HOLDS, f"{what}-logged", text, *values, what, place=known.place)

    def _judge_missing(self, member: str, *, n: int, what: str) -> None:
        """Judge a signed message that its sender's log does not show."""
        if member not in self._world.members:
            return  # The proof beside the message has been judged with it.
        if n <= self._world.last_n.get((member, self._peer_of(member)), 0):
            text = "the log of {} goes on to later numbers and lacks the {} (number {})"
            self.lines.fail("entry-missing", text, member, what, n)
        else:
            text = "the {1} (number {2}) may lie beyond the export of {0}"
            self.lines.add(Outcome.UNKNOWN, "entry-beyond", text, member, what, n)

    def _peer_of(self, member: str) -> str:
        key = self._case.key
        return key.provider if member == key.consumer else key.consumer


def choose_decided(case: Case) -> KnownEntry[ExchangeEntry] | None:
    """Return the entry that settles the exchange: the one whose answer is here, else the first."""
    if len(case.decided) == 1:
        return case.decided[0]
    answers = {one.opened.msg for one in case.answers}
    answers |= {known.entry.ans for known in case.received}
    settling = [known for known in case.decided if known.entry.ans in answers]
    settling += [known for known in case.decided if known.entry.code not in PASSING_CODES]
    return next(iter((*settling, *case.decided)), None)


def count_uses(case: Case, decided: ExchangeEntry | None) -> int:
    """Return the uses that one exchange counted: the answerer's, or the sender's of a push."""
    pushed = sum(known.entry.op == "push" for known in case.asked)
    return pushed + (0 if decided is None else decided.use)


def _choose(copies: Sequence[SeenCopy], wanted: set[bytes]) -> SeenCopy | None:
    """Return the first copy that verifies, of the messages wanted if any is."""
    for one in copies:
        if one.opened.failure is None and (not wanted or one.opened.msg in wanted):
            return one
    return None


def _verified(copy: SeenCopy | None) -> Envelope | None:
    return None if copy is None else copy.opened.verified


def _differences(**pairs: tuple[object, object]) -> list[str]:
    return [name for name, (left, right) in pairs.items() if left != right]


def _state_of(code: str) -> str:
    if code == ACCEPTED_CODE:
        return ACCEPTED
    return code if code in PROBLEMS else ANSWERED
