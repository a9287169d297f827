"""Provision by matrix, by flow, with a forward factor, with customers apart; and how it moves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from node.assessment.policy_file import PolicyInvalidError
from node.risk.provisions.policy import (
    ProvisionPolicyBody,
    parse_provision_policy,
    read_preset_provision_policy,
)
from node.risk.provisions.policy_kind import build_provision_kind
from node.risk.provisions.rules_movement import (
    Movement,
    compute_movement,
    convert_movement,
)
from node.risk.provisions.rules_provision import (
    FlowHistory,
    FlowNotComputableError,
    LossRate,
    OpenBalance,
    ProvisionLine,
    Specific,
    Stage,
    build_lines,
    compute_flow_rates,
    list_policy_rates,
)

POLICY = read_preset_provision_policy().body
SHIPPED: dict[str, Any] = json.loads(build_provision_kind().presets[0])
# Domain reference, worked case T2: of 100,000 sold 2,000 were lost; amounts in minor units.
FLOW = FlowHistory(
    invoices=40,
    sales_minor=10_000_000,
    open_minors=(5_000_000, 2_300_000, 800_000, 200_000),
    lost_minor=200_000,
)
OPEN = (30_000_000, 14_000_000, 6_000_000, 2_300_000, 500_000)


def provide(
    *minors: int,
    policy: ProvisionPolicyBody = POLICY,
    rates: tuple[LossRate, ...] = (),
    apart: tuple[Specific, ...] = (),
    customer_id: int = 1,
) -> tuple[ProvisionLine, ...]:
    return build_lines(
        policy,
        rates or list_policy_rates(policy),
        [OpenBalance(customer_id=customer_id, bucket_minors=minors)],
        {one.customer_id: one for one in apart},
    )


def test_the_standards_own_example_comes_out_to_the_cent() -> None:
    million = 100_000_000
    lines = provide(15 * million, 750_000_000, 4 * million, 250_000_000, million)

    assert [one.allowance_minor for one in lines] == [
        4_500_000,
        12_000_000,
        14_400_000,
        16_500_000,
        10_600_000,
    ]
    assert sum(one.allowance_minor for one in lines) == 58_000_000
    assert [one.stage for one in lines] == [
        Stage.PERFORMING,
        Stage.PERFORMING,
        Stage.RISEN,
        Stage.RISEN,
        Stage.IMPAIRED,
    ]


@pytest.mark.parametrize(
    ("forward_ppm", "allowance_minor"),
    [(1_000_000, 2_756_739), (1_200_000, 3_208_087)],
    ids=["as history says", "a fifth worse, at most all"],
)
def test_rates_of_own_flow_are_not_rounded_before_they_are_applied(
    forward_ppm: int, allowance_minor: int
) -> None:
    policy = POLICY.model_copy(update={"forward_ppm": forward_ppm})
    rates = compute_flow_rates(FLOW, invoices_min=30)
    lines = provide(*OPEN, policy=policy, rates=rates)

    assert sum(one.allowance_minor for one in lines) == allowance_minor
    assert lines[-1].allowance_minor == 500_000  # 100 % cannot become 120 %


@pytest.mark.parametrize(
    "history",
    [
        replace(FLOW, invoices=29),
        replace(FLOW, open_minors=(5_000_000, 2_300_000, 800_000, 0), lost_minor=0),
        replace(FLOW, sales_minor=0),
    ],
    ids=["too few invoices", "nothing ever 90 days late", "no sales"],
)
def test_a_flow_that_does_not_give_every_rate_is_not_computable(history: FlowHistory) -> None:
    with pytest.raises(FlowNotComputableError, match="not computable"):
        compute_flow_rates(history, invoices_min=30)


def test_an_insolvent_customer_is_taken_out_of_the_pool_first() -> None:
    balances = [
        OpenBalance(customer_id=1, bucket_minors=(100_000, 0, 0, 0, 50_000)),
        OpenBalance(customer_id=2, bucket_minors=(400_000, 0, 0, 0, 100_000)),
    ]
    apart = {1: Specific(customer_id=1, rate_ppm=600_000)}
    lines = build_lines(POLICY, list_policy_rates(POLICY), balances, apart)

    assert [one.balance_minor for one in lines] == [400_000, 0, 0, 0, 100_000, 150_000]
    assert [one.allowance_minor for one in lines] == [1_200, 0, 0, 0, 10_600, 90_000]
    assert (lines[-1].customer_id, lines[-1].stage) == (1, Stage.IMPAIRED)


def test_half_a_minor_unit_is_rounded_to_even() -> None:
    rate = LossRate(numerator=1, denominator=2)

    assert [rate.apply(one) for one in (1, 3, 5)] == [0, 2, 2]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("buckets", [{"upto_days": 30, "rate_ppm": 1}]),
        ("buckets", [{"upto_days": 0, "rate_ppm": 1}, {"upto_days": 45, "rate_ppm": 2}]),
        ("buckets", [{"upto_days": 0, "rate_ppm": 1_000_001}]),
        ("stage_two_after_days", 45),
        ("stage_two_after_days", 90),
        ("forward_ppm", 0),
        ("beyond_ppm", 0.5),
        ("more", 1),
    ],
)
def test_a_policy_that_is_not_whole_is_refused(member: str, value: object) -> None:
    raw = json.dumps({**SHIPPED, member: value}).encode()

    with pytest.raises(PolicyInvalidError):
        parse_provision_policy(raw)


def line_of(allowance_minor: int, *, customer_id: int | None = None) -> ProvisionLine:
    made = provide(0, 0, 0, 0, 0)[0]
    return replace(made, allowance_minor=allowance_minor, customer_id=customer_id)


@pytest.mark.parametrize(
    ("opening", "closing", "written_off", "moved"),
    [
        ({None: 500}, {None: 700}, {}, (500, 200, 0, 0, 700)),
        ({None: 500}, {None: 450}, {7: 200}, (500, 150, 0, 200, 450)),
        ({None: 500}, {None: 100}, {7: 900}, (500, 100, 0, 500, 100)),
        ({None: 500}, {None: 450, 7: 300}, {}, (500, 300, 50, 0, 750)),
        ({None: 400, 7: 300}, {None: 400}, {7: 250}, (700, 0, 50, 250, 400)),
        ({None: 500}, {None: 400}, {7: -100}, (500, 0, 100, 0, 400)),
        ({}, {None: 80}, {}, (0, 80, 0, 0, 80)),
    ],
    ids=[
        "added",
        "used and added",
        "more written off than provided for",
        "moved to a customer apart",
        "a customer apart written off, the rest released",
        "a write-off reversed",
        "the first run",
    ],
)
def test_a_movement_adds_up(
    opening: dict[int | None, int],
    closing: dict[int | None, int],
    written_off: dict[int, int],
    moved: tuple[int, int, int, int, int],
) -> None:
    found = compute_movement(
        [line_of(minor, customer_id=key) for key, minor in opening.items()],
        [line_of(minor, customer_id=key) for key, minor in closing.items()],
        written_off=written_off,
    )

    assert moved == (
        found.opening_minor,
        found.added_minor,
        found.released_minor,
        found.used_minor,
        found.closing_minor,
    )


def test_in_another_currency_the_rest_is_the_currencys_effect() -> None:
    moved = Movement(
        opening_minor=1_000,
        added_minor=500,
        released_minor=0,
        used_minor=200,
        currency_effect_minor=0,
        closing_minor=1_300,
        written_off_minor=200,
    )

    found = convert_movement(moved, at_opening=lambda one: one * 7, at_closing=lambda one: one * 8)

    assert (found.opening_minor, found.used_minor, found.added_minor) == (7_000, 1_600, 4_000)
    assert (found.currency_effect_minor, found.closing_minor) == (1_000, 10_400)
