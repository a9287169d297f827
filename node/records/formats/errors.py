"""Why bytes are no document that can be read at all."""

from __future__ import annotations

from node.core.errors import RejectedError


class DocumentFileError(RejectedError):
    """The file as a whole is no document that we read."""

    code = "document-file"


class DocumentTooLargeError(DocumentFileError):
    """The document, or a part of it, is above a limit."""

    code = "document-too-large"


class DocumentHostileError(DocumentFileError):
    """The document declares types or entities, or names something outside of it."""

    code = "document-hostile"


class DocumentFormError(DocumentFileError):
    """The bytes are not of the form: broken XML, a message without its end, a damaged archive."""

    code = "document-form"


class DocumentUnknownError(DocumentFileError):
    """It is well formed and of no format that we know."""

    code = "document-unknown"


class FieldError(Exception):
    """A field cannot be read. Stays inside the import: it becomes a line of the reject report.

    The value stays out of the reason: a reject report travels by mail.
    """

    def __init__(self, *, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason
