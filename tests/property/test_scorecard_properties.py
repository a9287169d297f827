from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from node.assessment.engine_texts import ENGINE_TEXTS
from node.assessment.evidence import Figures, LeftOutPeer, OwnEvidence, PeerEvidence
from node.assessment.policy import Factor, PeerCap, read_preset_policy
from node.assessment.rules_difference import explain_difference
from node.assessment.rules_peers import cap_weights
from node.assessment.rules_scorecard import assess, read_points
from node.rating.rules_grade import grade
from node.rating.scale import read_preset_scale
from schemas.summary import Tier
from tests.unit.assessment.builders import AS_OF, LAST_MONTH, build_own

POLICY = read_preset_policy("expert-1")
SCALE = read_preset_scale().body
FACTORS = POLICY.body.factors
DELAYS = st.one_of(st.none(), st.integers(min_value=-40, max_value=200))

factors = st.sampled_from(FACTORS)
values = st.integers(min_value=-2000, max_value=2000)
permille = st.integers(min_value=0, max_value=1000)


def figures(*, complete: bool = False) -> st.SearchStrategy[Figures]:
    def member(low: int, high: int) -> st.SearchStrategy[int | None]:
        known = st.integers(min_value=low, max_value=high)
        return known if complete else st.one_of(st.none(), known)

    return st.builds(
        Figures,
        index_deci=member(10, 1000),
        dbt_deci=member(0, 3000),
        late_permille=member(0, 1000),
        unpaid_permille=member(0, 1000),
        worst_rank=member(0, 8),
        overdue_days=member(0, 400),
        trend_deci=st.sampled_from([-10, 0, 10]),
        relation_months=member(0, 240),
        disputed_permille=member(0, 1000),
        adverse_rank=member(0, 4),
    )


own_evidence = st.builds(
    OwnEvidence,
    invoices=st.integers(min_value=0, max_value=60),
    newest_on=st.integers(min_value=0, max_value=500).map(lambda days: AS_OF - timedelta(days)),
    as_of=st.just(AS_OF),
    figures=figures(),
)


@st.composite
def peers_evidence(draw: st.DrawFn) -> list[PeerEvidence]:
    count = draw(st.integers(min_value=0, max_value=4))
    return [
        PeerEvidence(
            provider=draw(st.sampled_from(["beta.example", "gamma.example", "delta.example"])),
            msg_hash_b64u=f"{number:043d}",
            received_on=AS_OF,
            stated_on=AS_OF - timedelta(draw(st.integers(min_value=-5, max_value=300))),
            window_first=LAST_MONTH - draw(st.sampled_from([2, 11])),
            window_end=AS_OF - timedelta(draw(st.integers(min_value=0, max_value=300))),
            tier=Tier.MIX,
            invoices=draw(st.integers(min_value=0, max_value=100)),
            figures=draw(figures()),
            group=draw(st.sampled_from(["", "", "north"])),
            contributors=draw(st.sampled_from([1, 1, 3])),
        )
        for number in range(count)
    ]


def worsen(factor: Factor, value: int, by: int) -> int:
    return value - by if factor.is_higher_better else value + by


@given(factor=factors, value=values, by=st.integers(min_value=0, max_value=500))
def test_worse_value_never_earns_more(factor: Factor, value: int, by: int) -> None:
    assert read_points(factor, worsen(factor, value, by)) <= read_points(factor, value)


@given(factor=factors, value=values)
def test_points_stay_between_zero_and_the_most(factor: Factor, value: int) -> None:
    assert 0 <= read_points(factor, value) <= factor.points_max_deci


@given(own=st.one_of(st.none(), own_evidence), peers=peers_evidence())
def test_points_add_up_and_the_same_input_gives_the_same_result(
    own: OwnEvidence | None, peers: list[PeerEvidence]
) -> None:
    first = assess(own=own, peers=peers, policy=POLICY, as_of=AS_OF)
    again = assess(own=own, peers=peers[::-1], policy=POLICY, as_of=AS_OF)

    assert first == again
    if first.score_deci is not None:
        assert first.score_deci == sum(factor.points_deci for factor in first.factors)
        assert 0 <= first.score_deci <= 1000


@given(own=st.one_of(st.none(), own_evidence), peers=peers_evidence())
def test_difference_is_explained_to_the_last_tenth(
    own: OwnEvidence | None, peers: list[PeerEvidence]
) -> None:
    without = assess(own=own, peers=(), policy=POLICY, as_of=AS_OF)
    with_ = assess(own=own, peers=peers, policy=POLICY, as_of=AS_OF)

    changes = explain_difference(without=without, with_=with_)

    total = sum(change.change_deci for change in changes)
    assert total == (with_.score_deci or 0) - (without.score_deci or 0)


