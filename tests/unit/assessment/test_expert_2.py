import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.assessment.evidence import Figures
from node.assessment.outside_evidence import NOTHING_OUTSIDE, OutsideEvidence
from node.assessment.policy import (
    ConfidenceLevel,
    Freshness,
    Source,
    parse_policy,
    read_preset_policy,
)
from node.assessment.policy_file import Language, PolicyInvalidError
from node.assessment.policy_outside import NO_EVIDENCE, PublicList
from node.assessment.results import MISSING, USED, Assessment, FactorResult
from node.assessment.rules_confidence import list_gaps
from node.assessment.rules_difference import explain_difference
from node.assessment.rules_outside import rank_lists, read_printed
from node.assessment.rules_scorecard import assess
from node.assessment.rules_spread import spread_points
from tests.unit.assessment.builders import AS_OF, build_own, build_peer, build_summary
from tests.unit.assessment.outside import (
    STRONG,
    WEAK,
    build_application,
    build_lists,
    build_report,
    build_statements,
    build_whole,
)

OLD = read_preset_policy("expert-1")
NEW = read_preset_policy("expert-2")
DELAYS = st.lists(st.one_of(st.none(), st.integers(-40, 200)), min_size=1, max_size=30)
RULES = NEW.body.outside
assert RULES is not None


def score(
    own: list[int | None] | None, outside: OutsideEvidence = NOTHING_OUTSIDE, *peers: str
) -> Assessment:
    late = build_summary(index=45, dbt_days=45, mix={"31-60": 100}, worst="31-60")
    return assess(
        own=None if own is None else build_own(own),
        peers=[build_peer(late, policy=NEW, provider=peer) for peer in peers],
        policy=NEW,
        as_of=AS_OF,
        outside=outside,
    )


def find(result: Assessment, factor_id: str) -> FactorResult:
    return next(factor for factor in result.factors if factor.factor_id == factor_id)


def sum_points(result: Assessment) -> tuple[int, int]:
    points = sum(factor.points_deci for factor in result.factors)
    return points, sum(factor.points_max_deci for factor in result.factors)


@given(delays=DELAYS)
def test_who_has_behaviour_alone_scores_as_before(delays: list[int | None]) -> None:
    own = build_own(delays)

    before = assess(own=own, peers=(), policy=OLD, as_of=AS_OF)
    after = assess(own=own, peers=(), policy=NEW, as_of=AS_OF)

    earned = [factor for factor in after.factors if factor.points_max_deci]
    assert [factor.points_max_deci for factor in earned] == [
        factor.points_max_deci for factor in before.factors
    ]
    for old, new in zip(before.factors, earned, strict=True):
        # One step of the disputed share does not divide by five: it may differ by a tenth.
        assert abs(new.points_deci - old.points_deci) <= (new.factor_id == "disputes")
    assert after.score_deci is not None
    assert abs(after.score_deci - (before.score_deci or 0)) <= 1


@given(
    delays=st.one_of(st.none(), DELAYS),
    statements=st.sampled_from(
        [None, build_statements(), build_statements(WEAK, weight_milli=350)]
    ),
    reports=st.sampled_from([(), (build_report(),), (build_report("BB", scale="letters"),)]),
    lists=st.sampled_from([(), build_lists()]),
)
def test_points_always_add_up_to_the_score_out_of_a_hundred(
    delays: list[int | None] | None,
    statements: object,
    reports: tuple[object, ...],
    lists: tuple[object, ...],
) -> None:
    outside = OutsideEvidence(statements=statements, reports=reports, lists=lists)  # type: ignore[arg-type]

    result = score(delays, outside)

    if result.score_deci is None:
        assert delays is None
        assert statements is None
        assert not reports
        return
    assert sum_points(result) == (result.score_deci, 1000)
    assert sum(factor.spread_deci for factor in result.factors) == 0
    assert all(0 <= factor.points_deci <= factor.points_max_deci for factor in result.factors)


