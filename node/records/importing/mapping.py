"""A mapping: in which columns a system's own table holds what our template has, kept as TOML.

``[columns]`` names the column of each field of the template, ``[constants]`` says what a file does
not hold, ``[kinds]`` what its types of documents are, ``[currencies]`` its words for currencies.
Every rule is the template's: a mapping has none of its own.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from node.records.importing.cells import AmountForm, CellError, DateForm, RowCells
from node.records.importing.draft import DraftCredit, DraftRow, Exclusion
from node.records.importing.errors import MappingInvalidError
from node.records.importing.profiles import TEMPLATE_COLUMNS, TemplateProfile
from node.records.importing.text import LEGACY_ENCODINGS
from node.records.rules_ledger import ItemKind

MAPPING_BYTES_MAX = 65_536
NAME_CHARS_MAX = 32  # as an import keeps it
LEDGER_FIELDS = ("kind", "clearing", "special_ledger")  # of lists that hold credits too
FIELDS = (*TEMPLATE_COLUMNS, *LEDGER_FIELDS)
OPTIONAL = frozenset(
    {"line", "paid_on", "paid_amount", "disputed", "customer_name", *LEDGER_FIELDS}
)
BILL_INDICATOR = "W"  # special G/L indicator of a bill of exchange receivable
_TABLES = ("columns", "constants", "kinds", "currencies")
_FORMS = ("date_form", "amount_form", "encoding", "credit_sign")
_KEYS = frozenset({"name", *_FORMS, *_TABLES})


class EntryKind(StrEnum):
    """What a type of document is: an invoice with a minus is a credit note."""

    INVOICE = "invoice"
    PAYMENT = "payment"
    CREDIT_NOTE = "credit-note"
    LEAVE_OUT = "leave-out"


class CreditSign(StrEnum):
    """How a list writes payments and credit notes."""

    NEGATIVE = "negative"  # beside invoices
    POSITIVE = "positive"  # in a list of their own


class Encoding(StrEnum):
    """Which encoding is tried first where the bytes are not UTF-8."""

    UNSTATED = ""
    GB18030 = LEGACY_ENCODINGS[0]
    CP1252 = LEGACY_ENCODINGS[1]


Form = TypeVar("Form", DateForm, AmountForm, CreditSign, Encoding)
_CREDITS = {
    EntryKind.INVOICE: ItemKind.CREDIT_NOTE,
    EntryKind.CREDIT_NOTE: ItemKind.CREDIT_NOTE,
    EntryKind.PAYMENT: ItemKind.PAYMENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedProfile:
    """Reads rows of a system's own file as rows of the template, and as credits."""

    name: str
    by_field: Mapping[str, str]
    constants: Mapping[str, str]
    template: TemplateProfile
    kinds: Mapping[str, str] = field(default_factory=dict)
    currencies: Mapping[str, str] = field(default_factory=dict)
    credit_sign: CreditSign = CreditSign.NEGATIVE
    encoding: Encoding = Encoding.UNSTATED

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it must find."""
        return frozenset(self.by_field.values())

    @property
    def document_column(self) -> str:
        """The column of the document number."""
        return self.by_field["document_no"]

    @property
    def has_credits(self) -> bool:
        """Tell whether rows may be payments and credit notes by themselves."""
        return "kind" in self.by_field or "kind" in self.constants

    def read_row(self, row: RowCells) -> DraftRow | DraftCredit | Exclusion:
        """Read one row.

        Raises:
            CellError: A cell cannot be read; it names the file's own column.
        """
        cells = {name: row.text(column) for name, column in self.by_field.items()}
        filled = {**dict.fromkeys(OPTIONAL, ""), **self.constants, **cells}
        currency = filled["currency"]
        filled["currency"] = self.currencies.get(currency, currency)
        if "customer_name" not in self.by_field:
            filled["customer_name"] = filled["customer_name"] or filled["customer_value"]
        try:
            return self._read(RowCells(filled))
        except CellError as err:
            column = self.by_field.get(err.column, err.column)
            raise CellError(column=column, reason=err.reason) from err

    def _read(self, row: RowCells) -> DraftRow | DraftCredit | Exclusion:
        if indicator := row.text("special_ledger"):
            is_bill = indicator.upper() == BILL_INDICATOR
            return Exclusion.BILL_OF_EXCHANGE if is_bill else Exclusion.SPECIAL_LEDGER
        if not self.has_credits:
            return self.template.read_row(row)
        given = row.require("kind")
        named = self.kinds.get(given, given)
        if named not in set(EntryKind):
            raise CellError(column="kind", reason="a document type that the mapping does not know")
        kind = EntryKind(named)
        if kind is EntryKind.LEAVE_OUT:
            return Exclusion.LEFT_OUT
        currency = row.read_currency("currency")
        minor = row.read_signed_amount("amount", currency=currency, form=self.template.amount_form)
        if kind is EntryKind.INVOICE and minor >= 0:
            draft = self.template.read_row(row)
            if isinstance(draft, Exclusion):
                return draft
            return dataclasses.replace(draft, clearing=row.text("clearing"))
        return self._read_credit(row, kind, currency=currency, minor=minor)

    def _read_credit(
        self, row: RowCells, kind: EntryKind, *, currency: str, minor: int
    ) -> DraftCredit:
        is_turned = kind is not EntryKind.INVOICE and self.credit_sign is CreditSign.POSITIVE
        credit_minor = minor if is_turned else -minor
        if credit_minor == 0:
            raise CellError(column="amount", reason="zero")
        if credit_minor < 0:
            raise CellError(column="amount", reason="a credit that adds to the debt")
        form = self.template.date_form
        return DraftCredit(
            scheme=row.read_scheme("customer_scheme"),
            value=row.read_value("customer_value"),
            name=row.read_name("customer_name"),
            country=row.read_country("country"),
            kind=_CREDITS[kind],
            document_no=row.read_document_no("document_no"),
            line=row.read_line_number("line"),
            happened_on=row.read_date("issued_on", form=form),
            currency=currency,
            amount_minor=credit_minor,
            clearing=row.text("clearing"),
            cleared_on=row.read_date("paid_on", form=form) if row.text("paid_on") else None,
        )


def read_mapping(path: Path) -> MappedProfile:
    """Read a mapping.

    Raises:
        MappingInvalidError: The file is no mapping, and the text says why.
    """
    return parse_mapping(read_mapping_text(path), what=path.name)


def read_mapping_text(path: Path) -> str:
    """Return the text of a mapping's file.

    Raises:
        MappingInvalidError: It cannot be read, is too large, or is no UTF-8.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAPPING_BYTES_MAX + 1)
        if len(raw) > MAPPING_BYTES_MAX:
            raise MappingInvalidError(f"{path.name}: larger than {MAPPING_BYTES_MAX} bytes")
        return raw.decode("utf-8")
    except OSError as err:
        raise MappingInvalidError(f"{path.name}: {err.strerror}") from err
    except UnicodeDecodeError as err:
        raise MappingInvalidError(f"{path.name}: {err}") from err


