"""Use cases of limits: temporary limits and caps of groups, requested and approved; stops.

One public method is one transaction. The permanent limit is decided in the decision room. Lowering
a limit below what is owed is allowed: only new orders are held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.money import AMOUNT_MINOR_MAX, CURRENCY_FORM
from node.core.people.service import Principal
from node.decision.evidence import build_converter
from node.decision.policy import DecisionPolicy, Tier
from node.decision.rules_state import find_tier, join_names
from node.records.archiving import check_not_archived
from node.records.errors import check_report_day
from node.records.ledger.posting import check_by, check_reason, get_customer
from node.records.store import RecordsStore
from node.risk.authority import Consent, check_authority, fold_names
from node.risk.errors import LimitNotFoundError, LimitStateError, RiskInvalidError
from node.risk.limits.reading import read_limits
from node.risk.limits.rules_limits import (
    EndApproval,
    LimitEntry,
    LimitKind,
    LimitState,
    LimitView,
    Stop,
    keep_counting,
)
from node.risk.limits.store import LimitStore

TEMPORARY_DAYS_MAX = 366
WAITING_MAX = 500
FindPolicy = Callable[[], DecisionPolicy]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLimit:
    """A temporary limit, or the cap of the group below a customer, in minor units."""

    kind: LimitKind
    customer_id: int
    currency: str
    amount_minor: int
    first_on: date
    last_on: date | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedLimit:
    """A limit that waits, by whom its amount is approved, and who has approved it so far."""

    entry: LimitEntry
    tier: Tier
    given: tuple[str, ...]


class LimitService:
    """Keeps the limit ledger."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        find_policy: FindPolicy,
        business_date: date | None = None,
    ) -> None:
        """``find_policy`` returns the decision policy, whose tiers say who approves what."""
        self._database = database
        self._clock = clock
        self._find_policy = find_policy
        self._business_date = business_date

    def request(self, new: NewLimit, *, by: str) -> LimitEntry:
        """Ask for a limit; it holds for nothing until somebody else has approved it.

        Raises:
            RiskInvalidError: It makes no sense.
            ReportInvalidError: Its first day is none that records are of.
            CustomerNotFoundError: There is no such customer.
            CustomerArchivedError: The relation is closed.
            ItemInvalidError: Who or the reason cannot be kept.
        """
        check_by(by)
        check_reason(new.reason)
        _check_new(new, today=self.today())
        with self._database.write() as uow:
            key = get_customer(uow, new.customer_id).customer_id
            check_not_archived(uow, key)
            store = LimitStore(uow.connection)
            entry_id = store.append(
                new.kind,
                key,
                currency=new.currency,
                amount_minor=new.amount_minor,
                first_on=new.first_on,
                last_on=new.last_on,
                reason=new.reason,
                by=by,
                at_ms=self._clock.now_ms(),
            )
            return _get(store, entry_id)

    def approve(self, entry_id: int, *, actor: Principal) -> LimitEntry:
        """Approve a limit that was asked for; with the last approval of its amount it holds.

        Raises:
            LimitNotFoundError: There is no such entry.
            LimitStateError: It is approved, ended or past.
            DutyConflictError: It is the operator's token, or a role stands against it.
            NoAuthorityError: The amount is beyond the person's tier.
            ReleaseDutyError: The person asked for it or has approved it.
        """
        now_ms, today = self._clock.now_ms(), self.today()
        with self._database.write() as uow:
            store = LimitStore(uow.connection)
            entry = _get(store, entry_id)
            is_past = entry.last_on is not None and entry.last_on < today
            if entry.state_on(today) is not LimitState.REQUESTED or is_past:
                raise LimitStateError(f"entry {entry_id} is not waiting for an approval")
            given = store.list_approvals(entry_id)
            consent = check_authority(
                uow,
                actor,
                amount_minor=entry.amount_minor,
                currency=entry.currency,
                makers=fold_names(entry.requested_by),
                given=[approval for approval, _ in given],
                policy=self._find_policy(),
                on=today,
                now_ms=now_ms,
            )
            store.append_approval(
                entry_id, consent.authority, person=consent.person, name=actor.name, at_ms=now_ms
            )
            if consent.is_last:
                names = join_names([*(name for _, name in given), actor.name])
                store.settle(entry_id, by=names, on=today, at_ms=now_ms)
            return _get(store, entry_id)

    def end(self, entry_id: int, *, reason: str, actor: Principal) -> tuple[LimitEntry, int]:
        """Approve that a limit ends before its time; the last approval of its tier ends it.

        A request that nobody has approved is withdrawn by anybody. Approvals that wait for others
        lapse with the days of a proposal of the decision policy. Returns the entry, and how many
        persons have still to approve.

        Raises:
            LimitNotFoundError: There is no such entry.
            LimitStateError: It has ended.
            DutyConflictError: It holds, and this is the operator's token or a role against it.
            NoAuthorityError: It holds, and what it would fall back to is beyond the tier.
            ReleaseDutyError: It holds, and the person asked for it or has approved its end.
            ItemInvalidError: Who or the reason cannot be kept.
        """
        check_by(actor.name)
        check_reason(reason)
        now_ms, today = self._clock.now_ms(), self.today()
        with self._database.write() as uow:
            store = LimitStore(uow.connection)
            entry = _get(store, entry_id)
            state = entry.state_on(today)
            if state in {LimitState.ENDED, LimitState.LAPSED}:
                raise LimitStateError(f"entry {entry_id} has ended")
            names, waits_for = actor.name, 0
            if state is not LimitState.REQUESTED:
                given, round_no = self._open_round(entry.ending)
                consent = self._consent(
                    uow,
                    actor,
                    money=self._measure_ending(uow, entry, today=today),
                    maker=entry.requested_by,
                    given=given,
                )
                store.append_ending(
                    consent.authority,
                    entry_id=entry_id,
                    person=consent.person,
                    name=actor.name,
                    reason=reason,
                    at_ms=now_ms,
                    round_no=round_no,
                )
                names = join_names([*(one.name for one in given), actor.name])
                waits_for = consent.waits_for
            if not waits_for:
                store.end(entry_id, reason=reason, by=names, on=today, at_ms=now_ms)
            return _get(store, entry_id), waits_for

    def stop(self, customer_id: int, *, reason: str, by: str) -> Stop:
        """Stop a customer: nothing is sold to it until a person ends that.

        Raises:
            CustomerNotFoundError: There is no such customer.
            LimitStateError: It is stopped already.
            ItemInvalidError: Who or the reason cannot be kept.
        """
        check_by(by)
        check_reason(reason)
        today = self.today()
        with self._database.write() as uow:
            store = LimitStore(uow.connection)
            key = get_customer(uow, customer_id).customer_id
            ids = RecordsStore(uow.connection).list_ids(key)
            if any(one.stands_on(today) for one in store.list_stops(ids)):
                raise LimitStateError("the customer is stopped already")
            stop_id = store.append_stop(
                key, reason=reason, on=today, by=by, at_ms=self._clock.now_ms()
            )
            return _get_stop(store, stop_id)

    def end_stop(self, stop_id: int, *, reason: str, actor: Principal) -> tuple[Stop, int]:
        """Approve that a stop ends; the last approval for the customer's limit ends it.

        Without a limit it is of the last tier. Approvals that wait lapse as those of ``end`` do.
        Returns the stop, and how many persons have still to approve.

        Raises:
            LimitNotFoundError: There is no such stop.
            LimitStateError: It has ended.
            DutyConflictError: It is the operator's token, or a role stands against it.
            NoAuthorityError: The customer's limit is beyond the person's tier.
            ReleaseDutyError: The person stopped the customer, or has approved the end already.
            ItemInvalidError: Who or the reason cannot be kept.
        """
        check_by(actor.name)
        check_reason(reason)
        now_ms, today = self._clock.now_ms(), self.today()
        with self._database.write() as uow:
            store = LimitStore(uow.connection)
            stop = _get_stop(store, stop_id)
            if stop.ended_at_ms is not None:
                raise LimitStateError("the stop has ended")
            holding = self._read(uow, stop.customer_id, as_of=today).holding
            last = AMOUNT_MINOR_MAX, self._find_policy().body.currency
            given, round_no = self._open_round(stop.ending)
            consent = self._consent(
                uow,
                actor,
                money=last if holding is None else (holding.limit_minor, holding.currency),
                maker=stop.entered_by,
                given=given,
            )
            store.append_ending(
                consent.authority,
                stop_id=stop_id,
                person=consent.person,
                name=actor.name,
                reason=reason,
                at_ms=now_ms,
                round_no=round_no,
            )
            if consent.is_last:
                names = join_names([*(one.name for one in given), actor.name])
                store.end_stop(stop_id, reason=reason, by=names, on=today, at_ms=now_ms)
            return _get_stop(store, stop_id), consent.waits_for

    def view(
        self, customer_id: int, *, as_of: date | None = None, known_at_ms: int | None = None
    ) -> LimitView:
        """Return all that bounds a customer on a day, and every limit that it had.

        Raises:
            CustomerNotFoundError: There is no such customer.
            ReportInvalidError: The day is none that records are of.
        """
        day = as_of or self.today()
        check_report_day(day)
        with self._database.read() as uow:
            found = self._read(uow, customer_id, as_of=day, known_at_ms=known_at_ms)
            store = LimitStore(uow.connection, known_at_ms=known_at_ms)
            return replace(
                found,
                caps=self._leave_lapsed(store.add_endings(found.caps)),
                entries=self._leave_lapsed(store.add_endings(found.entries)),
                stop=None if found.stop is None else self._tell_stop(store, found.stop),
            )

    def list_waiting(self, *, after: int = 0, limit: int = WAITING_MAX) -> list[LimitEntry]:
        """Return the limits that wait for an approval, what was asked for first at first.

        ``after`` is the last one of the page before.
        """
        limit = max(1, min(limit, WAITING_MAX))
        with self._database.read() as uow:
            return LimitStore(uow.connection).list_waiting(after=after, limit=limit)

    def weigh(self, entries: Sequence[LimitEntry]) -> list[WeighedLimit]:
        """Return of limits that wait whose approval they need today, and who has given it."""
        body = self._find_policy().body
        with self._database.read() as uow:
            convert = build_converter(uow, body.currency, as_of=self.today())
            store = LimitStore(uow.connection)
            return [
                WeighedLimit(
                    entry=one,
                    tier=find_tier(
                        body.tiers, amount_minor=convert(one.amount_minor, one.currency)
                    )[1],
                    given=tuple(name for _, name in store.list_approvals(one.entry_id)),
                )
                for one in entries
            ]

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def _read(
        self,
        uow: UnitOfWork,
        customer_id: int,
        *,
        as_of: date,
        known_at_ms: int | None = None,
    ) -> LimitView:
        key = get_customer(uow, customer_id, known_at_ms=known_at_ms).customer_id
        ids = RecordsStore(uow.connection).list_ids(key, known_at_ms=known_at_ms)
        return read_limits(uow, key, ids=ids, as_of=as_of, known_at_ms=known_at_ms)

    def _measure_ending(
        self, uow: UnitOfWork, entry: LimitEntry, *, today: date
    ) -> tuple[int, str]:
        """Return the larger of what ends and what holds afterwards, in minor units of a currency.

        Without its cap a group may owe anything: that is of the last tier.
        """
        if entry.kind is not LimitKind.TEMPORARY:
            return AMOUNT_MINOR_MAX, entry.currency
        permanent = self._read(uow, entry.customer_id, as_of=today).permanent
        after_minor = 0 if permanent is None else permanent.limit_minor or 0
        return max(entry.amount_minor, after_minor), entry.currency

    def _leave_lapsed(self, entries: Sequence[LimitEntry]) -> tuple[LimitEntry, ...]:
        """Return entries with the approvals of their end that count; those of an ended one stay."""
        return tuple(
            one
            if one.ended_at_ms is not None
            else replace(one, ending=self._open_round(one.ending)[0])
            for one in entries
        )

    def _tell_stop(self, store: LimitStore, stop: Stop) -> Stop:
        told = store.add_stop_ending(stop)
        if told.ended_at_ms is not None:
            return told
        return replace(told, ending=self._open_round(told.ending)[0])

    def _open_round(self, ending: Sequence[EndApproval]) -> tuple[tuple[EndApproval, ...], int]:
        """Return the approvals of an end that still count, and of which round the next one is."""
        counting = keep_counting(
            ending, now_ms=self._clock.now_ms(), days=self._find_policy().body.proposal_days
        )
        newest = max((one.round for one in ending), default=0)
        return counting, newest if counting else newest + 1

    def _consent(
        self,
        uow: UnitOfWork,
        actor: Principal,
        *,
        money: tuple[int, str],
        maker: str,
        given: Sequence[EndApproval],
    ) -> Consent:
        """Return with which authority a person approves that something ends."""
        amount_minor, currency = money
        return check_authority(
            uow,
            actor,
            amount_minor=amount_minor,
            currency=currency,
            makers=fold_names(maker),
            given=[one.approval for one in given],
            policy=self._find_policy(),
            on=self.today(),
            now_ms=self._clock.now_ms(),
        )


