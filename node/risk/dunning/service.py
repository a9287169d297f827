"""Use cases of dunning: a run proposes letters, a person releases them, answers and holds.

A run is many transactions, each a stretch of customers with the run moved behind it, and what it
proposes is worked out where it is written: run a second time on a day it changes nothing. Nothing
is posted to the ledger and nothing is sent: a letter that was released is printed and handed over.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta

from node.core.clock import Clock, current_business_date
from node.core.database import Database
from node.core.errors import InvariantError
from node.core.policies.source import PolicySource
from node.records.errors import check_report_day
from node.records.ledger.posting import check_by, check_reason, get_customer
from node.records.store import CustomerRecord, RecordsStore
from node.risk.dunning.errors import (
    DunningInvalidError,
    DunningRunLostError,
    LetterNotFoundError,
    LetterOutdatedError,
    LetterStateError,
)
from node.risk.dunning.policy import DunningPolicy
from node.risk.dunning.proposing import (
    Stamp,
    get_letter,
    is_due,
    propose_stretch,
    release_letter,
    take_step,
    withdraw_letter,
)
from node.risk.dunning.rules_letter import LetterState, LetterStep, find_next
from node.risk.dunning.store import (
    DunningRun,
    DunningRunStore,
    Hold,
    Letter,
    LetterEvent,
    LetterStore,
)

STRETCH_CUSTOMERS = 200  # kept in one transaction
LETTERS_PAGE_MAX = 200
RUNS_MAX = 200
HOLD_DAYS_MAX = 366
OPEN_STATES = frozenset({LetterState.PROPOSED, LetterState.SENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterView:
    """A letter with whom it is for, the policy that it is of, and what happened to it."""

    letter: Letter
    customer: CustomerRecord
    policy: DunningPolicy
    events: tuple[LetterEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSelection:
    """Which letters are asked for."""

    states: Collection[LetterState] = OPEN_STATES
    customer_id: int | None = None
    limit: int = 100
    after: int = 0


class DunningService:
    """One public method is one transaction, but for ``run`` and ``run_daily``."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        policies: PolicySource[DunningPolicy],
        business_date: date | None = None,
        stretch_customers: int = STRETCH_CUSTOMERS,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's.

        A transaction of a run keeps at most ``stretch_customers``.
        """
        self._database = database
        self._clock = clock
        self._policies = policies
        self._business_date = business_date
        self._stretch_customers = stretch_customers

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def run(
        self,
        *,
        by: str,
        as_of: date | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> DunningRun:
        """Propose what letters are due on a day, or go on with a run of it that was interrupted.

        A proposal that nobody has released stays where the same is due, and is withdrawn otherwise.
        One transaction begins the run (and abandons one of another day or policy); each that
        follows keeps the letters of a stretch of customers together with how far the run is; the
        last one finishes it. What stops it between two leaves the letters of the stretches that
        are done and a run that is open: the next call for the same day goes on behind them.

        Raises:
            DunningInvalidError: The day is to come, or before a day that was run.
            ReportInvalidError: Records are not of such a day.
            DunningRunLostError: Another goes on with the run, or another policy holds by now.
            PolicyNoneActiveError: No policy of dunning is active.
            ItemInvalidError: Who runs it cannot be kept.
        """
        check_by(by)
        day = as_of or self.today()
        check_report_day(day)
        if day > self.today():
            raise DunningInvalidError("nobody is reminded as of a day to come")
        run = self._begin(day, by=by)
        while (moved := self._move(run)) is not None:
            run = moved
            if should_stop is not None and should_stop():
                return run
        return self.get_run(run.run_id)

    def run_daily(self, *, should_stop: Callable[[], bool] | None = None) -> bool:
        """Run for today unless that is done by the policy that holds; False where nothing was run.

        Whether it is done is read before, in a transaction of its own: two that begin at once go on
        with one run, and one of them may be told that the other has it.

        Raises:
            NodeError: As ``run`` raises it.
        """
        with self._database.read() as uow:
            last = DunningRunStore(uow.connection).find_finished_run()
            sha256_b64u = self._policies.read_active(uow).sha256_b64u
        today = self.today()
        if last is not None and (
            last.as_of > today or (last.as_of, last.policy_sha256_b64u) == (today, sha256_b64u)
        ):
            return False
        self.run(by="schedule", should_stop=should_stop)
        return True

    def get_run(self, run_id: int) -> DunningRun:
        """Return a run.

        Raises:
            LetterNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            found = DunningRunStore(uow.connection).find_run(run_id)
        if found is None:
            raise LetterNotFoundError(f"there is no run {run_id}")
        return found

    def list_runs(self, *, limit: int = 50) -> list[DunningRun]:
        """Return the newest runs, the last one first."""
        with self._database.read() as uow:
            return DunningRunStore(uow.connection).list_runs(limit=max(1, min(limit, RUNS_MAX)))

    def list_letters(self, selection: LetterSelection | None = None) -> list[Letter]:
        """Return letters in the order of their keys.

        Raises:
            CustomerNotFoundError: The customer whose they are to be is not there.
        """
        selection = selection or LetterSelection()
        with self._database.read() as uow:
            ids = None
            if selection.customer_id is not None:
                key = get_customer(uow, selection.customer_id).customer_id
                ids = RecordsStore(uow.connection).list_ids(key)
            return LetterStore(uow.connection).list_letters(
                states=selection.states,
                customer_ids=ids,
                after=selection.after,
                limit=max(1, min(selection.limit, LETTERS_PAGE_MAX)),
            )

    def get_letter(self, letter_id: int) -> LetterView:
        """Return a letter with everything that is needed to write it.

        Raises:
            LetterNotFoundError: There is none with this key.
            InvariantError: This node does not hold the policy that it is of.
        """
        with self._database.read() as uow:
            store = LetterStore(uow.connection)
            letter = get_letter(store, letter_id)
            customer = get_customer(uow, letter.content.customer_id)
            events = tuple(store.list_events(letter_id))
        policy = self._policies.find(letter.policy_sha256_b64u)
        if policy is None:
            raise InvariantError(f"the policy of letter {letter_id} is not here")
        return LetterView(letter=letter, customer=customer, policy=policy, events=events)

    def release(self, letter_id: int, *, by: str) -> Letter:
        """Release a letter: from today on it is sent, its levels count, and it has charged.

        Raises:
            LetterNotFoundError: There is none with this key.
            LetterStateError: It is not waiting for a release.
            LetterOutdatedError: Something was paid, disputed, promised or held since, or another
                policy holds: the next run proposes what is due by now.
            ItemInvalidError: Who cannot be kept.
        """
        check_by(by)
        today = self.today()
        with self._database.write() as uow:
            store = LetterStore(uow.connection)
            letter = get_letter(store, letter_id)
            if find_next(letter.state, LetterStep.RELEASED) is None:
                raise LetterStateError(f"letter {letter_id} is {letter.state}")
            policy = self._policies.read_active(uow)
            if not is_due(uow, letter, policy, as_of=today):
                raise LetterOutdatedError("something has changed since: another letter is due")
            content = letter.content
            rule = policy.get_level(content.segment, content.level)
            return release_letter(
                uow,
                letter,
                self._stamp(LetterStep.RELEASED, by=by),
                pay_by_on=today + timedelta(days=rule.pay_days),
            )

    def answer(self, letter_id: int, *, text: str, by: str) -> Letter:
        """Enter what a customer has answered.

        Raises:
            LetterNotFoundError: There is none with this key.
            LetterStateError: It was not sent, or was answered.
            ItemInvalidError: Who or the answer cannot be kept.
        """
        check_by(by)
        check_reason(text)
        with self._database.write() as uow:
            letter = get_letter(LetterStore(uow.connection), letter_id)
            return take_step(uow, letter, self._stamp(LetterStep.ANSWERED, text=text, by=by))

    def withdraw(self, letter_id: int, *, reason: str, by: str) -> Letter:
        """Withdraw a letter: its levels count no longer, and what it charged is taken back.

        What was paid of its charges stays paid, and what was waived stays waived.

        Raises:
            LetterNotFoundError: There is none with this key.
            LetterStateError: It was answered or withdrawn.
            ItemInvalidError: Who or the reason cannot be kept.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            letter = get_letter(LetterStore(uow.connection), letter_id)
            stamp = self._stamp(LetterStep.WITHDRAWN, text=reason, by=by)
            return withdraw_letter(uow, letter, stamp)

    def hold(self, customer_id: int, *, until_on: date, reason: str, by: str) -> int:
        """Remind a customer of nothing up to a day, and return the hold's key.

        Raises:
            CustomerNotFoundError: There is none with this key.
            DunningInvalidError: The day is past, or more than a year away.
            ItemInvalidError: Who or the reason cannot be kept.
        """
        check_by(by)
        check_reason(reason)
        today = self.today()
        if not today <= until_on <= today + timedelta(days=HOLD_DAYS_MAX):
            raise DunningInvalidError(f"a hold ends within {HOLD_DAYS_MAX} days from today")
        with self._database.write() as uow:
            customer = get_customer(uow, customer_id)
            return DunningRunStore(uow.connection).append_hold(
                customer_id=customer.customer_id,
                from_on=today,
                until_on=until_on,
                reason=reason,
                by=by,
                at_ms=self._clock.now_ms(),
            )

    def end_hold(self, hold_id: int, *, reason: str, by: str) -> None:
        """End a hold from today on.

        Raises:
            LetterNotFoundError: There is none that stands.
            ItemInvalidError: Who or the reason cannot be kept.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            if not DunningRunStore(uow.connection).end_hold(
                hold_id, on=self.today(), reason=reason, by=by, at_ms=self._clock.now_ms()
            ):
                raise LetterNotFoundError("there is no such hold that stands")

    def list_holds(self) -> list[Hold]:
        """Return the holds that hold today."""
        with self._database.read() as uow:
            return DunningRunStore(uow.connection).list_holds(on=self.today())

    def count_levels(self) -> int:
        """Return how many levels the policy that holds has at most.

        Raises:
            PolicyNoneActiveError: None is active.
        """
        segments = self._policies.get_active().body.segments
        return max(len(one.levels) for one in segments)

    def find_letter_owner(self, letter_id: int) -> int | None:
        """Return whom a letter is for."""
        with self._database.read() as uow:
            found = LetterStore(uow.connection).find(letter_id)
        return None if found is None else found.content.customer_id

    def find_hold_owner(self, hold_id: int) -> int | None:
        """Return who is held."""
        with self._database.read() as uow:
            found = DunningRunStore(uow.connection).find_hold(hold_id)
        return None if found is None else found.customer_id

    def _begin(self, as_of: date, *, by: str) -> DunningRun:
        now_ms = self._clock.now_ms()
        with self._database.write() as uow:
            policy = self._policies.read_active(uow)
            store = DunningRunStore(uow.connection)
            last = store.find_finished_run()
            if last is not None and as_of < last.as_of:
                raise DunningInvalidError(f"customers were reminded as of {last.as_of}")
            opened = store.find_open_run()
            terms = (as_of, policy.sha256_b64u)
            if opened is not None and (opened.as_of, opened.policy_sha256_b64u) == terms:
                return opened
            if opened is not None:
                store.end_run(opened.run_id, state="abandoned", at_ms=now_ms)
            run_id = store.begin_run(
                as_of=as_of,
                policy=policy.label,
                policy_sha256_b64u=policy.sha256_b64u,
                by=by,
                at_ms=now_ms,
            )
            begun = store.find_run(run_id)
        if begun is None:
            raise InvariantError("a run was begun and is not there")
        return begun

    def _move(self, run: DunningRun) -> DunningRun | None:
        """Do the next stretch and return the run behind it; None once all is done."""
        with self._database.write() as uow:
            policy = self._policies.read_active(uow)
            store = DunningRunStore(uow.connection)
            if policy.sha256_b64u != run.policy_sha256_b64u:
                raise DunningRunLostError(f"{policy.label} holds by now: run again")
            records = RecordsStore(uow.connection)
            until = records.find_stretch_end(run.done_until, size=self._stretch_customers)
            if until is None:
                store.end_run(run.run_id, state="finished", at_ms=self._clock.now_ms())
                return None
            customers = records.list_customers_between(run.done_until, until)
            counted = propose_stretch(uow, run, policy, customers, at_ms=self._clock.now_ms())
            moved = replace(
                run,
                done_until=until,
                customers=run.customers + len(customers),
                proposed=run.proposed + counted.proposed,
                withdrawn=run.withdrawn + counted.withdrawn,
                held=run.held + counted.held,
            )
            if not store.move_run(
                run,
                done_until=moved.done_until,
                customers=moved.customers,
                proposed=moved.proposed,
                withdrawn=moved.withdrawn,
                held=moved.held,
            ):
                raise DunningRunLostError(f"another goes on with run {run.run_id}")
        return moved

    def _stamp(self, step: LetterStep, *, by: str, text: str = "") -> Stamp:
        return Stamp(step=step, on=self.today(), text=text, by=by, at_ms=self._clock.now_ms())
