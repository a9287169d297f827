"""Working out the letters of a stretch of customers, and moving letters, in one transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from node.core.database import UnitOfWork
from node.records.ledger.posting import get_customer
from node.records.store import CustomerRecord, RecordsStore
from node.risk.dunning.errors import LetterNotFoundError, LetterStateError
from node.risk.dunning.letters import TEMPLATES
from node.risk.dunning.policy import DunningPolicy
from node.risk.dunning.reading import read_dunned
from node.risk.dunning.rules_dunning import (
    DunnedCustomer,
    LetterContent,
    Rest,
    list_new_charges,
    propose_letter,
    says_same,
)
from node.risk.dunning.rules_letter import LetterStep, find_next
from node.risk.dunning.store import ChargeStore, DunningRun, Letter, LetterEvent, LetterStore

SUPERSEDED = "another letter is due by now, or none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What came of a stretch."""

    proposed: int
    withdrawn: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A step of a letter: what, when, by whom and in which words."""

    step: LetterStep
    on: date
    text: str
    by: str
    at_ms: int


def propose_stretch(
    uow: UnitOfWork,
    run: DunningRun,
    policy: DunningPolicy,
    customers: Collection[CustomerRecord],
    *,
    at_ms: int,
) -> Counted:
    """Append what letters are due to customers; what waits and is not due any more is withdrawn."""
    store, held = LetterStore(uow.connection), 0
    due: dict[int, tuple[LetterContent, DunnedCustomer]] = {}
    for one in read_dunned(uow, list(customers), policy, as_of=run.as_of):
        found = propose_letter(one, policy, as_of=run.as_of)
        if isinstance(found, Rest):
            held += found is Rest.HELD
        else:
            due[one.customer_id] = (found, one)
    merged = RecordsStore(uow.connection).list_ids_of([one.customer_id for one in customers])
    gone = []
    for letter in store.list_proposed([key for ids in merged.values() for key in ids]):
        key = letter.content.customer_id
        if key in due and _asks_same(due[key][1], letter, policy, as_of=run.as_of):
            del due[key]
        else:
            gone.append(letter)
    stamp = Stamp(
        step=LetterStep.WITHDRAWN, on=run.as_of, text=SUPERSEDED, by=run.entered_by, at_ms=at_ms
    )
    for letter in gone:
        take_step(uow, letter, stamp, withdrawn_on=run.as_of)
    name = policy.body.template
    for content, _ in due.values():
        store.append(content, run=run, template=(name, TEMPLATES[name]), at_ms=at_ms)
    return Counted(proposed=len(due), withdrawn=len(gone), held=held)


def is_due(uow: UnitOfWork, letter: Letter, policy: DunningPolicy, *, as_of: date) -> bool:
    """Tell whether the same letter would be proposed on a day by a policy."""
    customer = get_customer(uow, letter.content.customer_id)
    dunned = read_dunned(uow, [customer], policy, as_of=as_of)
    return any(_asks_same(one, letter, policy, as_of=as_of) for one in dunned)


def _asks_same(
    customer: DunnedCustomer, letter: Letter, policy: DunningPolicy, *, as_of: date
) -> bool:
    """Tell whether on a day the same is due, with the interest of the letter's own day."""
    if letter.policy_sha256_b64u != policy.sha256_b64u:
        return False
    found = propose_letter(customer, policy, as_of=as_of, interest_until=letter.content.as_of)
    return not isinstance(found, Rest) and says_same(found, letter.content)


def release_letter(uow: UnitOfWork, letter: Letter, stamp: Stamp, *, pay_by_on: date) -> Letter:
    """Let a letter go, and append what it charges.

    Raises:
        LetterStateError: It is not waiting for a release, or something happened meanwhile.
    """
    released = take_step(uow, letter, stamp, sent_on=stamp.on, pay_by_on=pay_by_on)
    ChargeStore(uow.connection).append(
        list_new_charges(letter.content),
        letter_id=letter.letter_id,
        customer_id=letter.content.customer_id,
        on=stamp.on,
        by=stamp.by,
        at_ms=stamp.at_ms,
    )
    return released


def withdraw_letter(uow: UnitOfWork, letter: Letter, stamp: Stamp) -> Letter:
    """Withdraw a letter, and take back what of its charges is open.

    Raises:
        LetterStateError: It was answered or withdrawn, or something happened meanwhile.
    """
    withdrawn = take_step(uow, letter, stamp, withdrawn_on=stamp.on)
    ChargeStore(uow.connection).take_back(
        letter.letter_id, on=stamp.on, reason=stamp.text, by=stamp.by, at_ms=stamp.at_ms
    )
    return withdrawn


def take_step(uow: UnitOfWork, letter: Letter, stamp: Stamp, **days: date) -> Letter:
    """Move a letter and return it as it stands then.

    Raises:
        LetterStateError: The step is not to be taken, or something happened meanwhile.
    """
    state = find_next(letter.state, stamp.step)
    if state is None:
        raise LetterStateError(f"letter {letter.letter_id} is {letter.state}")
    event = LetterEvent(
        seq=letter.last_seq + 1,
        kind=stamp.step,
        on=stamp.on,
        text=stamp.text,
        by=stamp.by,
        at_ms=stamp.at_ms,
    )
    store = LetterStore(uow.connection)
    if not store.move(letter, state, event, **days):
        raise LetterStateError(f"something happened to letter {letter.letter_id} meanwhile")
    return get_letter(store, letter.letter_id)


def get_letter(store: LetterStore, letter_id: int) -> Letter:
    """Return a letter.

    Raises:
        LetterNotFoundError: There is none with this key.
    """
    found = store.find(letter_id)
    if found is None:
        raise LetterNotFoundError(f"there is no letter {letter_id}")
    return found
