"""Customers: their identifiers, names, group and contacts, and which of them are one.

Nothing is lost: what stands no longer has an end with who ended it. A merge moves every item of the
one to the other as next versions (``LedgerService``), so that a report of before comes out again.
Whoever adds an identifier or merges says that it is one company: what peers are answered under the
consent of one is then of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork, parse_key
from node.core.errors import ConflictError, NotFoundError
from node.records.archiving import check_not_archived
from node.records.business_day import BusinessCalendars
from node.records.derivation import refresh_behaviour
from node.records.duplicates import list_named_companies
from node.records.errors import CustomerInvalidError, MergeInvalidError
from node.records.groups import (
    GROUP_LEVELS_MAX,
    count_levels,
    list_ancestors,
    list_group,
    restore_parents,
)
from node.records.importing.cells import CellError, RowCells
from node.records.ledger.corrections import move_items
from node.records.ledger.posting import Posting, check_reason, get_customer
from node.records.ledger.returning import choose_returning, count_parted
from node.records.rules_duplicates import Suspicion, find_suspicions
from node.records.store import (
    CustomerRecord,
    CustomerStore,
    FactRow,
    KindRow,
    MergeRow,
    RecordsStore,
    SealingStore,
)
from node.records.store.owners import find_owner
from node.records.store.stories import StoryStore
from node.records.stories import read_is_person
from node.records.tables import NAME_CHARS_MAX, VALUE_CHARS_MAX
from protocol.errors import ProtocolError
from protocol.identifiers import SCHEMES, normalise_subject_id


class CustomerKind(StrEnum):
    """What a customer can be said to be."""

    COMPANY = "company"
    PERSON = "person"  # a natural person; a sole trader is told by its number too


class NameKind(StrEnum):
    """What kind of a name it is."""

    LEGAL = "legal"
    TRADE = "trade"
    FORMER = "former"
    FOREIGN = "foreign"  # in another script or language


class ContactRole(StrEnum):
    """What a person at the customer's answers for."""

    PAYMENTS = "payments"
    CREDIT = "credit"
    MANAGEMENT = "management"
    PURCHASING = "purchasing"
    LEGAL = "legal"
    OTHER = "other"


class FactKind(StrEnum):
    """What can be ended."""

    IDENTIFIER = "identifier"
    NAME = "name"
    PARENT = "parent"
    CONTACT = "contact"


class IdentifierTakenError(ConflictError):
    """The identifier is a customer's already; if both are one company, merge them."""

    code = "identifier-taken"


class KindUnchangedError(ConflictError):
    """The customer is of this kind already."""

    code = "kind-unchanged"


class GroupInvalidError(ConflictError):
    """The customer would be its own parent, by way of others, or has one already."""

    code = "group-invalid"


class MergeNotFoundError(NotFoundError):
    """The customer is not merged into another one."""

    code = "merge-not-found"


