#!/usr/bin/env python3
"""Generate invoices of several suppliers with shared customers: one CSV a member, and a manifest.

Deterministic: the same arguments give the same bytes. The shapes follow measurements on real
records: three or four invoices of ten are paid after the nominal due date, but many of these only
because it was a weekend; most customers are punctual and few are very late; amounts are lognormal;
and lateness belongs to the payer more than to the relation (correlation of the late flag across
suppliers about 0.5), which is what makes asking other suppliers worth while. Only the standard
library is used.

    generate_invoices.py --out DIR --members 4 --seed 1 --as-of 2026-06-30

The names are made up and say so. ``manifest.json`` names the customers made for one lesson each.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random  # noqa: TID251  seeded by an argument; nothing here is secret
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

HISTORY_DAYS = 730
WINDOW_DAYS = 330  # well inside twelve closed months
FUTURE_DAYS = 60  # invoices not due yet
CUSTOMERS_PER_MEMBER = 22
MEMBERS_MAX = 1000
SHARED_PROBABILITY = 0.45
THIN_PROBABILITY = 0.2
INVOICES_PER_MONTH_MAX = 9.0
MONTHS = HISTORY_DAYS / 30.4

# Shares of the variance of lateness: the payer, the relation to one supplier, the single invoice.
PAYER_SHARE, RELATION_SHARE = 0.70, 0.13
LATE_THRESHOLD = 0.82  # one invoice of five is late after the next business day
LATE_LOG_MEAN, LATE_LOG_SPREAD, LATE_DAYS_MAX = 0.5, 1.5, 240
ON_THE_DAY_PROBABILITY = 0.5
MONDAY_PROBABILITY = 0.8  # of those who pay on the day, where it is a weekend
IN_PARTS_PROBABILITY = 0.12
DISPUTED_PROBABILITY = 0.008
FRIDAY = 5

HEADER_LINE = (
    "customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
    "currency,amount,paid_on,paid_amount,disputed\r\n"
)
_CITIES = ("杭州", "苏州", "佛山", "青岛", "成都", "武汉", "宁波", "厦门", "长沙", "无锡")
_WORDS = (
    "启明",
    "远帆",
    "恒达",
    "瑞丰",
    "金禾",
    "蓝湾",
    "星河",
    "卓越",
    "同创",
    "安泰",
    "嘉和",
    "鼎新",
)
_TRADES = ("机电", "食品", "纺织", "建材", "电子", "化工", "包装", "物流")
_GERMAN = ("Nordhafen", "Lindental", "Rheinbogen", "Altmühl", "Grünwald", "Seeblick", "Eichengrund")
_GERMAN_TRADES = ("Maschinenbau", "Lebensmittel", "Textil", "Baustoffe", "Elektronik")
_ENGLISH = ("Lakeview", "Red Cedar", "Granite Bay", "Fairmont", "Blue Prairie", "Hollow Creek")
_ENGLISH_TRADES = ("Foods", "Supply", "Fabrics", "Components", "Packaging")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A payer. ``lateness`` is standard normal; higher pays later."""

    value: str
    name: str
    country: str
    lateness: float
    log_amount: float
    terms_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One invoice of one member with its payments."""

    member: int
    customer: Customer
    document_no: str
    issued_on: date
    due_on: date
    amount_cents: int
    paid: tuple[tuple[date, int], ...]
    disputed: bool

    @property
    def settled_on(self) -> date | None:
        """The day of the last payment, once all is paid."""
        if sum(cents for _, cents in self.paid) < self.amount_cents:
            return None
        return max(day for day, _ in self.paid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one customer of one member behaves; ``delays`` fixes what else is drawn."""

    count: int
    first_due_on: date
    last_due_on: date
    relation: float = 0.0
    delays: tuple[int, ...] = ()
    dominant_factor: int = 1  # the first invoice is so many times larger


