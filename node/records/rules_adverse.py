"""Adverse facts: when one may be shared, on whose objection it is held back, when it has ended.

Pure. Our own assessment uses a fact at once. Others are told only once its subject was told so many
days before and no objection stands (prior notice, 事前告知; objection, 异议). What is entered today
makes no past day shareable: a notice counts from its entry on, and so does the end of an objection;
an objection holds back at once, whatever was told before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Self

from node.records.behaviour import AdverseEvent
from node.records.rules_retention import (
    Ending,
    EndReason,
    SharingTerms,
    is_past_sharing,
)

_KEY_FORM = re.compile(r"(event|default)-([1-9][0-9]{0,8})")


class FactSource(StrEnum):
    """As what a fact was entered."""

    EVENT = "event"  # an adverse event, entered by one person
    DEFAULT = "default"  # a default, by two


@dataclass(frozen=True, slots=True, kw_only=True)
class FactKey:
    """By what a fact is named: ``event-5``, ``default-3``."""

    source: FactSource
    number: int

    def __str__(self) -> str:
        """Return the name as a person writes it."""
        return f"{self.source}-{self.number}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a name; None where it is none."""
        found = _KEY_FORM.fullmatch(text)
        if found is None:
            return None
        return cls(source=FactSource(found[1]), number=int(found[2]))


class NoticeChannel(StrEnum):
    """How the subject was told."""

    LETTER = "letter"
    EMAIL = "e-mail"
    IN_PERSON = "in-person"


class ObjectionResult(StrEnum):
    """What became of an objection."""

    UPHELD = "upheld"  # the fact was none, or cannot be shown: it counts for nothing any more
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    SUPPRESSED = "suppressed"  # nobody could show it in time: others are told of it no more


_HOLD_BACK = frozenset({ObjectionResult.UPHELD, ObjectionResult.SUPPRESSED})


