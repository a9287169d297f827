"""Why of an adverse fact, its notices or objections something is not entered."""

from __future__ import annotations

from node.core.errors import NotFoundError, RejectedError


class FactNotFoundError(NotFoundError):
    """There is no such adverse fact."""

    code = "adverse-fact-not-found"


class FactInvalidError(RejectedError):
    """Of an adverse fact this cannot be said, or not as things are."""

    code = "adverse-fact-invalid"


class FactRefutedError(RejectedError):
    """An objection to this is open, was upheld or suppressed: it is not entered again."""

    code = "adverse-fact-refuted"


class NoticeInvalidError(RejectedError):
    """A notice to the subject cannot be recorded as described."""

    code = "notice-invalid"


class NoticeNotFoundError(NotFoundError):
    """There is no such notice that stands."""

    code = "notice-not-found"


class ObjectionNotFoundError(NotFoundError):
    """There is no such objection that is open."""

    code = "objection-not-found"
