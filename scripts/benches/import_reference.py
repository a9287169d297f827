"""The loader that the import is measured against: as fast as we can, and no more than it must.

DuckDB reads the file, checks the same columns with one expression each and sums up the months;
``sqlite3.executemany`` stores the same rows into the same tables, in key order, in one transaction
that is confirmed on disk as ours is. It knows no reasons, no oddities, no earlier import, no other
encoding and no foreign keys: whatever does not cast is left out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from node.core.database import Database
from node.records.bulk.months import MONTHS_SQL, list_delay_rules
from node.records.business_day import BusinessCalendars, next_business_day
from node.records.tables import behaviour_month
from node.records.windows import last_released_month, release_date

SOURCE = "bench"
FETCH_ROWS = 10_000
CACHE_KIB = 262_144
EPOCH = date(1970, 1, 1)

_READ = """
create table checked as
select row_number() over () as row, customer_scheme as scheme, customer_value as value,
  customer_name as name, country, document_no, cast(line as integer) as line,
  try_cast(issued_on as date) as issued_on, try_cast(due_on as date) as due_on, currency,
  cast(try_cast(amount as decimal(18, 2)) * 100 as bigint) as amount_minor,
  coalesce(disputed, '') = 'yes' as disputed, try_cast(paid_on as date) as paid_on,
  cast(coalesce(try_cast(paid_amount as decimal(18, 2)), try_cast(amount as decimal(18, 2))) * 100
    as bigint) as paid_minor
from read_csv('{path}', header = true, all_varchar = true)
where regexp_full_match(customer_scheme, '[a-z0-9.]{{1,32}}')
  and regexp_full_match(customer_value, '[A-Za-z0-9._/-]{{1,64}}')
  and length(customer_name) between 1 and 200 and regexp_full_match(country, '[A-Z]{{2}}')
  and length(document_no) between 1 and 64 and try_cast(line as integer) is not null
  and try_cast(issued_on as date) is not null and try_cast(due_on as date) is not null
  and regexp_full_match(currency, '[A-Z]{{3}}') and try_cast(amount as decimal(18, 2)) > 0
  and (paid_on is null or try_cast(paid_on as date) is not null)
  and (paid_amount is null or try_cast(paid_amount as decimal(18, 2)) > 0)
"""
_SHAPE = (
    """create table invoice as select row_number() over (order by document_no, line) as id, *
    from (select distinct on (document_no, line) * from checked order by document_no, line, row)""",
    """create table payment as select (select max(id) from invoice)
      + row_number() over (order by document_no, line, paid_on, paid_minor) as id, *
    from (select distinct i.id as debit_id, i.document_no, i.line, i.currency, i.issued_on,
      c.paid_on, c.paid_minor, i.scheme, i.value
      from checked c join invoice i using (document_no, line) where c.paid_on is not null)""",
    """create table customer as select row_number() over (order by row) as id, *
    from (select distinct on (scheme, value) scheme, value, name, country, row from invoice
      order by scheme, value, row)""",
)
_ROLLED = (
    """create table rolled_item as select c.id as customer_id, currency, month, i.id as item_id,
      issued_on - date '1970-01-01' as issued_day,
      b.due_business_on - date '1970-01-01' as due_day, amount_minor,
      case when disputed then amount_minor else 0 end as disputed_minor
    from invoice i join customer c using (scheme, value)
      join business_day b on b.country = c.country and b.due_on = i.due_on""",
    """create table rolled_part as select debit_id as item_id,
      paid_on - date '1970-01-01' as paid_day,
      greatest(paid_on, issued_on) - date '1970-01-01' as seen_day, paid_minor as amount_minor
    from payment""",
)
_CUSTOMERS = """select id, scheme, value, name, country, 'company', 0 from customer order by id"""
_INVOICES = """select i.id, c.id, 'invoice', $source, document_no, line, 1,
  cast(issued_on as varchar), cast(i.due_on as varchar), cast(due_business_on as varchar), month,
  currency, amount_minor, 1, null, 0
from invoice i join customer c using (scheme, value)
  join business_day b on b.country = c.country and b.due_on = i.due_on order by i.id"""
_PAYMENTS = """select p.id, c.id, 'payment', $source,
  document_no || '/' || line || '/' || cast(paid_on as varchar) || '/' || paid_minor, 1, 1,
  cast(paid_on as varchar), null, null, null, currency, -paid_minor, 1, null, 0
