"""Use cases of adverse facts before others hear of them: notice to the subject, and objections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.files import SHA256_FORM
from node.records.adverse.errors import FactInvalidError, NoticeInvalidError, NoticeNotFoundError
from node.records.adverse.letters import Letter, NoticeLetter, write_letter
from node.records.adverse.objecting import (
    Saying,
    close_objection_within,
    enter_objection_within,
    get_fact_within,
)
from node.records.archiving import check_not_archived
from node.records.errors import check_report_day
from node.records.horizon import check_behind
from node.records.ledger.posting import check_by, check_day, check_reason, check_text, get_customer
from node.records.rules_adverse import (
    AdverseFact,
    FactKey,
    FactSource,
    NoticeChannel,
    ObjectionResult,
    SharingState,
    find_first_day,
    find_state,
)
from node.records.rules_retention import RetentionPolicy, find_answer_day
from node.records.store import AdverseStore, CustomerRecord, RecordsStore
from node.records.stories import read_is_person
from node.records.tables import REFERENCE_CHARS_MAX

CUSTOMERS_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FactStanding:
    """A fact and whether it may be shared as of a day."""

    fact: AdverseFact
    state: SharingState
    shareable_from: date | None
    """First day after its notice; none without one."""
    answer_by: date | None
    """Until when the oldest open objection is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueNotice:
    """A fact of which its subject was not told yet, and since when it is one."""

    key: str
    customer_id: int
    subject_id: str
    name: str
    kind: str
    happened_on: date
    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """That the subject was told: when, how, and what shows it."""

    sent_on: date
    channel: NoticeChannel
    reference: str | None = None
    document_sha256_hex: str | None = None


