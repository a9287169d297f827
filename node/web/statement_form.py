"""The form of financial statements: a column a year, read into statements or errors by field.

What was typed is kept whatever becomes of it. Findings of the checks stand beside the field that
they are of; those of no field stand above the form.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.policy_file import Language
from node.assessment.statements.chart import CHART, Part
from node.assessment.statements.rules_findings import Finding, Severity
from node.assessment.statements.rules_statement import (
    MONTHS_MAX,
    MONTHS_OF_YEAR,
    YEARS_SHOWN_MAX,
    Assurance,
    Basis,
    Gaap,
    Provenance,
    Source,
    Statement,
    Unit,
)
from node.assessment.statements.store import StatementVersion
from node.assessment.statements.wording import say
from node.assessment.statements.written import parse_written, write_amount
from node.core.files import SHA256_FORM
from node.core.money import format_amount
from node.records.importing.cells import AmountForm
from node.records.tables import REASON_CHARS_MAX
from node.web.texts import Texts
from node.web.typed import Typed
from node.web.wording import MINUS

FIELDS_MAX = (YEARS_SHOWN_MAX + 1) * len(CHART) + 3 * YEARS_SHOWN_MAX + 20
_MONTHS = re.compile(r"[0-9]{1,2}")
_EMPTY = frozenset({"", "-", "\u2013", "\u2014"})
# Findings of a head's field, and of which one.
_HEAD_OF = {
    "months": "months.{year}",
    "short-period": "months.{year}",
    "year-end": "year_end.{year}",
    "too-old": "year_end.{year}",
    "currency": "currency",
    "document-hash": "document_sha256_hex",
    "no-balance": "line.{year}.total-assets",
}


_NO_FIGURE = {
    AmountForm.POINT: "typed.figure-point",
    AmountForm.COMMA: "typed.figure-comma",
}
_LABELS = {
    "currency": "statements.form.currency",
    "unit": "statements.form.unit",
    "numbers": "statements.form.numbers",
    "basis": "statements.basis",
    "gaap": "statements.gaap",
    "received_on": "statements.received",
    "document_sha256_hex": "enter.document-hash",
    "reason": "enter.reason",
    "year_end": "statements.year-end",
    "months": "statements.months",
    "assurance": "statements.assurance",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRow:
    """One item: its name, and what the years beside the form say of it."""

    code: str
    name: str
    is_total: bool
    has_opening: bool
    beside: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPart:
    """One statement with its items."""

    name: str
    rows: tuple[FormRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadForm:
    """What a form says: its statements by column, and where they came from."""

    statements: Mapping[int, Statement]
    provenance: Provenance
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarks:
    """What is said of a form: beside its fields, and above it."""

    fields: Mapping[str, tuple[str, ...]]
    warnings: Mapping[str, tuple[str, ...]]
    others: tuple[tuple[str, str], ...]
    """Severity and words of what is of no field."""


NO_REMARKS = Remarks(fields={}, warnings={}, others=())


def count_columns(typed: Typed) -> int:
    """Return how many years a form has columns for."""
    text = typed.raw("years")
    asked = int(text) if re.fullmatch("[1-9]", text) else 1
    return min(asked, YEARS_SHOWN_MAX)


def read_form(typed: Typed, *, fixed: Statement | None = None) -> ReadForm:
    """Read a form; what cannot be read is noted in ``typed.errors``.

    Of a correction, the year's end and the basis are ``fixed``. A column in which nothing is typed
    is no year, unless it is the only one.
    """
    columns = 1 if fixed is not None else count_columns(typed)
    filled = [one for one in range(1, columns + 1) if one == 1 or _is_filled(typed, one)]
    currency = typed.currency("currency")
    unit = Unit(typed.choice("unit", list(Unit)))
    basis = Basis(typed.choice("basis", list(Basis))) if fixed is None else fixed.basis
    gaap = Gaap(typed.choice("gaap", list(Gaap)))
    numbers = AmountForm(typed.choice("numbers", list(AmountForm)))
    typed_in = Unit.ONES if typed.raw("typed_in") == Unit.ONES.value else unit
    figures = _FigureReader(typed, numbers=numbers, currency=currency, unit=typed_in)
    statements = {
        year: Statement(
            year_end=fixed.year_end if fixed is not None else typed.day(f"year_end.{year}"),
            months=_read_months(typed, f"months.{year}"),
            currency=currency,
            unit=unit,
            basis=basis,
            assurance=Assurance(typed.choice(f"assurance.{year}", list(Assurance))),
            gaap=gaap,
            lines=figures.read(f"line.{year}", stocks_alone=False),
            opening=figures.read("opening", stocks_alone=True) if year == 1 else {},
        )
        for year in filled
    }
    _check_years(typed, statements)
    document = typed.raw("document_sha256_hex").casefold()
    if document and not SHA256_FORM.fullmatch(document):
        typed.refuse("document_sha256_hex", "typed.hash")
    return ReadForm(
        statements=statements,
        provenance=Provenance(
            source=Source.ENTERED,
            document_sha256_hex=document or None,
            received_on=typed.day("received_on"),
        ),
        reason="" if fixed is None else typed.text("reason", chars_max=REASON_CHARS_MAX),
    )


class _FigureReader:
    """Reads the figures of a column."""

    def __init__(self, typed: Typed, *, numbers: AmountForm, currency: str, unit: Unit) -> None:
        self._typed = typed
        self._numbers = numbers
        self._currency = currency
        self._unit = unit

    def read(self, prefix: str, *, stocks_alone: bool) -> dict[str, int]:
        found: dict[str, int] = {}
        for code, item in CHART.items():
            name = f"{prefix}.{code}"
            text = self._typed.raw(name)
            if text in _EMPTY or (stocks_alone and not item.part.is_stock):
                continue
            amount_minor = parse_written(
                text, form=self._numbers, currency=self._currency, unit=self._unit
            )
            if amount_minor is None:
                self._typed.refuse(name, _NO_FIGURE[self._numbers])
            else:
                found[code] = amount_minor
        return found


def _is_filled(typed: Typed, year: int) -> bool:
    names = (f"year_end.{year}", *(f"line.{year}.{code}" for code in CHART))
    return any(typed.raw(name) for name in names)


def _read_months(typed: Typed, name: str) -> int:
    text = typed.raw(name)
    if not _MONTHS.fullmatch(text) or not 1 <= int(text) <= MONTHS_MAX:
        typed.refuse(name, "typed.months" if text else "typed.empty")
        return MONTHS_OF_YEAR
    return int(text)


def _check_years(typed: Typed, statements: Mapping[int, Statement]) -> None:
    seen: set[date] = set()
    for year, statement in statements.items():
        if statement.year_end in seen and f"year_end.{year}" not in typed.errors:
            typed.refuse(f"year_end.{year}", "typed.year-twice")
        seen.add(statement.year_end)


def fill_form(version: StatementVersion) -> dict[str, list[str]]:
    """Return a form that says what a statement says, to be corrected."""
    statement, provenance = version.statement, version.provenance
    amounts = [*statement.lines.values(), *statement.opening.values()]
    form, currency = AmountForm.POINT, statement.currency
    is_fine = any(
        write_amount(one, form=form, currency=currency, unit=statement.unit) is None
        for one in amounts
    )
    unit = Unit.ONES if is_fine else statement.unit

    def write(amount_minor: int) -> list[str]:
        return [write_amount(amount_minor, form=form, currency=currency, unit=unit) or ""]

    return {
        "years": ["1"],
        "currency": [currency],
        "unit": [statement.unit.value],
        "typed_in": [Unit.ONES.value if is_fine else ""],
        "numbers": [form.value],
        "basis": [statement.basis.value],
        "gaap": [statement.gaap.value],
        "received_on": [provenance.received_on.isoformat()],
        "document_sha256_hex": [provenance.document_sha256_hex or ""],
        "year_end.1": [statement.year_end.isoformat()],
        "months.1": [str(statement.months)],
        "assurance.1": [statement.assurance.value],
        **{f"line.1.{code}": write(one) for code, one in statement.lines.items()},
        **{f"opening.{code}": write(one) for code, one in statement.opening.items()},
    }


def begin_form(*, today: date, like: StatementVersion | None) -> dict[str, list[str]]:
    """Return an empty form for the year after the newest one, or for the last calendar year."""
    if like is None:
        head = {"currency": "CNY", "unit": "ones", "basis": "single", "gaap": "cas"}
        year_end, assurance = date(today.year - 1, 12, 31), Assurance.AUDITED
    else:
        statement = like.statement
        head = {
            "currency": statement.currency,
            "unit": statement.unit.value,
            "basis": statement.basis.value,
            "gaap": statement.gaap.value,
        }
        year_end, assurance = _add_year(statement.year_end), statement.assurance
    return {name: [value] for name, value in head.items()} | {
        "years": ["1"],
        "numbers": [AmountForm.POINT.value],
        "received_on": [today.isoformat()],
        "year_end.1": ["" if year_end > today else year_end.isoformat()],
        "months.1": [str(MONTHS_OF_YEAR)],
        "assurance.1": [assurance.value],
    }


def _add_year(day: date) -> date:
    """Return the same day a year on; the end of February goes to its end."""
    is_end = day.month == 2 and (day.month != _next(day).month)  # noqa: PLR2004
    if is_end:
        return date.fromordinal(date(day.year + 1, 3, 1).toordinal() - 1)
    return day.replace(year=day.year + 1)


def _next(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


def build_parts(beside: Sequence[StatementVersion], language: Language) -> tuple[FormPart, ...]:
    """Return the rows of the form, with the years that stand beside it."""
    return tuple(
        FormPart(
            name=say("part", part, language),
            rows=tuple(
                FormRow(
                    code=code,
                    name=item.words.render(language),
                    is_total=item.is_total,
                    has_opening=part.is_stock,
                    beside=tuple(_say_amount(one.statement, code) for one in beside),
                )
                for code, item in CHART.items()
                if item.part is part
            ),
        )
        for part in Part
    )


def _say_amount(statement: Statement, code: str) -> str:
    amount_minor = statement.lines.get(code)
    if amount_minor is None:
        return ""
    return format_amount(amount_minor, currency=statement.currency).replace("-", MINUS)


def name_field(finding: Finding, years: Mapping[str, int]) -> str:
    """Return the field that a finding is of, empty where it is of none; years by their end."""
    year = years.get(finding.year_end)
    if year is None:
        return ""
    if finding.code in _HEAD_OF:
        return _HEAD_OF[finding.code].format(year=year)
    if finding.item not in CHART:
        return ""
    is_opening = finding.is_opening or finding.code in {"opening-differs", "opening-flow"}
    return f"opening.{finding.item}" if is_opening else f"line.{year}.{finding.item}"


def name_label(name: str, texts: Texts) -> str:
    """Return how a field is called in the list of what is wrong."""
    kind, _, rest = name.partition(".")
    if kind == "line":
        year, _, code = rest.partition(".")
        return f"{CHART[code].words.render(texts.language)} ({year})"
    if kind == "opening":
        words = CHART[rest].words.render(texts.language)
        return f"{texts('statements.form.opening')} {words}"
    label = texts(_LABELS[kind])
    return f"{label} ({rest})" if rest else label


def build_remarks(
    typed: Typed, findings: Sequence[Finding], statements: Mapping[int, Statement], texts: Texts
) -> Remarks:
    """Put what was noted and what was found beside its fields."""
    fields: defaultdict[str, list[str]] = defaultdict(list)
    warnings: defaultdict[str, list[str]] = defaultdict(list)
    others: list[tuple[str, str]] = []
    for name, key in typed.errors.items():
        fields[name].append(texts(key))
    years = {one.year_end.isoformat(): year for year, one in statements.items()}
    for finding in findings:
        name, words = name_field(finding, years), finding.say(texts.language)
        if not name:
            others.append((finding.severity.value, words))
        elif finding.severity is Severity.ERROR:
            fields[name].append(words)
        else:
            warnings[name].append(words)
    return Remarks(
        fields={name: tuple(words) for name, words in fields.items()},
        warnings={name: tuple(words) for name, words in warnings.items()},
        others=tuple(others),
    )
