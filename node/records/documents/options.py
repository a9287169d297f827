"""What the user says beside the file: source, customer, days of credit, who pays from where."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from node.records.formats.recognition import DocumentFormat
from node.records.formats.trade import PartyId
from node.records.importing.cells import CellError, RowCells
from node.records.importing.errors import OptionInvalidError
from node.records.importing.text import load_bytes
from node.records.tables import SOURCE_CHARS_MAX

PAYERS_MAX = 100_000
TERMS_DAYS_MAX = 400
_HEADER = ["payer", "customer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payers:
    """Which customer an account or a name is, as the user says."""

    customers: dict[str, PartyId] = field(default_factory=dict)

    def find(self, *, account: str, name: str) -> PartyId | None:
        """Return the customer of an account, or else of a name."""
        for payer in (account, name):
            if payer and (customer := self.customers.get(_fold(payer))) is not None:
                return customer
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentOptions:
    """The options of one import of documents."""

    form: DocumentFormat | None = None
    source: str | None = None
    customer: PartyId | None = None
    terms_days: int | None = None
    payers: Payers = field(default_factory=Payers)
    strict: bool = False
    trial: bool = False

    def __post_init__(self) -> None:
        if self.terms_days is not None and not 0 <= self.terms_days <= TERMS_DAYS_MAX:
            raise OptionInvalidError(f"days of credit are 0 to {TERMS_DAYS_MAX}")
        if self.source is not None and (
            not self.source.strip()
            or len(self.source) > SOURCE_CHARS_MAX
            or not self.source.isprintable()
        ):
            raise OptionInvalidError(f"a source has 1 to {SOURCE_CHARS_MAX} printable characters")


def parse_customer(text: str) -> PartyId:
    """Read ``scheme:value``.

    Raises:
        OptionInvalidError: The text is not of that form.
    """
    scheme, _, value = text.strip().partition(":")
    row = RowCells({"scheme": scheme, "value": value})
    try:
        return PartyId(scheme=row.read_scheme("scheme"), value=row.read_value("value"))
    except CellError as err:
        raise OptionInvalidError("a customer is written scheme:value") from err


def read_payers(file: Path | bytes) -> Payers:
    """Read who pays from where: CSV in UTF-8 with the columns ``payer`` and ``customer``.

    A payer is an account number, or a name as the bank writes it; a customer is ``scheme:value``.

    Raises:
        ImportFileError: The file cannot be read.
        OptionInvalidError: A line is not of the form, or a payer stands for two customers.
    """
    try:
        text = load_bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise OptionInvalidError("the file of the payers is not UTF-8") from err
    customers: dict[str, PartyId] = {}
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text), strict=True), start=1):
            if number == 1 and [cell.strip() for cell in cells] != _HEADER:
                raise OptionInvalidError("the payers have the columns payer and customer")
            if number > PAYERS_MAX:
                raise OptionInvalidError(f"more than {PAYERS_MAX} payers")
            if number > 1 and any(cells):
                _add_payer(customers, cells, number=number)
    except csv.Error as err:
        raise OptionInvalidError(f"payers: {err}") from err
    return Payers(customers=customers)


def _add_payer(customers: dict[str, PartyId], cells: list[str], *, number: int) -> None:
    if len(cells) != len(_HEADER) or not (payer := _fold(cells[0])):
        raise OptionInvalidError(f"line {number} of the payers is not payer,customer")
    customer = parse_customer(cells[1])
    if customers.setdefault(payer, customer) != customer:
        raise OptionInvalidError(f"line {number} of the payers gives a payer a second customer")


def _fold(payer: str) -> str:
    """Return an account or name without case and space: banks group digits and cut lines."""
    return "".join(payer.split()).casefold()
