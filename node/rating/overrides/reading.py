"""Which override holds for a rating on a day: what every reader of a grade asks.

Overrides are few beside ratings; each is judged by the one pure rule, with the default events that
are known of its customer. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from node.assessment.scoring import ListPeerSummaries
from node.core.database import UnitOfWork
from node.core.errors import InvariantError
from node.rating.overrides.policy import VALID_DAYS_MAX
from node.rating.overrides.rules_override import (
    Override,
    OverrideState,
    bound_later,
    choose_lowest,
    find_state,
)
from node.rating.overrides.store import OverrideStore
from node.rating.scale import Scale, ScaleBody
from node.rating.store import RatingRecord, RatingStore
from node.records.store.adverse import AdverseStore
from node.records.store.histories import HistoryStore

RUNNING_MAX = 5_000  # overrides whose days a day is among

FindScale = Callable[[str], Scale | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedOverride:
    """An override, its rating, and what it is on a day."""

    override: Override
    rating: RatingRecord
    newest: RatingRecord
    """The newest rating of its customer: another one where it was rated since."""
    state: OverrideState

    @property
    def is_rated_since(self) -> bool:
        """Whether the customer was rated after a default, or after the last day."""
        is_other = self.newest.rating_id != self.rating.rating_id
        is_later = self.newest.as_of > self.override.expires_on
        return is_other and (is_later or self.state is OverrideState.DEFAULTED)

    @property
    def is_by_peers(self) -> bool:
        """Whether its grades tell what peers have said: their word changed the rating's grade."""
        return self.rating.grade_own != self.rating.grade_with_peers


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideReader:
    """Reads overrides within the caller's transaction."""

    list_peer_summaries: ListPeerSummaries = field(repr=False)
    find_scale: FindScale = field(repr=False)

    def find_in_force(
        self, uow: UnitOfWork, rating: RatingRecord | None, *, day: date
    ) -> Override | None:
        """Return the override that holds for a customer's newest rating on a day."""
        if rating is None:
            return None
        return self.list_in_force(uow, [rating], day=day).get(rating.rating_id)

    def list_in_force(
        self, uow: UnitOfWork, ratings: Collection[RatingRecord], *, day: date
    ) -> dict[int, Override]:
        """Return the overrides that hold on a day, by rating; each the newest of its customer.

        One that lowers and is of an earlier rating is as it bounds the later one; of several that
        hold for a rating the one with the lowest grade is meant.
        """
        named = {rating.rating_id: rating for rating in ratings}
        holding = self._list_holding(uow, named, day)
        earlier: dict[int, list[Override]] = {}
        for one in holding:
            if not one.is_upward:
                earlier.setdefault(one.customer_id, []).append(one)
        found: dict[int, list[Override]] = {}
        for one in holding:
            found.setdefault(one.rating_id, []).append(one)
        for key, rating in named.items():
            for one in earlier.get(rating.customer_id, ()):
                bounded = self._bound_later(one, rating) if one.rating_id < key else None
                if bounded is not None:
                    found.setdefault(key, []).append(bounded)
        return {
            key: choose_lowest(found[key], self._find_body(rating))
            for key, rating in named.items()
            if key in found
        }

    def list_bounding(self, uow: UnitOfWork, rating: RatingRecord, *, day: date) -> list[Override]:
        """Return the overrides of earlier ratings of a customer that hold on a day and lower."""
        return [
            one
            for one in self._list_holding(uow, {rating.rating_id: rating}, day)
            if not one.is_upward and one.rating_id < rating.rating_id
        ]

    def _list_holding(
        self, uow: UnitOfWork, named: Mapping[int, RatingRecord], day: date
    ) -> list[Override]:
        """Return what holds of the ratings themselves, and of their customers what lowers."""
        store = OverrideStore(uow.connection)
        customers = {rating.customer_id for rating in named.values()}
        candidates = {
            one.override_id: one
            for one in (*store.list_of_ratings(named), *store.list_lowering(customers, day=day))
            if one.made_on <= day <= one.expires_on
        }
        others = {one.rating_id for one in candidates.values()} - named.keys()
        rated = {**named, **RatingStore(uow.connection).list_named(others)}
        pairs = [(one, rated[one.rating_id]) for one in candidates.values()]
        defaulted = self._list_defaulted(uow, pairs, day)
        return [
            one
            for one, _ in pairs
            if find_state(
                one,
                day=day,
                newest_rating_id=one.rating_id,
                is_defaulted=one.override_id in defaulted,
            )
            is OverrideState.IN_FORCE
        ]

    def _bound_later(self, override: Override, rating: RatingRecord) -> Override | None:
        return bound_later(
            override,
            self._find_body(rating),
            grade_own=rating.grade_own,
            grade_with_peers=rating.grade_with_peers,
        )

    def _find_body(self, rating: RatingRecord) -> ScaleBody | None:
        scale = self.find_scale(rating.scale.sha256_b64u)
        return None if scale is None else scale.body

    def list_all_in_force(self, uow: UnitOfWork, *, day: date) -> dict[int, Override]:
        """Return every override that holds on a day, by its rating.

        Whether that rating is the one that held on the day is the caller's to know.
        """
        running = OverrideStore(uow.connection).list_running(day, limit=RUNNING_MAX)
        store = RatingStore(uow.connection)
        ratings = store.list_named({one.rating_id for one in running})
        lowered = {one.customer_id: one.rating_id for one in running if not one.is_upward}
        for rating in store.list_of_customers(sorted(lowered)):
            if rating.rating_id > lowered[rating.customer_id]:
                ratings[rating.rating_id] = rating
        return self.list_in_force(uow, list(ratings.values()), day=day)

    def list_ended(self, uow: UnitOfWork, *, day: date) -> dict[int, Override]:
        """Return the overrides of newest ratings that have ended by themselves, by customer.

        Only a default and the last day: with another rating since, nothing is left to look at.
        """
        recent = OverrideStore(uow.connection).list_running(
            day, ended_from=day - timedelta(days=VALID_DAYS_MAX), limit=RUNNING_MAX
        )
        ended = {OverrideState.EXPIRED, OverrideState.DEFAULTED}
        judged = self.judge(uow, recent, day=day)
        open_again = {one.rating.rating_id for one in judged if one.state.is_open}
        return {
            one.override.customer_id: one.override
            for one in judged
            if one.state in ended
            and one.override.holds_from is not None
            and one.rating.rating_id not in open_again
            and not one.is_rated_since
        }

    def judge(
        self, uow: UnitOfWork, overrides: Sequence[Override], *, day: date
    ) -> list[JudgedOverride]:
        """Return overrides with what each is on a day."""
        store = RatingStore(uow.connection)
        newest = store.list_newest_ids({one.customer_id for one in overrides})
        ratings = store.list_named({*(one.rating_id for one in overrides), *newest.values()})
        pairs = []
        for one in overrides:
            if one.rating_id not in ratings:
                raise InvariantError("an override of a rating that is not there")
            pairs.append((one, ratings[one.rating_id]))
        defaulted = self._list_defaulted(uow, pairs, day)
        return [
            JudgedOverride(
                override=one,
                rating=rating,
                newest=ratings[newest[one.customer_id]],
                state=find_state(
                    one,
                    day=day,
                    newest_rating_id=newest[one.customer_id],
                    is_defaulted=one.override_id in defaulted,
                ),
            )
            for one, rating in pairs
        ]

    def _list_defaulted(
        self, uow: UnitOfWork, pairs: Sequence[tuple[Override, RatingRecord]], day: date
    ) -> set[int]:
        """Return which overrides a default has ended by a day: ours, or as a peer tells of one."""
        events = {one.override_id: self._find_events(rating) for one, rating in pairs}
        found = self._list_own_defaulted(uow, pairs, events, day)
        subjects = {one.override_id: rating.subject_id for one, rating in pairs}
        told = self.list_peer_summaries(uow, sorted(set(subjects.values()))) if subjects else {}
        for key, subject in subjects.items():
            for record in told.get(subject, ()):
                adverse = None if record.summary is None else record.summary.adverse
                if record.left_out or adverse is None or record.received_on > day:
                    continue
                kinds = {fact.kind for fact in adverse.facts if not fact.settled}
                if kinds & events[key][1]:
                    found.add(key)
        return found

    def _list_own_defaulted(
        self,
        uow: UnitOfWork,
        pairs: Sequence[tuple[Override, RatingRecord]],
        events: Mapping[int, tuple[frozenset[str], frozenset[str]]],
        day: date,
    ) -> set[int]:
        ends = HistoryStore(uow.connection).list_ends(sorted({one.customer_id for one, _ in pairs}))
        facts = AdverseStore(uow.connection).list_facts(list(ends)) if ends else []
        return {
            one.override_id
            for one, rating in pairs
            for fact in facts
            if ends[fact.customer_id] == one.customer_id
            and fact.kind in events[one.override_id][0]
            and fact.counts_on(day)
            # What had ended by the day of the rating is in the rating.
            and (fact.ended_on is None or fact.ended_on > rating.as_of)
        }

    def _find_events(self, rating: RatingRecord) -> tuple[frozenset[str], frozenset[str]]:
        scale = self.find_scale(rating.scale.sha256_b64u)
        if scale is None:  # Nobody can say any more what it calls a default: each fact ends it.
            every = frozenset({"collection", "write_off", "legal", "insolvency"})
            return every, every
        default = scale.body.default
        return frozenset(default.own_events), frozenset(default.peer_events)


def apply_override(rating: RatingRecord, override: Override | None) -> RatingRecord:
    """Return a rating with the grade that holds, where a person has given one."""
    if override is None:
        return rating
    return replace(
        rating, grade_own=override.grade_own_after, grade_with_peers=override.grade_after
    )
