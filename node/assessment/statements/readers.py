"""What customers' statements say on a day, read within the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from node.assessment.statements.report import choose_basis, choose_counting
from node.assessment.statements.rules_evidence import (
    ALL_FIGURES,
    StatementEvidence,
    WantedFigures,
    build_evidence,
)
from node.assessment.statements.rules_statement import YEARS_SHOWN_MAX
from node.assessment.statements.store import StatementStore, StatementVersion
from node.core.database import UnitOfWork
from node.records.ledger.posting import get_customer
from node.records.store import RecordsStore


def find_statement_evidence(
    uow: UnitOfWork, customer_id: int, *, as_of: date, known_at_ms: int | None = None
) -> StatementEvidence:
    """Return what a customer's statements say on a day.

    Raises:
        CustomerNotFoundError: There is none with this key.
    """
    key = get_customer(uow, customer_id, known_at_ms=known_at_ms).customer_id
    return read_statement_evidence_of(uow, [key], as_of=as_of, known_at_ms=known_at_ms)[key]


def read_statement_evidence_of(
    uow: UnitOfWork,
    customer_ids: Sequence[int],
    *,
    as_of: date,
    known_at_ms: int | None = None,
    wanted: WantedFigures = ALL_FIGURES,
) -> Mapping[int, StatementEvidence]:
    """Return what the statements of many customers say on a day, of each that was named.

    Date, freshness (days since the year's end and since it came), weight and what is missing; the
    basis is the one with the newest year, of two the company's own.
    """
    merged = RecordsStore(uow.connection).list_ids_of(customer_ids, known_at_ms=known_at_ms)
    keys = [key for ids in merged.values() for key in ids]
    versions: defaultdict[int, list[StatementVersion]] = defaultdict(list)
    for one in StatementStore(uow.connection).list_versions(keys, known_at_ms=known_at_ms):
        versions[one.customer_id].append(one)
    nothing = build_evidence([], as_of=as_of)
    read = {}
    for customer_id, ids in merged.items():
        found = [one for key in ids if key in versions for one in versions[key]]
        read[customer_id] = (
            _build(sorted(found, key=_entered), as_of=as_of, wanted=wanted) if found else nothing
        )
    return read


def _entered(one: StatementVersion) -> int:
    return one.statement_id


def _build(
    versions: Sequence[StatementVersion], *, as_of: date, wanted: WantedFigures
) -> StatementEvidence:
    counting = choose_counting(versions, as_of=as_of)
    basis = choose_basis(counting)
    series = () if basis is None else counting.by_basis[basis][-YEARS_SHOWN_MAX:]
    evidence = build_evidence(
        [(one.statement, one.provenance) for one in series], as_of=as_of, wanted=wanted
    )
    return replace(evidence, statement_id=series[-1].statement_id if series else None)
