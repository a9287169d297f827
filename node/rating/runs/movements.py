"""Use cases of movements: what a run changed, and the migration matrix between any two days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from node.core.database import Database, UnitOfWork, parse_key
from node.core.errors import NotFoundError, RejectedError
from node.rating.overrides.reading import OverrideReader
from node.rating.rules_movement import (
    Change,
    Matrix,
    Movement,
    build_matrix,
    classify,
    list_symbols,
)
from node.rating.rules_run import RunRecord
from node.rating.runs.service import RunNotFoundError
from node.rating.scale import Scale, ScaleBody
from node.rating.store.movements import MovedCustomer, MovementStore, Side, Sides
from node.rating.store.runs import RunStore

CUSTOMERS_PAGE_MAX = 500
RUN_PREFIX = "run-"


class SideInvalidError(RejectedError):
    """What is compared is named neither by a day nor by a run."""

    code = "rating-side-invalid"


class NoRunBeforeError(NotFoundError):
    """There are not two finished runs that could be compared."""

    code = "rating-no-run-before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two sides compared: how many customers moved how, and the matrix of their grades."""

    before: str
    after: str
    with_peers: bool
    counts: Mapping[Movement, int]
    matrix: Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which customers of a comparison are meant: of one movement, of one cell or row, or all."""

    movement: Movement | None = None
    grade_before: str | None = None
    grade_after: str | None = None

    def has(self, change: Change, movement: Movement) -> bool:
        """Tell whether a change is among those meant."""
        return (
            self.movement in (None, movement)
            and self.grade_before in (None, change.before.grade)
            and self.grade_after in (None, change.after.grade)
        )


class MovementService:
    """Compares; it writes nothing."""

    def __init__(
        self,
        *,
        database: Database,
        find_scale: Callable[[str], Scale | None],
        overrides: OverrideReader,
    ) -> None:
        """``find_scale`` returns the scale of a hash, or None where this node holds none.

        A day has the grades that held on it, those that persons had given too; a run its own.
        """
        self._database = database
        self._overrides = overrides
        self._find_scale = find_scale

    def compare(
        self, *, before: str | None, after: str | None, with_peers: bool = True
    ) -> Comparison:
        """Compare two sides: each a day as ``YYYY-MM-DD`` or a run as ``run-7``.

        Without them, the last finished run and the one before it.

        Raises:
            SideInvalidError: A side is neither.
            RunNotFoundError: There is no such run.
            NoRunBeforeError: There are not two finished runs.
        """
        with self._database.read() as uow:
            names, found = _find_sides(uow, before, after, with_peers=with_peers)
            sides = self._add_overrides(uow, found)
            changes = MovementStore(uow.connection).count_changes(sides)
        bodies = self._read_bodies(change for change, _ in changes)
        counts: Counter[Movement] = Counter()
        for change, count in changes:
            counts[classify(change, bodies)] += count
        order = [symbol for body in bodies.values() for symbol in list_symbols(body)]
        return Comparison(
            before=names[0],
            after=names[1],
            with_peers=with_peers,
            counts={movement: counts[movement] for movement in Movement},
            matrix=build_matrix(changes, order=order),
        )

    def list_customers(
        self,
        *,
        before: str | None,
        after: str | None,
        selection: Selection,
        with_peers: bool = True,
        after_id: int = 0,
        limit: int = 100,
    ) -> list[MovedCustomer]:
        """Return a page of the customers of a comparison, in the order of their keys.

        Raises:
            SideInvalidError: As ``compare``, and so are the others.
        """
        with self._database.read() as uow:
            _, found = _find_sides(uow, before, after, with_peers=with_peers)
            sides = self._add_overrides(uow, found)
            store = MovementStore(uow.connection)
            changes = [change for change, _ in store.count_changes(sides)]
            bodies = self._read_bodies(changes)
            wanted = [
                change for change in changes if selection.has(change, classify(change, bodies))
            ]
            return store.list_customers(
                sides, wanted, after_id=after_id, limit=max(1, min(limit, CUSTOMERS_PAGE_MAX))
            )

    def _add_overrides(self, uow: UnitOfWork, sides: Sides) -> Sides:
        def add(side: Side) -> Side:
            if side.day is None:
                return side
            held = self._overrides.list_all_in_force(uow, day=side.day)
            overridden = {
                key: one.grade_after if sides.with_peers else one.grade_own_after
                for key, one in held.items()
            }
            return replace(side, overridden=overridden)

        return replace(sides, before=add(sides.before), after=add(sides.after))

    def _read_bodies(self, changes: Iterable[Change]) -> dict[str, ScaleBody]:
        # The scales of now before those of then: their grades come in this order.
        found = list(changes)
        names = [change.after.scale_sha256_b64u for change in found]
        names += [change.before.scale_sha256_b64u for change in found]
        scales = {name: self._find_scale(name) for name in dict.fromkeys(names) if name}
        return {name: scale.body for name, scale in scales.items() if scale is not None}


def name_run(run_id: int) -> str:
    """Return how a run is named as a side."""
    return f"{RUN_PREFIX}{run_id}"


def _find_sides(
    uow: UnitOfWork, before: str | None, after: str | None, *, with_peers: bool
) -> tuple[tuple[str, str], Sides]:
    store = RunStore(uow.connection)
    after = after or name_run(_get_finished(store, before=None).run_id)
    side = _parse_side(store, after)
    if before is None:
        before = name_run(_get_finished(store, before=side.run_id).run_id)
    sides = Sides(before=_parse_side(store, before), after=side, with_peers=with_peers)
    return (before, after), sides


def _get_finished(store: RunStore, *, before: int | None) -> RunRecord:
    run = store.find_finished(before=before)
    if run is None:
        raise NoRunBeforeError("there are not two finished runs to compare")
    return run


def _parse_side(store: RunStore, text: str) -> Side:
    if text.startswith(RUN_PREFIX):
        key = parse_key(text.removeprefix(RUN_PREFIX))
        run = None if key is None else store.find(key)
        if run is None:
            raise RunNotFoundError("there is no such run")
        return Side(run_id=run.run_id)
    try:
        return Side(day=date.fromisoformat(text))
    except ValueError as err:
        raise SideInvalidError("name a day as YYYY-MM-DD or a run as run-7") from err
