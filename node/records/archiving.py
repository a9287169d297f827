"""A closed relation is read, and nothing is entered into it."""

from __future__ import annotations

from node.core.database import UnitOfWork
from node.core.errors import ConflictError
from node.records.store.holding import HoldingStore


class CustomerArchivedError(ConflictError):
    """The relation with the customer is closed: it is reopened first, with a reason."""

    code = "customer-archived"


def check_not_archived(uow: UnitOfWork, customer_id: int) -> None:
    """Check that something may be entered for a customer.

    Raises:
        CustomerArchivedError: Its relation is closed.
    """
    if HoldingStore(uow.connection).find_archived([customer_id]):
        raise CustomerArchivedError(f"the relation with customer {customer_id} is closed")
