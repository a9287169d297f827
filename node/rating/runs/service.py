"""Use cases of a run: rate the whole portfolio, go on where it was interrupted, read what it did.

A run is many transactions: each keeps one stretch of customers and moves the run behind it, both
or neither. So a run that is killed leaves whole ratings, and going on rates nobody twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import date

from node.assessment.policy import ConfidenceLevel
from node.assessment.renewal.service import end_seen_within
from node.assessment.service import AssessmentService
from node.assessment.store import AssessmentStore
from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.errors import ConflictError, NodeError, NotFoundError
from node.rating.panel.store import PanelStore
from node.rating.rules_run import RunRecord, RunState, RunTerms, Start, decide_start
from node.rating.runs.scoring import Order, RatedRow, ScoredStretch, Scorers, Stretch, StretchScorer
from node.rating.service import RatingService
from node.rating.store import NewRating, RatingStore
from node.rating.store.runs import RunStore
from node.records.store import RecordsStore
from protocol.encoding import encode_b64u

STRETCH_CUSTOMERS = 500  # kept in one transaction: peers' answers wait no longer than that
RUNS_MAX = 200
_LEASE_BYTES = 32

FindErased = Callable[[UnitOfWork, Sequence[str]], frozenset[str]]
OpenScorers = Callable[[StretchScorer, int], AbstractContextManager[Scorers]]


class RunUnderWayError(ConflictError):
    """Somebody works on a run: there is one at a time."""

    code = "rating-run-under-way"


class RunLostError(ConflictError):
    """Another has gone on with this run, since its lease was over."""

    code = "rating-run-lost"


class RunTermsChangedError(ConflictError):
    """Another policy or scale became active while the run was under way: it is abandoned."""

    code = "rating-run-terms-changed"


class RunNotFoundError(NotFoundError):
    """There is no such run."""

    code = "rating-run-not-found"


class RunStoppedError(ConflictError):
    """Whoever runs it was asked to stop; the run can be gone on with."""

    code = "rating-run-stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """A run with what it gave; ``changed`` counts the grades that peers have changed."""

    run: RunRecord
    state: RunState
    changed: int
    counts_own: dict[str, int]
    counts_with_peers: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRun:
    """A run that is ours to go on with, while its lease is renewed."""

    run_id: int
    lease: str
    terms: RunTerms
    done_until: int
    done: int


def open_inline(scorer: StretchScorer, _customers: int) -> AbstractContextManager[Scorers]:
    """Score in this process."""
    return nullcontext(scorer)


def erase_nothing(_uow: UnitOfWork, _refs: Sequence[str]) -> frozenset[str]:
    """Tell that no message was erased: of a node that exchanges nothing."""
    return frozenset()


class RunService:
    """Runs over the portfolio."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        assessment: AssessmentService,
        rating: RatingService,
        random_bytes: Callable[[int], bytes],
        open_scorers: OpenScorers = open_inline,
        find_erased: FindErased = erase_nothing,
    ) -> None:
        """``open_scorers`` decides where customers are scored.

        ``find_erased`` tells which of some messages are erased by now: their values are not kept,
        though they were read while they were here.
        """
        self._database = database
        self._clock = clock
        self._assessment = assessment
        self._rating = rating
        self._random_bytes = random_bytes
        self._open_scorers = open_scorers
        self._find_erased = find_erased

    def run(
        self,
        *,
        as_of: date,
        by: str,
        on_progress: Callable[[int, int], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> RunReport:
        """Rate the whole portfolio as of a day, or go on with a run of the same terms.

        Collective accounts are skipped. A run of other terms that was interrupted is abandoned.
        ``on_progress`` hears how many customers of how many are done.

        Raises:
            RunUnderWayError: Somebody works on a run.
            RunLostError: This one went so slowly that another has gone on with it.
            RunTermsChangedError: Another policy or scale became active meanwhile.
            RunStoppedError: ``should_stop`` told so.
        """
        held = self.begin(as_of=as_of, by=by)
        return self.go_on(held, on_progress=on_progress, should_stop=should_stop)

    def go_on(
        self,
        held: HeldRun,
        *,
        on_progress: Callable[[int, int], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> RunReport:
        """Rate whoever a run that was begun has not rated yet.

        Raises:
            RunLostError: This one went so slowly that another has gone on with it.
            RunTermsChangedError: Another policy or scale became active meanwhile.
            RunStoppedError: ``should_stop`` told so.
        """
        try:
            self._go_on(held, on_progress=on_progress, should_stop=should_stop)
        except BaseException as err:
            # Whatever the reason, a key pressed among them: the next run goes on from here.
            with suppress(NodeError):
                self._let_go(held, is_over=isinstance(err, RunTermsChangedError))
            raise
        return self.get_report(held.run_id)

    def begin(self, *, as_of: date, by: str) -> HeldRun:
        """Begin a run as of a day, or take over one of the same terms that was interrupted.

        A run of other terms that was interrupted is abandoned.

        Raises:
            RunUnderWayError: Somebody works on a run.
        """
        now_ms, lease = self._clock.now_ms(), encode_b64u(self._random_bytes(_LEASE_BYTES))
        with self._database.write() as uow:
            terms = self._build_terms(uow, as_of)
            store = RunStore(uow.connection)
            opened = store.find_open()
            start = decide_start(opened, terms, now_ms=now_ms)
            if opened is not None and start is Start.REFUSE:
                done = opened.rated + opened.skipped
                raise RunUnderWayError(f"run {opened.run_id} is at {done} customers")
            if opened is not None and start is Start.RESUME:
                store.resume(opened.run_id, lease=lease, now_ms=now_ms)
                return HeldRun(
                    run_id=opened.run_id,
                    lease=lease,
                    terms=terms,
                    done_until=opened.done_until,
                    done=opened.rated + opened.skipped,
                )
            if opened is not None:
                store.end(opened.run_id, RunState.ABANDONED, now_ms=now_ms)
            run_id = store.begin(terms, by=by, lease=lease, now_ms=now_ms)
        return HeldRun(run_id=run_id, lease=lease, terms=terms, done_until=0, done=0)

    def run_daily(self, *, as_of: date, should_stop: Callable[[], bool] | None = None) -> bool:
        """Run for a day unless that is done; False where it was, or somebody is at it.

        Raises:
            NodeError: As ``run`` raises it.
        """
        with self._database.read() as uow:
            if RunStore(uow.connection).find_finished_by(self._build_terms(uow, as_of)) is not None:
                return False
        try:
            self.run(as_of=as_of, by="schedule", should_stop=should_stop)
        except RunUnderWayError:
            return False
        return True

    def list_runs(self, *, limit: int = 50) -> list[RunReport]:
        """Return the newest runs."""
        now_ms = self._clock.now_ms()
        with self._database.read() as uow:
            store = RunStore(uow.connection)
            runs = store.list_newest(limit=max(1, min(limit, RUNS_MAX)))
            return [_sum_up(store, run, now_ms=now_ms) for run in runs]

    def get_report(self, run_id: int) -> RunReport:
        """Return a run with what it gave.

        Raises:
            RunNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            store = RunStore(uow.connection)
            run = store.find(run_id)
            if run is None:
                raise RunNotFoundError("there is no such run")
            return _sum_up(store, run, now_ms=self._clock.now_ms())

    def _build_terms(self, uow: UnitOfWork, as_of: date) -> RunTerms:
        return RunTerms(
            as_of=as_of,
            policy=self._assessment.read_reference(uow),
            scale=self._rating.read_scale(uow).reference,
        )

    def _go_on(
        self,
        held: HeldRun,
        *,
        on_progress: Callable[[int, int], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        with self._database.read() as uow:
            total = RecordsStore(uow.connection).count_customers()
        scorer = StretchScorer(
            database=self._database,
            clock=self._clock,
            assessment=self._assessment,
            rating=self._rating,
        )
        done = held.done
        with self._open_scorers(scorer, total - done) as scorers:
            for scored in scorers.score(self._iterate_orders(held)):
                self._keep(held, scored)
                done += len(scored.rows) + scored.skipped
                if on_progress is not None:
                    on_progress(done, max(done, total))
                if should_stop is not None and should_stop():
                    raise RunStoppedError(f"stopped at {done} customers")
        with self._database.write() as uow:
            self._check_held(uow, held)
            store = RunStore(uow.connection)
            store.end(held.run_id, RunState.FINISHED, now_ms=self._clock.now_ms())

    def _iterate_orders(self, held: HeldRun) -> Iterator[Order]:
        after = held.done_until
        while True:
            with self._database.read() as uow:
                store = RecordsStore(uow.connection)
                until = store.find_stretch_end(after, size=STRETCH_CUSTOMERS)
            if until is None:
                return
            yield Order(stretch=Stretch(after=after, until=until), as_of=held.terms.as_of)
            after = until

    def _keep(self, held: HeldRun, scored: ScoredStretch) -> None:
        with self._database.write() as uow:
            # What is active now, and what was when the stretch was read in its own snapshot.
            active = self._build_terms(uow, held.terms.as_of)
            read = replace(active, policy=scored.policy, scale=scored.scale)
            if active != held.terms or read != held.terms:
                raise RunTermsChangedError(
                    f"{active.policy.label} and {active.scale.label} rate by now"
                )
            is_ours = RunStore(uow.connection).move(
                held.run_id,
                lease=held.lease,
                done_until=scored.stretch.until,
                rated=len(scored.rows),
                skipped=scored.skipped,
                now_ms=self._clock.now_ms(),
            )
            if not is_ours:
                raise RunLostError(f"another goes on with run {held.run_id}")
            self._write(uow, scored, run_id=held.run_id, as_of=held.terms.as_of)

    def _write(self, uow: UnitOfWork, scored: ScoredStretch, *, run_id: int, as_of: date) -> None:
        both = [row for row in scored.rows if row.with_peers is not None]
        store = AssessmentStore(uow.connection)
        keys = store.reserve_keys(len(scored.rows) + len(both))
        own_keys = keys[: len(scored.rows)]
        named = {row.own.customer_id: key for row, key in zip(scored.rows, own_keys, strict=True)}
        peer_keys = {
            row.own.customer_id: key
            for row, key in zip(both, keys[len(scored.rows) :], strict=True)
        }
        packed = [row.own for row in scored.rows]
        packed_with = [row.with_peers for row in both if row.with_peers is not None]
        store.append_many(
            [*packed, *packed_with],
            assessment_ids=keys,
            own_assessment_ids=[
                *(None for _ in packed),
                *(named[one.customer_id] for one in packed_with),
            ],
        )
        RatingStore(uow.connection).append_many(
            [
                _build_rating(
                    row,
                    scored,
                    run_id=run_id,
                    own_assessment_id=named[row.own.customer_id],
                    assessment_id=peer_keys.get(row.own.customer_id, named[row.own.customer_id]),
                )
                for row in scored.rows
            ]
        )
        PanelStore(uow.connection).append(
            [
                replace(score, assessment_id=named[row.own.customer_id])
                for row in scored.rows
                for score in row.scores
            ]
        )
        end_seen_within(
            uow,
            {**named, **peer_keys},
            seen=scored.waiting,
            as_of=as_of,
            at_ms=self._clock.now_ms(),
        )
        refs = sorted({ref for one in packed_with for ref, _ in one.readings})
        for ref in self._find_erased(uow, refs) if refs else ():
            store.erase_values_of(ref)

    def _check_held(self, uow: UnitOfWork, held: HeldRun) -> None:
        if not RunStore(uow.connection).is_held(held.run_id, lease=held.lease):
            raise RunLostError(f"another goes on with run {held.run_id}")

    def _let_go(self, held: HeldRun, *, is_over: bool) -> None:
        with self._database.write() as uow:
            store = RunStore(uow.connection)
            if is_over and store.is_held(held.run_id, lease=held.lease):
                store.end(held.run_id, RunState.ABANDONED, now_ms=self._clock.now_ms())
            else:
                store.interrupt(held.run_id, lease=held.lease)


def _build_rating(
    row: RatedRow,
    scored: ScoredStretch,
    *,
    run_id: int,
    own_assessment_id: int,
    assessment_id: int,
) -> NewRating:
    counted, grades = row.with_peers or row.own, row.grades
    return NewRating(
        customer_id=counted.customer_id,
        subject_id=counted.subject_id,
        as_of=counted.as_of,
        created_at_ms=counted.created_at_ms,
        own_assessment_id=own_assessment_id,
        assessment_id=assessment_id,
        policy=scored.policy,
        scale=scored.scale,
        grade_own=grades.own,
        grade_with_peers=grades.with_peers,
        score_own_deci=row.own.score_deci,
        score_with_peers_deci=counted.score_deci,
        confidence=ConfidenceLevel(counted.confidence),
        default_events=grades.default_events,
        valid_until=grades.validity.valid_until,
        review_on=grades.validity.review_on,
        run_id=run_id,
        own_applied=grades.own_applied,
        with_peers_applied=grades.with_peers_applied,
    )


def _sum_up(store: RunStore, run: RunRecord, *, now_ms: int) -> RunReport:
    grades = store.count_grades(run.run_id)
    counts_own: Counter[str] = Counter()
    counts_with_peers: Counter[str] = Counter()
    for (own, with_peers), count in grades.items():
        counts_own[own] += count
        counts_with_peers[with_peers] += count
    return RunReport(
        run=run,
        state=run.state_at(now_ms),
        changed=sum(count for (own, with_peers), count in grades.items() if own != with_peers),
        counts_own=dict(counts_own),
        counts_with_peers=dict(counts_with_peers),
    )
