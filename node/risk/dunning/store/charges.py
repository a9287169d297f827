"""SQL of what letters have charged, and of how charges ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, func, insert, or_, select

from node.core.database import is_key_of
from node.records.store.rows import chunk_values, insert_row
from node.records.store.visibility import counts, left_of_debit
from node.records.tables import ledger_item
from node.risk.dunning.rules_charges import (
    ChargedInterest,
    ChargeKind,
    ItemState,
    NewCharge,
    OpenCharge,
    SettlementKind,
)
from node.risk.dunning.store.records import Charge, Settlement
from node.risk.dunning.store.versions import is_same_name, map_versions
from node.risk.dunning.tables import dunning_charge, dunning_letter, dunning_settlement

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row

_charge = dunning_charge
_settled = dunning_settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePlace:
    """Behind which charge a page begins: the open ones come first."""

    is_settled: bool
    charge_id: int


class ChargeStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(
        self,
        charges: Sequence[NewCharge],
        *,
        letter_id: int,
        customer_id: int,
        on: date,
        by: str,
        at_ms: int,
    ) -> None:
        """Append what a letter that goes charges."""
        rows = [
            {
                "letter_id": letter_id,
                "place": place,
                "customer_id": customer_id,
                "item_id": one.item_id,
                "document_no": one.document_no,
                "line": one.line,
                "kind": one.kind.value,
                "currency": one.currency,
                "amount_minor": one.amount_minor,
                "from_on": one.from_on,
                "until_on": one.until_on,
                "charged_on": on,
                "entered_by": by,
                "entered_at_ms": at_ms,
            }
            for place, one in enumerate(charges)
        ]
        if rows:
            self._connection.execute(insert(_charge), rows)

    def settle(
        self,
        charge_id: int,
        kind: SettlementKind,
        *,
        amount_minor: int,
        on: date,
        by: str,
        at_ms: int,
        item_id: int | None = None,
        reason: str = "",
    ) -> int:
        """Append how a charge, or a part of it, ended, and return the row's key."""
        return insert_row(
            self._connection,
            _settled,
            charge_id=charge_id,
            kind=kind.value,
            amount_minor=amount_minor,
            settled_on=on,
            item_id=item_id,
            reason=reason,
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def take_back(self, letter_id: int, *, on: date, reason: str, by: str, at_ms: int) -> None:
        """End what of a letter's charges is open, since the letter was withdrawn."""
        for one in self._list(_charge.c.letter_id == letter_id):
            if one.open_minor:
                self.settle(
                    one.charge_id,
                    SettlementKind.WITHDRAWN,
                    amount_minor=one.open_minor,
                    on=on,
                    reason=reason,
                    by=by,
                    at_ms=at_ms,
                )

    def read_charged(self, item_ids: Sequence[int], *, as_of: date) -> dict[int, ChargedInterest]:
        """Return what had been charged by a day of items' interest, in whatever version then.

        What was paid or waived was charged; what was taken back was not.
        """
        found: dict[int, ChargedInterest] = {}
        named = ledger_item.alias("named")
        stands = _charge.c.amount_minor - _sum_settled(as_of, SettlementKind.WITHDRAWN)
        for part in chunk_values(item_ids):
            rows = self._connection.execute(
                select(
                    ledger_item.c.id,
                    func.sum(stands).label("charged_minor"),
                    func.max(_charge.c.until_on).label("until_on"),
                )
                .select_from(
                    _charge.join(named, named.c.id == _charge.c.item_id).join(
                        ledger_item, is_same_name(named)
                    )
                )
                .where(ledger_item.c.id.in_(part), _charge.c.charged_on <= as_of, stands > 0)
                .group_by(ledger_item.c.id)
            )
            for row in rows:
                found[row.id] = ChargedInterest(
                    charged_minor=int(row.charged_minor), until_on=row.until_on
                )
        return found

    def read_open(
        self, owners: Mapping[int, int], *, as_of: date
    ) -> dict[int, tuple[OpenCharge, ...]]:
        """Return what is open of charges of customers on a day; keys merged into one are its.

        Interest of an item that was cancelled is left out: it waits for a person's word.
        """
        found: dict[int, tuple[OpenCharge, ...]] = {}
        for part in chunk_values(list(owners)):
            charges = [
                one
                for one in self._list(
                    _charge.c.customer_id.in_(part), _left(as_of) > 0, as_of=as_of
                )
                if one.item_state is not ItemState.CANCELLED
            ]
            levels = self._read_levels({one.letter_id for one in charges})
            versions = map_versions(
                self._connection, {one.item_id for one in charges if one.item_id is not None}
            )
            for one in charges:
                open_charge = OpenCharge(
                    charge_id=one.charge_id,
                    letter_id=one.letter_id,
                    level=levels[one.letter_id],
                    kind=one.kind,
                    item_id=None if one.item_id is None else versions.get(one.item_id),
                    document_no=one.document_no,
                    line=one.line,
                    currency=one.currency,
                    open_minor=one.open_minor,
                )
                owner = owners[one.customer_id]
                found[owner] = (*found.get(owner, ()), open_charge)
        return found

    def list_charges(
        self,
        *,
        customer_ids: Sequence[int] | None,
        as_of: date,
        after: ChargePlace | None,
        limit: int,
    ) -> list[Charge]:
        """Return charges as of a day, what is open first, then in the order of their keys."""
        conditions: list[ColumnElement[bool]] = []
        if customer_ids is not None:
            conditions.append(_charge.c.customer_id.in_(customer_ids))
        is_settled = case((_left(as_of) > 0, 0), else_=1)
        if after is not None:
            rank = int(after.is_settled)
            conditions.append(
                or_(
                    is_settled > rank,
                    and_(is_settled == rank, _charge.c.id > after.charge_id),
                )
            )
        return self._list(*conditions, as_of=as_of, limit=limit, first=is_settled)

    def find(self, charge_id: int, *, as_of: date | None = None) -> Charge | None:
        """Return a charge as of a day, or with all that is entered; None without one."""
        if not is_key_of(_charge.c.id, charge_id):
            return None
        return next(iter(self._list(_charge.c.id == charge_id, as_of=as_of)), None)

    def list_of_letter(self, letter_id: int, *, as_of: date) -> list[Charge]:
        """Return what a letter charged, as of a day."""
        return self._list(_charge.c.letter_id == letter_id, as_of=as_of)

    def list_settlements(self, charge_id: int, *, as_of: date) -> list[Settlement]:
        """Return how a charge had ended by a day."""
        rows = self._connection.execute(
            select(_settled)
            .where(_settled.c.charge_id == charge_id, _settled.c.settled_on <= as_of)
            .order_by(_settled.c.id)
        )
        return [
            Settlement(
                settlement_id=row.id,
                kind=SettlementKind(row.kind),
                amount_minor=row.amount_minor,
                settled_on=row.settled_on,
                item_id=row.item_id,
                reason=row.reason,
                entered_by=row.entered_by,
                entered_at_ms=row.entered_at_ms,
            )
            for row in rows
        ]

    def sum_open(self, item_ids: Collection[int], *, as_of: date) -> dict[int, int]:
        """Return by items, each as it counts now, what of the interest charged of it is open."""
        found: dict[int, int] = {}
        named = ledger_item.alias("named")
        for part in chunk_values(sorted(item_ids)):
            rows = self._connection.execute(
                select(ledger_item.c.id, func.sum(_left(as_of)))
                .select_from(
                    _charge.join(named, named.c.id == _charge.c.item_id).join(
                        ledger_item, is_same_name(named)
                    )
                )
                .where(ledger_item.c.id.in_(part), _charge.c.charged_on <= as_of)
                .group_by(ledger_item.c.id)
            )
            found |= {row[0]: int(row[1]) for row in rows}
        return found

    def has_open_item(self, item_ids: Collection[int], *, as_of: date) -> bool:
        """Tell whether of items, in whatever version they are now, one is open on a day."""
        states = self._read_states(item_ids, as_of=as_of)
        return ItemState.OPEN in states.values()

    def has_open(self, charge_ids: Sequence[int]) -> bool:
        """Tell whether one of some charges is open."""
        return any(
            one.open_minor
            for part in chunk_values(charge_ids)
            for one in self._list(_charge.c.id.in_(part))
        )

    def sum_used(self, item_id: int) -> int:
        """Return what of charges was paid by an item, in whatever version."""
        named = ledger_item.alias("named")
        query = (
            select(func.coalesce(func.sum(_settled.c.amount_minor), 0))
            .select_from(
                _settled.join(named, named.c.id == _settled.c.item_id).join(
                    ledger_item, is_same_name(named)
                )
            )
            .where(ledger_item.c.id == item_id)
        )
        return int(self._connection.execute(query).scalar_one())

    def _read_levels(self, letter_ids: Collection[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for part in chunk_values(sorted(letter_ids)):
            rows = self._connection.execute(
                select(dunning_letter.c.id, dunning_letter.c.level).where(
                    dunning_letter.c.id.in_(part)
                )
            )
            found |= {row[0]: row[1] for row in rows}
        return found

    def _read_states(self, item_ids: Collection[int], *, as_of: date) -> dict[int, ItemState]:
        """Return what became of items by a day: cancelled where no version of one counts."""
        found: dict[int, ItemState] = {}
        named = ledger_item.alias("named")
        left = left_of_debit(as_of=as_of, known_at_ms=None)
        for part in chunk_values(sorted(item_ids)):
            here = self._connection.execute(
                select(ledger_item.c.id).where(ledger_item.c.id.in_(part))
            ).scalars()
            found |= dict.fromkeys(here, ItemState.CANCELLED)
            rows = self._connection.execute(
                select(named.c.id, left)
                .select_from(named.join(ledger_item, is_same_name(named)))
                .where(named.c.id.in_(part), counts(None))
            )
            for key, left_minor in rows:
                found[key] = ItemState.OPEN if left_minor > 0 else ItemState.CLOSED
        return found

    def _list(
        self,
        *conditions: ColumnElement[bool],
        as_of: date | None = None,
        limit: int | None = None,
        first: ColumnElement[int] | None = None,
    ) -> list[Charge]:
        order = [_charge.c.id] if first is None else [first, _charge.c.id]
        query = select(_charge, _left(as_of).label("open_minor")).where(*conditions)
        if as_of is not None:
            query = query.where(_charge.c.charged_on <= as_of)
        rows = self._connection.execute(query.order_by(*order).limit(limit)).all()
        states = self._read_states(
            {row.item_id for row in rows if row.item_id is not None}, as_of=as_of or date.max
        )
        return [_build(row, states) for row in rows]


def sum_paid_by(as_of: date) -> Any:  # noqa: ANN401  of SQLAlchemy's
    """Sum what of charges was paid by an item of the ledger by a day, in whatever version."""
    named = ledger_item.alias("paying")
    return (
        select(func.coalesce(func.sum(_settled.c.amount_minor), 0))
        .select_from(_settled.join(named, named.c.id == _settled.c.item_id))
        .where(is_same_name(named), _settled.c.settled_on <= as_of)
        .correlate(ledger_item)
        .scalar_subquery()
    )


def _sum_settled(as_of: date | None, kind: SettlementKind | None = None) -> Any:  # noqa: ANN401
    query = select(func.coalesce(func.sum(_settled.c.amount_minor), 0)).where(
        _settled.c.charge_id == _charge.c.id
    )
    if as_of is not None:
        query = query.where(_settled.c.settled_on <= as_of)
    if kind is not None:
        query = query.where(_settled.c.kind == kind.value)
    return query.correlate(_charge).scalar_subquery()


def _left(as_of: date | None) -> Any:  # noqa: ANN401  of SQLAlchemy's
    return _charge.c.amount_minor - _sum_settled(as_of)


def _build(row: Row[Any], states: Mapping[int, ItemState]) -> Charge:
    return Charge(
        charge_id=row.id,
        letter_id=row.letter_id,
        customer_id=row.customer_id,
        item_id=row.item_id,
        item_state=None if row.item_id is None else states.get(row.item_id, ItemState.GONE),
        document_no=row.document_no,
        line=row.line,
        kind=ChargeKind(row.kind),
        currency=row.currency,
        amount_minor=row.amount_minor,
        open_minor=int(row.open_minor),
        from_on=row.from_on,
        until_on=row.until_on,
        charged_on=row.charged_on,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
    )
