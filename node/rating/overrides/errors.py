"""Errors of overrides."""

from __future__ import annotations

from node.core.errors import ConflictError, ForbiddenError, NotFoundError


class OverrideNotFoundError(NotFoundError):
    """There is no such override."""

    code = "override-not-found"


class OverrideStateError(ConflictError):
    """The rating or the override is not in a state in which this can be done."""

    code = "override-state"


class OverrideSamePersonError(ConflictError):
    """Who proposed an override does not approve or reject it."""

    code = "override-same-person"


class OverrideDutyError(ForbiddenError):
    """The token or a role of the person stands against it."""

    code = "override-duty"
