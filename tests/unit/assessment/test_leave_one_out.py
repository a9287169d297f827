"""What leaving each peer out would change."""

from __future__ import annotations

from datetime import date

from node.assessment.policy import read_preset_policy
from node.assessment.rules_leave_one_out import explain_each_peer
from node.assessment.rules_scorecard import assess
from tests.unit.assessment.builders import (
    AS_OF,
    build_class_summary,
    build_own,
    build_peer,
    build_summary,
)

POLICY = read_preset_policy("expert-1")
GOOD = build_peer(build_summary(), policy=POLICY, provider="beta.example")
LATE = build_peer(
    build_summary(index=45, dbt_days=45, mix={"31-60": 100}, worst="31-60"),
    policy=POLICY,
    provider="gamma.example",
)


def test_leaving_a_peer_out_is_the_score_without_it() -> None:
    own = build_own([0] * 3)
    whole = assess(own=own, peers=[GOOD, LATE], policy=POLICY, as_of=AS_OF)

    good, late = explain_each_peer(own=own, peers=[GOOD, LATE], policy=POLICY, as_of=AS_OF)

    assert (good.provider, late.provider) == ("beta.example", "gamma.example")
    assert late.score_deci == assess(own=own, peers=[GOOD], policy=POLICY, as_of=AS_OF).score_deci
    assert good.score_deci == assess(own=own, peers=[LATE], policy=POLICY, as_of=AS_OF).score_deci
    assert whole.score_deci is not None
    for effect in (good, late):
        assert effect.score_deci is not None
        assert effect.change_deci == effect.score_deci - whole.score_deci
        assert effect.change_deci == sum(one.change_deci for one in effect.factors)
        assert all(one.change_deci for one in effect.factors)
    assert late.change_deci is not None
    assert late.change_deci > 0  # without who speaks ill, more points


def test_without_the_only_evidence_there_is_no_score() -> None:
    (effect,) = explain_each_peer(own=None, peers=[GOOD], policy=POLICY, as_of=AS_OF)

    assert (effect.score_deci, effect.change_deci, effect.factors) == (None, None, ())


def test_who_did_not_count_neither_shows_nor_comes_in() -> None:
    newer = build_peer(build_class_summary("none"), policy=POLICY, received_on=date(2026, 11, 25))
    whole = assess(own=None, peers=[GOOD, newer], policy=POLICY, as_of=AS_OF)
    used = [line.ref for line in whole.evidence if line.code == "used"]

    effects = explain_each_peer(own=None, peers=[GOOD, newer], policy=POLICY, as_of=AS_OF)

    assert [one.ref for one in effects] == used
    assert len(used) == 1
    assert effects[0].score_deci is None
