"""What has to be so still when a decision that waits is handed on or approved."""

from __future__ import annotations

from datetime import date

from node.assessment.service import COLLECTIVE_KIND, CollectiveAccountError
from node.core.database import UnitOfWork
from node.decision.errors import DecisionStaleError
from node.decision.evidence import find_rated
from node.decision.keeping import KeptProposal
from node.decision.policy import DecisionPolicy
from node.decision.record import DecisionRecord
from node.decision.rules_proposal import RatedAs, list_faults
from node.rating.overrides.reading import OverrideReader
from node.records.archiving import check_not_archived
from node.records.ledger.posting import get_customer
from node.records.store import CustomerRecord


def get_creditable(uow: UnitOfWork, customer_id: int) -> CustomerRecord:
    """Return a customer who may get credit.

    Raises:
        CustomerNotFoundError: There is none with this key.
        CollectiveAccountError: It is a collective account.
        CustomerArchivedError: The relation is closed.
    """
    customer = get_customer(uow, customer_id)
    if customer.kind == COLLECTIVE_KIND:
        raise CollectiveAccountError("a collective account is nobody: it gets no credit")
    check_not_archived(uow, customer.customer_id)
    return customer


def check_seen(
    record: DecisionRecord, version: int | None, *, policy: DecisionPolicy, today: date
) -> None:
    """Check that what is approved is what was seen, and could be submitted today.

    Raises:
        DecisionStaleError: It is another version, or a day of it has passed since.
    """
    if version not in {None, record.versions[-1].version}:
        raise DecisionStaleError("it was decided otherwise meanwhile: look at it again")
    faults = list_faults(record.content, policy=policy, as_of=today)
    if faults:
        raise DecisionStaleError(f"the time has passed it by: {', '.join(faults)}")


def check_rating(
    uow: UnitOfWork, customer_id: int, kept: KeptProposal, *, overrides: OverrideReader, on: date
) -> None:
    """Check that the grade that holds is the one that the proposal rests on.

    Raises:
        DecisionStaleError: It says another grade, or there was none.
    """
    now, then = find_rated(uow, customer_id, overrides=overrides, on=on), kept.rated
    if _tell(now) != _tell(then):
        raise DecisionStaleError("the customer was rated otherwise meanwhile: propose anew")


def _tell(rated: RatedAs | None) -> tuple[str, str, int | None] | None:
    return None if rated is None else (rated.grade_own, rated.grade_with_peers, rated.override_id)
