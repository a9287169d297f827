"""What peers had told by a day, as columns to train with."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from node.assessment.evidence import PeerEvidence, PeerSummaryRecord, build_peer_evidence
from node.assessment.policy import read_preset_policy
from node.rating.models.peer_rows import COLUMNS, NOTHING, read_told
from tests.support.console_node import build_summary

BODY = read_preset_policy().body
DAY = date(2026, 6, 30)


def tell(provider: str, *, tier: str = "full", on: date = DAY) -> PeerEvidence:
    summary = build_summary("sim:C1", tier=tier)
    record = PeerSummaryRecord(
        provider=provider, msg_hash_b64u=f"m-{provider}-{on}", summary=summary, received_on=on
    )
    return build_peer_evidence(record, summary, bands=BODY.bands)


def read(*known: PeerEvidence, on: date = DAY) -> dict[str, object]:
    ids = [one.id for one in COLUMNS]
    return dict(zip(ids, read_told(known, body=BODY, on=on), strict=True))


def test_bands_are_read_as_the_scorecard_reads_them() -> None:
    one = tell("b.example")

    assert read(one) == {
        "peer-index": one.figures.index_deci,
        "peer-dbt": one.figures.dbt_deci,
        "peer-late": one.figures.late_permille,
        "peer-worst": one.figures.worst_rank,
        "peer-overdue": one.figures.overdue_days,
        "peer-adverse": one.figures.adverse_rank,
        "peer-voices": 1,
    }


def test_what_came_or_was_stated_later_is_not_known_yet() -> None:
    one = tell("b.example")
    before = DAY - timedelta(days=1)

    assert read_told([one], body=BODY, on=before) == NOTHING
    late = replace(one, received_on=before - timedelta(days=1), stated_on=DAY)
    assert read_told([late], body=BODY, on=before) == NOTHING


def test_one_provider_is_one_voice_and_means_are_weighed() -> None:
    one, other = tell("b.example"), tell("c.example")
    again = replace(one, msg_hash_b64u="older", stated_on=one.stated_on - timedelta(days=30))
    worse = replace(
        other, figures=replace(other.figures, index_deci=400, worst_rank=3, overdue_days=90)
    )

    found = read(one, again, worse)

    assert found["peer-voices"] == 2
    assert found["peer-index"] == ((one.figures.index_deci or 0) + 400) // 2  # of equal weight
    assert (found["peer-worst"], found["peer-overdue"]) == (8, 90)  # the worst that any says


@pytest.mark.parametrize("tier", ["mix", "class"])
def test_what_a_tier_does_not_release_is_missing_and_no_zero(tier: str) -> None:
    found = read(tell("b.example", tier=tier))

    figures = tell("b.example", tier=tier).figures
    assert found["peer-voices"] == 1
    assert found["peer-adverse"] == figures.adverse_rank
    assert (found["peer-index"] is None) == (figures.index_deci is None)


def test_without_any_summary_every_value_is_missing() -> None:
    assert set(read().values()) == {None}
