"""Why something is not entered into the ledger."""

from __future__ import annotations

from node.core.errors import ConflictError, NotFoundError, RejectedError


class ItemNotFoundError(NotFoundError):
    """There is no such item, or it counts no longer."""

    code = "item-not-found"


class DisputeNotFoundError(NotFoundError):
    """There is no such dispute, or it is closed."""

    code = "dispute-not-found"


class ItemInvalidError(RejectedError):
    """An item cannot be entered as described."""

    code = "item-invalid"


class RecordGoneError(ConflictError):
    """A document of this name was here and has been deleted: it does not come back."""

    code = "record-gone"


class ItemExistsError(ConflictError):
    """The document is here already: what was wrong is corrected, not entered again."""

    code = "item-exists"
