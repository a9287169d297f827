"""Use cases of the back-test: by grade, and of overrides. Each is one reading transaction.

Customers are read in batches, so that memory holds their observations and never their invoices.
Both statistics come of one pass over the ledger, which is kept until the next day, another rating,
another step of an override or another rule: whoever looks again reads no ledger. What is entered
into the ledger later on a day is in the statistics of the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from node.core.database import Database, UnitOfWork
from node.rating.backtest.observed import (
    MONTHS,
    BackTest,
    GivenRating,
    Observed,
    choose_observable,
    find_not_over,
    sum_up,
)
from node.rating.backtest.overridden import (
    OutcomeShare,
    OverrideReport,
    build_report,
    share_outcomes,
)
from node.rating.models.rules_outcome import build_horizon, turned_bad, was_bad
from node.rating.models.training_policy import OutcomeRules
from node.rating.overrides.reading import OverrideReader
from node.rating.overrides.rules_override import Override
from node.rating.overrides.store import OverrideStore
from node.rating.rules_movement import list_symbols
from node.rating.scale import Scale, ScaleBody
from node.rating.store import RatingRecord, RatingStore
from node.records.rules_adverse import AdverseFact
from node.records.rules_behaviour import InvoiceItem
from node.records.store import LedgerStore, RecordsStore
from node.records.store.adverse import AdverseStore
from node.records.store.histories import HistoryStore

CUSTOMERS_TOGETHER = 200
OVERRIDES_MAX = 20_000  # the newest ones


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """One customer: its ratings by a score, what it owed, and what happened."""

    given: tuple[GivenRating, ...]
    items: tuple[InvoiceItem, ...]
    facts: tuple[AdverseFact, ...]
    overrides: tuple[Override, ...]
    outcome: OutcomeRules

    def was_bad_on(self, day: date) -> bool:
        """Whether there was nothing to predict any more."""
        adverse = [one.to_event(day) for one in self.facts if one.counts_on(day)]
        return was_bad(
            self.items,
            adverse,
            on=day,
            days_past_due_over=self.outcome.days_past_due_over,
            kinds=self.outcome.adverse_kinds,
        )

    def turned_bad_after(self, day: date, *, until: date) -> bool:
        """Whether the customer turned bad in the months after a day, as it is known now."""
        adverse = [one.to_event(until) for one in self.facts if one.counts_on(until)]
        return turned_bad(
            self.items,
            adverse,
            horizon=build_horizon(day, months=MONTHS),
            days_past_due_over=self.outcome.days_past_due_over,
            kinds=self.outcome.adverse_kinds,
        )


@dataclass(slots=True)
class _Followed:
    """What was found so far."""

    observed: list[Observed] = field(default_factory=list)
    not_over: list[GivenRating] = field(default_factory=list)
    bad_already: int = 0
    rated: int = 0
    outcomes: dict[int, bool | None] = field(default_factory=dict)  # by override

    def add(self, known: _Known, *, until: date) -> None:
        """Follow one customer."""
        self.rated += len(known.given)
        for rating in choose_observable(known.given, until=until):
            if known.was_bad_on(rating.as_of):
                self.bad_already += 1
            else:
                is_bad = known.turned_bad_after(rating.as_of, until=until)
                self.observed.append(Observed(rating=rating, is_bad=is_bad))
        waiting = find_not_over(known.given, until=until)
        if waiting is not None and not known.was_bad_on(waiting.as_of):
            self.not_over.append(waiting)
        for one in known.overrides:
            since = one.holds_from
            if since is not None and not known.was_bad_on(since):
                is_over = build_horizon(since, months=MONTHS).until <= until
                self.outcomes[one.override_id] = (
                    known.turned_bad_after(since, until=until) if is_over else None
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Basis:
    """Of what a pass over the ledger is: as long as it holds, so does what came of it."""

    day: date
    newest_rating_id: int
    overrides: tuple[int, int]
    outcome: OutcomeRules


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What came of a pass over the ledger; no rows of it."""

    basis: _Basis
    backtest: BackTest
    outcomes: Mapping[int, bool | None]
    not_overridden: OutcomeShare
    rated: int


