"""What the stores of dunning return: runs, letters, what happened to them, charges, holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.risk.dunning.rules_charges import ChargeKind, ItemState, SettlementKind
from node.risk.dunning.rules_dunning import LetterContent
from node.risk.dunning.rules_letter import LetterState, LetterStep


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningRun:
    """A run with what it counted; ``state`` is running, finished or abandoned."""

    run_id: int
    as_of: date
    policy: str
    policy_sha256_b64u: str
    state: str
    done_until: int
    customers: int
    proposed: int
    withdrawn: int
    held: int
    entered_by: str
    entered_at_ms: int
    ended_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter as it stands."""

    letter_id: int
    run_id: int
    content: LetterContent
    policy_sha256_b64u: str
    template: str
    template_sha256_b64u: str
    state: LetterState
    last_seq: int
    sent_on: date | None
    pay_by_on: date | None
    withdrawn_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterEvent:
    """What happened to a letter."""

    seq: int
    kind: LetterStep
    on: date
    text: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A charge as it stands on a day, in minor units.

    ``from_on`` is the first day that bears its interest and ``until_on`` the first that bears none;
    ``item_state`` is None of a fee, and so is ``item_id``, which is the item as it was then.
    """

    charge_id: int
    letter_id: int
    customer_id: int
    item_id: int | None
    item_state: ItemState | None
    document_no: str
    line: int
    kind: ChargeKind
    currency: str
    amount_minor: int
    open_minor: int
    from_on: date | None
    until_on: date | None
    charged_on: date
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a part of a charge ended, in minor units; ``item_id`` is by which it was paid."""

    settlement_id: int
    kind: SettlementKind
    amount_minor: int
    settled_on: date
    item_id: int | None
    reason: str
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindedItem:
    """An item in letters that had gone by a day, as it counts now, with what of it is open."""

    item_id: int
    document_no: str
    line: int
    due_on: date
    currency: str
    open_minor: int
    level: int
    first_on: date
    last_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """That a customer is not reminded up to a day, by whose word and why."""

    hold_id: int
    customer_id: int
    from_on: date
    until_on: date
    reason: str
    entered_by: str
    entered_at_ms: int
    ended_by: str | None
    ended_on: date | None
    end_reason: str | None
