"""The canonical release of a subject and window: made once a month, the same for every receiver."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import date

from node.core.database import UnitOfWork
from node.core.decision import Batch
from node.core.errors import InvariantError
from node.records.behaviour import BehaviourWindow
from node.records.rules_retention import SharingTerms
from node.records.service import find_behaviour_window
from node.records.shareable import (
    find_told_customer,
    list_shareable_adverse,
    read_shareable_version,
)
from node.records.windows import (
    last_released_month,
    parse_month,
    release_date,
    trailing_window,
)
from node.sharing.disclosure import (
    DisclosurePolicy,
    Release,
    ReleaseBasis,
    add_overdue_now,
    apply_consent,
    build_adverse,
    build_basis,
    build_release,
    choose_release,
)
from node.sharing.disclosure.rules_bands import band_overdue
from node.sharing.store import ReleaseStore, StoredRelease
from protocol.errors import ProtocolError
from protocol.identifiers import SubjectId
from protocol.strict_json import canonical_json, parse_object
from schemas.summary import Adverse, OverdueNow, Section, Summary

WINDOW_MONTHS = (12, 3)  # the longest first
DISCLOSURES_KEPT_MAX = 10_000
_VERSION = "shareable-version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a query asks, after every check: about whom, over how long, which sections."""

    subject: SubjectId
    last_months: int
    metrics: frozenset[Section]
    business_date: date
    policy: DisclosurePolicy
    k_min: int = 1
    """Fewest invoices that the consent lets anything be said of; the policy may ask for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """What may leave, as bytes, and its tier."""

    body: bytes
    tier: str


class Disclosures:
    """Answers as bytes, kept while they cannot change: a stored release and day are final.

    What this batch has made itself is not kept: its transaction may yet be rolled back. Used under
    the write lock alone, by the loop's and the writer's thread.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._kept: OrderedDict[Question, Disclosed | None] = OrderedDict()
        self._version: tuple[int, ...] = ()

    def disclose(self, batch: Batch, question: Question) -> Disclosed | None:
        """Return what may leave in answer to a question, or None: no data and withheld alike."""
        self._forget_moved(batch)
        if question in self._kept:
            self._kept.move_to_end(question)
            return self._kept[question]
        is_stored = _is_stored(batch.uow, question)
        try:
            summary = disclose(batch.uow, question)
        except ProtocolError as err:
            # Our own stored release: not a mistake of the peer, who must not be refused for it.
            raise InvariantError(f"a stored release cannot be read: {err.detail}") from err
        made = None
        if summary is not None:
            made = Disclosed(body=summary.to_bytes(), tier=summary.tier.value)
        if is_stored and question.subject not in batch.taken:
            self._kept[question] = made
            if len(self._kept) > DISCLOSURES_KEPT_MAX:
                self._kept.popitem(last=False)
        elif not is_stored:
            batch.taken.add(question.subject)
        return made

    def _forget_moved(self, batch: Batch) -> None:
        """Keep nothing once an objection, or whatever else holds back, was entered; at once."""
        if _VERSION in batch.memory:  # Nobody has written since.
            return
        version = read_shareable_version(batch.uow)
        batch.memory[_VERSION] = version
        if version != self._version:
            self._kept.clear()
            self._version = version

    def forget(self, subject: SubjectId) -> None:
        """Keep nothing of a subject whose releases are made anew."""
        for question in [one for one in self._kept if one.subject == subject]:
            del self._kept[question]


def _is_stored(uow: UnitOfWork, question: Question) -> bool:
    store, subject = ReleaseStore(uow.connection), str(question.subject)
    month = last_released_month(question.business_date)
    if store.find(subject, months=question.last_months, made_for_month=month) is None:
        return False
    if Section.OVERDUE_NOW not in question.metrics:
        return True
    return store.find_overdue(subject, as_of=question.business_date) is not None


