"""Why a review or an action is not entered."""

from __future__ import annotations

from node.core.errors import ConflictError, NotFoundError, RejectedError


class ReviewNotFoundError(NotFoundError):
    """There is no such review."""

    code = "review-not-found"


class ActionNotFoundError(NotFoundError):
    """There is no such action."""

    code = "action-not-found"


class ReviewInvalidError(RejectedError):
    """A review or an action cannot be as described."""

    code = "review-invalid"


class ReviewStateError(ConflictError):
    """It was held or done already."""

    code = "review-state"
