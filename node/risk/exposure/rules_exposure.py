"""The exposure to a customer or a group: every part of it, each thing in one stage. Pure, integers.

Exposure = open orders not delivered + delivered not invoiced + open invoices + bills received and
not matured (docs/formulas.md, exposure). An order that is delivered leaves its stage by as much as
the delivery adds to the next one, so the sum moves by nothing. A bill that was endorsed or
discounted counts until it matures; one that is dishonoured is an invoice again. What cannot be
converted by a dated rate is named and is in no sum.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from pydantic import Field

from node.assessment.policy import PERMILLE
from node.core.money import divide_half_even
from node.records.rules_conversion import ExchangeRate, find_rate
from node.records.rules_cover import CoverReport, ExposureItem, NotComputable, Stage, compute_cover
from node.records.rules_papers import Paper
from node.risk.orders.rules_order import OpenOrder
from schemas.wire import WireModel

HORIZON_DAYS_MAX = 3_660


class ExposureRules(WireModel):
    """What counts as exposure, and how much of it."""

    counts_disputed: bool = True
    """Without it what is in dispute does not count; it is shown all the same."""
    order_permille: int = Field(default=PERMILLE, ge=0, le=PERMILLE)
    order_horizon_days: int | None = Field(default=None, ge=0, le=HORIZON_DAYS_MAX)
    """Of orders for later delivery another share counts: bulk orders over months."""
    beyond_permille: int = Field(default=0, ge=0, le=PERMILLE)

    def share_of(self, deliver_on: date | None, *, as_of: date) -> int:
        """Return how much of an order counts, in per mille; one without a day counts as due."""
        if self.order_horizon_days is None or deliver_on is None:
            return self.order_permille
        last_on = as_of + timedelta(days=self.order_horizon_days)
        return self.order_permille if deliver_on <= last_on else self.beyond_permille


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What one customer's exposure is made of on a day."""

    customer_id: int
    items: tuple[ExposureItem, ...]
    passed: tuple[ExposureItem, ...]
    orders: tuple[OpenOrder, ...]
    held: tuple[OpenOrder, ...]
    unapplied: Mapping[str, int]
    """To the customer's credit and needed by no prepaid order, by currency in minor units."""
    covers: tuple[Paper, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyPart:
    """The exposure in one of its currencies, not converted, in minor units."""

    currency: str
    ordered_minor: int
    delivered_minor: int
    invoiced_minor: int
    bill_minor: int

    @property
    def total_minor(self) -> int:
        """All of it."""
        return self.ordered_minor + self.delivered_minor + self.invoiced_minor + self.bill_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """An exposure in one currency on a day; its total is the four stages together.

    ``bill_passed_minor`` of the bills are held by others. ``disputed_minor`` is in the total or
    not, as ``counts_disputed`` says. Insured, guaranteed and uncovered add up to the total: no
    cover covers what is not delivered yet. ``unapplied_minor`` stands apart and is not taken off.
    """

    currency: str
    as_of: date
    ordered_minor: int
    delivered_minor: int
    invoiced_minor: int
    bill_minor: int
    total_minor: int
    bill_passed_minor: int
    disputed_minor: int
    counts_disputed: bool
    prepaid_minor: int
    held_minor: int
    unapplied_minor: int
    insured_minor: int
    guaranteed_minor: int
    uncovered_minor: int
    parts: tuple[CurrencyPart, ...]
    not_computable: tuple[NotComputable, ...]
    rates: tuple[ExchangeRate, ...]
    members: tuple[int, ...] = field(default=())


def compute_exposure(
    bases: Sequence[Basis],
    *,
    currency: str,
    as_of: date,
    rules: ExposureRules,
    rates: Sequence[ExchangeRate] = (),
) -> Exposure:
    """Add up what some customers owe or will owe on a day, in one currency.

    Args:
        bases: One for each customer, nobody twice.
        currency: In which it is added up.
        as_of: The day, of the rates too.
        rules: What counts.
        rates: Those that are known, of one day the one that was entered last at the end.
    """
    book = _Book(currency=currency, as_of=as_of, rates=rates)
    covers = [_cover(one, book, rules=rules) for one in bases]
    for one in bases:
        for order in one.orders:
            share = rules.share_of(order.order.content.deliver_on, as_of=as_of)
            gone_minor = min(
                order.pending_minor, order.credit_minor
            )  # on its way: all of it counts
            later_minor = divide_half_even((order.credit_minor - gone_minor) * share, PERMILLE)
            book.count("ordered", gone_minor + later_minor, order.order.content.currency)
            book.show("prepaid", order.prepaid_minor, order.order.content.currency)
        for order in one.held:
            left_minor = order.order.content.amount_minor - order.taken_minor - order.pending_minor
            book.show("held", max(0, left_minor), order.order.content.currency)
        for of, minor in sorted(one.unapplied.items()):
            book.show("unapplied", minor, of)
        for item in (*one.items, *one.passed):
            book.show("disputed", item.disputed_minor, item.currency)
        for item in one.passed:
            book.show("passed", item.open_minor, item.currency)
    ordered_minor = book.sums.get("ordered", 0)
    return Exposure(
        currency=currency,
        as_of=as_of,
        ordered_minor=ordered_minor,
        delivered_minor=sum(one.delivered_minor for one in covers),
        invoiced_minor=sum(one.invoiced_minor for one in covers),
        bill_minor=sum(one.bill_minor for one in covers),
        total_minor=ordered_minor + sum(one.exposure_minor for one in covers),
        bill_passed_minor=book.sums.get("passed", 0),
        disputed_minor=book.sums.get("disputed", 0),
        counts_disputed=rules.counts_disputed,
        prepaid_minor=book.sums.get("prepaid", 0),
        held_minor=book.sums.get("held", 0),
        unapplied_minor=book.sums.get("unapplied", 0),
        insured_minor=sum(one.insured_minor for one in covers),
        guaranteed_minor=sum(one.guaranteed_minor for one in covers),
        uncovered_minor=ordered_minor + sum(one.uncovered_minor for one in covers),
        parts=book.list_parts(),
        not_computable=book.list_missing(),
        rates=tuple(book.used),
        members=tuple(one.customer_id for one in bases),
    )


def _cover(basis: Basis, book: _Book, *, rules: ExposureRules) -> CoverReport:
    """Return what of one customer's debts is covered: a cover is for its own customer alone."""
    items = [_leave_disputed(one, rules=rules) for one in (*basis.items, *basis.passed)]
    for item in items:
        book.note(item.stage, item.open_minor, item.currency)
    report = compute_cover(
        items, basis.covers, currency=book.currency, as_of=book.as_of, rates=book.rates
    )
    for one in report.not_computable:
        book.miss(one.currency, one.amount_minor)
    for rate in report.rates:
        book.use(rate)
    return report


def _leave_disputed(item: ExposureItem, *, rules: ExposureRules) -> ExposureItem:
    if rules.counts_disputed or not item.disputed_minor:
        return item
    return dataclasses.replace(
        item, open_minor=item.open_minor - item.disputed_minor, disputed_minor=0
    )


@dataclass(slots=True, kw_only=True)
class _Book:
    """Sums in one currency, and what had no rate."""

    currency: str
    as_of: date
    rates: Sequence[ExchangeRate]
    sums: dict[str, int] = field(default_factory=dict)
    used: list[ExchangeRate] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    by_currency: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, name: str, amount_minor: int, of: str) -> None:
        """Add what is exposure: without a rate it is missing."""
        self.note(name, amount_minor, of)
        converted = self.convert(amount_minor, of)
        if converted is None:
            self.miss(of, amount_minor)
        else:
            self.sums[name] = self.sums.get(name, 0) + converted

    def show(self, name: str, amount_minor: int, of: str) -> None:
        """Add what is only shown: without a rate it is left out."""
        converted = self.convert(amount_minor, of) if amount_minor else None
        if converted is not None:
            self.sums[name] = self.sums.get(name, 0) + converted

    def note(self, name: str, amount_minor: int, of: str) -> None:
        """Add to the part of a currency, as it is."""
        part = self.by_currency.setdefault(of, {})
        part[name] = part.get(name, 0) + amount_minor

    def miss(self, of: str, amount_minor: int) -> None:
        """Add to what has no rate."""
        if amount_minor:
            self.missing[of] = self.missing.get(of, 0) + amount_minor

    def use(self, rate: ExchangeRate) -> None:
        """Remember a rate."""
        if rate not in self.used:
            self.used.append(rate)

    def convert(self, amount_minor: int, of: str) -> int | None:
        """Return minor units of the book's currency; None without a rate."""
        if of == self.currency:
            return amount_minor
        rate = find_rate(of, self.currency, as_of=self.as_of, rates=self.rates)
        if rate is None:
            return None
        self.use(rate)
        return rate.convert(amount_minor, currency=of)

    def list_parts(self) -> tuple[CurrencyPart, ...]:
        """Return the parts by currency; none that is nothing."""
        parts = (
            CurrencyPart(
                currency=of,
                ordered_minor=sums.get("ordered", 0),
                delivered_minor=sums.get(Stage.DELIVERED, 0),
                invoiced_minor=sums.get(Stage.INVOICED, 0),
                bill_minor=sums.get(Stage.BILL, 0),
            )
            for of, sums in sorted(self.by_currency.items())
        )
        return tuple(one for one in parts if one.total_minor)

    def list_missing(self) -> tuple[NotComputable, ...]:
        """Return what is in no sum."""
        return tuple(
            NotComputable(currency=of, amount_minor=minor)
            for of, minor in sorted(self.missing.items())
        )


def express(
    amount_minor: int,
    of: str,
    *,
    currency: str,
    as_of: date,
    rates: Iterable[ExchangeRate],
) -> int | None:
    """Return minor units of a currency in those of another by the rates of a day; None without."""
    if of == currency:
        return amount_minor
    rate = find_rate(of, currency, as_of=as_of, rates=list(rates))
    return None if rate is None else rate.convert(amount_minor, currency=of)
