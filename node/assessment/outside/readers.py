"""What reports and public lists say of customers on a day, read within the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from node.assessment.outside.rules_listing import KnownCheck, fold_checks
from node.assessment.outside.store import EnteredCheck, OutsideStore, ReportVersion
from node.assessment.outside_evidence import ListFacts, ReportFacts
from node.core.database import UnitOfWork
from node.records.store import RecordsStore


def choose_counting(versions: Iterable[ReportVersion]) -> list[ReportVersion]:
    """Return which versions count: of each report the newest, unless it is withdrawn.

    Where two records that were merged have one report, the version entered last counts.
    """
    newest = {one.key: one for one in versions}
    standing: dict[tuple[str, str], ReportVersion] = {}
    for one in sorted(newest.values(), key=lambda one: one.report_id):
        if not one.is_withdrawn:
            standing[one.report.agency, one.report.number] = one
    return list(standing.values())


def read_reports_of(
    uow: UnitOfWork, merged: Mapping[int, Sequence[int]], *, as_of: date
) -> Mapping[int, tuple[ReportFacts, ...]]:
    """Return the reports of many customers that were issued by a day, of each that was named.

    ``merged`` has the keys of each customer's records (``RecordsStore.list_ids_of``).
    """
    versions: defaultdict[int, list[ReportVersion]] = defaultdict(list)
    keys = [key for ids in merged.values() for key in ids]
    for one in OutsideStore(uow.connection).list_reports(keys):
        versions[one.customer_id].append(one)
    return {
        customer_id: tuple(
            _read_report(one)
            for one in choose_counting([one for key in ids for one in versions.get(key, ())])
            if one.report.issued_on <= as_of
        )
        for customer_id, ids in merged.items()
    }


def read_reports(uow: UnitOfWork, customer_id: int, *, as_of: date) -> tuple[ReportFacts, ...]:
    """Return the reports of one customer that were issued by a day."""
    merged = RecordsStore(uow.connection).list_ids_of([customer_id])
    return read_reports_of(uow, merged, as_of=as_of)[customer_id]


def read_lists_of(
    uow: UnitOfWork, merged: Mapping[int, Sequence[int]], *, as_of: date
) -> Mapping[int, tuple[ListFacts, ...]]:
    """Return what is known of the public lists for many customers, of each that was named.

    ``merged`` as for ``read_reports_of``.
    """
    checks: defaultdict[int, list[EnteredCheck]] = defaultdict(list)
    keys = [key for ids in merged.values() for key in ids]
    for one in OutsideStore(uow.connection).list_checks(keys):
        checks[one.customer_id].append(one)
    return {
        customer_id: fold_checks(
            [
                KnownCheck(check_id=one.check_id, check=one.check)
                for key in ids
                for one in checks.get(key, ())
                if one.withdrawn_reason is None
            ],
            as_of=as_of,
        )
        for customer_id, ids in merged.items()
    }


def read_lists(uow: UnitOfWork, customer_id: int, *, as_of: date) -> tuple[ListFacts, ...]:
    """Return what is known of the public lists for one customer."""
    merged = RecordsStore(uow.connection).list_ids_of([customer_id])
    return read_lists_of(uow, merged, as_of=as_of)[customer_id]


def _read_report(one: ReportVersion) -> ReportFacts:
    report = one.report
    return ReportFacts(
        report_id=one.report_id,
        agency=report.agency,
        number=report.number,
        kind=report.kind,
        scale=report.scale,
        printed=report.printed,
        issued_on=report.issued_on,
        expires_on=report.expires_on,
    )
