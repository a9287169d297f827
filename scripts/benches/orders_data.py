"""The store of the bench of order checks: customers with limits, and open invoices, row by row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

BUSINESS_DATE = date(2026, 3, 31)
LIMIT_MINOR = 10**9
DECIDED_MS = 1
_POLICY = "bench"


def fill(store: Path, *, customers: int, items: int) -> None:
    """Write customers, each with a limit in force, and open invoices of theirs in turn."""
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO customer (id, scheme, value, name, country, kind, entered_at_ms)"
            " VALUES (?, 'sim', ?, ?, 'CN', 'company', 1)",
            ((key, f"C{key}", f"Customer {key}") for key in range(1, customers + 1)),
        )
        fill_limits(connection, customers)
        connection.executemany(
            "INSERT INTO ledger_item (customer_id, kind, source, document_no, line, version,"
            " happened_on, due_on, due_business_on, due_month, currency, amount_minor,"
            " entered_at_ms) VALUES (?, 'invoice', 'bench', ?, 1, 1, ?, ?, ?, ?, 'CNY', ?, 1)",
            _list_items(customers, items),
        )
        connection.execute("COMMIT")
        connection.execute("ANALYZE")


def fill_limits(connection: sqlite3.Connection, customers: int) -> None:
    """Write for each customer a decision that is in force."""
    connection.execute(
        "INSERT INTO decision_policy (sha256_b64u, id, version, json) VALUES (?, 'bench', 1, '{}')",
        (_POLICY,),
    )
    keys = range(1, customers + 1)
    first, last = "2026-01-01", "2026-12-31"
    connection.executemany(
        "INSERT INTO credit_decision (id, customer_id, as_of, created_at_ms, proposed_by,"
        " policy_sha256_b64u, is_person, proposal_json, state, last_seq, approved_by, valid_until)"
        " VALUES (?, ?, ?, 1, 'Zhang', ?, 0, '{}', 'active', 1, 'Li', ?)",
        ((key, key, first, _POLICY, last) for key in keys),
    )
    connection.executemany(
        "INSERT INTO decision_version (decision_id, version, outcome, grade, currency, limit_minor,"
        " terms_days, security, monitoring, valid_until, review_on, entered_by, entered_at_ms)"
        " VALUES (?, 1, 'credit', 'A', 'CNY', ?, 30, 'none', 'normal', ?, ?, 'Zhang', 1)",
        ((key, LIMIT_MINOR, last, last) for key in keys),
    )
    connection.executemany(
        "INSERT INTO decision_event (decision_id, seq, kind, happened_on, entered_by,"
        " entered_at_ms) VALUES (?, 1, 'active', ?, 'Li', 1)",
        ((key, first) for key in keys),
    )


def _list_items(customers: int, items: int) -> Iterator[tuple[object, ...]]:
    for number in range(items):
        issued_on = BUSINESS_DATE - timedelta(days=number % 90)
        due_on = issued_on + timedelta(days=90)  # nothing is overdue, so nothing is held
        month = due_on.year * 12 + due_on.month - 1
        day = due_on.isoformat()
        amount_minor = 100_00 + number % 9_000_00
        yield (
            number % customers + 1, f"R{number}", issued_on.isoformat(), day, day, month,
            amount_minor,
        )  # fmt: skip
