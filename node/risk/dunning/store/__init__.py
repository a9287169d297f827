"""All SQL of dunning."""

from node.risk.dunning.store.letters import LetterStore
from node.risk.dunning.store.owed import OwedStore
from node.risk.dunning.store.records import DunningRun, Hold, Letter, LetterEvent
from node.risk.dunning.store.runs import DunningRunStore

__all__ = [
    "DunningRun",
    "DunningRunStore",
    "Hold",
    "Letter",
    "LetterEvent",
    "LetterStore",
    "OwedStore",
]
