"""All SQL of dunning."""

from node.risk.dunning.store.charges import ChargePlace, ChargeStore
from node.risk.dunning.store.letters import LetterStore
from node.risk.dunning.store.owed import OwedStore
from node.risk.dunning.store.records import (
    Charge,
    DunningRun,
    Hold,
    Letter,
    LetterEvent,
    RemindedItem,
    Settlement,
)
from node.risk.dunning.store.runs import DunningRunStore
from node.risk.dunning.store.versions import map_versions

__all__ = [
    "Charge",
    "ChargePlace",
    "ChargeStore",
    "DunningRun",
    "DunningRunStore",
    "Hold",
    "Letter",
    "LetterEvent",
    "LetterStore",
    "OwedStore",
    "RemindedItem",
    "Settlement",
    "map_versions",
]
