"""An inline document is read by format, scale and sign; what is none of these is said."""

# ruff: noqa: RUF001  dashes are meant

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.assessment.statements.errors import StatementFileError
from node.assessment.statements.inline_xbrl import INLINE_DEPTH_MAX, read_figure
from node.assessment.statements.reading import Draft, Given
from node.assessment.statements.reading_xbrl import read_instance
from node.assessment.statements.rules_checks import check_statement
from node.assessment.statements.rules_statement import Gaap, Unit
from tests.support.inline import build_document, build_figure, build_figures
from tests.support.instances import IFRS_FLOWS, IFRS_STOCKS, build_instance

NEW = "http://www.xbrl.org/inlineXBRL/transformation/2020-02-12"
OLD = "http://www.xbrl.org/inlineXBRL/transformation/2010-04-20"
NOW, YEAR = build_figures(IFRS_STOCKS, "now"), build_figures(IFRS_FLOWS, "year")


def read(*more: str) -> Draft:
    return read_instance(build_document([*NOW, *YEAR, *more]), given=Given())


def list_codes(draft: Draft) -> list[str]:
    return [one.code for one in draft.findings]


def test_a_document_says_what_the_instance_with_the_same_figures_says() -> None:
    inline = read_instance(build_document(), given=Given())
    (_, instance) = read_instance(build_instance(), given=Given()).statements

    (statement,) = inline.statements
    assert inline.findings == ()
    assert statement == instance
    assert (statement.unit, statement.gaap) == (Unit.THOUSANDS, Gaap.IFRS)
    assert statement.year_end == date(2025, 12, 31)
    assert not check_statement(statement, received_on=date(2026, 1, 1), today=date(2026, 1, 1))


@pytest.mark.parametrize(
    ("text", "form", "scale", "sign", "value"),
    [
        ("1,234.5", (NEW, "num-dot-decimal"), "3", "", "1234500"),
        ("1 234\u00a0567", (NEW, "num-dot-decimal"), "0", "", "1234567"),
        ("12,34,567", (NEW, "num-dot-decimal"), "0", "", "1234567"),
        ("1.234,5", (NEW, "num-comma-decimal"), "6", "-", "-1234500000"),
        ("1234.5", (OLD, "numdotdecimal"), "0", "", "1234.5"),
        ("1,234.5", (OLD, "numcommadot"), "0", "", "1234.5"),
        ("1.234,5", (OLD, "numcommadecimal"), "-2", "", "12.345"),
        ("1 234,5", (OLD, "numspacecomma"), "0", "", "1234.5"),
        ("–", (OLD, "zerodash"), "3", "-", "0"),
        ("-", (OLD, "numdash"), "0", "", "0"),
        ("nil", (NEW, "fixed-zero"), "6", "", "0"),
        ("1234.5", ("", ""), "0", "", "1234.5"),
    ],
)
def test_a_figure_is_read_as_its_format_says(
    text: str, form: tuple[str, str], scale: str, sign: str, value: str
) -> None:
    found, fault, _ = read_figure(text, form=form, scale=scale, sign=sign)

    assert (found.rstrip("0").rstrip(".") if "." in found else found, fault) == (value, "")


@pytest.mark.parametrize(
    ("text", "form", "scale", "sign", "fault"),
    [
        ("1.234,5", (NEW, "num-dot-decimal"), "0", "", "fact-number"),
        ("1,234.5", (NEW, "num-comma-decimal"), "0", "", "fact-number"),
        ("(5)", (NEW, "num-dot-decimal"), "0", "", "fact-number"),
        ("-5", (NEW, "num-dot-decimal"), "0", "", "fact-number"),
        ("", (NEW, "num-dot-decimal"), "0", "", "fact-number"),
        ("1,234", ("", ""), "0", "", "fact-number"),
        ("0", (OLD, "zerodash"), "0", "", "fact-number"),
        ("five", (NEW, "num-words-en"), "0", "", "fact-format"),
        ("5", ("http://example.org/formats", "num-dot-decimal"), "0", "", "fact-format"),
        ("5", ("", "num-dot-decimal"), "0", "", "fact-format"),
        ("5", (NEW, "num-dot-decimal"), "99", "", "fact-scale"),
        ("5", (NEW, "num-dot-decimal"), "x", "", "fact-scale"),
        ("5", (NEW, "num-dot-decimal"), "0", "+", "fact-sign"),
    ],
)
def test_what_its_format_does_not_say_is_a_fault_and_no_guess(
    text: str, form: tuple[str, str], scale: str, sign: str, fault: str
) -> None:
    value, found, _ = read_figure(text, form=form, scale=scale, sign=sign)

    assert (value, found) == ("", fault)


