"""What of outside evidence is gone, by its time or by hand: it does not come back.

A name is a hash under the node's secret (``node.records.tombstones``): of whom, by which agency or
list. It is asked for under every identifier that the customer turned out to have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from node.assessment.outside.rules_listing import ListCheck
from node.assessment.outside.rules_report import OutsideReport
from node.core.database import UnitOfWork
from node.records.barring import need_hasher
from node.records.ledger.posting import get_customer
from node.records.store import CustomerStore
from node.records.store.stories import StoryStore
from node.records.tombstones import NameHasher


class EvidenceErasure(Protocol):
    """Deletes evidence by hand (``node.assessment.evidence_life``)."""

    def erase(
        self,
        customer_id: int,
        *,
        report_id: int | None = None,
        check_id: int | None = None,
        reason: str,
        by: str,
    ) -> None:
        """Delete a report with all its versions, or a look."""
        ...


class GoneEvidence:
    """Tells what is gone, within the caller's transaction."""

    def __init__(self, uow: UnitOfWork, *, hasher: NameHasher | None) -> None:
        """Without a hasher nothing may be gone yet."""
        self._uow = uow
        self._hasher = hasher
        self._stories = StoryStore(uow.connection)
        self._has_any = self._stories.has_tombstones()

    def find(self, customer_id: int, evidence: OutsideReport | ListCheck) -> str | None:
        """Return why and since when a report or look is gone; None where it never was.

        Raises:
            TombstoneSecretError: There are tombstones, and no secret to read them by.
        """
        if not self._has_any:
            return None
        hasher = need_hasher(self._hasher)
        subjects = list_subjects(self._uow, customer_id).values()
        hashes = [hash_evidence(hasher, subject, evidence) for subject in subjects]
        found = self._stories.find_tombstones(hashes)
        return f"{found[0].reason} on {found[0].gone_on.isoformat()}" if found else None


def list_subjects(uow: UnitOfWork, customer_id: int) -> Mapping[int, str]:
    """Return the subject ids of a customer and of those merged into it, by their keys."""
    customer = get_customer(uow, customer_id)
    merged = CustomerStore(uow.connection).list_merged(customer.customer_id)
    return {
        customer.customer_id: customer.subject_id,
        **{row.customer_id: row.subject_id for row in merged},
    }


def hash_evidence(hasher: NameHasher, subject_id: str, evidence: OutsideReport | ListCheck) -> str:
    """Return the hash of the name of a report or a look, as entered for a subject."""
    if isinstance(evidence, OutsideReport):
        return hasher.hash_report(
            subject_id=subject_id, agency=evidence.agency, number=evidence.number
        )
    return hasher.hash_look(
        subject_id=subject_id,
        public_list=evidence.list.value,
        reference=evidence.reference,
        is_found=evidence.is_found,
        on=evidence.checked_on,
    )


def tell_gone(gone: Mapping[int, str]) -> str:
    """Say which rows were left out, and why."""
    return "; ".join(f"{position}: {why}" for position, why in sorted(gone.items()))