def disclose(uow: UnitOfWork, question: Question) -> Summary | None:
    """Return what may leave in answer to a question, or None: no data and withheld alike."""
    summary = _find_release(uow, question)
    if summary is not None:
        summary = _hold_back(
            uow,
            summary,
            subject=question.subject,
            business_date=question.business_date,
            terms=question.policy.terms,
        )
    if summary is None:
        return None
    if Section.OVERDUE_NOW in question.metrics:
        summary = _add_overdue(uow, summary, question)
    return apply_consent(summary, metrics=question.metrics)


def hold_back_made(
    uow: UnitOfWork,
    body: bytes,
    *,
    subject: SubjectId,
    business_date: date,
    policy: DisclosurePolicy,
) -> bytes | None:
    """Return what of a summary that was made before may leave now, or None: as ``disclose``."""
    summary = Summary.from_bytes(body)
    kept = _hold_back(
        uow, summary, subject=subject, business_date=business_date, terms=policy.terms
    )
    if kept is None:
        return None
    return body if kept is summary else kept.to_bytes()


def _find_release(uow: UnitOfWork, question: Question) -> Summary | None:
    """Return the release of this month.

    On first need every length is made, the longest first: were each made when it is asked for, the
    order of asking would decide which of two that give each other away is held back.
    """
    month = last_released_month(question.business_date)
    subject, months = str(question.subject), question.last_months
    store = ReleaseStore(uow.connection)
    stored = store.find(subject, months=months, made_for_month=month)
    if stored is None:
        for length in WINDOW_MONTHS:
            made = _make_release(uow, replace(question, last_months=length), month=month)
            store.add(subject, _format_release(made, months=length), made_for_month=month)
        stored = store.find(subject, months=months, made_for_month=month)
    if stored is None:
        raise InvariantError(f"no window of {months} months is released")
    if stored.summary is None or _count_invoices(stored) < question.k_min:
        return None
    return Summary.from_bytes(stored.summary)


def _hold_back(
    uow: UnitOfWork,
    summary: Summary,
    *,
    subject: SubjectId,
    business_date: date,
    terms: SharingTerms,
) -> Summary | None:
    """Take from what is out what must not be told today; None where nothing may be.

    A release is out for a month, or repeated for a year. Meanwhile a fact in it may be objected to,
    or have ended too long ago, and a customer may turn out to be a natural person.
    """
    customer = find_told_customer(uow, scheme=subject.scheme, value=subject.value)
    if customer is None:
        return None
    if summary.adverse is None or not summary.adverse.facts:
        return summary
    still = build_adverse(
        list_shareable_adverse(
            uow,
            customer,
            as_of=date.fromisoformat(summary.window.as_of),
            today=business_date,
            terms=terms,
        )
    )
    # What is settled by now, as of then, is told as settled; nothing comes that was not out.
    told = {(fact.kind, fact.quarter) for fact in summary.adverse.facts}
    kept = [fact for fact in still.facts if (fact.kind, fact.quarter) in told]
    return summary.model_copy(update={Section.ADVERSE.value: Adverse(facts=kept)})


def _count_invoices(stored: StoredRelease) -> int:
    """Return how many invoices a release speaks of: the disputed ones stand beside them."""
    basis = ReleaseBasis.from_object(parse_object(stored.basis))
    return sum(sum(counts[:-1]) for _, counts in basis.months)


def _format_release(made: Release, *, months: int) -> StoredRelease:
    return StoredRelease(
        months=months,
        summary=None if made.summary is None else made.summary.to_bytes(),
        basis=canonical_json(made.basis.to_object()),
    )


def _read_release(stored: StoredRelease) -> Release:
    return Release(
        summary=None if stored.summary is None else Summary.from_bytes(stored.summary),
        basis=ReleaseBasis.from_object(parse_object(stored.basis)),
    )


