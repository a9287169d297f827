"""All SQL of the hub."""

from node.hub.store.admission import AdmissionStore, InvitationRow, KeyChangeRow
from node.hub.store.federation import (
    DraftRow,
    HubStore,
    KeyRow,
    MemberRow,
    Snapshot,
    SnapshotHead,
    StatusRow,
    StatusSizes,
    SubjectRow,
    WitnessedLog,
)

__all__ = [
    "AdmissionStore",
    "DraftRow",
    "HubStore",
    "InvitationRow",
    "KeyChangeRow",
    "KeyRow",
    "MemberRow",
    "Snapshot",
    "SnapshotHead",
    "StatusRow",
    "StatusSizes",
    "SubjectRow",
    "WitnessedLog",
]
