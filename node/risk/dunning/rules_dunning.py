"""Whether a customer is reminded, of what, and at which level. Pure, in integers.

A level is an item's: a reminder of one silences no other, and one letter lists all that is due. An
item rises one level at a time, by days past due and not within the waiting time of its level; a
promise that was broken since raises it at once, several once. What is in dispute, or promised for a
day to come, is not asked for and is named in the letter. Order of the rules, and formulas:
docs/formulas.md, dunning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from node.core.errors import InvariantError
from node.risk.dunning.policy import DunningLevel, DunningPolicy, DunningSegment, find_amount
from node.risk.dunning.rules_charges import ChargedInterest, ChargeKind, NewCharge, OpenCharge
from node.risk.dunning.rules_interest import (
    OpenHistory,
    compute_interest,
    find_asked,
    list_stretches,
)


class LineReason(StrEnum):
    """Why an item stands in a letter with its level."""

    ROSE = "rose"
    PROMISE_BROKEN = "promise-broken"
    LISTED = "listed"  # due, and at the level it had
    DISPUTED = "disputed"
    PROMISED = "promised"

    @property
    def is_rise(self) -> bool:
        """Whether the item's level is a new one."""
        return self in {LineReason.ROSE, LineReason.PROMISE_BROKEN}

    @property
    def is_asked(self) -> bool:
        """Whether it is asked for."""
        return self not in {LineReason.DISPUTED, LineReason.PROMISED}


class Rest(StrEnum):
    """Why nobody writes to a customer."""

    NOTHING_DUE = "nothing-due"
    HELD = "held"
    WAITS = "waits"
    SMALL = "small"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueItem:
    """What of an item is open on the day, in minor units."""

    item_id: int
    document_no: str
    line: int
    currency: str
    due_on: date
    due_business_on: date
    open_minor: int
    disputed_minor: int
    history: OpenHistory | None = None
    """Read where a policy asks for interest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemHistory:
    """Up to which level an item was reminded of, when last, and which broken promises raised it."""

    level: int = 0
    sent_on: date | None = None
    promises: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePromise:
    """A promise to pay items; ``broken_on`` is the first day after its own, where not all came."""

    promise_id: int
    item_ids: frozenset[int]
    broken_on: date | None = None

    @property
    def is_broken(self) -> bool:
        """Whether its day is over, and not all came."""
        return self.broken_on is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class DunnedCustomer:
    """What is known of a customer on a day."""

    customer_id: int
    country: str
    kind: str
    grade: str | None
    items: tuple[OverdueItem, ...]
    history: Mapping[int, ItemHistory] = field(default_factory=dict)
    promises: tuple[MadePromise, ...] = ()
    """Those that are open or broken."""
    unapplied: Mapping[str, int] = field(default_factory=dict)
    """What of his money is here and applied to nothing, by currency."""
    charged: Mapping[int, ChargedInterest] = field(default_factory=dict)
    """What earlier letters have charged of each item's interest."""
    charges: tuple[OpenCharge, ...] = ()
    last_letter_on: date | None = None
    is_held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterLine:
    """An item in a letter; ``asked_minor`` is 0 of what is not asked for."""

    item_id: int
    document_no: str
    line: int
    due_on: date
    days_overdue: int
    currency: str
    open_minor: int
    disputed_minor: int
    asked_minor: int
    interest_minor: int
    """What this letter adds to what earlier ones have charged."""
    level: int
    reason: LineReason
    promise_id: int | None = None
    charged_minor: int = 0
    """What earlier letters have charged of its interest."""
    interest_from_on: date | None = None
    """From when on this letter's interest is; up to the day of the letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSum:
    """What a letter asks for in one currency, in minor units."""

    currency: str
    asked_minor: int
    interest_minor: int
    fee_minor: int
    unapplied_minor: int
    charges_minor: int = 0
    """What of earlier letters' charges is open."""

    @property
    def total_minor(self) -> int:
        """What is to be paid: what is unapplied is taken off."""
        added_minor = self.interest_minor + self.fee_minor + self.charges_minor
        return self.asked_minor + added_minor - self.unapplied_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterContent:
    """A letter before it has a number: all items due, and the highest level of them."""

    customer_id: int
    as_of: date
    segment: str
    level: int
    lines: tuple[LetterLine, ...]
    sums: tuple[LetterSum, ...]
    charges: tuple[OpenCharge, ...] = ()
    """Those of earlier letters that are open."""


