"""Errors of the decision room."""

from __future__ import annotations

from node.core.errors import ConflictError, ForbiddenError, NotFoundError, RejectedError


class DecisionNotFoundError(NotFoundError):
    """There is no such decision."""

    code = "decision-not-found"


class DeputyNotFoundError(NotFoundError):
    """There is no such deputy who stands and was named by whoever asks."""

    code = "deputy-not-found"


class DecisionStateError(ConflictError):
    """The decision is not in a state in which this can be done."""

    code = "decision-state"


class DecisionOpenError(ConflictError):
    """Another decision on the customer waits: it is decided or withdrawn first."""

    code = "decision-open"


class DecisionStaleError(ConflictError):
    """What the proposal rests on has changed, or it is too old: propose anew."""

    code = "decision-stale"


class DecisionKeyReusedError(ConflictError):
    """The idempotency key stands for another proposal."""

    code = "idempotency-key-reused"


class NotApprovedError(ConflictError):
    """Not everybody whom the amount asks for has approved."""

    code = "decision-not-approved"


class DecisionSamePersonError(ConflictError):
    """One person, or one authority, would act twice where two are needed."""

    code = "decision-same-person"


class NoAuthorityError(ForbiddenError):
    """The role does not reach the amount, in its own right or as a deputy."""

    code = "decision-no-authority"


class GradeHiddenError(ForbiddenError):
    """The grade of a decision rests on what peers have said, which is not for whoever would act."""

    code = "decision-grade-hidden"


class DutyConflictError(ForbiddenError):
    """A duty of the person stands against it: sales, or the operator's token."""

    code = "decision-duty-conflict"


class DecisionInvalidError(RejectedError):
    """What is to be decided breaks a rule of the policy; the text names it."""

    code = "decision-invalid"


class HumanReviewMissingError(RejectedError):
    """A decision on a natural person states what the person who decides has looked at."""

    code = "decision-human-review"


class DeputyInvalidError(RejectedError):
    """Somebody cannot be named as deputy: himself, for too long, or nobody who has a token."""

    code = "deputy-invalid"