def make_releases_anew(uow: UnitOfWork, question: Question, *, at_ms: int) -> tuple[int, ...]:
    """Make this month's releases anew where the records no longer bear them out.

    Returns:
        The lengths of the windows that were made anew. Where the new release and one that is or was
        out give an invoice away, there is none in its place.
    """
    month = last_released_month(question.business_date)
    store, subject = ReleaseStore(uow.connection), str(question.subject)
    wrong = [
        months
        for months in WINDOW_MONTHS
        if (stored := store.find(subject, months=months, made_for_month=month)) is not None
        and stored.summary is not None
        and is_wrong(uow, question, Summary.from_bytes(stored.summary))
    ]
    for months in wrong:
        store.retire(subject, months=months, made_for_month=month, at_ms=at_ms)
    for months in wrong:
        asked = replace(question, last_months=months)
        others = [_read_release(stored) for stored in store.list_earlier(subject)]
        made = choose_release(
            None, _build_fresh(uow, asked, month=month), others=others, policy=question.policy
        )
        store.add(subject, _format_release(made, months=months), made_for_month=month)
    return tuple(wrong)


def is_wrong(uow: UnitOfWork, question: Question, told: Summary) -> bool:
    """Tell whether the records of today would say otherwise of the window that was told of."""
    last = parse_month(told.window.last)
    asked = replace(question, last_months=last - parse_month(told.window.first) + 1)
    fresh = _build_fresh(uow, asked, month=last).summary
    if fresh is None or fresh.tier is not told.tier:
        return True
    return any(
        (value := getattr(told, section.value)) is not None
        and value != getattr(fresh, section.value)
        for section in Section
        if section is not Section.OVERDUE_NOW  # a fact of another day
    )


def _make_release(uow: UnitOfWork, question: Question, *, month: int) -> Release:
    made = _build_fresh(uow, question, month=month)
    standing, others = _list_earlier(uow, question)
    return choose_release(standing, made, others=others, policy=question.policy)


def _build_fresh(uow: UnitOfWork, question: Question, *, month: int) -> Release:
    """Return what the records say of a window, whatever is out."""
    first, last = trailing_window(last_month=month, months=question.last_months)
    scheme, value = question.subject.scheme, question.subject.value
    customer = find_told_customer(uow, scheme=scheme, value=value)
    window = find_behaviour_window(
        uow,
        subject_scheme=scheme,
        subject_value=value,
        first_month=first,
        last_month=last,
        as_of=release_date(last),
    )
    if window is None or customer is None:
        basis = ReleaseBasis(
            policy=question.policy.version, first_month=first, last_month=last, months=()
        )
        return Release(summary=None, basis=basis)
    before = _find_before(uow, question, first_month=first, currency=window.currency)
    adverse = list_shareable_adverse(
        uow,
        customer,
        as_of=window.as_of,
        today=window.as_of,
        terms=question.policy.terms,
    )
    summary = build_release(
        window, before, adverse=adverse, subject=str(question.subject), policy=question.policy
    )
    return Release(summary=summary, basis=build_basis(window, policy=question.policy))


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
    """Return the release out now for this length of window, and every other one ever out."""
    last: Release | None = None
    others: list[Release] = []
    for stored in ReleaseStore(uow.connection).list_earlier(str(question.subject)):
        earlier = _read_release(stored)
        if last is None and stored.months == question.last_months:
            last = earlier
        else:
            others.append(earlier)
    return last, others


def _add_overdue(uow: UnitOfWork, summary: Summary, question: Question) -> Summary:
    """Add the present class, worked out once a day."""
    today, subject = question.business_date, str(question.subject)
    store = ReleaseStore(uow.connection)
    known = store.find_overdue(subject, as_of=today)
    if known is not None:
        now = OverdueNow.from_object({"as_of": today.isoformat(), "oldest": known})
        return summary.model_copy(update={Section.OVERDUE_NOW.value: now})
    first, last = trailing_window(
        last_month=last_released_month(today), months=question.last_months
    )
    window = find_behaviour_window(
        uow,
        subject_scheme=question.subject.scheme,
        subject_value=question.subject.value,
        first_month=first,
        last_month=last,
        as_of=today,
    )
    oldest_days = None if window is None else window.oldest_overdue_days
    store.add_overdue(subject, as_of=today, oldest=band_overdue(oldest_days))
    return add_overdue_now(summary, oldest_overdue_days=oldest_days, as_of=today)
