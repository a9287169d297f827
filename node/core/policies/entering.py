"""What the use cases of policies share: who enters and why, and a version with its next step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from node.core.policies.errors import (
    PolicyChangedError,
    PolicyEntryError,
    PolicyNoneActiveError,
    PolicyNotFoundError,
    PolicyNotPreviewedError,
    PolicyPlannedError,
)
from node.core.policies.kinds import PolicyKind
from node.core.policies.records import PolicyEvent, PolicyRecord
from node.core.policies.rules_states import Actor, PolicyState
from node.core.policies.store import PolicyStore
from node.core.policies.tables import PERSON_CHARS_MAX, REASON_CHARS_MAX

PREVIEW_DAYS_MAX = 31  # how old the day may be as of which the portfolio was looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Who takes a step, and why."""

    actor: Actor
    reason: str


def check_entry(entry: Entry) -> None:
    """Check that who and why can be kept and shown.

    Raises:
        PolicyEntryError: One is empty, too long or not printable.
    """
    for text, chars_max in ((entry.actor.name, PERSON_CHARS_MAX), (entry.reason, REASON_CHARS_MAX)):
        if not text.strip() or len(text) > chars_max or not text.isprintable():
            raise PolicyEntryError(f"who and why: 1 to {chars_max} printable characters each")


def check_seen(record: PolicyRecord, sha256_b64u: str) -> None:
    """Check that a person has seen the text that counts.

    Raises:
        PolicyChangedError: It is another one.
    """
    if record.text.sha256_b64u != sha256_b64u:
        raise PolicyChangedError(f"{record.name.label} is another text than was seen: look again")


def get_record(store: PolicyStore, version_id: int) -> PolicyRecord:
    """Return a version.

    Raises:
        PolicyNotFoundError: There is none with this key.
    """
    record = store.find(version_id)
    if record is None:
        raise PolicyNotFoundError(f"there is no version {version_id}")
    return record


def get_active(store: PolicyStore, kind: str) -> PolicyRecord:
    """Return the version of a kind that is active.

    Raises:
        PolicyNoneActiveError: None is.
    """
    version_id = store.find_active_id(kind)
    if version_id is None:
        raise PolicyNoneActiveError(f"no {kind} is active")
    return get_record(store, version_id)


def check_previewed(
    store: PolicyStore, kind: PolicyKind, record: PolicyRecord, former: PolicyRecord, *, today: date
) -> None:
    """Check that somebody has looked at what a version changes beside the active one.

    Raises:
        PolicyNotPreviewedError: Nobody has, as of a day of the last month.
    """
    if kind.has_preview and not store.find_preview(
        text_id=record.text.text_id,
        base_text_id=former.text.text_id,
        not_before=today - timedelta(days=PREVIEW_DAYS_MAX),
    ):
        raise PolicyNotPreviewedError(
            f"look at the preview of {record.name.label} beside {former.name.label} first"
        )


def check_none_planned(store: PolicyStore, kind: str) -> None:
    """Check that no version of a kind is to become active: its preview is beside the one of now.

    Raises:
        PolicyPlannedError: One is.
    """
    planned = store.find_planned(kind)
    if planned is not None and planned.plan is not None:
        day = planned.plan.effective_from
        raise PolicyPlannedError(f"{planned.name.label} becomes active on {day}: withdraw that")


def make_active(
    store: PolicyStore, record: PolicyRecord, *, entry: Entry, at_ms: int, today: date
) -> None:
    """Make a version the active one of its kind from a day on; the other one retires."""
    former = get_active(store, record.name.kind)
    told = replace(entry, reason=f"{record.name.label} is active now")
    append_event(store, former, PolicyState.RETIRED, entry=told, at_ms=at_ms)
    append_event(store, record, PolicyState.ACTIVE, entry=entry, at_ms=at_ms, today=today)
    store.point(record.name.kind, version_id=record.version_id, text_id=record.text.text_id)


def append_event(
    store: PolicyStore,
    record: PolicyRecord,
    state: PolicyState,
    *,
    entry: Entry,
    at_ms: int,
    today: date | None = None,
) -> None:
    """Keep the next step of a version as it was read; another one in its place is refused."""
    event = PolicyEvent(
        state=state,
        text_id=record.text.text_id,
        actor=entry.actor,
        entered_at_ms=at_ms,
        reason=entry.reason,
        effective_from=today,
    )
    store.append_event(record.version_id, event, position=len(record.events))
