"""Proposals under an idempotency key: the same one again is the one of before."""

from __future__ import annotations

import json

from node.core.database import UnitOfWork
from node.decision.asked import Asked
from node.decision.errors import DecisionKeyReusedError
from node.decision.evidence import hash_inputs
from node.decision.record import DecisionRecord
from node.decision.store import DecisionStore


def hash_request(customer_id: int, asked: Asked, *, by: str) -> str:
    """Return the hash by which two proposals under one key are told apart."""
    wish = asked.wish
    members = [customer_id, wish.currency, wish.limit_minor, wish.need_year_minor]
    named = [] if asked.application_id is None else [asked.application_id]
    return hash_inputs(json.dumps([*members, asked.buyer.value, asked.terms_days, by, *named]))


def get_repeated(uow: UnitOfWork, known: tuple[int, str | None], request: str) -> DecisionRecord:
    """Return the decision that an idempotency key stands for.

    Raises:
        DecisionKeyReusedError: The key stands for another proposal.
    """
    decision_id, first = known
    found = DecisionStore(uow.connection).find(decision_id)
    if first != request or found is None:
        raise DecisionKeyReusedError("this key stands for another proposal")
    return found
