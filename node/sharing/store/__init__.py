"""All SQL of the sharing room, by subject: exchanges and consents, registry snapshots, releases."""

from node.sharing.store.exchanging import (
    CODE_GIVEN_UP,
    CODE_OPEN,
    INSERT_INCOMING,
    INSERT_ITEM,
    INSERT_OUTGOING,
    INSERT_PAYLOAD,
    INSERT_SUMMARY,
    HeldConsent,
    OutgoingExchange,
    SharingStore,
    StoredAnswer,
)
from node.sharing.store.heads import HeadStore
from node.sharing.store.keys import ForkStore, OwnKeyStore
from node.sharing.store.questions import QuestionStore
from node.sharing.store.releases import ReleaseStore, StoredRelease
from node.sharing.store.snapshots import SnapshotStore

__all__ = [
    "CODE_GIVEN_UP",
    "CODE_OPEN",
    "INSERT_INCOMING",
    "INSERT_ITEM",
    "INSERT_OUTGOING",
    "INSERT_PAYLOAD",
    "INSERT_SUMMARY",
    "ForkStore",
    "HeadStore",
    "HeldConsent",
    "OutgoingExchange",
    "OwnKeyStore",
    "QuestionStore",
    "ReleaseStore",
    "SharingStore",
    "SnapshotStore",
    "StoredAnswer",
    "StoredRelease",
]
