"""Why a paper, or something that happened to one, is not entered."""

from __future__ import annotations

from node.core.errors import ConflictError, NotFoundError
from node.records.rules_papers import PaperInvalidError

__all__ = ["PaperEventNotFoundError", "PaperExistsError", "PaperInvalidError", "PaperNotFoundError"]


class PaperNotFoundError(NotFoundError):
    """There is no such contract, delivery, guarantee or insurance that stands."""

    code = "paper-not-found"


class PaperEventNotFoundError(NotFoundError):
    """Nothing of the kind happened, or it stands no longer."""

    code = "paper-event-not-found"


class PaperExistsError(ConflictError):
    """A paper of this number is here already: what was wrong is corrected, not entered again."""

    code = "paper-exists"
