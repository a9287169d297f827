"""Why an application is refused, or is not there."""

from __future__ import annotations

from node.core.errors import ConflictError, NotFoundError, RejectedError


class ApplicationInvalidError(RejectedError):
    """An application or a document says something that none can say; the text names what."""

    code = "application-invalid"


class ApplicationNotFoundError(NotFoundError):
    """The customer has no such application."""

    code = "application-not-found"


class ApplicationStateError(ConflictError):
    """An application in this state does not come into that one."""

    code = "application-state"


class ApplicationDraftOpenError(ConflictError):
    """The customer has a draft: that is amended, led on or withdrawn before another one."""

    code = "application-draft-open"


class ApplicationKeyReusedError(ConflictError):
    """The idempotency key stands for another application."""

    code = "idempotency-key-reused"


class ApplicationIncompleteError(ConflictError):
    """Documents that are required are missing or outdated; the text lists them."""

    code = "application-incomplete"


class DocumentNotFoundError(NotFoundError):
    """The application has no such document that counts."""

    code = "document-not-found"