class FactNotFoundError(NotFoundError):
    """There is no such row that stands."""

    code = "fact-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCard:
    """All that is known of a customer beside its ledger; ended rows are among it."""

    customer: CustomerRecord
    identifiers: tuple[FactRow, ...]
    names: tuple[FactRow, ...]
    contacts: tuple[FactRow, ...]
    parents: tuple[FactRow, ...]
    kinds: tuple[KindRow, ...]
    """What it was said to be since it was entered."""
    group: tuple[CustomerRecord, ...]
    """From the top of the group down to this customer's own children, itself among them."""
    merged: tuple[MergeRow, ...]
    taken_back: tuple[MergeRow, ...]
    """Merges of this customer with another one that were wrong."""

    @property
    def has_more(self) -> bool:
        """Whether anything stands beside the customer's own row."""
        facts = (*self.identifiers, *self.names, *self.contacts)
        return bool(self.group or self.merged or self.taken_back) or any(
            row.ended_at_ms is None for row in facts
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmerged:
    """How many items went back, and between how many pairs nothing is applied any more."""

    items: int
    unapplied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entering:
    """One row at work: its transaction, whose it is, who enters it and when."""

    uow: UnitOfWork
    customer_id: int
    by: str
    at_ms: int

    @property
    def store(self) -> CustomerStore:
        return CustomerStore(self.uow.connection)

    def append(self, fact: FactKind, **values: object) -> int:
        """Append the row and return its key."""
        return self.store.append_fact(
            fact.value, self.customer_id, values, by=self.by, at_ms=self.at_ms
        )


@dataclass(slots=True)
class _Sealed:
    """Whether a transaction has encrypted what was in the clear before."""

    has_sealed: bool = False

    def settle(self, uow: UnitOfWork, customer_id: int) -> None:
        """Write the rows of a customer as who it is now asks for."""
        self.has_sealed |= SealingStore(uow.connection).settle(customer_id)


class CustomerService:
    """One public method, one transaction, entered by whom ``by`` names."""

    def __init__(
        self, *, database: Database, clock: Clock, business_date: date | None = None
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._business_date = business_date
        self._calendars = BusinessCalendars()

    def get_card(self, customer_id: int) -> CustomerCard:
        """Return all that is known of a customer.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            customer = get_customer(uow, customer_id)
            store = CustomerStore(uow.connection)
            merged = store.list_merged(customer.customer_id)
            ids = [customer.customer_id, *(row.customer_id for row in merged)]
            return CustomerCard(
                customer=customer,
                identifiers=tuple(store.list_facts("identifier", ids)),
                names=tuple(store.list_facts("name", ids)),
                contacts=tuple(store.list_facts("contact", ids)),
                parents=tuple(store.list_facts("parent", ids)),
                kinds=tuple(store.list_kinds(ids)),
                group=tuple(list_group(uow, customer.customer_id)),
                merged=tuple(merged),
                taken_back=tuple(store.list_taken_back(customer.customer_id)),
            )

    def is_person(self, keys: Mapping[str, int]) -> bool:
        """Tell whether whoever something is of is a natural person or sole trader.

        Args:
            keys: Keys of what is of a customer, by the names of ``OWNED``.
        """
        with self._database.read() as uow:
            owners = {find_owner(uow.connection, name, key) for name, key in keys.items()}
            found = (
                RecordsStore(uow.connection).find_customer_by_id(owner)
                for owner in owners
                if owner is not None
            )
            return any(read_is_person(uow, customer) for customer in found if customer is not None)

    def add_identifier(self, customer_id: int, *, scheme: str, value: str, by: str) -> int:
        """Enter a further identifier; return its key.

        The number of a known scheme is checked as consents check it, and kept in its own spelling.

        Raises:
            CustomerInvalidError: It has not the form of one, or is a natural person's.
            IdentifierTakenError: A customer has it.
        """
        scheme, value = _check_identifier(scheme, value)
        with self._overwriting() as sealed, self._enter(customer_id, by) as entering:
            if entering.store.is_identifier_taken(scheme=scheme, value=value):
                # Not which: what is refused is written down, and it may be a person's.
                raise IdentifierTakenError("the identifier is a customer's already")
            key = entering.append(FactKind.IDENTIFIER, scheme=scheme, value=value)
            sealed.settle(entering.uow, entering.customer_id)
        return key

    def add_name(self, customer_id: int, *, kind: NameKind, name: str, by: str) -> int:
        """Enter a further name, in any script; return its key."""
        with self._enter(customer_id, by) as entering:
            return entering.append(FactKind.NAME, kind=kind.value, name=_check_text(name))

    def add_contact(
        self,
        customer_id: int,
        *,
        role: ContactRole,
        name: str,
        phone: str = "",
        email: str = "",
        by: str,
    ) -> int:
        """Enter a person to reach; return the contact's key.

        Raises:
            CustomerInvalidError: Neither a phone number nor an address is given.
        """
        if not (phone.strip() or email.strip()):
            raise CustomerInvalidError("a contact has a phone number or a mail address")
        with self._enter(customer_id, by) as entering:
            return entering.append(
                FactKind.CONTACT,
                role=role.value,
                name=_check_text(name),
                phone=_check_text(phone, chars_max=VALUE_CHARS_MAX, may_be_empty=True),
                email=_check_text(email, may_be_empty=True),
            )

    def set_parent(self, customer_id: int, *, parent_id: int, by: str) -> int:
        """Enter to whom a customer belongs; return the row's key.

        Raises:
            GroupInvalidError: It has a parent, or would belong to itself.
        """
        with self._enter(customer_id, by) as entering:
            parent = get_customer(entering.uow, parent_id).customer_id
            if entering.store.find_parent(entering.customer_id) is not None:
                raise GroupInvalidError("it has a parent: end that first")
            above = list_ancestors(entering.store, parent)
            if entering.customer_id in above:
                raise GroupInvalidError("it would belong to itself")
            if len(above) + count_levels(entering.store, entering.customer_id) > GROUP_LEVELS_MAX:
                raise GroupInvalidError(f"a group has at most {GROUP_LEVELS_MAX} levels")
            return entering.append(FactKind.PARENT, parent_id=parent)

    def set_kind(self, customer_id: int, *, kind: CustomerKind, reason: str, by: str) -> None:
        """Enter that a customer is a natural person, or a company after all.

        A person's names and numbers are encrypted, of what was merged into it too, and nothing of
        it is told to others. Numbers that show a person still do so of a company.

        Raises:
            KindUnchangedError: It is that already.
            CustomerArchivedError: The relation with it is closed.
        """
        check_reason(reason)
        with self._overwriting() as sealed, self._enter(customer_id, by) as entering:
            key = entering.customer_id
            if get_customer(entering.uow, key).kind == kind:
                raise KindUnchangedError(f"the customer is entered as a {kind} already")
            entering.store.append_kind(
                key, kind=kind, reason=reason, by=entering.by, at_ms=entering.at_ms
            )
            sealed.settle(entering.uow, key)

    def end(self, kind: FactKind, fact_id: int, *, by: str) -> None:
        """Enter that an identifier, name, parent or contact stands no longer.

        Raises:
            FactNotFoundError: There is none that stands.
        """
        _check_text(by)
        with self._database.write() as uow:
            store = CustomerStore(uow.connection)
            if store.end_fact(kind.value, fact_id, by=by, at_ms=self._clock.now_ms()) is None:
                raise FactNotFoundError(f"there is no such {kind} that stands")

    def find_duplicates(self) -> list[Suspicion]:
        """Return which customers may be one company, for a person to look at."""
        with self._database.read() as uow:
            customers = list_named_companies(uow)
        return find_suspicions(customers)

    def merge(self, customer_id: int, *, into_id: int, reason: str, by: str) -> int:
        """Enter that a customer is another one; return how many items were moved to that one.

        Every item gets a next version with the other customer, what is applied and disputed moves
        along, and its identifiers, names and contacts are found with the other one. Its own place
        in a group ends.

        Raises:
            CustomerArchivedError: The relation with one of them is closed.
            MergeInvalidError: They are one already, or one is a company and the other is none.
        """
        check_reason(reason)
        _check_text(by)
        business_date = current_business_date(self._clock, fixed=self._business_date)
        at_ms = self._clock.now_ms()
        with self._overwriting() as sealed, self._database.write() as uow:
            store = CustomerStore(uow.connection)
            old, new = (get_customer(uow, one) for one in (customer_id, into_id))
            from_id, to_id = old.customer_id, new.customer_id
            if from_id == to_id:
                raise MergeInvalidError("they are one customer already")
            if old.kind != new.kind:
                raise MergeInvalidError("they are of two kinds: one of them is no company")
            for key in (from_id, to_id):
                check_not_archived(uow, key)
            posting = Posting(uow=uow, by=by, at_ms=at_ms, calendars=self._calendars)
            moved = move_items(posting, from_id=from_id, to_id=to_id, reason=reason)
            StoryStore(uow.connection).copy_horizons(from_id, to_id=to_id)
            store.end_parents(from_id, by=by, at_ms=at_ms)
            store.append_merge(from_id, into_id=to_id, reason=reason, by=by, at_ms=at_ms)
            sealed.settle(uow, to_id)
            refresh_behaviour(uow, sorted(posting.customer_ids), business_date=business_date)
        return moved

    def find_merged(self, text: str) -> int:
        """Return the key of a merged customer by its number or subject id, not of whom it became.

        Raises:
            MergeNotFoundError: There is none that is merged.
        """
        with self._database.read() as uow:
            store = CustomerStore(uow.connection)
            for key in _list_named(store, text):
                if store.find_merge(key) is not None:
                    return key
        raise MergeNotFoundError("no such customer is merged into another one")

    def unmerge(
        self, customer_id: int, *, reason: str, by: str, also: Sequence[int] = ()
    ) -> Unmerged:
        """Enter that a customer is another one no longer, and what its merge has moved goes back.

        Each item goes back as its newest version. What was entered since stays where it is but for
        what belongs to an item that goes back (a write-off, what became of a bill) and for the
        items named in ``also``. Nothing is applied any more between what goes and what stays.

        Raises:
            MergeNotFoundError: The customer is not merged.
            MergeInvalidError: The other one was merged since, or a write-off is of items of both.
            ItemNotFoundError: An item of ``also`` does not count, or is not the other one's.
        """
        check_reason(reason)
        by = _check_text(by)
        business_date = current_business_date(self._clock, fixed=self._business_date)
        at_ms = self._clock.now_ms()
        with self._database.write() as uow:
            store = CustomerStore(uow.connection)
            merge = store.find_merge(customer_id)
            if merge is None:
                raise MergeNotFoundError("the customer is not merged into another one")
            if store.find_merge(merge.into_id) is not None:
                raise MergeInvalidError("the other one was merged since: take that back first")
            for key in (customer_id, merge.into_id):
                check_not_archived(uow, key)
            posting = Posting(uow=uow, by=by, at_ms=at_ms, calendars=self._calendars)
            returning = choose_returning(
                posting.items.list_counting(merge.into_id),
                posting.items.list_applied_of(merge.into_id),
                moved=store.list_moved_names(merge),
                also=also,
            )
            store.end_merge(merge.merge_id, reason=reason, by=by, at_ms=at_ms)
            for key in (customer_id, merge.into_id):
                SealingStore(uow.connection).settle(key)
            # What expired meanwhile may have been either's.
            StoryStore(uow.connection).copy_horizons(merge.into_id, to_id=customer_id)
            unapplied = count_parted(posting, merge.into_id, returning)
            items = move_items(
                posting,
                from_id=merge.into_id,
                to_id=customer_id,
                reason=reason,
                only=returning,
            )
            restore_parents(store, merge, by=by, at_ms=at_ms)
            refresh_behaviour(
                uow, sorted({customer_id, merge.into_id}), business_date=business_date
            )
        return Unmerged(items=items, unapplied=unapplied)

    @contextmanager
    def _overwriting(self) -> Iterator[_Sealed]:
        """Empty the write-ahead log after the commit where rows were encrypted in it."""
        sealed = _Sealed()
        yield sealed
        if sealed.has_sealed:
            self._database.overwrite_deleted()

    @contextmanager
    def _enter(self, customer_id: int, by: str) -> Iterator[_Entering]:
        by = _check_text(by)
        with self._database.write() as uow:
            key = get_customer(uow, customer_id).customer_id
            check_not_archived(uow, key)
            yield _Entering(uow=uow, customer_id=key, by=by, at_ms=self._clock.now_ms())


def _list_named(store: CustomerStore, text: str) -> list[int]:
    if not text.isprintable():
        return []
    scheme, colon, value = text.partition(":")
    if colon:
        return store.find_ids(scheme=scheme, value=value)
    key = parse_key(text)
    return [] if key is None else [key]


def _check_identifier(scheme: str, value: str) -> tuple[str, str]:
    if scheme in SCHEMES:
        try:
            found = normalise_subject_id(scheme=scheme, value=value)
        except ProtocolError as err:
            raise CustomerInvalidError(f"{scheme}: {err.detail}") from err
        return found.scheme, found.value
    row = RowCells({"scheme": scheme, "value": value})
    try:
        return row.read_scheme("scheme"), row.read_value("value")
    except CellError as err:
        raise CustomerInvalidError(f"{err.column}: {err.reason}") from err


def _check_text(text: str, *, chars_max: int = NAME_CHARS_MAX, may_be_empty: bool = False) -> str:
    text = text.strip()
    if len(text) > chars_max or not text.isprintable() or not (text or may_be_empty):
        raise CustomerInvalidError(f"a text has 1 to {chars_max} printable characters")
    return text
