"""What the use cases of policies share: who enters and why, and a version with its next step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.core.policies.errors import (
    PolicyChangedError,
    PolicyEntryError,
    PolicyNoneActiveError,
    PolicyNotFoundError,
)
from node.core.policies.records import PolicyEvent, PolicyRecord
from node.core.policies.rules_states import Actor, PolicyState
from node.core.policies.store import PolicyStore
from node.core.policies.tables import PERSON_CHARS_MAX, REASON_CHARS_MAX


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
