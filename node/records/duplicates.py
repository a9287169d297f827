"""What customers are compared by, to find which of them may be one company."""

from __future__ import annotations

from collections.abc import Iterator

from node.core.database import UnitOfWork
from node.records.rules_duplicates import NamedCustomer
from node.records.shareable import COMPANY_KIND
from node.records.store import CustomerRecord, CustomerStore, RecordsStore

PAGE_ROWS = 500


def list_named_companies(uow: UnitOfWork) -> list[NamedCustomer]:
    """Return every company with all its names and whom it is reached by."""
    records, store = RecordsStore(uow.connection), CustomerStore(uow.connection)
    names: dict[int, list[str]] = {}
    for row in store.list_facts("name"):
        names.setdefault(row.customer_id, []).append(row.values["name"])
    reached: dict[int, set[str]] = {}
    for row in store.list_facts("contact"):
        if row.ended_at_ms is None:
            addresses = {row.values["phone"], row.values["email"].casefold()} - {""}
            reached.setdefault(row.customer_id, set()).update(addresses)
    return [
        NamedCustomer(
            customer_id=one.customer_id,
            country=one.country,
            names=(one.name, *names.get(one.customer_id, ())),
            reached_by=frozenset(reached.get(one.customer_id, ())),
        )
        for one in _iterate_customers(records)
        if one.kind == COMPANY_KIND
    ]


def _iterate_customers(records: RecordsStore) -> Iterator[CustomerRecord]:
    after = 0
    while page := records.list_customers(limit=PAGE_ROWS, after=after):
        yield from page
        after = page[-1].customer_id