def propose_letter(
    customer: DunnedCustomer,
    policy: DunningPolicy,
    *,
    as_of: date,
    interest_until: date | None = None,
) -> LetterContent | Rest:
    """Return the letter that is due to a customer on a day, or why none is.

    Interest runs up to the day, or to an earlier one, to hold the letter against one of that day.

    Raises:
        InvariantError: The policy asks for interest, and what was open since is not known.
    """
    if customer.is_held:
        return Rest.HELD
    segment = policy.get_segment(country=customer.country, kind=customer.kind, grade=customer.grade)
    asks_part = policy.body.asks_undisputed_part
    rated = [
        _weigh(one, customer, segment, as_of=as_of, asks_part=asks_part)
        for one in customer.items
        if (as_of - one.due_business_on).days > segment.grace_days
    ]
    resting = {one.item_id for one in rated if not one.reason.is_asked}
    charges = [one for one in customer.charges if one.item_id not in resting]
    lines = _select_lines(rated, customer, segment)
    if isinstance(lines, Rest):
        if policy.body.asks_charges_alone and charges:
            return _ask_charges(customer, charges, segment, as_of=as_of)
        return lines
    if not _is_time(lines, customer, segment, as_of=as_of):
        return Rest.WAITS
    level = max(one.level for one in lines if one.reason.is_asked)
    rule = segment.get_level(level)
    until, items = interest_until or as_of, {one.item_id: one for one in customer.items}
    priced = [
        _price(one, items[one.item_id], customer, rule, until=until, asks_part=asks_part)
        for one in lines
    ]
    content = LetterContent(
        customer_id=customer.customer_id,
        as_of=as_of,
        segment=segment.id,
        level=level,
        lines=tuple(
            sorted(
                priced,
                key=lambda one: (one.currency, not one.reason.is_asked, one.due_on, one.item_id),
            )
        ),
        sums=(),
    )
    return _sum_up(content, customer, charges, rule)


def _select_lines(
    rated: Sequence[LetterLine], customer: DunnedCustomer, segment: DunningSegment
) -> list[LetterLine] | Rest:
    """Return what stands in a letter: the currencies of which enough is asked for."""
    asked = [one for one in rated if one.reason.is_asked]
    if not asked:
        return Rest.NOTHING_DUE
    large = {
        currency
        for currency in {one.currency for one in asked}
        if sum(one.asked_minor for one in asked if one.currency == currency)
        - customer.unapplied.get(currency, 0)
        >= max(find_amount(segment.small_amounts, currency), 1)
    }
    return [one for one in rated if one.currency in large] or Rest.SMALL


def _ask_charges(
    customer: DunnedCustomer,
    charges: Sequence[OpenCharge],
    segment: DunningSegment,
    *,
    as_of: date,
) -> LetterContent | Rest:
    """Return a letter that asks for open charges alone: no fee for it, and no interest on them."""
    large = [
        one
        for one in charges
        if _sum_charges(charges, one.currency) - customer.unapplied.get(one.currency, 0)
        >= max(find_amount(segment.small_amounts, one.currency), 1)
    ]
    if not large:
        return Rest.SMALL
    level = max(one.level for one in large)
    rule = segment.get_level(level)
    last, least = customer.last_letter_on, max(segment.gap_days, rule.wait_days)
    if last is not None and (as_of - last).days < least:
        return Rest.WAITS
    content = LetterContent(
        customer_id=customer.customer_id,
        as_of=as_of,
        segment=segment.id,
        level=level,
        lines=(),
        sums=(),
    )
    return _sum_up(content, customer, large, rule)


def _weigh(
    item: OverdueItem,
    customer: DunnedCustomer,
    segment: DunningSegment,
    *,
    as_of: date,
    asks_part: bool,
) -> LetterLine:
    """Say what becomes of an item: left out, at a new level, or listed at the one it has."""
    history = customer.history.get(item.item_id, ItemHistory())
    days = (as_of - item.due_business_on).days
    asked_minor = find_asked(item.open_minor, item.disputed_minor, asks_part=asks_part)
    named = [one for one in customer.promises if item.item_id in one.item_ids]
    broken = [one for one in named if _is_news(one, history)]
    level, promise_id = history.level, None
    if not asked_minor:
        reason = LineReason.DISPUTED
    elif any(not one.is_broken for one in named):
        reason = LineReason.PROMISED
    elif broken and level < len(segment.levels):
        reason, level = LineReason.PROMISE_BROKEN, level + 1
        promise_id = max(one.promise_id for one in broken)
    elif _may_rise(history, segment.levels, days=days, as_of=as_of):
        reason, level = LineReason.ROSE, level + 1
    else:
        reason = LineReason.LISTED
    return LetterLine(
        item_id=item.item_id,
        document_no=item.document_no,
        line=item.line,
        due_on=item.due_on,
        days_overdue=days,
        currency=item.currency,
        open_minor=item.open_minor,
        disputed_minor=item.disputed_minor,
        asked_minor=asked_minor if reason.is_asked else 0,
        interest_minor=0,
        level=level,
        reason=reason,
        promise_id=promise_id,
    )


