"""The store of the bench of the console: many customers with open invoices and ratings, one large.

Written set-wise by the store itself, from nothing but keys. Half of the names are in Chinese
script; a twentieth is late, one in fifty has alerts and is watched.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

BUSINESS_DATE = date(2026, 3, 31)
LARGE = 1
"""The key of the customer with most invoices."""
LARGE_OPEN, LARGE_OPEN_IN = 2_000, 5
"""Of so many of its newest invoices one in so many is open, beside those that are not due."""
_SEQUENCE = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"


def fill(
    store: Path, *, customers: int, items: int, large_items: int, scale: Mapping[str, object]
) -> None:
    """Write customers, invoices of theirs in turn, ratings, and the invoices of the large one.

    ``scale`` names what the ratings are by: ``policy``, ``sha``, ``scale``, ``scale_version`` and
    ``scale_sha``.
    """
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("BEGIN")
        connection.execute(_CUSTOMERS, {"count": customers})
        day = BUSINESS_DATE.isoformat()
        connection.execute(_ITEMS, {"count": items, "customers": customers, "day": day})
        _fill_large(connection, items, large_items)
        for statement in (*_RATINGS, *_RISK):
            connection.execute(statement, {"day": day, **scale})
        connection.execute("COMMIT")
        connection.execute("ANALYZE")


def _fill_large(connection: sqlite3.Connection, before: int, count: int) -> None:
    """Write invoices of four years, paid one by one within weeks; of the last ones few are."""
    rows, paid = [], []
    key = 2 * before
    for number in range(count):
        issued = BUSINESS_DATE - timedelta(days=number * 1_400 // max(count, 1))
        due = issued + timedelta(days=30)
        month = due.year * 12 + due.month - 1
        minor = 100_000 + number % 977 * 100
        key += 2
        rows.append(
            (key, LARGE, "invoice", f"L{number}", *map(str, (issued, due, due)), month, minor)
        )
        paid_on = due + timedelta(days=number % 40 - 5)
        if (number % LARGE_OPEN_IN or number > LARGE_OPEN) and paid_on <= BUSINESS_DATE:
            rows.append(
                (key + 1, LARGE, "payment", f"P{number}", str(paid_on), None, None, None, -minor)
            )
            paid.append((key, key + 1, minor, str(paid_on)))
    connection.executemany(
        "INSERT INTO ledger_item (id, customer_id, kind, source, document_no, line, version,"
        " happened_on, due_on, due_business_on, due_month, amount_minor, currency, entered_at_ms)"
        " VALUES (?, ?, ?, 'large', ?, 1, 1, ?, ?, ?, ?, ?, 'CNY', 1)",
        rows,
    )
    connection.executemany(
        "INSERT INTO allocation (debit_id, credit_id, amount_minor, allocated_on, method,"
        " entered_at_ms) VALUES (?, ?, ?, ?, 'document', 1)",
        paid,
    )


_CUSTOMERS = f"""
{_SEQUENCE}
INSERT INTO customer (id, scheme, value, name, country, kind, entered_at_ms)
SELECT i, 'sim', 'C' || i,
       CASE i % 2 WHEN 0 THEN substr('宏达兴隆华泰永盛', 1 + i % 7, 2)
            || substr('机械材料电子贸易', 1 + i % 7, 2) || i || '有限公司'
       ELSE 'Sample ' || substr('AlphaBravoDeltaGamma', 1 + i % 15, 5) || ' ' || i || ' Ltd' END,
       'CN', 'company', 1
FROM n
"""  # noqa: S608  our own text
# Issued within the last quarter, due after thirty days; those of a late customer a year ago.
_ITEMS = f"""
{_SEQUENCE}, m(i, key, issued) AS (
  SELECT i, 1 + (i * 7919) % :customers,
         date(:day, '-' || (i % 90 + CASE (i * 7919) % :customers % 20 WHEN 0 THEN 100 ELSE 0 END)
         || ' days') FROM n
)
INSERT INTO ledger_item (id, customer_id, kind, source, document_no, line, version, happened_on,
  due_on, due_business_on, due_month, currency, amount_minor, entered_at_ms)
