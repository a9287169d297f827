"""Errors of alerts."""

from __future__ import annotations

from node.core.errors import ConflictError, NotFoundError


class AlertNotFoundError(NotFoundError):
    """There is no such alert."""

    code = "risk-alert-not-found"


class AlertClosedError(ConflictError):
    """The alert is closed, or another one has closed it meanwhile."""

    code = "risk-alert-closed"
