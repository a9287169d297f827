"""The invoices of the bench of rating: one supplier's, read from a file or drawn from a seed.

The published HighRadius list is of one supplier. Its invoices are dealt to pseudo-members by the
hash of their number, as ``chengxin import --deal`` does: the membership is simulated, and what
comes out is an upper bound of what real members could tell each other.
"""

from __future__ import annotations

import csv
import gzip
import random  # noqa: TID251  invoices of our own making from a stated seed, no secret
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from node.records.business_day import BusinessCalendars, next_business_day
from node.records.importing.dealing import member_of
from node.records.rules_behaviour import AppliedPart, InvoiceItem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
FILE = "highradius_closed_invoices.csv.gz"
# Where the invoice date is inferred badly, the median terms of the same supplier's open invoices.
TERMS_DAYS: Mapping[str, int] = {"CA02": 12, "U013": 30}
COLLECTIVE_ACCOUNTS = frozenset({"CCU013"})  # no company, so no subject
_CURRENCIES: Mapping[str, str] = {"US": "USD", "CA": "CAD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One paid invoice and the pseudo-member that sold it."""

    document_no: str
    customer: str
    member: int
    country: str
    group: str
    issued_on: date
    due_on: date
    due_business_on: date
    paid_on: date
    amount_minor: int

    @property
    def is_late(self) -> bool:
        """Whether it was paid after the day it names: the outcome."""
        return self.paid_on > self.due_on

    @property
    def asked_on(self) -> date:
        """The eve of its day: what is known then is what it is judged by."""
        return self.issued_on - timedelta(days=1)

    @property
    def currency(self) -> str:
        """The currency of its country."""
        return _CURRENCIES[self.country]

    def build_item(self) -> InvoiceItem:
        """Return it as the records keep it."""
        return InvoiceItem(
            issued_on=self.issued_on,
            due_on=self.due_on,
            due_business_on=self.due_business_on,
            amount_minor=self.amount_minor,
            paid=(AppliedPart(paid_on=self.paid_on, amount_minor=self.amount_minor),),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Which invoices teach and which test, by their day."""

    train_from: date
    train_until: date
    test_until: date

    def is_train(self, invoice: Invoice) -> bool:
        """Tell whether it teaches: on the last day it was known, by its due date, if it is late.

        To take those already paid by then as well would take good ones only.
        """
        day = invoice.issued_on
        return self.train_from <= day <= self.train_until and invoice.due_on < self.train_until

    def is_test(self, invoice: Invoice) -> bool:
        """Tell whether it tests."""
        return self.train_until < invoice.issued_on <= self.test_until


SPLIT = Split(
    train_from=date(2019, 3, 1), train_until=date(2019, 10, 15), test_until=date(2020, 2, 29)
)


def read_invoices(path: Path) -> list[Invoice]:
    """Read the list, without exact duplicates and collective accounts, dealt to nobody yet."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = [dict(row) for row in dict.fromkeys(_Row(row) for row in csv.DictReader(file))]
    rows = [row for row in rows if row["cust_number"] not in COLLECTIVE_ACCOUNTS]
    codes: dict[str, Counter[str]] = {}
    for row in rows:
        codes.setdefault(row["cust_number"], Counter())[row["business_code_inferred"]] += 1
    groups = {customer: found.most_common(1)[0][0] for customer, found in codes.items()}
    calendars = BusinessCalendars()
    return [_read_row(row, groups[row["cust_number"]], calendars) for row in rows]


class _Row(dict[str, str]):
    """A row that equals another of the same cells."""

    def __hash__(self) -> int:  # type: ignore[override]  never changed once read
        return hash(tuple(self.values()))


def _read_row(row: Mapping[str, str], group: str, calendars: BusinessCalendars) -> Invoice:
    due_on = date.fromisoformat(row["due_date"])
    country = "CA" if group.startswith("CA") else "US"
    terms_days = TERMS_DAYS.get(group)
    return Invoice(
        document_no=row["doc_id"],
        customer=row["cust_number"],
        member=0,
        country=country,
        group=group,
        issued_on=date.fromisoformat(row["invoice_date_inferred"])
        if terms_days is None
        else due_on - timedelta(days=terms_days),
        due_on=due_on,
        due_business_on=next_business_day(due_on, calendar=calendars.get_calendar(country)),
        paid_on=due_on + timedelta(days=int(row["days_late"])),
        amount_minor=int(100 * Decimal(row["amount"])),
    )


def deal(invoices: Sequence[Invoice], *, members: int, seed: int = 0) -> list[Invoice]:
    """Deal invoices to pseudo-members by the hash of their number; a seed deals otherwise."""
    salt = f"{seed}:" if seed else ""
    return [
        replace(one, member=member_of(f"{salt}{one.document_no}", members=members))
        for one in invoices
    ]


def draw_customers(invoices: Sequence[Invoice], *, share_percent: int, seed: int) -> list[Invoice]:
    """Return the invoices of some customers, so that whoever is there is there whole."""
    wanted = f"sample:{seed}:"
    return [
        one for one in invoices if member_of(f"{wanted}{one.customer}", members=100) < share_percent
    ]


def make_invoices(*, customers: int, members: int, seed: int) -> list[Invoice]:
    """Make invoices of our own for tests: customers who pay on time or late by their own habit.

    Sizes are skewed as those of real ledgers are: few customers have most of the invoices.
    """
    draw = random.Random(seed)  # noqa: S311  see above
    first, calendar = date(2019, 1, 7), BusinessCalendars().get_calendar("US")
    made: list[Invoice] = []
    for number in range(customers):
        habit = draw.choice((-2, -1, 0, 0, 3, 6, 20))
        for _ in range(max(1, int(draw.paretovariate(0.8)) % 120)):
            issued_on = first + timedelta(days=draw.randrange(365))
            due_on = next_business_day(
                issued_on + timedelta(days=draw.choice((10, 15, 30))), calendar=calendar
            )
            made.append(
                Invoice(
                    document_no=f"{len(made):07d}",
                    customer=f"C{number:05d}",
                    member=0,
                    country="US",
                    group="U001",
                    issued_on=issued_on,
                    due_on=due_on,
                    due_business_on=due_on,
                    paid_on=max(issued_on, due_on + timedelta(days=habit + draw.randint(-2, 2))),
                    amount_minor=min(50_000_000, int(50_000 * draw.paretovariate(0.9))),
                )
            )
    return deal(made, members=members)