def parse_mapping(text: str, *, what: str) -> MappedProfile:
    """Read a mapping's TOML.

    Raises:
        MappingInvalidError: It is no mapping, and the text says why.
    """
    try:
        found = tomllib.loads(text)
    except ValueError as err:
        raise MappingInvalidError(f"{what}: {err}") from err
    return _build_profile(found, what=what)


def format_mapping(
    *,
    name: str,
    columns: Mapping[str, str],
    constants: Mapping[str, str],
    kinds: Mapping[str, str],
    currencies: Mapping[str, str],
    forms: Mapping[str, str],
    notes: tuple[str, ...] = (),
) -> str:
    """Write a mapping as TOML; what is empty is left out."""
    lines = [f"# {note}" for note in notes]
    lines.append(f"name = {_quote(name)}")
    lines += [f"{key} = {_quote(value)}" for key, value in forms.items() if value]
    for title, table in zip(_TABLES, (columns, constants, kinds, currencies), strict=True):
        if table:
            lines += ["", f"[{title}]"]
            lines += [f"{_quote(key)} = {_quote(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _build_profile(found: Mapping[str, object], *, what: str) -> MappedProfile:
    unknown = sorted(found.keys() - _KEYS)
    if unknown:
        raise MappingInvalidError(f"{what}: nothing is called {', '.join(unknown)}")
    by_field, constants = (
        _read_texts(found, key, what=what, known=FIELDS) for key in ("columns", "constants")
    )
    twice = sorted(by_field.keys() & constants.keys())
    if twice:
        raise MappingInvalidError(f"{what}: a column and a constant for {', '.join(twice)}")
    name = found.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_CHARS_MAX:
        raise MappingInvalidError(f"{what}: name has 1 to {NAME_CHARS_MAX} characters")
    kinds = _read_texts(found, "kinds", what=what)
    wrong = sorted(set(kinds.values()) - set(EntryKind))
    if wrong:
        names = ", ".join(kind.value for kind in EntryKind)
        raise MappingInvalidError(f"{what}: [kinds] gives each type one of {names}")
    _check_complete(by_field, constants, kinds, what=what)
    constants = {"line": "1"} | constants if "line" not in by_field else constants
    return MappedProfile(
        name=name,
        by_field=by_field,
        constants=constants,
        kinds=kinds,
        currencies=_read_texts(found, "currencies", what=what),
        credit_sign=_choose(CreditSign, found, "credit_sign", what=what),
        encoding=_choose(Encoding, found, "encoding", what=what),
        template=TemplateProfile(
            date_form=_choose(DateForm, found, "date_form", what=what),
            amount_form=_choose(AmountForm, found, "amount_form", what=what),
        ),
    )


def _check_complete(
    by_field: Mapping[str, str],
    constants: Mapping[str, str],
    kinds: Mapping[str, str],
    *,
    what: str,
) -> None:
    optional = set(OPTIONAL)
    kind = constants.get("kind", "")
    if kinds.get(kind, kind) in {EntryKind.PAYMENT, EntryKind.CREDIT_NOTE}:
        optional.add("due_on")  # a list of credits alone
    missing = sorted(set(FIELDS) - optional - by_field.keys() - constants.keys())
    if missing or "document_no" not in by_field:
        raise MappingInvalidError(f"{what}: no column for {', '.join(missing or ['document_no'])}")


def _read_texts(
    found: Mapping[str, object], key: str, *, what: str, known: tuple[str, ...] | None = None
) -> dict[str, str]:
    table = found.get(key, {})
    if not isinstance(table, dict) or not all(isinstance(one, str) for one in table.values()):
        raise MappingInvalidError(f"{what}: [{key}] holds names and texts")
    unknown = [] if known is None else sorted(table.keys() - set(known))
    if unknown:
        raise MappingInvalidError(f"{what}: the template has no {', '.join(unknown)}")
    return dict(table)


def _choose(forms: type[Form], found: Mapping[str, object], key: str, *, what: str) -> Form:
    try:
        return forms(str(found.get(key, next(iter(forms)).value)))
    except ValueError as err:
        names = ", ".join(form.value for form in forms)
        raise MappingInvalidError(f"{what}: {key} is one of {names}") from err
