"""Use cases of the records room; later rooms call ``find_behaviour_window``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

from node.core.clock import Clock, current_business_date
from node.core.database import Database
from node.core.errors import InvariantError
from node.records.adverse.events import check_adverse
from node.records.adverse.expiry import check_new_fact
from node.records.archiving import check_not_archived
from node.records.behaviour import BehaviourWindow
from node.records.business_day import BusinessCalendars
from node.records.derivation import (
    BehaviourDifference,
    build_window,
    compare_months,
    find_behaviour_window,
    iterate_pages,
    refresh_behaviour,
)
from node.records.documents import (
    DocumentOptions,
    DocumentReport,
    Tally,
    build_report,
    enter_documents,
    read_document_file,
)
from node.records.errors import (
    AdverseEventInvalidError,
    CustomerInvalidError,
    CustomerNotFoundError,
    check_report_day,
)
from node.records.horizon import check_not_gone, find_horizon, find_whole_month
from node.records.importing import (
    ControlTotals,
    Deal,
    ImportReport,
    Profile,
)
from node.records.importing.cells import CellError, RowCells
from node.records.ledger.posting import Posting, get_customer
from node.records.portfolio_row import PortfolioRow, build_portfolio_row
from node.records.rules_ageing import Ageing, AgeingBase
from node.records.store import (
    AppendingStore,
    CustomerRecord,
    LedgerStore,
    RecordsStore,
    TurnoverStore,
)
from node.records.table_import import TableOptions, import_table
from node.records.telling import TellDefault, tell_nobody
from node.records.tombstones import NameHasher
from node.records.turnover import Turnover, build_turnover, read_ageing
from node.records.windows import first_day, last_released_month, month_of, trailing_window

__all__ = [
    "AdverseEventInvalidError",
    "CustomerInvalidError",
    "CustomerNotFoundError",
    "PortfolioRow",
    "RecordsService",
    "find_behaviour_window",
]

CUSTOMERS_PAGE_MAX = 500
TREND_MONTHS_MAX = 60
PORTFOLIO_MONTHS = 12
TURNOVER_MONTHS = 3
UNKNOWN_COUNTRY = "ZZ"  # of ISO 3166, for users: only weekends are known


class _UndoneError(Exception):
    """Nothing of the transaction stays. Never leaves this module."""


class RecordsService:
    """The room's use cases: one public method, one transaction, one commit."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        business_date: date | None = None,
        hasher: NameHasher | None = None,
        tell_default: TellDefault = tell_nobody,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's.

        ``hasher`` knows the names of records that are gone; needed once any are.
        """
        self._hasher = hasher
        self._tell_default = tell_default
        self._database = database
        self._clock = clock
        self._business_date = business_date

    def import_file(
        self,
        file: Path | bytes,
        *,
        file_name: str | None = None,
        profile: Profile | str | None = None,
        source: str | None = None,
        deal: Deal | None = None,
        strict: bool = False,
        dry_run: bool = False,
        sheet: str | None = None,
        is_opening: bool = False,
        control_totals: ControlTotals | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> ImportReport:
        """Import invoices and payments from a table; its good rows are one transaction.

        The options are those of ``TableOptions``. Importing the same file again changes nothing.

        Raises:
            ImportFileError: The file cannot be read at all (``node.records.importing.errors``).
        """
        return import_table(
            self._database,
            file,
            TableOptions(
                file_name=file_name,
                profile=profile,
                source=source,
                deal=deal,
                strict=strict,
                dry_run=dry_run,
                sheet=sheet,
                is_opening=is_opening,
                control_totals=control_totals,
            ),
            hasher=self._hasher,
            clock=self._clock,
            business_date=current_business_date(self._clock, fixed=self._business_date),
            on_progress=on_progress,
        )

    def import_documents(
        self,
        file: Path | bytes,
        options: DocumentOptions,
        *,
        file_name: str | None = None,
        by: str = "import",
    ) -> DocumentReport:
        """Import an invoice, a credit note or bank statements; what is new is one transaction.

        A trial does all of it and leaves nothing. With ``options.strict`` one rejected row keeps
        the whole file out. Importing the same file again changes nothing.

        Raises:
            ImportFileError: The file cannot be read, or a statement comes without its source.
            DocumentFileError: It is no document that we read (``node.records.formats.errors``).
        """
        read = read_document_file(file, file_name=file_name, options=options)
        business_date = current_business_date(self._clock, fixed=self._business_date)
        tally = Tally()
        imported = False
        with suppress(_UndoneError), self._database.write() as uow:
            posting = Posting(
                uow=uow,
                by=by,
                at_ms=self._clock.now_ms(),
                calendars=BusinessCalendars(),
                hasher=self._hasher,
            )
            enter_documents(posting, read, options, tally=tally)
            if options.trial or not tally.has_added or (options.strict and tally.rejects):
                raise _UndoneError
            refresh_behaviour(uow, sorted(posting.customer_ids), business_date=business_date)
            imported = True
        return build_report(read, tally, imported=imported, is_trial=options.trial)

    def list_customers(self, *, limit: int = 100, after: int = 0) -> list[CustomerRecord]:
        """Return a page of customers, in the order in which they came."""
        with self._database.read() as uow:
            return RecordsStore(uow.connection).list_customers(
                limit=min(limit, CUSTOMERS_PAGE_MAX), after=after
            )

    def add_customer(
        self, *, scheme: str, value: str, name: str, country: str = UNKNOWN_COUNTRY
    ) -> CustomerRecord:
        """Enter a customer before its first invoice, to assess it; one that is here stays as it is.

        Raises:
            CustomerInvalidError: The identifier, name or country has not the form of one.
        """
        row = RowCells({"scheme": scheme, "value": value, "name": name, "country": country})
        try:
            values: dict[str, object] = {
                "scheme": row.read_scheme("scheme"),
                "value": row.read_value("value"),
                "name": row.read_name("name"),
                "country": row.read_country("country"),
                "kind": "company",
                "entered_at_ms": self._clock.now_ms(),
            }
        except CellError as err:
            raise CustomerInvalidError(f"{err.column}: {err.reason}") from err
        with self._database.write() as uow:
            store = RecordsStore(uow.connection)
            customer = store.find_customer(scheme=scheme.strip(), value=value.strip())
            if customer is None:
                AppendingStore(uow.connection).append_customers([values])
                customer = store.find_customer(scheme=scheme.strip(), value=value.strip())
        if customer is None:
            raise InvariantError("the customer was not written")
        return customer

    def count_customers(self) -> int:
        """Return the number of customers."""
        with self._database.read() as uow:
            return RecordsStore(uow.connection).count_customers()

    def get_customer(self, customer_id: int, *, known_at_ms: int | None = None) -> CustomerRecord:
        """Return one customer, or the one that it turned out to be by a moment.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            return get_customer(uow, customer_id, known_at_ms=known_at_ms)

    def get_named_customer(self, text: str, *, known_at_ms: int | None = None) -> CustomerRecord:
        """Return the customer of a number of ours or a subject id ``scheme:value``.

        With ``known_at_ms`` what was merged later stands by itself.

        Raises:
            CustomerNotFoundError: There is none.
        """
        with self._database.read() as uow:
            store = RecordsStore(uow.connection)
            customer = store.find_customer_named(text, known_at_ms=known_at_ms)
        if customer is None:
            raise CustomerNotFoundError("there is no such customer")
        return customer

    def find_customer(self, *, scheme: str, value: str) -> CustomerRecord | None:
        """Return the customer with this identifier."""
        with self._database.read() as uow:
            return RecordsStore(uow.connection).find_customer(scheme=scheme, value=value)

    def ageing(
        self,
        customer_id: int,
        *,
        as_of: date,
        base: AgeingBase = AgeingBase.DUE,
        known_at_ms: int | None = None,
    ) -> list[Ageing]:
        """Return the ageing of one customer, one for each currency, the main one first.

        It is replayed: what happened after ``as_of`` has not happened, and with ``known_at_ms``
        what was entered or corrected later is not known, so that a report of then comes out again.

        Raises:
            CustomerNotFoundError: There is none with this key.
            ReportInvalidError: Records are not of such a day.
            RecordsGoneError: Some of the records of then have expired.
        """
        check_report_day(as_of)
        with self._database.read() as uow:
            key = get_customer(uow, customer_id, known_at_ms=known_at_ms).customer_id
            check_not_gone(uow, key, as_of=as_of, known_at_ms=known_at_ms)
            ledger = LedgerStore(uow.connection, known_at_ms=known_at_ms)
            sold = [one.currency for one in ledger.list_positions(key, as_of=as_of)]
            others = ledger.list_currencies(customer_id=key, as_of=as_of)
            return [
                read_ageing(
                    TurnoverStore(
                        uow.connection, currency=currency, customer_id=key, known_at_ms=known_at_ms
                    ),
                    currency=currency,
                    as_of=as_of,
                    base=base,
                )
                for currency in dict.fromkeys((*sold, *others))
            ]

    def turnover(
        self,
        *,
        as_of: date,
        currency: str,
        months: int = TURNOVER_MONTHS,
        customer_id: int | None = None,
        known_at_ms: int | None = None,
    ) -> Turnover:
        """Return DSO and its kin and the collection index, of one customer or of all.

        Raises:
            CustomerNotFoundError: There is none with this key.
            ReportInvalidError: Records are not of such a day.
            RecordsGoneError: Some of the records of its months have expired.
        """
        check_report_day(as_of)
        with self._database.read() as uow:
            if customer_id is not None:
                customer_id = get_customer(uow, customer_id, known_at_ms=known_at_ms).customer_id
            months = min(months, TREND_MONTHS_MAX)
            first = first_day(month_of(as_of) - months + 1) - timedelta(days=1)
            check_not_gone(uow, customer_id, as_of=min(first, as_of), known_at_ms=known_at_ms)
            store = TurnoverStore(
                uow.connection,
                currency=currency,
                customer_id=customer_id,
                known_at_ms=known_at_ms,
            )
            return build_turnover(
                store,
                currency=currency,
                as_of=as_of,
                months=months,
                gone_until=find_horizon(uow, customer_id),
            )

    def find_behaviour_window(
        self, *, scheme: str, value: str, first_month: int, last_month: int, as_of: date
    ) -> BehaviourWindow | None:
        """Return the behaviour of one customer; see the function of this name."""
        with self._database.read() as uow:
            return find_behaviour_window(
                uow,
                subject_scheme=scheme,
                subject_value=value,
                first_month=first_month,
                last_month=last_month,
                as_of=as_of,
            )

    def monthly_trend(
        self, customer_id: int, *, as_of: date, months: int = 24
    ) -> BehaviourWindow | None:
        """Return the last released months of one customer; None before its first invoice.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        last_month = last_released_month(as_of)
        first_month, _ = trailing_window(
            last_month=last_month, months=min(months, TREND_MONTHS_MAX)
        )
        with self._database.read() as uow:
            store = RecordsStore(uow.connection)
            customer = get_customer(uow, customer_id)
            first_month = max(first_month, find_whole_month(uow, customer.customer_id))
            if first_month > last_month:
                return None
            return build_window(store, customer, months=(first_month, last_month), as_of=as_of)

    def list_portfolio(
        self, *, as_of: date, limit: int = 100, after: int = 0
    ) -> list[PortfolioRow]:
        """Return a page of customers: what they owe, how they paid in the last released year."""
        last_month = last_released_month(as_of)
        months = trailing_window(last_month=last_month, months=PORTFOLIO_MONTHS)
        rows = []
        with self._database.read() as uow:
            store = RecordsStore(uow.connection)
            page = store.list_customers(limit=min(limit, CUSTOMERS_PAGE_MAX), after=after)
            for customer in page:
                window = build_window(store, customer, months=months, as_of=as_of)
                if window is not None:
                    rows.append(build_portfolio_row(customer, window))
        return rows

    def record_adverse_event(
        self,
        customer_id: int,
        *,
        kind: str,
        happened_on: date,
        settled_on: date | None,
        evidence_sha256_hex: str,
    ) -> None:
        """Enter a default or worse with the hash of the document held.

        Raises:
            CustomerNotFoundError: There is none with this key.
            CustomerArchivedError: The relation with it is closed.
            AdverseEventInvalidError: The kind is unknown, the document is missing, or it was
                settled before it happened.
            RecordGoneError: What the document shows was deleted when its time was over.
            FactRefutedError: An objection to it was upheld.
        """
        check_adverse(
            kind=kind,
            happened_on=happened_on,
            settled_on=settled_on,
            evidence_sha256_hex=evidence_sha256_hex,
        )
        with self._database.write() as uow:
            customer = get_customer(uow, customer_id)
            check_not_archived(uow, customer.customer_id)
            check_new_fact(
                uow, customer, document_sha256_hex=evidence_sha256_hex, hasher=self._hasher
            )
            at_ms = self._clock.now_ms()
            AppendingStore(uow.connection).append_adverse_event(
                customer_id=customer.customer_id,
                kind=kind,
                happened_on=happened_on,
                settled_on=settled_on,
                evidence_sha256_hex=evidence_sha256_hex,
                at_ms=at_ms,
            )
            self._tell_default(uow, customer.customer_id, at_ms)

    def rebuild_behaviour(self) -> int:
        """Sum up every month of every customer anew, as each night; return how many are kept."""
        business_date = current_business_date(self._clock, fixed=self._business_date)
        kept = 0
        with self._database.write() as uow:
            for customer_ids in iterate_pages(RecordsStore(uow.connection)):
                kept += refresh_behaviour(uow, customer_ids, business_date=business_date)
        return kept

    def compare_behaviour(self) -> list[BehaviourDifference]:
        """Compare every rolled-up month with its events; an empty list is the good answer."""
        with self._database.read() as uow:
            store = RecordsStore(uow.connection)
            return [one for ids in iterate_pages(store) for one in compare_months(store, ids)]
