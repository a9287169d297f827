"""Objections to adverse facts within a transaction of the caller's: entered, and closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.core.database import UnitOfWork
from node.core.people.names import is_same_person
from node.records.adverse.errors import (
    FactInvalidError,
    FactNotFoundError,
    ObjectionNotFoundError,
)
from node.records.ledger.posting import check_by, check_day, check_reason, check_text
from node.records.rules_adverse import AdverseFact, FactKey, ObjectionResult
from node.records.rules_default import SamePersonError
from node.records.store import AdverseStore
from node.records.tables import NAME_CHARS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """Who enters something, on which business date, at which moment."""

    by: str
    today: date
    at_ms: int


def get_fact_within(uow: UnitOfWork, key: FactKey) -> AdverseFact:
    """Return a fact with all that was said of it.

    Raises:
        FactNotFoundError: There is none of this name.
    """
    fact = AdverseStore(uow.connection).find_fact(key)
    if fact is None:
        raise FactNotFoundError(f"there is no adverse fact {key}")
    return fact


def enter_objection_within(
    uow: UnitOfWork, key: FactKey, *, objector: str, on: date, saying: Saying
) -> int:
    """Enter that somebody objects to a fact, which is held back at once; return the key.

    Raises:
        FactNotFoundError: There is no such fact.
        FactInvalidError: It is none yet, or the day is before it or not over.
    """
    check_by(saying.by)
    check_text(objector, what="who objects", chars_max=NAME_CHARS_MAX)
    check_day(on)
    fact = get_fact_within(uow, key)
    if not fact.is_confirmed:
        raise FactInvalidError("nobody has confirmed it: it is no fact")
    if not fact.happened_on <= on <= saying.today:
        raise FactInvalidError("it is objected to on a day from its own to today")
    return AdverseStore(uow.connection).append_objection(
        key, objected_on=on, objector=objector, by=saying.by, at_ms=saying.at_ms
    )


def close_objection_within(
    uow: UnitOfWork,
    objection_id: int,
    *,
    result: ObjectionResult,
    reason: str,
    on: date,
    saying: Saying,
) -> None:
    """Enter what became of an objection; upheld, the fact counts for nothing any more.

    Raises:
        ObjectionNotFoundError: There is none that is open.
        FactInvalidError: The day is before the objection, or not over.
        SamePersonError: Who proposed the fact would reject the objection to it.
    """
    check_by(saying.by)
    check_reason(reason)
    check_day(on)
    store = AdverseStore(uow.connection)
    found = store.find_objection(objection_id)
    if found is None or found[1].end is not None:
        raise ObjectionNotFoundError("there is no such objection that is open")
    key, objection = found
    if not objection.objected_on <= on <= saying.today:
        raise FactInvalidError("it is closed on a day from its own to today")
    proposer = get_fact_within(uow, key).entered_by
    is_rejected = result is ObjectionResult.REJECTED
    if is_rejected and proposer is not None and is_same_person(proposer, saying.by):
        raise SamePersonError("another person rejects it than who proposed the default")
    store.append_closure(
        objection_id,
        result=result,
        closed_on=on,
        entered_on=saying.today,
        reason=reason,
        by=saying.by,
        at_ms=saying.at_ms,
    )