def test_a_group_without_evidence_gives_its_points_to_the_others_and_says_so() -> None:
    result = score([0] * 12)

    statements = [find(result, one) for one in ("liquidity", "leverage", "altman")]
    assert {one.code for one in statements} == {NO_EVIDENCE}
    assert [(one.points_max_deci, one.spread_deci) for one in statements] == [
        (0, -50),
        (0, -60),
        (0, -60),
    ]
    assert find(result, "index").spread_deci == 240 - 144
    assert NO_EVIDENCE not in result.reasons


def test_spread_points_are_whole_and_go_by_the_largest_remainder() -> None:
    spread = spread_points(NEW.body.factors, groups={"statements", "lists"})

    # 300 tenths become 1000: 50 → 166.67, 60 → 200, 40 → 133.33, twice each, and the lists' 50.
    assert {name: most for name, most in spread.items() if most} == {
        "liquidity": 167,
        "leverage": 200,
        "profit": 133,
        "altman": 200,
        "finance-trend": 133,
        "lists": 167,
    }
    assert sum(spread.values()) == 1000


def test_whole_evidence_earns_each_group_its_own_points() -> None:
    result = score([0] * 12, build_whole())

    assert sum_points(result)[1] == 1000
    assert {factor.spread_deci for factor in result.factors} == {0}
    assert find(result, "lists").points_deci == 50
    assert find(result, "agency").value == 685  # (800 of weight 800 and 500 of 500) ÷ 1300
    assert find(result, "agency").outside_value == 800


@pytest.mark.parametrize(("figures", "weight_milli"), [(STRONG, 1000), (WEAK, 1000), (WEAK, 500)])
def test_a_statement_counts_by_its_weight_beside_the_prior(
    figures: Figures, weight_milli: int
) -> None:
    result = score(
        [0] * 12, OutsideEvidence(statements=build_statements(figures, weight_milli=weight_milli))
    )

    liquidity = find(result, "liquidity")
    ratio = figures.current_ratio_centi or 0
    assert liquidity.outside_value == ratio
    assert liquidity.value == round((weight_milli * ratio + 250 * 110) / (weight_milli + 250))
    assert liquidity.sources == ("statement:1",)


def test_better_statements_never_score_less() -> None:
    weak, strong = (
        score([0] * 3, OutsideEvidence(statements=build_statements(figures))).score_deci
        for figures in (WEAK, STRONG)
    )

    assert weak is not None
    assert strong is not None
    assert weak < strong


def test_statements_alone_give_a_score_with_low_confidence() -> None:
    result = score(None, OutsideEvidence(statements=build_statements()))

    assert result.score_deci is not None
    assert result.confidence.code == "confidence.statements-only"
    assert result.confidence.level is ConfidenceLevel.LOW


def test_lists_without_an_entry_give_no_score_by_themselves() -> None:
    assert score(None, OutsideEvidence(lists=build_lists())).score_deci is None


def test_an_entry_on_a_list_scores_by_itself() -> None:
    lists = build_lists(dishonest_debtor=((date(2026, 5, 1), None),))

    result = score(None, OutsideEvidence(lists=lists))

    assert result.score_deci == 0
    assert result.confidence.code == "confidence.facts-only"
    assert result.reasons == ("lists.poor",)


@pytest.mark.parametrize(
    ("entries", "rank"),
    [
        ((), 0),
        (((date(2020, 1, 1), None),), 3),
        (((date(2020, 1, 1), AS_OF + timedelta(days=1)),), 3),
        (((date(2020, 1, 1), AS_OF),), 1),
        (((date(2020, 1, 1), AS_OF - timedelta(days=730)),), 1),
        (((date(2020, 1, 1), AS_OF - timedelta(days=731)),), 0),
    ],
    ids=["none", "stands", "ends-tomorrow", "removed-today", "730-days", "731-days"],
)
def test_a_removed_entry_counts_less_and_then_no_more(
    entries: tuple[tuple[date, date | None], ...], rank: int
) -> None:
    assert RULES is not None
    lists = build_lists(serious_violations=entries)

    assert rank_lists(lists, RULES.lists, as_of=AS_OF) == rank


