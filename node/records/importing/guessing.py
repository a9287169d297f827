"""Guessing a mapping from a list: its header, the words over its columns, what its cells are.

A guess is shown with values and with how sure it is, and a person decides. How sure: 100 for the
first word of a preset, a little less for each further one; a word that is only alike counts by how
alike it is; a column whose cells are not of the field's kind is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from rapidfuzz import fuzz

from node.core.money import CURRENCY_FORM
from node.records.importing.cells import VALUE_FORM, AmountForm, CellError, DateForm, RowCells
from node.records.importing.errors import MappingInvalidError
from node.records.importing.mapping import (
    FIELDS,
    NAME_CHARS_MAX,
    OPTIONAL,
    EntryKind,
    MappedProfile,
    format_mapping,
)
from node.records.importing.page_rows import find_page_row
from node.records.importing.presets import Preset, Words, read_preset
from node.records.importing.text import (
    LEGACY_ENCODINGS,
    TextTable,
    iterate_rows,
    list_head_rows,
    read_table,
)
from node.records.importing.workbook import is_workbook, list_sheet_head, read_sheet

SAMPLE_ROWS = 500
SAMPLES_SHOWN = 3
HEADER_WORDS_MIN = 2  # known words that make a row the header
ALIKE_MIN = 85  # of 100, by rapidfuzz; below it two words are not alike
FIT_PERCENT_MIN = 80  # of the cells of a column, that are of the field's kind
FIT_PERCENT_MIN_NAMED = 50  # where the column is named by the field's very word
UNKNOWN_COUNTRY = "ZZ"
ALIKE_LOSS = 30  # how much less sure a word is that is only alike
_WORD_STEP = 2  # how much less sure each further word of a preset is
Form = TypeVar("Form", DateForm, AmountForm)
_DATES = frozenset({"issued_on", "due_on", "paid_on"})
_AMOUNTS = frozenset({"amount", "paid_amount"})
_NOT_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldGuess:
    """The column that a field is guessed to be in."""

    field: str
    column: str
    percent: int  # how sure, of 100


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingGuess:
    """What a list is guessed to be, and what there is to choose from."""

    preset: Preset
    header: tuple[str, ...]
    header_row: int
    encoding: str  # of the file
    fields: Mapping[str, FieldGuess]
    samples: Mapping[str, tuple[str, ...]]  # by column, the first values that are not empty
    constants: Mapping[str, str]
    kinds: Mapping[str, str]
    currencies: Mapping[str, str]
    forms: Mapping[str, str]
    doubts: tuple[str, ...] = ()
    kinds_unknown: tuple[str, ...] = field(default=())

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields that a mapping needs and that have neither column nor constant."""
        needed = [one for one in FIELDS if one not in OPTIONAL]
        if self.constants.get("kind") in {EntryKind.PAYMENT, EntryKind.CREDIT_NOTE}:
            needed.remove("due_on")
        return tuple(
            one for one in needed if one not in self.fields and not self.constants.get(one)
        )

    def choose(self, name: str, column: str | None) -> MappingGuess:
        """Return the guess with a person's choice of a column for a field; None for no column.

        Raises:
            MappingInvalidError: There is no such field or column.
        """
        if name not in FIELDS:
            raise MappingInvalidError(f"the template has no {name}")
        kept = {key: one for key, one in self.fields.items() if key != name}
        constants = dict(self.constants)
        if column is not None:
            if column not in self.header or not column:
                raise MappingInvalidError(f"the list has no column {column}")
            kept[name] = FieldGuess(field=name, column=column, percent=100)
            constants.pop(name, None)
        return replace(self, fields=kept, constants=constants)

    def fix(self, name: str, value: str) -> MappingGuess:
        """Return the guess with one text for a field of every row; an empty one takes it away.

        Raises:
            MappingInvalidError: There is no such field.
        """
        guess = self.choose(name, None)
        constants = dict(guess.constants) | {name: value}
        return replace(guess, constants={key: one for key, one in constants.items() if one})

    def adopt(self, mapping: MappedProfile) -> MappingGuess:
        """Return the guess with what a saved mapping says, as far as the list has its columns."""
        fields = {
            name: FieldGuess(field=name, column=column, percent=100)
            for name, column in mapping.by_field.items()
            if column in self.header
        }
        forms = {
            "date_form": mapping.template.date_form.value,
            "amount_form": mapping.template.amount_form.value,
            "encoding": mapping.encoding.value,
            "credit_sign": mapping.credit_sign.value,
        }
        seen = set(mapping.kinds)
        return replace(
            self,
            fields=fields,
            constants=mapping.constants,
            kinds=mapping.kinds,
            currencies=mapping.currencies,
            forms=forms,
            doubts=(),
            kinds_unknown=tuple(one for one in self.kinds_unknown if one not in seen),
        )

    def set_form(self, name: str, value: str) -> MappingGuess:
        """Return the guess with another form of dates, amounts or credits."""
        return replace(self, forms=dict(self.forms) | {name: value})

    def to_toml(self, name: str) -> str:
        """Write the guess as a mapping.

        Raises:
            MappingInvalidError: A field that is needed has neither column nor constant.
        """
        if self.missing:
            raise MappingInvalidError(f"no column for {', '.join(self.missing)}")
        has_kind = "kind" in self.fields
        return format_mapping(
            name=name[:NAME_CHARS_MAX],
            columns={key: self.fields[key].column for key in FIELDS if key in self.fields},
            constants=self.constants,
            kinds=self.kinds if has_kind else {},
            currencies=self.currencies,
            forms=self.forms,
        )