def _check_new(new: NewLimit, *, today: date) -> None:
    if new.kind is LimitKind.PERMANENT:
        raise RiskInvalidError("a permanent limit is decided: propose a decision")
    if not CURRENCY_FORM.fullmatch(new.currency):
        raise RiskInvalidError("a currency is a code of three capitals")
    if not 0 <= new.amount_minor <= AMOUNT_MINOR_MAX:
        raise RiskInvalidError("an amount is 0 to 10^15 minor units")
    check_report_day(new.first_on)
    if new.last_on is None:
        if new.kind is LimitKind.TEMPORARY:
            raise RiskInvalidError("a temporary limit has a last day, on which it falls back")
        return
    if not max(new.first_on, today) <= new.last_on:
        raise RiskInvalidError("its last day is not before its first one, nor past")
    days = (new.last_on - new.first_on).days + 1
    if new.kind is LimitKind.TEMPORARY and days > TEMPORARY_DAYS_MAX:
        raise RiskInvalidError(f"a temporary limit is of at most {TEMPORARY_DAYS_MAX} days")


def _get(store: LimitStore, entry_id: int) -> LimitEntry:
    found = store.find(entry_id)
    if found is None:
        raise LimitNotFoundError(f"there is no entry {entry_id} of the limit ledger")
    return store.add_endings([found])[0]


def _get_stop(store: LimitStore, stop_id: int) -> Stop:
    found = store.find_stop(stop_id)
    if found is None:
        raise LimitNotFoundError(f"there is no stop {stop_id}")
    return store.add_stop_ending(found)