class Generator:
    """Draws everything from one seeded source, in one order."""

    def __init__(self, *, seed: int, members: int, as_of: date) -> None:
        self._random = random.Random(seed)  # noqa: S311  sample data
        self._members = members
        self._as_of = as_of
        self._invoices: list[Invoice] = []
        self._numbers = [0] * members

    def generate(self) -> tuple[list[Invoice], dict[str, str]]:
        """Make the customers made for a lesson, then the others."""
        featured = self._add_featured()
        for number in range(CUSTOMERS_PER_MEMBER * self._members):
            customer = self._draw_customer(f"C{number + 1:06d}")
            home = number % self._members
            for member in self._draw_members(home):
                self._add_invoices(member, customer, self._draw_plan())
        self._invoices.sort(key=lambda invoice: (invoice.issued_on, invoice.document_no))
        return self._invoices, featured

    def _add_featured(self) -> dict[str, str]:
        late = (12, 18, 9, 25, 34, 15, 41, 22, 0, 38)
        punctual = (0, -1, -3, 0, -2, 0, -5)
        cold = self._draw_customer("S000001", country="CN")
        self._add_invoices(0, cold, self._window_plan(count=1, delays=(0,)))
        for member in range(1, self._members):
            match member % 3:
                case 1:
                    plan = self._window_plan(count=26, delays=late)
                case 2:
                    plan = self._window_plan(count=9, delays=late, dominant_factor=60)
                case _:
                    plan = self._window_plan(count=3, delays=(4, 48, 21))
            self._add_invoices(member, cold, plan)
        unseen = self._draw_customer("S000002", country="CN")
        for member in range(1, self._members):
            self._add_invoices(member, unseen, self._window_plan(count=18, delays=late))
        lessons = {
            "clean": ("S000003", self._window_plan(count=24, delays=punctual)),
            "dominated": (
                "S000004",
                self._window_plan(count=8, delays=punctual, dominant_factor=60),
            ),
            "thin": ("S000005", self._window_plan(count=3, delays=punctual)),
        }
        for value, plan in lessons.values():
            customer = self._draw_customer(value, country="CN")
            for member in range(self._members):
                self._add_invoices(member, customer, plan)
        values = {"cold": cold.value, "unseen": unseen.value}
        values |= {lesson: value for lesson, (value, _) in lessons.items()}
        return {lesson: f"sim:{value}" for lesson, value in values.items()}

    def _window_plan(
        self, *, count: int, delays: tuple[int, ...], dominant_factor: int = 1
    ) -> Plan:
        last = self._as_of - timedelta(days=45)
        return Plan(
            count=count,
            first_due_on=last - timedelta(days=WINDOW_DAYS - 50),
            last_due_on=last,
            delays=delays,
            dominant_factor=dominant_factor,
        )

    def _draw_plan(self) -> Plan:
        source = self._random
        relation = source.gauss(0, 1)
        if source.random() < THIN_PROBABILITY:
            first = self._as_of - timedelta(days=WINDOW_DAYS)
            count = source.randint(1, 4)
        else:
            first = self._as_of - timedelta(days=HISTORY_DAYS)
            count = max(
                5, round(min(source.lognormvariate(-0.4, 0.9), INVOICES_PER_MONTH_MAX) * MONTHS)
            )
        last = self._as_of + timedelta(days=FUTURE_DAYS)
        return Plan(count=count, first_due_on=first, last_due_on=last, relation=relation)

    def _draw_members(self, home: int) -> list[int]:
        members = [home]
        if self._members > 1 and self._random.random() < SHARED_PROBABILITY:
            others = [member for member in range(self._members) if member != home]
            members += self._random.sample(others, self._random.randint(1, min(3, len(others))))
        return members

    def _draw_customer(self, value: str, *, country: str | None = None) -> Customer:
        source = self._random
        if country is None:
            country = source.choices(("CN", "DE", "US"), weights=(6, 2, 2))[0]
        return Customer(
            value=value,
            name=self._draw_name(country),
            country=country,
            lateness=source.gauss(0, 1),
            log_amount=source.gauss(math.log(18_000), 0.9),
            terms_days=source.choice((15, 30, 30, 30, 45, 60, 90)),
        )

    def _draw_name(self, country: str) -> str:
        choose = self._random.choice
        if country == "CN":
            return f"示例{choose(_WORDS)}{choose(_TRADES)}({choose(_CITIES)})有限公司"
        if country == "DE":
            return f"Muster {choose(_GERMAN)} {choose(_GERMAN_TRADES)} GmbH"
        return f"Sample {choose(_ENGLISH)} {choose(_ENGLISH_TRADES)} Inc"

    def _add_invoices(self, member: int, customer: Customer, plan: Plan) -> None:
        span = (plan.last_due_on - plan.first_due_on).days
        for number in range(plan.count):
            position = span * number // max(1, plan.count - 1)
            if not plan.delays:
                position = self._random.randint(0, span)
            due_on = plan.first_due_on + timedelta(days=position)
            issued_on = due_on - timedelta(days=customer.terms_days)
            if issued_on > self._as_of:
                continue
            delay = plan.delays[number % len(plan.delays)] if plan.delays else None
            factor = plan.dominant_factor if number == 0 else 1
            spread = 0.25 if plan.delays else 0.7
            amount = self._random.lognormvariate(customer.log_amount, spread) * factor
            amount_cents = max(1000, round(min(amount, 9e7) * 100))
            settled_on = self._draw_settlement(customer, plan.relation, due_on=due_on, delay=delay)
            self._numbers[member] += 1
            self._invoices.append(
                Invoice(
                    member=member,
                    customer=customer,
                    document_no=f"M{member}-{self._numbers[member]:06d}",
                    issued_on=issued_on,
                    due_on=due_on,
                    amount_cents=amount_cents,
                    paid=self._draw_payments(
                        amount_cents, issued_on=issued_on, due_on=due_on, settled_on=settled_on
                    ),
                    disputed=delay is None and self._random.random() < DISPUTED_PROBABILITY,
                )
            )

    def _draw_settlement(
        self, customer: Customer, relation: float, *, due_on: date, delay: int | None
    ) -> date:
        if delay is not None:
            return move_to_weekday(move_to_weekday(due_on) + timedelta(days=delay))
        source = self._random
        tendency = (
            math.sqrt(PAYER_SHARE) * customer.lateness
            + math.sqrt(RELATION_SHARE) * relation
            + math.sqrt(1 - PAYER_SHARE - RELATION_SHARE) * source.gauss(0, 1)
        )
        if tendency > LATE_THRESHOLD:
            log_mean = LATE_LOG_MEAN + 0.4 * max(0.0, customer.lateness)
            days = math.ceil(source.lognormvariate(log_mean, LATE_LOG_SPREAD))
            days = min(days, LATE_DAYS_MAX)
            return move_to_weekday(move_to_weekday(due_on) + timedelta(days=days))
        if source.random() < ON_THE_DAY_PROBABILITY:
            # Who pays on a weekend's due date mostly pays on the Monday after it.
            waits = source.random() < MONDAY_PROBABILITY
            return move_to_weekday(due_on) if waits else move_back_to_weekday(due_on)
        days = min(30, math.ceil(source.expovariate(0.28)))
        return move_back_to_weekday(due_on - timedelta(days=days))

    def _draw_payments(
        self, amount_cents: int, *, issued_on: date, due_on: date, settled_on: date
    ) -> tuple[tuple[date, int], ...]:
        settled_on = max(settled_on, issued_on)
        payments = [(settled_on, amount_cents)]
        nominal = move_to_weekday(due_on)
        if settled_on > nominal and self._random.random() < IN_PARTS_PROBABILITY:
            part = amount_cents * self._random.randint(30, 70) // 100
            payments = [(nominal, part), (settled_on, amount_cents - part)]
        return tuple(payment for payment in payments if payment[0] <= self._as_of)


