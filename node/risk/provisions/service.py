"""Use cases of provisions: a run of a day, customers apart, and the movement between two runs.

A run reads what was known at one moment, which it names, and is appended: corrections of later make
another run. Run a second time with nothing new it is the same run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.errors import ConflictError, NotFoundError, RejectedError
from node.core.policies.source import PolicySource
from node.records.errors import CustomerNotFoundError, check_report_day
from node.records.horizon import check_not_gone
from node.records.rules_ageing_list import CustomerAgeing, check_sums
from node.records.rules_conversion import ExchangeRate, RateMissingError, find_rate
from node.records.rules_retention import add_months
from node.records.store import RecordsStore
from node.records.store.rates import RateStore
from node.records.tables import REASON_CHARS_MAX
from node.risk.provisions.policy import PPM, ProvisionMethod, ProvisionPolicy
from node.risk.provisions.rules_movement import Movement, compute_movement, convert_movement
from node.risk.provisions.rules_provision import (
    FlowHistory,
    LossRate,
    OpenBalance,
    Specific,
    build_lines,
    compute_flow_rates,
    fold_history,
    group_buckets,
    list_policy_rates,
)
from node.risk.provisions.store import NewRun, ProvisionRun, ProvisionStore, SpecificEntry

RUNS_PAGE_MAX = 200


class ProvisionInvalidError(RejectedError):
    """A run or an entry is not one: its day, share or reason is wrong."""

    code = "provision-invalid"


class ProvisionNotFoundError(NotFoundError):
    """There is no such run, or no such customer apart."""

    code = "provision-not-found"


class AlreadyApartError(ConflictError):
    """The customer is looked at apart already: the entry that stands is ended first."""

    code = "already-apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementReport:
    """The movement of an allowance from one run to another; ``opening`` is none at the first."""

    opening: ProvisionRun | None
    closing: ProvisionRun
    currency: str
    movement: Movement
    rates: tuple[ExchangeRate, ...]
    """Of the opening's and the closing's day, in another currency than the runs'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """What a run reads of."""

    as_of: date
    known_at_ms: int
    policy: ProvisionPolicy