def _is_news(promise: MadePromise, history: ItemHistory) -> bool:
    """Tell whether a promise was broken since the item reached its level: several raise it once."""
    if promise.broken_on is None or promise.promise_id in history.promises:
        return False
    return history.sent_on is None or promise.broken_on > history.sent_on


def _may_rise(
    history: ItemHistory, levels: Sequence[DunningLevel], *, days: int, as_of: date
) -> bool:
    if history.level >= len(levels) or days < levels[history.level].after_days:
        return False
    if history.sent_on is None:
        return True
    return (as_of - history.sent_on).days >= levels[history.level - 1].wait_days


def _is_time(
    lines: Sequence[LetterLine], customer: DunnedCustomer, segment: DunningSegment, *, as_of: date
) -> bool:
    """Tell whether something rises, and the last letter is long enough ago or a promise broken."""
    if any(one.reason is LineReason.PROMISE_BROKEN for one in lines):
        return True
    last = customer.last_letter_on
    is_calm = last is None or (as_of - last).days >= segment.gap_days
    return is_calm and any(one.reason.is_rise for one in lines)


def _price(
    line: LetterLine,
    item: OverdueItem,
    customer: DunnedCustomer,
    rule: DunningLevel,
    *,
    until: date,
    asks_part: bool,
) -> LetterLine:
    """Add what of the item's interest no earlier letter has charged."""
    if not (line.reason.is_asked and rule.interest_ppm):
        return line
    if item.history is None:
        raise InvariantError(f"what was open of item {item.item_id} was not read")
    charged = customer.charged.get(item.item_id)
    charged_minor = 0 if charged is None else charged.charged_minor
    stretches = list_stretches(item.history, until=until, asks_part=asks_part)
    whole_minor = compute_interest(stretches, ppm=rule.interest_ppm)
    return replace(
        line,
        interest_minor=max(0, whole_minor - charged_minor),
        charged_minor=charged_minor,
        interest_from_on=item.history.from_on if charged is None else charged.until_on,
    )


def _sum_up(
    content: LetterContent,
    customer: DunnedCustomer,
    charges: Sequence[OpenCharge],
    rule: DunningLevel,
) -> LetterContent:
    """Add open charges and the sums; of another currency where not all of it is here already."""
    own = {one.currency for one in content.lines}
    listed = tuple(
        one
        for one in charges
        if one.currency in own
        or _sum_charges(charges, one.currency) > customer.unapplied.get(one.currency, 0)
    )
    return replace(
        content,
        charges=listed,
        sums=tuple(
            LetterSum(
                currency=currency,
                asked_minor=sum(
                    one.asked_minor for one in content.lines if one.currency == currency
                ),
                interest_minor=sum(
                    one.interest_minor for one in content.lines if one.currency == currency
                ),
                fee_minor=find_amount(rule.fees, currency) if currency in own else 0,
                unapplied_minor=customer.unapplied.get(currency, 0),
                charges_minor=_sum_charges(listed, currency),
            )
            for currency in sorted(own | {one.currency for one in listed})
        ),
    )


def _sum_charges(charges: Sequence[OpenCharge], currency: str) -> int:
    return sum(one.open_minor for one in charges if one.currency == currency)


def list_new_charges(content: LetterContent) -> list[NewCharge]:
    """Return what a letter charges when it goes: its fees, and the interest that it adds."""
    fees = [
        NewCharge(kind=ChargeKind.FEE, currency=one.currency, amount_minor=one.fee_minor)
        for one in content.sums
        if one.fee_minor
    ]
    return fees + [
        NewCharge(
            kind=ChargeKind.INTEREST,
            currency=one.currency,
            amount_minor=one.interest_minor,
            item_id=one.item_id,
            document_no=one.document_no,
            line=one.line,
            from_on=one.interest_from_on,
            until_on=content.as_of,
        )
        for one in content.lines
        if one.interest_minor
    ]


def says_same(left: LetterContent, right: LetterContent) -> bool:
    """Tell whether two letters ask for the same."""
    return _identify(left) == _identify(right)


def _identify(one: LetterContent) -> tuple[object, ...]:
    lines = [replace(each, days_overdue=0) for each in one.lines]
    charges = [(each.charge_id, each.open_minor) for each in one.charges]
    return (one.customer_id, one.segment, one.level, lines, one.sums, charges)
