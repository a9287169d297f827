"""Provision for expected losses: a rate a bucket, specific allowances apart. Pure, in integers.

IFRS 9, simplified approach (5.5.15): lifetime losses by a matrix of days past due (B5.5.35), with
what is looked at one by one taken out of the pool first. A rate is a fraction, so that a rate from
own history is not rounded before it is applied: only the allowance of a line is, half to even to
the minor unit. Formulas: docs/formulas.md, provision.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum

from node.core.errors import RejectedError
from node.core.money import divide_half_even
from node.records.rules_ageing import BUCKET_EDGES
from node.risk.provisions.policy import PPM, ProvisionPolicyBody


class FlowNotComputableError(RejectedError):
    """Own history does not give a rate for each bucket."""

    code = "flow-not-computable"


class LineKind(StrEnum):
    """What a line of a run is of."""

    BUCKET = "bucket"
    SPECIFIC = "specific"


class Stage(IntEnum):
    """Whether credit risk has risen since the sale; information, all losses are lifetime ones."""

    PERFORMING = 1
    RISEN = 2
    IMPAIRED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LossRate:
    """A share that is lost, as a fraction: never rounded by itself."""

    numerator: int
    denominator: int

    def raise_by(self, forward_ppm: int) -> LossRate:
        """Return the rate times the forward factor, at most all of it."""
        numerator, denominator = self.numerator * forward_ppm, self.denominator * PPM
        if numerator >= denominator:
            return LossRate(numerator=1, denominator=1)
        return LossRate(numerator=numerator, denominator=denominator)

    def apply(self, amount_minor: int) -> int:
        """Return what is lost of an amount, rounded half to even to the minor unit."""
        return divide_half_even(amount_minor * self.numerator, self.denominator)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBalance:
    """What of one customer is open by bucket of the policy, in minor units."""

    customer_id: int
    bucket_minors: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Specific:
    """A customer whose balance is looked at by itself, and what of it is taken as lost."""

    customer_id: int
    rate_ppm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionLine:
    """A bucket of the pool, or one customer apart."""

    kind: LineKind
    stage: Stage
    upto_days: int | None
    """The bucket's last day past due; None for the last bucket and of a customer apart."""
    customer_id: int | None
    balance_minor: int
    rate: LossRate
    """Before the forward factor, which a bucket has and a customer apart has not."""
    allowance_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowHistory:
    """What became of invoices that fell due in a time: sums in minor units.

    ``open_minors`` is what was open at the end of each bucket's last day past due, in the order of
    the buckets; ``lost_minor`` is what of the last of these was never paid.
    """

    invoices: int
    sales_minor: int
    open_minors: tuple[int, ...]
    lost_minor: int


def list_policy_rates(policy: ProvisionPolicyBody) -> tuple[LossRate, ...]:
    """Return the rate of each bucket as the policy says it, the last one's at the end."""
    listed = [one.rate_ppm for one in policy.buckets]
    return tuple(LossRate(numerator=ppm, denominator=PPM) for ppm in (*listed, policy.beyond_ppm))


def compute_flow_rates(history: FlowHistory, *, invoices_min: int) -> tuple[LossRate, ...]:
    """Return the rate of each bucket: what was lost of what had come into it.

    Roll rates multiplied from a bucket to the end are lost / sales, lost / open at due, and so on.

    Raises:
        FlowNotComputableError: Too few invoices, or nothing ever came into a bucket.
    """
    if history.invoices < invoices_min:
        raise FlowNotComputableError(
            f"not computable: {history.invoices} invoices, {invoices_min} are needed"
        )
    came_in = (history.sales_minor, *history.open_minors)
    if min(came_in) <= 0:
        raise FlowNotComputableError(
            f"not computable: nothing came into bucket {came_in.index(min(came_in)) + 1}"
        )
    return tuple(
        LossRate(numerator=min(history.lost_minor, came), denominator=came) for came in came_in
    )


