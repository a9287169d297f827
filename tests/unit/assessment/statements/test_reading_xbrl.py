"""An instance is read by context, unit and mapping; what is left out is said."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.assessment.statements.chart import CHART
from node.assessment.statements.concepts import CONCEPTS
from node.assessment.statements.errors import StatementFileError
from node.assessment.statements.reading import Draft, Given
from node.assessment.statements.reading_xbrl import read_instance
from node.assessment.statements.rules_checks import check_statement
from node.assessment.statements.rules_statement import Basis, Gaap, Unit
from tests.support.instances import (
    IFRS_FLOWS,
    IFRS_STOCKS,
    US_FLOWS,
    US_GAAP,
    US_STOCKS,
    build_facts,
    build_instance,
)

NOW, YEAR = build_facts(IFRS_STOCKS, "now"), build_facts(IFRS_FLOWS, "year")


def read(*more: str, given: Given | None = None) -> Draft:
    return read_instance(build_instance([*NOW, *YEAR, *more]), given=given or Given())


def list_notes(draft: Draft) -> list[tuple[str, str]]:
    return [(one.code, one.detail) for one in draft.findings]


def test_two_years_of_ifrs_are_read_with_their_opening_balances() -> None:
    draft = read_instance(build_instance(), given=Given())

    before, statement = draft.statements
    assert draft.findings == ()
    assert (before.year_end, statement.year_end) == (date(2024, 12, 31), date(2025, 12, 31))
    assert (statement.months, statement.currency, statement.unit) == (12, "EUR", Unit.THOUSANDS)
    assert (statement.gaap, statement.basis) == (Gaap.IFRS, Basis.CONSOLIDATED)
    assert statement.lines["receivables"] == 300 * 1000 * 100
    assert statement.lines["operating-cash-flow"] == 90 * 1000 * 100
    assert statement.opening["total-assets"] == 1000 * 1000 * 100
    assert "sales" not in statement.opening
    assert before.opening == {}
    for one in draft.statements:
        assert not check_statement(one, received_on=date(2026, 1, 1), today=date(2026, 1, 1))


def test_us_gaap_adds_elements_up_and_leaves_the_rest_unknown() -> None:
    facts = [*build_facts(US_STOCKS, "now"), *build_facts(US_FLOWS, "year")]

    (statement,) = read_instance(build_instance(facts, namespace=US_GAAP), given=Given()).statements

    assert statement.gaap is Gaap.US_GAAP
    assert statement.lines["intangible-assets"] == 80 * 1000 * 100
    assert statement.lines["net-profit"] == 75 * 1000 * 100
    assert "interest-expense" not in statement.lines
    assert "total-liabilities" not in statement.lines  # it follows, and is not read


@pytest.mark.parametrize(
    ("fact", "note"),
    [
        (build_facts({"Revenue": 7}, "segment")[0], ("dimensions", "1")),
        (build_facts({"Revenue": 7}, "quarter")[0], ("other-period", "1")),
        (build_facts({"BasicEarnings": 7}, "year")[0], ("unmapped", "1")),
        (
            '<t:Revenue contextRef="year" unitRef="USD" decimals="0">7</t:Revenue>',
            ("other-currency", "1"),
        ),
        (
            '<t:Revenue contextRef="year" unitRef="perShare" decimals="0">7</t:Revenue>',
            ("other-currency", "1"),
        ),
    ],
)
def test_what_is_left_out_is_counted_and_said(fact: str, note: tuple[str, str]) -> None:
    draft = read(fact)

    assert list_notes(draft) == [note]
    assert draft.statements == read().statements


def test_a_nil_fact_and_a_text_are_no_figures() -> None:
    draft = read(
        '<t:IssuedCapital contextRef="now" unitRef="EUR" xsi:nil="true"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>',
        '<t:IssuedCapital contextRef="now">a note of any length</t:IssuedCapital>',
    )

    assert draft == Draft(
        statements=read().statements, findings=(), document_sha256_hex=draft.document_sha256_hex
    )


@pytest.mark.parametrize(
    ("fact", "code"),
    [
        ('<t:Assets contextRef="now" unitRef="EUR" decimals="0">999</t:Assets>', "fact-conflict"),
        ('<t:Assets contextRef="gone" unitRef="EUR" decimals="0">1</t:Assets>', "context"),
        ('<t:Assets contextRef="now" unitRef="gone" decimals="0">1</t:Assets>', "context"),
        ('<t:IssuedCapital contextRef="now" unitRef="EUR">1e9</t:IssuedCapital>', "fact-number"),
        ('<t:IssuedCapital contextRef="now" unitRef="EUR"/>', "fact-number"),
        (
            '<t:IssuedCapital contextRef="now" unitRef="EUR" decimals="x">1</t:IssuedCapital>',
            "fact-number",
        ),
    ],
)
def test_a_fact_that_cannot_be_used_refuses_the_file_with_its_place(fact: str, code: str) -> None:
    draft = read(fact)

    (finding,) = draft.findings
    lines = build_instance([*NOW, *YEAR, fact]).decode().splitlines()
    assert draft.statements == ()
    assert finding.code == code
    assert (finding.line, finding.column) == (lines.index(fact) + 1, "1")


def test_the_same_fact_in_another_precision_is_no_conflict_and_the_finer_counts() -> None:
    fact = '<t:Assets contextRef="now" unitRef="EUR" decimals="INF">1000400.5</t:Assets>'

    draft = read(fact)

    assert list_notes(draft) == [("fact-twice", "Assets [now]")]
    assert draft.statements[0].lines["total-assets"] == 100_040_050


def test_one_coarse_fact_does_not_make_the_others_coarse() -> None:
    fact = '<t:IssuedCapital contextRef="now" unitRef="EUR" decimals="-6">1000000</t:IssuedCapital>'

    (statement,) = read(fact).statements

    assert statement.unit is Unit.THOUSANDS
    assert statement.lines["paid-in-capital"] == 100_000_000


def test_one_company_is_named_where_there_are_several() -> None:
    facts = [*build_facts(IFRS_STOCKS, "then"), *build_facts(IFRS_FLOWS, "before"), *NOW, *YEAR]
    raw = build_instance(facts, entities={"then": "LEI2", "before": "LEI2"})

    assert [one.code for one in read_instance(raw, given=Given()).findings] == ["several-entities"]
    (statement,) = read_instance(raw, given=Given(entity="LEI2")).statements
    assert statement.year_end == date(2024, 12, 31)


def test_days_with_a_time_or_zone_are_read_and_midnight_ends_the_day_before() -> None:
    raw = build_instance()
    raw = raw.replace(b"<instant>2025-12-31", b"<instant>2026-01-01T00:00:00")
    raw = raw.replace(b"<endDate>2025-12-31", b"<endDate>2025-12-31+08:00")

    assert (
        read_instance(raw, given=Given()).statements
        == read_instance(build_instance(), given=Given()).statements
    )


def test_a_fact_of_no_use_may_have_no_place_in_time() -> None:
    draft = read('<t:Shares contextRef="gone" unitRef="pure" decimals="0">1</t:Shares>')

    assert list_notes(draft) == [("unmapped", "1")]
    assert draft.statements


def test_one_year_can_be_taken_and_what_is_given_counts() -> None:
    given = Given(year_end=date(2024, 12, 31), basis=Basis.SINGLE)

    draft = read_instance(build_instance(), given=given)

    (statement,) = draft.statements
    assert (statement.year_end, statement.basis) == (date(2024, 12, 31), Basis.SINGLE)
    assert list_notes(draft) == [("other-period", "19")]


def test_a_cost_that_is_stated_negative_is_taken_as_a_cost_and_said() -> None:
    facts = [fact for fact in YEAR if "CostOfSales" not in fact]
    raw = build_instance([*NOW, *facts, *build_facts({"CostOfSales": -1000}, "year")])

    draft = read_instance(raw, given=Given())

    assert [one.code for one in draft.findings] == ["signed-cost"]
    assert draft.statements[0].lines["cost-of-sales"] == 100_000_000


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<xbrl/>",
        b"<html xmlns='http://www.w3.org/1999/xhtml'/>",
        b"<!DOCTYPE x [<!ENTITY e 'y'>]><xbrl xmlns='http://www.xbrl.org/2003/instance'>&e;</xbrl>",
        build_instance()[:-20],
        build_instance().replace(b"2025-12-31", b"2025-13-31"),
        build_instance().replace(b"UTF-8", b"no-such"),
        build_instance(["<t:a>" * 40 + "</t:a>" * 40]),
    ],
    ids=["empty", "no-namespace", "html", "doctype", "cut", "date", "encoding", "deep"],
)
def test_what_is_no_instance_is_refused(raw: bytes) -> None:
    with pytest.raises(StatementFileError):
        read_instance(raw, given=Given())


@given(st.integers(0, 4_000), st.integers(0, 255))
def test_a_changed_byte_gives_a_draft_or_a_typed_refusal(place: int, byte: int) -> None:
    raw = bytearray(build_instance())
    raw[place % len(raw)] = byte

    try:
        draft = read_instance(bytes(raw), given=Given())
    except StatementFileError:
        return
    assert draft.statements or draft.findings


def test_two_values_of_one_fact_are_said_with_element_context_and_both_values() -> None:
    fact = '<t:Assets contextRef="now" unitRef="EUR" decimals="-3">999000</t:Assets>'

    (finding,) = read(fact).findings

    assert finding.detail == "Assets [now]: now, 1000000 / 999000"


def test_a_context_that_stands_twice_with_another_day_refuses_its_facts() -> None:
    other = (
        '<context id="now"><entity><identifier scheme="x">LEI1</identifier></entity>'
        "<period><instant>2024-12-31</instant></period></context>"
    )

    codes = {one.code for one in read(other).findings}

    assert codes == {"context-twice"}
    assert read(other.replace("2024", "2025")).statements


def test_other_taxonomies_are_refused_by_name() -> None:
    raw = build_instance(namespace="http://example.org/taxonomy/2010-09-30/own")

    assert [one.code for one in read_instance(raw, given=Given()).findings] == ["taxonomy"]


def test_the_mapping_names_items_of_the_chart_alone() -> None:
    for table in CONCEPTS.values():
        assert table.keys() <= CHART.keys()
        assert {"total-assets", "total-equity", "sales", "net-profit"} <= table.keys()