def guess_mapping(
    raw: bytes, *, preset: Preset = Preset.ANY, sheet: str | None = None
) -> MappingGuess:
    """Guess what the columns of a list are; ``raw`` is not packed.

    Raises:
        ImportFileError: The file is no table.
    """
    words = read_preset(preset)
    table = _open(raw, words, sheet=sheet)
    columns = _read_columns(table)
    # Numbers of a workbook are written with the mark by which the texts beside them are read.
    by_form = {}
    if is_workbook(raw):
        with_commas = _open(raw, words, sheet=sheet, decimal_mark=",")
        by_form = {AmountForm.COMMA: _read_columns(with_commas)}
    date_form, date_doubts = _guess_form(
        DateForm, _reads_date, columns, words, "date_form", fields=_DATES
    )
    amount_form, amount_doubts = _guess_form(
        AmountForm, _reads_amount, columns, words, "amount_form", fields=_AMOUNTS, by_form=by_form
    )
    columns = by_form.get(amount_form, columns)
    tests: dict[str, Callable[[str], bool]] = {
        **{one: lambda text: _reads_date(text, date_form) for one in _DATES},
        **{one: lambda text: _reads_amount(text, amount_form) for one in _AMOUNTS},
        "currency": lambda text: bool(CURRENCY_FORM.fullmatch(words.currencies.get(text, text))),
        "customer_value": lambda text: bool(VALUE_FORM.fullmatch(text)),
    }
    fields = _assign(columns, words, tests)
    encoding = table.encoding if table.encoding in LEGACY_ENCODINGS else words.forms["encoding"]
    kind_values = (
        {text.strip() for text in columns[fields["kind"].column]} if "kind" in fields else set()
    )
    constants = {key: one for key, one in words.constants.items() if key not in fields}
    if "country" not in fields:
        constants.setdefault("country", UNKNOWN_COUNTRY)
    constants.setdefault("customer_scheme", "erp")
    return MappingGuess(
        preset=preset,
        header=table.header,
        header_row=table.header_row,
        encoding=table.encoding,
        fields=fields,
        samples={
            name: tuple(dict.fromkeys(cells))[:SAMPLES_SHOWN] for name, cells in columns.items()
        },
        constants=constants,
        kinds=words.kinds,
        currencies=words.currencies,
        forms={
            "date_form": date_form.value,
            "amount_form": amount_form.value,
            "encoding": encoding,
            "credit_sign": words.forms["credit_sign"],
        },
        doubts=(*date_doubts, *amount_doubts),
        kinds_unknown=tuple(sorted(kind_values - words.kinds.keys() - set(EntryKind))),
    )


def _read_columns(table: TextTable) -> dict[str, list[str]]:
    """Return the cells of a sample that are not empty, by column."""
    rows = _read_sample(table)
    return {
        name: [cells[place] for cells in rows if place < len(cells) and cells[place].strip()]
        for place, name in enumerate(table.header)
        if name
    }


