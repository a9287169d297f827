"""Who is to be assessed again, since what the newest assessment rests on has changed.

Customers enter in the transaction in which it happens: the lower rooms call what is wired to the
functions here. They enter once a cause and leave with their next assessment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from node.assessment.renewal.store import OWN_CAUSES, Mark, Renewal, RenewalCause, RenewalStore
from node.assessment.results import USED
from node.core.database import INTEGER_MAX, Database, UnitOfWork
from node.records.store import RecordsStore

RENEWALS_PAGE_MAX = 500
DISPUTED_CODE = "left-out.disputed"
_ALL_CAUSES = frozenset(RenewalCause)


class RenewalService:
    """Reads the queue."""

    def __init__(self, *, database: Database) -> None:
        """Take the ports."""
        self._database = database

    def list_open(
        self, *, shows_peers: bool, limit: int = RENEWALS_PAGE_MAX, after: int = 0
    ) -> list[Renewal]:
        """Return who waits, in the order of entry; of peers' doings only who may see them hears."""
        with self._database.read() as uow:
            return RenewalStore(uow.connection).list_open(
                causes=_choose_causes(shows_peers=shows_peers),
                limit=min(limit, RENEWALS_PAGE_MAX),
                after=min(after, INTEGER_MAX),
            )

    def list_causes(self, customer_id: int, *, shows_peers: bool) -> list[Renewal]:
        """Return for what one customer waits."""
        with self._database.read() as uow:
            return RenewalStore(uow.connection).list_open(
                causes=_choose_causes(shows_peers=shows_peers),
                customer_ids=list_ids(uow, customer_id),
                limit=RENEWALS_PAGE_MAX,
            )


def queue_readers_within(
    uow: UnitOfWork, refs: Sequence[str], *, cause: RenewalCause, at_ms: int
) -> int:
    """Have those wait whose newest assessment rests on one of these messages; return how many.

    What counts again after an objection was rejected is waited for by who was assessed without it.
    """
    store = RenewalStore(uow.connection)
    code = DISPUTED_CODE if cause is RenewalCause.REINSTATED else USED
    # One after the other, since each statement takes so many values only.
    found = [(key, ref) for ref in refs for key in store.list_users([ref], code=code)]
    return sum(_enter(uow, key, cause=cause, ref=ref, at_ms=at_ms) for key, ref in found)


def queue_subject_within(
    uow: UnitOfWork, subject_id: str, *, cause: RenewalCause, ref: str, at_ms: int
) -> bool:
    """Have the customer of a subject id wait, if it was assessed before."""
    found = RecordsStore(uow.connection).find_customer_named(subject_id)
    return found is not None and _enter(uow, found.customer_id, cause=cause, ref=ref, at_ms=at_ms)


def queue_default_within(uow: UnitOfWork, customer_id: int, at_ms: int) -> bool:
    """Have a customer wait of whom our own records tell a default or another adverse fact."""
    return _enter(uow, customer_id, cause=RenewalCause.OWN_DEFAULT, ref=None, at_ms=at_ms)


def end_renewals_within(
    uow: UnitOfWork, customer_id: int, *, assessment_id: int, at_ms: int
) -> int:
    """Let a customer wait no longer, since it was assessed; return how many causes that ended."""
    store = RenewalStore(uow.connection)
    marks = store.list_marks(list_ids(uow, customer_id))
    return store.end(marks, assessment_id=assessment_id, at_ms=at_ms)


def read_marks_within(uow: UnitOfWork, customer_ids: Sequence[int]) -> frozenset[Mark]:
    """Return for what some customers wait as the transaction sees it."""
    store = RenewalStore(uow.connection)
    if not store.has_open():
        return frozenset()
    ids = RecordsStore(uow.connection).list_ids_of(customer_ids)
    return frozenset(store.list_marks([key for keys in ids.values() for key in keys]))


def end_seen_within(
    uow: UnitOfWork,
    assessments: Mapping[int, int],
    *,
    seen: Collection[Mark],
    as_of: date,
    at_ms: int,
) -> int:
    """Let customers wait no longer for what their assessments have seen; return how many causes.

    ``assessments`` maps customers to their new assessments as of a day. What came since ``seen``
    was read is still waited for, also where the same cause was waited for before: nobody has looked
    at it.
    """
    if not seen:
        return 0
    store = RenewalStore(uow.connection)
    ids = RecordsStore(uow.connection).list_ids_of(list(assessments))
    marks = store.list_marks([key for keys in ids.values() for key in keys])
    ended = 0
    for key, assessment_id in assessments.items():
        own = [one for one in marks if one in seen and one.customer_id in ids[key]]
        if own and not is_look_back(uow, key, as_of=as_of):
            ended += store.end(own, assessment_id=assessment_id, at_ms=at_ms)
    return ended


def list_waiting_within(uow: UnitOfWork, *, shows_peers: bool) -> dict[int, tuple[str, ...]]:
    """Return everybody who waits, with the causes in the order of entry.

    Of peers' doings only who may see them hears.
    """
    records = RecordsStore(uow.connection)
    causes: dict[int, dict[str, None]] = {}
    shown = _choose_causes(shows_peers=shows_peers)
    for key, cause in RenewalStore(uow.connection).list_waiting(shown):
        found = records.find_customer_by_id(key)
        causes.setdefault(key if found is None else found.customer_id, {})[cause.value] = None
    return {key: tuple(named) for key, named in causes.items()}


def has_renewals(uow: UnitOfWork) -> bool:
    """Tell whether anybody waits."""
    return RenewalStore(uow.connection).has_open()


def is_look_back(uow: UnitOfWork, customer_id: int, *, as_of: date) -> bool:
    """Tell whether a customer was assessed as of a later day: then nothing is renewed."""
    newest = RenewalStore(uow.connection).find_newest_day(list_ids(uow, customer_id))
    return newest is not None and as_of < newest


def list_ids(uow: UnitOfWork, customer_id: int) -> list[int]:
    """Return the keys of a customer: its own and those of records merged into it."""
    records = RecordsStore(uow.connection)
    found = records.find_customer_by_id(customer_id)
    return (
        [customer_id] if found is None else [*{*records.list_ids(found.customer_id), customer_id}]
    )


def _enter(
    uow: UnitOfWork, customer_id: int, *, cause: RenewalCause, ref: str | None, at_ms: int
) -> bool:
    store = RenewalStore(uow.connection)
    if store.find_newest_day(list_ids(uow, customer_id)) is None:
        return False  # What was never assessed has nothing to renew.
    found = RecordsStore(uow.connection).find_customer_by_id(customer_id)
    key = customer_id if found is None else found.customer_id
    return store.enter(key, cause=cause, ref=ref, at_ms=at_ms)


def _choose_causes(*, shows_peers: bool) -> frozenset[RenewalCause]:
    return _ALL_CAUSES if shows_peers else OWN_CAUSES
