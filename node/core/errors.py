"""Errors of the node, rooted by culprit (protocol errors: ``protocol.errors``).

Tree::

    NodeError
    ├── RejectedError      the caller asked for what cannot be had (not found, not signed in,
    │                      not allowed)
    ├── ConflictError      somebody else was first, or the state does not allow it
    ├── UnavailableError   a dependency does not answer, or too much is waiting: retry
    └── InvariantError     our own bug: logged, further writes refused
"""

from __future__ import annotations

from typing import ClassVar


class NodeError(Exception):
    """Never raised directly.

    ``code`` is the slug of the problem table; the HTTP status is chosen by the web face.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, detail: str) -> None:
        """Keep the fact for the person who reads it."""
        super().__init__(detail)
        self.detail = detail


class RejectedError(NodeError):
    """The request cannot be met as it is; the same request will fail again."""

    code = "rejected"


class NotFoundError(RejectedError):
    """What was asked for does not exist."""

    code = "not-found"


class NotAuthenticatedError(RejectedError):
    """No valid token or session."""

    code = "not-authenticated"
    challenge: ClassVar[str] = "Bearer"


class ForbiddenError(RejectedError):
    """The caller is known and may not have this."""

    code = "forbidden"


class ConflictError(NodeError):
    """The state does not allow it, or another writer was first."""

    code = "conflict"


class UnavailableError(NodeError):
    """A dependency does not answer; the same request may succeed later."""

    code = "unavailable"


class OverloadedError(UnavailableError):
    """Too many callers wait already: ask again later."""


class InvariantError(NodeError):
    """Our own bug or damaged data: refuse further writes and say so."""

    code = "invariant"