class NoticeService:
    """One public method is one transaction, entered by whom ``by`` names."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        policy: RetentionPolicy,
        business_date: date | None = None,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._policy = policy
        self._business_date = business_date

    @property
    def policy(self) -> RetentionPolicy:
        """The terms that hold."""
        return self._policy

    def list_facts(
        self, customer_id: int, *, as_of: date, known_at_ms: int | None = None
    ) -> list[FactStanding]:
        """Return the adverse facts of a customer and how they stood on a day, unconfirmed ones too.

        It is replayed: what happened later has not happened, and with ``known_at_ms`` what was
        entered later is not known.

        Raises:
            CustomerNotFoundError: There is none with this key.
            ReportInvalidError: Records are not of such a day.
            RecordsGoneError: Some of the facts of then have expired.
        """
        check_report_day(as_of)
        with self._database.read() as uow:
            customer = get_customer(uow, customer_id, known_at_ms=known_at_ms)
            ids = RecordsStore(uow.connection).list_ids(
                customer.customer_id, known_at_ms=known_at_ms
            )
            store = AdverseStore(uow.connection)
            check_behind(
                store.find_horizon(ids), what="adverse facts", as_of=as_of, known_at_ms=known_at_ms
            )
            is_person = read_is_person(uow, customer)
            return [
                self._tell(fact.as_seen_on(as_of), on=as_of, is_person=is_person)
                for fact in store.list_facts(ids, known_at_ms=known_at_ms)
                if fact.happened_on <= as_of
            ]

    def iterate_due(self, *, as_of: date) -> Iterator[DueNotice]:
        """Yield the facts of which the subject has to be told before others are.

        Raises:
            ReportInvalidError: Records are not of such a day.
        """
        check_report_day(as_of)
        after = 0
        while True:
            with self._database.read() as uow:
                page = AdverseStore(uow.connection).list_customers(
                    after=after, limit=CUSTOMERS_PAGE
                )
                due = [one for key in page for one in self._list_due(uow, key, as_of=as_of)]
            yield from due
            if not page:
                return
            after = page[-1]

    def write_letter(
        self, key: FactKey, *, sender: str, contact: str, sent_on: date | None = None
    ) -> Letter:
        """Return the text of a notice, Chinese and English, as of the day it will be sent.

        Raises:
            FactNotFoundError: There is no such fact.
            NoticeInvalidError: The fact is not to be shared, so there is nothing to tell.
        """
        sent_on = self._today() if sent_on is None else sent_on
        check_day(sent_on)
        with self._database.read() as uow:
            fact = get_fact_within(uow, key)
            customer = self._check_noticeable(uow, fact, on=sent_on)
        return write_letter(
            NoticeLetter(
                sender=sender,
                contact=contact,
                subject_name=customer.name,
                subject_id=customer.subject_id,
                key=str(fact.key),
                kind=fact.kind,
                happened_on=fact.happened_on,
                ended_on=fact.ended_on,
                sent_on=sent_on,
            ),
            policy=self._policy,
        )

    def record_notice(self, key: FactKey, notice: NewNotice, *, by: str) -> int:
        """Record that the subject was told of a fact; return the notice's key.

        Raises:
            FactNotFoundError: There is no such fact.
            NoticeInvalidError: The fact is not to be shared, nothing shows the notice, or it was
                sent before the fact or is not sent yet.
            CustomerArchivedError: The relation with the customer is closed.
        """
        check_by(by)
        _check_notice(notice)
        with self._database.write() as uow:
            fact = get_fact_within(uow, key)
            customer = self._check_noticeable(uow, fact, on=notice.sent_on)
            if notice.sent_on > self._today():
                raise NoticeInvalidError("it is not sent yet")
            check_not_archived(uow, customer.customer_id)
            return AdverseStore(uow.connection).append_notice(
                key,
                sent_on=notice.sent_on,
                entered_on=self._today(),
                channel=notice.channel,
                reference=notice.reference,
                document_sha256_hex=notice.document_sha256_hex,
                by=by,
                at_ms=self._clock.now_ms(),
            )

    def withdraw_notice(self, notice_id: int, *, reason: str, by: str) -> None:
        """Take back a notice that was recorded wrong: the fact is held back at once.

        Raises:
            NoticeNotFoundError: There is none that stands.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            ended = AdverseStore(uow.connection).end_notice(
                notice_id, reason=reason, by=by, at_ms=self._clock.now_ms()
            )
            if not ended:
                raise NoticeNotFoundError("there is no such notice that stands")

    def enter_objection(self, key: FactKey, *, objector: str, on: date, by: str) -> int:
        """Enter that somebody objects to a fact: it is held back at once; return the key.

        Raises:
            FactNotFoundError: There is no such fact.
            FactInvalidError: It is none yet, or the day is before it or not over.
        """
        with self._database.write() as uow:
            return enter_objection_within(uow, key, objector=objector, on=on, saying=self._say(by))

    def close_objection(
        self, objection_id: int, *, result: ObjectionResult, reason: str, on: date, by: str
    ) -> None:
        """Enter what became of an objection; upheld, the fact counts for nothing any more.

        Raises:
            ObjectionNotFoundError: There is none that is open.
            FactInvalidError: The day is before the objection, or not over.
            SamePersonError: Who proposed the fact would reject the objection to it.
        """
        with self._database.write() as uow:
            close_objection_within(
                uow, objection_id, result=result, reason=reason, on=on, saying=self._say(by)
            )

    def settle(self, event_id: int, *, on: date, by: str) -> None:
        """Enter on which day an adverse event was settled; a default is ended as such.

        Raises:
            FactNotFoundError: There is no such event.
            FactInvalidError: It is settled already, or the day is before it or not over.
        """
        check_by(by)
        check_day(on)
        with self._database.write() as uow:
            fact = get_fact_within(uow, FactKey(source=FactSource.EVENT, number=event_id))
            if fact.ended_on is not None:
                raise FactInvalidError("it is settled already")
            if not fact.happened_on <= on <= self._today():
                raise FactInvalidError("it is settled on a day from its own to today")
            AdverseStore(uow.connection).append_settlement(
                event_id, on=on, by=by, at_ms=self._clock.now_ms()
            )

    def _say(self, by: str) -> Saying:
        return Saying(by=by, today=self._today(), at_ms=self._clock.now_ms())

    def _list_due(self, uow: UnitOfWork, customer_id: int, *, as_of: date) -> list[DueNotice]:
        customer = get_customer(uow, customer_id)
        if read_is_person(uow, customer):
            return []
        ids = RecordsStore(uow.connection).list_ids(customer.customer_id)
        return [
            DueNotice(
                key=str(fact.key),
                customer_id=customer.customer_id,
                subject_id=customer.subject_id,
                name=customer.name,
                kind=fact.kind,
                happened_on=fact.happened_on,
                since=datetime.fromtimestamp(fact.counted_at_ms // 1_000, UTC).date(),
            )
            for fact in AdverseStore(uow.connection).list_facts(ids)
            if fact.counted_at_ms is not None
            and self._find_state(fact.as_seen_on(as_of), on=as_of, is_person=False)
            is SharingState.UNNOTICED
        ]

    def _check_noticeable(self, uow: UnitOfWork, fact: AdverseFact, *, on: date) -> CustomerRecord:
        """Check that a fact may come to be shared, and had happened; return whose it is."""
        customer = get_customer(uow, fact.customer_id)
        state = self._find_state(fact, on=on, is_person=read_is_person(uow, customer))
        if state in _NEVER_SHARED:
            raise NoticeInvalidError(f"it is not to be shared: {state}")
        return customer

    def _tell(self, fact: AdverseFact, *, on: date, is_person: bool) -> FactStanding:
        opened = [one.objected_on for one in fact.objections if one.end is None]
        return FactStanding(
            fact=fact,
            state=self._find_state(fact, on=on, is_person=is_person),
            shareable_from=find_first_day(fact, notice_days=self._policy.notice_days),
            answer_by=find_answer_day(min(opened), policy=self._policy) if opened else None,
        )

    def _find_state(self, fact: AdverseFact, *, on: date, is_person: bool) -> SharingState:
        return find_state(fact, on=on, is_person=is_person, terms=self._policy.sharing_terms)

    def _today(self) -> date:
        return current_business_date(self._clock, fixed=self._business_date)


_NEVER_SHARED = frozenset(
    {
        SharingState.NOT_YET,
        SharingState.UNCONFIRMED,
        SharingState.PERSON,
        SharingState.REFUTED,
        SharingState.PAST,
    }
)


def _check_notice(notice: NewNotice) -> None:
    check_day(notice.sent_on)
    if notice.reference is not None:
        check_text(notice.reference, what="a reference", chars_max=REFERENCE_CHARS_MAX)
    digest = notice.document_sha256_hex
    if digest is not None and not SHA256_FORM.fullmatch(digest):
        raise NoticeInvalidError("the text sent is named by its SHA-256 in hexadecimal")
    if notice.reference is None and digest is None:
        raise NoticeInvalidError("a reference or the text sent shows that it was sent")
