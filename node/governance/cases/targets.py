"""What an objection is about: marked, and ended, by the mechanism that its own room has."""

from __future__ import annotations

from node.core.database import UnitOfWork, parse_key
from node.governance.cases.errors import CaseInvalidError, CaseStateError
from node.governance.cases.record import CaseRecord, Target, TargetKind
from node.governance.cases.rules_case import CaseStep
from node.governance.cases.store import CaseStore
from node.records.adverse.objecting import (
    Saying,
    close_objection_within,
    enter_objection_within,
    get_fact_within,
)
from node.records.ledger.posting import get_customer
from node.records.rules_adverse import FactKey, ObjectionResult
from node.records.rules_ledger import DisputeOutcome
from node.records.store import AdverseStore, ItemStore
from node.records.store.told import find_standing
from node.sharing.objections import ObjectionOutcome, RaisedBy, SummaryObjections
from node.sharing.store.objections import ObjectionStore
from protocol.identifiers import parse_subject_id

_RESULTS = {
    CaseStep.UPHOLD: ObjectionResult.UPHELD,
    CaseStep.REJECT: ObjectionResult.REJECTED,
    CaseStep.WITHDRAW: ObjectionResult.WITHDRAWN,
    CaseStep.SUPPRESS: ObjectionResult.SUPPRESSED,
}
_OUTCOMES = {
    CaseStep.UPHOLD: frozenset({DisputeOutcome.UPHELD, DisputeOutcome.PARTLY}),
    CaseStep.REJECT: frozenset({DisputeOutcome.REJECTED}),
    CaseStep.WITHDRAW: frozenset({DisputeOutcome.WITHDRAWN}),
}


