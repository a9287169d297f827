"""Where models lie on the master scale, and from how many grades on they lie apart."""

from __future__ import annotations

import json

import pytest

from node.assessment.policy_file import PolicyInvalidError
from node.assessment.statements.rules_altman import Zone
from node.rating.models.rules_outcome import ScoreCode, judge_scope
from node.rating.panel.policy import parse_panel_policy, read_preset_panel_policy
from node.rating.panel.rules_panel import (
    Opinion,
    Placed,
    Ranks,
    find_apart,
    place_index,
    place_probability,
    place_score,
    place_zone,
)
from node.records.behaviour import AdverseEvent
from tests.unit.assessment.builders import AS_OF, build_own

POLICY = read_preset_panel_policy().body
GRADES = [one.grade for one in POLICY.grades]


def at(opinion: Opinion, best: str, worst: str | None = None, label: str = "") -> Placed:
    ranks = Ranks(best=GRADES.index(best), worst=GRADES.index(worst or best))
    return Placed(opinion=opinion, ranks=ranks, label=label)


@pytest.mark.parametrize(
    ("score_deci", "grade"), [(1_000, "AAA"), (900, "AAA"), (899, "AA"), (600, "BBB"), (0, "C")]
)
def test_a_score_lies_on_the_grade_of_the_preset(score_deci: int, grade: str) -> None:
    assert GRADES[place_score(score_deci, POLICY).best] == grade


@pytest.mark.parametrize(
    ("probability_ppm", "grade"),
    [(0, "AAA"), (500, "AAA"), (501, "AA"), (19_608, "BB"), (25_000, "BB"), (300_001, "C")],
)
def test_a_probability_lies_on_the_grade_that_states_it(probability_ppm: int, grade: str) -> None:
    assert GRADES[place_probability(probability_ppm, POLICY).best] == grade


@pytest.mark.parametrize(
    ("index_deci", "span"), [(800, ("AAA", "A")), (799, ("BBB", "B")), (499, ("CCC", "C"))]
)
def test_a_payment_index_covers_the_grades_of_its_band(
    index_deci: int, span: tuple[str, str]
) -> None:
    ranks = place_index(index_deci, POLICY)

    assert (GRADES[ranks.best], GRADES[ranks.worst]) == span


def test_each_of_altmans_zones_covers_grades_and_none_twice() -> None:
    covered = [
        rank
        for zone in Zone
        for rank in range(place_zone(zone, POLICY).best, place_zone(zone, POLICY).worst + 1)
    ]

    assert sorted(covered) == list(range(len(GRADES)))


def test_two_grades_apart_are_named_and_one_is_not() -> None:
    placed = (
        at(Opinion.EXPERT, "A"),
        at(Opinion.CHAMPION, "BB", label="ledger-1"),
        at(Opinion.CHALLENGER, "AAA", label="ledger-2"),
        at(Opinion.Z_PRIME, "BBB"),
    )

    found = find_apart(placed, POLICY)

    assert [(one.code, one.ranks) for one in found] == [
        ("champion.worse-than.expert", 2),
        ("challenger.better-than.expert", 2),
        ("challenger.better-than.champion", 4),
    ]


def test_a_span_lies_apart_by_its_nearest_grade_only() -> None:
    placed = (at(Opinion.EXPERT, "AA"), at(Opinion.INDEX_OWN, "A", "CCC"))
    further = (at(Opinion.EXPERT, "AAA"), at(Opinion.INDEX_OWN, "A", "CCC"))

    assert find_apart(placed, POLICY) == ()
    assert [one.ranks for one in find_apart(further, POLICY)] == [2]


def test_without_an_expert_score_nothing_lies_apart_from_it() -> None:
    assert find_apart((at(Opinion.CHAMPION, "C"), at(Opinion.Z_PRIME, "AAA")), POLICY) == ()


def test_who_has_no_invoices_or_is_bad_already_is_not_scored() -> None:
    def judge(delays: list[int | None], **given: object) -> ScoreCode:
        own = build_own(delays, **given)  # type: ignore[arg-type]
        return judge_scope(own, days_past_due_over=90, kinds=["legal"])

    assert judge_scope(None, days_past_due_over=90, kinds=[]) is ScoreCode.NO_INVOICES
    assert judge([0, 0, 0]) is ScoreCode.SCORED
    assert judge([]) is ScoreCode.NO_INVOICES
    legal = AdverseEvent(kind="legal", happened_on=AS_OF, settled=False)
    assert judge([0, 0, 0], adverse=(legal,)) is ScoreCode.BAD_ALREADY


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("apart_from_ranks", 0),
        ("index", [{"from_deci": 0, "best": "C", "worst": "AAA"}]),
        ("index", [{"from_deci": 100, "best": "AAA", "worst": "C"}]),
        ("index", [{"from_deci": 0, "best": "AAA", "worst": "X"}]),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(member: str, value: object) -> None:
    raw = json.loads(POLICY.model_dump_json())
    raw[member] = value

    with pytest.raises(PolicyInvalidError):
        parse_panel_policy(json.dumps(raw).encode())
