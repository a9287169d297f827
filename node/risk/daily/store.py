"""SQL of the daily run: runs that move batch by batch, where customers stand, what has changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from node.core.database import ID_MAX, is_key_of
from node.rating.rules_run import LEASE_MS, RunState
from node.records.store.rows import chunk_values, is_among
from node.risk.daily.rules_change import Change, ChangeKind, Standing
from node.risk.daily.tables import risk_change, risk_run, risk_status
from node.risk.rules.judged import Found
from node.risk.rules_finding import RiskStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRunRecord:
    """A run as it is kept; ``done_until`` is the key of the last customer that is done."""

    run_id: int
    as_of: date
    policy: str
    policy_sha256_b64u: str
    started_by: str
    started_at_ms: int
    state: RunState
    lease_until_ms: int | None
    done_until: int
    judged: int
    skipped: int
    changes: int
    resumed: int
    ended_at_ms: int | None

    def state_at(self, now_ms: int) -> RunState:
        """Return the state as it is: nobody works any more on one whose lease is over."""
        is_held = self.lease_until_ms is not None and self.lease_until_ms > now_ms
        if self.state is RunState.RUNNING and not is_held:
            return RunState.INTERRUPTED
        return self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """Where a customer stands, as the last run that found something new of it has said."""

    customer_id: int
    standing: Standing
    points_milli: int
    points_own_milli: int
    found_json: str
    policy: str
    policy_sha256_b64u: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """A change with its place in the list."""

    change_id: int
    run_id: int
    change: Change


_BEHIND = (  # made once: each order check asks
    select(risk_run)
    .where(
        risk_run.c.as_of == bindparam("as_of"),
        risk_run.c.policy_sha256_b64u == bindparam("policy_sha256_b64u"),
        risk_run.c.done_until >= bindparam("customer_id"),
    )
    .order_by(risk_run.c.id.desc())
    .limit(1)
)


class DailyStore:
    """Reads and writes on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_open(self) -> RiskRunRecord | None:
        """Return the run that has not ended."""
        return self._find(risk_run.c.open_key.is_not(None))

    def find(self, run_id: int) -> RiskRunRecord | None:
        """Return the run with this key."""
        return self._find(risk_run.c.id == run_id) if is_key_of(risk_run.c.id, run_id) else None

    def find_finished(self) -> RiskRunRecord | None:
        """Return the run that was finished last."""
        return self._find(risk_run.c.state == RunState.FINISHED.value)

    def find_behind(
        self, customer_id: int, *, as_of: date, policy_sha256_b64u: str
    ) -> RiskRunRecord | None:
        """Return the newest run as of a day by a policy that has judged a customer."""
        row = self._connection.execute(
            _BEHIND,
            {"customer_id": customer_id, "as_of": as_of, "policy_sha256_b64u": policy_sha256_b64u},
        ).one_or_none()
        return None if row is None else _run(row)

    def find_newest_day(self) -> date | None:
        """Return the latest day as of which customers were judged; None before the first run."""
        found: date | None = self._connection.execute(select(func.max(risk_run.c.as_of))).scalar()
        return found

    def list_newest(self, *, limit: int) -> list[RiskRunRecord]:
        """Return the newest runs."""
        rows = self._connection.execute(
            select(risk_run).order_by(risk_run.c.id.desc()).limit(limit)
        )
        return [_run(row) for row in rows]

    def begin(
        self,
        *,
        as_of: date,
        policy: str,
        policy_sha256_b64u: str,
        by: str,
        lease: str,
        now_ms: int,
    ) -> int:
        """Begin a run and return its key."""
        run_id: int = self._connection.execute(
            insert(risk_run)
            .values(
                as_of=as_of,
                policy=policy,
                policy_sha256_b64u=policy_sha256_b64u,
                started_by=by,
                started_at_ms=now_ms,
                state=RunState.RUNNING.value,
                open_key=1,
                lease=lease,
                lease_until_ms=now_ms + LEASE_MS,
                done_until=0,
                judged=0,
                skipped=0,
                changes=0,
                resumed=0,
            )
            .returning(risk_run.c.id)
        ).scalar_one()
        return run_id

    def resume(self, run_id: int, *, lease: str, now_ms: int) -> None:
        """Go on with a run under a lease of one's own."""
        self._connection.execute(
            update(risk_run)
            .where(risk_run.c.id == run_id)
            .values(
                state=RunState.RUNNING.value,
                lease=lease,
                lease_until_ms=now_ms + LEASE_MS,
                resumed=risk_run.c.resumed + 1,
            )
        )

    def move(
        self,
        run_id: int,
        *,
        lease: str,
        done_until: int,
        judged: int,
        skipped: int,
        changes: int,
        now_ms: int,
    ) -> bool:
        """Count what is done and renew the lease; False where the lease is another's by now."""
        moved = self._connection.execute(
            update(risk_run)
            .where(
                risk_run.c.id == run_id,
                risk_run.c.lease == lease,
                risk_run.c.done_until <= done_until,
            )
            .values(
                done_until=done_until,
                judged=risk_run.c.judged + judged,
                skipped=risk_run.c.skipped + skipped,
                changes=risk_run.c.changes + changes,
                lease_until_ms=now_ms + LEASE_MS,
            )
        )
        return moved.rowcount == 1

    def interrupt(self, run_id: int, *, lease: str) -> None:
        """Give the lease back, if it is still one's own."""
        self._connection.execute(
            update(risk_run)
            .where(risk_run.c.id == run_id, risk_run.c.lease == lease)
            .values(state=RunState.INTERRUPTED.value, lease=None, lease_until_ms=None)
        )

    def end(self, run_id: int, state: RunState, *, now_ms: int) -> None:
        """End a run, finished or abandoned."""
        self._connection.execute(
            update(risk_run)
            .where(risk_run.c.id == run_id)
            .values(
                state=state.value,
                open_key=None,
                lease=None,
                lease_until_ms=None,
                ended_at_ms=now_ms,
            )
        )

    def list_statuses(self, customer_ids: Sequence[int]) -> dict[int, StatusRow]:
        """Return where some customers stand; who has no row has had nothing found."""
        found: dict[int, StatusRow] = {}
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(risk_status).where(is_among(risk_status.c.customer_id, part))
            )
            found |= {row.customer_id: _status(row) for row in rows}
        return found

    def count_statuses(self, *, with_peers: bool) -> dict[RiskStatus, int]:
        """Return how many customers stand where, of those of whom anything was ever found."""
        column = risk_status.c.status if with_peers else risk_status.c.status_own
        rows = self._connection.execute(select(column, func.count()).group_by(column))
        return {RiskStatus(status): count for status, count in rows}

    def keep_statuses(self, rows: Sequence[StatusRow], *, run_id: int) -> None:
        """Keep where customers stand instead of what was kept of them."""
        if not rows:
            return
        for part in chunk_values([one.customer_id for one in rows]):
            self._connection.execute(
                delete(risk_status).where(is_among(risk_status.c.customer_id, part))
            )
        self._connection.execute(
            insert(risk_status),
            [
                {
                    "customer_id": one.customer_id,
                    "status": one.standing.status.value,
                    "status_own": one.standing.status_own.value,
                    "points_milli": one.points_milli,
                    "points_own_milli": one.points_own_milli,
                    "found_json": one.found_json,
                    "policy": one.policy,
                    "policy_sha256_b64u": one.policy_sha256_b64u,
                    "run_id": run_id,
                }
                for one in rows
            ],
        )

    def append_changes(self, changes: Sequence[Change], *, run_id: int) -> None:
        """Append what a run has changed."""
        if changes:
            self._connection.execute(
                insert(risk_change),
                [
                    {
                        "run_id": run_id,
                        "customer_id": one.customer_id,
                        "kind": one.kind.value,
                        "cause": one.cause,
                        "before": one.before,
                        "after": one.after,
                        "is_of_peers": one.is_of_peers,
                    }
                    for one in changes
                ],
            )

    def list_changes(
        self,
        *,
        run_id: int | None = None,
        customer_id: int | None = None,
        shows_peers: bool,
        after: int,
        limit: int,
    ) -> list[ChangeRow]:
        """Return what runs have changed, in its order."""
        query = (
            select(risk_change)
            .where(risk_change.c.id > min(after, ID_MAX))
            .order_by(risk_change.c.id)
            .limit(limit)
        )
        if run_id is not None:
            query = query.where(risk_change.c.run_id == run_id)
        if customer_id is not None:
            query = query.where(risk_change.c.customer_id == customer_id)
        if not shows_peers:
            query = query.where(~risk_change.c.is_of_peers)
        return [
            ChangeRow(
                change_id=row.id,
                run_id=row.run_id,
                change=Change(
                    customer_id=row.customer_id,
                    kind=ChangeKind(row.kind),
                    cause=row.cause,
                    before=row.before,
                    after=row.after,
                    is_of_peers=row.is_of_peers,
                ),
            )
            for row in self._connection.execute(query)
        ]

    def _find(self, condition: Any) -> RiskRunRecord | None:  # noqa: ANN401  of any shape
        row = self._connection.execute(
            select(risk_run).where(condition).order_by(risk_run.c.id.desc()).limit(1)
        ).one_or_none()
        return None if row is None else _run(row)


