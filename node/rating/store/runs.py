"""Runs over the portfolio: begun, moved on batch by batch, ended."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from node.assessment.policy import PolicyReference
from node.core.database import is_key_of
from node.rating.rules_run import LEASE_MS, RunRecord, RunState, RunTerms
from node.rating.scale import ScaleReference
from node.rating.tables import rating, rating_run


class RunStore:
    """Reads and moves runs on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_open(self) -> RunRecord | None:
        """Return the run that has not ended."""
        return self._find(rating_run.c.open_key.is_not(None))

    def find(self, run_id: int) -> RunRecord | None:
        """Return the run with this key."""
        return self._find(rating_run.c.id == run_id) if is_key_of(rating_run.c.id, run_id) else None

    def find_finished(self, *, before: int | None = None) -> RunRecord | None:
        """Return the run that was finished last, or last before another one."""
        condition = rating_run.c.state == RunState.FINISHED
        if before is not None:
            condition &= rating_run.c.id < before
        return self._find(condition)

    def find_finished_by(self, terms: RunTerms) -> RunRecord | None:
        """Return a run of a day by a policy and a scale that is finished."""
        return self._find(
            (rating_run.c.state == RunState.FINISHED)
            & (rating_run.c.as_of == terms.as_of)
            & (rating_run.c.policy_sha256_b64u == terms.policy.sha256_b64u)
            & (rating_run.c.scale_sha256_b64u == terms.scale.sha256_b64u)
        )

    def list_newest(self, *, limit: int) -> list[RunRecord]:
        """Return the newest runs."""
        rows = self._connection.execute(
            select(rating_run).order_by(rating_run.c.id.desc()).limit(limit)
        )
        return [_run(row) for row in rows]

    def begin(self, terms: RunTerms, *, by: str, lease: str, now_ms: int) -> int:
        """Begin a run and return its key."""
        run_id: int = self._connection.execute(
            insert(rating_run)
            .values(
                as_of=terms.as_of,
                policy_id=terms.policy.policy_id,
                policy_version=terms.policy.version,
                policy_sha256_b64u=terms.policy.sha256_b64u,
                scale_id=terms.scale.scale_id,
                scale_version=terms.scale.version,
                scale_sha256_b64u=terms.scale.sha256_b64u,
                started_by=by,
                started_at_ms=now_ms,
                state=RunState.RUNNING,
                open_key=1,
                lease=lease,
                lease_until_ms=now_ms + LEASE_MS,
                done_until=0,
                rated=0,
                skipped=0,
                resumed=0,
            )
            .returning(rating_run.c.id)
        ).scalar_one()
        return run_id

    def resume(self, run_id: int, *, lease: str, now_ms: int) -> None:
        """Go on with a run under a lease of one's own."""
        self._connection.execute(
            update(rating_run)
            .where(rating_run.c.id == run_id)
            .values(
                state=RunState.RUNNING,
                lease=lease,
                lease_until_ms=now_ms + LEASE_MS,
                resumed=rating_run.c.resumed + 1,
            )
        )

    def move(
        self, run_id: int, *, lease: str, done_until: int, rated: int, skipped: int, now_ms: int
    ) -> bool:
        """Count what is done and renew the lease; False where the lease is another's by now."""
        result = self._connection.execute(
            update(rating_run)
            .where(
                rating_run.c.id == run_id,
                rating_run.c.lease == lease,
                rating_run.c.done_until < done_until,
            )
            .values(
                done_until=done_until,
                rated=rating_run.c.rated + rated,
                skipped=rating_run.c.skipped + skipped,
                lease_until_ms=now_ms + LEASE_MS,
            )
        )
        return result.rowcount == 1

    def is_held(self, run_id: int, *, lease: str) -> bool:
        """Tell whether a run is still under this lease."""
        held = select(rating_run.c.id).where(rating_run.c.id == run_id, rating_run.c.lease == lease)
        return self._connection.execute(held).first() is not None

    def interrupt(self, run_id: int, *, lease: str) -> None:
        """Give the lease back, if it is still one's own."""
        self._connection.execute(
            update(rating_run)
            .where(rating_run.c.id == run_id, rating_run.c.lease == lease)
            .values(state=RunState.INTERRUPTED, lease=None, lease_until_ms=None)
        )

    def end(self, run_id: int, state: RunState, *, now_ms: int) -> None:
        """End a run, finished or abandoned."""
        self._connection.execute(
            update(rating_run)
            .where(rating_run.c.id == run_id)
            .values(state=state, open_key=None, lease=None, lease_until_ms=None, ended_at_ms=now_ms)
        )

    def count_grades(self, run_id: int) -> dict[tuple[str, str], int]:
        """Return how many customers a run gave each pair of grades, without and with peers."""
        rows = self._connection.execute(
            select(rating.c.grade_own, rating.c.grade_with_peers, func.count())
            .where(rating.c.run_id == run_id)
            .group_by(rating.c.grade_own, rating.c.grade_with_peers)
        )
        return {(own, with_peers): count for own, with_peers, count in rows}

    def _find(self, condition: Any) -> RunRecord | None:  # noqa: ANN401  a condition of any shape
        row = self._connection.execute(
            select(rating_run).where(condition).order_by(rating_run.c.id.desc()).limit(1)
        ).one_or_none()
        return None if row is None else _run(row)


def _run(row: Row[Any]) -> RunRecord:
    return RunRecord(
        run_id=row.id,
        terms=RunTerms(
            as_of=row.as_of,
            policy=PolicyReference(
                policy_id=row.policy_id,
                version=row.policy_version,
                sha256_b64u=row.policy_sha256_b64u,
            ),
            scale=ScaleReference(
                scale_id=row.scale_id,
                version=row.scale_version,
                sha256_b64u=row.scale_sha256_b64u,
            ),
        ),
        started_by=row.started_by,
        started_at_ms=row.started_at_ms,
        state=RunState(row.state),
        lease_until_ms=row.lease_until_ms,
        done_until=row.done_until,
        rated=row.rated,
        skipped=row.skipped,
        resumed=row.resumed,
        ended_at_ms=row.ended_at_ms,
    )
