"""Use cases of the daily run: run it or go on with it, judge one customer, read what it changed.

A run is many transactions: each keeps one stretch of customers and moves the run behind it, both
or neither. Run a second time on a day it finds the same, and writes nothing of a customer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.errors import ConflictError, NodeError, NotFoundError, RejectedError
from node.core.policies.source import PolicySource
from node.rating.rules_run import RunState
from node.records.errors import check_report_day
from node.records.ledger.posting import check_by, get_customer
from node.records.store import RecordsStore
from node.risk.daily.applying import Writing, apply_verdicts, escalate_late
from node.risk.daily.judging import CustomerJudge, Judgement
from node.risk.daily.store import ChangeRow, DailyStore, RiskRunRecord, StatusRow
from node.risk.daily.verdicts import (
    JudgedStretch,
    OpenJudges,
    StretchJudge,
    StretchOrder,
    open_inline,
)
from node.risk.policies.policy import RiskPolicy
from node.risk.rules_finding import RiskStatus
from protocol.encoding import encode_b64u

STRETCH_CUSTOMERS = 500  # kept in one transaction
RUNS_MAX = 200
CHANGES_PAGE_MAX = 1_000
_LEASE_BYTES = 32


class RiskRunUnderWayError(ConflictError):
    """Somebody works on a run: there is one at a time."""

    code = "risk-run-under-way"


class RiskRunLostError(ConflictError):
    """Another has gone on with this run, since its lease was over."""

    code = "risk-run-lost"


class RiskPolicyChangedError(ConflictError):
    """Another policy became active while the run was under way: it is abandoned."""

    code = "risk-policy-changed"


class RiskRunNotFoundError(NotFoundError):
    """There is no such run."""

    code = "risk-run-not-found"


class RiskLookBackError(RejectedError):
    """A run of a later day was there: alerts and the watch list go forward only."""

    code = "risk-look-back"


class RiskRunStoppedError(ConflictError):
    """Whoever runs it was asked to stop; the run can be gone on with."""

    code = "risk-run-stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A run that is ours to go on with."""

    run_id: int
    lease: str
    as_of: date
    policy: RiskPolicy
    done_until: int
    done: int