SELECT i, key, 'invoice', 'bench', 'R' || i, 1, 1, issued, date(issued, '+30 days'),
       date(issued, '+30 days'),
       strftime('%Y', date(issued, '+30 days')) * 12
       + strftime('%m', date(issued, '+30 days')) - 1,
       CASE key % 10 WHEN 9 THEN 'EUR' ELSE 'CNY' END, 10000 + i % 900000, 1
FROM m
"""  # noqa: S608  our own text
_RATINGS = (
    """
INSERT INTO assessment (id, customer_id, subject_id, as_of, created_at_ms, policy_id,
  policy_version, policy_sha256_b64u, score_deci, confidence, confidence_code, reasons)
SELECT id, id, 'sim:' || value, :day, 1, :policy, 1, :sha, 300 + id * 7919 % 690, 'high',
       'enough', '' FROM customer
""",
    """
INSERT INTO rating (customer_id, subject_id, as_of, created_at_ms, own_assessment_id,
  assessment_id, policy_id, policy_version, policy_sha256_b64u, scale_id, scale_version,
  scale_sha256_b64u, grade_own, grade_with_peers, score_own_deci, score_with_peers_deci,
  confidence, default_events, valid_until, review_on)
SELECT id, 'sim:' || value, :day, 1, id, id, :policy, 1, :sha, :scale, :scale_version, :scale_sha,
       CASE id * 7919 % 7 WHEN 0 THEN 'AA' WHEN 1 THEN 'A' WHEN 2 THEN 'BBB' WHEN 3 THEN 'BB'
       WHEN 4 THEN 'B' WHEN 5 THEN 'CCC' ELSE 'AAA' END,
       CASE id * 7919 % 7 WHEN 0 THEN 'AA' WHEN 1 THEN 'A' WHEN 2 THEN 'BBB' WHEN 3 THEN 'BB'
       WHEN 4 THEN 'B' WHEN 5 THEN 'CCC' ELSE 'AAA' END,
       300 + id * 7919 % 690, 300 + id * 7919 % 690, 'high', '', date(:day, '+1 year'),
       date(:day, '+6 months') FROM customer
""",
)
_RISK = (
    """
INSERT INTO risk_run (id, as_of, policy, policy_sha256_b64u, started_by, started_at_ms, state,
  done_until, judged, skipped, changes, resumed, ended_at_ms)
VALUES (1, :day, 'bench', :sha, 'bench', 1, 'finished', 1, 0, 0, 0, 0, 1)
""",
    """
INSERT INTO risk_status (customer_id, status, status_own, points_milli, points_own_milli,
  found_json, policy, policy_sha256_b64u, run_id)
SELECT id, CASE id % 100 WHEN 0 THEN 'hold' ELSE 'watch' END,
       CASE id % 100 WHEN 0 THEN 'hold' ELSE 'watch' END, 0, 0, '[]', 'bench', :sha, 1
FROM customer WHERE id % 20 = 0
""",
    """
INSERT INTO risk_alert (customer_id, cause, rule, source, state, is_standing, status, level,
  opened_on, last_seq, said_json, policy, policy_sha256_b64u)
SELECT id, 'R3', 'R3', 'own', 'open', 1, 'watch', 1, date(:day, '-' || (id % 9) || ' days'), 1,
       '{"values": {}, "evidence": []}', 'bench', :sha FROM customer WHERE id % 50 = 0
""",
    """
INSERT INTO risk_watch (customer_id, cause, is_of_peers, entered_on, review_on, last_found_on,
  last_seq) SELECT id, 'R3', 0, :day, date(:day, '+30 days'), :day, 1
FROM customer WHERE id % 50 = 0
""",
)
