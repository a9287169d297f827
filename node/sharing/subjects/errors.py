"""What a subject, or who prepares a request for it, is refused for.

A stranger hears one error whatever was wrong: it does not tell whether a subject is known here.
"""

from __future__ import annotations

from node.core.errors import ConflictError, NotAuthenticatedError, NotFoundError, RejectedError


class RequestInvalidError(RejectedError):
    """A request for a consent is not made: what it asks for is none, too much or of nobody."""

    code = "consent-request-invalid"


class RequestNotFoundError(NotFoundError):
    """There is no such request."""

    code = "consent-request-not-found"


class RequestEndedError(ConflictError):
    """A request is signed, refused, withdrawn or over."""

    code = "consent-request-ended"


class RequestCodeError(NotAuthenticatedError):
    """A code opens no request: it is none, was used, or its time is over."""

    code = "consent-code-invalid"


class OtherTermsError(RejectedError):
    """What was signed is not what was asked for."""

    code = "consent-other-terms"


class SubjectProofError(NotAuthenticatedError):
    """It is not shown that the key of a subject known here is in hand."""

    code = "subject-proof-invalid"


class SubjectSessionError(NotAuthenticatedError):
    """There is no session of a subject, or it is over."""

    code = "subject-session-over"


class NotDeliveredError(RejectedError):
    """A provider has not taken a consent."""

    code = "consent-not-delivered"
