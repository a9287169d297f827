"""Criteria of a rating scale as data: caps by evidence, and triggers that lower a grade.

Both are conditions over facts that are known on the day of the rating, each with words of its own.
A cap says how good a grade may be at best on such evidence; a trigger lowers a grade by notches, or
to one at most. Neither leads to the grade of a default or away from it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from node.assessment.policy import ConfidenceLevel
from node.assessment.policy_file import Identifier, LocalText
from schemas.wire import WireModel

CRITERIA_MAX = 32  # of each sort
NOTCHES_MAX = 10
FIGURE_MAX = 100_000

AdverseKind = Literal["collection", "write_off", "legal", "insolvency"]
Figure = Annotated[int, Field(ge=-FIGURE_MAX, le=FIGURE_MAX)]
Symbol = Annotated[str, Field(pattern=r"^[A-Z]{1,4}[+-]?$")]


class Fact(StrEnum):
    """What a condition reads; each number is in the unit that its name ends in, or a count."""

    OWN_INVOICES = "own_invoices"  # rated ones of the newest twelve released months
    STATEMENT_MONTHS = "statement_months"  # whole months since the newest statement's year ended
    SOURCES_BESIDE_PEERS = "sources_beside_peers"  # sorts of evidence that were used
    CONFIDENCE = "confidence"
    OVERDUE_DAYS = "overdue_days"  # of the oldest item that is overdue and not in dispute
    DISHONOURED_BILLS = "dishonoured_bills"  # within 365 days
    BROKEN_PROMISES = "broken_promises"  # within 365 days
    ALTMAN_CENTI = "altman_centi"  # Z″ of the newest statement
    LISTED = "listed"  # public lists with an entry that has not ended
    OWN_ADVERSE = "own_adverse"
    PEERS_ADVERSE = "peers_adverse"


KIND_FACTS = frozenset({Fact.OWN_ADVERSE, Fact.PEERS_ADVERSE})
INCIDENT_FACTS = frozenset({Fact.DISHONOURED_BILLS, Fact.BROKEN_PROMISES})


class Condition(WireModel):
    """One statement about one fact: exactly one of the ways in which it can hold.

    A number that is not known is neither below nor at least anything: that it is missing is asked
    for by itself.
    """

    fact: Fact
    is_missing: Literal[True] | None = None
    at_least: Figure | None = None
    below: Figure | None = None
    below_level: ConfidenceLevel | None = None
    kinds: Annotated[tuple[AdverseKind, ...], Field(min_length=1, max_length=4)] | None = None

    @model_validator(mode="after")
    def _check_one_way(self) -> Self:
        ways = [
            name
            for name in ("is_missing", "at_least", "below", "below_level", "kinds")
            if getattr(self, name) is not None
        ]
        if len(ways) != 1:
            raise ValueError("a condition holds in exactly one way")
        is_of_kinds, is_of_level = self.fact in KIND_FACTS, self.fact is Fact.CONFIDENCE
        if (ways == ["kinds"]) != is_of_kinds or (ways == ["below_level"]) != is_of_level:
            raise ValueError(f"{ways[0]} does not go with {self.fact.value}")
        return self


class Cap(WireModel):
    """On such evidence a grade is at best this one."""

    id: Identifier
    names: LocalText
    when: Condition
    best: Symbol


class Trigger(WireModel):
    """Such a fact lowers a grade by notches, or to one at most."""

    id: Identifier
    names: LocalText
    when: Condition
    notches: Annotated[int, Field(ge=1, le=NOTCHES_MAX)] | None = None
    at_most: Symbol | None = None

    @model_validator(mode="after")
    def _check_one_effect(self) -> Self:
        if (self.notches is None) == (self.at_most is None):
            raise ValueError("a trigger lowers by notches, or to a grade at most")
        return self


Caps = Annotated[tuple[Cap, ...], Field(min_length=1, max_length=CRITERIA_MAX)]
Triggers = Annotated[tuple[Trigger, ...], Field(min_length=1, max_length=CRITERIA_MAX)]
