"""Use cases of papers: entered, corrected, withdrawn, and what happened to them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.files import SHA256_FORM
from node.core.money import CURRENCY_FORM
from node.records.archiving import check_not_archived
from node.records.barring import need_hasher
from node.records.ledger.entries import BY_HAND
from node.records.ledger.errors import ItemNotFoundError, RecordGoneError
from node.records.ledger.posting import check_by, check_day, check_reason, check_text, get_customer
from node.records.papers.errors import (
    PaperEventNotFoundError,
    PaperExistsError,
    PaperInvalidError,
    PaperNotFoundError,
)
from node.records.rules_ledger import ENTERED_DEBITS
from node.records.rules_papers import (
    ContractTerms,
    Document,
    EventKind,
    GuaranteeTerms,
    InsuranceTerms,
    Paper,
    PaperContent,
    PaperKind,
    check_content,
    check_event_kind,
    count_left,
)
from node.records.store import ItemStore, PaperStore, RecordsStore
from node.records.store.stories import StoryStore
from node.records.tables import (
    ITEM_MINOR_MAX,
    NAME_CHARS_MAX,
    REFERENCE_CHARS_MAX,
    SOURCE_CHARS_MAX,
)
from node.records.tombstones import NameHasher

EVENTS_MAX = 1_000  # of one paper that stand


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """What happened to a paper on a day; the amount in its currency where it has one."""

    kind: EventKind
    on: date
    amount_minor: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """One use case at work: its transaction, who enters it, and when."""

    uow: UnitOfWork
    by: str
    at_ms: int

    @property
    def store(self) -> PaperStore:
        return PaperStore(self.uow.connection)

    def get_paper(self, paper_id: int, kinds: Collection[PaperKind] | None = None) -> Paper:
        return _get_paper(self.store, paper_id, kinds)

    def list_owners(self, customer_id: int) -> list[int]:
        key = get_customer(self.uow, customer_id).customer_id
        check_not_archived(self.uow, key)
        return RecordsStore(self.uow.connection).list_ids(key)


class PaperService:
    """One public method is one transaction, entered by whom ``by`` names."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        business_date: date | None = None,
        hasher: NameHasher | None = None,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's.

        ``hasher`` knows the names of records that are gone; needed once any are.
        """
        self._database = database
        self._clock = clock
        self._business_date = business_date
        self._hasher = hasher

    def get_paper(self, paper_id: int, kinds: Collection[PaperKind]) -> Paper:
        """Return a paper as it stands now.

        Raises:
            PaperNotFoundError: There is none of these kinds that stands.
        """
        with self._database.read() as uow:
            return _get_paper(PaperStore(uow.connection), paper_id, kinds)

    def enter(
        self,
        kind: PaperKind,
        number: str,
        content: PaperContent,
        *,
        by: str,
        source: str = BY_HAND,
    ) -> int:
        """Enter a contract, delivery, guarantee or insurance; return its key, which it keeps.

        Raises:
            CustomerNotFoundError: There is none with this key.
            CustomerArchivedError: Its relation is closed.
            PaperInvalidError: It does not say what one of its kind says.
            PaperExistsError: One of this number is here.
            RecordGoneError: One of this number was here and has been deleted.
        """
        check_text(source, what="a source", chars_max=SOURCE_CHARS_MAX)
        check_text(number, what="a number", chars_max=REFERENCE_CHARS_MAX)
        with self._open(by) as desk:
            content = self._check(desk, kind, content)
            paper_id = desk.store.find_id(kind, source=source, number=number)
            if paper_id is None:
                self._check_not_gone(desk.uow, kind, source=source, number=number)
                paper_id = desk.store.append_paper(kind, source=source, number=number)
            elif desk.store.find_paper(paper_id) is not None:
                raise PaperExistsError(f"the {kind} {number} of {source} is here already")
            self._append_version(desk, paper_id, kind, content)
            return paper_id

    def correct(
        self, paper_id: int, kind: PaperKind, content: PaperContent, *, reason: str, by: str
    ) -> None:
        """Enter what a paper should have said; what was known before stays, with the reason.

        Raises:
            PaperNotFoundError: There is none of this kind that stands.
            PaperInvalidError: It does not say what one of its kind says, or less than what has
                happened to it, or that in another currency; or deliveries are under a contract
                that would be another customer's.
        """
        check_reason(reason)
        with self._open(by) as desk:
            old = desk.get_paper(paper_id, {kind})
            owners = desk.list_owners(old.content.customer_id)
            content = self._check(desk, kind, content)
            if content.customer_id not in owners:
                _check_none_under(desk.store, paper_id)
            _check_currency(old, content.currency)
            desk.store.end_version(paper_id, reason=reason, by=by, at_ms=desk.at_ms)
            self._append_version(desk, paper_id, kind, content)

    def withdraw(
        self,
        paper_id: int,
        *,
        kinds: Collection[PaperKind] | None = None,
        reason: str,
        by: str,
    ) -> None:
        """Enter that a paper should not be here, nor what happened to it.

        Raises:
            PaperNotFoundError: There is none of these kinds that stands.
            PaperInvalidError: Something was delivered under the contract.
        """
        check_reason(reason)
        with self._open(by) as desk:
            old = desk.get_paper(paper_id, kinds)
            desk.list_owners(old.content.customer_id)
            _check_none_under(desk.store, paper_id)
            desk.store.end_events(paper_id, reason=reason, by=by, at_ms=desk.at_ms)
            desk.store.end_version(paper_id, reason=reason, by=by, at_ms=desk.at_ms)

    def add_event(
        self, paper_id: int, event: NewEvent, *, kinds: Collection[PaperKind] | None = None, by: str
    ) -> int:
        """Enter what happened to a paper; return the event's key.

        Without an amount a delivery is returned, a guarantee released, with all that is left.

        Raises:
            PaperNotFoundError: There is none of these kinds that stands.
            PaperInvalidError: Such a thing does not happen to it, not on that day, or not so much.
        """
        check_day(event.on)
        if event.reason is not None:
            check_reason(event.reason)
        with self._open(by) as desk:
            paper = desk.get_paper(paper_id, kinds)
            desk.list_owners(paper.content.customer_id)
            check_event_kind(paper.kind, event.kind)
            if event.kind is EventKind.INVOICED:
                raise PaperInvalidError("what is invoiced names its document")
            if event.on < paper.content.begins_on:
                raise PaperInvalidError("it did not happen before the paper's first day")
            amount_minor = event.amount_minor
            if event.kind is EventKind.ENDED:
                if amount_minor is not None or event.reason is None:
                    raise PaperInvalidError("an end has a reason, and no amount")
            else:
                self._check_happened(event.on)
                amount_minor = _choose_amount(
                    amount_minor, left_minor=_count_left(desk.store, paper)
                )
            return self._append_event(
                desk, paper, event.kind, on=event.on, amount_minor=amount_minor, reason=event.reason
            )

    def add_invoice(
        self,
        paper_id: int,
        item_id: int,
        *,
        amount_minor: int | None = None,
        kinds: Collection[PaperKind] | None = None,
        by: str,
    ) -> int:
        """Enter that a document is for a delivery, whole or in part, or under a contract.

        Without an amount it is for all that is left of the delivery and of the document.

        Raises:
            PaperNotFoundError: There is none of these kinds that stands.
            ItemNotFoundError: The item is none that counts.
            PaperInvalidError: The document is no invoice of this customer in this currency, or
                less is left of it or of the delivery.
        """
        with self._open(by) as desk:
            paper = desk.get_paper(paper_id, kinds)
            check_event_kind(paper.kind, EventKind.INVOICED)
            owners = desk.list_owners(paper.content.customer_id)
            document = _get_document(desk.uow, item_id)
            if document.customer_id not in owners:
                raise PaperInvalidError("the document is another customer's")
            named = desk.store.list_of_document(item_id)
            if any(one.paper_id == paper_id for one in named):
                raise PaperInvalidError("it names this document already")
            if paper.kind is PaperKind.CONTRACT:
                if amount_minor is not None:
                    raise PaperInvalidError("a document is under a contract as a whole")
            else:
                if document.currency != paper.content.currency:
                    raise PaperInvalidError("the document is in another currency")
                named_minor = sum(one.amount_minor or 0 for one in named)
                left_minor = min(
                    _count_left(desk.store, paper), document.amount_minor - named_minor
                )
                amount_minor = _choose_amount(amount_minor, left_minor=left_minor)
            return self._append_event(
                desk, paper, EventKind.INVOICED, item_id=item_id, amount_minor=amount_minor
            )

    def withdraw_event(
        self,
        event_id: int,
        *,
        kinds: Collection[PaperKind] | None = None,
        reason: str,
        by: str,
    ) -> None:
        """Enter that something did not happen to a paper, or that it does not name a document.

        Raises:
            PaperEventNotFoundError: There is none that stands, of a paper of these kinds.
        """
        check_reason(reason)
        with self._open(by) as desk:
            event = desk.store.find_event(event_id)
            paper = None if event is None else desk.store.find_paper(event.paper_id)
            if paper is None or (kinds is not None and paper.kind not in kinds):
                raise PaperEventNotFoundError("there is no such event that stands")
            desk.list_owners(paper.content.customer_id)
            desk.store.end_event(event_id, reason=reason, by=by, at_ms=desk.at_ms)

    @contextmanager
    def _open(self, by: str) -> Iterator[_Desk]:
        check_by(by)
        with self._database.write() as uow:
            yield _Desk(uow=uow, by=by, at_ms=self._clock.now_ms())

    def _check(self, desk: _Desk, kind: PaperKind, content: PaperContent) -> PaperContent:
        """Check what a paper says and return it with the customer that its key means now."""
        check_content(kind, content)
        _check_values(content)
        if kind is PaperKind.DELIVERY:
            self._check_happened(content.begins_on)
        if isinstance(content.terms, ContractTerms):
            self._check_happened(content.terms.signed_on)
        owners = desk.list_owners(content.customer_id)
        if content.contract_id is not None:
            contract = desk.get_paper(content.contract_id, {PaperKind.CONTRACT})
            if contract.content.customer_id not in owners:
                raise PaperInvalidError("the contract is another customer's")
        return replace(content, customer_id=owners[0])

    def _check_happened(self, day: date) -> None:
        check_day(day)
        if day > current_business_date(self._clock, fixed=self._business_date):
            raise PaperInvalidError("it has not happened yet")

    def _check_not_gone(
        self, uow: UnitOfWork, kind: PaperKind, *, source: str, number: str
    ) -> None:
        stories = StoryStore(uow.connection)
        if not stories.has_tombstones():
            return
        name = need_hasher(self._hasher).hash_paper(kind=kind, source=source, number=number)
        for gone in stories.find_tombstones([name]):
            raise RecordGoneError(
                f"the {kind} {number} of {source}: {gone.reason} on {gone.gone_on.isoformat()}"
            )

    def _append_version(
        self, desk: _Desk, paper_id: int, kind: PaperKind, content: PaperContent
    ) -> None:
        desk.store.append_version(paper_id, kind, content, by=desk.by, at_ms=desk.at_ms)
        paper = desk.get_paper(paper_id)
        if _count_left(desk.store, paper) < 0:
            raise PaperInvalidError("more of it is invoiced, returned, released or called")

    def _append_event(
        self,
        desk: _Desk,
        paper: Paper,
        kind: EventKind,
        *,
        on: date | None = None,
        amount_minor: int | None = None,
        item_id: int | None = None,
        reason: str | None = None,
    ) -> int:
        if len(paper.events) >= EVENTS_MAX:
            raise PaperInvalidError(f"at most {EVENTS_MAX} events of a paper stand")
        return desk.store.append_event(
            paper.paper_id,
            kind,
            on=on,
            amount_minor=amount_minor,
            item_id=item_id,
            reason=reason,
            by=desk.by,
            at_ms=desk.at_ms,
        )


def _get_paper(store: PaperStore, paper_id: int, kinds: Collection[PaperKind] | None) -> Paper:
    found = store.find_paper(paper_id)
    if found is None or (kinds is not None and found.kind not in kinds):
        raise PaperNotFoundError(f"there is no such paper {paper_id} that stands")
    return found


def _check_none_under(store: PaperStore, contract_id: int) -> None:
    for paper_id in store.list_under_contract(contract_id):
        found = store.find_paper(paper_id)
        if found is not None and found.content.contract_id == contract_id:
            raise PaperInvalidError(f"the delivery {found.number} is under this contract")


def _check_currency(old: Paper, currency: str) -> None:
    """Check that what has happened to a paper still is in its currency."""
    old_currency = old.content.currency
    if currency != old_currency and any(one.amount_minor is not None for one in old.events):
        raise PaperInvalidError(f"what has happened to it is in {old_currency}: take that back")


def _check_values(content: PaperContent) -> None:
    if not CURRENCY_FORM.fullmatch(content.currency):
        raise PaperInvalidError("a currency is a code of three capitals")
    for day in (content.begins_on, content.ends_on):
        if day is not None:
            check_day(day)
    if content.amount_minor is not None and not 0 < content.amount_minor <= ITEM_MINOR_MAX:
        raise PaperInvalidError("an amount is more than nothing and at most 10^13 minor units")
    sha256_hex = content.document_sha256_hex
    if sha256_hex is not None and not SHA256_FORM.fullmatch(sha256_hex):
        raise PaperInvalidError("the document held is named by its SHA-256 in hexadecimal")
    if isinstance(content.terms, GuaranteeTerms):
        check_text(content.terms.guarantor, what="a guarantor", chars_max=NAME_CHARS_MAX)
    if isinstance(content.terms, InsuranceTerms):
        check_text(content.terms.insurer, what="an insurer", chars_max=NAME_CHARS_MAX)


def _get_document(uow: UnitOfWork, item_id: int) -> Document:
    item = ItemStore(uow.connection).find_item(item_id)
    document = None
    if item is not None and not item.is_corrected:
        document = PaperStore(uow.connection).read_documents([item_id]).get(item_id)
    if item is None or document is None:
        raise ItemNotFoundError(f"there is no item {item_id} that counts")
    if item.kind not in ENTERED_DEBITS:
        raise PaperInvalidError("an invoice, or an opening balance, is for a delivery")
    return document


def _count_left(store: PaperStore, paper: Paper) -> int:
    counting = store.read_documents([one.item_id for one in paper.events if one.item_id])
    return count_left(paper, counting)


def _choose_amount(given_minor: int | None, *, left_minor: int) -> int:
    amount_minor = left_minor if given_minor is None else given_minor
    if not 0 < amount_minor <= left_minor:
        raise PaperInvalidError(f"{max(left_minor, 0)} minor units are left of it")
    return amount_minor