def _open(raw: bytes, words: Words, *, sheet: str | None, decimal_mark: str = ".") -> TextTable:
    is_book = is_workbook(raw)
    head = list_sheet_head(raw, sheet=sheet) if is_book else list_head_rows(raw)
    known = {_fold(word) for alternatives in words.columns.values() for word in alternatives}
    best = max(
        head,
        key=lambda one: (len({_fold(cell) for cell in one[2]} & known), -one[1], len(one[2])),
        default=None,
    )
    header: tuple[str, ...] = ()
    if best is not None and len({_fold(cell) for cell in best[2]} & known) >= HEADER_WORDS_MIN:
        header = best[2]
    if is_book:
        return read_sheet(
            raw,
            sheet=sheet,
            is_header=lambda cells: cells == header,
            decimal_mark=decimal_mark,
        )
    return read_table(raw, is_header=lambda cells: cells == header)


def _read_sample(table: TextTable) -> list[list[str]]:
    rows = (cells for _, cells in iterate_rows(table))
    items = (
        cells for cells in rows if find_page_row(cells, header=table.header, document_at=-1) is None
    )
    return list(islice(items, SAMPLE_ROWS))


def _guess_form(
    forms: type[Form],
    reads: Callable[[str, str], bool],
    columns: Mapping[str, Sequence[str]],
    words: Words,
    key: str,
    *,
    fields: frozenset[str],
    by_form: Mapping[Form, Mapping[str, Sequence[str]]] | None = None,
) -> tuple[Form, tuple[str, ...]]:
    """Return the form in which most cells under words for the fields can be read."""
    named = [
        name
        for name in columns
        if any(_rate_word(name, words.columns.get(one, ())) >= ALIKE_MIN for one in fields)
    ]
    counts = {
        form: sum(
            reads(text, form) for name in named for text in (by_form or {}).get(form, columns)[name]
        )
        for form in forms
    }
    wanted = words.forms[key]
    most = max(counts.values())
    for form in forms:  # Whatever the form, an ISO date is read: what reads no more says nothing.
        if form == DateForm.ISO and counts[form] == most > 0:
            return form, ()
    best = max(forms, key=lambda form: (counts[form], form.value == wanted))
    equal = [form.value for form in forms if counts[form] == counts[best] and form is not best]
    doubts = (f"{key}: {best.value}, or {', '.join(equal)}",) if equal and not wanted else ()
    return best, doubts


def _assign(
    columns: Mapping[str, Sequence[str]],
    words: Words,
    tests: Mapping[str, Callable[[str], bool]],
) -> dict[str, FieldGuess]:
    """Give each column to the field that is surest of it; the surest choose first."""
    rated = [
        FieldGuess(field=name, column=column, percent=percent)
        for name, alternatives in words.columns.items()
        for column, cells in columns.items()
        if (percent := _rate_word(column, alternatives)) >= ALIKE_MIN - ALIKE_LOSS
        and _fits(cells, tests.get(name), is_named=percent >= ALIKE_MIN)
    ]
    fields: dict[str, FieldGuess] = {}
    taken: set[str] = set()
    order = {name: place for place, name in enumerate(FIELDS)}
    for guess in sorted(rated, key=lambda one: (-one.percent, order[one.field])):
        if guess.field not in fields and guess.column not in taken:
            fields[guess.field] = guess
            taken.add(guess.column)
    return fields


def _rate_word(column: str, alternatives: Iterable[str]) -> int:
    folded = _fold(column)
    best = 0
    for place, word in enumerate(map(_fold, alternatives)):
        if folded == word:
            return max(100 - _WORD_STEP * place, ALIKE_MIN)
        alike = fuzz.ratio(folded, word)
        if alike >= ALIKE_MIN:
            best = max(best, round(alike) - ALIKE_LOSS)
    return best


def _fits(cells: Sequence[str], test: Callable[[str], bool] | None, *, is_named: bool) -> bool:
    if test is None or not cells:
        return True
    percent_min = FIT_PERCENT_MIN_NAMED if is_named else FIT_PERCENT_MIN
    return 100 * sum(test(text.strip()) for text in cells) >= percent_min * len(cells)


def _reads_date(text: str, form: str) -> bool:
    try:
        RowCells({"cell": text}).read_date("cell", form=DateForm(form))
    except CellError:
        return False
    return True


def _reads_amount(text: str, form: str) -> bool:
    try:
        RowCells({"cell": text}).read_signed_amount("cell", currency="EUR", form=AmountForm(form))
    except CellError:
        return False
    return True


def _fold(word: str) -> str:
    return _NOT_WORDS.sub("", word).casefold()
