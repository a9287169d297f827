"""All evidence from outside of many customers at once: statements, reports, lists, applications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.application.checklist import Checklist
from node.assessment.application.readers import read_application_facts_of
from node.assessment.outside.readers import read_lists_of, read_reports_of
from node.assessment.outside.rules_facts import WANTED, read_statement_facts
from node.assessment.outside_evidence import OutsideEvidence
from node.assessment.statements.readers import read_statement_evidence_of
from node.core.database import UnitOfWork
from node.records.store import RecordsStore


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideReader:
    """Reads them by a checklist; a handful of queries, however many customers there are."""

    checklist: Checklist

    def __call__(
        self, uow: UnitOfWork, customer_ids: Sequence[int], *, as_of: date
    ) -> Mapping[int, OutsideEvidence]:
        """Return the evidence by customer, of each that was named."""
        statements = read_statement_evidence_of(uow, customer_ids, as_of=as_of, wanted=WANTED)
        merged = RecordsStore(uow.connection).list_ids_of(customer_ids)
        reports = read_reports_of(uow, merged, as_of=as_of)
        lists = read_lists_of(uow, merged, as_of=as_of)
        applications = read_application_facts_of(
            uow, merged, as_of=as_of, checklist=self.checklist, statements=statements
        )
        return {
            key: OutsideEvidence(
                statements=read_statement_facts(statements[key]),
                reports=reports[key],
                lists=lists[key],
                application=applications.get(key),
            )
            for key in customer_ids
        }

    def read_one(self, uow: UnitOfWork, customer_id: int, *, as_of: date) -> OutsideEvidence:
        """Return the evidence of one customer."""
        return self(uow, [customer_id], as_of=as_of)[customer_id]
