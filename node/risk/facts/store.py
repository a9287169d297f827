"""Reading what the rules need of some hundred customers at once: a method is one or two statements.

What is old and paid is not read: of the ledger what is open on the day, and what was sold, fell due
or was paid within ``FACT_DAYS`` before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select

from node.assessment.statements.tables import financial_statement
from node.core.database import UnitOfWork
from node.decision.rules_state import EventKind
from node.decision.tables import credit_decision, decision_event, decision_version
from node.rating.tables import rating
from node.records.rules_ledger import ItemKind
from node.records.store.paper_tables import contract_terms, paper_version
from node.records.store.rows import chunk_values, is_among
from node.records.store.visibility import counts, left_of_debit, stands
from node.records.tables import (
    allocation,
    behaviour_month,
    customer_parent,
    dispute,
    dispute_closure,
    ledger_item,
)
from node.risk.facts.records import (
    Applied,
    ApprovalFacts,
    ContractFacts,
    Disputed,
    LedgerFacts,
    OwedItem,
    Payment,
    RatingFacts,
)

FACT_DAYS = 400  # a year and the days until its last month is released
PAYMENT_DAYS = 90
_item = ledger_item
_credit = ledger_item.alias("credit")


class FactStore:
    """Reads on the connection of one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._connection: Connection = uow.connection

    def read_ledgers(self, customer_ids: Sequence[int], *, as_of: date) -> dict[int, LedgerFacts]:
        """Return the ledger of each customer who was ever sold anything by a day."""
        since = as_of - timedelta(days=FACT_DAYS)
        items: dict[int, list[OwedItem]] = {key: [] for key in self._list_sold(customer_ids, as_of)}
        disputes = self._read_disputes(list(items), as_of=as_of)
        payments = self._read_payments(list(items), as_of=as_of)
        for key, item in self._iterate_items(list(items), as_of=as_of, since=since):
            disputed = disputes.get(item.item_id, ())
            items[key].append(replace(item, disputes=disputed) if disputed else item)
        return {
            key: LedgerFacts(items=tuple(found), payments=tuple(payments.get(key, ())))
            for key, found in items.items()
        }

    def _list_sold(self, customer_ids: Sequence[int], as_of: date) -> list[int]:
        sold: list[int] = []
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(_item.c.customer_id)
                .where(
                    is_among(_item.c.customer_id, part),
                    _item.c.amount_minor > 0,
                    _item.c.happened_on <= as_of,
                    counts(None),
                )
                .distinct()
            )
            sold += rows.scalars()
        return sold

    def _iterate_items(
        self, customer_ids: Sequence[int], *, as_of: date, since: date
    ) -> Iterator[tuple[int, OwedItem]]:
        settled = (
            select(behaviour_month.c.month)
            .where(
                _item.c.kind == ItemKind.INVOICE,
                behaviour_month.c.customer_id == _item.c.customer_id,
                behaviour_month.c.currency == _item.c.currency,
                behaviour_month.c.month == _item.c.due_month,
                behaviour_month.c.settled,
                behaviour_month.c.as_of <= as_of,
            )
            .correlate(_item)
        )
        is_open = and_(~settled.exists(), left_of_debit(as_of=as_of, known_at_ms=None) > 0)
        applies = and_(allocation.c.debit_id == _item.c.id, allocation.c.allocated_on <= as_of)
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(
                    _item.c.customer_id,
                    _item.c.id,
                    _item.c.kind,
                    _item.c.currency,
                    _item.c.amount_minor,
                    _item.c.happened_on,
                    _item.c.due_on,
                    _item.c.due_business_on,
                    allocation.c.credit_id,
                    _credit.c.kind.label("credit_kind"),
                    _credit.c.happened_on.label("paid_on"),
                    allocation.c.allocated_on,
                    allocation.c.amount_minor.label("applied_minor"),
                )
                .select_from(_item)
                .outerjoin(allocation, applies)
                .outerjoin(_credit, _credit.c.id == allocation.c.credit_id)
                .where(
                    is_among(_item.c.customer_id, part),
                    _item.c.amount_minor > 0,
                    _item.c.happened_on <= as_of,
                    counts(None),
                    or_(_item.c.happened_on >= since, _item.c.due_business_on >= since, is_open),
                )
                .order_by(_item.c.customer_id, _item.c.id, allocation.c.id)
            )
            yield from _fold_items(rows)

    def _read_payments(
        self, customer_ids: Sequence[int], *, as_of: date
    ) -> dict[int, list[Payment]]:
        payments: dict[int, list[Payment]] = {}
        since = as_of - timedelta(days=PAYMENT_DAYS)
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(
                    _item.c.customer_id,
                    _item.c.id,
                    _item.c.currency,
                    _item.c.happened_on,
                    _item.c.amount_minor,
                )
                .where(
                    is_among(_item.c.customer_id, part),
                    _item.c.kind == ItemKind.PAYMENT,
                    _item.c.happened_on.between(since, as_of),
                    counts(None),
                )
                .order_by(_item.c.id)
            )
            for key, item_id, currency, paid_on, amount_minor in rows:
                payment = Payment(
                    item_id=item_id, currency=currency, paid_on=paid_on, amount_minor=-amount_minor
                )
                payments.setdefault(key, []).append(payment)
        return payments

    def _read_disputes(
        self, customer_ids: Sequence[int], *, as_of: date
    ) -> dict[int, tuple[Disputed, ...]]:
        found: dict[int, tuple[Disputed, ...]] = {}
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(
                    dispute.c.item_id,
                    dispute.c.id,
                    dispute.c.amount_minor,
                    dispute.c.opened_on,
                    dispute_closure.c.closed_on,
                )
                .join(_item, _item.c.id == dispute.c.item_id)
                .outerjoin(dispute_closure, dispute_closure.c.dispute_id == dispute.c.id)
                .where(
                    is_among(_item.c.customer_id, part), dispute.c.opened_on <= as_of, counts(None)
                )
                .order_by(dispute.c.id)
            )
            for item_id, key, amount_minor, opened_on, closed_on in rows:
                one = Disputed(
                    dispute_id=key,
                    amount_minor=amount_minor,
                    opened_on=opened_on,
                    closed_on=closed_on,
                )
                found[item_id] = (*found.get(item_id, ()), one)
        return found

    def read_ratings(self, owners: Mapping[int, int], *, as_of: date) -> dict[int, RatingFacts]:
        """Return the newest rating of each customer by a day.

        ``owners`` names whom each key belongs to, itself or whom it was merged into.
        """
        found: dict[int, RatingFacts] = {}
        for part in chunk_values(list(owners)):
            newest = (
                select(func.max(rating.c.id))
                .where(is_among(rating.c.customer_id, part), rating.c.as_of <= as_of)
                .group_by(rating.c.customer_id)
            )
            rows = self._connection.execute(
                select(
                    rating.c.customer_id,
                    rating.c.id,
                    rating.c.grade_own,
                    rating.c.grade_with_peers,
                    rating.c.valid_until,
                ).where(rating.c.id.in_(newest))
            )
            for key, rating_id, own, grade, valid_until in rows:
                owner = owners[key]
                held = found.get(owner)
                if held is None or held.rating_id < rating_id:
                    found[owner] = RatingFacts(
                        rating_id=rating_id, grade_own=own, grade=grade, valid_until=valid_until
                    )
        return found

    def read_approvals(self, owners: Mapping[int, int], *, as_of: date) -> dict[int, ApprovalFacts]:
        """Return what was approved last for each customer by a day, as it was decided in the end.

        One that was ended before its time, by a newer one, is not the last.
        """
        found: dict[int, ApprovalFacts] = {}
        last = (
            select(func.max(decision_version.c.version))
            .where(decision_version.c.decision_id == credit_decision.c.id)
            .correlate(credit_decision)
            .scalar_subquery()
        )
        activated = and_(
            decision_event.c.decision_id == credit_decision.c.id,
            decision_event.c.kind == EventKind.ACTIVE.value,
            decision_event.c.happened_on <= as_of,
        )
        for part in chunk_values(list(owners)):
            rows = self._connection.execute(
                select(
                    credit_decision.c.customer_id,
                    credit_decision.c.id,
                    decision_event.c.happened_on,
                    decision_version.c.terms_days,
                    decision_version.c.valid_until,
                )
                .join(decision_event, activated)
                .join(
                    decision_version,
                    and_(
                        decision_version.c.decision_id == credit_decision.c.id,
                        decision_version.c.version == last,
                    ),
                )
                .where(is_among(credit_decision.c.customer_id, part))
                .order_by(decision_event.c.happened_on, credit_decision.c.id)
            )
            for key, decision_id, approved_on, terms_days, valid_until in rows:
                found[owners[key]] = ApprovalFacts(
                    decision_id=decision_id,
                    approved_on=approved_on,
                    terms_days=terms_days,
                    valid_until=valid_until,
                )
        return found

    def read_contracts(
        self, owners: Mapping[int, int], *, as_of: date
    ) -> dict[int, tuple[ContractFacts, ...]]:
        """Return the contracts of each customer that hold on a day."""
        found: dict[int, tuple[ContractFacts, ...]] = {}
        same = and_(
            contract_terms.c.paper_id == paper_version.c.paper_id,
            contract_terms.c.version == paper_version.c.version,
        )
        for part in chunk_values(list(owners)):
            rows = self._connection.execute(
                select(
                    paper_version.c.customer_id,
                    paper_version.c.paper_id,
                    contract_terms.c.signed_on,
                    contract_terms.c.days_net,
                    contract_terms.c.discount_centipercent,
                )
                .join(contract_terms, same)
                .where(
                    is_among(paper_version.c.customer_id, part),
                    stands(None, paper_version),
                    paper_version.c.begins_on <= as_of,
                    or_(paper_version.c.ends_on.is_(None), paper_version.c.ends_on >= as_of),
                )
                .order_by(paper_version.c.paper_id)
            )
            for key, paper_id, signed_on, days_net, discount in rows:
                one = ContractFacts(
                    paper_id=paper_id,
                    signed_on=signed_on,
                    days_net=days_net,
                    discount_centipercent=discount or 0,
                )
                found[owners[key]] = (*found.get(owners[key], ()), one)
        return found

    def read_year_ends(self, owners: Mapping[int, int], *, as_of: date) -> dict[int, date]:
        """Return the end of the newest year of which each customer has accounts by a day."""
        found: dict[int, date] = {}
        table = financial_statement
        later = table.alias("later")
        is_superseded = (
            select(later.c.id)
            .where(
                later.c.customer_id == table.c.customer_id,
                later.c.year_end == table.c.year_end,
                later.c.basis == table.c.basis,
                later.c.version > table.c.version,
            )
            .exists()
        )
        for part in chunk_values(list(owners)):
            rows = self._connection.execute(
                select(table.c.customer_id, func.max(table.c.year_end))
                .where(
                    is_among(table.c.customer_id, part),
                    ~table.c.is_withdrawn,
                    table.c.year_end <= as_of,
                    ~is_superseded,
                )
                .group_by(table.c.customer_id)
            )
            for key, end in rows:
                found[owners[key]] = max(end, found.get(owners[key], end))
        return found

    def list_related(self, customer_ids: Sequence[int]) -> list[tuple[int, int]]:
        """Return the ties of some customers to the companies right above and below them."""
        ties: set[tuple[int, int]] = set()
        child, parent = customer_parent.c.customer_id, customer_parent.c.parent_id
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(child, parent).where(
                    or_(is_among(child, part), is_among(parent, part)),
                    stands(None, customer_parent),
                )
            )
            ties.update((row[0], row[1]) for row in rows)
        return sorted(ties)


def _fold_items(rows: Any) -> Iterator[tuple[int, OwedItem]]:  # noqa: ANN401  a result of rows
    first: Row[Any] | None = None
    applied: list[Applied] = []
    for row in rows:
        if first is not None and row.id != first.id:
            yield first.customer_id, _build_item(first, applied)
            applied = []
        first = row
        if row.credit_id is not None:
            applied.append(
                Applied(
                    credit_id=row.credit_id,
                    kind=_KINDS[row.credit_kind],
                    paid_on=row.paid_on,
                    allocated_on=row.allocated_on,
                    amount_minor=row.applied_minor,
                )
            )
    if first is not None:
        yield first.customer_id, _build_item(first, applied)


_KINDS = {kind.value: kind for kind in ItemKind}


def _build_item(row: Row[Any], applied: Sequence[Applied]) -> OwedItem:
    return OwedItem(
        item_id=row.id,
        kind=_KINDS[row.kind],
        currency=row.currency,
        amount_minor=row.amount_minor,
        happened_on=row.happened_on,
        due_on=row.due_on,
        due_business_on=row.due_business_on,
        applied=tuple(applied),
    )
