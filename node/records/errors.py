"""Errors of the records room."""

from __future__ import annotations

from datetime import date

from node.core.errors import ConflictError, NotFoundError, RejectedError
from node.records.windows import FIRST_YEAR, LAST_YEAR, is_of_records


class CustomerNotFoundError(NotFoundError):
    """There is no such customer."""

    code = "customer-not-found"


class CustomerInvalidError(RejectedError):
    """A customer cannot be entered as described."""

    code = "customer-invalid"


class MergeInvalidError(ConflictError):
    """The customers are one already, or cannot be one, or cannot be parted as things are."""

    code = "merge-invalid"


class AdverseEventInvalidError(RejectedError):
    """An adverse event lacks what makes it a fact."""

    code = "adverse-event-invalid"


class ReportInvalidError(RejectedError):
    """There is no report of this day."""

    code = "report-invalid"


def check_report_day(as_of: date) -> None:
    """Check that records can be of a day, so that there is a report of it.

    Raises:
        ReportInvalidError: They cannot.
    """
    if not is_of_records(as_of):
        raise ReportInvalidError(f"a report is of a day within {FIRST_YEAR} to {LAST_YEAR}")