class BacktestService:
    """Reads what became of ratings; it writes nothing."""

    def __init__(
        self,
        *,
        database: Database,
        find_scale: Callable[[str], Scale | None],
        find_outcome: Callable[[UnitOfWork], OutcomeRules],
        reader: OverrideReader,
        today: Callable[[], date],
    ) -> None:
        """``find_outcome`` returns what counts as bad: the rule that models are trained by."""
        self._database = database
        self._find_scale = find_scale
        self._find_outcome = find_outcome
        self._reader = reader
        self._today = today
        self._kept: _Kept | None = None

    def read_backtest(self) -> BackTest:
        """Return the back-test of all grades that were given, up to today."""
        with self._database.read() as uow:
            overrides = OverrideStore(uow.connection).list_newest(limit=OVERRIDES_MAX)
            return self._keep(uow, overrides, today=self._today()).backtest

    def read_overrides(self) -> OverrideReport:
        """Return how many grades persons have given, and what became of them, up to today."""
        today = self._today()
        with self._database.read() as uow:
            overrides = OverrideStore(uow.connection).list_newest(limit=OVERRIDES_MAX)
            judged = self._reader.judge(uow, overrides, day=today)
            kept = self._keep(uow, overrides, today=today)
        return build_report(
            judged,
            outcomes=kept.outcomes,
            not_overridden=kept.not_overridden,
            rated=kept.rated,
            until=today,
            months=MONTHS,
            is_cut=len(overrides) == OVERRIDES_MAX,
        )

    def _keep(self, uow: UnitOfWork, overrides: Sequence[Override], *, today: date) -> _Kept:
        """Return what came of the pass that holds, or of one that is made now."""
        basis = _Basis(
            day=today,
            newest_rating_id=RatingStore(uow.connection).find_newest_id(),
            overrides=OverrideStore(uow.connection).count_steps(),
            outcome=self._find_outcome(uow),
        )
        kept = self._kept
        if kept is not None and kept.basis == basis:
            return kept
        scales: dict[str, ScaleBody] = {}
        found = self._follow(
            uow, today=today, overrides=overrides, scales=scales, outcome=basis.outcome
        )
        held = {one.rating_id for one in overrides if one.holds_from is not None}
        others = [one for one in found.observed if one.rating.rating_id not in held]
        waiting = [one for one in found.not_over if one.rating_id not in held]
        self._kept = kept = _Kept(
            basis=basis,
            backtest=sum_up(
                found.observed,
                not_over=found.not_over,
                bad_already=found.bad_already,
                # The newest scale last read says the order; of others what it has not follows.
                order=[
                    symbol for body in reversed(scales.values()) for symbol in list_symbols(body)
                ],
                until=today,
            ),
            outcomes=found.outcomes,
            not_overridden=share_outcomes(
                [*(one.is_bad for one in others), *(None for _ in waiting)]
            ),
            rated=found.rated,
        )
        return kept

    def _follow(
        self,
        uow: UnitOfWork,
        *,
        today: date,
        overrides: Sequence[Override],
        scales: dict[str, ScaleBody],
        outcome: OutcomeRules,
    ) -> _Followed:
        found = _Followed()
        for keys in _iterate_customers(uow):
            for known in self._read_known(
                uow, keys, today=today, overrides=overrides, scales=scales, outcome=outcome
            ):
                found.add(known, until=today)
        return found

    def _read_known(
        self,
        uow: UnitOfWork,
        keys: Sequence[int],
        *,
        today: date,
        overrides: Sequence[Override],
        scales: dict[str, ScaleBody],
        outcome: OutcomeRules,
    ) -> Iterator[_Known]:
        ends = HistoryStore(uow.connection).list_ends(keys)
        given: dict[int, list[GivenRating]] = {}
        for rating in RatingStore(uow.connection).list_of_customers(list(ends)):
            one = self._read_given(rating, scales) if rating.as_of <= today else None
            if one is not None:
                given.setdefault(ends[rating.customer_id], []).append(one)
        items: dict[int, list[InvoiceItem]] = {}
        for key, _, some in LedgerStore(uow.connection).iterate_invoices_of(sorted(given)):
            items.setdefault(key, []).extend(some)
        facts: dict[int, list[AdverseFact]] = {}
        for fact in AdverseStore(uow.connection).list_facts(list(ends)):
            facts.setdefault(ends[fact.customer_id], []).append(fact)
        by_customer: dict[int, list[Override]] = {}
        for override in overrides:
            if override.customer_id in ends:
                by_customer.setdefault(ends[override.customer_id], []).append(override)
        for key, ratings in given.items():
            yield _Known(
                given=tuple(ratings),
                items=tuple(items.get(key, ())),
                facts=tuple(facts.get(key, ())),
                overrides=tuple(by_customer.get(key, ())),
                outcome=outcome,
            )

    def _read_given(self, rating: RatingRecord, scales: dict[str, ScaleBody]) -> GivenRating | None:
        """Return a rating with a grade of a score; None for a default, no score, or no scale."""
        name = rating.scale.sha256_b64u
        if name not in scales:
            scale = self._find_scale(name)
            if scale is None:
                return None
            scales[name] = scale.body
        steps = {step.grade: step.pd_ppm for step in scales[name].grades}
        if rating.grade_with_peers not in steps:
            return None
        return GivenRating(
            rating_id=rating.rating_id,
            customer_id=rating.customer_id,
            as_of=rating.as_of,
            entered_on=datetime.fromtimestamp(rating.created_at_ms / 1000, tz=UTC).date(),
            grade=rating.grade_with_peers,
            pd_ppm=steps[rating.grade_with_peers],
        )


def _iterate_customers(uow: UnitOfWork) -> Iterator[list[int]]:
    last = 0
    while page := RecordsStore(uow.connection).list_customers(limit=CUSTOMERS_TOGETHER, after=last):
        last = page[-1].customer_id
        yield [one.customer_id for one in page]
