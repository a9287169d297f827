"""The canonical release: the one summary of a subject and window, the same for every receiver.

- ``full``: enough invoices in enough months, and none dominates.
- ``mix``: enough, but one dominates: counts and classes, no money, and every mean weighted by
  count, so that no amount has any influence on the text.
- ``class``: too few: the lateness seen and the relation, no count.
- none: no invoice that says anything.

The present overdue class is no part of it (``rules_consent``), and whether it replaces the last
release is decided in ``rules_differencing``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from node.core.errors import InvariantError
from node.records.behaviour import AdverseEvent, BehaviourWindow
from node.records.windows import format_month
from node.sharing.disclosure import rules_bands as bands
from node.sharing.disclosure import rules_mix
from node.sharing.disclosure.rules_safety import (
    DisclosurePolicy,
    has_frequency,
    is_safe_cell,
    is_safe_sum,
)
from schemas.summary import (
    DELAY_CLASSES,
    Adverse,
    AdverseFact,
    Delay,
    DelayClass,
    Disputes,
    Index,
    Lateness,
    Money,
    Relation,
    Summary,
    Tier,
    Trend,
    Volume,
    Window,
)

ADVERSE_FACTS_MAX = 16
TREND_DECI_MIN = 50  # a change of the index by 5 points counts
LATE_DAYS_MILD = 30
_LATE_MILD = (DelayClass.D1_15, DelayClass.D16_30)
_LATE_GRAVE = (DelayClass.D31_60, DelayClass.D61_90, DelayClass.D91_120, DelayClass.OVER_120)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Totals:
    """The months of a window in one."""

    invoice_count: int
    month_count: int
    amount_minor: int
    paid_minor: int
    largest_minor: int
    second_minor: int
    delay_counts: tuple[int, ...]
    index_deci_sum: int
    index_deci_by_amount: int
    late_days_sum: int
    late_days_by_amount: int
    disputed_count: int

    def count(self, *classes: DelayClass) -> int:
        return sum(self.delay_counts[DELAY_CLASSES.index(delay_class)] for delay_class in classes)


def _sum_window(window: BehaviourWindow) -> _Totals:
    months = window.months
    amounts = [
        0,
        0,
        *(amount for one in months for amount in (one.largest_minor, one.second_minor)),
    ]
    largest_minor, second_minor = sorted(amounts, reverse=True)[:2]
    empty = (0,) * len(DELAY_CLASSES)
    by_class = zip(empty, *(one.delay_counts for one in months), strict=True)
    return _Totals(
        invoice_count=sum(one.invoice_count for one in months),
        month_count=sum(1 for one in months if one.invoice_count > 0),
        amount_minor=sum(one.amount_minor for one in months),
        paid_minor=sum(one.paid_minor for one in months),
        largest_minor=largest_minor,
        second_minor=second_minor,
        delay_counts=tuple(sum(counts) for counts in by_class),
        index_deci_sum=sum(one.index_deci_sum for one in months),
        index_deci_by_amount=sum(one.index_deci_by_amount for one in months),
        late_days_sum=sum(one.late_days_sum for one in months),
        late_days_by_amount=sum(one.late_days_by_amount for one in months),
        disputed_count=sum(one.disputed_count for one in months),
    )


def find_tier(window: BehaviourWindow, *, policy: DisclosurePolicy) -> Tier | None:
    """Return how much a window may let out, or None where it says nothing.

    Many invoices in too few months let out no more than few do.
    """
    return _find_tier(window, _sum_window(window), policy=policy)


def _find_tier(
    window: BehaviourWindow, totals: _Totals, *, policy: DisclosurePolicy
) -> Tier | None:
    if totals.invoice_count == 0:
        return None
    frequent = has_frequency(
        invoice_count=totals.invoice_count,
        month_count=totals.month_count,
        window_months=window.last_month - window.first_month + 1,
        policy=policy,
    )
    if not frequent:
        return Tier.CLASS
    safe = is_safe_sum(
        total_minor=totals.amount_minor,
        largest_minor=totals.largest_minor,
        second_minor=totals.second_minor,
        policy=policy,
    )
    return Tier.FULL if safe else Tier.MIX


def build_release(
    window: BehaviourWindow,
    previous: BehaviourWindow | None,
    *,
    adverse: Sequence[AdverseEvent],
    subject: str,
    policy: DisclosurePolicy,
) -> Summary | None:
    """Build the summary of a window with every section that its tier allows, or None.

    Args:
        window: The window to release; of its adverse facts nothing is read.
        adverse: The facts that may be shared. What is left out leaves no trace: no other section
            knows of them, and none is written as of somebody who never had any.
        previous: The window of as many months before it, for the trend; None gives no trend.
        subject: The subject's identifier, ``scheme:value``.
        policy: The thresholds.

    Raises:
        InvariantError: The previous window is not before this one, or in another currency.
    """
    totals = _sum_window(window)
    tier = _find_tier(window, totals, policy=policy)
    if tier is None:
        return None
    label = Window(
        first=format_month(window.first_month),
        last=format_month(window.last_month),
        as_of=window.as_of.isoformat(),
    )
    relation = _build_relation(window)
    if tier is Tier.CLASS:
        return Summary(
            v=1,
            kind="payment-behaviour-summary",
            formula="pbs-1",
            tier=tier,
            subject=subject,
            window=label,
            contributors=1,
            relation=relation,
            lateness=_build_lateness(window, totals),
        )
    is_full = tier is Tier.FULL
    return Summary(
        v=1,
        kind="payment-behaviour-summary",
        formula="pbs-1",
        tier=tier,
        subject=subject,
        window=label,
        contributors=1,
        relation=relation,
        volume=Volume(n_invoices=bands.band_count(totals.invoice_count)),
        money=_build_money(window, totals, policy=policy) if is_full else None,
        index=_build_index(totals, by_amount=is_full),
        delay=_build_delay(totals, by_amount=is_full, policy=policy),
        trend=_build_trend(window, previous, by_amount=is_full, policy=policy),
        disputes=Disputes(
            count=bands.band_dispute_count(totals.disputed_count),
            share=bands.band_dispute_share(
                disputed_count=totals.disputed_count, invoice_count=totals.invoice_count
            ),
        ),
        adverse=build_adverse(adverse),
    )


def _build_relation(window: BehaviourWindow) -> Relation | None:
    if window.first_sale_on is None or window.last_sale_on is None:
        return None
    return Relation(
        years=bands.band_years(first_sale_on=window.first_sale_on, as_of=window.as_of),
        last_sale=bands.band_last_sale(last_sale_on=window.last_sale_on, as_of=window.as_of),
    )


def _build_lateness(window: BehaviourWindow, totals: _Totals) -> Lateness:
    """Name the worst lateness; for what is still unpaid, the oldest item overdue stands."""
    unpaid = totals.count(DelayClass.UNPAID) > 0
    unpaid_long = unpaid and (window.oldest_overdue_days or 0) > LATE_DAYS_MILD
    if unpaid_long or totals.count(*_LATE_GRAVE):
        return Lateness(seen=">30")
    return Lateness(seen="<=30" if unpaid or totals.count(*_LATE_MILD) else "none")


def _build_money(
    window: BehaviourWindow, totals: _Totals, *, policy: DisclosurePolicy
) -> Money | None:
    """Band the cells that are safe; ``owing`` and ``past_due`` are both shown or both not.

    One or two invoices past due are not shown apart in the mix, so their amount is not shown
    either; and since what is owed but not past due may be known (it is the recent deliveries), the
    balance would give them away.
    """

    def show(amount_minor: int) -> str | None:
        safe = is_safe_cell(
            amount_minor,
            largest_minor=totals.largest_minor,
            second_minor=totals.second_minor,
            policy=policy,
        )
        return bands.band_money(amount_minor, currency=window.currency) if safe else None

    amount_paid, high_credit = show(totals.paid_minor), show(window.high_credit_minor)
    owing, past_due = show(window.owing_minor), show(window.past_due_minor)
    is_rare = window.past_due_minor > 0 and (
        totals.count(DelayClass.UNPAID) < policy.class_invoices_min
    )
    if is_rare or owing is None or past_due is None:
        owing = past_due = None
    if (amount_paid, high_credit, owing) == (None, None, None):
        return None
    return Money(
        currency=window.currency,
        amount_paid=amount_paid,
        high_credit=high_credit,
        owing=owing,
        past_due=past_due,
    )


def _weighting(*, by_amount: bool) -> Literal["amount", "count"]:
    return "amount" if by_amount else "count"


def _index_fraction(totals: _Totals, *, by_amount: bool) -> tuple[int, int]:
    """Return the index in tenths of a point as a sum and its weight."""
    if by_amount:
        return totals.index_deci_by_amount, totals.amount_minor
    return totals.index_deci_sum, totals.invoice_count


def _build_index(totals: _Totals, *, by_amount: bool) -> Index:
    weighted_deci, weight = _index_fraction(totals, by_amount=by_amount)
    return Index(
        value=bands.round_index(weighted_deci=weighted_deci, weight=weight),
        weighting=_weighting(by_amount=by_amount),
    )


def _build_delay(totals: _Totals, *, by_amount: bool, policy: DisclosurePolicy) -> Delay:
    merged = rules_mix.merge_small_classes(
        totals.delay_counts, invoices_min=policy.class_invoices_min
    )
    worst = rules_mix.find_worst(merged)
    if worst is None:
        raise InvariantError("the delay classes count no invoice of a window that has some")
    return Delay(
        mix=rules_mix.build_mix(merged),
        dbt_days=bands.round_late_days(
            weighted_days=totals.late_days_by_amount if by_amount else totals.late_days_sum,
            weight=totals.amount_minor if by_amount else totals.invoice_count,
        ),
        dbt_weighting=_weighting(by_amount=by_amount),
        worst=worst,
    )


def _build_trend(
    window: BehaviourWindow,
    previous: BehaviourWindow | None,
    *,
    by_amount: bool,
    policy: DisclosurePolicy,
) -> Trend | None:
    """Compare the exact indices; by amount only where no invoice dominates either window."""
    if previous is None:
        return None
    if previous.last_month >= window.first_month or previous.currency != window.currency:
        raise InvariantError("the trend compares with a window before, in the same currency")
    before = _sum_window(previous)
    tier_before = _find_tier(previous, before, policy=policy)
    if tier_before not in {Tier.FULL, Tier.MIX}:
        return None
    both = by_amount and tier_before is Tier.FULL
    now_deci, now_weight = _index_fraction(_sum_window(window), by_amount=both)
    before_deci, before_weight = _index_fraction(before, by_amount=both)
    change = now_deci * before_weight - before_deci * now_weight
    least = TREND_DECI_MIN * now_weight * before_weight
    if change >= least:
        return Trend(direction="better")
    return Trend(direction="worse" if change <= -least else "same")


def build_adverse(events: Sequence[AdverseEvent]) -> Adverse:
    """List each fact once, the newest where there are too many, in an order of their own."""
    facts = sorted(
        {(bands.format_quarter(one.happened_on), one.kind, one.settled) for one in events}
    )
    return Adverse(
        facts=[
            AdverseFact.from_object({"kind": kind, "quarter": quarter, "settled": settled})
            for quarter, kind, settled in facts[-ADVERSE_FACTS_MAX:]
        ]
    )