class Targets:
    """Marks and ends within the transaction of a case's step."""

    def __init__(self, summaries: SummaryObjections) -> None:
        """Take the objections to what peers have told."""
        self._summaries = summaries

    def mark(self, uow: UnitOfWork, record: CaseRecord, *, saying: Saying) -> int | None:
        """Hold back what a case is about; return the key of the objection, if one stands.

        One that is open already, and that no other case drives, is taken over.

        Raises:
            CaseInvalidError: It is of another customer, or not there.
            CaseStateError: Another case is about it, or its dispute is over.
            RejectedError: What its room says.
        """
        target = record.target
        if target is None or record.customer_id is None:
            raise CaseInvalidError("an objection names a customer, and what it is about")
        found = self._mark_target(uow, record, target, saying=saying)
        if found is not None and CaseStore(uow.connection).has_open(
            objection_id=found, kind=target.kind, but=record.case_id
        ):
            raise CaseStateError("another case is open about it")
        return found

    def end(
        self, uow: UnitOfWork, record: CaseRecord, step: CaseStep, *, reason: str, saying: Saying
    ) -> None:
        """End the objection as a case was decided.

        Raises:
            CaseStateError: It was ended otherwise already, or the dispute is not closed yet.
            RejectedError: What its room says.
        """
        if record.target is None or record.objection_id is None:
            return
        match record.target.kind:
            case TargetKind.FACT:
                self._end_fact(uow, record.objection_id, step, reason=reason, saying=saying)
            case TargetKind.SUMMARY:
                self._end_summary(uow, record.objection_id, step, by=saying.by)
            case TargetKind.DISPUTE:
                _check_dispute(uow, record.objection_id, step)

    def list_issuers(self, uow: UnitOfWork, record: CaseRecord) -> list[str]:
        """Return who entered what a case is about, and whom it names."""
        found = [] if record.about is None else [record.about]
        target = record.target
        if target is not None and target.kind is TargetKind.FACT:
            key = FactKey.parse(target.ref)
            fact = None if key is None else AdverseStore(uow.connection).find_fact(key)
            found += [] if fact is None or fact.entered_by is None else [fact.entered_by]
        if target is not None and target.kind is TargetKind.DISPUTE:
            items = ItemStore(uow.connection)
            dispute = items.find_dispute(parse_key(target.ref) or 0)
            enterer = None if dispute is None else items.find_enterer(dispute.item_id)
            found += [] if enterer is None else [enterer]
        return found

    def _mark_target(
        self, uow: UnitOfWork, record: CaseRecord, target: Target, *, saying: Saying
    ) -> int | None:
        match target.kind:
            case TargetKind.FACT:
                return self._mark_fact(uow, record, target, saying=saying)
            case TargetKind.SUMMARY:
                return self._mark_summary(uow, record, target, by=saying.by)
            case TargetKind.DISPUTE:
                return self._mark_dispute(uow, record, target)

    def _mark_fact(
        self, uow: UnitOfWork, record: CaseRecord, target: Target, *, saying: Saying
    ) -> int | None:
        key = FactKey.parse(target.ref)
        if key is None:
            raise CaseInvalidError("an adverse fact is named event-5 or default-3")
        fact = get_fact_within(uow, key)
        _check_owner(uow, record, fact.customer_id)
        for one in fact.objections:
            if one.end is None:
                return one.objection_id
        if fact.is_barred:  # Refuted or suppressed: it is held back for good.
            return None
        return enter_objection_within(
            uow, key, objector=record.complainant, on=record.opened_on, saying=saying
        )

    def _mark_summary(
        self, uow: UnitOfWork, record: CaseRecord, target: Target, *, by: str
    ) -> int | None:
        name = target.read_summary()
        if name is None:
            raise CaseInvalidError("a summary is named by its message, of a batch with .ITEM")
        msg, item = name
        store = ObjectionStore(uow.connection)
        subject = store.find_subject(msg, item=item)
        if subject is not None:
            parsed = parse_subject_id(subject)
            standing = find_standing(uow.connection, scheme=parsed.scheme, value=parsed.value)
            if standing is None or record.customer_id not in standing.ids:
                raise CaseInvalidError("it is of another customer")
        found = store.find_standing(msg, item=item)
        if found is not None:
            return found.id if found.outcome is None else None
        return self._summaries.enter_within(uow, msg, raised_by=RaisedBy.SUBJECT, by=by, item=item)

    def _mark_dispute(self, uow: UnitOfWork, record: CaseRecord, target: Target) -> int:
        items = ItemStore(uow.connection)
        dispute = items.find_dispute(parse_key(target.ref) or 0)
        item = None if dispute is None else items.find_item(dispute.item_id)
        if dispute is None or item is None:
            raise CaseInvalidError("there is no such dispute")
        _check_owner(uow, record, item.customer_id)
        if dispute.end is not None:
            raise CaseStateError("the dispute is over: open another one first")
        return dispute.dispute_id

    def _end_fact(
        self, uow: UnitOfWork, objection_id: int, step: CaseStep, *, reason: str, saying: Saying
    ) -> None:
        found = AdverseStore(uow.connection).find_objection(objection_id)
        if found is None:  # The fact's time was over meanwhile.
            return
        result, end = _RESULTS[step], found[1].end
        if end is None:
            close_objection_within(
                uow, objection_id, result=result, reason=reason, on=saying.today, saying=saying
            )
        elif end.result is not result:
            raise CaseStateError(f"its objection was closed as {end.result}")

    def _end_summary(self, uow: UnitOfWork, objection_id: int, step: CaseStep, *, by: str) -> None:
        if step is CaseStep.SUPPRESS:  # It stays open: what it is about does not count.
            return
        outcome = ObjectionOutcome.UPHELD if step is CaseStep.UPHOLD else ObjectionOutcome.REJECTED
        self._summaries.end_within(uow, objection_id, outcome=outcome, by=by)


def _check_owner(uow: UnitOfWork, record: CaseRecord, customer_id: int) -> None:
    owner = get_customer(uow, customer_id).customer_id
    if owner != get_customer(uow, record.customer_id or 0).customer_id:
        raise CaseInvalidError("it is of another customer")


def _check_dispute(uow: UnitOfWork, dispute_id: int, step: CaseStep) -> None:
    if step is CaseStep.SUPPRESS:  # What is disputed is left out of what is told anyway.
        return
    found = ItemStore(uow.connection).find_dispute(dispute_id)
    if found is None:
        return
    if found.end is None:
        raise CaseStateError("the dispute is open: close it first")
    if found.end.outcome not in _OUTCOMES[step]:
        raise CaseStateError(f"its dispute was closed as {found.end.outcome}")
