"""What the hub refuses beyond what the protocol refuses."""

from __future__ import annotations

from node.core.errors import ConflictError, NotFoundError, RejectedError, UnavailableError


class LegalBasisMissingError(RejectedError):
    """The operator has recorded no legal-basis statement: the hub stays off."""

    code = "legal-basis-missing"


class HubIdentityError(RejectedError):
    """Id, keys or kind of federation differ from those that the published chain was made with."""

    code = "hub-identity"


class MemberExistsError(ConflictError):
    """The name is enrolled with other keys or another log; a key change is not an enrolment."""

    code = "member-exists"


class MemberSuspendedError(ConflictError):
    """A suspended member does not come back by enrolling again."""

    code = "member-suspended"


class KeyTakenError(ConflictError):
    """The key has an owner or a use already."""

    code = "key-taken"


class SubjectExistsError(ConflictError):
    """The commitment has another key or document; a new key asks for the hub's own check."""

    code = "subject-exists"


class DocumentMismatchError(RejectedError):
    """The paper that was seen is not the one whose hash the enrolment carries."""

    code = "document-mismatch"


class SimulatedSubjectError(RejectedError):
    """A simulated subject has no place in a real federation."""

    code = "subject-simulated"


class MemberUnknownError(NotFoundError):
    """No member has this name."""

    code = "member-unknown"


class SubjectUnknownError(NotFoundError):
    """No subject has this commitment."""

    code = "subject-unknown"


class KeyNotHeldError(NotFoundError):
    """No member or subject has this key."""

    code = "key-unknown"


class RevocationConflictError(ConflictError):
    """Another end of this key stands, or one may not be set for that time."""

    code = "revocation-conflict"


class InvitationInvalidError(RejectedError):
    """No invitation has this token, or it is for somebody or something else, or it has ended."""

    code = "invitation-invalid"


class InvitationUsedError(ConflictError):
    """An invitation admits once."""

    code = "invitation-used"


class DraftUnknownError(NotFoundError):
    """No snapshot waits for signatures, or it is another one than was signed."""

    code = "draft-unknown"


class DraftWaitsError(ConflictError):
    """Somebody has signed the snapshot that waits: a change like this follows it."""

    code = "draft-waits"


class ThresholdInvalidError(RejectedError):
    """As many signatures as that could not be made, or none would be needed."""

    code = "threshold-invalid"


class SnapshotUnknownError(NotFoundError):
    """The registry has no snapshot of this number."""

    code = "snapshot-unknown"


class CheckpointUnknownError(NotFoundError):
    """No head of such a log has been cosigned here."""

    code = "checkpoint-unknown"


class StatusConflictError(ConflictError):
    """The signer has reported a later status, another of the same number, or a final one."""

    code = "status-conflict"


class StatusListFullError(UnavailableError):
    """The status list, or the signer's share of it, is full."""

    code = "status-list-full"


class RegistryFullError(UnavailableError):
    """A snapshot with one more entry would exceed the limits of the protocol."""

    code = "registry-full"


class SnapshotRaceError(UnavailableError):
    """Another process has published this number first: try again."""

    code = "snapshot-race"


class TileUnknownError(NotFoundError):
    """The hub's log has no such tile at its newest head."""

    code = "tile-unknown"


class HubLogSizeError(ConflictError):
    """The asker has seen more of the hub's log than there is."""

    code = "log-size"


class HubLogHeldError(UnavailableError):
    """The hub signs nothing: whether its log may grow is not known, or it may not."""

    code = "log-unavailable"
