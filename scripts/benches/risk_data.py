"""The store of the bench of the daily run: limits, invoices of a year with their payments, orders.

Of each customer's invoices all but the last are paid, by bank one by one. A twentieth pays late
and has one that is overdue; a tenth has an open order. Written row by row, from nothing but keys.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from scripts.benches.orders_data import BUSINESS_DATE, fill_limits

OPEN_INVOICES = 1
STEP_DAYS = 30
TERMS_DAYS = 30
LATE_EVERY = 20
ORDER_EVERY = 10
CHANGED_EVERY = 100
_AMOUNT = 1_000_00
_ITEM = (
    "INSERT INTO ledger_item (id, customer_id, kind, source, document_no, line, version,"
    " happened_on, due_on, due_business_on, due_month, currency, amount_minor, entered_at_ms)"
    " VALUES (?, ?, ?, 'bench', ?, 1, 1, ?, ?, ?, ?, 'CNY', ?, 1)"
)
_ALLOCATION = (
    "INSERT INTO allocation (debit_id, credit_id, amount_minor, allocated_on, method,"
    " entered_at_ms) VALUES (?, ?, ?, ?, 'document', 1)"
)


def fill(store: Path, *, customers: int, invoices: int) -> None:
    """Write everything."""
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO customer (id, scheme, value, name, country, kind, entered_at_ms)"
            " VALUES (?, 'sim', ?, ?, 'CN', 'company', 1)",
            ((key, f"C{key}", f"Customer {key}") for key in range(1, customers + 1)),
        )
        fill_limits(connection, customers)
        for key in range(1, customers + 1):
            rows = list(_list_rows(key, invoices))
            connection.executemany(_ITEM, (row for row in rows if len(row) > len(_PAID)))
            connection.executemany(_ALLOCATION, (row for row in rows if len(row) == len(_PAID)))
        _fill_orders(connection, customers)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")


_PAID = ("debit_id", "credit_id", "amount_minor", "allocated_on")


def _list_rows(key: int, invoices: int) -> Iterator[tuple[Any, ...]]:
    """Yield the invoices of a customer, their payments and what was applied, the oldest first."""
    is_late = key % LATE_EVERY == 0
    first = key * 2 * invoices
    for number in range(invoices):
        issued = BUSINESS_DATE - timedelta(days=STEP_DAYS * (invoices - number - 1) + key % 7)
        due = issued + timedelta(days=TERMS_DAYS)
        minor = _AMOUNT + key % 97 * 100 + number
        item = first + 2 * number
        yield (
            item, key, "invoice", f"R{item}", str(issued), str(due), str(due),
            due.year * 12 + due.month - 1, minor,
        )  # fmt: skip
        paid = due + timedelta(days=20 if is_late else number % 3 - 2)
        if number >= invoices - OPEN_INVOICES or paid > BUSINESS_DATE:
            continue
        yield item + 1, key, "payment", f"P{item}", str(paid), None, None, None, -minor
        yield item, item + 1, minor, str(paid)


def _fill_orders(connection: sqlite3.Connection, customers: int) -> None:
    keys = range(ORDER_EVERY, customers + 1, ORDER_EVERY)
    connection.executemany(
        "INSERT INTO sales_order (id, source, number) VALUES (?, 'bench', ?)",
        ((key, f"S{key}") for key in keys),
    )
    connection.executemany(
        "INSERT INTO sales_order_version (order_id, version, event, state, customer_id, currency,"
        " amount_minor, prepaid_minor, happened_on, entered_by, entered_at_ms)"
        " VALUES (?, 1, 'created', 'open', ?, 'CNY', ?, 0, ?, 'erp', 1)",
        ((key, key, _AMOUNT, str(BUSINESS_DATE)) for key in keys),
    )


def change(store: Path, *, customers: int) -> int:
    """Let one customer in a hundred owe what is long overdue; return how many."""
    keys = range(CHANGED_EVERY, customers + 1, CHANGED_EVERY)
    due = date(BUSINESS_DATE.year, 1, 5)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.executemany(
            "INSERT INTO ledger_item (customer_id, kind, source, document_no, line, version,"
            " happened_on, due_on, due_business_on, due_month, currency, amount_minor,"
            " entered_at_ms) VALUES (?, 'invoice', 'bench', ?, 1, 1, ?, ?, ?, ?, 'CNY', ?, 2)",
            (
                (key, f"N{key}", str(due), str(due), str(due), due.year * 12, 9_000_00)
                for key in keys
            ),
        )
    return len(keys)


def read_bare(store: Path, *, size: int) -> int:
    """Fetch the rows that a run judges by, in stretches of so many keys; return how many."""
    count = 0
    with closing(sqlite3.connect(store)) as connection:
        after, newest = 0, connection.execute("SELECT max(id) FROM customer").fetchone()[0]
        while after < newest:
            some = (after + 1, after + size)
            for query in _BARE:
                count += len(connection.execute(query, some).fetchall())
            after += size
    return count


_BARE = (
    "SELECT id, scheme, value, name FROM customer WHERE id BETWEEN ? AND ?",
    """
    SELECT i.customer_id, i.id, i.kind, i.currency, i.amount_minor, i.happened_on, i.due_on,
           i.due_business_on, a.credit_id, a.amount_minor, a.allocated_on
    FROM ledger_item i LEFT JOIN allocation a ON a.debit_id = i.id
    WHERE i.customer_id BETWEEN ? AND ?
    """,
    """
    SELECT d.customer_id, v.limit_minor, v.valid_until
    FROM credit_decision d JOIN decision_version v ON v.decision_id = d.id
    WHERE d.customer_id BETWEEN ? AND ?
    """,
    "SELECT * FROM sales_order_version WHERE customer_id BETWEEN ? AND ?",
)