@pytest.mark.parametrize(
    ("figure", "code", "detail"),
    [
        (
            build_figure("IssuedCapital", "now", "five", form="ixt:num-words-en"),
            "fact-format", "IssuedCapital [now]: num-words-en",
        ),
        (
            build_figure("IssuedCapital", "now", "5", form="odd:num-dot-decimal"),
            "fact-format", "IssuedCapital [now]: num-dot-decimal",
        ),
        (
            build_figure("IssuedCapital", "now", "n/a"),
            "fact-number", "IssuedCapital [now]: n/a",
        ),
        (
            build_figure("Assets", "now", "999"),
            "fact-conflict", "Assets [now]: now, 1000000 / 999000",
        ),
        (build_figure("Assets", "gone", "1"), "context", "Assets [gone]"),
    ],
)  # fmt: skip
def test_a_wrong_figure_refuses_the_file_by_element_context_and_place(
    figure: str, code: str, detail: str
) -> None:
    draft = read(figure)

    (finding,) = draft.findings
    lines = build_document([*NOW, *YEAR, figure]).decode().splitlines()
    assert draft.statements == ()
    assert (finding.code, finding.detail) == (code, detail)
    assert (finding.line, finding.column) == (lines.index(figure) + 1, "1")


def test_a_wrong_figure_of_an_element_that_is_not_read_refuses_nothing() -> None:
    draft = read(build_figure("NumberOfWorkers", "now", "five", form="ixt:num-words-en"))

    assert list_codes(draft) == ["unmapped"]
    assert draft.statements


def test_a_figure_that_stands_twice_is_said_and_counts_once() -> None:
    draft = read(build_figure("Assets", "now", "1,000"))

    assert [(one.code, one.detail) for one in draft.findings] == [("fact-twice", "Assets [now]")]
    assert draft.statements == read().statements


def test_markup_within_a_figure_is_looked_through_and_what_is_excluded_is_not() -> None:
    inner = "<span>1,2</span><b>34</b><ix:exclude> (note 5)</ix:exclude>"

    (statement,) = read(build_figure("IssuedCapital", "now", inner)).statements

    assert statement.lines["paid-in-capital"] == 1_234 * 1000 * 100


def test_figures_within_each_other_share_their_text() -> None:
    inner = build_figure("IssuedCapital", "now", "250")
    outer = build_figure("NoncontrollingInterests", "now", inner)

    (statement,) = read(outer).statements

    assert statement.lines["paid-in-capital"] == statement.lines["minority-interests"] == 25_000_000


def test_a_sign_makes_a_figure_negative() -> None:
    figures = [one for one in YEAR if "OperatingActivities" not in one]
    figure = build_figure("CashFlowsFromUsedInOperatingActivities", "year", "90", sign="-")
    draft = read_instance(build_document([*NOW, *figures, figure]), given=Given())

    assert draft.statements[0].lines["operating-cash-flow"] == -9_000_000


def test_nothing_and_other_documents_figures_are_left_out() -> None:
    draft = read(
        build_figure("IssuedCapital", "now", "", **{"xsi:nil": "true"}),
        build_figure("IssuedCapital", "now", "7", target="other"),
        build_figure("Revenue", "segment", "7"),
    )

    assert [(one.code, one.detail) for one in draft.findings] == [
        ("other-target", "1"), ("dimensions", "1"),
    ]  # fmt: skip
    assert draft.statements == read().statements


def test_figures_of_a_text_that_goes_on_elsewhere_are_read() -> None:
    text = '<ix:nonNumeric name="t:Note" contextRef="year" continuedAt="c1">A</ix:nonNumeric>'
    rest = f'<ix:continuation id="c1">{build_figure("IssuedCapital", "now", "5")}</ix:continuation>'

    draft = read(text, rest)

    assert draft.findings == ()
    assert draft.statements[0].lines["paid-in-capital"] == 500_000


@pytest.mark.parametrize(("first", "second"), [("c1", "x"), ("m", "n")], ids=["nowhere", "circle"])
def test_a_text_that_goes_on_nowhere_or_in_a_circle_is_warned_of(first: str, second: str) -> None:
    draft = read(
        f'<ix:continuation id="n" continuedAt="{first}">A</ix:continuation>',
        f'<ix:continuation id="m" continuedAt="{second}">B</ix:continuation>'
        if second == "n"
        else "",
    )

    assert [(one.code, one.detail) for one in draft.findings] == [("continuation", "n")]
    assert draft.statements


@pytest.mark.parametrize(
    "raw",
    [
        build_document()[:-20],
        build_document(["<p>no figures</p>"]).replace(b"ix:", b"x-"),
        b"<!DOCTYPE html>" + build_document().partition(b"\n")[2],
        build_document(["<div>" * INLINE_DEPTH_MAX + "</div>" * INLINE_DEPTH_MAX]),
    ],
    ids=["cut", "plain", "doctype", "deep"],
)
def test_what_is_no_inline_document_is_refused(raw: bytes) -> None:
    with pytest.raises(StatementFileError):
        read_instance(raw, given=Given())


@given(st.integers(0, 6_000), st.integers(0, 255))
def test_a_changed_byte_gives_a_draft_or_a_typed_refusal(place: int, byte: int) -> None:
    raw = bytearray(build_document())
    raw[place % len(raw)] = byte

    try:
        draft = read_instance(bytes(raw), given=Given())
    except StatementFileError:
        return
    assert draft.statements or draft.findings