def find_stage(policy: ProvisionPolicyBody, *, place: int) -> Stage:
    """Return the stage of a bucket by the day after which it begins."""
    if place == 0:
        return Stage.PERFORMING
    after_days = policy.buckets[place - 1].upto_days
    if after_days >= policy.stage_three_after_days:
        return Stage.IMPAIRED
    return Stage.RISEN if after_days >= policy.stage_two_after_days else Stage.PERFORMING


def build_lines(
    policy: ProvisionPolicyBody,
    rates: Sequence[LossRate],
    balances: Sequence[OpenBalance],
    specifics: Mapping[int, Specific],
) -> tuple[ProvisionLine, ...]:
    """Return the lines of a run: customers apart are taken out of the pool first.

    Args:
        policy: Buckets, forward factor and staging.
        rates: One a bucket, before the forward factor.
        balances: What is open of each customer, by bucket.
        specifics: Who is looked at apart, by the customer's key.
    """
    pool = [0] * len(rates)
    apart: list[ProvisionLine] = []
    for one in balances:
        specific = specifics.get(one.customer_id)
        if specific is None:
            pool = [left + right for left, right in zip(pool, one.bucket_minors, strict=True)]
            continue
        apart.append(_build_specific(specific, sum(one.bucket_minors)))
    upto = [*(bucket.upto_days for bucket in policy.buckets), None]
    buckets = [
        ProvisionLine(
            kind=LineKind.BUCKET,
            stage=find_stage(policy, place=place),
            upto_days=upto[place],
            customer_id=None,
            balance_minor=pool[place],
            rate=rate,
            allowance_minor=rate.raise_by(policy.forward_ppm).apply(pool[place]),
        )
        for place, rate in enumerate(rates)
    ]
    return (*buckets, *sorted(apart, key=lambda line: line.customer_id or 0))


def _build_specific(specific: Specific, balance_minor: int) -> ProvisionLine:
    rate = LossRate(numerator=specific.rate_ppm, denominator=PPM)
    return ProvisionLine(
        kind=LineKind.SPECIFIC,
        stage=Stage.IMPAIRED,
        upto_days=None,
        customer_id=specific.customer_id,
        balance_minor=balance_minor,
        rate=rate,
        allowance_minor=rate.apply(balance_minor),
    )


def group_buckets(ageing_minors: Sequence[int], *, edges: Sequence[int]) -> tuple[int, ...]:
    """Return the sums of the ageing's buckets, which are finer, by bucket of the policy.

    Args:
        ageing_minors: In the order of ``Bucket``.
        edges: The last day past due of each bucket of the policy but the last one.
    """
    sums = [0] * (len(edges) + 1)
    lasts = [edge for edge, _ in BUCKET_EDGES]
    for place, minor in enumerate(ageing_minors):
        last = lasts[place] if place < len(lasts) else None
        found = len(edges) if last is None else bisect_left(edges, last)
        sums[found] += minor
    return tuple(sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPart:
    """Of one invoice what was paid of it on one day; none where nothing ever was."""

    item_id: int
    amount_minor: int
    aged_from: date
    paid_minor: int
    paid_on: date | None


def fold_history(parts: Iterable[FlowPart], *, edges: Sequence[int]) -> FlowHistory:
    """Return what became of invoices, from their parts in any order.

    A credit note makes a loss smaller as a payment does; what was written off was not paid.
    """
    amounts: dict[int, int] = {}
    opens = [0] * len(edges)
    lost = 0
    for one in parts:
        if one.item_id not in amounts:
            amounts[one.item_id] = one.amount_minor
            opens = [so_far + one.amount_minor for so_far in opens]
            lost += one.amount_minor
        if one.paid_on is None:
            continue
        days = (one.paid_on - one.aged_from).days
        opens = [
            so_far - (one.paid_minor if days <= edge else 0)
            for so_far, edge in zip(opens, edges, strict=True)
        ]
        lost -= one.paid_minor
    return FlowHistory(
        invoices=len(amounts),
        sales_minor=sum(amounts.values()),
        open_minors=tuple(opens),
        lost_minor=max(lost, 0),
    )
