"""What members would have told of a customer, day by day, by the node's own disclosure code.

``node.sharing.releases`` reads a database; here the same pure functions run over invoices in memory
in the same order, and a test holds both to the same bytes. Somebody asks every month, the chain
that makes most releases. A variant changes one rule; what no policy may say (fewer than five
invoices, exact figures) is worked out from the window behind the release.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from node.records.behaviour import BehaviourWindow, MonthBehaviour
from node.records.rules_behaviour import (
    InvoiceItem,
    build_month,
    find_settled_date,
    highest_balance,
    mean_index_deci,
)
from node.records.windows import RELEASE_DELAY_DAYS, first_day, last_day, month_of
from node.sharing.disclosure import (
    DisclosurePolicy,
    Release,
    ReleaseBasis,
    apply_consent,
    build_basis,
    build_release,
    choose_release,
    find_tier,
)
from node.sharing.disclosure.rules_safety import INVOICES_MIN_FLOOR
from node.sharing.releases import WINDOW_MONTHS
from schemas.summary import DELAY_CLASSES, DelayClass, Section, Summary, Tier
from scripts.benches.rating_history import NO_EVIDENCE, Evidence, OverdueDays

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scripts.benches.rating_data import Invoice

_ON_TIME = (DelayClass.EARLY, DelayClass.IN_TERMS)
_MILD = (*_ON_TIME, DelayClass.D1_15)
_SEEN = {"none": 0, "<=30": 1, ">30": 2}
_QUARTER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaxedPolicy(DisclosurePolicy):
    """Thresholds that a node refuses: for measuring what they cost, and nothing else.

    ``is_class_renewed`` lets a class of few invoices replace another however little has changed.
    """

    is_class_renewed: bool = False

    def __post_init__(self) -> None:
        """Refuse nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """When releases are made, and of which windows: the longest first, as the node makes them."""

    step_months: int = 1
    lag_days: int = RELEASE_DELAY_DAYS
    lengths: tuple[int, ...] = WINDOW_MONTHS
    is_business: bool = True  # days late from the next business day

    def list_months(self, *, first: date, last: date) -> list[int]:
        """Return the months with which windows end, released up to a day."""
        months = range(month_of(first), month_of(last) + 1)
        return [
            month
            for month in months
            if (month + 1) % self.step_months == 0 and self.release_on(month) <= last
        ]

    def release_on(self, month: int) -> date:
        """Return the day on which a window is released."""
        return last_day(month) + timedelta(days=self.lag_days)


