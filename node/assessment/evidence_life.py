"""Outside evidence and credit applications whose time is over: told, and deleted.

Reports, looks that found nothing and applications have the term of trade experience, entries in
public lists that of adverse items; a legal hold on the customer keeps all of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.application.store import ApplicationStore
from node.assessment.outside.store import OutsideStore, ReportVersion
from node.assessment.rules_evidence_life import KnownLook, end_application, end_look, end_report
from node.core.database import Database, UnitOfWork
from node.records.due import DueStory, ExpiredEvidence, find_customer_hold
from node.records.ledger.posting import get_customer
from node.records.rules_retention import Ending, RetentionPolicy, choose_class, find_expiry
from node.records.store import CustomerStore
from node.records.store.holding import HoldingStore
from node.records.stories import read_is_person

CUSTOMERS_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """What goes together: the versions of a report, a look, or an application."""

    name: str
    ending: Ending
    report_ids: tuple[int, ...] = ()
    check_ids: tuple[int, ...] = ()
    application_ids: tuple[int, ...] = ()
    is_adverse: bool = False

    @property
    def rows(self) -> int:
        """How many versions, looks and applications it is."""
        return len(self.report_ids) + len(self.check_ids) + len(self.application_ids)


class EvidenceLife:
    """What of outside evidence and applications is due; an expiry is a transaction a customer."""

    def __init__(self, *, database: Database, policy: RetentionPolicy) -> None:
        """``policy`` has the terms."""
        self._database = database
        self._policy = policy

    def iterate_due(self, *, as_of: date) -> Iterator[DueStory]:
        """Yield what is due on a day, customer by customer, what is held among it."""
        for customer_id in self._iterate_customers():
            with self._database.read() as uow:
                due = self._list_due(uow, customer_id, as_of=as_of)
            yield from (story for story, _ in due)

    def expire(self, *, today: date) -> ExpiredEvidence:
        """Delete what is due and not held; a stop leaves whole customers."""
        gone = held = 0
        for customer_id in self._iterate_customers():
            with self._database.write() as uow:
                due = self._list_due(uow, customer_id, as_of=today)
                free = [piece for story, piece in due if story.held_by is None]
                _delete(uow, free)
            gone += len(free)
            held += len(due) - len(free)
        if gone:
            self._database.overwrite_deleted()
        return ExpiredEvidence(gone=gone, held=held)

    def _iterate_customers(self) -> Iterator[int]:
        after = 0
        while True:
            with self._database.read() as uow:
                outside = OutsideStore(uow.connection).list_customers(after, CUSTOMERS_PAGE)
                asked = ApplicationStore(uow.connection).list_customers(after, CUSTOMERS_PAGE)
            page = sorted({*outside, *asked})[:CUSTOMERS_PAGE]
            if not page:
                return
            yield from page
            after = page[-1]

    def _list_due(
        self, uow: UnitOfWork, customer_id: int, *, as_of: date
    ) -> list[tuple[DueStory, _Piece]]:
        pieces = _read_pieces(uow, customer_id)
        customer = get_customer(uow, customer_id)
        is_person = read_is_person(uow, customer)
        merged = CustomerStore(uow.connection).list_merged(customer.customer_id)
        own = {customer_id, customer.customer_id, *(row.customer_id for row in merged)}
        holds = [
            one
            for one in HoldingStore(uow.connection).list_holds(sorted(own))
            if one.is_active(as_of)
        ]
        held_by = find_customer_hold(holds, of=own)
        found = []
        for piece in pieces:
            if piece.ending.ended_on is None:
                continue
            kind = choose_class(is_person=is_person, is_adverse=piece.is_adverse)
            expires_on = find_expiry(piece.ending.ended_on, kind, policy=self._policy)
            if expires_on > as_of:
                continue
            story = DueStory(
                customer_id=customer.customer_id,
                reason=piece.ending.reason,
                ended_on=piece.ending.ended_on,
                expires_on=expires_on,
                items=piece.rows,
                documents=(piece.name,),
                held_by=held_by,
                is_adverse=piece.is_adverse,
            )
            found.append((story, piece))
        return found


def _read_pieces(uow: UnitOfWork, customer_id: int) -> list[_Piece]:
    store = OutsideStore(uow.connection)
    versions: defaultdict[tuple[int, str, str], list[ReportVersion]] = defaultdict(list)
    for version in store.list_reports([customer_id]):
        versions[version.key].append(version)
    pieces = [_piece_of_report(one) for one in versions.values()]
    checks = store.list_checks([customer_id])
    looks = [
        KnownLook(check=one.check, is_withdrawn=one.withdrawn_reason is not None) for one in checks
    ]
    pieces += [
        _Piece(
            name=f"{one.check.list.value} {one.check.reference}".strip(),
            ending=end_look(look, looks),
            check_ids=(one.check_id,),
            is_adverse=one.check.is_found,
        )
        for one, look in zip(checks, looks, strict=True)
    ]
    pieces += [
        _Piece(
            name=f"application {one.application_id}",
            ending=end_application(one.state, happened_on=one.events[-1].happened_on),
            application_ids=(one.application_id,),
        )
        for one in ApplicationStore(uow.connection).list_applications([customer_id])
    ]
    return pieces


def _piece_of_report(versions: Sequence[ReportVersion]) -> _Piece:
    newest = max(versions, key=lambda one: one.version)
    return _Piece(
        name=f"{newest.report.agency} {newest.report.number}",
        ending=end_report(
            newest.report, is_withdrawn=newest.is_withdrawn, entered_at_ms=newest.entered_at_ms
        ),
        report_ids=tuple(one.report_id for one in versions),
    )


def _delete(uow: UnitOfWork, pieces: Sequence[_Piece]) -> None:
    store = OutsideStore(uow.connection)
    store.delete_reports([key for one in pieces for key in one.report_ids])
    store.delete_checks([key for one in pieces for key in one.check_ids])
    applications = [key for one in pieces for key in one.application_ids]
    ApplicationStore(uow.connection).delete(applications)
