"""Errors of the records room."""

from __future__ import annotations

from node.core.errors import NotFoundError, RejectedError


class CustomerNotFoundError(NotFoundError):
    """There is no such customer."""

    code = "customer-not-found"


class CustomerInvalidError(RejectedError):
    """A customer cannot be entered as described."""

    code = "customer-invalid"


class AdverseEventInvalidError(RejectedError):
    """An adverse event lacks what makes it a fact."""

    code = "adverse-event-invalid"