QUARTERS = Grid(step_months=_QUARTER, lag_days=30, lengths=(12,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is told: the node's rules, but for what a variant changes."""

    grid: Grid = field(default_factory=Grid)
    asked_months: int = WINDOW_MONTHS[0]
    policy: DisclosurePolicy = field(default_factory=DisclosurePolicy)
    sections: frozenset[Section] = frozenset(Section)
    is_exact: bool = False
    contributors_min: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """A release that is out, and the window it was made from."""

    summary: Summary
    window: BehaviourWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one summary says, as numbers."""

    tier: Tier
    as_of: date
    evidence: Evidence
    index_deci: int | None
    worst: int | None
    seen: int | None  # 0 on time, 1 late, 2 by more than a month
    is_past_due: bool


class PairLedger:
    """One member's invoices to one customer, and the windows of them."""

    def __init__(self, held: Sequence[Invoice], *, is_business: bool = True) -> None:
        if not is_business:
            held = [replace(one, due_business_on=one.due_on) for one in held]
        self.held = held
        self.overdue = OverdueDays(held)
        self._items: dict[int, list[InvoiceItem]] = defaultdict(list)
        for one in held:
            self._items[month_of(one.due_business_on)].append(one.build_item())
        self._settled_on = {month: find_settled_date(one) for month, one in self._items.items()}
        self._settled: dict[int, MonthBehaviour | None] = {}

    def build_window(self, first: int, last: int, *, as_of: date) -> BehaviourWindow | None:
        """Return a window as ``node.records.derivation`` does; None where nothing was sold yet."""
        sold = [one.issued_on for one in self.held if one.issued_on <= as_of]
        if not sold:
            return None
        months = (self._find_month(month, as_of=as_of) for month in range(first, last + 1))
        opened, until = first_day(first), min(last_day(last), as_of)
        changes = [
            change
            for one in self.held
            for change in ((one.issued_on, one.amount_minor), (one.paid_on, -one.amount_minor))
        ]
        owed = [one for one in self.held if one.issued_on <= as_of < one.paid_on]
        late = [one for one in owed if one.due_business_on < as_of]
        late_days = [(as_of - one.due_business_on).days for one in late]
        return BehaviourWindow(
            currency=self.held[0].currency,
            first_month=first,
            last_month=last,
            as_of=as_of,
            months=tuple(month for month in months if month is not None),
            first_sale_on=min(sold),
            last_sale_on=max(sold),
            high_credit_minor=highest_balance(
                sum(minor for day, minor in changes if day < opened),
                [one for one in changes if opened <= one[0] <= until],
            ),
            owing_minor=sum(one.amount_minor for one in owed),
            past_due_minor=sum(one.amount_minor for one in late),
            oldest_overdue_days=max(late_days, default=None),
        )

    def _find_month(self, month: int, *, as_of: date) -> MonthBehaviour | None:
        if month not in self._items:
            return None
        settled_on = self._settled_on[month]
        if settled_on is None or settled_on > as_of:
            return build_month(month, self._items[month], as_of=as_of)
        if month not in self._settled:
            self._settled[month] = build_month(month, self._items[month], as_of=as_of)
        return self._settled[month]


Windows = dict[tuple[int, int], tuple[BehaviourWindow | None, BehaviourWindow | None]]


class Chain:
    """The windows of one pair on a grid, made once for all policies, and the releases by one."""

    def __init__(self, ledger: PairLedger, *, grid: Grid, months: Sequence[int]) -> None:
        self._grid, self._months = grid, months
        self._windows: Windows = {}
        for month in months:
            for length in grid.lengths:
                now = self._build(ledger, month, length)
                before = None if now is None else self._build(ledger, month - length, length)
                self._windows[month, length] = (now, before)

    def _build(self, ledger: PairLedger, month: int, length: int) -> BehaviourWindow | None:
        return ledger.build_window(month - length + 1, month, as_of=self._grid.release_on(month))

    def list_out(
        self, *, subject: str, asked_months: int, policy: DisclosurePolicy
    ) -> list[Out | None]:
        """Return what is out at the end of each month of the grid, as ``_find_release`` does."""
        earlier: list[tuple[int, Release]] = []  # the newest first
        outs: dict[int, Out] = {}
        found: list[Out | None] = []
        for month in self._months:
            for length in self._grid.lengths:
                window, _ = self._windows[month, length]
                last = next((one for of, one in earlier if of == length), None)
                others = {id(one): one for _, one in earlier if one is not last}
                chosen = self._choose(
                    month, length, last=last, others=others.values(), subject=subject, policy=policy
                )
                if window is not None and chosen.summary is not None and id(chosen) not in outs:
                    outs[id(chosen)] = Out(summary=chosen.summary, window=window)
                earlier.insert(0, (length, chosen))
            found.append(
                outs.get(id(next(one for length, one in earlier if length == asked_months)))
            )
        return found

    def _choose(
        self,
        month: int,
        length: int,
        *,
        last: Release | None,
        others: Iterable[Release],
        subject: str,
        policy: DisclosurePolicy,
    ) -> Release:
        window, before = self._windows[month, length]
        if window is None:
            basis = ReleaseBasis(
                policy=policy.version, first_month=month - length + 1, last_month=month, months=()
            )
            return choose_release(
                last, Release(summary=None, basis=basis), others=others, policy=policy
            )
        policy = _relax_class(policy, window=window, last=last)
        basis = build_basis(window, policy=policy)
        # Whether the last one is repeated for too little change does not depend on the summary,
        # and to make it is what takes time.
        if choose_release(last, Release(summary=None, basis=basis), policy=policy) is last:
            return last
        summary = build_release(window, before, adverse=(), subject=subject, policy=policy)
        return choose_release(
            last, Release(summary=summary, basis=basis), others=others, policy=policy
        )


def _relax_class(
    policy: DisclosurePolicy, *, window: BehaviourWindow, last: Release | None
) -> DisclosurePolicy:
    """Return the thresholds of one step of a chain: others where class follows class."""
    if not isinstance(policy, RelaxedPolicy) or not policy.is_class_renewed:
        return policy
    known = None if last is None else last.summary
    if known is not None and known.tier is not Tier.CLASS:
        return policy
    if find_tier(window, policy=policy) is not Tier.CLASS:
        return policy
    return replace(policy, changed_invoices_min=0)


class Reader:
    """Reads a summary as numbers; what a band or class stands for is learnt from the past.

    A member can learn it from its own ledger: how many invoices are in a band on average, and how
    many of one to four were late where lateness was seen.
    """

    def __init__(self, outs: Iterable[Out]) -> None:
        sums: dict[str, list[Evidence]] = defaultdict(list)
        for out in outs:
            sums[_name_band(out)].append(count_exactly(out.window))
        self._means: Mapping[str, Evidence] = {name: _mean(found) for name, found in sums.items()}

    def read(self, out: Out, *, rules: Rules) -> Told | None:
        """Return what is told where the consent names the sections; None where that is nothing."""
        summary = apply_consent(out.summary, metrics=rules.sections)
        if summary is None:
            return None
        is_exact = rules.is_exact and summary.tier is not Tier.CLASS
        delay, index = summary.delay, summary.index
        worst = None if delay is None else DELAY_CLASSES.index(delay.worst)
        index_deci = None if index is None else 10 * index.value
        if is_exact and index is not None:
            index_deci = mean_index_deci(out.window.months, by_amount=index.weighting == "amount")
        return Told(
            tier=summary.tier,
            as_of=date.fromisoformat(summary.window.as_of),
            evidence=self._count(out, summary, is_exact=is_exact),
            index_deci=index_deci,
            worst=worst,
            seen=_find_seen(summary, worst),
            is_past_due=summary.money is not None and summary.money.past_due not in {None, "0"},
        )

    def _count(self, out: Out, summary: Summary, *, is_exact: bool) -> Evidence:
        mean = self._means.get(_name_band(out), NO_EVIDENCE)
        if summary.tier is Tier.CLASS:
            return mean
        delay, milli = summary.delay, mean.invoices_milli
        if delay is None:
            return NO_EVIDENCE
        if is_exact:
            return count_exactly(out.window)
        shares = {
            name: milli * share // 100
            for name, share in (
                ("late", 100 - sum(delay.mix[one] for one in _ON_TIME)),
                ("early", delay.mix[DelayClass.EARLY]),
                ("grave", 100 - sum(delay.mix[one] for one in _MILD)),
            )
        }
        return Evidence(
            invoices_milli=milli,
            late_milli=shares["late"],
            early_milli=shares["early"],
            grave_milli=shares["grave"],
            late_days_milli=milli * delay.dbt_days,
        )


def count_exactly(window: BehaviourWindow) -> Evidence:
    """Count the invoices behind a release."""
    counts = dict.fromkeys(DELAY_CLASSES, 0)
    for month in window.months:
        for name, count in zip(DELAY_CLASSES, month.delay_counts, strict=True):
            counts[name] += count
    total = sum(counts.values())
    return Evidence(
        invoices_milli=1000 * total,
        late_milli=1000 * (total - sum(counts[one] for one in _ON_TIME)),
        early_milli=1000 * counts[DelayClass.EARLY],
        grave_milli=1000 * (total - sum(counts[one] for one in _MILD)),
        late_days_milli=1000 * sum(month.late_days_sum for month in window.months),
    )


def _name_band(out: Out) -> str:
    summary = out.summary
    if summary.lateness is not None:
        return f"seen {summary.lateness.seen}"
    if summary.volume is None:
        return "many"
    few = sum(month.invoice_count for month in out.window.months) < INVOICES_MIN_FLOOR
    return "1-4" if few else summary.volume.n_invoices  # a band that no summary names


def _find_seen(summary: Summary, worst: int | None) -> int | None:
    if summary.lateness is not None:
        return _SEEN[summary.lateness.seen]
    if worst is None:
        return None
    if worst < DELAY_CLASSES.index(DelayClass.D1_15):
        return 0
    return 1 if worst <= DELAY_CLASSES.index(DelayClass.D16_30) else 2


def _mean(found: Sequence[Evidence]) -> Evidence:
    total, count = NO_EVIDENCE, len(found)
    for one in found:
        total = total.add(one)
    return Evidence(
        invoices_milli=total.invoices_milli // count,
        late_milli=total.late_milli // count,
        early_milli=total.early_milli // count,
        grave_milli=total.grave_milli // count,
        late_days_milli=total.late_days_milli // count,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Everything told of every customer: by customer, member and month of the grid."""

    days: tuple[date, ...]
    told: Mapping[str, Mapping[int, Sequence[Told | None]]]
    ledgers: Mapping[tuple[int, str], PairLedger]
    has_overdue: bool

    def list_told(self, customer: str, *, day: date, asking: int) -> list[tuple[int, Told]]:
        """Return what the other members tell on a day, each by its number."""
        place = bisect_right(self.days, day) - 1
        if place < 0:
            return []
        found = ((member, one[place]) for member, one in self.told.get(customer, {}).items())
        return [(member, one) for member, one in found if one is not None and member != asking]

    def find_overdue(self, customer: str, member: int, *, day: date) -> int | None:
        """Return the lower edge of the present overdue class; None is nothing, or not told."""
        if not self.has_overdue:
            return None
        days = self.ledgers[member, customer].overdue.find(day)
        return None if days is None else max(edge for edge in (1, 31, 61, 91) if edge <= days)


def build_ledgers(
    invoices: Iterable[Invoice], *, is_business: bool = True
) -> dict[tuple[int, str], PairLedger]:
    """Return each member's ledger of each customer."""
    held: dict[tuple[int, str], list[Invoice]] = defaultdict(list)
    for one in invoices:
        held[one.member, one.customer].append(one)
    return {pair: PairLedger(one, is_business=is_business) for pair, one in sorted(held.items())}


def build_chains(
    ledgers: Mapping[tuple[int, str], PairLedger], *, grid: Grid, months: Sequence[int]
) -> dict[tuple[int, str], Chain]:
    """Return the windows of every pair on a grid."""
    return {pair: Chain(one, grid=grid, months=months) for pair, one in ledgers.items()}


Outs = dict[tuple[int, str], "list[Out | None]"]


def list_outs(chains: Mapping[tuple[int, str], Chain], *, rules: Rules) -> Outs:
    """Return what is out of every pair under some rules."""
    return {
        (member, customer): chain.list_out(
            subject=f"sim:{customer}", asked_months=rules.asked_months, policy=rules.policy
        )
        for (member, customer), chain in chains.items()
    }


def collect_answers(
    ledgers: Mapping[tuple[int, str], PairLedger],
    outs: Outs,
    *,
    months: Sequence[int],
    rules: Rules,
    learn_until: date,
) -> Answers:
    """Return what is told of what is out; bands are read as those released by a day teach."""
    days = tuple(rules.grid.release_on(month) for month in months)
    known = sum(day <= learn_until for day in days)
    reader = Reader(
        out
        for row in outs.values()
        for out in {id(one): one for one in row[:known] if one is not None}.values()
    )
    told: dict[str, dict[int, list[Told | None]]] = defaultdict(dict)
    for (member, customer), row in outs.items():
        by_out = {id(one): reader.read(one, rules=rules) for one in row if one is not None}
        read = [by_out.get(id(one)) for one in row]
        if any(read):
            told[customer][member] = read
    return Answers(
        days=days, told=told, ledgers=ledgers, has_overdue=Section.OVERDUE_NOW in rules.sections
    )
