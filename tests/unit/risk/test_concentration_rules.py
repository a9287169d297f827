"""Shares, the largest, the index, limits; and what a scenario does to grades and losses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from node.assessment.policy_file import PolicyInvalidError
from node.rating.rules_loss import expected_loss_minor
from node.rating.scale import parse_scale
from node.rating.scale_kind import build_scale_kind
from node.risk.portfolio.policy import parse_portfolio_policy
from node.risk.portfolio.policy_kind import build_portfolio_kind
from node.risk.portfolio.rules_concentration import (
    Dimension,
    Holding,
    concentrate,
    find_index_breach,
    find_share_breaches,
)
from node.risk.register.rules_register import (
    EntryEvent,
    EntryState,
    Figures,
    judge_change,
    list_computed,
)
from node.risk.stress.rules_stress import Scenario, apply_scenario, count_unmoved, sum_up

SHIPPED: dict[str, Any] = json.loads(build_portfolio_kind().presets[0])
SCALE = next(
    one.body
    for one in map(parse_scale, build_scale_kind().presets)
    if (one.body.id, one.body.version) == ("gbt22116", 2)
)
LGD = 600_000


def hold(key: int, minor: int, *, grade: str | None = "A", **more: Any) -> Holding:  # noqa: ANN401
    pd_ppm = next((one.pd_ppm for one in SCALE.grades if one.grade == grade), None)
    values: dict[str, Any] = {
        "customer_id": key,
        "country": "CN",
        "industry": None,
        "group_id": key,
        "grade": grade,
        "pd_ppm": pd_ppm,
        "exposure_minor": minor,
        "expected_loss_minor": None
        if pd_ppm is None
        else expected_loss_minor(pd_ppm=pd_ppm, lgd_ppm=LGD, ead_minor=minor),
    }
    return Holding(**values | more)


@pytest.mark.parametrize(
    ("minors", "hhi", "top"),
    [
        ((), None, (0, 0)),
        ((70,), 10_000, (1_000, 1_000)),
        ((50, 30, 20), 3_800, (500, 1_000)),  # 50² + 30² + 20²
        ((10,) * 10, 1_000, (100, 300)),  # ten alike: 10,000 / 10
        ((1, 1, 1), 3_333, (333, 1_000)),
    ],
)
def test_the_index_is_the_sum_of_the_squares_of_the_shares(
    minors: tuple[int, ...], hhi: int | None, top: tuple[int, int]
) -> None:
    found = concentrate(
        [hold(key, minor) for key, minor in enumerate(minors, 1)], Dimension.CUSTOMER, top=(1, 3)
    )

    assert found.hhi == hhi
    assert tuple(one.share_permille for one in found.top) == top
    assert [one.exposure_minor for one in found.parts] == sorted(minors, reverse=True)


def test_a_group_is_one_part_and_the_unknown_another_without_a_limit() -> None:
    holdings = [
        hold(1, 300, group_id=1, industry="C26"),
        hold(2, 300, group_id=1),
        hold(3, 400, grade=None),
    ]
    groups = concentrate(holdings, Dimension.GROUP, top=(1,))
    industries = concentrate(holdings, Dimension.INDUSTRY, top=(1,))

    assert [(one.key, one.customer_ids, one.share_permille) for one in groups.parts] == [
        ("1", (1, 2), 600),
        ("3", (3,), 400),
    ]
    assert (industries.unknown_minor, industries.parts[0].key) == (700, None)
    assert [one.key for one in find_share_breaches(industries, limit_permille=250)] == ["C26"]
    assert industries.parts[0].unrated_minor == 400


@pytest.mark.parametrize(
    ("limit", "only", "exempt", "keys"),
    [
        (500, (), (), []),  # exactly at the limit is kept
        (499, (), (), ["CN"]),
        (200, (), ("CN",), ["DE"]),
        (200, ("FR",), (), []),
        (100, ("FR", "DE"), (), ["DE", "FR"]),
    ],
)
def test_a_limit_is_of_all_parts_of_some_or_of_all_but_some(
    limit: int, only: tuple[str, ...], exempt: tuple[str, ...], keys: list[str]
) -> None:
    found = concentrate(
        [
            hold(1, 500, country="CN"),
            hold(2, 300, country="DE"),
            hold(3, 200, country="FR"),
        ],
        Dimension.COUNTRY,
        top=(1,),
    )

    breaches = find_share_breaches(found, limit_permille=limit, only=only, exempt=exempt)

    assert [one.key for one in breaches] == keys


def test_where_nobody_has_a_grade_no_loss_is_known_and_none_is_said_to_be_nothing() -> None:
    found = [concentrate([hold(1, 50, grade=None)], one, top=(1,)) for one in Dimension]
    breaches = find_share_breaches(found[0], limit_permille=100)

    computed = list_computed(found, breaches, currency="CNY", lgd_ppm=LGD, pd_by_grade=())

    assert found[0].parts[0].expected_loss_minor is None
    assert [(one.cause, one.figures.expected_loss_minor) for one in computed] == [
        ("concentration:customer:1", None),
        ("expected-loss:unrated", None),
    ]


def test_the_index_has_a_limit_of_its_own() -> None:
    found = concentrate([hold(1, 50), hold(2, 50)], Dimension.CUSTOMER, top=(1,))

    breach = find_index_breach(found, limit=4_999)

    assert find_index_breach(found, limit=5_000) is None
    assert breach is not None
    assert (breach.key, breach.value, breach.limit) == (None, 5_000, 4_999)


def test_grades_fall_within_the_scale_and_a_default_is_d() -> None:
    holdings = [
        hold(1, 500_000_00),
        hold(2, 100_000_00, grade="CC"),
        hold(3, 100_000_00, grade=None),
        hold(4, 100_000_00, grade="BBB"),
    ]
    scenario = Scenario(notches=2, defaults=frozenset({4}))

    after = apply_scenario(holdings, scenario, scale=SCALE, lgd_ppm=LGD)

    assert [one.grade for one in after] == ["BB", "C", None, "D"]
    assert after[3].expected_loss_minor == 60_000_00  # all of it by 60 %
    assert after[0].expected_loss_minor == expected_loss_minor(
        pd_ppm=25_000, lgd_ppm=LGD, ead_minor=500_000_00
    )
    totals = sum_up(after, scale=SCALE)
    assert (totals.unrated_minor, totals.defaulted_minor) == (100_000_00, 100_000_00)
    assert count_unmoved(holdings, scenario) == 1


@pytest.mark.parametrize(
    ("narrowed", "moved"),
    [
        ({}, {1, 2, 3}),
        ({"customers": frozenset({1, 2})}, {1, 2}),
        ({"countries": frozenset({"DE"})}, {2}),
        ({"grades": frozenset({"A"}), "countries": frozenset({"CN"})}, {1}),
        ({"industries": frozenset({"C26"})}, {3}),
    ],
)
def test_a_scenario_is_of_those_who_are_of_every_list(
    narrowed: dict[str, Any], moved: set[int]
) -> None:
    holdings = [
        hold(1, 10),
        hold(2, 10, country="DE"),
        hold(3, 10, grade="BB", industry="C26"),
    ]

    after = apply_scenario(holdings, Scenario(notches=1, **narrowed), scale=SCALE, lgd_ppm=LGD)

    assert {
        one.customer_id for one, old in zip(after, holdings, strict=True) if one != old
    } == moved


@pytest.mark.parametrize(
    "changed",
    [
        {"top": [5, 1]},
        {"top": []},
        {"hhi_limits": [{"dimension": "customer", "hhi": 1}, {"dimension": "customer", "hhi": 2}]},
        {"limits": [{"dimension": "grade", "share_permille": 1, "only": ["C"], "exempt": ["D"]}]},
    ],
    ids=["falls", "none", "twice", "only-and-exempt"],
)
def test_a_policy_that_makes_no_sense_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(PolicyInvalidError):
        parse_portfolio_policy(json.dumps({**SHIPPED, **changed}).encode())


def figures(loss: int | None = None, *, value: int | None = None) -> Figures:
    return Figures(
        currency="CNY",
        exposure_minor=100,
        expected_loss_minor=loss,
        value=value,
        limit=None if value is None else 100,
    )


@pytest.mark.parametrize(
    ("judged", "held", "found", "event"),
    [
        pytest.param(figures(500), figures(500), figures(500), None, id="nothing-new"),
        pytest.param(figures(500), figures(500), figures(999), EntryEvent.UPDATED, id="not-yet"),
        pytest.param(figures(500), figures(500), figures(1_000), EntryEvent.WORSENED, id="twice"),
        pytest.param(
            figures(500), figures(500), figures(520), EntryEvent.UPDATED, id="over-a-power-of-two"
        ),
        pytest.param(figures(500), figures(999), figures(1_001), EntryEvent.WORSENED, id="slowly"),
        pytest.param(figures(500), figures(10), figures(900), EntryEvent.UPDATED, id="back-again"),
        pytest.param(figures(), figures(), figures(1), EntryEvent.WORSENED, id="from-none"),
        pytest.param(figures(0), figures(0), figures(), EntryEvent.UPDATED, id="none-is-no-more"),
        pytest.param(
            figures(1, value=119),
            figures(1, value=119),
            figures(9, value=119),
            EntryEvent.UPDATED,
            id="same-tenth",
        ),
        pytest.param(
            figures(1, value=109),
            figures(1, value=109),
            figures(1, value=110),
            EntryEvent.WORSENED,
            id="next-tenth",
        ),
    ],
)
def test_a_computed_entry_is_worse_against_what_was_last_judged(
    judged: Figures, held: Figures, found: Figures, event: EntryEvent | None
) -> None:
    assert judge_change(held, found, judged=judged, state=EntryState.OPEN) is event
    assert judge_change(held, found, judged=judged, state=EntryState.CLOSED) is EntryEvent.REOPENED
