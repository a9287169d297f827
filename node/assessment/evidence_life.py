"""Outside evidence and credit applications whose time is over: told, and deleted.

Reports, looks that found nothing and applications have the term of trade experience, entries in
public lists that of adverse items; a legal hold on the customer keeps all of it. What is gone, by
its term or by hand, leaves a tombstone and is not entered again; an application has no name of its
own and is never imported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.application.store import ApplicationStore
from node.assessment.outside.errors import ListingNotFoundError, ReportNotFoundError
from node.assessment.outside.gone import hash_evidence, list_subjects
from node.assessment.outside.rules_listing import ListCheck
from node.assessment.outside.rules_report import OutsideReport
from node.assessment.outside.store import OutsideStore, ReportVersion
from node.assessment.rules_evidence_life import KnownLook, end_application, end_look, end_report
from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.errors import ConflictError
from node.records.barring import need_hasher
from node.records.due import DueStory, ExpiredEvidence, find_customer_hold
from node.records.ledger.posting import check_by, check_reason, get_customer
from node.records.rules_retention import (
    Ending,
    GoneReason,
    RetentionPolicy,
    choose_class,
    find_expiry,
)
from node.records.store.holding import HoldingStore
from node.records.store.stories import StoryStore, Tombstone
from node.records.stories import read_is_person
from node.records.tombstones import NameHasher

CUSTOMERS_PAGE = 500


class EvidenceHeldError(ConflictError):
    """A legal hold keeps what there is of the customer."""

    code = "evidence-held"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gone:
    """Why something goes, when and by whom; ``why`` in the words of whoever erases it."""

    reason: GoneReason
    on: date
    by: str
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """What goes together: the versions of a report, a look, or an application."""

    name: str
    ending: Ending
    evidence: OutsideReport | ListCheck | None = None
    """By which its name is made; None of an application, which has none."""
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

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        policy: RetentionPolicy,
        hasher: NameHasher | None,
        business_date: date | None = None,
    ) -> None:
        """``policy`` has the terms; ``hasher`` makes the names of what does not come back."""
        self._database = database
        self._clock = clock
        self._policy = policy
        self._hasher = hasher
        self._business_date = business_date

    def iterate_due(self, *, as_of: date) -> Iterator[DueStory]:
        """Yield what is due on a day, customer by customer, what is held among it."""
        for customer_id in self._iterate_customers():
            with self._database.read() as uow:
                due = self._list_due(uow, customer_id, as_of=as_of)
            yield from (story for story, _ in due)

    def expire(self, *, today: date, by: str) -> ExpiredEvidence:
        """Delete what is due and not held, with a tombstone for each name.

        A stop leaves whole customers.

        Raises:
            TombstoneSecretError: There are tombstones, and no secret to make more by.
        """
        gone = _Gone(reason=GoneReason.EXPIRED, on=today, by=by)
        count = held = 0
        for customer_id in self._iterate_customers():
            with self._database.write() as uow:
                due = self._list_due(uow, customer_id, as_of=today)
                free = [piece for story, piece in due if story.held_by is None]
                self._delete(uow, customer_id, free, gone)
            count += len(free)
            held += len(due) - len(free)
        if count:
            self._database.overwrite_deleted()
        return ExpiredEvidence(gone=count, held=held)

    def erase(
        self,
        customer_id: int,
        *,
        report_id: int | None = None,
        check_id: int | None = None,
        reason: str,
        by: str,
    ) -> None:
        """Delete a report with all its versions, or a look, before its time; it stays away.

        What an assessment made of it stays as points and codes, as after its expiry.

        Raises:
            CustomerNotFoundError: There is no such customer.
            ReportNotFoundError: The customer has no such report.
            ListingNotFoundError: The customer has no such look.
            EvidenceHeldError: A legal hold keeps what there is of the customer.
            TombstoneSecretError: There are tombstones, and no secret to make more by.
        """
        check_by(by)
        check_reason(reason)
        today = current_business_date(self._clock, fixed=self._business_date)
        with self._database.write() as uow:
            found = _find_piece(uow, customer_id, report_id=report_id, check_id=check_id)
            if found is None:
                if report_id is not None:
                    raise ReportNotFoundError("the customer has no such report")
                raise ListingNotFoundError("the customer has no such check")
            entered_for, piece = found
            held_by = _find_hold(uow, entered_for, as_of=today)
            if held_by is not None:
                raise EvidenceHeldError(f"hold {held_by} keeps what there is of the customer")
            gone = _Gone(reason=GoneReason.ERASED, on=today, by=by, why=reason)
            self._delete(uow, entered_for, [piece], gone)
        self._database.overwrite_deleted()

    def _delete(
        self, uow: UnitOfWork, customer_id: int, pieces: Sequence[_Piece], gone: _Gone
    ) -> None:
        """Delete what was entered for a customer, and leave a tombstone for each name."""
        named = [one.evidence for one in pieces if one.evidence is not None]
        if named:
            hasher, subject = (
                need_hasher(self._hasher),
                list_subjects(uow, customer_id)[customer_id],
            )
            StoryStore(uow.connection).add_tombstones(
                (
                    Tombstone(
                        name_hash_hex=hash_evidence(hasher, subject, one),
                        reason=gone.reason.value,
                        gone_on=gone.on,
                        why=gone.why,
                    )
                    for one in named
                ),
                policy=self._policy.version,
                by=gone.by,
                at_ms=self._clock.now_ms(),
            )
        store = OutsideStore(uow.connection)
        store.delete_reports([key for one in pieces for key in one.report_ids])
        store.delete_checks([key for one in pieces for key in one.check_ids])
        applications = [key for one in pieces for key in one.application_ids]
        ApplicationStore(uow.connection).delete(applications)

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
        held_by = _find_hold(uow, customer_id, as_of=as_of)
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
            evidence=one.check,
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
        evidence=newest.report,
        ending=end_report(
            newest.report, is_withdrawn=newest.is_withdrawn, entered_at_ms=newest.entered_at_ms
        ),
        report_ids=tuple(one.report_id for one in versions),
    )


def _find_piece(
    uow: UnitOfWork, customer_id: int, *, report_id: int | None, check_id: int | None
) -> tuple[int, _Piece] | None:
    """Return a report or look of a customer, and for which of its records it was entered."""
    for key in list_subjects(uow, customer_id):
        for piece in _read_pieces(uow, key):
            if report_id in piece.report_ids or check_id in piece.check_ids:
                return key, piece
    return None


def _find_hold(uow: UnitOfWork, customer_id: int, *, as_of: date) -> int | None:
    """Return the hold that keeps what is of a customer on a day, under any of its records."""
    own = set(list_subjects(uow, customer_id)) | {customer_id}
    found = HoldingStore(uow.connection).list_holds(sorted(own))
    return find_customer_hold([one for one in found if one.is_active(as_of)], of=own)