@given(
    own=own_evidence,
    peers=peers_evidence(),
    factor=factors,
    complete=figures(complete=True),
    by=st.integers(min_value=0, max_value=300),
)
def test_worse_own_figure_never_raises_the_score(
    own: OwnEvidence, peers: list[PeerEvidence], factor: Factor, complete: Figures, by: int
) -> None:
    name = factor.reads.value
    worse = replace(complete, **{name: worsen(factor, getattr(complete, name), by)})
    scores = [
        assess(
            own=replace(own, invoices=own.invoices + 1, figures=read),
            peers=peers,
            policy=POLICY,
            as_of=AS_OF,
        ).score_deci
        for read in (complete, worse)
    ]

    if scores[0] is not None and scores[1] is not None:
        assert scores[1] <= scores[0]


@given(
    delays=st.lists(DELAYS, min_size=1, max_size=18),
    which=st.integers(min_value=0),
    by=st.integers(min_value=1, max_value=120),
)
def test_paying_one_invoice_later_never_raises_the_score(
    delays: list[int | None], which: int, by: int
) -> None:
    place = which % len(delays)
    delay = delays[place]
    later = [*delays]
    later[place] = None if delay is None else delay + by
    scores = [
        assess(own=build_own(each), peers=(), policy=POLICY, as_of=AS_OF).score_deci
        for each in (delays, later)
    ]

    assert scores[0] is not None
    assert scores[1] is not None
    assert scores[1] <= scores[0]


@given(peers=peers_evidence())
def test_no_data_is_not_rated(peers: list[PeerEvidence]) -> None:
    silent = [replace(peer, figures=Figures()) for peer in peers]

    result = assess(own=None, peers=silent, policy=POLICY, as_of=AS_OF)

    assert result.score_deci is None
    missing = grade(score_deci=result.score_deci, scale=SCALE, default_event=False)
    assert missing.symbol == "NR"


@given(score_deci=permille, more=st.integers(min_value=0, max_value=1000))
def test_better_score_never_gets_a_worse_grade(score_deci: int, more: int) -> None:
    lower = grade(score_deci=score_deci, scale=SCALE, default_event=False)
    higher = grade(score_deci=min(1000, score_deci + more), scale=SCALE, default_event=False)

    assert lower.rank is not None
    assert higher.rank is not None
    assert higher.rank <= lower.rank
    assert lower.symbol != "D"


CAP = PeerCap(contributors_min=4, share_max_permille=250, counts_from_invoices=4)
weights_milli = st.lists(st.integers(min_value=0, max_value=15_000), max_size=12)


@given(weights=weights_milli)
def test_cap_raises_nobody_and_keeps_four_contributors_to_a_quarter(weights: list[int]) -> None:
    capped = cap_weights(weights, cap=CAP)

    assert all(after <= before for after, before in zip(capped, weights, strict=True))
    if sum(weight >= 4_000 for weight in weights) >= 4:
        assert 4 * max(capped) <= sum(capped)
        assert sum(capped) >= 16_000 - 4  # four who count are never less than their least
    else:
        assert capped == weights


@given(weights=weights_milli, data=st.data())
def test_cap_does_not_depend_on_the_order(weights: list[int], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(weights))))
    capped = cap_weights(weights, cap=CAP)

    moved = cap_weights([weights[place] for place in order], cap=CAP)

    assert moved == [capped[place] for place in order]


@given(
    own=st.one_of(st.none(), own_evidence),
    peers=peers_evidence(),
    code=st.sampled_from(sorted(ENGINE_TEXTS)),
    provider=st.sampled_from(["beta.example", "other.example"]),
)
def test_a_disputed_summary_changes_nothing(
    own: OwnEvidence | None, peers: list[PeerEvidence], code: str, provider: str
) -> None:
    disputed = LeftOutPeer(provider=provider, msg_hash_b64u="d" * 43, code=code)

    before = assess(own=own, peers=peers, policy=POLICY, as_of=AS_OF)
    after = assess(own=own, peers=peers, policy=POLICY, as_of=AS_OF, left_out=[disputed])

    assert replace(after, evidence=()) == replace(before, evidence=())
    others = [line for line in after.evidence if line.ref != disputed.msg_hash_b64u]
    assert others == list(before.evidence)
