"""Two ratings of each customer beside each other: of two runs, or as they held on two days.

It is counted and listed in the store: a portfolio of a hundred thousand is never in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    case,
    column,
    func,
    or_,
    select,
    tuple_,
    values,
)

from node.assessment.policy import PolicyReference
from node.assessment.tables import assessment
from node.rating.rules_movement import Change, Standing
from node.rating.tables import rating
from node.records.tables import customer

if TYPE_CHECKING:
    from sqlalchemy import Connection, FromClause, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Which ratings are meant: those of a run, or those that held on a day.

    ``overridden`` are the grades that persons had given on the day, by rating; a run gives its own.
    """

    run_id: int | None = None
    day: date | None = None
    overridden: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What is compared; ``with_peers`` chooses the grade with what peers said, or that without."""

    before: Side
    after: Side
    with_peers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedCustomer:
    """A customer with what it had before and has after; a score is in tenths of a point."""

    customer_id: int
    subject_id: str
    name: str
    change: Change
    score_before_deci: int | None
    score_after_deci: int | None
    reason_before: str | None
    reason_after: str | None
    policy_before: PolicyReference | None
    policy_after: PolicyReference | None


class MovementStore:
    """Reads on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count_changes(self, sides: Sides) -> list[tuple[Change, int]]:
        """Return how many customers have changed in which way; nobody without any rating."""
        joined = self._join(sides)
        key = joined.key
        rows = self._connection.execute(
            select(*key, func.count())
            .select_from(joined.source)
            .where(joined.has_any)
            .group_by(*key)
        )
        return [(_change(row), int(tuple(row)[-1])) for row in rows]

    def list_customers(
        self, sides: Sides, changes: Collection[Change], *, after_id: int, limit: int
    ) -> list[MovedCustomer]:
        """Return a page of the customers that have changed in one of some ways, by their keys."""
        if not changes:
            return []
        joined = self._join(sides)
        wanted = [
            (
                one.before.grade,
                one.before.scale_sha256_b64u,
                one.after.grade,
                one.after.scale_sha256_b64u,
                int(one.has_same_reason),
            )
            for one in changes
        ]
        rows = self._connection.execute(
            select(*joined.key, customer.c.id, customer.c.scheme, customer.c.value, customer.c.name)
            .add_columns(*joined.values)
            .select_from(joined.source)
            .where(joined.has_any, customer.c.id > after_id, tuple_(*joined.key).in_(wanted))
            .order_by(customer.c.id)
            .limit(limit)
        )
        return [_moved(row) for row in rows]

    def _join(self, sides: Sides) -> _Joined:
        before, after = rating.alias("before"), rating.alias("after")
        was, now = assessment.alias("was"), assessment.alias("now")
        grade = "grade_with_peers" if sides.with_peers else "grade_own"
        score = "score_with_peers_deci" if sides.with_peers else "score_own_deci"
        behind = "assessment_id" if sides.with_peers else "own_assessment_id"
        source = (
            customer.outerjoin(before, _is_of(before, sides.before))
            .outerjoin(after, _is_of(after, sides.after))
            .outerjoin(was, was.c.id == before.c[behind])
            .outerjoin(now, now.c.id == after.c[behind])
        )
        given: list[ColumnElement[str]] = []
        for one, side, name in (
            (before, sides.before, "given_before"),
            (after, sides.after, "given_after"),
        ):
            if not side.overridden:
                given.append(one.c[grade])
                continue
            held = (
                values(column("rating_id", Integer), column("grade", String), name=name)
                .data(list(side.overridden.items()))
                .cte(name)
            )
            source = source.outerjoin(held, held.c.rating_id == one.c.id)
            given.append(func.coalesce(held.c.grade, one.c[grade]))
        reasons = self._first_word(was.c.reasons), self._first_word(now.c.reasons)
        # A missing rating has an empty grade: a comparison with nothing would be nothing.
        key: tuple[ColumnElement[Any], ...] = (
            func.coalesce(given[0], "").label("grade_before"),
            func.coalesce(before.c.scale_sha256_b64u, "").label("scale_before"),
            func.coalesce(given[1], "").label("grade_after"),
            func.coalesce(after.c.scale_sha256_b64u, "").label("scale_after"),
            _as_number(func.coalesce(reasons[0], "") == func.coalesce(reasons[1], "")),
        )
        return _Joined(
            source=source,
            key=key,
            has_any=or_(before.c.id.is_not(None), after.c.id.is_not(None)),
            values=(
                before.c[score].label("score_before"),
                after.c[score].label("score_after"),
                reasons[0].label("reason_before"),
                reasons[1].label("reason_after"),
                *(
                    one.c[name].label(f"{name}_{side}")
                    for one, side in ((was, "before"), (now, "after"))
                    for name in ("policy_id", "policy_version", "policy_sha256_b64u")
                ),
            ),
        )

    def _first_word(self, words: ColumnElement[str]) -> ColumnElement[str]:
        ended = words + " "
        find = func.instr if self._connection.dialect.name == "sqlite" else func.strpos
        return func.substr(ended, 1, find(ended, " ") - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joined:
    """Customers with both ratings; ``key`` is what the ways of changing differ in."""

    source: FromClause
    key: tuple[ColumnElement[Any], ...]
    has_any: ColumnElement[bool]
    values: tuple[ColumnElement[Any], ...]


def _is_of(one: FromClause, side: Side) -> ColumnElement[bool]:
    if side.day is None:
        return and_(one.c.run_id == side.run_id, one.c.customer_id == customer.c.id)
    newest = (
        select(rating.c.id)
        .where(rating.c.customer_id == customer.c.id, rating.c.as_of <= side.day)
        .order_by(rating.c.as_of.desc(), rating.c.id.desc())
        .limit(1)
        .correlate(customer)
        .scalar_subquery()
    )
    return and_(one.c.id == newest, one.c.customer_id == customer.c.id)


def _as_number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    # A server compares no truth value with a number, and SQLite has only numbers.
    return case((condition, 1), else_=0).label("has_same_reason")


def _change(row: Any) -> Change:  # noqa: ANN401  the type of a row names each of its columns
    return Change(
        before=Standing(grade=row.grade_before, scale_sha256_b64u=row.scale_before),
        after=Standing(grade=row.grade_after, scale_sha256_b64u=row.scale_after),
        has_same_reason=bool(row.has_same_reason),
    )


def _moved(row: Row[Any]) -> MovedCustomer:
    return MovedCustomer(
        customer_id=row.id,
        subject_id=f"{row.scheme}:{row.value}",
        name=row.name,
        change=_change(row),
        score_before_deci=row.score_before,
        score_after_deci=row.score_after,
        reason_before=row.reason_before or None,
        reason_after=row.reason_after or None,
        policy_before=_policy(row, "before"),
        policy_after=_policy(row, "after"),
    )


def _policy(row: Row[Any], side: str) -> PolicyReference | None:
    named = row._mapping  # noqa: SLF001  the documented name of a row's mapping
    if named[f"policy_id_{side}"] is None:
        return None
    return PolicyReference(
        policy_id=named[f"policy_id_{side}"],
        version=named[f"policy_version_{side}"],
        sha256_b64u=named[f"policy_sha256_b64u_{side}"],
    )
