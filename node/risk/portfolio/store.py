"""SQL of the portfolio: who may owe something on a day, and of which industry a customer is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from node.records.rules_ageing import AgeingBase
from node.records.rules_ledger import ItemKind
from node.records.rules_papers import PaperKind
from node.records.store.ageing import AgeingStore
from node.records.store.paper_tables import paper, paper_version
from node.records.store.rows import chunk_values, insert_row
from node.records.store.visibility import stands
from node.records.tables import ledger_item
from node.risk.orders.rules_order import OrderState
from node.risk.orders.tables import sales_order_version
from node.risk.portfolio.tables import risk_industry

if TYPE_CHECKING:
    from sqlalchemy import Connection


class PortfolioStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_candidates(self, *, as_of: date) -> list[int]:
        """Return whoever may have an exposure: items open, bills passed on, deliveries, orders.

        Keys are as entered: of customers who were merged into others too.
        """
        found = {
            row.customer_id
            for row in AgeingStore(self._connection).iterate_customers(
                as_of=as_of, base=AgeingBase.DUE
            )
            if sum(row.buckets) > 0
        }
        queries = (
            select(ledger_item.c.customer_id).where(
                ledger_item.c.kind == ItemKind.BILL.value, ledger_item.c.due_on >= as_of
            ),
            select(paper_version.c.customer_id)
            .join(paper, paper.c.id == paper_version.c.paper_id)
            .where(paper.c.kind == PaperKind.DELIVERY.value, paper_version.c.begins_on <= as_of),
            select(sales_order_version.c.customer_id).where(
                sales_order_version.c.state == OrderState.OPEN.value,
                sales_order_version.c.happened_on <= as_of,
            ),
        )
        for query in queries:
            found |= set(self._connection.execute(query.distinct()).scalars())
        return sorted(found)

    def read_industries(self, owners: Mapping[int, int]) -> dict[int, str]:
        """Return the industry of each customer, the one entered last of the keys that are it."""
        found: dict[int, tuple[int, str]] = {}
        for part in chunk_values(list(owners)):
            rows = self._connection.execute(
                select(risk_industry.c.id, risk_industry.c.customer_id, risk_industry.c.code).where(
                    risk_industry.c.customer_id.in_(part), stands(None, risk_industry)
                )
            )
            for entry_id, key, code in rows:
                found[owners[key]] = max((entry_id, code), found.get(owners[key], (0, "")))
        return {key: code for key, (_, code) in found.items()}

    def set_industry(self, customer_id: int, code: str, *, by: str, at_ms: int) -> int:
        """End the industry that a customer has, append another and return its key."""
        self._connection.execute(
            update(risk_industry)
            .where(risk_industry.c.customer_id == customer_id, stands(None, risk_industry))
            .values(ended_by=by, ended_at_ms=at_ms)
        )
        return insert_row(
            self._connection,
            risk_industry,
            customer_id=customer_id,
            code=code,
            entered_by=by,
            entered_at_ms=at_ms,
        )
