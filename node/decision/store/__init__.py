"""All SQL of the decision room."""

from node.decision.store.decisions import APPROVER, MAKER, DecisionStore, NewDecision
from node.decision.store.deputies import DeputyStore

__all__ = ["APPROVER", "MAKER", "DecisionStore", "DeputyStore", "NewDecision"]
