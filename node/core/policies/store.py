"""All SQL of policies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from node.core.database import is_key_of
from node.core.policies.records import (
    PolicyEvent,
    PolicyName,
    PolicyPlan,
    PolicyPreview,
    PolicyRecord,
    PolicyText,
)
from node.core.policies.rules_states import Actor, Origin, PolicyState
from node.core.policies.tables import (
    policy_active,
    policy_event,
    policy_plan,
    policy_preview,
    policy_text,
    policy_version,
)

_ACTIVE_TEXT = (  # made once: each order check asks
    select(policy_text.c.id, policy_text.c.sha256_b64u)
    .join(policy_active, policy_active.c.text_id == policy_text.c.id)
    .where(policy_active.c.kind == bindparam("kind"))
)


class PolicyStore:
    """Appends versions, texts and events, moves the pointer, and reads them back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append_version(self, name: PolicyName, *, origin: Origin, base_id: int | None) -> int:
        """Keep a version and return its key; its first text follows."""
        version_id: int = self._connection.execute(
            insert(policy_version)
            .values(
                kind=name.kind,
                policy_id=name.policy_id,
                version=name.version,
                origin=origin.value,
                base_id=base_id,
            )
            .returning(policy_version.c.id)
        ).scalar_one()
        return version_id

    def append_text(
        self,
        version_id: int,
        content: bytes,
        *,
        revision: int,
        sha256_b64u: str,
        actor: Actor,
        at_ms: int,
        reason: str,
    ) -> int:
        """Keep a text of a version and return its key."""
        text_id: int = self._connection.execute(
            insert(policy_text)
            .values(
                version_id=version_id,
                revision=revision,
                sha256_b64u=sha256_b64u,
                content=content,
                who=actor.who,
                entered_by=actor.name,
                entered_at_ms=at_ms,
                reason=reason,
            )
            .returning(policy_text.c.id)
        ).scalar_one()
        return text_id

    def append_event(self, version_id: int, event: PolicyEvent, *, position: int) -> None:
        """Keep one step of a version."""
        self._connection.execute(
            insert(policy_event).values(
                version_id=version_id,
                position=position,
                state=event.state.value,
                text_id=event.text_id,
                who=event.actor.who,
                entered_by=event.actor.name,
                entered_at_ms=event.entered_at_ms,
                reason=event.reason,
                effective_from=event.effective_from,
            )
        )

    def point(self, kind: str, *, version_id: int, text_id: int) -> None:
        """Make a text the active one of its kind, in the place of the one that was."""
        values = {"version_id": version_id, "text_id": text_id}
        moved = self._connection.execute(
            update(policy_active).where(policy_active.c.kind == kind).values(**values)
        )
        if moved.rowcount == 0:
            self._connection.execute(insert(policy_active).values(kind=kind, **values))

    def append_plan(self, record: PolicyRecord, plan: PolicyEvent) -> None:
        """Keep that a version is to become active on a day."""
        self._connection.execute(
            insert(policy_plan).values(
                kind=record.name.kind,
                version_id=record.version_id,
                text_id=plan.text_id,
                effective_from=plan.effective_from,
                who=plan.actor.who,
                entered_by=plan.actor.name,
                entered_at_ms=plan.entered_at_ms,
                reason=plan.reason,
            )
        )

    def end_plan(self, plan_id: int, *, outcome: str, by: str, reason: str, at_ms: int) -> None:
        """Keep what became of a plan."""
        self._connection.execute(
            update(policy_plan)
            .where(policy_plan.c.id == plan_id)
            .values(outcome=outcome, ended_by=by, ended_reason=reason, ended_at_ms=at_ms)
        )

    def list_planned(self, *, until: date | None = None) -> list[PolicyRecord]:
        """Return the versions that are to become active, or are until a day, in that order."""
        wanted = select(policy_plan.c.version_id).where(policy_plan.c.outcome.is_(None))
        if until is not None:
            wanted = wanted.where(policy_plan.c.effective_from <= until)
        keys = list(self._connection.execute(wanted).scalars())
        found = self._list(policy_version.c.id.in_(keys), limit=len(keys)) if keys else []
        return sorted(found, key=lambda one: _day_of(one.plan))

    def find_planned(self, kind: str) -> PolicyRecord | None:
        """Return the version of a kind that is to become active."""
        return next((one for one in self.list_planned() if one.name.kind == kind), None)

    def append_preview(
        self,
        *,
        text_id: int,
        base_text_id: int,
        as_of: date,
        actor: Actor,
        at_ms: int,
        summary_json: str,
    ) -> int:
        """Keep the summary of a preview and return its key."""
        preview_id: int = self._connection.execute(
            insert(policy_preview)
            .values(
                text_id=text_id,
                base_text_id=base_text_id,
                as_of=as_of,
                who=actor.who,
                entered_by=actor.name,
                entered_at_ms=at_ms,
                summary_json=summary_json,
            )
            .returning(policy_preview.c.id)
        ).scalar_one()
        return preview_id

    def find_preview(
        self, *, text_id: int, base_text_id: int | None = None, not_before: date | None = None
    ) -> PolicyPreview | None:
        """Return the newest preview of a text, where asked beside one base or of a later day."""
        wanted = select(policy_preview).where(policy_preview.c.text_id == text_id)
        if base_text_id is not None:
            wanted = wanted.where(policy_preview.c.base_text_id == base_text_id)
        if not_before is not None:
            wanted = wanted.where(policy_preview.c.as_of >= not_before)
        newest = wanted.order_by(policy_preview.c.id.desc()).limit(1)
        row = self._connection.execute(newest).one_or_none()
        return None if row is None else _preview(row)

    def find(self, version_id: int) -> PolicyRecord | None:
        """Return a version."""
        if not is_key_of(policy_version.c.id, version_id):
            return None
        found = self._list(policy_version.c.id == version_id, limit=1)
        return found[0] if found else None

    def find_named(self, name: PolicyName) -> PolicyRecord | None:
        """Return a version by its name."""
        condition = (
            (policy_version.c.kind == name.kind)
            & (policy_version.c.policy_id == name.policy_id)
            & (policy_version.c.version == name.version)
        )
        found = self._list(condition, limit=1)
        return found[0] if found else None

    def list_labelled(self, policy_id: str, version: int) -> list[PolicyRecord]:
        """Return the versions of an id and number: one of each kind at most."""
        condition = (policy_version.c.policy_id == policy_id) & (
            policy_version.c.version == version
        )
        return self._list(condition, limit=2)

    def list_newest(
        self, *, kind: str | None, limit: int, before: int | None = None
    ) -> list[PolicyRecord]:
        """Return a page of versions, the newest first."""
        condition = policy_version.c.id > 0 if before is None else policy_version.c.id < before
        if kind is not None:
            condition = condition & (policy_version.c.kind == kind)
        return self._list(condition, limit=limit)

    def find_newest_version(self, kind: str, policy_id: str) -> int:
        """Return the highest number of a policy; 0 where there is none."""
        return (
            self._connection.execute(
                select(func.max(policy_version.c.version)).where(
                    policy_version.c.kind == kind, policy_version.c.policy_id == policy_id
                )
            ).scalar_one()
            or 0
        )

    def find_active_id(self, kind: str) -> int | None:
        """Return the key of the version that is active."""
        return self._connection.execute(
            select(policy_active.c.version_id).where(policy_active.c.kind == kind)
        ).scalar_one_or_none()

    def find_active_text(self, kind: str) -> tuple[int, str] | None:
        """Return key and hash of the text that is active: what the engine asks each time."""
        row = self._connection.execute(_ACTIVE_TEXT, {"kind": kind}).one_or_none()
        return None if row is None else (row.id, row.sha256_b64u)

    def get_content(self, text_id: int) -> bytes:
        """Return the bytes of a text that is there."""
        content: bytes = self._connection.execute(
            select(policy_text.c.content).where(policy_text.c.id == text_id)
        ).scalar_one()
        return bytes(content)

    def find_content(self, kind: str, sha256_b64u: str) -> bytes | None:
        """Return the bytes of a kind that a hash names."""
        content = self._connection.execute(
            select(policy_text.c.content)
            .join(policy_version, policy_version.c.id == policy_text.c.version_id)
            .where(policy_version.c.kind == kind, policy_text.c.sha256_b64u == sha256_b64u)
            .limit(1)
        ).scalar_one_or_none()
        return None if content is None else bytes(content)

    def list_hashes(self, *, origin: Origin) -> frozenset[tuple[str, str]]:
        """Return kind and hash of every text of an origin."""
        rows = self._connection.execute(
            select(policy_version.c.kind, policy_text.c.sha256_b64u)
            .join(policy_text, policy_text.c.version_id == policy_version.c.id)
            .where(policy_version.c.origin == origin.value)
        )
        return frozenset((row.kind, row.sha256_b64u) for row in rows)

    def _list(self, condition: Any, *, limit: int) -> list[PolicyRecord]:  # noqa: ANN401
        rows = self._connection.execute(
            select(policy_version)
            .where(condition)
            .order_by(policy_version.c.id.desc())
            .limit(limit)
        ).all()
        keys = [row.id for row in rows]
        texts, events = self._read_texts(keys), self._read_events(keys)
        plans = self._read_plans(keys)
        return [
            PolicyRecord(
                version_id=row.id,
                name=PolicyName(kind=row.kind, policy_id=row.policy_id, version=row.version),
                origin=Origin(row.origin),
                base_id=row.base_id,
                texts=tuple(texts[row.id]),
                events=tuple(events[row.id]),
                plan=plans.get(row.id),
            )
            for row in rows
        ]

    def _read_plans(self, keys: Sequence[int]) -> dict[int, PolicyPlan]:
        rows = self._connection.execute(
            select(policy_plan).where(
                policy_plan.c.version_id.in_(keys), policy_plan.c.outcome.is_(None)
            )
        )
        return {
            row.version_id: PolicyPlan(
                plan_id=row.id,
                text_id=row.text_id,
                effective_from=row.effective_from,
                actor=Actor(who=row.who, name=row.entered_by),
                entered_at_ms=row.entered_at_ms,
                reason=row.reason,
            )
            for row in rows
        }

    def _read_texts(self, keys: Sequence[int]) -> defaultdict[int, list[PolicyText]]:
        columns = [column for column in policy_text.c if column.name != "content"]
        rows = self._connection.execute(
            select(*columns)
            .where(policy_text.c.version_id.in_(keys))
            .order_by(policy_text.c.version_id, policy_text.c.revision)
        )
        found: defaultdict[int, list[PolicyText]] = defaultdict(list)
        for row in rows:
            text = PolicyText(
                text_id=row.id,
                revision=row.revision,
                sha256_b64u=row.sha256_b64u,
                actor=Actor(who=row.who, name=row.entered_by),
                entered_at_ms=row.entered_at_ms,
                reason=row.reason,
            )
            found[row.version_id].append(text)
        return found

    def _read_events(self, keys: Sequence[int]) -> defaultdict[int, list[PolicyEvent]]:
        rows = self._connection.execute(
            select(policy_event)
            .where(policy_event.c.version_id.in_(keys))
            .order_by(policy_event.c.version_id, policy_event.c.position)
        )
        found: defaultdict[int, list[PolicyEvent]] = defaultdict(list)
        for row in rows:
            event = PolicyEvent(
                state=PolicyState(row.state),
                text_id=row.text_id,
                actor=Actor(who=row.who, name=row.entered_by),
                entered_at_ms=row.entered_at_ms,
                reason=row.reason,
                effective_from=row.effective_from,
            )
            found[row.version_id].append(event)
        return found


def _day_of(plan: PolicyPlan | None) -> date:
    return date.max if plan is None else plan.effective_from


def _preview(row: Row[Any]) -> PolicyPreview:
    return PolicyPreview(
        preview_id=row.id,
        text_id=row.text_id,
        base_text_id=row.base_text_id,
        as_of=row.as_of,
        actor=Actor(who=row.who, name=row.entered_by),
        entered_at_ms=row.entered_at_ms,
        summary_json=row.summary_json,
    )
