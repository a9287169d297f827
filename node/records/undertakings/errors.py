"""Why something beside the ledger is not entered."""

from __future__ import annotations

from node.core.errors import ConflictError, NotFoundError, RejectedError


class DefaultInvalidError(RejectedError):
    """A default cannot be entered as described, or not as things are."""

    code = "default-invalid"


class DefaultNotFoundError(NotFoundError):
    """There is no such default, or nothing is to be said of it any more."""

    code = "default-not-found"


class SamePersonError(ConflictError):
    """Who proposed a default does not confirm it: another person does."""

    code = "same-person"


class PromiseInvalidError(RejectedError):
    """A promise to pay cannot be entered as described."""

    code = "promise-invalid"


class PromiseNotFoundError(NotFoundError):
    """There is no such promise that stands."""

    code = "promise-not-found"
