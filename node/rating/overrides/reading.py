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
from node.rating.overrides.rules_override import Override, OverrideState, find_state
from node.rating.overrides.store import OverrideStore
from node.rating.scale import Scale
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
    state: OverrideState

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
        """Return the overrides that hold on a day, by rating; each the newest of its customer."""
        named = {rating.rating_id: rating for rating in ratings}
        found = [
            one
            for one in OverrideStore(uow.connection).list_of_ratings(named)
            if one.made_on <= day <= one.expires_on
        ]
        defaulted = self._list_defaulted(uow, [(one, named[one.rating_id]) for one in found], day)
        return {
            one.rating_id: one
            for one in found
            if find_state(
                one,
                day=day,
                newest_rating_id=one.rating_id,
                is_defaulted=one.override_id in defaulted,
            )
            is OverrideState.IN_FORCE
        }

    def list_all_in_force(self, uow: UnitOfWork, *, day: date) -> dict[int, Override]:
        """Return every override that holds on a day, by its rating.

        Whether that rating is the one that held on the day is the caller's to know.
        """
        running = OverrideStore(uow.connection).list_running(day, limit=RUNNING_MAX)
        ratings = RatingStore(uow.connection).list_named({one.rating_id for one in running})
        return self.list_in_force(uow, list(ratings.values()), day=day)

    def list_ended(self, uow: UnitOfWork, *, day: date) -> dict[int, Override]:
        """Return the overrides of newest ratings that have ended by themselves, by customer.

        Only a default and the last day: with another rating nothing is left to look at.
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
        }

    def judge(
        self, uow: UnitOfWork, overrides: Sequence[Override], *, day: date
    ) -> list[JudgedOverride]:
        """Return overrides with what each is on a day."""
        store = RatingStore(uow.connection)
        ratings = store.list_named({one.rating_id for one in overrides})
        newest = store.list_newest_ids({one.customer_id for one in overrides})
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
    return replace(rating, grade_own=override.grade_after, grade_with_peers=override.grade_after)
