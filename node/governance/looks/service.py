"""Use cases of the access log: looks by customer, person and time; the extract for a subject."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.people.holding import TOKENS_MAX
from node.core.people.names import is_same_person
from node.core.people.service import OPERATOR, is_account
from node.core.people.store import AccessRecord, PeopleStore
from node.decision.store import DecisionStore
from node.governance.cases.record import CaseStory
from node.governance.cases.store import CaseFilter, CaseStore
from node.governance.looks.rules_looks import Pointed, find_pointed
from node.records.ledger.posting import get_customer
from node.records.store import CustomerRecord, RecordsStore
from node.records.store.owners import OWNED, find_owner
from node.sharing.store.grants import GrantStore

ROWS_AT_ONCE = 1_000
ROWS_MAX = 1_000_000  # looked through for one list
LISTED_MAX = 100_000
CASES_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LookFilter:
    """Which looks are asked for; the end of the time is not in it."""

    customer_id: int | None = None
    person: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookRow:
    """One look: by whom in which role, at what, of which customer."""

    record: AccessRecord
    role: str
    customer_id: int | None
    """Whose it was; None of a list of many, or of what is nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRow:
    """A summary that left this node: to which member, when."""

    peer: str
    op: str
    at_ms: int
    is_refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectExtract:
    """What a customer who asks is handed: who looked, who was told, what it has objected to."""

    customer: CustomerRecord
    as_of: date
    looks: tuple[LookRow, ...]
    told: tuple[ToldRow, ...]
    cases: tuple[CaseStory, ...]


class LookService:
    """Reads; one public method is one transaction."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        member_id: str,
        business_date: date | None = None,
    ) -> None:
        """Take the ports; the business date is the clock's without a fixed one."""
        self._database = database
        self._clock = clock
        self._member_id = member_id
        self._business_date = business_date

    def list_looks(self, chosen: LookFilter, *, limit: int = LISTED_MAX) -> list[LookRow]:
        """Return looks, the newest first.

        Raises:
            CustomerNotFoundError: There is no such customer.
        """
        with self._database.read() as uow:
            return self._list_looks(uow, chosen, limit=limit)

    def extract(self, customer_id: int) -> SubjectExtract:
        """Return what a customer who asks is handed.

        Raises:
            CustomerNotFoundError: There is no such customer.
        """
        with self._database.read() as uow:
            customer = get_customer(uow, customer_id)
            ids = RecordsStore(uow.connection).list_ids(customer.customer_id)
            cases = CaseStore(uow.connection)
            found = cases.list_cases(CaseFilter(customer_ids=ids), limit=CASES_MAX)
            return SubjectExtract(
                customer=customer,
                as_of=current_business_date(self._clock, fixed=self._business_date),
                looks=tuple(
                    one
                    for one in self._list_looks(
                        uow, LookFilter(customer_id=customer_id), limit=LISTED_MAX
                    )
                    if not one.record.what.startswith("enter-")
                ),
                told=tuple(self._list_told(uow, customer.subject_id)),
                cases=tuple(
                    CaseStory(
                        record=one,
                        events=tuple(cases.list_events(one.case_id)),
                        subject_id=customer.subject_id,
                        name=customer.name,
                    )
                    for one in found
                ),
            )

    def _list_looks(self, uow: UnitOfWork, chosen: LookFilter, *, limit: int) -> list[LookRow]:
        ids: set[int] | None = None
        if chosen.customer_id is not None:
            key = get_customer(uow, chosen.customer_id).customer_id
            ids = set(RecordsStore(uow.connection).list_ids(key))
        roles = _read_roles(uow)
        owners: dict[Pointed, int | None] = {}
        found: list[LookRow] = []
        for record in _iterate(uow, chosen):
            if chosen.person is not None and not is_same_person(record.name, chosen.person):
                continue
            pointed = find_pointed(record.target)
            if pointed is not None and pointed not in owners:
                owners[pointed] = _find_owner(uow, pointed)
            owner = None if pointed is None else owners[pointed]
            if ids is not None and owner not in ids:
                continue
            # The row of an account says in which of its roles it looked.
            role = roles.get(record.who) or (record.scope if is_account(record.who) else "")
            found.append(LookRow(record=record, role=role, customer_id=owner))
            if len(found) == limit:
                break
        return found

    def _list_told(self, uow: UnitOfWork, subject_id: str) -> Iterator[ToldRow]:
        grants = GrantStore(uow.connection)
        for name in grants.list_grants_of(subject_id, provider=self._member_id):
            for one in grants.iterate_told(name):
                yield ToldRow(peer=one.peer, op=one.op, at_ms=one.at_ms, is_refused=one.is_refused)


def _iterate(uow: UnitOfWork, chosen: LookFilter) -> Iterator[AccessRecord]:
    store = PeopleStore(uow.connection)
    before: int | None = None
    for _ in range(ROWS_MAX // ROWS_AT_ONCE):
        page = store.list_accesses(
            before=before, limit=ROWS_AT_ONCE, from_ms=chosen.from_ms, to_ms=chosen.to_ms
        )
        yield from page
        if len(page) < ROWS_AT_ONCE:
            return
        before = page[-1].access_id


def _read_roles(uow: UnitOfWork) -> dict[str, str]:
    tokens = PeopleStore(uow.connection).list_tokens(limit=TOKENS_MAX)
    return {OPERATOR: OPERATOR, **{f"token-{one.token_id}": one.role for one in tokens}}


def _find_owner(uow: UnitOfWork, pointed: Pointed) -> int | None:
    if pointed.name == "decision_id":
        return DecisionStore(uow.connection).find_customer_id(pointed.number)
    if pointed.name == "case_id":
        case = CaseStore(uow.connection).find(pointed.number)
        return None if case is None else case.customer_id
    if pointed.name not in OWNED:
        return None
    return find_owner(uow.connection, pointed.name, pointed.number)
