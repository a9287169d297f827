"""All SQL of the hub."""

from node.hub.store.admission import AdmissionStore, InvitationRow, KeyChangeRow
from node.hub.store.federation import (
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
