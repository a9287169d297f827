from dataclasses import replace
from datetime import date, timedelta

import pytest

from node.assessment.policy import ConfidenceLevel, Factor, read_preset_policy
from node.assessment.rules_difference import PolicyMismatchError, explain_difference
from node.assessment.rules_scorecard import Assessment, assess, read_points
from node.core.errors import InvariantError
from node.records.behaviour import AdverseEvent
from tests.unit.assessment.builders import (
    AS_OF,
    LAST_MONTH,
    build_bare_own,
    build_class_summary,
    build_own,
    build_peer,
    build_summary,
    wrap_sections,
)

POLICY = read_preset_policy("expert-1")
LATE = build_summary(index=45, dbt_days=45, mix={"31-60": 100}, worst="31-60")


def score(own: list[int | None] | None, *peers: str) -> Assessment:
    built = [build_peer(LATE, policy=POLICY, provider=peer) for peer in peers]
    return assess(
        own=None if own is None else build_own(own), peers=built, policy=POLICY, as_of=AS_OF
    )


def find_factor(factor_id: str) -> Factor:
    factor = POLICY.find_factor(factor_id)
    assert factor is not None
    return factor


@pytest.mark.parametrize(
    ("delays", "lowest", "highest"),
    [
        ([-30] * 12, 900, 1000),
        ([0] * 10, 700, 899),
        ([0] * 24, 700, 899),
        ([15] * 12, 500, 699),
        ([45] * 12, 300, 499),
        ([0, 0, 0, None] * 3, 300, 399),
        ([0, None] * 6, 0, 299),
        ([None] * 12, 0, 299),
    ],
    ids=["early", "prompt", "prompt-24", "15-days", "45-days", "quarter", "half", "unpaid"],
)
def test_card_is_calibrated_to_plain_cases(
    delays: list[int | None], lowest: int, highest: int
) -> None:
    score_deci = score(delays).score_deci

    assert score_deci is not None
    assert lowest <= score_deci <= highest


def test_no_data_gives_no_score_and_says_so() -> None:
    result = score(None)

    assert result.score_deci is None
    assert result.score is None
    assert result.factors == ()
    assert result.reasons == ()
    assert result.confidence.level is ConfidenceLevel.NONE
    assert result.confidence.code == "confidence.no-data"


def test_window_without_experience_gives_no_score() -> None:
    assert score([]).score_deci is None


def test_overdue_item_without_recent_invoice_is_scored_on_that_fact() -> None:
    own = build_bare_own(invoices=0, overdue_days=200, adverse_rank=0)

    result = assess(own=own, peers=(), policy=POLICY, as_of=AS_OF)

    assert result.score_deci is not None
    assert result.confidence.code == "confidence.facts-only"
    assert "overdue.poor" in result.reasons


def test_peer_fact_without_invoices_is_scored() -> None:
    overdue = {"overdue_now": {"as_of": AS_OF.isoformat(), "oldest": ">90"}}
    peer = build_peer(wrap_sections("class", overdue), policy=POLICY)

    result = assess(own=None, peers=[peer], policy=POLICY, as_of=AS_OF)

    assert result.score_deci is not None
    assert result.confidence.peers == 0


def test_points_add_up_to_the_score_and_the_shown_score_is_cut_off() -> None:
    result = score([0] * 10)

    assert result.score_deci == sum(factor.points_deci for factor in result.factors)
    assert result.score == result.score_deci // 10
    assert replace(result, score_deci=899).score == 89


def test_weakest_points_come_first_and_strengths_fill_up() -> None:
    result = score([45] * 12)

    assert result.reasons[:3] == ("index.poor", "dbt.poor", "late.poor")
    assert len(result.reasons) == 5
    assert score([0] * 12, "beta.example").reasons[-1].endswith(".good")


def test_unknown_trend_takes_the_prior_and_says_so() -> None:
    trend = next(factor for factor in score([0] * 4).factors if factor.factor_id == "trend")

    assert trend.code == "trend.unknown"
    assert trend.value == 0
    assert trend.sources == ()


def test_cold_customer_with_peers_gets_a_score_with_low_confidence() -> None:
    result = score(None, "beta.example")

    assert result.score_deci is not None
    assert result.confidence.level is ConfidenceLevel.LOW
    assert result.confidence.code == "confidence.peers-only"


def test_several_peers_lift_a_cold_customer_to_medium() -> None:
    result = score(None, "beta.example", "gamma.example")

    assert result.confidence.level is ConfidenceLevel.MEDIUM
    assert result.confidence.peers == 2


