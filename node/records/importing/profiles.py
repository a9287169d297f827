"""Profiles: how the columns of one kind of file become invoices; the header tells which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from node.records.importing.cells import AmountForm, CellError, DateForm, RowCells
from node.records.importing.draft import DraftCredit, DraftRow, Exclusion, Oddity
from node.records.importing.errors import ProfileUnknownError
from node.records.importing.text import HeaderTest

DELAY_DAYS_MAX = 10_000
TEMPLATE_COLUMNS = (
    "customer_scheme",
    "customer_value",
    "customer_name",
    "country",
    "document_no",
    "line",
    "issued_on",
    "due_on",
    "currency",
    "amount",
    "paid_on",
    "paid_amount",
    "disputed",
)


class Profile(Protocol):
    """Reads rows of one kind of file."""

    @property
    def name(self) -> str:
        """The name by which it is chosen."""
        ...

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it must find; others are ignored."""
        ...

    @property
    def document_column(self) -> str:
        """The column of the document number, by which rows are dealt to members."""
        ...

    @property
    def has_credits(self) -> bool:
        """Whether rows may be payments and credit notes by themselves."""
        ...

    def read_row(self, row: RowCells) -> DraftRow | DraftCredit | Exclusion:
        """Read one row.

        Raises:
            CellError: A cell cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateProfile:
    """Our own template: one row an invoice line, repeated for each further payment of it.

    ``paid_on`` without ``paid_amount`` is a payment in full. ``line`` and ``disputed`` may be
    empty.
    """

    name: str = "chengxin"
    document_column: str = "document_no"
    date_form: DateForm = DateForm.ISO
    amount_form: AmountForm = AmountForm.POINT
    columns: frozenset[str] = frozenset(TEMPLATE_COLUMNS)
    has_credits: bool = False

    def read_row(self, row: RowCells) -> DraftRow | Exclusion:
        """Read one row of the template."""
        currency = row.read_currency("currency")
        amount_minor = row.read_amount("amount", currency=currency, form=self.amount_form)
        paid_on, paid_minor = self._read_payment(row, currency=currency, amount_minor=amount_minor)
        return DraftRow(
            scheme=row.read_scheme("customer_scheme"),
            value=row.read_value("customer_value"),
            name=row.read_name("customer_name"),
            country=row.read_country("country"),
            document_no=row.read_document_no("document_no"),
            line=row.read_line_number("line"),
            issued_on=row.read_date("issued_on", form=self.date_form),
            due_on=row.read_date("due_on", form=self.date_form),
            currency=currency,
            amount_minor=amount_minor,
            disputed=row.read_flag("disputed"),
            paid_on=paid_on,
            paid_minor=paid_minor,
        )

    def _read_payment(
        self, row: RowCells, *, currency: str, amount_minor: int
    ) -> tuple[date | None, int]:
        if not row.text("paid_on"):
            if row.text("paid_amount") and row.read_amount_or_zero(
                "paid_amount", currency=currency, form=self.amount_form
            ):
                raise CellError(column="paid_on", reason="an amount was paid, but no date is given")
            return None, 0
        paid_on = row.read_date("paid_on", form=self.date_form)
        if not row.text("paid_amount"):
            return paid_on, amount_minor
        paid_minor = row.read_amount("paid_amount", currency=currency, form=self.amount_form)
        if paid_minor > amount_minor:
            raise CellError(column="paid_amount", reason="more than the invoice")
        return paid_on, paid_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class HighRadiusClosedProfile:
    """Paid invoices as HighRadius published them: paid ``days_late`` after they fell due."""

    name: str = "highradius-closed"
    has_credits: bool = False
    document_column: str = "doc_id"
    columns: frozenset[str] = frozenset(
        {
            "cust_number",
            "name_customer",
            "due_date",
            "days_late",
            "amount",
            "doc_id",
            "business_code_inferred",
            "invoice_date_inferred",
        }
    )

    def read_row(self, row: RowCells) -> DraftRow | Exclusion:
        """Read one paid invoice."""
        number = row.read_value("cust_number")
        if number in _COLLECTIVE_ACCOUNTS:
            return Exclusion.COLLECTIVE_ACCOUNT
        country, currency = _locate("business_code_inferred", row)
        due_on = row.read_date("due_date", form=DateForm.ISO)
        amount_minor = row.read_amount("amount", currency=currency, form=AmountForm.POINT)
        delay_days = row.read_integer("days_late")
        if abs(delay_days) > DELAY_DAYS_MAX:
            raise CellError(column="days_late", reason=f"more than {DELAY_DAYS_MAX} days")
        return DraftRow(
            scheme="sim",
            value=number,
            name=row.read_name("name_customer"),
            country=country,
            document_no=row.read_document_no("doc_id"),
            line=1,
            issued_on=row.read_date("invoice_date_inferred", form=DateForm.ISO),
            due_on=due_on,
            currency=currency,
            amount_minor=amount_minor,
            disputed=False,
            paid_on=due_on + timedelta(days=delay_days),
            paid_minor=amount_minor,
            remarks=(Oddity.TERMS_NEGATIVE,) if row.text("terms").startswith("-") else (),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HighRadiusOpenProfile:
    """Open invoices as HighRadius published them: dates as whole numbers, some as floats."""

    name: str = "highradius-open"
    has_credits: bool = False
    document_column: str = "doc_id"
    columns: frozenset[str] = frozenset(
        {
            "business_code",
            "cust_number",
            "name_customer",
            "clear_date",
            "doc_id",
            "posting_date",
            "due_in_date",
            "converted_usd",
        }
    )

    def read_row(self, row: RowCells) -> DraftRow | Exclusion:
        """Read one open invoice; its amount is in US dollars, converted by whoever published it."""
        number = row.read_value("cust_number")
        if number in _COLLECTIVE_ACCOUNTS:
            return Exclusion.COLLECTIVE_ACCOUNT
        country, _ = _locate("business_code", row)
        amount_minor = row.read_amount("converted_usd", currency="USD", form=AmountForm.POINT)
        paid_on = _read_any_date(row, "clear_date") if row.text("clear_date") else None
        return DraftRow(
            scheme="sim",
            value=number,
            name=row.read_name("name_customer"),
            country=country,
            document_no=row.read_document_no("doc_id").removesuffix(".0"),
            line=1,
            issued_on=_read_any_date(row, "posting_date"),
            due_on=_read_any_date(row, "due_in_date"),
            currency="USD",
            amount_minor=amount_minor,
            disputed=False,
            paid_on=paid_on,
            paid_minor=0 if paid_on is None else amount_minor,
        )


_COLLECTIVE_ACCOUNTS = frozenset(
    {"CCU013"}
)  # one-time customers of many names booked on one number
_PLACE_BY_CODE = {"US": ("US", "USD"), "U0": ("US", "USD"), "CA": ("CA", "CAD")}

PROFILES: tuple[Profile, ...] = (
    TemplateProfile(),
    HighRadiusClosedProfile(),
    HighRadiusOpenProfile(),
)


def choose_profile(header: tuple[str, ...], *, name: Profile | str | None) -> Profile:
    """Return the profile, the one of this name, or the one whose columns are all in the header.

    Raises:
        ProfileUnknownError: There is none, or a column it needs is missing.
    """
    present = set(header)
    if name is not None and not isinstance(name, str):
        return _verify_columns(name, present)
    for profile in PROFILES:
        if name is None and profile.columns <= present:
            return profile
        if name == profile.name:
            return _verify_columns(profile, present)
    names = ", ".join(profile.name for profile in PROFILES)
    if name is not None:
        raise ProfileUnknownError(f"there is no such profile; there are {names}")
    raise ProfileUnknownError(f"the header fits no profile; there are {names}")


def has_credits(profile: Profile | str | None) -> bool:
    """Tell whether a file may hold payments and credit notes by themselves."""
    return profile is not None and not isinstance(profile, str) and profile.has_credits


def build_header_test(name: Profile | str | None) -> HeaderTest:
    """Return how the header of a file is known: by the columns of the profile, or of any."""
    if name is None or isinstance(name, str):
        profiles = [one for one in PROFILES if name in {None, one.name}]
    else:
        profiles = [name]
    return lambda header: any(profile.columns <= set(header) for profile in profiles)


def _verify_columns(profile: Profile, present: set[str]) -> Profile:
    missing = sorted(profile.columns - present)
    if missing:
        raise ProfileUnknownError(f"profile {profile.name}: no column {', '.join(missing)}")
    return profile


def _locate(column: str, row: RowCells) -> tuple[str, str]:
    place = _PLACE_BY_CODE.get(row.require(column)[:2])
    if place is None:
        raise CellError(column=column, reason="neither a U… nor a CA… business code")
    return place


def _read_any_date(row: RowCells, column: str) -> date:
    form = DateForm.ISO if "-" in row.text(column) else DateForm.COMPACT
    return row.read_date(column, form=form)
