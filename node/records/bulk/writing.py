"""Writing what a large file holds within the caller's transaction.

Lines that are not here yet are taken set by set. A line that is here is compared by the rules of
every import (``node.records.importing.writing``), some hundreds at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import groupby, islice
from typing import Any

from node.core.database import UnitOfWork
from node.records.barring import Barring
from node.records.bulk import write_statements as statements
from node.records.bulk.engine import Engine, Spool
from node.records.bulk.months import list_delay_rules
from node.records.bulk.reading import LargeContent, parse_draft
from node.records.business_day import BusinessCalendars, next_business_day
from node.records.derivation import refresh_behaviour
from node.records.importing.draft import DraftInvoice, DraftPayment, Oddity
from node.records.importing.report import ImportOutcome
from node.records.importing.writing import payment_ref, plan_import
from node.records.rules_ledger import ItemKind
from node.records.store import AppendingStore, BulkStore
from node.records.tombstones import NameHasher
from node.records.windows import last_released_month, month_of, release_date

LINES_TOGETHER = 500
CUSTOMERS_TOGETHER = 500
EPOCH = date(1970, 1, 1)


def write_large_import(
    uow: UnitOfWork,
    engine: Engine,
    content: LargeContent,
    *,
    at_ms: int,
    business_date: date,
    hasher: NameHasher | None,
    strict: bool,
    dry_run: bool,
) -> ImportOutcome:
    """Append what is not here yet, and roll up who is touched; as ``write_import`` does.

    A dry run stops before the first row is written.
    """
    store = BulkStore(uow.connection)
    rejected_before = content.rows_rejected
    barring = Barring(uow, hasher=hasher)
    rows_known = _compare(uow, store, engine, content, barring=barring)
    engine.run(statements.TAKE)
    invoices_added, payments_added = engine.get_row(statements.COUNT_NEW)
    is_refused = strict and content.rows_rejected > rejected_before
    if is_refused or not (invoices_added or payments_added):
        return ImportOutcome(rows_known=rows_known)
    customers_added = _find_buyers(uow, store, engine)
    oddities = _find_business_days(engine)
    outcome = ImportOutcome(
        imported=True,
        rows_known=rows_known,
        oddities=oddities,
        customers_added=customers_added,
        invoices_added=invoices_added,
        payments_added=payments_added,
    )
    if dry_run:
        return outcome
    import_id = AppendingStore(uow.connection).append_import(
        source=content.source,
        file_name=content.file_name,
        file_sha256_hex=content.file_sha256_hex,
        profile=content.profile,
        rows_read=content.rows_read,
        rows_rejected=content.rows_rejected,
        invoices_added=invoices_added,
        payments_added=payments_added,
        at_ms=at_ms,
    )
    with store.widen_cache():
        _append_items(store, engine, source=content.source, import_id=import_id, at_ms=at_ms)
        _roll_up(uow, store, engine, business_date=business_date)
    return outcome


def _compare(
    uow: UnitOfWork,
    store: BulkStore,
    engine: Engine,
    content: LargeContent,
    *,
    barring: Barring,
) -> int:
    """Compare the lines that are here, and return how many rows say nothing new."""
    first, last = engine.get_row(statements.SPAN_OF_DOCUMENTS)
    with engine.fill("known_line", statements.LINE_COLUMNS) as spool:
        if first is not None and store.has_items(source=content.source):
            for line in store.iterate_lines(source=content.source, first=first, last=last):
                spool.write(*line)
        for name in _iterate_barred(uow, engine, content, barring=barring):
            spool.write(*name)
    rows_known = 0
    with (
        engine.fill("fresh_line", statements.LINE_COLUMNS) as fresh,
        engine.fill("late_payment", statements.LATE_PAYMENT_COLUMNS) as late,
    ):
        invoices = _iterate_here(engine)
        while part := dict(islice(invoices, LINES_TOGETHER)):
            content.invoices = part
            rows_known += _plan_part(uow, content, barring=barring, fresh=fresh, late=late)
    content.invoices = {}
    return rows_known


def _iterate_barred(
    uow: UnitOfWork, engine: Engine, content: LargeContent, *, barring: Barring
) -> Iterator[tuple[str, int]]:
    """Yield the lines that may be kept out, so that the rules of every import judge them."""
    if barring.has_tombstones:
        for names in engine.iterate_parts(statements.LIST_LINES):
            lines = [(document_no, line) for document_no, line in names]
            yield from barring.find_gone(source=content.source, kind=ItemKind.INVOICE, names=lines)
    if not barring.has_archives:
        return
    archived: list[tuple[str, str]] = []
    for keys in engine.iterate_parts(statements.LIST_ALL_NAMED):
        known = AppendingStore(uow.connection).read_customers((key[0], key[1]) for key in keys)
        closed = barring.find_archived(sorted({customer_id for customer_id, _ in known.values()}))
        archived += [name for name, (customer_id, _) in known.items() if customer_id in closed]
    for scheme, value in archived:
        for names in engine.iterate_parts(
            statements.LIST_LINES_OF, {"scheme": scheme, "value": value}
        ):
            yield from ((one[0], one[1]) for one in names)


def _iterate_here(engine: Engine) -> Iterator[tuple[tuple[str, int], DraftInvoice]]:
    rows = engine.iterate(statements.LIST_HERE)
    for key, group in groupby(rows, key=lambda row: (row[5], row[6])):
        invoice: DraftInvoice | None = None
        for *values, remarks, payment_row, paid_on, paid_minor in group:
            if invoice is None:
                number, draft = parse_draft((*values, None, 0, remarks))
                invoice = DraftInvoice(draft=draft, row=number)
            if paid_on is not None:
                payment = DraftPayment(paid_on=paid_on, amount_minor=paid_minor)
                invoice.payments[payment] = payment_row
        if invoice is not None:
            yield key, invoice


def _plan_part(
    uow: UnitOfWork, content: LargeContent, *, barring: Barring, fresh: Spool, late: Spool
) -> int:
    store = AppendingStore(uow.connection)
    drafts = [invoice.draft for invoice in content.invoices.values()]
    customers = store.read_customers({(draft.scheme, draft.value) for draft in drafts})
    plan = plan_import(store, content, customers, barring=barring)
    for key in plan.new_invoices:
        fresh.write(*key)
    for key, draft, payment in plan.new_payments:
        if key in plan.new_invoices:
            continue
        late.write(
            plan.item_ids[key],
            customers[draft.scheme, draft.value][0],
            draft.currency,
            draft.issued_on,
            payment_ref(key, payment),
            payment.paid_on,
            payment.amount_minor,
        )
    for reject in plan.rejects:
        content.reject(reject.row, column=reject.column, reason=reject.reason)
    return plan.rows_known


def _find_buyers(uow: UnitOfWork, store: BulkStore, engine: Engine) -> int:
    """Find out who buys, and return how many of them are new."""
    with engine.fill("known_customer", statements.CUSTOMER_COLUMNS) as spool:
        for keys in engine.iterate_parts(statements.LIST_NAMED):
            known = AppendingStore(uow.connection).read_customers((key[0], key[1]) for key in keys)
            for (scheme, value), (customer_id, country) in known.items():
                spool.write(customer_id, scheme, value, country)
    engine.run(statements.FIND_BUYERS, {"base": store.get_last_customer_id()})
    return engine.get_count("select count(*) from buyer where is_new")


def _find_business_days(engine: Engine) -> Counter[str]:
    """Move each due date by the payer's calendar, and return what is odd about countries."""
    calendars = BusinessCalendars()
    with engine.fill("business_day", statements.DAY_COLUMNS) as spool:
        for country, due_on in engine.iterate(statements.LIST_DUE_DAYS):
            calendar = calendars.get_calendar(country)
            moved_on = next_business_day(due_on, calendar=calendar)
            spool.write(country, due_on, moved_on, month_of(moved_on), calendar.is_known)
    differs, unknown = engine.get_row(statements.COUNT_COUNTRIES)
    return +Counter({Oddity.COUNTRY_DIFFERS.value: differs, Oddity.COUNTRY_UNKNOWN.value: unknown})