class ProvisionService:
    """Provides for expected losses."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        policies: PolicySource[ProvisionPolicy],
        business_date: date | None = None,
    ) -> None:
        """``policies`` says by what."""
        self._database = database
        self._clock = clock
        self._policies = policies
        self._business_date = business_date

    def run(self, *, by: str, as_of: date | None = None) -> list[ProvisionRun]:
        """Provide for what is open on a day, in each currency by itself.

        A run that says the same as the newest one of the day is that one.

        Raises:
            ProvisionInvalidError: The day is to come.
            ReportInvalidError: The day is of another time.
            RecordsGoneError: Some of the records of then have expired.
            FlowNotComputableError: The policy takes rates from own history, which gives none.
        """
        made = self.propose(as_of=as_of)
        with self._database.write() as uow:
            store = ProvisionStore(uow.connection)
            runs = []
            for one in made:
                newest = store.find_newest(currency=one.currency, on=one.as_of)
                if newest is None or not one.says_as(newest.content):
                    at_ms = self._clock.now_ms()
                    run_id = store.append_run(one, by=by, at_ms=at_ms)
                    newest = ProvisionRun(
                        run_id=run_id, content=one, entered_by=by, entered_at_ms=at_ms
                    )
                runs.append(newest)
        return runs

    def propose(
        self, *, as_of: date | None = None, more_apart: Mapping[int, int] | None = None
    ) -> list[NewRun]:
        """Return what a run of a day would say; nothing is kept.

        ``more_apart`` are customers looked at apart beside those who are, with their shares in
        millionths: what would be if they failed.

        Raises:
            ProvisionInvalidError: The day is to come.
            ReportInvalidError: The day is of another time.
            RecordsGoneError: Some of the records of then have expired.
            FlowNotComputableError: The policy takes rates from own history, which gives none.
        """
        today = current_business_date(self._clock, fixed=self._business_date)
        day = as_of or today
        check_report_day(day)
        if day > today:
            raise ProvisionInvalidError("nothing is provided for a day to come")
        known_at_ms = self._clock.now_ms()
        with self._database.read() as uow:
            check_not_gone(uow, None, as_of=day, known_at_ms=known_at_ms)
            policy = self._policies.read_active(uow)
            moment = _Moment(as_of=day, known_at_ms=known_at_ms, policy=policy)
            apart = _list_apart(uow, moment)
            for customer_id, rate_ppm in (more_apart or {}).items():
                apart[customer_id] = Specific(customer_id=customer_id, rate_ppm=rate_ppm)
            return _build_runs(uow, moment, apart)

    def list_runs(
        self, *, currency: str | None = None, limit: int = 50, before: int | None = None
    ) -> list[ProvisionRun]:
        """Return the newest runs, the last one first."""
        with self._database.read() as uow:
            return ProvisionStore(uow.connection).list_runs(
                currency=currency, limit=min(limit, RUNS_PAGE_MAX), before=before
            )

    def get_run(self, run_id: int) -> ProvisionRun:
        """Return a run.

        Raises:
            ProvisionNotFoundError: There is none.
        """
        with self._database.read() as uow:
            return _get_run(ProvisionStore(uow.connection), run_id)

    def report_movement(
        self, closing_id: int, *, opening_id: int | None = None, currency: str | None = None
    ) -> MovementReport:
        """Return how the allowance has moved from a run to another one of the same currency.

        Without ``opening_id`` from the newest run of the last day before; from nothing where there
        is none. In another ``currency`` by the rates of the two days.

        Raises:
            ProvisionNotFoundError: There is no such run.
            ProvisionInvalidError: The runs are of two currencies, or not one after the other.
            RateMissingError: There is no rate of one of the days.
        """
        with self._database.read() as uow:
            store = ProvisionStore(uow.connection)
            closing = _get_run(store, closing_id)
            last = closing.content
            if opening_id is None:
                opening = store.find_before(currency=last.currency, before=last.as_of)
            else:
                opening = _get_run(store, opening_id)
                _check_pair(opening.content, last)
            movement = compute_movement(
                () if opening is None else opening.content.lines,
                last.lines,
                written_off={}
                if opening is None
                else store.sum_written_off(
                    currency=last.currency,
                    after=opening.content.as_of,
                    upto=last.as_of,
                    known_at_ms=last.known_at_ms,
                ),
            )
            wanted = currency or last.currency
            if wanted == last.currency:
                return MovementReport(
                    opening=opening, closing=closing, currency=wanted, movement=movement, rates=()
                )
            first_day = last.as_of if opening is None else opening.content.as_of
            rates = [_get_rate(uow, last.currency, wanted, on=on) for on in (first_day, last.as_of)]
        return MovementReport(
            opening=opening,
            closing=closing,
            currency=wanted,
            movement=convert_movement(
                movement,
                at_opening=lambda minor: rates[0].convert(minor, currency=last.currency),
                at_closing=lambda minor: rates[1].convert(minor, currency=last.currency),
            ),
            rates=tuple(rates),
        )

    def set_apart(
        self, customer_id: int, *, rate_ppm: int, reason: str, by: str, from_on: date | None = None
    ) -> int:
        """Take a customer out of the pool from a day on and return the entry's key.

        Raises:
            CustomerNotFoundError: There is no such customer.
            ProvisionInvalidError: The share is none, the reason is missing, or the day is to come.
            AlreadyApartError: The customer is looked at apart already.
        """
        today = current_business_date(self._clock, fixed=self._business_date)
        day = from_on or today
        check_report_day(day)
        if day > today:
            raise ProvisionInvalidError("a customer is looked at apart from today or before")
        if not 0 <= rate_ppm <= PPM:
            raise ProvisionInvalidError("what is lost is between nothing and all")
        _check_reason(reason)
        with self._database.write() as uow:
            if RecordsStore(uow.connection).find_customer_by_id(customer_id) is None:
                raise CustomerNotFoundError("there is no such customer")
            store = ProvisionStore(uow.connection)
            if any(
                one.customer_id == customer_id and one.ended_by is None
                for one in store.list_specifics()
            ):
                raise AlreadyApartError("the customer is looked at apart already")
            return store.append_specific(
                customer_id=customer_id,
                rate_ppm=rate_ppm,
                from_on=day,
                reason=reason,
                by=by,
                at_ms=self._clock.now_ms(),
            )

    def end_apart(self, entry_id: int, *, reason: str, by: str) -> None:
        """Put a customer back into the pool from today on.

        Raises:
            ProvisionNotFoundError: There is no such entry that stands.
            ProvisionInvalidError: The reason is missing.
        """
        _check_reason(reason)
        today = current_business_date(self._clock, fixed=self._business_date)
        with self._database.write() as uow:
            if not ProvisionStore(uow.connection).end_specific(
                entry_id, on=today, reason=reason, by=by, at_ms=self._clock.now_ms()
            ):
                raise ProvisionNotFoundError("there is no such customer apart")

    def list_apart(self) -> list[SpecificEntry]:
        """Return who is or was looked at apart."""
        with self._database.read() as uow:
            return ProvisionStore(uow.connection).list_specifics()


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > REASON_CHARS_MAX:
        raise ProvisionInvalidError("a reason is given, of at most 500 characters")


def _check_pair(opening: NewRun, closing: NewRun) -> None:
    if opening.currency != closing.currency:
        raise ProvisionInvalidError("the runs are of two currencies")
    if opening.as_of >= closing.as_of:
        raise ProvisionInvalidError("the opening is of a day before the closing")


def _get_run(store: ProvisionStore, run_id: int) -> ProvisionRun:
    found = store.find_run(run_id)
    if found is None:
        raise ProvisionNotFoundError("there is no such run")
    return found


def _get_rate(uow: UnitOfWork, one: str, other: str, *, on: date) -> ExchangeRate:
    rates = RateStore(uow.connection).list_holding(on)
    found = find_rate(one, other, as_of=on, rates=rates)
    if found is None:
        raise RateMissingError(f"no rate between {one} and {other} for {on}")
    return found


def _list_apart(uow: UnitOfWork, moment: _Moment) -> dict[int, Specific]:
    """Return who is looked at apart: what a person has entered goes before an insolvency."""
    store, known_at_ms = ProvisionStore(uow.connection), moment.known_at_ms
    records = RecordsStore(uow.connection)

    def find_key(key: int) -> int:  # Balances are of the customer that it turned out to be.
        found = records.find_customer_by_id(key, known_at_ms=known_at_ms)
        return key if found is None else found.customer_id

    insolvent = store.list_insolvent(as_of=moment.as_of, known_at_ms=known_at_ms)
    rates = dict.fromkeys(map(find_key, insolvent), moment.policy.body.insolvent_ppm)
    entries = store.list_specifics(as_of=moment.as_of, known_at_ms=known_at_ms)
    rates |= {find_key(one.customer_id): one.rate_ppm for one in entries}
    return {key: Specific(customer_id=key, rate_ppm=ppm) for key, ppm in rates.items()}


def _build_runs(uow: UnitOfWork, moment: _Moment, apart: Mapping[int, Specific]) -> list[NewRun]:
    store, body = ProvisionStore(uow.connection), moment.policy.body
    by_currency: dict[str, list[CustomerAgeing]] = {
        currency: [] for currency in store.list_provided(by=moment.as_of)
    }
    for row in store.iterate_balances(
        as_of=moment.as_of, base=body.base, known_at_ms=moment.known_at_ms
    ):
        check_sums(row)
        by_currency.setdefault(row.currency, []).append(row)
    return [
        _build_run(uow, moment, currency=currency, rows=rows, apart=apart)
        for currency, rows in sorted(by_currency.items())
    ]


def _build_run(
    uow: UnitOfWork,
    moment: _Moment,
    *,
    currency: str,
    rows: Sequence[CustomerAgeing],
    apart: Mapping[int, Specific],
) -> NewRun:
    policy = moment.policy
    history: FlowHistory | None = None
    rates: tuple[LossRate, ...] = list_policy_rates(policy.body)
    if policy.body.method is ProvisionMethod.FLOW:
        history = _read_history(uow, moment, currency=currency)
        rates = compute_flow_rates(history, invoices_min=policy.body.flow_invoices_min)
    balances = [
        OpenBalance(
            customer_id=row.customer_id,
            bucket_minors=group_buckets(row.buckets, edges=policy.edges),
        )
        for row in rows
    ]
    return NewRun(
        as_of=moment.as_of,
        currency=currency,
        known_at_ms=moment.known_at_ms,
        policy_label=policy.label,
        policy_sha256_b64u=policy.sha256_b64u,
        method=policy.body.method.value,
        forward_ppm=policy.body.forward_ppm,
        flow_invoices=None if history is None else history.invoices,
        disputed_minor=sum(row.disputed_minor for row in rows),
        unapplied_minor=sum(row.unapplied_minor for row in rows),
        lines=build_lines(policy.body, rates, balances, apart),
    )


def _read_history(uow: UnitOfWork, moment: _Moment, *, currency: str) -> FlowHistory:
    """Return what became of the invoices that have had time to run through every bucket."""
    body = moment.policy.body
    upto = moment.as_of - timedelta(days=moment.policy.edges[-1])
    parts = ProvisionStore(uow.connection).iterate_flow(
        currency=currency,
        base=body.base,
        after=add_months(upto, -body.flow_months),
        upto=upto,
        as_of=moment.as_of,
        at_ms=moment.known_at_ms,
    )
    return fold_history(parts, edges=moment.policy.edges)
