"""When outside evidence and credit applications have ended: from then on their term runs. Pure.

A report ends when it holds no longer, a look that found nothing on its own day, an entry in a list
when it was removed or a later look no longer finds it, an application when it was closed or
withdrawn. What has not ended has no clock. docs/operating.md, "How long records stay".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from node.assessment.application.rules_application import ApplicationState
from node.assessment.outside.rules_listing import ListCheck
from node.assessment.outside.rules_report import OutsideReport
from node.records.rules_retention import Ending, EndReason


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLook:
    """A look into a list, and whether it was withdrawn since."""

    check: ListCheck
    is_withdrawn: bool


def end_report(report: OutsideReport, *, is_withdrawn: bool, entered_at_ms: int) -> Ending:
    """Return when a report has ended, by its newest version; one without an expiry on its day."""
    if is_withdrawn:
        withdrawn_on = datetime.fromtimestamp(entered_at_ms // 1_000, UTC).date()
        return Ending(reason=EndReason.CANCELLED, ended_on=withdrawn_on)
    return Ending(reason=EndReason.LAPSED, ended_on=report.expires_on or report.issued_on)


def end_look(look: KnownLook, looks: Sequence[KnownLook]) -> Ending:
    """Return when a look into a list has ended; ``looks`` are all of the customer."""
    check = look.check
    if look.is_withdrawn:
        return Ending(reason=EndReason.CANCELLED, ended_on=check.checked_on)
    if not check.is_found:
        return Ending(reason=EndReason.LAPSED, ended_on=check.checked_on)
    if check.removed_on is not None:
        return Ending(reason=EndReason.SETTLED, ended_on=check.removed_on)
    gone = [
        one.check.removed_on or one.check.checked_on
        for one in looks
        if not one.is_withdrawn
        and one.check.list == check.list
        and one.check.checked_on > check.checked_on
        and (
            not one.check.is_found
            or (one.check.reference == check.reference and one.check.removed_on is not None)
        )
    ]
    if not gone:
        return Ending(reason=EndReason.OPEN)
    return Ending(reason=EndReason.SETTLED, ended_on=min(gone))


def end_application(state: ApplicationState, *, happened_on: date) -> Ending:
    """Return when an application has ended, by the newest of its states."""
    match state:
        case ApplicationState.CLOSED:
            return Ending(reason=EndReason.LAPSED, ended_on=happened_on)
        case ApplicationState.WITHDRAWN:
            return Ending(reason=EndReason.CANCELLED, ended_on=happened_on)
        case ApplicationState.DRAFT | ApplicationState.SUBMITTED | ApplicationState.COMPLETE:
            return Ending(reason=EndReason.OPEN)
