"""The JSON object of an audit (``protocol.report.build_object``), read back into values.

The page is made of this object alone, so that it shows what ``--json`` says and nothing else. A
member that a later version adds is passed over.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from protocol.strict_json import JsonObject

VerdictName = Literal["proven", "contradicted", "undetermined"]
OutcomeName = Literal["holds", "fails", "unknown", "not-shown"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PlacePart(_Part):
    """Where to look."""

    bundle: str
    file: str
    line: int | None = None
    entry: int | None = None

    @property
    def text(self) -> str:
        """Return file, line and entry; the bundle stands apart."""
        line = "" if self.line is None else f":{self.line}"
        entry = "" if self.entry is None else f" #{self.entry}"
        return f"{self.file}{line}{entry}"


class LinePart(_Part):
    """One line of evidence, or a finding with its exhibits."""

    outcome: OutcomeName
    code: str
    text: str
    place: PlacePart | None = None
    affects: tuple[str, ...] = ()
    exhibits: tuple[str, ...] = ()


class LogPart(_Part):
    """One exported log."""

    bundle: str
    member: str
    origin: str
    verdict: Literal["holds", "broken"]
    size: int
    root: str
    entries: int
    anchored: int
    heads_equal: int
    heads_beyond: int
    cosigned_at_s: int | None = None
    findings: tuple[LinePart, ...] = ()


class ExchangePart(_Part):
    """One question and its answer."""

    xid: str
    consumer: str
    provider: str
    op: str
    code: str
    at: int
    uses: int
    consents: tuple[str, ...] = ()
    verdict: VerdictName
    evidence: tuple[LinePart, ...] = ()


class ConsentPart(_Part):
    """One consent and what was used of it."""

    consent: str
    consumer: str
    provider: str
    purpose: str
    uses: int
    max_uses: int
    state: str
    verdict: VerdictName
    evidence: tuple[LinePart, ...] = ()


class AnchorPart(_Part):
    """The root of trust."""

    key: str
    given: bool


class RegistryPart(_Part):
    """The chain of snapshots that holds."""

    hub: str
    snapshots: int
    members: int
    newest_hash: str
    simulated: bool


class TotalsPart(_Part):
    """The numbers that matter."""

    bundles: int
    entries: int
    exchanges: int
    uses: int
    signatures: int


class EventPart(_Part):
    """Something beside the exchanges that a log tells: a start, a revocation, a key."""

    at: int
    member: str
    kind: str


class CountPart(_Part):
    """How many exchanges of one pair, operation and outcome there are with one verdict."""

    verdict: VerdictName
    consumer: str
    provider: str
    op: str
    code: str
    count: int


class ReportPart(_Part):
    """The whole report."""

    verdict: VerdictName
    exit_status: int
    totals: TotalsPart
    exchange_verdicts: dict[VerdictName, int]
    logs: tuple[LogPart, ...]
    exchanges: tuple[ExchangePart, ...]
    consents: tuple[ConsentPart, ...]
    findings: tuple[LinePart, ...]
    exchange_counts: tuple[CountPart, ...]
    exchanges_listed: str
    anchor: AnchorPart | None = None
    registry: RegistryPart | None = None
    events: tuple[EventPart, ...] = ()


def read_report(value: JsonObject) -> ReportPart:
    """Return the values of a report's object."""
    return ReportPart.model_validate(value)
