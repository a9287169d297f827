"""What can be wrong with a policy, or with what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.core.errors import ConflictError, InvariantError, NotFoundError, RejectedError


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFault:
    """One thing that is wrong: where in the file, member by member, and why."""

    place: tuple[str | int, ...]
    message: str

    @property
    def path(self) -> str:
        """Write the place as one text: ``factors.3.steps``; empty for the whole file."""
        return ".".join(str(part) for part in self.place)


class PolicyFaultyError(RejectedError):
    """A file is no policy of its kind; ``faults`` says of each member what is wrong."""

    code = "policy-invalid"

    def __init__(self, detail: str, *, faults: Sequence[PolicyFault] = ()) -> None:
        """Keep every fault for whoever edits."""
        super().__init__(detail)
        self.faults = tuple(faults)


class PolicyKindUnknownError(RejectedError):
    """No room has registered policies of this kind."""

    code = "policy-kind-unknown"


class PolicyNotFoundError(NotFoundError):
    """There is no such version of a policy."""

    code = "policy-not-found"


class PolicyNoneActiveError(InvariantError):
    """A kind has no active version, though one was entered at the first start."""

    code = "policy-none-active"


class PolicyNameError(RejectedError):
    """A version of the house's own has an id that ships, or its name changed while edited."""

    code = "policy-name"


class PolicyEntryError(RejectedError):
    """A name or a reason is missing, too long or not printable."""

    code = "policy-entry"


class PolicyTakenError(ConflictError):
    """There is a version of this number already."""

    code = "policy-version-taken"


class PolicyChangedError(ConflictError):
    """The text is another one than the person has seen."""

    code = "policy-changed"


class PolicyNotPreviewedError(ConflictError):
    """Its effect on the portfolio was not looked at beside what is active now."""

    code = "policy-not-previewed"


class PolicyDayError(RejectedError):
    """Nothing is planned for this day: it is not to come, or too far away."""

    code = "policy-day"


class PolicyPlannedError(ConflictError):
    """A version of the kind is to become active on a later day: that is withdrawn first."""

    code = "policy-planned"


class PolicyNotPlannedError(ConflictError):
    """The version is not to become active on a later day."""

    code = "policy-not-planned"