class SharingState(StrEnum):
    """Whether a fact may be shared, or what keeps it back."""

    SHAREABLE = "shareable"
    UNNOTICED = "unnoticed"  # the subject was not told yet
    WAITING = "waiting"  # told, and the days run
    OBJECTED = "objected"
    REFUTED = "refuted"  # an objection was upheld
    UNCONFIRMED = "unconfirmed"  # a default that no second person has confirmed
    PAST = "past"  # it ended so long ago that nobody is told any more
    PERSON = "person"  # of a natural person nobody is told anything
    NOT_YET = "not-yet"  # it had not happened by then


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectNotice:
    """That the subject was told; taken back where ``ended_at_ms`` is set."""

    notice_id: int
    sent_on: date
    entered_on: date
    channel: NoticeChannel
    reference: str | None
    document_sha256_hex: str | None
    entered_by: str
    entered_at_ms: int
    ended_by: str | None = None
    ended_at_ms: int | None = None
    end_reason: str | None = None

    def find_first_day(self, *, notice_days: int) -> date:
        """Return the first day on which what it tells of may be shared."""
        return max(self.sent_on + timedelta(days=notice_days), self.entered_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionEnd:
    """How an objection was closed; it counts from ``entered_on`` on."""

    result: ObjectionResult
    closed_on: date
    entered_on: date
    reason: str
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """That somebody says that a fact is none."""

    objection_id: int
    objected_on: date
    objector: str
    entered_by: str
    entered_at_ms: int
    end: ObjectionEnd | None = None

    def holds_back(self, day: date) -> bool:
        """Tell whether it stood on a day, came later, was upheld, or nobody could answer it."""
        if self.end is None or self.end.result in _HOLD_BACK:
            return True
        return self.end.entered_on > day


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseFact:
    """An adverse event or default with all that was said of it."""

    key: FactKey
    customer_id: int
    kind: str  # as it stands in a summary
    happened_on: date
    document_sha256_hex: str
    entered_by: str | None  # none: of before it was kept
    entered_at_ms: int
    counted_at_ms: int | None  # since when it is a fact; none where it is not confirmed
    rejected_at_ms: int | None = None  # of a default that the second person has rejected
    ended_on: date | None = None
    ended_at_ms: int | None = None  # when that was entered, if it was later
    notices: tuple[SubjectNotice, ...] = ()
    objections: tuple[Objection, ...] = ()

    @property
    def is_confirmed(self) -> bool:
        """Whether it was ever a fact; of a default another person has to say so."""
        return self.counted_at_ms is not None

    @property
    def refuted_on(self) -> date | None:
        """Since when it counts for nothing, because an objection was upheld."""
        return min(
            (
                one.end.closed_on
                for one in self.objections
                if one.end is not None and one.end.result is ObjectionResult.UPHELD
            ),
            default=None,
        )

    @property
    def is_barred(self) -> bool:
        """Whether its document is not entered again: it is objected to, refuted or suppressed."""
        return any(one.end is None or one.end.result in _HOLD_BACK for one in self.objections)

    def counts_on(self, day: date) -> bool:
        """Tell whether it is a fact for ourselves on a day."""
        refuted_on = self.refuted_on
        is_refuted = refuted_on is not None and refuted_on <= day
        return self.is_confirmed and self.happened_on <= day and not is_refuted

    def to_event(self, day: date) -> AdverseEvent:
        """Return it as a window of behaviour tells it, settled or not by a day."""
        return AdverseEvent(
            kind=self.kind,
            happened_on=self.happened_on,
            settled=self.ended_on is not None and self.ended_on <= day,
        )

    def list_moments(self) -> list[int]:
        """Return when it was entered and what was said of it, in milliseconds since 1970."""
        moments = [self.entered_at_ms, self.counted_at_ms, self.rejected_at_ms, self.ended_at_ms]
        for notice in self.notices:
            moments += [notice.entered_at_ms, notice.ended_at_ms]
        for objection in self.objections:
            moments.append(objection.entered_at_ms)
            if objection.end is not None:
                moments.append(objection.end.entered_at_ms)
        return [moment for moment in moments if moment is not None]

    def as_seen_on(self, day: date) -> Self:
        """Return it without what was entered or had happened only after a day."""
        return replace(
            self,
            ended_on=self.ended_on if self.ended_on is not None and self.ended_on <= day else None,
            notices=tuple(one for one in self.notices if one.entered_on <= day),
            objections=tuple(
                one if one.end is None or one.end.entered_on <= day else replace(one, end=None)
                for one in self.objections
                if one.objected_on <= day
            ),
        )


def find_first_day(fact: AdverseFact, *, notice_days: int) -> date | None:
    """Return the first day on which a fact may be shared unless objected to; None without notice.

    A notice of before the fact is none of it.
    """
    return min(
        (
            one.find_first_day(notice_days=notice_days)
            for one in fact.notices
            if one.ended_at_ms is None and one.sent_on >= fact.happened_on
        ),
        default=None,
    )


def find_state(
    fact: AdverseFact, *, on: date, is_person: bool, terms: SharingTerms
) -> SharingState:
    """Return whether a fact may be shared as of a day, or what keeps it back.

    An objection that came after the day holds back too: what was released as of that day is told
    for weeks.
    """
    if fact.happened_on > on:
        return SharingState.NOT_YET
    if not fact.is_confirmed:
        return SharingState.UNCONFIRMED
    if is_person:
        return SharingState.PERSON
    return _find_objected(fact, on=on) or _find_timely(fact, on=on, terms=terms)


def _find_objected(fact: AdverseFact, *, on: date) -> SharingState | None:
    if fact.refuted_on is not None:
        return SharingState.REFUTED
    is_held = any(one.holds_back(on) for one in fact.objections)
    return SharingState.OBJECTED if is_held else None


def _find_timely(fact: AdverseFact, *, on: date, terms: SharingTerms) -> SharingState:
    if is_past_sharing(fact.ended_on, as_of=on, shared_months=terms.shared_months):
        return SharingState.PAST
    first_day = find_first_day(fact, notice_days=terms.notice_days)
    if first_day is None:
        return SharingState.UNNOTICED
    return SharingState.SHAREABLE if first_day <= on else SharingState.WAITING


def list_shareable(
    facts: Iterable[AdverseFact],
    *,
    as_of: date,
    today: date,
    is_person: bool,
    terms: SharingTerms,
) -> list[AdverseEvent]:
    """Return the facts that a release as of a day may name and that may still be told today."""
    return [
        fact.to_event(as_of)
        for fact in facts
        if find_state(fact, on=as_of, is_person=is_person, terms=terms) is SharingState.SHAREABLE
        and not is_past_sharing(fact.ended_on, as_of=today, shared_months=terms.shared_months)
    ]


def find_fact_ending(fact: AdverseFact) -> Ending:
    """Return when a fact has ended, or why not; its term runs from then, not from its entry.

    What is not settled has not started its clock; neither has what is objected to.
    """
    if any(one.end is None for one in fact.objections):
        return Ending(reason=EndReason.DISPUTED)
    cancelled = [] if fact.refuted_on is None else [fact.refuted_on]
    if fact.rejected_at_ms is not None:
        cancelled.append(datetime.fromtimestamp(fact.rejected_at_ms // 1_000, UTC).date())
    days = [*cancelled, *([] if fact.ended_on is None else [fact.ended_on])]
    if not days:
        return Ending(reason=EndReason.OPEN)
    reason = EndReason.CANCELLED if cancelled else EndReason.SETTLED
    return Ending(reason=reason, ended_on=min(days))
