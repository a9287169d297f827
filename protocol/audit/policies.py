"""An auditor's own witness policy: which heads of each log it admits, and how much they prove.

It comes beside what the hub's witness has cosigned and takes nothing of that away: an auditor that
does not take the hub's word for a head asks for other witnesses here. What they leave out is open,
since nobody owes an auditor the witnesses that it chose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from protocol.audit.examining import Examiner
from protocol.audit.findings import (
    Finding,
    Outcome,
    Place,
    PolicyHead,
    PolicyLogReport,
    PolicyReport,
)
from protocol.audit.reading import ReadLog
from protocol.bundle import CHECKPOINT_FILE, HEADS_FILE, WITNESSED_FILE, Bundle
from protocol.errors import ProtocolError
from protocol.log_policy import (
    Cosigner,
    LogPolicy,
    PolicyLog,
    QuorumError,
    open_witnessed,
)
from protocol.note import format_vkey

HEADS_LISTED_MAX = 200  # of one log, the newest


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPolicy:
    """What came of asking for the policy's witnesses."""

    report: PolicyReport
    findings: tuple[Finding, ...]
    signatures: int
    covered: Mapping[str, Sequence[tuple[int, int]]]
    """By origin, when the quorum had seen how many entries."""


def judge_policy(
    policy: LogPolicy, bundles: Sequence[Bundle], reads: Sequence[ReadLog], *, examiner: Examiner
) -> JudgedPolicy:
    """Look for the policy's quorum on every head of the logs that were read."""
    notes = _gather_notes(bundles)
    judges = [_LogJudge(policy, log, notes.get(log.origin, {}), examiner=examiner) for log in reads]
    return JudgedPolicy(
        report=PolicyReport(
            quorum=policy.quorum,
            witnesses=tuple((one.name, format_vkey(one.key)) for one in policy.witnesses),
            logs=tuple(judge.report() for judge in judges),
        ),
        findings=tuple(finding for judge in judges for finding in judge.list_findings()),
        signatures=sum(judge.signatures for judge in judges),
        covered=_gather_covered(judges),
    )


def _gather_covered(judges: Iterable[_LogJudge]) -> dict[str, list[tuple[int, int]]]:
    covered: dict[str, list[tuple[int, int]]] = {}
    for judge in judges:
        covered.setdefault(judge.origin, []).extend(judge.list_covered())
    return covered


def find_quorum_time(policy: LogPolicy, cosigners: Sequence[Cosigner]) -> int | None:
    """Return when the last cosignature came that the quorum needed; None where it needs none."""
    ordered = sorted(cosigners, key=lambda one: one.at_s)
    for count in range(len(ordered) + 1):
        if policy.has_quorum(one.name for one in ordered[:count]):
            return ordered[count - 1].at_s if count else None
    return None


def _gather_notes(bundles: Sequence[Bundle]) -> dict[str, dict[str, Place]]:
    """Return every checkpoint that a bundle holds by its log's origin, each with one place."""
    notes: dict[str, dict[str, Place]] = {}
    for bundle in bundles:
        found = [(bundle.checkpoint, Place(bundle=bundle.name, file=CHECKPOINT_FILE))]
        found += [
            (one.checkpoint, Place(bundle=bundle.name, file=file, line=one.line))
            for file, records in ((WITNESSED_FILE, bundle.witnessed), (HEADS_FILE, bundle.heads))
            for one in records
        ]
        for note, place in found:
            notes.setdefault(note.partition("\n")[0], {}).setdefault(note, place)
    return notes


class _LogJudge:
    """Judges the heads of one exported log."""

    def __init__(
        self,
        policy: LogPolicy,
        log: ReadLog,
        notes: Mapping[str, Place],
        *,
        examiner: Examiner,
    ) -> None:
        """Look at every head that the log has signed."""
        self._log = log
        self._key = examiner.chain.get_log_key(log.origin)
        self._is_named = not policy.logs or any(one.key == self._key for one in policy.logs)
        self._policy = replace(policy, logs=(PolicyLog(key=self._key),))
        self._examiner = examiner
        self._met: list[PolicyHead] = []
        self._broken: list[Finding] = []
        self._seen = 0
        self.signatures = 0
        for note, place in notes.items() if self._is_named else ():
            self._take(note, place)
        self._met.sort(key=lambda one: one.size)

    @property
    def origin(self) -> str:
        """Return the log's name."""
        return self._log.origin

    def list_covered(self) -> Iterator[tuple[int, int]]:
        """Yield time and size of each head that the quorum has cosigned."""
        for head in self._met:
            if head.at_s is not None:
                yield head.at_s, head.size

    def report(self) -> PolicyLogReport:
        """Return which heads meet the policy."""
        return PolicyLogReport(
            bundle=self._log.name,
            member=self._log.member,
            origin=self._log.origin,
            seen=self._seen,
            met=len(self._met),
            heads=tuple(self._met[-HEADS_LISTED_MAX:]),
        )

    def list_findings(self) -> Iterator[Finding]:
        """Yield how much of the log is proven under the policy, and cosignatures that are none."""
        yield from self._broken
        log, place = self._log, Place(bundle=self._log.name, file=CHECKPOINT_FILE)
        if not self._is_named:
            text = f"the policy given does not name the key of the log {log.origin}"
            yield Finding(outcome=Outcome.UNKNOWN, code="policy-log", text=text, place=place)
        elif not self._met:
            text = (
                f"none of the {self._seen} heads of {log.origin} that are here is cosigned as the "
                f"policy given asks for: nothing of its {log.size} entries is proven by it"
            )
            yield Finding(outcome=Outcome.UNKNOWN, code="policy-unmet", text=text, place=place)
        else:
            newest = self._met[-1]
            is_whole = newest.size >= log.size
            text = (
                f"{len(self._met)} of the {self._seen} heads of {log.origin} that are here meet "
                f"the policy given; the newest of them holds {newest.size} of {log.size} entries"
            )
            yield Finding(
                outcome=Outcome.HOLDS if is_whole else Outcome.UNKNOWN,
                code="policy-met" if is_whole else "policy-short",
                text=text,
                place=newest.place,
            )

    def _take(self, note: str, place: Place) -> None:
        tree = self._log.tree
        try:
            head = self._examiner.open_head(note, member=self._log.member)
        except ProtocolError:
            return  # That the log has not signed it is said where it stands.
        if head.size > tree.size or tree.root(head.size) != head.root:
            return  # It is of no entries that are here, which is said with the log's heads.
        self._seen += 1
        try:
            witnessed = open_witnessed(note, policy=self._policy)
        except QuorumError:
            return
        except ProtocolError as err:  # The log's signature holds: it is a witness's that does not.
            text = f"a cosignature of a witness of the policy given does not hold: {err.detail}"
            self._broken.append(
                Finding(
                    outcome=Outcome.FAILS,
                    code="policy-cosignature",
                    text=text,
                    place=place,
                    exhibits=(note,),
                )
            )
            return
        self.signatures += len(witnessed.cosigners)
        self._met.append(
            PolicyHead(
                size=head.size,
                root=head.root,
                at_s=find_quorum_time(self._policy, witnessed.cosigners),
                cosigners=tuple(one.name for one in witnessed.cosigners),
                place=place,
            )
        )
