"""SQL of dunning runs and holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from node.core.database import is_key_of
from node.records.store.rows import chunk_values, insert_row
from node.records.store.visibility import stands
from node.risk.dunning.store.records import DunningRun, Hold
from node.risk.dunning.tables import dunning_hold, dunning_run

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection


class DunningRunStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin_run(
        self, *, as_of: date, policy: str, policy_sha256_b64u: str, by: str, at_ms: int
    ) -> int:
        """Append a run and return its key."""
        return insert_row(
            self._connection,
            dunning_run,
            as_of=as_of,
            policy_label=policy,
            policy_sha256_b64u=policy_sha256_b64u,
            state="running",
            done_until=0,
            customers=0,
            proposed=0,
            withdrawn=0,
            held=0,
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def move_run(self, run: DunningRun, **values: int) -> bool:
        """Move a run on; False where another has moved it."""
        moved = self._connection.execute(
            update(dunning_run)
            .where(
                dunning_run.c.id == run.run_id,
                dunning_run.c.state == "running",
                dunning_run.c.done_until == run.done_until,
            )
            .values(**values)
        )
        return moved.rowcount == 1

    def end_run(self, run_id: int, *, state: str, at_ms: int) -> None:
        """End a run that is under way."""
        self._connection.execute(
            update(dunning_run)
            .where(dunning_run.c.id == run_id, dunning_run.c.state == "running")
            .values(state=state, ended_at_ms=at_ms)
        )

    def find_run(self, run_id: int) -> DunningRun | None:
        """Return a run; None without one."""
        if not is_key_of(dunning_run.c.id, run_id):
            return None
        return next(iter(self._list_runs(dunning_run.c.id == run_id, limit=1)), None)

    def find_open_run(self) -> DunningRun | None:
        """Return the run that is under way or was interrupted; None without one."""
        return next(iter(self._list_runs(dunning_run.c.state == "running", limit=1)), None)

    def find_finished_run(self) -> DunningRun | None:
        """Return the newest run that came to its end; None without one."""
        return next(iter(self._list_runs(dunning_run.c.state == "finished", limit=1)), None)

    def list_runs(self, *, limit: int) -> list[DunningRun]:
        """Return the newest runs, the last one first."""
        return self._list_runs(limit=limit)

    def append_hold(
        self, *, customer_id: int, from_on: date, until_on: date, reason: str, by: str, at_ms: int
    ) -> int:
        """Append a hold and return its key."""
        return insert_row(
            self._connection,
            dunning_hold,
            customer_id=customer_id,
            from_on=from_on,
            until_on=until_on,
            reason=reason,
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def end_hold(self, hold_id: int, *, on: date, reason: str, by: str, at_ms: int) -> bool:
        """End a hold that stands; tell whether there was one."""
        if not is_key_of(dunning_hold.c.id, hold_id):
            return False
        ended = self._connection.execute(
            update(dunning_hold)
            .where(dunning_hold.c.id == hold_id, stands(None, dunning_hold))
            .values(ended_by=by, ended_at_ms=at_ms, ended_on=on, end_reason=reason)
        )
        return ended.rowcount == 1

    def find_hold(self, hold_id: int) -> Hold | None:
        """Return a hold; None without one."""
        if not is_key_of(dunning_hold.c.id, hold_id):
            return None
        return next(iter(self._list_holds(dunning_hold.c.id == hold_id)), None)

    def list_holds(
        self, customer_ids: Sequence[int] | None = None, *, on: date | None = None
    ) -> list[Hold]:
        """Return holds, of some customers or of all; of those only that hold on a day."""
        conditions: list[ColumnElement[bool]] = []
        if on is not None:
            conditions += [
                dunning_hold.c.from_on <= on,
                dunning_hold.c.until_on >= on,
                or_(dunning_hold.c.ended_on.is_(None), dunning_hold.c.ended_on > on),
            ]
        if customer_ids is None:
            return self._list_holds(*conditions)
        return [
            one
            for part in chunk_values(customer_ids)
            for one in self._list_holds(dunning_hold.c.customer_id.in_(part), *conditions)
        ]

    def _list_holds(self, *conditions: ColumnElement[bool]) -> list[Hold]:
        rows = self._connection.execute(
            select(dunning_hold).where(*conditions).order_by(dunning_hold.c.id)
        )
        return [
            Hold(
                hold_id=row.id,
                customer_id=row.customer_id,
                from_on=row.from_on,
                until_on=row.until_on,
                reason=row.reason,
                entered_by=row.entered_by,
                entered_at_ms=row.entered_at_ms,
                ended_by=row.ended_by,
                ended_on=row.ended_on,
                end_reason=row.end_reason,
            )
            for row in rows
        ]

    def _list_runs(self, *conditions: ColumnElement[bool], limit: int) -> list[DunningRun]:
        rows = self._connection.execute(
            select(dunning_run).where(*conditions).order_by(dunning_run.c.id.desc()).limit(limit)
        )
        return [
            DunningRun(
                run_id=row.id,
                as_of=row.as_of,
                policy=row.policy_label,
                policy_sha256_b64u=row.policy_sha256_b64u,
                state=row.state,
                done_until=row.done_until,
                customers=row.customers,
                proposed=row.proposed,
                withdrawn=row.withdrawn,
                held=row.held,
                entered_by=row.entered_by,
                entered_at_ms=row.entered_at_ms,
                ended_at_ms=row.ended_at_ms,
            )
            for row in rows
        ]
