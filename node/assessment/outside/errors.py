"""Why evidence from outside is refused, or is not there."""

from __future__ import annotations

from node.core.errors import ConflictError, NotFoundError, RejectedError


class ReportInvalidError(RejectedError):
    """A report says something that none can say; the text names what."""

    code = "report-invalid"


class ReportExistsError(ConflictError):
    """There is a report of this agency and number that says something else."""

    code = "report-exists"


class ReportNotFoundError(NotFoundError):
    """The customer has no such report that counts."""

    code = "report-not-found"


class ListingInvalidError(RejectedError):
    """A check of a public list says something that none can say; the text names what."""

    code = "listing-invalid"


class ListingNotFoundError(NotFoundError):
    """The customer has no such check that counts."""

    code = "listing-not-found"


class OutsideFileError(RejectedError):
    """A file cannot be read; the text names the row and the column."""

    code = "outside-file"


class IdentifierMissingError(RejectedError):
    """A name alone matches nobody: the row has no identifier."""

    code = "identifier-missing"