@pytest.mark.parametrize(
    ("scale", "printed", "figure"),
    [
        ("points-100", "0", 0),
        ("points-100", "87", 870),
        ("points-100", "87.55", 876),
        ("points-100", "100", 1000),
        ("points-100", "101", None),
        ("points-100", "-1", None),
        ("points-100", "87,5", None),
        ("points-100", "", None),
        ("points-100", "AA", None),
        ("risk-600", "100", 1000),
        ("risk-600", "225", 725),
        ("risk-600", "600", 0),
        ("letters", "aa-", 900),
        ("letters", "BBB+", 750),
        ("letters", "A++", None),
        ("gb-t-22116", "AAA", 950),
    ],
)
def test_what_an_agency_prints_becomes_a_common_figure(
    scale: str, printed: str, figure: int | None
) -> None:
    assert RULES is not None
    found = RULES.reports.find_scale(agency="Bureau", scale=scale)

    assert found is not None
    assert read_printed(printed, found) == figure


@pytest.mark.parametrize(
    ("report", "code", "freshness"),
    [
        (build_report(), USED, Freshness.FRESH),
        (build_report(age_days=200), USED, Freshness.STALE),
        (build_report(age_days=365), USED, Freshness.STALE),
        (build_report(age_days=366), "left-out.report-expired", Freshness.STALE),
        (build_report(expires_on=AS_OF), USED, Freshness.FRESH),
        (
            build_report(expires_on=AS_OF - timedelta(days=1)),
            "left-out.report-expired",
            Freshness.STALE,
        ),
        (build_report(scale="house-9"), "left-out.unknown-scale", Freshness.FRESH),
        (build_report("prompt"), "left-out.report-unreadable", Freshness.FRESH),
    ],
)
def test_a_report_expires_by_itself_and_an_unknown_scale_is_listed_not_scored(
    report: object, code: str, freshness: Freshness
) -> None:
    result = score([0] * 12, OutsideEvidence(reports=(report,)))  # type: ignore[arg-type]

    (line,) = (one for one in result.evidence if one.source is Source.REPORTS)
    assert (line.code, line.freshness, line.provider) == (code, freshness, "Bureau")
    assert (line.weight_milli > 0) == (code == USED)
    assert (find(result, "agency").points_max_deci > 0) == (code == USED)


def test_the_newest_report_of_an_agency_speaks_for_it() -> None:
    old, new = build_report("20", age_days=90), build_report("90", report_id=2)

    result = score([0] * 12, OutsideEvidence(reports=(old, new)))

    codes = {line.ref: line.code for line in result.evidence if line.source is Source.REPORTS}
    assert codes == {"report:1": "left-out.superseded", "report:2": USED}
    assert find(result, "agency").outside_value == 900


def test_every_source_is_listed_with_what_it_lacks() -> None:
    result = score([0] * 12)

    lines = {line.source for line in result.evidence}
    assert lines == set(Source)
    missing = {line.source for line in result.evidence if line.code == MISSING}
    assert missing == set(Source) - {Source.OWN}
    expected = {line.provider for line in result.evidence if line.source is Source.LISTS}
    assert expected == {one.value for one in PublicList}
    own = result.evidence[0]
    assert (own.dated_on, own.freshness) == (date(2026, 10, 31), Freshness.FRESH)


def test_each_gap_lowers_the_stated_confidence() -> None:
    whole = score([0] * 12, build_whole(), "beta.example").confidence
    bare = score([0] * 12, NOTHING_OUTSIDE, "beta.example").confidence

    assert (whole.level, whole.permille) == (ConfidenceLevel.HIGH, 900)
    assert (bare.level, bare.permille) == (ConfidenceLevel.MEDIUM, 900 - 120 - 60 - 60 - 40)
    assert bare.code == whole.code == "confidence.own-and-peers"


