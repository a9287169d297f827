"""What of a customer others may ever be told: no natural person, no fact before its time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.core.database import UnitOfWork
from node.records.behaviour import AdverseEvent
from node.records.rules_adverse import list_shareable
from node.records.rules_retention import SharingTerms, is_natural_person
from node.records.store import AdverseStore
from node.records.store.told import find_standing

COMPANY_KIND = "company"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldCustomer:
    """A company of which others may be told; ``ids`` are its keys and of those merged into it."""

    ids: tuple[int, ...]


def find_told_customer(uow: UnitOfWork, *, scheme: str, value: str) -> ToldCustomer | None:
    """Return the customer of an identifier, where others may be told of it at all.

    None where there is none, and of a natural person, sole trader or collective account, whatever
    identifier it is asked for by.
    """
    found = find_standing(uow.connection, scheme=scheme, value=value)
    if found is None or found.kind != COMPANY_KIND:
        return None
    if is_natural_person(kind=found.kind, identifiers=found.identifiers):
        return None
    return ToldCustomer(ids=found.ids)


def is_person_of_records(uow: UnitOfWork, *, scheme: str, value: str) -> bool:
    """Tell whether an identifier is, by our records, a natural person's or sole trader's."""
    found = find_standing(uow.connection, scheme=scheme, value=value)
    return found is not None and is_natural_person(kind=found.kind, identifiers=found.identifiers)


def list_shareable_adverse(
    uow: UnitOfWork, customer: ToldCustomer, *, as_of: date, today: date, terms: SharingTerms
) -> list[AdverseEvent]:
    """Return the adverse facts that a release as of a day may name, and that may be told today."""
    return list_shareable(
        AdverseStore(uow.connection).list_facts(customer.ids),
        as_of=as_of,
        today=today,
        is_person=False,
        terms=terms,
    )


def read_shareable_version(uow: UnitOfWork) -> tuple[int, ...]:
    """Return what moves with whatever takes something away from what may be told."""
    return AdverseStore(uow.connection).read_version()