def move_to_weekday(day: date) -> date:
    """Return the day, or the Monday after a weekend."""
    return day + timedelta(days=8 - day.isoweekday() if day.isoweekday() > FRIDAY else 0)


def move_back_to_weekday(day: date) -> date:
    """Return the day, or the Friday before a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))


def list_rows(invoices: Iterable[Invoice]) -> Iterator[tuple[str, ...]]:
    """Yield the template's rows: one an invoice, one more for each further payment."""
    for invoice in invoices:
        payer = invoice.customer
        dates = (invoice.issued_on.isoformat(), invoice.due_on.isoformat())
        identity = ("sim", payer.value, payer.name, payer.country, invoice.document_no, "1")
        head = (*identity, *dates, "CNY", f"{invoice.amount_cents / 100:.2f}")
        flag = "yes" if invoice.disputed else ""
        for paid_on, cents in invoice.paid:
            yield (*head, paid_on.isoformat(), f"{cents / 100:.2f}", flag)
        if not invoice.paid:
            yield (*head, "", "", flag)


def measure(invoices: Sequence[Invoice]) -> dict[str, float]:
    """Return figures of the settled invoices: weekends moved, public holidays not."""
    settled = [(invoice, day) for invoice in invoices if (day := invoice.settled_on) is not None]
    nominal = [(day - invoice.due_on).days for invoice, day in settled]
    moved = sorted((day - move_to_weekday(invoice.due_on)).days for invoice, day in settled)
    suppliers: dict[str, set[int]] = defaultdict(set)
    for invoice in invoices:
        suppliers[invoice.customer.value].add(invoice.member)
    figures = {
        "invoices": len(invoices),
        "customers": len(suppliers),
        "customers_shared": sum(len(members) > 1 for members in suppliers.values()),
        "open": len(invoices) - len(settled),
        "late_nominal_percent": 100 * sum(days > 0 for days in nominal) / len(nominal),
        "late_correlation_across_suppliers": measure_correlation(settled),
    }
    for limit in (0, 5, 30):
        late = sum(days > limit for days in moved)
        figures[f"late_over_{limit}_days_percent"] = 100 * late / len(moved)
    for percent in (5, 25, 50, 75, 90, 95, 99):
        figures[f"delay_p{percent}_days"] = moved[len(moved) * percent // 100]
    return {name: round(value, 2) for name, value in figures.items()}


def measure_correlation(settled: Sequence[tuple[Invoice, date]]) -> float:
    """Return how late flags correlate between two suppliers of a payer, averaged by payer."""
    flags: dict[str, dict[int, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for invoice, day in settled:
        late = day > move_to_weekday(invoice.due_on)
        flags[invoice.customer.value][invoice.member].append(late)
    shared = [
        [sum(own) / len(own) for own in by_member.values()]
        for by_member in flags.values()
        if len(by_member) > 1
    ]
    if not shared:
        return 0.0
    mean = sum(sum(rates) / len(rates) for rates in shared) / len(shared)
    products = 0.0
    for rates in shared:
        total = sum(rate - mean for rate in rates)
        squares = sum((rate - mean) ** 2 for rate in rates)
        products += (total**2 - squares) / (len(rates) * (len(rates) - 1))
    return products / len(shared) / (mean * (1 - mean)) if 0 < mean < 1 else 0.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the files and print what was measured from them."""
    parser = argparse.ArgumentParser(description="Generate invoices of several suppliers.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2026, 6, 30))
    options = parser.parse_args(arguments)
    if not 1 <= options.members <= MEMBERS_MAX:
        parser.error(f"--members is 1 to {MEMBERS_MAX}")
    generator = Generator(seed=options.seed, members=options.members, as_of=options.as_of)
    invoices, featured = generator.generate()
    options.out.mkdir(parents=True, exist_ok=True)
    for member in range(options.members):
        own = [invoice for invoice in invoices if invoice.member == member]
        path = options.out / f"member-{member}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(HEADER_LINE)
            csv.writer(file).writerows(list_rows(own))
        customers = len({invoice.customer.value for invoice in own})
        print(f"{path.name}: {len(own)} invoices, {customers} customers")
    measured = measure(invoices)
    for name, value in measured.items():
        print(f"{name.replace('_', ' ')}: {value:g}")
    manifest = {
        "as_of": options.as_of.isoformat(),
        "seed": options.seed,
        "featured": featured,
        "measured": measured,
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=2)
    (options.out / "manifest.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
