"""The list of customers by whether their last closed year is there, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.assessment.statements.readers import read_statement_evidence_of
from node.assessment.statements.rules_coverage import YearCoverage, judge_coverage
from node.assessment.statements.rules_evidence import StatementEvidence
from node.core.database import UnitOfWork
from node.records.store import CustomerRecord, RecordsStore

COVERAGE_PAGE_MAX = 500
_COLLECTIVE_KIND = "collective"  # stands for many companies: it has no statements


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow:
    """A customer, the year that it should have, and what its statements say."""

    customer: CustomerRecord
    year: YearCoverage
    evidence: StatementEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveragePage:
    """Some customers in the order of their keys; ``next_after`` is None at the end."""

    rows: tuple[CoverageRow, ...]
    next_after: int | None


def read_coverage(uow: UnitOfWork, *, as_of: date, after: int, limit: int) -> CoveragePage:
    """Return a page of customers; collective accounts and closed relations are left out."""
    store = RecordsStore(uow.connection)
    customers = store.list_customers(limit=limit, after=after)
    keys = [one.customer_id for one in customers]
    archived = store.holding.find_archived(keys) if keys else set[int]()
    asked = [
        one for one in customers if one.kind != _COLLECTIVE_KIND and one.customer_id not in archived
    ]
    evidence = read_statement_evidence_of(uow, [one.customer_id for one in asked], as_of=as_of)
    return CoveragePage(
        rows=tuple(
            CoverageRow(
                customer=one,
                year=judge_coverage(evidence[one.customer_id]),
                evidence=evidence[one.customer_id],
            )
            for one in asked
        ),
        next_after=keys[-1] if len(keys) == limit else None,
    )
