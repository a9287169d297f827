"""The roll-up in SQL says what the rules in Python say, on both engines that are at hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import date, timedelta

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from node.records.behaviour import MonthBehaviour
from node.records.bulk.months import MONTHS_SQL, list_delay_rules
from node.records.rules_behaviour import (
    AppliedPart,
    DisputedPart,
    InvoiceItem,
    build_month,
    find_settled_date,
)
from node.records.windows import month_of, release_date

EPOCH = date(1970, 1, 1)
FIRST = date(2026, 1, 1)
NEWEST_MONTH = month_of(date(2026, 3, 1))
TABLES = """
create table rolled_item (customer_id bigint, currency varchar, month bigint, item_id bigint,
  issued_day bigint, due_day bigint, amount_minor bigint, disputed_minor bigint);
create table rolled_part (item_id bigint, paid_day bigint, seen_day bigint, amount_minor bigint);
create table delay_rule (delay_days bigint, index_deci bigint, delay_class bigint)
"""
Month = tuple[int, str, int]


@st.composite
def draw_invoice(draw: st.DrawFn) -> InvoiceItem:
    """Return an invoice as imports make them: parts are payments, a dispute stays open."""
    issued_on = FIRST + timedelta(days=draw(st.integers(-30, 120)))
    due_on = issued_on + timedelta(days=draw(st.integers(-5, 60)))
    amount_minor = draw(st.integers(1, 10**13))
    left_minor = amount_minor
    parts = []
    for share in draw(st.lists(st.integers(1, 100), max_size=3)):
        part_minor = max(1, left_minor * share // 100)
        if part_minor > left_minor:
            break
        left_minor -= part_minor
        paid_on = issued_on + timedelta(days=draw(st.integers(-20, 300)))
        parts.append(
            AppliedPart(
                paid_on=paid_on, amount_minor=part_minor, applied_on=max(paid_on, issued_on)
            )
        )
    disputes: tuple[DisputedPart, ...] = ()
    if draw(st.integers(0, 9)) == 0:
        disputes = (DisputedPart(amount_minor=amount_minor, opened_on=issued_on),)
    return InvoiceItem(
        issued_on=issued_on,
        due_on=due_on,
        due_business_on=due_on + timedelta(days=draw(st.integers(0, 3))),
        amount_minor=amount_minor,
        paid=tuple(parts),
        disputes=disputes,
    )


invoices = st.lists(
    st.tuples(st.integers(1, 2), st.sampled_from(["CNY", "EUR"]), draw_invoice()), max_size=25
)


def roll_up_in_python(
    held: Sequence[tuple[int, str, InvoiceItem]],
) -> dict[Month, tuple[int, bool, MonthBehaviour]]:
    groups: dict[Month, list[InvoiceItem]] = {}
    for customer_id, currency, item in held:
        month = month_of(item.due_business_on)
        groups.setdefault((customer_id, currency, month), []).append(item)
    rolled = {}
    for key, items in groups.items():
        settled_on = find_settled_date(items)
        if settled_on is None and key[2] > NEWEST_MONTH:
            continue
        as_of = settled_on or release_date(NEWEST_MONTH)
        behaviour = build_month(key[2], items, as_of=as_of)
        if behaviour is not None:
            rolled[key] = ((as_of - EPOCH).days, settled_on is not None, behaviour)
    return rolled


def parse_rows(
    rows: Sequence[tuple[object, ...]],
) -> dict[Month, tuple[int, bool, MonthBehaviour]]:
    rolled = {}
    for customer_id, currency, month, *values in rows:
        as_of, settled, *numbers = (int(str(value)) for value in values)
        count, amount, paid, largest, second, *rest = numbers
        rolled[int(str(customer_id)), str(currency), int(str(month))] = (
            as_of,
            bool(settled),
            MonthBehaviour(
                month=int(str(month)),
                invoice_count=count,
                amount_minor=amount,
                paid_minor=paid,
                largest_minor=largest,
                second_minor=second,
                delay_counts=tuple(rest[:9]),
                index_deci_sum=rest[9],
                index_deci_by_amount=rest[10],
                late_days_sum=rest[11],
                late_days_by_amount=rest[12],
                disputed_count=rest[13],
                disputed_minor=rest[14],
            ),
        )
    return rolled


def roll_up_in_sql(
    engine: sqlite3.Connection | duckdb.DuckDBPyConnection,
    held: Sequence[tuple[int, str, InvoiceItem]],
) -> dict[Month, tuple[int, bool, MonthBehaviour]]:
    for statement in TABLES.split(";"):
        engine.execute(statement)
    for item_id, (customer_id, currency, item) in enumerate(held):
        due = item.due_business_on
        disputed_minor = item.amount_minor if item.disputes else 0
        engine.execute(
            "insert into rolled_item values (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(customer_id, currency, month_of(due), item_id),
                *((item.issued_on - EPOCH).days, (due - EPOCH).days),
                *(item.amount_minor, disputed_minor),
            ),
        )
        for part in item.paid:
            seen = max(part.paid_on, part.applied_on)
            engine.execute(
                "insert into rolled_part values (?, ?, ?, ?)",
                (item_id, (part.paid_on - EPOCH).days, (seen - EPOCH).days, part.amount_minor),
            )
    engine.executemany("insert into delay_rule values (?, ?, ?)", list(list_delay_rules()))
    values = {
        "release_day": (release_date(NEWEST_MONTH) - EPOCH).days,
        "newest_month": NEWEST_MONTH,
    }
    return parse_rows(engine.execute(MONTHS_SQL, values).fetchall())


@settings(deadline=None)
@given(held=invoices)
def test_sqlite_rolls_up_as_python_does(held: list[tuple[int, str, InvoiceItem]]) -> None:
    with closing(sqlite3.connect(":memory:")) as engine:
        rolled = roll_up_in_sql(engine, held)

    assert rolled == roll_up_in_python(held)


@settings(deadline=None, max_examples=30)
@given(held=invoices)
def test_duckdb_rolls_up_as_python_does(held: list[tuple[int, str, InvoiceItem]]) -> None:
    with closing(duckdb.connect(":memory:")) as engine:
        rolled = roll_up_in_sql(engine, held)

    assert rolled == roll_up_in_python(held)
