"""What a rule of risk has found, and the status that follows from all of them. Pure.

The most severe finding decides, and all of them are listed: nobody is told one reason of three.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class RiskStatus(StrEnum):
    """How one deals with a customer, or with one order of his; the later one is the more severe.

    ``STOP`` is set by a person and stays until a person ends it; ``NO_CHECK`` is a customer whom a
    dated rule takes out of the check, and is never the result of missing evidence.
    """

    NO_CHECK = "no-check"
    OK = "ok"
    WATCH = "watch"
    HOLD = "hold"
    STOP = "stop"

    @property
    def severity(self) -> int:
        """Return its place: a higher one wins."""
        return _SEVERITIES[self]


_SEVERITIES: Mapping[RiskStatus, int] = {one: place for place, one in enumerate(RiskStatus)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that applies: its name in the policy, what it leads to, and by which figures.

    ``values`` holds figures with their unit in the name (``exposure_minor``, ``usage_permille``,
    ``days``), so that the reason can be put into words in each language.
    """

    rule: str
    status: RiskStatus
    values: Mapping[str, int | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What stands against a customer beside its limit, and as of which day.

    ``run_id`` is the daily run that found it; None where it was judged at the moment of asking.
    """

    findings: tuple[Finding, ...] = ()
    as_of: date | None = None
    run_id: int | None = None


def find_status(findings: Sequence[Finding]) -> RiskStatus:
    """Return the most severe status of the findings; without any it is OK."""
    return max(
        (one.status for one in findings), key=lambda one: one.severity, default=RiskStatus.OK
    )
