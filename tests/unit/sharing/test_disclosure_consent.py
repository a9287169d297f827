"""What a consent lets through: whole sections and nothing else."""

from datetime import date
from typing import Any

import pytest

from node.sharing.disclosure import add_overdue_now, apply_consent
from schemas.summary import DELAY_CLASSES, Section, Summary

ALL = frozenset(Section)
AS_OF = date(2026, 2, 3)
HEAD: dict[str, Any] = {
    "v": 1,
    "kind": "payment-behaviour-summary",
    "formula": "pbs-1",
    "subject": "sim:1",
    "window": {"first": "2025-01", "last": "2025-12", "as_of": "2026-01-05"},
    "contributors": 1,
    "relation": {"years": "3-5", "last_sale": "<=3m"},
}
SHARED: dict[str, Any] = {
    "volume": {"n_invoices": "10-19"},
    "index": {"value": 75, "weighting": "count"},
    "delay": {
        "mix": {one.value: 100 if one == "in_terms" else 0 for one in DELAY_CLASSES},
        "dbt_days": 5,
        "dbt_weighting": "count",
        "worst": "in_terms",
    },
    "trend": {"direction": "same"},
    "disputes": {"count": "0", "share": "0"},
    "adverse": {"facts": []},
}


FULL = Summary.from_object(
    {**HEAD, **SHARED, "tier": "full", "money": {"currency": "EUR", "owing": "<10k"}}
)
MIX = Summary.from_object({**HEAD, **SHARED, "tier": "mix"})
CLASS = Summary.from_object({**HEAD, "tier": "class", "lateness": {"seen": "<=30"}})


def list_sections(summary: Summary | None) -> set[Section]:
    assert summary is not None
    return {one for one in Section if getattr(summary, one.value) is not None}


def test_a_consent_to_everything_changes_nothing() -> None:
    for summary in (FULL, MIX, CLASS):
        answer = apply_consent(summary, metrics=ALL)

        assert answer is not None
        assert answer.to_bytes() == summary.to_bytes()


def test_only_the_sections_named_are_answered() -> None:
    answer = apply_consent(FULL, metrics=frozenset({Section.INDEX, Section.ADVERSE}))

    assert list_sections(answer) == {Section.INDEX, Section.ADVERSE}


def test_an_answer_without_a_section_is_no_answer() -> None:
    assert apply_consent(MIX, metrics=frozenset({Section.MONEY, Section.LATENESS})) is None
    assert apply_consent(FULL, metrics=frozenset()) is None


def test_few_invoices_are_told_of_only_where_the_consent_names_their_lateness() -> None:
    assert apply_consent(CLASS, metrics=ALL - {Section.LATENESS}) is None
    assert list_sections(apply_consent(CLASS, metrics=frozenset({Section.LATENESS}))) == {
        Section.LATENESS
    }


@pytest.mark.parametrize("summary", [FULL, MIX, CLASS], ids=["full", "mix", "class"])
def test_the_present_overdue_class_is_told_in_every_tier_where_it_is_named(
    summary: Summary,
) -> None:
    present = add_overdue_now(summary, oldest_overdue_days=45, as_of=AS_OF)

    named = apply_consent(present, metrics=frozenset({Section.OVERDUE_NOW, Section.LATENESS}))
    unnamed = apply_consent(present, metrics=ALL - {Section.OVERDUE_NOW})

    assert named is not None
    assert named.overdue_now is not None
    assert (named.overdue_now.oldest, named.overdue_now.as_of) == ("31-60", "2026-02-03")
    assert unnamed is not None
    assert unnamed.to_bytes() == summary.to_bytes()


def test_the_release_itself_is_not_changed_by_an_answer() -> None:
    before = FULL.to_bytes()

    add_overdue_now(FULL, oldest_overdue_days=None, as_of=AS_OF)
    apply_consent(FULL, metrics=frozenset({Section.INDEX}))

    assert FULL.to_bytes() == before


def test_an_answer_reads_back_as_a_summary() -> None:
    present = add_overdue_now(FULL, oldest_overdue_days=None, as_of=AS_OF)
    answer = apply_consent(present, metrics=frozenset({Section.OVERDUE_NOW, Section.MONEY}))

    assert answer is not None
    assert Summary.from_bytes(answer.to_bytes()) == answer
