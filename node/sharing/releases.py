"""The canonical release of a subject and window: made once a month on first need, the same bytes for every receiver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import bindparam, insert, select

from node.core.database import UnitOfWork
from node.records.behaviour import BehaviourWindow
from node.records.service import find_behaviour_window
from node.records.windows import last_released_month, release_date, trailing_window
from node.sharing.disclosure import (
    DisclosurePolicy,
    Release,
    ReleaseBasis,
    add_overdue_now,
    apply_consent,
    build_basis,
    build_release,
    choose_release,
)
from node.sharing.disclosure.rules_bands import band_overdue
from node.sharing.tables import overdue_day, release
from protocol.identifiers import SubjectId
from protocol.strict_json import canonical_json, parse_object
from schemas.summary import OverdueNow, Section, Summary

TIER_NONE = "none"
WINDOW_MONTHS = (12, 3)  # the longest first
RELEASES_COMPARED_MAX = 240  # ten years of two windows a month


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a query asks, after every check: about whom, over how long, which sections."""

    subject: SubjectId
    last_months: int
    metrics: frozenset[Section]
    business_date: date
    policy: DisclosurePolicy


def disclose(uow: UnitOfWork, question: Question) -> Summary | None:
    """Return what may leave in answer to a question, or None: no data and withheld alike."""
    summary = _get_release(uow, question)
    if summary is None:
        return None
    if Section.OVERDUE_NOW in question.metrics:
        summary = _add_overdue(uow, summary, question)
    return apply_consent(summary, metrics=question.metrics)


def _get_release(uow: UnitOfWork, question: Question) -> Summary | None:
    """Return the release of this month.

    On first need every length is made, the longest first: were each made when it is asked for, the order of asking would decide
    which of two that give each other away is held back.
    """
    month = last_released_month(question.business_date)
    key = {"subject": str(question.subject), "months": question.last_months, "month": month}
    row = uow.connection.execute(_SELECT_RELEASE, key).one_or_none()
    if row is None:
        for months in WINDOW_MONTHS:
            _store_release(uow, replace(question, last_months=months), month=month)
        row = uow.connection.execute(_SELECT_RELEASE, key).one()
    return None if row.tier == TIER_NONE else Summary.from_bytes(row.body.encode("utf-8"))


def _store_release(uow: UnitOfWork, question: Question, *, month: int) -> None:
    chosen = _make_release(uow, question, month=month)
    summary = chosen.summary
    uow.connection.execute(
        insert(release).values(
            subject=str(question.subject),
            months=question.last_months,
            made_for_month=month,
            tier=TIER_NONE if summary is None else summary.tier.value,
            body="" if summary is None else summary.to_bytes().decode("utf-8"),
            basis=canonical_json(chosen.basis.to_object()).decode("utf-8"),
        )
    )


def _make_release(uow: UnitOfWork, question: Question, *, month: int) -> Release:
    first, last = trailing_window(last_month=month, months=question.last_months)
    window = find_behaviour_window(
        uow,
        subject_scheme=question.subject.scheme,
        subject_value=question.subject.value,
        first_month=first,
        last_month=last,
        as_of=release_date(last),
    )
    if window is None:
        basis = ReleaseBasis(
            policy=question.policy.version, first_month=first, last_month=last, months=()
        )
        made = Release(summary=None, basis=basis)
    else:
        before = _find_before(uow, question, first_month=first, currency=window.currency)
        summary = build_release(window, before, subject=str(question.subject), policy=question.policy)
        made = Release(summary=summary, basis=build_basis(window, policy=question.policy))
    standing, others = _list_earlier(uow, question)
    return choose_release(standing, made, others=others, policy=question.policy)


def _find_before(
    uow: UnitOfWork, question: Question, *, first_month: int, currency: str
) -> BehaviourWindow | None:
    """Return the window before, for the trend; one in another currency says nothing of it."""
    before = find_behaviour_window(
        uow,
        subject_scheme=question.subject.scheme,
        subject_value=question.subject.value,
        first_month=first_month - question.last_months,
        last_month=first_month - 1,
        as_of=release_date(first_month - 1),
    )
    return before if before is not None and before.currency == currency else None


def _list_earlier(uow: UnitOfWork, question: Question) -> tuple[Release | None, list[Release]]:
    """Return the release out now for this length of window, and every other one that a receiver may hold."""
    last: Release | None = None
    others: list[Release] = []
    for row in uow.connection.execute(_SELECT_EARLIER, {"subject": str(question.subject)}):
        summary = None if row.tier == TIER_NONE else Summary.from_bytes(row.body.encode("utf-8"))
        earlier = Release(summary=summary, basis=ReleaseBasis.from_object(parse_object(row.basis.encode("utf-8"))))
        if last is None and row.months == question.last_months:
            last = earlier
        else:
            others.append(earlier)
    return last, others


def _add_overdue(uow: UnitOfWork, summary: Summary, question: Question) -> Summary:
    """Add the present class, worked out once a day."""
    today = question.business_date
    known = uow.connection.execute(
        _SELECT_OVERDUE, {"subject": str(question.subject), "as_of": today}
    ).scalar_one_or_none()
    if known is not None:
        now = OverdueNow.from_object({"as_of": today.isoformat(), "oldest": known})
        return summary.model_copy(update={Section.OVERDUE_NOW.value: now})
    first, last = trailing_window(last_month=last_released_month(today), months=question.last_months)
    window = find_behaviour_window(
        uow,
        subject_scheme=question.subject.scheme,
        subject_value=question.subject.value,
        first_month=first,
        last_month=last,
        as_of=today,
    )
    oldest_days = None if window is None else window.oldest_overdue_days
    uow.connection.execute(
        insert(overdue_day).values(subject=str(question.subject), as_of=today, oldest=band_overdue(oldest_days))
    )
    return add_overdue_now(summary, oldest_overdue_days=oldest_days, as_of=today)


_SELECT_RELEASE = select(release.c.tier, release.c.body).where(
    release.c.subject == bindparam("subject"),
    release.c.months == bindparam("months"),
    release.c.made_for_month == bindparam("month"),
)
_SELECT_EARLIER = (
    select(release.c.months, release.c.tier, release.c.body, release.c.basis)
    .where(release.c.subject == bindparam("subject"))
    .order_by(release.c.made_for_month.desc())
    .limit(RELEASES_COMPARED_MAX)
)
_SELECT_OVERDUE = select(overdue_day.c.oldest).where(
    overdue_day.c.subject == bindparam("subject"), overdue_day.c.as_of == bindparam("as_of")
)
