"""Whom a row of the access log is about, read from where it points. Pure.

A row points by numbers: an address of the API or console, or words of a command. A list of many
customers names nobody and is nobody's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# By the words of an address or command: under which name the thing's owner is looked up.
_KINDS = {
    "customers": "customer_id",
    "customer": "customer_id",
    "items": "item_id",
    "disputes": "dispute_id",
    "defaults": "default_id",
    "adverse-events": "event_id",
    "subject-notices": "notice_id",
    "objections": "objection_id",
    "promises": "promise_id",
    "contracts": "paper_id",
    "deliveries": "paper_id",
    "guarantees": "paper_id",
    "insurances": "paper_id",
    "covers": "paper_id",
    "papers": "paper_id",
    "holds": "hold_id",
    "decisions": "decision_id",
    "decision": "decision_id",
    "cases": "case_id",
}
_NUMBERED = re.compile(
    rf"(?:^|[/ ])({'|'.join(sorted(_KINDS, key=len, reverse=True))})[/ ]([0-9]{{1,18}})(?![0-9])"
)
_FACT = re.compile(r"(?:^|[/ ])adverse-facts/(event|default)-([0-9]{1,9})(?![0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointed:
    """What a row points at: the name under which its owner is found, and its number."""

    name: str
    number: int


def find_pointed(target: str) -> Pointed | None:
    """Return what a target points at first; None where it is nobody's."""
    fact = _FACT.search(target)
    if fact is not None:
        return Pointed(name=f"{fact[1]}_id", number=int(fact[2]))
    found = _NUMBERED.search(target)
    return None if found is None else Pointed(name=_KINDS[found[1]], number=int(found[2]))
