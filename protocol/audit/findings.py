"""What an audit says: evidence line by line, verdicts, and the whole report. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Outcome(StrEnum):
    """What one line of evidence shows.

    ``not-shown`` is what a party may keep to itself (a body erased or redacted): it weighs nothing.
    """

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"
    NOT_SHOWN = "not-shown"


class Verdict(StrEnum):
    """On an exchange or a consent."""

    PROVEN = "proven"
    CONTRADICTED = "contradicted"
    UNDETERMINED = "undetermined"


class LogVerdict(StrEnum):
    """On a log: whether the export is the log that was signed."""

    HOLDS = "holds"
    BROKEN = "broken"


class ExitStatus(IntEnum):
    """Of the command that prints a report."""

    PROVEN = 0
    CONTRADICTED = 1
    USAGE = 2
    UNDETERMINED = 3


_EXIT_STATUSES = MappingProxyType(
    {
        Verdict.PROVEN: ExitStatus.PROVEN,
        Verdict.CONTRADICTED: ExitStatus.CONTRADICTED,
        Verdict.UNDETERMINED: ExitStatus.UNDETERMINED,
    }
)


class Place(NamedTuple):
    """Where to look: a bundle's file, its line, an index in its log."""

    bundle: str
    file: str
    line: int | None = None
    entry: int | None = None

    @property
    def text(self) -> str:
        """Return the place for people."""
        line = "" if self.line is None else f":{self.line}"
        entry = "" if self.entry is None else f" entry {self.entry}"
        return f"{self.bundle}/{self.file}{line}{entry}"

    def holds(self, entry: Place) -> bool:
        """Tell whether an entry is at this place, or in this file where no entry is named."""
        is_file = (self.bundle, self.file) == (entry.bundle, entry.file)
        return is_file and self.entry in {None, entry.entry}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One line: what was looked at, what came of it. ``code`` is stable, ``text`` for people."""

    outcome: Outcome
    code: str
    text: str
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that does not hold, or cannot be told, outside a single exchange.

    ``affects`` names exchanges by their id; ``exhibits`` are signed texts that anyone can check.
    """

    outcome: Outcome
    code: str
    text: str
    place: Place | None = None
    affects: tuple[str, ...] = ()
    exhibits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorReport:
    """The root of trust. ``given`` is false where it was taken from the bundle itself."""

    key: str
    given: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryReport:
    """The chain of snapshots that holds."""

    hub: str
    snapshots: int
    members: int
    newest_hash: str
    simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReport:
    """One exported log: entries read, and how many of them are proven by a signed head."""

    bundle: str
    member: str
    origin: str
    size: int
    root: str
    entries: int
    anchored: int
    tiles: int
    heads_equal: int
    heads_beyond: int
    cosigned_at_s: int | None
    findings: tuple[Finding, ...]
    kinds: tuple[tuple[str, int], ...] = ()
    witnessed: int = 0

    @property
    def verdict(self) -> LogVerdict:
        """Return whether the export is the signed log."""
        is_broken = any(finding.outcome is Outcome.FAILS for finding in self.findings)
        return LogVerdict.BROKEN if is_broken else LogVerdict.HOLDS


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeReport:
    """One question and its answer."""

    xid: str
    consumer: str
    provider: str
    op: str
    code: str
    at_ms: int
    uses: int
    consents: tuple[str, ...]
    evidence: tuple[Evidence, ...]

    @property
    def verdict(self) -> Verdict:
        """Return the verdict that the evidence leads to."""
        return weigh(line.outcome for line in self.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentReport:
    """One consent: what was used of it, as far as the logs here show."""

    consent: str
    consumer: str
    provider: str
    purpose: str
    uses: int
    max_uses: int
    state: str
    evidence: tuple[Evidence, ...]

    @property
    def verdict(self) -> Verdict:
        """Return the verdict that the evidence leads to."""
        return weigh(line.outcome for line in self.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The numbers that matter."""

    bundles: int
    entries: int
    exchanges: int
    uses: int
    signatures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeCounts:
    """How many exchanges there are by verdict, consumer, provider, operation and outcome.

    ``outcomes`` are those of all their lines; ``keeps_all`` is false where reports of proven
    exchanges are counted alone.
    """

    totals: Mapping[tuple[str, str, str, str, str], int]
    outcomes: frozenset[Outcome]
    keeps_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReport:
    """Something beside the exchanges, at the time that its log or its witness states.

    ``kind`` is ``start`` ``stop`` ``key`` ``anchor`` ``cosigned``, or the state that a consent came
    to.
    """

    at_ms: int
    member: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyHead:
    """A head that meets an auditor's policy.

    ``at_s`` is when the last cosignature came that the quorum needed, None where it needs none;
    ``cosigners`` are all that the policy knows, by its names.
    """

    size: int
    root: bytes
    at_s: int | None
    cosigners: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyLogReport:
    """How many heads of one log were seen, how many meet the policy, and the newest of these."""

    bundle: str
    member: str
    origin: str
    seen: int
    met: int
    heads: tuple[PolicyHead, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyReport:
    """An auditor's policy: its quorum, its witnesses as name and key, and what came of it."""

    quorum: str
    witnesses: tuple[tuple[str, str], ...]
    logs: tuple[PolicyLogReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that an audit says; without ``counted`` every exchange has its report."""

    anchor: AnchorReport | None
    registry: RegistryReport | None
    logs: tuple[LogReport, ...]
    exchanges: Sequence[ExchangeReport]
    consents: tuple[ConsentReport, ...]
    findings: tuple[Finding, ...]
    totals: Totals
    counted: ExchangeCounts | None = None
    events: tuple[EventReport, ...] = ()
    policy: PolicyReport | None = None

    @property
    def verdict(self) -> Verdict:
        """Return the worst of all verdicts."""
        outcomes = [finding.outcome for finding in self.findings]
        outcomes += [finding.outcome for log in self.logs for finding in log.findings]
        if self.counted is None:
            outcomes += [line.outcome for one in self.exchanges for line in one.evidence]
        else:
            outcomes += self.counted.outcomes
        outcomes += [line.outcome for one in self.consents for line in one.evidence]
        return weigh(outcomes)

    @property
    def exit_status(self) -> ExitStatus:
        """Return the exit status of a command that prints this."""
        return _EXIT_STATUSES[self.verdict]


def weigh(outcomes: Iterable[Outcome]) -> Verdict:
    """Return a verdict: one failure contradicts, one unknown leaves open, the rest proves."""
    seen = set(outcomes)
    if Outcome.FAILS in seen:
        return Verdict.CONTRADICTED
    if Outcome.UNKNOWN in seen:
        return Verdict.UNDETERMINED
    return Verdict.PROVEN
