"""Why of a case something is not entered."""

from __future__ import annotations

from node.core.errors import ConflictError, ForbiddenError, NotFoundError, RejectedError


class CaseNotFoundError(NotFoundError):
    """There is no such case."""

    code = "case-not-found"


class CaseInvalidError(RejectedError):
    """Of a case this cannot be said."""

    code = "case-invalid"


class CaseStateError(ConflictError):
    """In its state this step is not possible."""

    code = "case-state"


class CaseHandlerError(ForbiddenError):
    """Whoever issued what a case is about, or whom it is about, does not decide on it."""

    code = "case-handler"


class CasePersonError(ForbiddenError):
    """A case is entered and decided by persons, each with a token of its own."""

    code = "case-person"
