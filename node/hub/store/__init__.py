"""All SQL of the hub."""

from node.hub.store.admission import AdmissionStore, InvitationRow, KeyChangeRow
from node.hub.store.drafts import DraftRow, DraftStore
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
    "DraftRow",
    "DraftStore",
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
