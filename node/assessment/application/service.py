"""Use cases of credit applications: one public method, one transaction, one commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from node.assessment.application.checklist import Checklist
from node.assessment.application.errors import (
    ApplicationDraftOpenError,
    ApplicationIncompleteError,
    ApplicationInvalidError,
    ApplicationKeyReusedError,
    ApplicationNotFoundError,
    ApplicationStateError,
    DocumentNotFoundError,
)
from node.assessment.application.readers import CheckedApplications, read_applications
from node.assessment.application.rules_application import (
    NEXT_STATES,
    OPEN_STATES,
    Application,
    ApplicationState,
    ChecklistLine,
    Document,
    find_faults,
)
from node.assessment.application.store import ApplicationStore, StoredApplication
from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.files import SHA256_FORM
from node.records.archiving import check_not_archived
from node.records.ledger.posting import check_by, check_reason, get_customer

APPLICATIONS_MAX = 1_000  # of one customer
DOCUMENTS_MAX = 1_000  # of one application
_NEEDS_REASON = frozenset({ApplicationState.WITHDRAWN, ApplicationState.CLOSED})


class ApplicationService:
    """Enters applications with their documents, and leads them from state to state."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        checklist: Checklist,
        business_date: date | None = None,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._business_date = business_date
        self.checklist = checklist

    def enter(
        self, customer_id: int, content: Application, *, by: str, key: str | None = None
    ) -> int:
        """Enter an application as a draft, and return its key.

        With an idempotency ``key`` the same application entered again is the one of before.

        Raises:
            CustomerNotFoundError: There is none with this key.
            CustomerArchivedError: The relation is closed.
            ApplicationInvalidError: It says something that none can say.
            ApplicationDraftOpenError: The customer has a draft.
            ApplicationKeyReusedError: The key stands for another application.
        """
        check_by(by)
        self._check(content)
        with self._database.write() as uow:
            store = ApplicationStore(uow.connection)
            known_id = None if key is None else store.find_keyed(key)
            if known_id is not None:
                self._check_same(uow, customer_id, known_id, content, by=by)
                return known_id
            own_id = _get_open_customer(uow, customer_id)
            _check_another(self._read(uow, own_id, as_of=self.today()).applications)
            at_ms = self._clock.now_ms()
            application_id = store.append(customer_id=own_id, by=by, at_ms=at_ms, key=key)
            store.append_version(application_id, content, version=1, by=by, at_ms=at_ms)
            store.append_event(
                application_id,
                ApplicationState.DRAFT,
                happened_on=self.today(),
                reason=None,
                by=by,
                at_ms=at_ms,
            )
        return application_id

    def amend(self, customer_id: int, application_id: int, content: Application, *, by: str) -> int:
        """Enter what is asked for now, while it is a draft or submitted; return the version.

        Raises:
            ApplicationNotFoundError: The customer has no such application.
            ApplicationStateError: It is complete, withdrawn or closed.
            ApplicationInvalidError: It says something that none can say.
        """
        check_by(by)
        self._check(content)
        with self._database.write() as uow:
            _get_open_customer(uow, customer_id)
            found = self._get(uow, customer_id, application_id)
            if found.state not in {ApplicationState.DRAFT, ApplicationState.SUBMITTED}:
                raise ApplicationStateError(f"it is {found.state}: what it asks for stands")
            version = found.versions[-1].version + 1
            ApplicationStore(uow.connection).append_version(
                application_id, content, version=version, by=by, at_ms=self._clock.now_ms()
            )
        return version

    def move(
        self,
        customer_id: int,
        application_id: int,
        state: ApplicationState,
        *,
        by: str,
        reason: str | None = None,
    ) -> None:
        """Lead an application into a state; a withdrawal and a closure have a reason.

        Raises:
            ApplicationNotFoundError: The customer has no such application.
            ApplicationStateError: It does not come into that state from where it stands.
            ApplicationIncompleteError: It is to be complete, and required documents are lacking.
        """
        check_by(by)
        if state in _NEEDS_REASON:
            check_reason(reason or "")
        today = self.today()
        with self._database.write() as uow:
            _get_open_customer(uow, customer_id)
            found = self._get(uow, customer_id, application_id)
            if state not in NEXT_STATES[found.state]:
                raise ApplicationStateError(f"it is {found.state}, and does not become {state}")
            if state is ApplicationState.COMPLETE:
                _check_complete(self._read(uow, customer_id, as_of=today).lines)
            ApplicationStore(uow.connection).append_event(
                application_id,
                state,
                happened_on=today,
                reason=reason if state in _NEEDS_REASON else None,
                by=by,
                at_ms=self._clock.now_ms(),
            )

    def enter_document(
        self,
        customer_id: int,
        application_id: int,
        document: Document,
        *,
        by: str,
        document_sha256_hex: str | None = None,
    ) -> int:
        """Enter a document that came with an application, and return its key.

        Raises:
            ApplicationNotFoundError: The customer has no such application.
            ApplicationStateError: It is withdrawn or closed.
            ApplicationInvalidError: The checklist knows no such kind, or a day or hash is none.
        """
        check_by(by)
        self._check_document(document, document_sha256_hex)
        with self._database.write() as uow:
            _get_open_customer(uow, customer_id)
            found = self._get(uow, customer_id, application_id)
            if found.state not in OPEN_STATES:
                raise ApplicationStateError(f"it is {found.state}: no document joins it")
            if len(found.documents) >= DOCUMENTS_MAX:
                raise ApplicationInvalidError(f"more than {DOCUMENTS_MAX} documents")
            return ApplicationStore(uow.connection).append_document(
                application_id,
                document,
                document_sha256_hex=document_sha256_hex,
                by=by,
                at_ms=self._clock.now_ms(),
            )

    def withdraw_document(
        self, customer_id: int, document_id: int, *, reason: str, by: str
    ) -> None:
        """Enter that a document counts no longer.

        Raises:
            DocumentNotFoundError: The customer has no such document that counts.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            _get_open_customer(uow, customer_id)
            known = {
                entered.document_id
                for one in self._read(uow, customer_id, as_of=self.today()).applications
                for entered in one.documents
                if entered.withdrawn_reason is None
            }
            if document_id not in known:
                raise DocumentNotFoundError("the customer has no such document that counts")
            ApplicationStore(uow.connection).withdraw_document(
                document_id, reason=reason, by=by, at_ms=self._clock.now_ms()
            )

    def report(self, customer_id: int, *, as_of: date | None = None) -> CheckedApplications:
        """Return a customer's applications, with its checklist as of a day.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            return self._read(uow, customer_id, as_of=as_of or self.today())

    def get(self, customer_id: int, application_id: int) -> StoredApplication:
        """Return one application.

        Raises:
            ApplicationNotFoundError: The customer has no such application.
        """
        with self._database.read() as uow:
            return self._get(uow, customer_id, application_id)

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def _check(self, content: Application) -> None:
        faults = find_faults(content, today=self.today())
        if faults:
            raise ApplicationInvalidError("; ".join(faults))

    def _check_document(self, document: Document, document_sha256_hex: str | None) -> None:
        faults = []
        if self.checklist.find(document.kind) is None:
            kinds = ", ".join(one.id for one in self.checklist.documents)
            faults.append(f"kind: one of {kinds}")
        if not document.dated_on <= document.received_on <= self.today():
            faults.append("dated_on, received_on: in this order, not after today")
        if document_sha256_hex is not None and not SHA256_FORM.fullmatch(document_sha256_hex):
            faults.append("document_sha256_hex: 64 hexadecimal digits")
        if faults:
            raise ApplicationInvalidError("; ".join(faults))

    def _read(self, uow: UnitOfWork, customer_id: int, *, as_of: date) -> CheckedApplications:
        key = get_customer(uow, customer_id).customer_id
        return read_applications(uow, key, as_of=as_of, checklist=self.checklist)

    def _check_same(
        self, uow: UnitOfWork, customer_id: int, known_id: int, content: Application, *, by: str
    ) -> None:
        entered = self._read(uow, customer_id, as_of=self.today()).applications
        first = next((one.versions[0] for one in entered if one.application_id == known_id), None)
        if first is None or (first.application, first.entered_by) != (content, by):
            raise ApplicationKeyReusedError("this key stands for another application")

    def _get(self, uow: UnitOfWork, customer_id: int, application_id: int) -> StoredApplication:
        for one in self._read(uow, customer_id, as_of=self.today()).applications:
            if one.application_id == application_id:
                return one
        raise ApplicationNotFoundError("the customer has no such application")


def say_lacking(lines: Sequence[ChecklistLine]) -> list[str]:
    """Return what a checklist lacks, each with what is there and until when it holds."""
    return [
        f"{line.wanted.id} {line.state}: {line.found} of {line.wanted.count}"
        + (f", newest of {line.newest_on}, held until {line.holds_until}" if line.newest_on else "")
        for line in lines
        if line.is_lacking
    ]


def _check_another(applications: Sequence[StoredApplication]) -> None:
    if len(applications) >= APPLICATIONS_MAX:
        raise ApplicationInvalidError(f"more than {APPLICATIONS_MAX} of one customer")
    for one in applications:
        if one.state is ApplicationState.DRAFT:
            raise ApplicationDraftOpenError(
                f"application {one.application_id} is a draft: amend, submit or withdraw it"
            )


def _check_complete(lines: Sequence[ChecklistLine]) -> None:
    lacking = say_lacking(lines)
    if lacking:
        raise ApplicationIncompleteError("; ".join(lacking))


def _get_open_customer(uow: UnitOfWork, customer_id: int) -> int:
    key = get_customer(uow, customer_id).customer_id
    check_not_archived(uow, key)
    return key
