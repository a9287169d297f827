"""A table, wide or long, in both forms of numbers; nothing of a table with an error is used."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.assessment.statements.chart import CHART
from node.assessment.statements.errors import StatementFileError
from node.assessment.statements.reading import Draft, Given
from node.assessment.statements.reading_csv import build_template, read_statement_table
from node.assessment.statements.rules_statement import Assurance, Basis, Gaap, Statement, Unit
from node.records.importing.cells import AmountForm

WIDE = """code,item,2024-12-31,2025-12-31
currency,,CNY,CNY
unit,,thousands,千元
months,,,12
cash,货币资金,"1,234.5",(7)
total-assets,,"10,000",10001
opening.总资产,,,
opening.total-assets,,9000,
净利润,,-5,5-
"""
GIVEN = Given(basis=Basis.SINGLE, assurance=Assurance.TAX, gaap=Gaap.CAS)


def read(text: str, *, form: AmountForm = AmountForm.POINT, given: Given = GIVEN) -> Draft:
    return read_statement_table(text.encode(), form=form, given=given)


def test_a_wide_table_has_a_statement_a_column() -> None:
    draft = read(WIDE.replace("opening.总资产,,,\n", ""))

    before, statement = draft.statements
    assert draft.findings == ()
    assert before == Statement(
        year_end=date(2024, 12, 31),
        months=12,
        currency="CNY",
        unit=Unit.THOUSANDS,
        basis=Basis.SINGLE,
        assurance=Assurance.TAX,
        gaap=Gaap.CAS,
        lines={"cash": 123_450_000, "total-assets": 10**9, "net-profit": -500_000},
        opening={"total-assets": 900_000_000},
    )
    assert statement.lines == {
        "cash": -700_000,  # refused by the check, not by the reader
        "total-assets": 1_000_100_000,
        "net-profit": -500_000,
    }


def test_a_long_table_says_the_same() -> None:
    long = "year_end;code;amount\n" + "".join(
        f"2024-12-31;{code};{amount}\n"
        for code, amount in (
            ("currency", "CNY"), ("unit", "thousands"), ("cash", "1.234,5"),
            ("total-assets", "10.000"), ("opening.total-assets", "9000"), ("net-profit", "-5"),
        )
    )  # fmt: skip

    draft = read(long, form=AmountForm.COMMA)

    assert (
        draft.statements
        == read(
            WIDE.replace("opening.总资产,,,\n", ""),
            given=replace(GIVEN, year_end=date(2024, 12, 31)),
        ).statements
    )


@pytest.mark.parametrize("code", sorted(CHART))
def test_each_item_is_known_by_code_and_both_names(code: str) -> None:
    item = CHART[code]
    for name in (code, code.upper(), item.words.zh, item.words.en):
        draft = read(f'code,2025-12-31\ncurrency,CNY\nunit,ones\n"{name}",1\n')
        assert list(draft.statements[0].lines) == [code]


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ("cash,x", "cell-number", "2025-12-31"),
        ("cash,1.234", "cell-number", "2025-12-31"),  # a thousand in the other form
        ('cash,"1,23"', "cell-number", "2025-12-31"),
        ("cash,1e5", "cell-number", "2025-12-31"),
        ("cash,--5", "cell-number", "2025-12-31"),
        ("cash,-5-", "cell-number", "2025-12-31"),
        ("cash,(5", "cell-number", "2025-12-31"),
        ("cash,-(5)", "cell-number", "2025-12-31"),
        ("goodwill,5", "item-unknown", "code"),
        ("opening.goodwill,5", "item-unknown", "code"),
        ("货币资金,1\ncash,2", "cell-twice", "2025-12-31"),
        ("unit,bushels", "cell-value", "2025-12-31"),
        ("cash,1,2", "row-form", ""),
    ],
)
def test_what_cannot_be_read_is_named_by_line_and_column(row: str, code: str, column: str) -> None:
    unit = "" if row.startswith("unit") else "unit,ones\n"
    text = f"code,2025-12-31\ncurrency,CNY\n{unit}total-assets,1\n{row}\n"

    draft = read(text)

    (finding,) = draft.findings
    assert draft.statements == ()
    assert (finding.code, finding.column) == (code, column)
    assert finding.line == text.count("\n")


def test_the_head_is_of_the_file_or_given_and_never_guessed() -> None:
    draft = read("code,2025-12-31\ntotal-assets,1\n", given=Given(currency="CNY"))

    assert [(one.code, one.detail) for one in draft.findings] == [
        ("head-missing", name) for name in ("unit", "basis", "assurance", "gaap")
    ]


@pytest.mark.parametrize(
    ("currency", "unit", "text", "minor"),
    [
        ("CNY", "ones", "1.25", 125),
        ("JPY", "ones", "125", 125),
        ("JPY", "millions", "1.25", 1_250_000),
        ("KWD", "ones", "1.125", 1125),
        ("CNY", "ten-thousands", "1.25", 1_250_000),
        ("CNY", "万元", "\u22121", -1_000_000),
    ],
)
def test_amounts_become_minor_units_of_their_currency(
    currency: str, unit: str, text: str, minor: int
) -> None:
    table = f"code,2025-12-31\ncurrency,{currency}\nunit,{unit}\nnet-profit,{text}\n"

    assert read(table).statements[0].lines == {"net-profit": minor}


@pytest.mark.parametrize("is_long", [False, True])
def test_the_template_is_read_once_it_is_filled_in(*, is_long: bool) -> None:
    text = build_template(is_long=is_long, year_end=date(2025, 12, 31))
    empty = read(text)
    rows = [f"{row}7" if row.endswith(",") else row for row in text.splitlines()]

    draft = read("\n".join([*rows, ""]))

    assert [one.code for one in empty.findings] == ["no-statement"]
    assert draft.findings == ()
    assert draft.statements[0].lines == dict.fromkeys(CHART, 700)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"a,b\n1,2\n",
        b"code,2025-W01-1\ncash,1\n",
        b"code,amount\ncash,1\n",
        b"\x00\x01",
        b'code,2025-12-31\n"cash,1\n',
    ],
)
def test_what_is_no_such_table_is_refused(raw: bytes) -> None:
    with pytest.raises(StatementFileError):
        read_statement_table(raw, form=AmountForm.POINT, given=GIVEN)


def test_six_years_are_too_many() -> None:
    days = [f"{year}-12-31" for year in range(2019, 2025)]
    text = f"code,{','.join(days)}\ncurrency{',CNY' * 6}\nunit{',ones' * 6}\ncash{',1' * 6}\n"

    assert [one.code for one in read(text).findings] == ["too-many-years"]
    given = replace(GIVEN, year_end=date(2020, 12, 31))
    assert len(read(text, given=given).statements) == 1


@given(st.text(max_size=20), st.sampled_from(AmountForm))
def test_no_cell_whatever_does_more_than_give_a_finding(cell: str, form: AmountForm) -> None:
    quoted = cell.replace('"', '""')

    try:
        draft = read(f'code,2025-12-31\ncurrency,CNY\nunit,ones\ncash,"{quoted}"\n', form=form)
    except StatementFileError:
        return
    assert draft.statements or draft.findings