from payment p join customer c using (scheme, value) order by p.id"""
_ALLOCATIONS = """select debit_id, id, paid_minor, cast(greatest(paid_on, issued_on) as varchar),
  'imported', 1, null, 0 from payment order by id"""
_DISPUTES = """select id, amount_minor, cast(issued_on as varchar), 'unstated', 1, null, 0
from invoice where disputed order by id"""


def load_reference(file: Path, *, store: Path, business_date: date, folder: Path) -> int:
    """Load a file into a new store and return the number of invoices and payments."""
    database = Database(url=f"sqlite:///{store}")
    behaviour_month.metadata.create_all(database.engine)
    database.dispose()
    engine = duckdb.connect(str(folder / "reference.duckdb"))
    engine.execute("set memory_limit = '400MB'")
    engine.execute(f"set temp_directory = '{folder / 'spill'}'")
    engine.execute(_READ.format(path=file))
    for statement in _SHAPE:
        engine.execute(statement)
    _add_business_days(engine)
    for statement in _ROLLED:
        engine.execute(statement)
    engine.execute("create table delay_rule (delay_days int, index_deci int, delay_class int)")
    engine.executemany("insert into delay_rule values (?, ?, ?)", list(list_delay_rules()))
    stored = _store(engine, store, business_date=business_date)
    engine.close()
    return stored


def _add_business_days(engine: duckdb.DuckDBPyConnection) -> None:
    calendars = BusinessCalendars()
    pairs = engine.execute(
        "select distinct c.country, i.due_on from invoice i join customer c using (scheme, value)"
    ).fetchall()
    days = [
        (country, due_on, next_business_day(due_on, calendar=calendars.get_calendar(country)))
        for country, due_on in pairs
    ]
    engine.execute(
        "create table business_day (country text, due_on date, due_business_on date, month int)"
    )
    rows = [(*day, day[2].year * 12 + day[2].month - 1) for day in days]
    values = ", ".join(f"('{a}', date '{b}', date '{c}', {d})" for a, b, c, d in rows)
    engine.execute(f"insert into business_day values {values}")  # noqa: S608  our own dates


def _store(engine: duckdb.DuckDBPyConnection, store: Path, *, business_date: date) -> int:
    newest = last_released_month(business_date)
    days = {"release_day": (release_date(newest) - EPOCH).days, "newest_month": newest}
    target = sqlite3.connect(store, isolation_level=None)
    target.execute("pragma journal_mode = wal")
    target.execute("pragma synchronous = full")
    target.execute(f"pragma cache_size = -{CACHE_KIB}")
    target.execute("begin immediate")
    target.execute("insert into source_import values (1, 'bench', '', '', '', 0, 0, 0, 0, 0)")
    _insert(target, "customer", 7, _fetch(engine, _CUSTOMERS))
    _insert(target, "ledger_item", 16, _fetch(engine, _INVOICES, {"source": SOURCE}))
    _insert(target, "ledger_item", 16, _fetch(engine, _PAYMENTS, {"source": SOURCE}))
    _insert(target, "allocation", 8, _fetch(engine, _ALLOCATIONS), keyed=False)
    _insert(target, "dispute", 7, _fetch(engine, _DISPUTES), keyed=False)
    months = _fetch(engine, f"{MONTHS_SQL} order by 1, 2, 3", days)
    _insert(
        target,
        "behaviour_month",
        25,
        ((*row[:3], (EPOCH + timedelta(days=row[3])).isoformat(), *row[4:]) for row in months),
    )
    target.execute("commit")
    count: int = target.execute("select count(*) from ledger_item").fetchone()[0]
    target.close()
    return count


def _insert(
    target: sqlite3.Connection,
    table: str,
    columns: int,
    rows: Iterable[tuple[Any, ...]],
    *,
    keyed: bool = True,
) -> None:
    places = ", ".join("?" * columns)
    values = places if keyed else f"null, {places}"
    target.executemany(f"insert into {table} values ({values})", rows)  # noqa: S608  our own names


def _fetch(
    engine: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any] | None = None
) -> Iterator[tuple[Any, ...]]:
    result = engine.execute(query, values) if values else engine.execute(query)
    while rows := result.fetchmany(FETCH_ROWS):
        yield from rows
