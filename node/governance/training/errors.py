"""Why a procedure is not entered or confirmed."""

from __future__ import annotations

from node.core.errors import ConflictError, ForbiddenError, NotFoundError, RejectedError


class ProcedureNotFoundError(NotFoundError):
    """There is no such procedure, or no such version of it."""

    code = "procedure-not-found"


class ProcedureInvalidError(RejectedError):
    """A procedure cannot be as described."""

    code = "procedure-invalid"


class ProcedureOutdatedError(ConflictError):
    """Another version than the newest is confirmed."""

    code = "procedure-outdated"


class NotConfirmableError(ForbiddenError):
    """A person confirms, with a token of its own, what is for its role."""

    code = "not-confirmable"
