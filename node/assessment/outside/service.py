"""Use cases of reports and public lists: one public method, one transaction, one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date

from node.assessment.outside.errors import (
    IdentifierMissingError,
    ListingInvalidError,
    ListingNotFoundError,
    ReportExistsError,
    ReportInvalidError,
    ReportNotFoundError,
)
from node.assessment.outside.gone import GoneEvidence, tell_gone
from node.assessment.outside.readers import choose_counting
from node.assessment.outside.rules_listing import ListCheck, find_check_faults
from node.assessment.outside.rules_report import OutsideReport, find_report_faults
from node.assessment.outside.store import EnteredCheck, OutsideStore, ReportVersion
from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.records.archiving import check_not_archived
from node.records.ledger.errors import RecordGoneError
from node.records.ledger.posting import check_by, check_reason, get_customer
from node.records.service import CustomerNotFoundError
from node.records.store import RecordsStore
from node.records.tombstones import NameHasher

AFTER_WITHDRAWAL = "entered anew after a withdrawal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """The keys of what was given, in order; ``known`` were there already and say the same.

    ``gone`` are the rows, from 1 on, of what was deleted by its time or by hand, each with why and
    since when: it was left out.
    """

    keys: tuple[int, ...]
    known: int = 0
    gone: Mapping[int, str] = field(default_factory=dict)

    def check_whole(self) -> None:
        """Check that nothing was left out, where one thing alone was given.

        Raises:
            RecordGoneError: It was.
        """
        if self.gone:
            raise RecordGoneError(tell_gone(self.gone))


class OutsideService:
    """Enters, corrects, withdraws and lists."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        hasher: NameHasher | None = None,
        business_date: date | None = None,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's.

        ``hasher`` knows the names of what is gone.
        """
        self._hasher = hasher
        self._database = database
        self._clock = clock
        self._business_date = business_date

    def enter_reports(
        self,
        given: Sequence[tuple[str, OutsideReport]],
        *,
        by: str,
        is_trial: bool = False,
    ) -> Entered:
        """Enter reports, all or none, each for a customer named by number or ``scheme:value``.

        The same report again changes nothing, and one that was deleted is left out and told. A
        trial refuses and tells the same and keeps nothing.

        Raises:
            CustomerNotFoundError: An identifier is no customer's.
            IdentifierMissingError: A row has none: a name matches nobody.
            CustomerArchivedError: A relation is closed.
            ReportInvalidError: One says something that none can say.
            ReportExistsError: There is one of its agency and number that says something else.
            TombstoneSecretError: Something was deleted, and the secret of its name is not here.
        """
        check_by(by)
        for position, (_, report) in enumerate(given, start=1):
            faults = find_report_faults(report, today=self.today())
            if faults:
                raise ReportInvalidError(f"{position}: {'; '.join(faults)}")
        with self._open(is_trial=is_trial) as uow:
            keys, known, gone = [], 0, dict[int, str]()
            barred = GoneEvidence(uow, hasher=self._hasher)
            for position, (named, report) in enumerate(given, start=1):
                customer_id = _find_customer(uow, named, position=position)
                why = barred.find(customer_id, report)
                if why is not None:
                    gone[position] = why
                    continue
                there = _find_report(uow, customer_id, report)
                if there is not None and there.report != report:
                    raise ReportExistsError(
                        f"{position}: {report.agency} {report.number} is there (key "
                        f"{there.report_id}) and says something else; correct it with a reason"
                    )
                known += there is not None
                if there is not None:
                    keys.append(there.report_id)
                elif not is_trial:
                    keys.append(
                        self._append(uow, report, customer_id=customer_id, reason=None, by=by)
                    )
        return Entered(keys=() if is_trial else tuple(keys), known=known, gone=gone)

    def correct_report(
        self, customer_id: int, report_id: int, report: OutsideReport, *, reason: str, by: str
    ) -> int:
        """Enter the next version of a report, and return its key; agency and number stay.

        Raises:
            ReportNotFoundError: The customer has no such report that counts.
            ReportInvalidError: It says something that none can say, or names another report.
        """
        check_by(by)
        check_reason(reason)
        faults = find_report_faults(report, today=self.today())
        with self._database.write() as uow:
            there = _get_report(uow, customer_id, report_id)
            if (there.report.agency, there.report.number) != (report.agency, report.number):
                faults.append("agency, number: those of the report that is corrected")
            if faults:
                raise ReportInvalidError("; ".join(faults))
            return self._append(uow, report, customer_id=there.customer_id, reason=reason, by=by)

    def withdraw_report(self, customer_id: int, report_id: int, *, reason: str, by: str) -> int:
        """Enter that a report counts no longer; return the key of that version.

        Raises:
            ReportNotFoundError: The customer has no such report that counts.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            there = _get_report(uow, customer_id, report_id)
            return self._append(
                uow,
                there.report,
                customer_id=there.customer_id,
                reason=reason,
                by=by,
                is_withdrawn=True,
            )

    def enter_checks(
        self, given: Sequence[tuple[str, ListCheck]], *, by: str, is_trial: bool = False
    ) -> Entered:
        """Enter looks into public lists, all or none, as ``enter_reports`` does.

        Raises:
            CustomerNotFoundError: An identifier is no customer's.
            IdentifierMissingError: A row has none: a name matches nobody.
            CustomerArchivedError: A relation is closed.
            ListingInvalidError: One says something that none can say.
            TombstoneSecretError: Something was deleted, and the secret of its name is not here.
        """
        check_by(by)
        for position, (_, check) in enumerate(given, start=1):
            faults = find_check_faults(check, today=self.today())
            if faults:
                raise ListingInvalidError(f"{position}: {'; '.join(faults)}")
        with self._open(is_trial=is_trial) as uow:
            keys, known, gone = [], 0, dict[int, str]()
            store, barred = OutsideStore(uow.connection), GoneEvidence(uow, hasher=self._hasher)
            for position, (named, check) in enumerate(given, start=1):
                customer_id = _find_customer(uow, named, position=position)
                why = barred.find(customer_id, check)
                if why is not None:
                    gone[position] = why
                    continue
                there = _find_check(uow, customer_id, check)
                known += there is not None
                if there is not None:
                    keys.append(there.check_id)
                elif not is_trial:
                    at_ms = self._clock.now_ms()
                    keys.append(
                        store.append_check(check, customer_id=customer_id, by=by, at_ms=at_ms)
                    )
        return Entered(keys=() if is_trial else tuple(keys), known=known, gone=gone)

    def withdraw_check(self, customer_id: int, check_id: int, *, reason: str, by: str) -> None:
        """Enter that a look into a list counts no longer.

        Raises:
            ListingNotFoundError: The customer has no such look that counts.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            check_not_archived(uow, get_customer(uow, customer_id).customer_id)
            for one in _list_checks(uow, customer_id):
                if one.check_id == check_id and one.withdrawn_reason is None:
                    OutsideStore(uow.connection).withdraw_check(
                        check_id, reason=reason, by=by, at_ms=self._clock.now_ms()
                    )
                    return
        raise ListingNotFoundError("the customer has no such check that counts")

    def list_reports(self, customer_id: int) -> list[ReportVersion]:
        """Return every version of a customer's reports, in the order of their entry.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            return _list_reports(uow, customer_id)

    def list_checks(self, customer_id: int) -> list[EnteredCheck]:
        """Return every look into a list for a customer, those withdrawn too.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            return _list_checks(uow, customer_id)

    def find_customers(self, named: Sequence[str]) -> frozenset[int]:
        """Return the keys of those customers whom numbers or ``scheme:value`` name."""
        with self._database.read() as uow:
            records = RecordsStore(uow.connection)
            found = [records.find_customer_named(one.strip()) for one in named if one.strip()]
        return frozenset(one.customer_id for one in found if one is not None)

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def _open(self, *, is_trial: bool) -> AbstractContextManager[UnitOfWork]:
        return self._database.read() if is_trial else self._database.write()

    def _append(
        self,
        uow: UnitOfWork,
        report: OutsideReport,
        *,
        customer_id: int,
        reason: str | None,
        by: str,
        is_withdrawn: bool = False,
    ) -> int:
        check_not_archived(uow, customer_id)
        store = OutsideStore(uow.connection)
        version = 1 + store.find_last_version((customer_id, report.agency, report.number))
        return store.append_report(
            report,
            customer_id=customer_id,
            version=version,
            reason=reason if version == 1 else reason or AFTER_WITHDRAWAL,
            by=by,
            at_ms=self._clock.now_ms(),
            is_withdrawn=is_withdrawn,
        )


def _find_customer(uow: UnitOfWork, named: str, *, position: int) -> int:
    """Return whose identifier it is. There is no way to it by a name.

    Raises:
        IdentifierMissingError: There is none.
        CustomerNotFoundError: It is no customer's.
        CustomerArchivedError: The relation is closed.
    """
    if not named.strip():
        raise IdentifierMissingError(f"{position}: no identifier; a name alone matches nobody")
    customer = RecordsStore(uow.connection).find_customer_named(named.strip())
    if customer is None:
        raise CustomerNotFoundError(f"{position}: there is no such customer")
    check_not_archived(uow, customer.customer_id)
    return customer.customer_id


def _list_ids(uow: UnitOfWork, customer_id: int) -> list[int]:
    key = get_customer(uow, customer_id).customer_id
    return RecordsStore(uow.connection).list_ids(key)


def _list_reports(uow: UnitOfWork, customer_id: int) -> list[ReportVersion]:
    return OutsideStore(uow.connection).list_reports(_list_ids(uow, customer_id))


def _list_checks(uow: UnitOfWork, customer_id: int) -> list[EnteredCheck]:
    return OutsideStore(uow.connection).list_checks(_list_ids(uow, customer_id))


def _find_report(uow: UnitOfWork, customer_id: int, report: OutsideReport) -> ReportVersion | None:
    for one in choose_counting(_list_reports(uow, customer_id)):
        if (one.report.agency, one.report.number) == (report.agency, report.number):
            return one
    return None


def _get_report(uow: UnitOfWork, customer_id: int, report_id: int) -> ReportVersion:
    check_not_archived(uow, get_customer(uow, customer_id).customer_id)
    for one in choose_counting(_list_reports(uow, customer_id)):
        if one.report_id == report_id:
            return one
    raise ReportNotFoundError("the customer has no such report that counts")


def _find_check(uow: UnitOfWork, customer_id: int, check: ListCheck) -> EnteredCheck | None:
    for one in _list_checks(uow, customer_id):
        if one.check == check and one.withdrawn_reason is None:
            return one
    return None
