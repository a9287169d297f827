"""What a run has changed, as it is listed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from node.risk.rules_finding import RiskStatus

NOTHING = ""


class ChangeKind(StrEnum):
    """What a run changes."""

    STATUS = "status"
    STATUS_PEERS = "status-peers"  # with what peers have said, where that makes a difference
    ALERT_OPENED = "alert-opened"
    ALERT_WORSENED = "alert-worsened"
    ALERT_REOPENED = "alert-reopened"
    ALERT_CEASED = "alert-ceased"
    WATCH_ENTERED = "watch-entered"
    WATCH_LEFT = "watch-left"
    ACTION_ESCALATED = "action-escalated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one customer; ``cause`` is why, ``before`` and ``after`` are codes."""

    customer_id: int
    kind: ChangeKind
    cause: str
    before: str = NOTHING
    after: str = NOTHING
    is_of_peers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one deals with a customer by, with and without what peers have said."""

    status: RiskStatus = RiskStatus.OK
    status_own: RiskStatus = RiskStatus.OK


def list_status_changes(
    customer_id: int, before: Standing, after: Standing, *, cause: str
) -> list[Change]:
    """Return how a customer's status has changed.

    Whoever may not see what peers have said hears of our own status alone; the other one is listed
    beside it where it is another change.
    """
    changes = []
    if before.status_own is not after.status_own:
        changes.append(
            Change(
                customer_id=customer_id,
                kind=ChangeKind.STATUS,
                cause=cause,
                before=before.status_own.value,
                after=after.status_own.value,
            )
        )
    is_same = (before.status, after.status) == (before.status_own, after.status_own)
    if before.status is not after.status and not is_same:
        changes.append(
            Change(
                customer_id=customer_id,
                kind=ChangeKind.STATUS_PEERS,
                cause=cause,
                before=before.status.value,
                after=after.status.value,
                is_of_peers=True,
            )
        )
    return changes
