"""A case and its story, read within a transaction of the caller's."""

from __future__ import annotations

from node.core.database import UnitOfWork
from node.governance.cases.errors import CaseNotFoundError
from node.governance.cases.record import CaseRecord, CaseStory
from node.governance.cases.store import CaseStore
from node.records.ledger.posting import get_customer


def get_case(store: CaseStore, case_id: int) -> CaseRecord:
    """Return a case.

    Raises:
        CaseNotFoundError: There is none.
    """
    found = store.find(case_id)
    if found is None:
        raise CaseNotFoundError(f"there is no case {case_id}")
    return found


def tell_case(uow: UnitOfWork, record: CaseRecord) -> CaseStory:
    """Return a case with all its steps, and whom it is of."""
    customer = None if record.customer_id is None else get_customer(uow, record.customer_id)
    return CaseStory(
        record=record,
        events=tuple(CaseStore(uow.connection).list_events(record.case_id)),
        subject_id=None if customer is None else customer.subject_id,
        name=None if customer is None else customer.name,
    )
