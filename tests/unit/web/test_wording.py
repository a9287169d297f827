# ruff: noqa: RUF001  the console writes ranges with an en dash

import pytest

from node.assessment.policy import EvidenceValue
from node.assessment.policy_file import Language
from node.web.texts import Texts
from node.web.wording import (
    list_absent,
    say_change,
    say_code,
    say_deci,
    say_money,
    say_sections,
    say_time,
    say_value,
)
from schemas.summary import Section
from tests.support.console_node import build_summary

EN, ZH = Texts(Language.EN), Texts(Language.ZH)


def test_money_has_its_currency_and_its_thousands() -> None:
    assert say_money(-123_456_789, "CNY") == "CNY\u00a0\N{MINUS SIGN}1,234,567.89"
    assert say_money(1_000, "JPY") == "JPY\u00a01,000"


def test_what_cannot_be_computed_is_said_and_not_zero() -> None:
    assert say_deci(None, EN) == "not computable"
    assert say_deci(0, EN) == "0.0"


@pytest.mark.parametrize(
    ("change_deci", "words"),
    [(0, "no change"), (12, "▲ +1.2"), (-12, "▼ \N{MINUS SIGN}1.2")],
)
def test_a_change_has_words_or_an_arrow_with_its_sign(change_deci: int, words: str) -> None:
    assert say_change(change_deci, EN) == words


@pytest.mark.parametrize(
    ("reads", "value", "words"),
    [
        (EvidenceValue.INDEX_DECI, None, "no data"),
        (None, 5, "no data"),
        (EvidenceValue.INDEX_DECI, 805, "80.5"),
        (EvidenceValue.DBT_DECI, 35, "3.5 days"),
        (EvidenceValue.LATE_PERMILLE, 125, "12.5 %"),
        (EvidenceValue.WORST_RANK, 8, "due and unpaid"),
        (EvidenceValue.OVERDUE_DAYS, 0, "nothing overdue"),
        (EvidenceValue.OVERDUE_DAYS, 41, "41 days"),
        (EvidenceValue.RELATION_MONTHS, 11, "11 months"),
        (EvidenceValue.TREND_DECI, -10, "worse than the window before"),
        (EvidenceValue.TREND_DECI, 0, "the same as the window before"),
        (EvidenceValue.TREND_DECI, 10, "better than the window before"),
        (EvidenceValue.ADVERSE_RANK, 0, "none known"),
        (EvidenceValue.ADVERSE_RANK, 1, "settled ones only"),
        (EvidenceValue.ADVERSE_RANK, 4, "unsettled ones"),
    ],
)
def test_a_figure_is_written_with_its_unit_or_in_words(
    reads: EvidenceValue | None, value: int | None, words: str
) -> None:
    assert say_value(reads, value, EN) == words


@pytest.mark.parametrize("reads", EvidenceValue)
@pytest.mark.parametrize("texts", [EN, ZH], ids=["en", "zh"])
def test_every_figure_of_the_scorecard_can_be_written(reads: EvidenceValue, texts: Texts) -> None:
    assert say_value(reads, 1, texts)


@pytest.mark.parametrize("texts", [EN, ZH], ids=["en", "zh"])
@pytest.mark.parametrize("tier", ["full", "mix", "class"])
def test_every_section_that_is_held_is_said_and_the_others_are_named(
    tier: str, texts: Texts
) -> None:
    summary = build_summary("sim:C000001", tier=tier)

    said = {section.name for section in say_sections(summary, texts)}
    held = [section for section in Section if getattr(summary, section.value) is not None]
    assert said == {texts(f"section.{section.value}") for section in held}
    assert list_absent(summary, texts) == ""


def test_a_section_that_a_consent_dropped_is_named_as_absent() -> None:
    summary = build_summary("sim:C000001").model_copy(update={"money": None, "trend": None})

    assert list_absent(summary, EN) == "Money, Trend"


def test_a_summary_reads_as_plain_sentences() -> None:
    words = {one.name: one.words for one in say_sections(build_summary("sim:C000001"), EN)}

    assert words["Relation"] == "has sold to it for 3–5 years, last within 3 months"
    assert words["Money"] == (
        "paid CNY\u00a01,000,000–2,000,000, highest balance withheld, "
        "owing CNY\u00a0200,000–500,000, past due CNY\u00a0under 10,000"
    )
    assert words["Adverse facts"] == "collection (2025-Q4, settled)"
    assert words["Disputes"] == "1–2 invoices in dispute, under 5 % of the invoices"


def test_a_code_from_outside_without_words_stands_for_itself() -> None:
    assert say_code("code", "consent-revoked", ZH) == "已拒绝：授权已撤回"
    assert say_code("code", "clock-skew", ZH) == "clock-skew"


def test_a_moment_is_written_in_utc_to_the_minute() -> None:
    assert say_time(1_782_820_800_000) == "2026-06-30 12:00"
