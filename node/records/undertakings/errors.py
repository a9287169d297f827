"""Why something beside the ledger is not entered."""

from __future__ import annotations

from node.core.errors import ConflictError, NotFoundError, RejectedError


class DefaultInvalidError(RejectedError):
    """A default cannot be entered as described, or not as things are."""

    code = "default-invalid"


class DefaultNotFoundError(NotFoundError):
    """There is no such default, or nothing is to be said of it any more."""

    code = "default-not-found"


class SamePersonError(ConflictError):
    """Who proposed a default does not confirm it: another person does."""

    code = "same-person"


class PromiseInvalidError(RejectedError):
    """A promise to pay cannot be entered as described."""

    code = "promise-invalid"


class PromiseNotFoundError(NotFoundError):
    """There is no such promise that stands."""

    code = "promise-not-found"


class FactNotFoundError(NotFoundError):
    """There is no such adverse fact."""

    code = "adverse-fact-not-found"


class FactInvalidError(RejectedError):
    """Of an adverse fact this cannot be said, or not as things are."""

    code = "adverse-fact-invalid"


class NoticeInvalidError(RejectedError):
    """A notice to the subject cannot be recorded as described."""

    code = "notice-invalid"


class NoticeNotFoundError(NotFoundError):
    """There is no such notice that stands."""

    code = "notice-not-found"


class ObjectionNotFoundError(NotFoundError):
    """There is no such objection that is open."""

    code = "objection-not-found"
