"""What becomes of adverse facts: their term runs from their end; then a hash is left of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from node.core.database import UnitOfWork
from node.records.adverse.errors import FactRefutedError
from node.records.barring import need_hasher
from node.records.ledger.errors import RecordGoneError
from node.records.rules_adverse import AdverseFact, find_fact_ending
from node.records.rules_retention import (
    EndReason,
    GoneReason,
    RetentionPolicy,
    choose_class,
    find_expiry,
)
from node.records.store import AdverseStore, CustomerRecord, CustomerStore, MergeRow
from node.records.store.stories import StoryStore, Tombstone
from node.records.stories import read_is_person
from node.records.tombstones import NameHasher


@dataclass(frozen=True, slots=True, kw_only=True)
class FactStory:
    """An adverse fact that has ended, and the day on which it is gone."""

    customer_id: int
    subject_id: str  # of whom it was entered
    fact: AdverseFact
    reason: EndReason
    ended_on: date
    expires_on: date


def list_due_facts(
    uow: UnitOfWork,
    customer: CustomerRecord,
    *,
    merged: Sequence[MergeRow],
    policy: RetentionPolicy,
    as_of: date,
) -> list[FactStory]:
    """Return the facts of a customer, and of those merged into it, that are due on a day."""
    subjects = _list_subjects(customer, merged)
    facts = AdverseStore(uow.connection).list_facts(sorted(subjects))
    if not facts:
        return []
    record_class = choose_class(
        is_person=read_is_person(uow, customer, merged=merged), is_adverse=True
    )
    due = []
    for fact in facts:
        ending = find_fact_ending(fact)
        if ending.ended_on is None:
            continue
        expires_on = find_expiry(ending.ended_on, record_class, policy=policy)
        if expires_on <= as_of:
            due.append(
                FactStory(
                    customer_id=customer.customer_id,
                    subject_id=subjects[fact.customer_id],
                    fact=fact,
                    reason=ending.reason,
                    ended_on=ending.ended_on,
                    expires_on=expires_on,
                )
            )
    return due


def delete_facts(
    uow: UnitOfWork,
    stories: Sequence[FactStory],
    *,
    hasher: NameHasher,
    policy: RetentionPolicy,
    by: str,
    at_ms: int,
    today: date,
) -> None:
    """Delete facts with all that was said of them, and leave a tombstone for each document."""
    store = AdverseStore(uow.connection)
    store.delete_facts([story.fact.key for story in stories])
    StoryStore(uow.connection).add_tombstones(
        (
            Tombstone(
                name_hash_hex=hasher.hash_fact(
                    subject_id=story.subject_id,
                    document_sha256_hex=story.fact.document_sha256_hex,
                ),
                reason=GoneReason.EXPIRED.value,
                gone_on=today,
            )
            for story in stories
        ),
        policy=policy.version,
        by=by,
        at_ms=at_ms,
    )
    for story in stories:
        store.move_horizon(
            story.fact.customer_id,
            gone_until=story.ended_on,
            known_until_ms=max(story.fact.list_moments()),
        )


def check_new_fact(
    uow: UnitOfWork,
    customer: CustomerRecord,
    *,
    document_sha256_hex: str,
    hasher: NameHasher | None,
) -> None:
    """Check that what a document shows of a customer is not gone, and is not objected to.

    Raises:
        RecordGoneError: It was deleted when its time was over.
        FactRefutedError: An objection to it is open, was upheld or was not answered in time.
        TombstoneSecretError: There are tombstones, and no secret to read them by.
    """
    merged = CustomerStore(uow.connection).list_merged(customer.customer_id)
    subjects = _list_subjects(customer, merged)
    tombstones = StoryStore(uow.connection)
    if tombstones.has_tombstones():
        known = need_hasher(hasher)
        hashes = [
            known.hash_fact(subject_id=subject, document_sha256_hex=document_sha256_hex)
            for subject in subjects.values()
        ]
        for gone in tombstones.find_tombstones(hashes):
            raise RecordGoneError(f"{gone.reason} on {gone.gone_on.isoformat()}")
    for fact in AdverseStore(uow.connection).list_facts(sorted(subjects)):
        if fact.document_sha256_hex == document_sha256_hex and fact.is_barred:
            raise FactRefutedError(
                "an objection to what this document shows is open, was upheld, or was not answered"
                " in time"
            )


def _list_subjects(customer: CustomerRecord, merged: Sequence[MergeRow]) -> dict[int, str]:
    """Return the subject ids of a customer and of those merged into it, by their keys."""
    return {
        customer.customer_id: customer.subject_id,
        **{row.customer_id: row.subject_id for row in merged},
    }
