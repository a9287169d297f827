"""Why something beside the ledger is not entered."""

from __future__ import annotations

from node.core.errors import NotFoundError, RejectedError
from node.records.rules_default import SamePersonError

__all__ = [
    "DefaultInvalidError",
    "DefaultNotFoundError",
    "PromiseInvalidError",
    "PromiseNotFoundError",
    "SamePersonError",
]


class DefaultInvalidError(RejectedError):
    """A default cannot be entered as described, or not as things are."""

    code = "default-invalid"


class DefaultNotFoundError(NotFoundError):
    """There is no such default, or nothing is to be said of it any more."""

    code = "default-not-found"


class PromiseInvalidError(RejectedError):
    """A promise to pay cannot be entered as described."""

    code = "promise-invalid"


class PromiseNotFoundError(NotFoundError):
    """There is no such promise that stands."""

    code = "promise-not-found"