def write_found(found: Iterable[Found]) -> str:
    """Write what was found of a customer; of peers only that it was, and by which messages."""
    return json.dumps(
        [
            {
                "rule": one.finding.rule,
                "cause": one.cause,
                "status": one.finding.status.value,
                "level": one.level,
                "source": one.source.value,
                "values": dict(one.finding.values),
                "evidence": list(one.evidence),
            }
            for one in found
        ],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )


def _run(row: Row[Any]) -> RiskRunRecord:
    return RiskRunRecord(
        run_id=row.id,
        as_of=row.as_of,
        policy=row.policy,
        policy_sha256_b64u=row.policy_sha256_b64u,
        started_by=row.started_by,
        started_at_ms=row.started_at_ms,
        state=RunState(row.state),
        lease_until_ms=row.lease_until_ms,
        done_until=row.done_until,
        judged=row.judged,
        skipped=row.skipped,
        changes=row.changes,
        resumed=row.resumed,
        ended_at_ms=row.ended_at_ms,
    )


def _status(row: Row[Any]) -> StatusRow:
    return StatusRow(
        customer_id=row.customer_id,
        standing=Standing(status=RiskStatus(row.status), status_own=RiskStatus(row.status_own)),
        points_milli=row.points_milli,
        points_own_milli=row.points_own_milli,
        found_json=row.found_json,
        policy=row.policy,
        policy_sha256_b64u=row.policy_sha256_b64u,
    )
