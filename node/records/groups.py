"""Groups of customers: who belongs to whom, up and down."""

from __future__ import annotations

from collections.abc import Iterator

from node.core.database import UnitOfWork
from node.records.store import CustomerRecord, CustomerStore, MergeRow, RecordsStore

GROUP_LEVELS_MAX = 20
PARENT = "parent"  # the kind of the fact


def restore_parents(store: CustomerStore, merge: MergeRow, *, by: str, at_ms: int) -> None:
    """Enter again what the merge has ended in the group, where nothing else was entered since."""
    for child, parent in store.list_ended_parents(merge):
        is_free = store.find_parent(child) is None
        if not is_free or any(store.find_merge(one) is not None for one in (child, parent)):
            continue
        above = list_ancestors(store, parent)
        levels = len(above) + count_levels(store, child)
        if child not in above and levels <= GROUP_LEVELS_MAX:
            values: dict[str, object] = {"parent_id": parent}
            store.append_fact(PARENT, child, values, by=by, at_ms=at_ms)


def list_ancestors(store: CustomerStore, customer_id: int) -> list[int]:
    """Return a customer and those above it, nearest first."""
    found = [customer_id]
    while len(found) < GROUP_LEVELS_MAX and (parent := store.find_parent(found[-1])) is not None:
        found.append(parent)
    return found


def count_levels(store: CustomerStore, customer_id: int) -> int:
    """Return how many levels a customer and those below it make."""
    level, count = [customer_id], 0
    while level and count < GROUP_LEVELS_MAX:
        level, count = store.list_children(level), count + 1
    return count


def list_group(uow: UnitOfWork, customer_id: int) -> Iterator[CustomerRecord]:
    """Yield those above a customer, itself and its children; nobody where it is alone."""
    store, records = CustomerStore(uow.connection), RecordsStore(uow.connection)
    ids = [*reversed(list_ancestors(store, customer_id)), *store.list_children([customer_id])]
    if len(ids) == 1:
        return
    for key in ids:
        found = records.find_customer_by_id(key)
        if found is not None:
            yield found