def _append_items(
    store: BulkStore, engine: Engine, *, source: str, import_id: int, at_ms: int
) -> None:
    base = store.get_last_item_id()
    engine.run(statements.NUMBER_INVOICES, {"base": base})
    engine.run("drop table taken")
    invoices = engine.get_count("select count(*) from new_invoice")
    engine.run(statements.NUMBER_PAYMENTS, {"base": base + invoices})
    stamp: dict[str, Any] = {"import_id": import_id, "at_ms": at_ms}
    for rows in engine.iterate_parts(statements.LIST_CUSTOMERS, {"at_ms": at_ms}):
        store.append_customers(rows)
    for query in (statements.LIST_INVOICES, statements.LIST_PAYMENTS):
        for rows in engine.iterate_parts(query, {**stamp, "source": source}):
            store.append_items(rows)
    for rows in engine.iterate_parts(statements.LIST_ALLOCATIONS, stamp):
        store.append_allocations(rows)
    for rows in engine.iterate_parts(statements.LIST_DISPUTES, stamp):
        store.append_disputes(rows)


def _roll_up(uow: UnitOfWork, store: BulkStore, engine: Engine, *, business_date: date) -> None:
    with engine.fill("delay_rule", statements.RULE_COLUMNS) as spool:
        for rule in list_delay_rules():
            spool.write(*rule)
    engine.run(statements.FILL_ROLLED_ITEMS)
    engine.run(statements.FILL_ROLLED_PARTS)
    newest = last_released_month(business_date)
    values = {"release_day": (release_date(newest) - EPOCH).days, "newest_month": newest}
    for rows in engine.iterate_parts(statements.LIST_MONTHS, values):
        store.append_months(rows)
    older = (customer_id for (customer_id,) in engine.iterate(statements.LIST_OLDER_BUYERS))
    while part := list(islice(older, CUSTOMERS_TOGETHER)):
        refresh_behaviour(uow, part, business_date=business_date)