@pytest.mark.parametrize(
    ("change", "gap", "lost"),
    [
        ({"statements": None}, (Source.STATEMENTS, Freshness.MISSING), 120),
        (
            {"statements": build_statements(age_days=600)},
            (Source.STATEMENTS, Freshness.STALE),
            60,
        ),
        ({"reports": ()}, (Source.REPORTS, Freshness.MISSING), 60),
        ({"reports": (build_report(age_days=300),)}, (Source.REPORTS, Freshness.STALE), 30),
        ({"lists": ()}, (Source.LISTS, Freshness.MISSING), 60),
        ({"lists": build_lists()[1:]}, (Source.LISTS, Freshness.STALE), 30),
        ({"lists": build_lists(age_days=93)}, (Source.LISTS, Freshness.STALE), 30),
        ({"application": None}, (Source.APPLICATION, Freshness.MISSING), 40),
        (
            {"application": build_application(missing=1)},
            (Source.APPLICATION, Freshness.STALE),
            20,
        ),
        (
            {"application": build_application(age_days=366)},
            (Source.APPLICATION, Freshness.STALE),
            20,
        ),
    ],
)
def test_missing_and_stale_evidence_is_named_and_costs_what_the_policy_says(
    change: dict[str, object], gap: tuple[Source, Freshness], lost: int
) -> None:
    outside = replace(build_whole(), **change)  # type: ignore[arg-type]

    result = score([0] * 12, outside, "beta.example")

    assert list_gaps(result.evidence) == (gap,)
    assert result.confidence.permille == 900 - lost


def test_too_old_statements_are_left_out_and_give_their_points_up() -> None:
    old = build_statements(age_days=1200, weight_milli=0)

    result = score([0] * 12, OutsideEvidence(statements=old))

    (line,) = (one for one in result.evidence if one.source is Source.STATEMENTS)
    assert (line.code, line.freshness) == ("left-out.too-old", Freshness.STALE)
    assert find(result, "liquidity").code == NO_EVIDENCE


def test_peers_that_bring_the_behaviour_group_spread_the_points_anew() -> None:
    outside = OutsideEvidence(statements=build_statements())
    without, with_ = score(None, outside), score(None, outside, "beta.example")

    changes = explain_difference(without=without, with_=with_)

    assert sum(one.change_deci for one in changes) == (with_.score_deci or 0) - (
        without.score_deci or 0
    )
    codes = {one.factor_id: one.code for one in changes}
    assert codes["liquidity"] == "change.spread"
    assert codes["agency"] == "change.unchanged"


def test_expert_1_reads_nothing_from_outside() -> None:
    own = build_own([0] * 12)

    without = assess(own=own, peers=(), policy=OLD, as_of=AS_OF)
    with_ = assess(own=own, peers=(), policy=OLD, as_of=AS_OF, outside=build_whole())

    assert without == with_
    assert {line.freshness for line in with_.evidence} == {None}


def test_every_code_of_the_new_policy_has_words_in_both_languages() -> None:
    result = score([0] * 12, build_whole(), "beta.example")
    bare = score([0] * 12)
    codes = {line.code for one in (result, bare) for line in one.evidence}
    codes |= {factor.code for one in (result, bare) for factor in one.factors}
    codes |= {f"gap.{source}.{state}" for source, state in list_gaps(bare.evidence)} - {
        "gap.peers.missing"
    }

    for code in codes:
        assert NEW.describe(code, Language.ZH) != NEW.describe(code, Language.EN)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("outside", None),
        ("factors/0/group", "unheard"),
        ("factors/15/group", "lists"),
        ("outside/groups/0/id", "statements"),
        ("outside/reports/scales/0/steps", []),
        ("outside/reports/scales/1/scale", "points-100"),
        ("outside/reports/scales/0/steps/0/at", 100),
        ("outside/lists/ranks", {"sanctions": 4}),
        ("outside/lists/expected", ["sanctions", "sanctions"]),
        ("outside/confidence/gaps/0/freshness", "fresh"),
        ("outside/confidence/gaps/1/freshness", "stale"),
        ("outside/confidence/medium_from", 700),
        ("outside/own_stale_days", 0),
    ],
)
def test_wrong_member_of_the_new_policy_is_refused(
    project_root: Path, path: str, value: object
) -> None:
    body = json.loads((project_root / "node/assessment/policies/expert-2.json").read_bytes())
    target = body
    *parents, last = path.split("/")
    for part in parents:
        target = target[int(part)] if isinstance(target, list) else target[part]
    if value is None:
        del target[last]
    else:
        target[last] = value

    with pytest.raises(PolicyInvalidError):
        parse_policy(json.dumps(body).encode())
