"""The state of a received summary: the first reason that holds."""

from __future__ import annotations

from dataclasses import fields

import pytest

from node.assessment.engine_texts import ENGINE_TEXTS
from node.assessment.rules_peers import LeftOut
from node.sharing.rules_state import SummaryFacts, SummaryState, judge_state


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (SummaryFacts(), "usable"),
        (SummaryFacts(is_objected=True, is_erased=True, is_revoked=True), "disputed"),
        (SummaryFacts(is_superseded=True, has_successor=True), "corrected"),
        (
            SummaryFacts(
                is_superseded=True, has_successor=True, superseded_reason="subject-objected"
            ),
            "corrected",
        ),
        (SummaryFacts(is_superseded=True, superseded_reason="records-corrected"), "withdrawn"),
        (SummaryFacts(is_superseded=True), "withdrawn"),
        (SummaryFacts(is_superseded=True, superseded_reason="subject-objected"), "disputed"),
        (SummaryFacts(is_revoked=True, may_rate=False), "revoked"),
        (SummaryFacts(is_erased=True, erase_basis="revoked"), "revoked"),
        (SummaryFacts(is_erased=True, erase_basis="data-life"), "expired"),
        (SummaryFacts(is_erased=True, erase_basis="request"), "erased"),
        (SummaryFacts(is_erased=True), "erased"),
        (SummaryFacts(is_over=True), "expired"),
        (SummaryFacts(may_rate=False, is_member=False), "not-for-rating"),
        (SummaryFacts(is_member=False, is_own_group=True), "not-a-member"),
        (SummaryFacts(is_own_group=True, is_readable=False), "own-group"),
        (SummaryFacts(is_readable=False), "unreadable"),
    ],
    ids=str,
)
def test_the_first_reason_that_holds_is_told(facts: SummaryFacts, state: str) -> None:
    assert judge_state(facts) == state


def test_every_fact_against_a_summary_takes_it_out() -> None:
    good = SummaryFacts()
    flags = [one.name for one in fields(good) if isinstance(getattr(good, one.name), bool)]
    # That there is a successor says nothing alone.
    against = [name for name in flags if name != "has_successor"]
    values = {name: getattr(good, name) for name in flags}

    states = [judge_state(SummaryFacts(**{**values, name: not values[name]})) for name in against]

    assert SummaryState.USABLE not in states
    assert len(against) == 9


def test_every_state_and_reason_has_words() -> None:
    codes = {f"left-out.{state}" for state in SummaryState if state is not SummaryState.USABLE}

    assert codes | {LeftOut.SAME_GROUP, LeftOut.CONSOLIDATED} == set(ENGINE_TEXTS)
