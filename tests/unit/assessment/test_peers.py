"""How peers' summaries are combined: docs/formulas.md, Peers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from node.assessment.engine_texts import ENGINE_TEXTS
from node.assessment.evidence import LeftOutPeer, PeerEvidence
from node.assessment.policy import (
    ENGINE_CODES,
    DisclosureWorth,
    PeerCap,
    PeerRules,
    Policy,
    read_preset_policy,
)
from node.assessment.policy_file import Language
from node.assessment.rules_peers import LeftOut, cap_weights, weigh_peers
from node.assessment.rules_scorecard import USED, assess
from node.core.money import divide_half_even
from tests.unit.assessment.builders import (
    AS_OF,
    LAST_MONTH,
    build_class_summary,
    build_own,
    build_peer,
    build_summary,
    wrap_sections,
)

POLICY = read_preset_policy("expert-1")
WORTH = DisclosureWorth(class_only=500, index_only=750, mix=900, full=1000)
CAP = PeerCap(contributors_min=4, share_max_permille=250, counts_from_invoices=4)
RAW_CAP = PeerCap(contributors_min=4, share_max_permille=250, counts_from_invoices=0)


def change_rules(policy: Policy = POLICY, **changes: object) -> Policy:
    rules = PeerRules.model_validate({**dict(policy.body.peers), **changes})
    return replace(policy, body=policy.body.model_copy(update={"peers": rules}))


def peer(provider: str = "beta.example", **summary: object) -> PeerEvidence:
    return build_peer(build_summary(**summary), policy=POLICY, provider=provider)  # type: ignore[arg-type]


def weigh(*peers: PeerEvidence, policy: Policy = POLICY) -> dict[str, tuple[str, int]]:
    lines = weigh_peers(peers, policy.body, own_line=None, as_of=AS_OF)
    return {line.provider or "": (line.code, line.weight_milli) for line in lines}


# --- the cap of a contributor


def test_worked_case_of_a_capped_consolidation_is_66() -> None:
    weights, index = (600, 200, 100, 60, 40), (80, 50, 70, 80, 40)

    capped = cap_weights(weights, cap=RAW_CAP)

    assert capped == [100, 100, 100, 60, 40]  # .25 .25 .25 .15 .10
    assert _mean_deci(weights, index) == 714
    assert _mean_deci(capped, index) == 660


@pytest.mark.parametrize(
    ("weights", "capped"),
    [
        ((15000, 15000, 15000), [15000, 15000, 15000]),
        ((15000, 3000, 3000, 3000), [15000, 3000, 3000, 3000]),
        ((15000, 15000, 15000, 4000), [4000, 4000, 4000, 4000]),
        ((15000, 5000, 5000, 5000), [5000, 5000, 5000, 5000]),
        ((15000, 10000, 6000, 5000, 4000), [7500, 7500, 6000, 5000, 4000]),
        ((5000, 5000, 5000, 5000, 5000), [5000, 5000, 5000, 5000, 5000]),
        ((), []),
    ],
    ids=["three", "thin-voices", "least-of-four", "one-large", "two-large", "alike", "none"],
)
def test_no_contributor_of_four_weighs_more_than_a_quarter(
    weights: tuple[int, ...], capped: list[int]
) -> None:
    assert cap_weights(weights, cap=CAP) == capped


def test_a_share_that_so_few_cannot_keep_to_is_no_cap() -> None:
    with pytest.raises(ValidationError, match="so few contributors"):
        PeerCap(contributors_min=3, share_max_permille=250, counts_from_invoices=0)


def test_the_cap_of_a_policy_holds_for_its_assessments() -> None:
    peers = [peer(f"p{n}.example", n_invoices=size) for n, size in enumerate(
        [">=100", "20-49", "5-9", "5-9", "5-9"]
    )]  # fmt: skip

    uncapped = weigh(*peers)
    capped = weigh(*peers, policy=change_rules(cap=CAP))

    assert [weight for _, weight in uncapped.values()] == [15000, 15000, 5250, 5250, 5250]
    assert [weight for _, weight in capped.values()] == [7875, 7875, 5250, 5250, 5250]


# --- disclosure


@pytest.mark.parametrize(
    ("summary", "weight_milli"),
    [
        (build_class_summary("none"), 750),
        (wrap_sections("mix", {"index": {"value": 80, "weighting": "count"}}), 2812),
        (build_summary(), 13500),
        (wrap_sections("full", {"delay": build_summary().delay.model_dump(mode="json")}), 3750),  # type: ignore[union-attr]
    ],
    ids=["class", "index", "mix", "full"],
)
def test_what_tells_less_weighs_less(summary: object, weight_milli: int) -> None:
    one = build_peer(summary, policy=POLICY)  # type: ignore[arg-type]

    weighed = weigh(one, policy=change_rules(disclosure=WORTH))

    assert weighed == {"beta.example": (USED, weight_milli)}


def test_less_that_would_weigh_more_is_no_policy() -> None:
    with pytest.raises(ValidationError, match="weighs no less"):
        DisclosureWorth(class_only=800, index_only=700, mix=900, full=1000)


# --- who is left out


def test_overlapping_windows_of_one_provider_count_once() -> None:
    year = peer(months=12)
    quarter = replace(peer(months=3), msg_hash_b64u="B" * 43)

    lines = weigh_peers([quarter, year], POLICY.body, own_line=None, as_of=AS_OF)

    assert sorted((line.code, line.weight_milli) for line in lines) == [
        (LeftOut.SUPERSEDED, 0),
        (USED, 15000),
    ]


def test_companies_of_one_group_have_one_voice() -> None:
    older = replace(peer("beta.example", last_month=LAST_MONTH - 1), group="north")
    newer = replace(peer("gamma.example"), group="north")
    other = peer("delta.example")

    assert weigh(older, newer, other) == {
        "beta.example": (LeftOut.SAME_GROUP, 0),
        "gamma.example": (USED, 15000),
        "delta.example": (USED, 15000),
    }


@pytest.mark.parametrize(
    ("last_month", "code"),
    [(LAST_MONTH, LeftOut.CONSOLIDATED), (LAST_MONTH - 12, LeftOut.STALE)],
    ids=["overlaps", "another-time"],
)
def test_a_consolidation_stands_back_behind_singles(last_month: int, code: str) -> None:
    single = peer("beta.example", months=3)
    whole = replace(peer("hub.example", months=12, last_month=last_month), contributors=4)

    assert weigh(whole, single)["hub.example"] == (code, 0)
    assert weigh(whole, single)["beta.example"] == (USED, 15000)


def test_a_consolidation_counts_beside_singles_of_another_time_and_alone() -> None:
    single = peer("beta.example", months=1)
    whole = replace(peer("hub.example", months=3, last_month=LAST_MONTH - 1), contributors=4)

    assert weigh(whole)["hub.example"] == (USED, 15000)
    assert weigh(whole, single)["hub.example"][0] == USED


@pytest.mark.parametrize("code", sorted(ENGINE_TEXTS))
def test_what_may_not_count_is_told_and_changes_nothing(code: str) -> None:
    own, peers = build_own([0] * 3), [peer()]
    absent = LeftOutPeer(provider="gamma.example", msg_hash_b64u="G" * 43, code=code)

    without = assess(own=own, peers=peers, policy=POLICY, as_of=AS_OF)
    told = assess(own=own, peers=peers, policy=POLICY, as_of=AS_OF, left_out=[absent])

    assert replace(told, evidence=()) == replace(without, evidence=())
    assert [(line.provider, line.code, line.weight_milli) for line in told.evidence[-1:]] == [
        ("gamma.example", code, 0)
    ]


@pytest.mark.parametrize("language", list(Language))
def test_every_reason_has_words_in_both_languages(language: Language) -> None:
    for code in (*LeftOut, *ENGINE_TEXTS, *ENGINE_CODES):
        assert POLICY.describe(code, language)


def test_the_first_policy_is_the_same_bytes_and_weighs_as_before() -> None:
    assert POLICY.reference.sha256_b64u == "R3TM0nxd1jjXPrQxyhv___hSWJY5sgNXXZWY2HWFNPc"
    assert POLICY.body.peers.cap is None
    assert POLICY.body.peers.disclosure is None


def _mean_deci(weights: tuple[int, ...] | list[int], values: tuple[int, ...]) -> int:
    total = sum(10 * weight * value for weight, value in zip(weights, values, strict=True))
    return divide_half_even(total, sum(weights))