class RiskRunService:
    """Judges customers, and keeps what is new."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        policies: PolicySource[RiskPolicy],
        judge: CustomerJudge,
        random_bytes: Callable[[int], bytes],
        business_date: date | None = None,
        open_judges: OpenJudges = open_inline,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's.

        ``open_judges`` decides where the customers of a run are judged.
        """
        self._database = database
        self._clock = clock
        self._policies = policies
        self._judge = judge
        self._random_bytes = random_bytes
        self._business_date = business_date
        self._open_judges = open_judges

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def run(
        self,
        *,
        by: str,
        as_of: date | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> RiskRunRecord:
        """Judge all customers as of a day, or go on with a run of it that was interrupted.

        Collective accounts are skipped. ``on_progress`` hears how many customers of how many are
        done.

        Raises:
            RiskRunUnderWayError: Somebody works on a run.
            RiskRunLostError: This one went so slowly that another has gone on with it.
            RiskPolicyChangedError: Another policy became active meanwhile.
            RiskLookBackError: A later day was run.
            RiskRunStoppedError: ``should_stop`` told so.
            PolicyNoneActiveError: No policy of risk is active.
            ItemInvalidError: Who runs it cannot be kept.
            ReportInvalidError: Records are not of such a day.
        """
        check_by(by)
        day = as_of or self.today()
        check_report_day(day)
        held = self._begin(day, by=by)
        try:
            self._go_on(held, on_progress=on_progress, should_stop=should_stop)
        except BaseException as err:
            with suppress(NodeError):
                self._let_go(held, is_over=isinstance(err, RiskPolicyChangedError))
            raise
        return self.get(held.run_id)

    def run_daily(self, *, should_stop: Callable[[], bool] | None = None) -> bool:
        """Run for today unless that is done by the policy that holds; False where nothing was run.

        Raises:
            NodeError: As ``run`` raises it.
        """
        with self._database.read() as uow:
            last = DailyStore(uow.connection).find_finished()
            sha256_b64u = self._policies.read_active(uow).sha256_b64u
        if last is not None and (last.as_of, last.policy_sha256_b64u) == (
            self.today(),
            sha256_b64u,
        ):
            return False
        try:
            self.run(by="schedule", should_stop=should_stop)
        except (RiskRunUnderWayError, RiskLookBackError):
            return False
        return True

    def judge(self, customer_id: int, *, as_of: date | None = None) -> Judgement:
        """Return what would come of a customer now, every rule in its order; nothing is kept.

        Raises:
            CustomerNotFoundError: There is none with this key.
            RiskCollectiveError: It is no one customer.
            PolicyNoneActiveError: No policy of risk is active.
            ReportInvalidError: Records are not of such a day.
        """
        day = as_of or self.today()
        check_report_day(day)
        with self._database.read() as uow:
            customer = get_customer(uow, customer_id)
            policy = self._policies.read_active(uow)
            found = self._judge.judge(uow, [customer], policy=policy, as_of=day)
        if not found:
            raise RiskCollectiveError("a collective account is no one customer")
        return found[0]

    def find_status(self, customer_id: int) -> StatusRow | None:
        """Return where a customer stands by the last run; None where nothing was ever found.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            key = get_customer(uow, customer_id).customer_id
            return DailyStore(uow.connection).list_statuses([key]).get(key)

    def count_statuses(self, *, shows_peers: bool) -> dict[RiskStatus, int]:
        """Return how many customers stand where, of those of whom anything was ever found."""
        with self._database.read() as uow:
            return DailyStore(uow.connection).count_statuses(with_peers=shows_peers)

    def list_runs(self, *, limit: int = 50) -> list[RiskRunRecord]:
        """Return the newest runs."""
        with self._database.read() as uow:
            return DailyStore(uow.connection).list_newest(limit=max(1, min(limit, RUNS_MAX)))

    def get(self, run_id: int) -> RiskRunRecord:
        """Return a run.

        Raises:
            RiskRunNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            found = DailyStore(uow.connection).find(run_id)
        if found is None:
            raise RiskRunNotFoundError(f"there is no run {run_id}")
        return found

    def list_changes(
        self,
        *,
        shows_peers: bool,
        run_id: int | None = None,
        customer_id: int | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> list[ChangeRow]:
        """Return what runs have changed, in its order; of peers' doings only who may see them."""
        with self._database.read() as uow:
            return DailyStore(uow.connection).list_changes(
                run_id=run_id,
                customer_id=customer_id,
                shows_peers=shows_peers,
                after=after,
                limit=max(1, min(limit, CHANGES_PAGE_MAX)),
            )

    def state_of(self, run: RiskRunRecord) -> RunState:
        """Return where a run stands now."""
        return run.state_at(self._clock.now_ms())

    def build_judge(self) -> StretchJudge:
        """Return who judges a run's stretches in this process."""
        return StretchJudge(database=self._database, policies=self._policies, customers=self._judge)

    def _begin(self, as_of: date, *, by: str) -> _Held:
        now_ms, lease = self._clock.now_ms(), encode_b64u(self._random_bytes(_LEASE_BYTES))
        with self._database.write() as uow:
            policy = self._policies.read_active(uow)
            store = DailyStore(uow.connection)
            newest = store.find_newest_day()
            if newest is not None and as_of < newest:
                raise RiskLookBackError(f"customers were judged as of {newest.isoformat()}")
            opened = store.find_open()
            if opened is not None and opened.state_at(now_ms) is RunState.RUNNING:
                raise RiskRunUnderWayError(f"run {opened.run_id} is at {opened.judged} customers")
            terms = (as_of, policy.sha256_b64u)
            if opened is not None and (opened.as_of, opened.policy_sha256_b64u) == terms:
                store.resume(opened.run_id, lease=lease, now_ms=now_ms)
                return _Held(
                    run_id=opened.run_id,
                    lease=lease,
                    as_of=as_of,
                    policy=policy,
                    done_until=opened.done_until,
                    done=opened.judged + opened.skipped,
                )
            if opened is not None:
                store.end(opened.run_id, RunState.ABANDONED, now_ms=now_ms)
            run_id = store.begin(
                as_of=as_of,
                policy=policy.label,
                policy_sha256_b64u=policy.sha256_b64u,
                by=by,
                lease=lease,
                now_ms=now_ms,
            )
        return _Held(run_id=run_id, lease=lease, as_of=as_of, policy=policy, done_until=0, done=0)

    def _go_on(
        self,
        held: _Held,
        *,
        on_progress: Callable[[int, int], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        with self._database.read() as uow:
            total = RecordsStore(uow.connection).count_customers()
        after, done = held.done_until, held.done
        with self._open_judges(self.build_judge(), total - done) as judges:
            for found in judges.judge(self._iterate_orders(held)):
                self._keep(held, found)
                after, done = found.until, done + len(found.verdicts) + found.skipped
                if on_progress is not None:
                    on_progress(done, max(done, total))
                if should_stop is not None and should_stop():
                    raise RiskRunStoppedError(f"stopped at {done} customers")
        self._finish(held, after)

    def _iterate_orders(self, held: _Held) -> Iterator[StretchOrder]:
        after = held.done_until
        while True:
            with self._database.read() as uow:
                store = RecordsStore(uow.connection)
                until = store.find_stretch_end(after, size=STRETCH_CUSTOMERS)
            if until is None:
                return
            yield StretchOrder(after=after, until=until, as_of=held.as_of)
            after = until

    def _keep(self, held: _Held, found: JudgedStretch) -> None:
        with self._database.write() as uow:
            self._check_policy(uow, held)
            if found.policy_sha256_b64u != held.policy.sha256_b64u:
                raise RiskPolicyChangedError("another policy held when the stretch was judged")
            changes = apply_verdicts(uow, found.verdicts, self._build_writing(held))
            self._move(
                uow,
                held,
                until=found.until,
                judged=len(found.verdicts),
                skipped=found.skipped,
                changes=len(changes),
            )

    def _finish(self, held: _Held, until: int) -> None:
        with self._database.write() as uow:
            self._check_policy(uow, held)
            changes = escalate_late(uow, self._build_writing(held))
            self._move(uow, held, until=until, judged=0, skipped=0, changes=len(changes))
            now_ms = self._clock.now_ms()
            DailyStore(uow.connection).end(held.run_id, RunState.FINISHED, now_ms=now_ms)

    def _move(
        self,
        uow: UnitOfWork,
        held: _Held,
        *,
        until: int,
        judged: int,
        skipped: int,
        changes: int,
    ) -> None:
        is_ours = DailyStore(uow.connection).move(
            held.run_id,
            lease=held.lease,
            done_until=until,
            judged=judged,
            skipped=skipped,
            changes=changes,
            now_ms=self._clock.now_ms(),
        )
        if not is_ours:
            raise RiskRunLostError(f"another goes on with run {held.run_id}")

    def _check_policy(self, uow: UnitOfWork, held: _Held) -> None:
        active = self._policies.read_active(uow)
        if active.sha256_b64u != held.policy.sha256_b64u:
            raise RiskPolicyChangedError(f"{active.label} holds by now")

    def _build_writing(self, held: _Held) -> Writing:
        return Writing(
            run_id=held.run_id,
            policy=held.policy,
            as_of=held.as_of,
            at_ms=self._clock.now_ms(),
        )

    def _let_go(self, held: _Held, *, is_over: bool) -> None:
        with self._database.write() as uow:
            store = DailyStore(uow.connection)
            if is_over:
                store.end(held.run_id, RunState.ABANDONED, now_ms=self._clock.now_ms())
            else:
                store.interrupt(held.run_id, lease=held.lease)


class RiskCollectiveError(RejectedError):
    """A collective account is no one customer, and has no risk of its own."""

    code = "risk-collective-account"
