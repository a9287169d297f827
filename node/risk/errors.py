"""Errors of the risk room."""

from __future__ import annotations

from node.core.errors import ConflictError, ForbiddenError, NotFoundError, RejectedError


class RiskInvalidError(RejectedError):
    """What is asked for, or entered, makes no sense."""

    code = "risk-invalid"


class OrderNotFoundError(NotFoundError):
    """There is no such order."""

    code = "order-not-found"


class OrderStateError(ConflictError):
    """The order is not in a state in which this can be done."""

    code = "order-state"


class OrderKeyReusedError(ConflictError):
    """The idempotency key of this order stands for another request."""

    code = "order-key-reused"


class LimitNotFoundError(NotFoundError):
    """There is no such entry of the limit ledger, or stop, that stands."""

    code = "limit-not-found"


class LimitStateError(ConflictError):
    """The entry of the limit ledger is not in a state in which this can be done."""

    code = "limit-state"


class ReleaseDutyError(ForbiddenError):
    """Who asked for it, or approved it before, does not approve it."""

    code = "release-same-person"


class StoppedError(ConflictError):
    """The customer is stopped: the stop is ended first, no order is released from it."""

    code = "customer-stopped"