def test_own_records_alone_never_reach_high_confidence() -> None:
    assert score([0] * 24).confidence.level is ConfidenceLevel.MEDIUM
    assert score([0] * 24, "beta.example").confidence.level is ConfidenceLevel.HIGH
    assert score([0] * 2).confidence.code == "confidence.thin-own"


def test_old_evidence_lowers_confidence() -> None:
    own = replace(build_own([0] * 12), newest_on=AS_OF - timedelta(days=184))

    result = assess(own=own, peers=(), policy=POLICY, as_of=AS_OF)

    assert result.confidence.level is ConfidenceLevel.LOW
    assert result.evidence[0].weight_milli == 12 * 500


def test_peers_count_less_the_more_own_invoices_there_are() -> None:
    drops = []
    for count in (1, 3, 5, 10, 20):
        without, with_ = score([0] * count), score([0] * count, "beta.example")
        assert without.score_deci is not None
        assert with_.score_deci is not None
        mean = {"index", "dbt", "late"}
        changes = explain_difference(without=without, with_=with_)
        drops.append(-sum(item.change_deci for item in changes if item.factor_id in mean))

    assert drops == sorted(drops, reverse=True)
    assert drops[0] > 2 * drops[-1]


def test_one_provider_has_one_voice_and_the_newest_statement_counts() -> None:
    old = build_peer(build_summary(last_month=LAST_MONTH - 1), policy=POLICY)
    new = build_peer(LATE, policy=POLICY)
    short = build_peer(build_summary(months=3), policy=POLICY)

    both = assess(own=None, peers=[old, new, short], policy=POLICY, as_of=AS_OF)

    codes = {line.ref: line.code for line in both.evidence}
    assert codes[new.msg_hash_b64u] == "used"
    assert codes[old.msg_hash_b64u] == "left-out.superseded"
    assert codes[short.msg_hash_b64u] == "left-out.superseded"
    assert both.score_deci == score(None, "beta.example").score_deci


@pytest.mark.parametrize(
    ("age_days", "code", "weight_milli"),
    [
        (24, "used", 15_000),
        (92, "used", 15_000),
        (93, "used", 11_250),
        (183, "used", 11_250),
        (184, "left-out.stale", 0),
        (4, "left-out.later", 0),
    ],
)
def test_summary_counts_while_it_is_fresh(age_days: int, code: str, weight_milli: int) -> None:
    as_of = date(2026, 10, 31) + timedelta(days=age_days)
    summary = build_summary()
    peer = build_peer(summary, policy=POLICY)

    result = assess(own=None, peers=[peer], policy=POLICY, as_of=as_of)

    assert result.evidence[0].code == code
    assert result.evidence[0].weight_milli == weight_milli
    assert (result.score_deci is None) == (code != "used")


def test_summary_without_figures_is_left_out() -> None:
    peer = build_peer(wrap_sections("mix", {}), policy=POLICY)

    result = assess(own=None, peers=[peer], policy=POLICY, as_of=AS_OF)

    assert result.evidence[0].code == "left-out.empty"
    assert result.score_deci is None


def test_order_of_peers_does_not_matter() -> None:
    peers = [
        build_peer(LATE, policy=POLICY),
        build_peer(build_summary(), policy=POLICY, provider="gamma.example"),
        build_peer(build_class_summary("none"), policy=POLICY, provider="delta.example"),
    ]

    forward = assess(own=build_own([0]), peers=peers, policy=POLICY, as_of=AS_OF)
    backward = assess(own=build_own([0]), peers=peers[::-1], policy=POLICY, as_of=AS_OF)

    assert forward == backward


@pytest.mark.parametrize(
    ("value", "points_deci"),
    [(-5, 200), (0, 200), (25, 182), (50, 165), (100, 135), (150, 105), (900, 0), (5000, 0)],
)
def test_points_lie_on_the_line_between_two_steps(value: int, points_deci: int) -> None:
    assert read_points(find_factor("dbt"), value) == points_deci


@pytest.mark.parametrize(("rank", "points_deci"), [(0, 50), (1, 50), (2, 40), (5, 10), (8, 0)])
def test_classes_earn_the_step_below_them(rank: int, points_deci: int) -> None:
    assert read_points(find_factor("worst"), rank) == points_deci


