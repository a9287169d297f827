"""Use cases of objections and complaints: one register, one clock, every step kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import structlog

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.errors import ConflictError, RejectedError
from node.core.files import SHA256_FORM
from node.core.people.names import is_same_person
from node.governance.cases.entries import (
    NewCase,
    Said,
    check_closable,
    check_new,
    check_no_target,
)
from node.governance.cases.errors import (
    CaseHandlerError,
    CaseInvalidError,
    CaseStateError,
)
from node.governance.cases.reading import get_case, tell_case
from node.governance.cases.record import (
    CaseChannel,
    CaseEvent,
    CaseRecord,
    CaseStory,
    Target,
    TargetKind,
)
from node.governance.cases.rules_case import (
    APPEAL_DAYS,
    STATEMENT_CHARS_MAX,
    Appealed,
    CaseKind,
    CaseState,
    CaseStep,
    RootCause,
    find_next_state,
    is_suppressed_on,
    list_steps,
    start_clock,
)
from node.governance.cases.store import CaseFilter, CaseStore
from node.governance.cases.tables import TEXT_CHARS_MAX
from node.governance.cases.targets import Targets
from node.governance.texts import check_lines
from node.records.adverse.objecting import Saying
from node.records.business_day import BusinessCalendars
from node.records.ledger.posting import check_by, check_day, check_text, get_customer
from node.records.store import RecordsStore
from node.records.tables import REASON_CHARS_MAX
from node.sharing.objections import SummaryObjections

_log = structlog.get_logger()
CASES_PAGE_MAX = 500
SILENT_AT_ONCE = 200
CLOCK_NAME = "chengxin"  # who suppresses: the clock, not a person
_UNKNOWN_COUNTRY = ""
_DECISIONS = frozenset({CaseStep.UPHOLD, CaseStep.REJECT, CaseStep.WITHDRAW})


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCorrection:
    """A case of which past receivers are still to be told, and whom it is of."""

    case_id: int
    subject_id: str


Change = Callable[[UnitOfWork, CaseRecord, date], CaseRecord]


class CaseService:
    """One public method is one transaction, entered by whom ``by`` names.

    What steps a case raises CaseNotFoundError where it is not there, CaseStateError where the step
    is not possible in its state, and CaseInvalidError where what is said makes no sense.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        summaries: SummaryObjections,
        business_date: date | None = None,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._targets = Targets(summaries)
        self._business_date = business_date
        self._calendars = BusinessCalendars()

    def receive(self, new: NewCase, *, by: str) -> CaseStory:
        """Enter a case; an objection that names what it is about is marked at once.

        Raises:
            CustomerNotFoundError: There is no such customer.
            RejectedError: What the room of the target says.
        """
        check_by(by)
        check_new(new)
        today = self._today()
        received_on = today if new.received_on is None else new.received_on
        check_day(received_on)
        if received_on > today:
            raise CaseInvalidError("it has not come yet")
        with self._database.write() as uow:
            record = self._build(uow, new, received_on=received_on, by=by)
            if record.target is not None:
                record = self._mark(uow, record, by=by)
            store = CaseStore(uow.connection)
            steps = [CaseStep.RECEIVE] + [CaseStep.MARK] * (record.target is not None)
            record = replace(record, last_seq=len(steps))
            record = replace(record, case_id=store.append(record))
            for seq, step in enumerate(steps, start=1):
                said = Said(step=step, text=new.text if step is CaseStep.RECEIVE else "")
                store.append_event(
                    record.case_id,
                    self._build_event(
                        record,
                        replace(said, code=new.channel if step is CaseStep.RECEIVE else None),
                        seq=seq,
                        on=received_on if step is CaseStep.RECEIVE else today,
                        by=by,
                    ),
                )
            return tell_case(uow, record)

    def mark(self, case_id: int, *, target: Target | None = None, by: str) -> CaseStory:
        """Hold back what an objection is about, or acknowledge a complaint.

        Raises:
            RejectedError: What the room of the target says.
        """

        def change(uow: UnitOfWork, record: CaseRecord, _on: date) -> CaseRecord:
            if record.kind is not CaseKind.OBJECTION:
                check_no_target(target)
                return record
            return self._mark(uow, replace(record, target=target or record.target), by=by)

        return self._step(case_id, Said(step=CaseStep.MARK, text=""), change, by=by)

    def ask(self, case_id: int, *, source: str, on: date | None = None, by: str) -> CaseStory:
        """Enter that the source was asked: who that is, and what was asked."""
        check_lines(source, what="who was asked", chars_max=REASON_CHARS_MAX)
        return self._step(case_id, Said(step=CaseStep.ASK, text=source, on=on), _keep, by=by)

    def decide(self, case_id: int, *, step: CaseStep, reason: str, by: str) -> CaseStory:
        """Uphold or reject a case, or enter that it was withdrawn; what it is about follows.

        Raises:
            CaseHandlerError: Whoever entered what it is about, or whom it names, would decide.
            RejectedError: What the room of the target says.
        """
        if step not in _DECISIONS:
            raise CaseInvalidError("a case is upheld, rejected or withdrawn")
        check_text(reason, what="a reason", chars_max=REASON_CHARS_MAX)

        def change(uow: UnitOfWork, record: CaseRecord, _on: date) -> CaseRecord:
            issuers = self._targets.list_issuers(uow, record)
            if any(is_same_person(one, by) for one in issuers):
                raise CaseHandlerError("another person decides than who issued what it is about")
            self._targets.end(uow, record, step, reason=reason, saying=self._say(by))
            return replace(record, result=find_next_state(record.state, step))

        return self._step(case_id, Said(step=step, text=reason), change, by=by)

    def suppress_due(self, *, today: date | None = None) -> list[int]:
        """Suppress what objections are about that nobody has decided by their last day.

        Each is a transaction of its own; the keys of those suppressed come back. One that cannot
        be, as where its objection was closed by hand, stays late and keeps no other waiting.
        """
        day = self._today() if today is None else today
        with self._database.read() as uow:
            found = CaseStore(uow.connection).list_silent(today=day, limit=SILENT_AT_ONCE)
        return [one.case_id for one in found if self._try_suppress(one.case_id, day)]

    def answer(
        self,
        case_id: int,
        *,
        text: str,
        channel: CaseChannel,
        on: date | None = None,
        document_sha256_hex: str | None = None,
        by: str,
    ) -> CaseStory:
        """Enter the answer that was given in writing, word for word."""
        check_lines(text, what="an answer", chars_max=TEXT_CHARS_MAX)
        if channel not in {CaseChannel.LETTER, CaseChannel.EMAIL}:
            raise CaseInvalidError("an answer is in writing: a letter or an e-mail")
        digest = document_sha256_hex
        if digest is not None and not SHA256_FORM.fullmatch(digest):
            raise CaseInvalidError("a document is named by its SHA-256")
        said = Said(
            step=CaseStep.ANSWER, text=text, code=channel, on=on, document_sha256_hex=digest
        )
        return self._step(
            case_id, said, lambda _uow, record, day: replace(record, answered_on=day), by=by
        )

    def set_cause(self, case_id: int, *, cause: RootCause, text: str, by: str) -> CaseStory:
        """Enter why there was something to object to or complain of; the newest counts."""
        check_text(text, what="what was found", chars_max=REASON_CHARS_MAX)
        said = Said(step=CaseStep.CAUSE, text=text, code=cause)
        return self._step(
            case_id, said, lambda _uow, record, _day: replace(record, root_cause=cause), by=by
        )

    def add_statement(self, case_id: int, *, text: str, by: str) -> CaseStory:
        """Enter what the subject of an objection states in its own words, 200 characters."""
        check_text(text, what="a statement", chars_max=STATEMENT_CHARS_MAX)
        return self._step(case_id, Said(step=CaseStep.STATEMENT, text=text), _keep, by=by)

    def record_correction(self, case_id: int, *, answers: int, by: str) -> CaseStory:
        """Enter that past receivers are told that what they heard has changed: how many answers."""

        def change(_uow: UnitOfWork, record: CaseRecord, on: date) -> CaseRecord:
            if not record.needs_correction:
                raise CaseStateError("nothing of it is to be corrected")
            return replace(record, corrected_on=on)

        return self._step(
            case_id, Said(step=CaseStep.CORRECT, text="", answers=answers), change, by=by
        )

    def close(self, case_id: int, *, by: str) -> CaseStory:
        """Close a case that was decided, answered in writing, explained and corrected.

        Raises:
            CaseStateError: One of these is missing; a withdrawn one needs none.
        """
        return self._step(case_id, Said(step=CaseStep.CLOSE, text=""), check_closable, by=by)

    def appeal(self, case_id: int, *, before: Appealed, text: str, by: str) -> CaseStory:
        """Enter that a closed case is taken to the ombudsman or to an authority."""
        check_lines(text, what="an appeal", chars_max=TEXT_CHARS_MAX)
        return self._step(
            case_id,
            Said(step=CaseStep.APPEAL, text=text, code=before),
            lambda _uow, record, day: replace(record, due_on=day + timedelta(days=APPEAL_DAYS)),
            by=by,
        )

    def confirm(self, case_id: int, *, reason: str, by: str) -> CaseStory:
        """Enter that an appeal has changed nothing.

        Raises:
            CaseHandlerError: Whoever had decided the case would do so.
        """
        check_text(reason, what="a reason", chars_max=REASON_CHARS_MAX)

        def change(uow: UnitOfWork, record: CaseRecord, on: date) -> CaseRecord:
            events = CaseStore(uow.connection).list_events(record.case_id)
            deciders = [one.by for one in events if one.step in _DECISIONS]
            if any(is_same_person(one, by) for one in deciders):
                raise CaseHandlerError("another person enters the end of an appeal")
            return replace(record, closed_on=on)

        return self._step(case_id, Said(step=CaseStep.CONFIRM, text=reason), change, by=by)

    def reopen(self, case_id: int, *, reason: str, by: str) -> CaseStory:
        """Open a case again: its clock begins anew, and what it is about is held back at once.

        A dispute that is over is named anew when the case is marked.
        """
        check_text(reason, what="a reason", chars_max=REASON_CHARS_MAX)

        def change(uow: UnitOfWork, record: CaseRecord, on: date) -> CaseRecord:
            clock = start_clock(
                on, calendar=self._calendars.get_calendar(self._find_country(uow, record))
            )
            opened = replace(
                record,
                round=record.round + 1,
                opened_on=on,
                mark_by=clock.mark_by,
                due_on=clock.due_on,
                objection_id=None,
                result=None,
                answered_on=None,
                corrected_on=None,
                closed_on=None,
            )
            if opened.target is None or opened.target.kind is TargetKind.DISPUTE:
                return opened
            return self._mark(uow, opened, by=by)

        return self._step(case_id, Said(step=CaseStep.REOPEN, text=reason), change, by=by)

    def get(self, case_id: int) -> CaseStory:
        """Return a case with all its steps."""
        with self._database.read() as uow:
            return tell_case(uow, get_case(CaseStore(uow.connection), case_id))

    def get_correctable(self, case_id: int) -> CaseStory:
        """Return a case of which past receivers are still to be told.

        Raises:
            CaseNotFoundError: There is none.
            CaseStateError: Nothing of it is to be corrected.
        """
        story = self.get(case_id)
        if not story.record.needs_correction:
            raise CaseStateError("nothing of it is to be corrected")
        return story

    def list_cases(
        self,
        chosen: CaseFilter | None = None,
        *,
        before: int | None = None,
        limit: int = CASES_PAGE_MAX,
    ) -> list[CaseRecord]:
        """Return cases, the newest first; of a customer also those of whom it turned out to be."""
        chosen = chosen or CaseFilter()
        with self._database.read() as uow:
            records = RecordsStore(uow.connection)
            ids = {key for one in chosen.customer_ids for key in records.list_ids(one)}
            return CaseStore(uow.connection).list_cases(
                replace(chosen, customer_ids=sorted(ids)),
                before=before,
                limit=min(limit, CASES_PAGE_MAX),
            )

    def list_due_corrections(self) -> list[DueCorrection]:
        """Return the cases of which past receivers are still to be told."""
        with self._database.read() as uow:
            return [
                DueCorrection(
                    case_id=one.case_id,
                    subject_id=get_customer(uow, one.customer_id or 0).subject_id,
                )
                for one in CaseStore(uow.connection).list_uncorrected(limit=SILENT_AT_ONCE)
            ]

    def today(self) -> date:
        """Return the business date."""
        return self._today()

    def _try_suppress(self, case_id: int, today: date) -> bool:
        try:
            self._suppress(case_id, today)
        except (RejectedError, ConflictError) as err:
            _log.warning("case_not_suppressed", case_id=case_id, code=err.code)
            return False
        return True

    def _suppress(self, case_id: int, today: date) -> None:
        reason = "the source did not answer in time"

        def change(uow: UnitOfWork, record: CaseRecord, _on: date) -> CaseRecord:
            if not is_suppressed_on(record.kind, record.state, due_on=record.due_on, today=today):
                raise CaseStateError("it was decided meanwhile")
            saying = self._say(CLOCK_NAME)
            self._targets.end(uow, record, CaseStep.SUPPRESS, reason=reason, saying=saying)
            return replace(record, result=CaseState.SUPPRESSED)

        self._step(case_id, Said(step=CaseStep.SUPPRESS, text=reason), change, by=CLOCK_NAME)

    def _step(self, case_id: int, said: Said, change: Change, *, by: str) -> CaseStory:
        """Take one step of a case, if its state allows it."""
        check_by(by)
        today = self._today()
        on = today if said.on is None else said.on
        with self._database.write() as uow:
            store = CaseStore(uow.connection)
            record = get_case(store, case_id)
            after = find_next_state(record.state, said.step)
            if after is None or said.step not in list_steps(record.state, kind=record.kind):
                raise CaseStateError(f"{said.step} is not possible: the case is {record.state}")
            if not record.opened_on <= on <= today:
                raise CaseInvalidError("a step is taken on a day from the case's own to today")
            changed = change(uow, record, on)
            if said.step is CaseStep.REOPEN and changed.objection_id is not None:
                after = CaseState.MARKED
            changed = replace(changed, state=after, last_seq=record.last_seq + 1)
            store.save(changed)
            event = self._build_event(changed, said, seq=changed.last_seq, on=on, by=by)
            store.append_event(case_id, event)
            return tell_case(uow, changed)

    def _mark(self, uow: UnitOfWork, record: CaseRecord, *, by: str) -> CaseRecord:
        objection_id = self._targets.mark(uow, record, saying=self._say(by))
        return replace(record, objection_id=objection_id, state=CaseState.MARKED)

    def _build(self, uow: UnitOfWork, new: NewCase, *, received_on: date, by: str) -> CaseRecord:
        customer = None if new.customer_id is None else get_customer(uow, new.customer_id)
        country = _UNKNOWN_COUNTRY if customer is None else customer.country
        clock = start_clock(received_on, calendar=self._calendars.get_calendar(country))
        return CaseRecord(
            case_id=0,
            kind=new.kind,
            customer_id=None if customer is None else customer.customer_id,
            complainant=new.complainant,
            about=new.about,
            text=new.text,
            channel=new.channel,
            target=new.target,
            objection_id=None,
            state=CaseState.RECEIVED,
            result=None,
            root_cause=None,
            round=1,
            received_on=received_on,
            opened_on=received_on,
            mark_by=clock.mark_by,
            due_on=clock.due_on,
            answered_on=None,
            corrected_on=None,
            closed_on=None,
            last_seq=0,
            entered_by=by,
            entered_at_ms=self._clock.now_ms(),
        )

    def _build_event(
        self, record: CaseRecord, said: Said, *, seq: int, on: date, by: str
    ) -> CaseEvent:
        return CaseEvent(
            seq=seq,
            round=record.round,
            step=said.step,
            happened_on=on,
            text=said.text,
            by=by,
            at_ms=self._clock.now_ms(),
            code=said.code,
            document_sha256_hex=said.document_sha256_hex,
            answers=said.answers,
        )

    def _find_country(self, uow: UnitOfWork, record: CaseRecord) -> str:
        if record.customer_id is None:
            return _UNKNOWN_COUNTRY
        return get_customer(uow, record.customer_id).country

    def _say(self, by: str) -> Saying:
        return Saying(by=by, today=self._today(), at_ms=self._clock.now_ms())

    def _today(self) -> date:
        return current_business_date(self._clock, fixed=self._business_date)


def _keep(_uow: UnitOfWork, record: CaseRecord, _on: date) -> CaseRecord:
    return record
