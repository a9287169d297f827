"""Since when the records of a customer are whole: a report of before would be wrong.

What has expired is of no weight on any day after its end. A report of an earlier day, or as it was
known before it was entered whole, would leave out what there was; so it is refused, not shown.
"""

from __future__ import annotations

from datetime import date

from node.core.database import UnitOfWork
from node.core.errors import NotFoundError
from node.records.store.holding import HoldingStore
from node.records.windows import month_of


class RecordsGoneError(NotFoundError):
    """Records of that time have expired: no report of it can be right."""

    code = "records-gone"


def find_horizon(uow: UnitOfWork, customer_id: int | None) -> date | None:
    """Return the last day of anything that is gone of a customer, or of all for None."""
    found = HoldingStore(uow.connection).find_horizon(customer_id)
    return None if found is None else found[0]


def find_whole_month(uow: UnitOfWork, customer_id: int) -> int:
    """Return the first month of a customer of which nothing is gone; 0 where nothing is."""
    gone_until = find_horizon(uow, customer_id)
    return 0 if gone_until is None else month_of(gone_until) + 1


def check_not_gone(
    uow: UnitOfWork, customer_id: int | None, *, as_of: date, known_at_ms: int | None = None
) -> None:
    """Check that all records that bear on a report are here; of all customers for None.

    Raises:
        RecordsGoneError: Some have expired.
    """
    found = HoldingStore(uow.connection).find_horizon(customer_id)
    check_behind(found, what="records", as_of=as_of, known_at_ms=known_at_ms)


def check_behind(
    horizon: tuple[date, int] | None, *, what: str, as_of: date, known_at_ms: int | None
) -> None:
    """Check that a report is of a day, and of what was known, behind a horizon.

    Args:
        horizon: The last day of what is gone and when the last of it was entered; None of nothing.
        what: Of what it is the horizon, as the refusal names it.
        as_of: The day of the report.
        known_at_ms: The moment by which everything in it had been entered; by now, for None.

    Raises:
        RecordsGoneError: Some of it has expired.
    """
    if horizon is None:
        return
    gone_until, known_until_ms = horizon
    if as_of < gone_until:
        raise RecordsGoneError(
            f"{what} up to {gone_until.isoformat()} have expired: there is no report of before"
        )
    if known_at_ms is not None and known_at_ms < known_until_ms:
        raise RecordsGoneError("some of what was known then has expired: there is no such report")
