"""Judges the copies of an exchange's messages: signature, body, proof, against the exports."""

from __future__ import annotations

from protocol.audit.evidence import Case, Lines, SeenCopy
from protocol.audit.findings import Outcome
from protocol.audit.world import World
from protocol.entry import ExchangeEntry, RequestEntry
from protocol.errors import ProtocolError
from protocol.merkle import leaf_hash
from protocol.message import Envelope


class CopyJudge:
    """Adds lines on each copy that does not hold, or shows less than all."""

    def __init__(self, case: Case, world: World, lines: Lines) -> None:
        """Take the exchange and where its lines go."""
        self._case = case
        self._world = world
        self._lines = lines
        self._clean: set[int] = set()

    def judge(self, one: SeenCopy, *, what: str, excused: frozenset[str]) -> None:
        """Judge one copy; ``excused`` are defects for which the request was refused."""
        if id(one.copy) in self._clean:
            return  # Both sides hold the same bytes, and nothing was to be said of them.
        before = len(self._lines)
        self._judge(one, what=what, excused=excused)
        if len(self._lines) == before and not self._case.erased:
            self._clean.add(id(one.copy))

    def _judge(self, one: SeenCopy, *, what: str, excused: frozenset[str]) -> None:
        failure = one.opened.failure
        envelope = one.opened.verified
        if failure is not None or envelope is None:
            code = "bad-signature" if failure is None else failure.code
            detail = "" if failure is None else failure.detail
            text = "this copy of the {} does not hold: {}"
            self._lines.fail(code, text, what, detail, place=one.place)
            return
        self._judge_body(one, envelope, what=what, excused=excused)
        proof = one.proof
        if proof is None or proof.failure is not None:
            outcome = Outcome.NOT_SHOWN if "bad-inclusion" in excused else Outcome.FAILS
            detail = "" if proof is None or proof.failure is None else proof.failure.detail
            text = "the proof beside this copy of the {} does not hold: {}"
            self._lines.add(outcome, "bad-inclusion", text, what, detail, place=one.place)
            return
        if _named_message(proof.entry, what=what) != one.opened.msg:
            text = "the proof beside this copy of the {} is of another entry"
            self._lines.fail("bad-inclusion", text, what, place=one.place)
        self._compare_with_export(one, what=what)

    def _judge_body(
        self, one: SeenCopy, envelope: Envelope, *, what: str, excused: frozenset[str]
    ) -> None:
        copy = one.copy
        if copy.body is None or copy.salt is None:
            text = "the body of this copy of the {} is erased or redacted"
            if self._find_erasure(one) is not None:
                text = "the body of this copy of the {} is erased: the log of its holder says so"
            self._lines.add(Outcome.NOT_SHOWN, "body-absent", text, what, place=one.place)
            return
        erasure = self._find_erasure(one)
        if erasure is not None:
            text = "{} logged that it erased this body of the {}, and shows it"
            self._lines.fail("erasure-contradicted", text, one.holder, what, place=one.place)
        try:
            self._case.verify_shown_body(copy, envelope)
        except ProtocolError as err:
            outcome = Outcome.NOT_SHOWN if err.code in excused else Outcome.FAILS
            text = "the body of this copy of the {} is not the signed one"
            self._lines.add(outcome, err.code, text, what, place=one.place)

    def _find_erasure(self, one: SeenCopy) -> object | None:
        for known in self._case.erased:
            if known.member == one.holder and one.opened.msg in known.entry.msgs:
                return known
        return None

    def _compare_with_export(self, one: SeenCopy, *, what: str) -> None:
        proof = one.proof
        log = None if proof is None else self._world.logs.get(proof.origin)
        if proof is None or log is None or proof.index >= log.tree.size:
            return
        if self._is_of_export(proof.origin, proof.index, proof.raw):
            return
        if leaf_hash(proof.raw) != log.tree.leaf(proof.index):
            text = "{} signed another entry {} than it exports: the proof beside the {} shows it"
            self._lines.fail(
                "entry-differs", text, proof.member, proof.index, what, place=one.place
            )

    def _is_of_export(self, origin: str, index: int, raw: bytes) -> bool:
        return self._case.exported.get((origin, index)) == raw


def _named_message(entry: object, *, what: str) -> bytes | None:
    match entry:
        case RequestEntry() if what == "request":
            return entry.msg
        case ExchangeEntry() if what == "answer":
            return entry.ans
        case _:
            return None
