"""Of all customers: their ageing, in one currency by dated rates, and everything exported."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from node.core.clock import Clock
from node.core.database import Database
from node.core.errors import RejectedError
from node.core.money import CURRENCY_FORM
from node.records.errors import check_report_day
from node.records.exporting import ExportFormat, ExportManifest, export_records
from node.records.horizon import check_not_gone
from node.records.rules_ageing import Ageing, AgeingBase
from node.records.rules_conversion import (
    RATE_UNIT,
    ConvertedAgeing,
    ExchangeRate,
    convert_ageings,
)
from node.records.store import LedgerStore, RateStore, TurnoverStore
from node.records.store.export import ExportSource
from node.records.store.persons import list_person_ids
from node.records.tables import SOURCE_CHARS_MAX
from node.records.turnover import read_ageing

RATE_CHARACTERS_MAX = 24
RATE_MAX = 1_000_000  # of a unit for a unit


class RateInvalidError(RejectedError):
    """The text is no rate, or the currencies are none or one and the same."""

    code = "rate-invalid"


class PortfolioService:
    """What all customers owe together, rates to say it in one currency, and the way out."""

    def __init__(
        self, *, database: Database, clock: Clock, more_tables: Sequence[ExportSource] = ()
    ) -> None:
        """``more_tables`` of rooms above this one go out with its own in an export."""
        self._database = database
        self._clock = clock
        self._more_tables = more_tables

    def ageing(
        self,
        *,
        as_of: date,
        base: AgeingBase = AgeingBase.DUE,
        known_at_ms: int | None = None,
    ) -> list[Ageing]:
        """Return the ageing of all customers together, one for each currency.

        It is held against the ledger balance of each currency, as that of one customer is.

        Raises:
            ReportInvalidError: The day is of another time.
            RecordsGoneError: Some of the records of then have expired.
        """
        check_report_day(as_of)
        with self._database.read() as uow:
            check_not_gone(uow, None, as_of=as_of, known_at_ms=known_at_ms)
            ledger = LedgerStore(uow.connection, known_at_ms=known_at_ms)
            return [
                read_ageing(
                    TurnoverStore(uow.connection, currency=currency, known_at_ms=known_at_ms),
                    currency=currency,
                    as_of=as_of,
                    base=base,
                )
                for currency in ledger.list_currencies(as_of=as_of)
            ]

    def list_persons(self, *, among: Sequence[int] | None = None) -> frozenset[int]:
        """Return the keys of customers who are natural persons or sole traders.

        Of all customers, or among a page of them.
        """
        with self._database.read() as uow:
            return list_person_ids(uow.connection, among=among)

    def convert(
        self,
        ageings: list[Ageing],
        *,
        currency: str,
        as_of: date,
        known_at_ms: int | None = None,
    ) -> ConvertedAgeing:
        """Add ageings of several currencies up in one, by the rates of a day.

        Raises:
            RateMissingError: A currency has no rate of that day or the days before it.
            ReportInvalidError: The day is of another time.
        """
        check_report_day(as_of)
        with self._database.read() as uow:
            rates = RateStore(uow.connection, known_at_ms=known_at_ms).list_holding(as_of)
        return convert_ageings(ageings, currency=currency, as_of=as_of, rates=rates)

    def export(self, folder: Path, *, form: ExportFormat) -> ExportManifest:
        """Write everything that the room holds into a new folder, as one moment has it.

        Raises:
            ExportExistsError: The folder is there, or what an interrupted export has left of it.
        """
        return export_records(
            self._database, folder, form=form, clock=self._clock, more=self._more_tables
        )

    def add_rate(
        self, *, base: str, quote: str, rate: str, on: date, source: str, by: str
    ) -> ExchangeRate:
        """Enter how many units of ``quote`` one unit of ``base`` costs from a day on.

        Raises:
            RateInvalidError: It is no positive decimal of at most nine places, or of no currencies.
            ReportInvalidError: The day is of another time.
        """
        check_report_day(on)
        if base == quote or not all(map(CURRENCY_FORM.fullmatch, (base, quote))):
            raise RateInvalidError("a rate is between two codes of three capitals")
        if not source.strip() or len(source) > SOURCE_CHARS_MAX or not source.isprintable():
            raise RateInvalidError("a rate has a source: who has fixed it")
        entered = ExchangeRate(
            base=base, quote=quote, on=on, rate_nano=_parse_rate(rate), source=source
        )
        with self._database.write() as uow:
            RateStore(uow.connection).append(entered, by=by, at_ms=self._clock.now_ms())
        return entered


def _parse_rate(text: str) -> int:
    if len(text) > RATE_CHARACTERS_MAX:
        raise RateInvalidError("a rate is a decimal number, as 7.1234")
    try:
        scaled = Decimal(text.strip()) * RATE_UNIT
    except InvalidOperation as err:
        raise RateInvalidError("a rate is a decimal number, as 7.1234") from err
    if not scaled.is_finite() or not 0 < scaled <= RATE_MAX * RATE_UNIT or scaled % 1:
        raise RateInvalidError("a rate is positive and has at most nine decimals")
    return int(scaled)