def test_difference_is_explained_without_rest() -> None:
    without, with_ = score([0] * 3), score([0] * 3, "beta.example")
    assert without.score_deci is not None
    assert with_.score_deci is not None

    changes = explain_difference(without=without, with_=with_)

    assert sum(change.change_deci for change in changes) == with_.score_deci - without.score_deci
    codes = {change.factor_id: change.code for change in changes}
    assert codes["dbt"] == "change.peers-worse"
    assert codes["trend"] == "change.peers-only"
    assert codes["adverse"] == "change.peers-agree"


def test_better_peers_and_mere_confirmation_are_told_apart() -> None:
    good = build_peer(build_summary(index=90), policy=POLICY)
    own = build_own([0] * 2)
    without = assess(own=own, peers=(), policy=POLICY, as_of=AS_OF)
    with_ = assess(own=own, peers=[good], policy=POLICY, as_of=AS_OF)

    codes = {
        change.factor_id: change.code for change in explain_difference(without=without, with_=with_)
    }

    assert codes["index"] == "change.peers-better"
    assert codes["dbt"] == "change.more-evidence"


def test_first_score_is_explained_from_nothing() -> None:
    with_ = score(None, "beta.example")

    changes = explain_difference(without=score(None), with_=with_)

    assert sum(change.change_deci for change in changes) == with_.score_deci
    assert {change.before_deci for change in changes} == {None}
    assert {change.code for change in changes} == {"change.peers-only"}


def test_what_peers_do_not_speak_of_is_named() -> None:
    own = build_own([0] * 3)
    peer = build_peer(build_class_summary("none"), policy=POLICY)
    without = assess(own=own, peers=(), policy=POLICY, as_of=AS_OF)
    with_ = assess(own=own, peers=[peer], policy=POLICY, as_of=AS_OF)

    codes = {
        change.factor_id: change.code for change in explain_difference(without=without, with_=with_)
    }

    assert codes["relation"] == "change.no-peer-evidence"
    assert codes["trend"] == "change.prior-only"


def test_two_assessments_without_score_differ_in_nothing() -> None:
    assert explain_difference(without=score(None), with_=score(None)) == ()


def test_results_of_different_policies_are_not_compared() -> None:
    result = score([0])
    other = replace(result, policy=replace(result.policy, version=2))

    with pytest.raises(PolicyMismatchError):
        explain_difference(without=result, with_=other)


def test_lost_score_and_unexplained_rest_are_our_own_bug() -> None:
    result = score([0])

    with pytest.raises(InvariantError):
        explain_difference(without=result, with_=score(None))
    with pytest.raises(InvariantError):
        explain_difference(without=result, with_=replace(result, score_deci=1))


def test_open_adverse_fact_costs_its_points() -> None:
    event = AdverseEvent(kind="collection", happened_on=date(2026, 1, 5), settled=False)
    clean, marked = build_own([0] * 10), build_own([0] * 10, adverse=(event,))

    scores = [
        assess(own=own, peers=(), policy=POLICY, as_of=AS_OF).score_deci for own in (clean, marked)
    ]

    assert scores[0] is not None
    assert scores[1] == scores[0] - 20


def test_worked_case_of_the_documentation_comes_out() -> None:
    own = build_own([0, 0, 10])
    summary = build_summary(
        index=65,
        dbt_days=15,
        mix={"in_terms": 40, "1-15": 40, "16-30": 20},
        worst="16-30",
        n_invoices="10-19",
    )
    peer = build_peer(summary, policy=POLICY)

    without = assess(own=own, peers=(), policy=POLICY, as_of=AS_OF)
    with_ = assess(own=own, peers=[peer], policy=POLICY, as_of=AS_OF)

    changes = [item.change_deci for item in explain_difference(without=without, with_=with_)]
    assert [line.weight_milli for line in with_.evidence if line.ref == "own"] == [1500]
    assert sum(line.weight_milli for line in with_.evidence) == 12_000
    assert (without.score_deci, with_.score_deci) == (770, 673)
    assert changes == [-28, -36, -37, 13, -10, 0, 0, 0, 1, 0]


@pytest.mark.parametrize(
    ("delays", "score_deci"),
    [
        ([0] * 10, 877),
        ([15] * 12, 650),
        ([45] * 12, 491),
        ([0, 0, 0, None] * 3, 381),
        ([0, None] * 6, 224),
        ([None] * 12, 113),
    ],
)
def test_scores_of_the_documentation_come_out(delays: list[int | None], score_deci: int) -> None:
    assert score(delays).score_deci == score_deci
