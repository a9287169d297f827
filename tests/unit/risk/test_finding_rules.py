"""The status that follows from what the rules have found."""

from __future__ import annotations

from itertools import pairwise

import pytest

from node.risk.rules_finding import Finding, RiskStatus, find_status


def build(*statuses: RiskStatus) -> tuple[Finding, ...]:
    return tuple(
        Finding(rule=f"R{place}", status=status, values={})
        for place, status in enumerate(statuses, start=1)
    )


@pytest.mark.parametrize(("less", "more"), list(pairwise(RiskStatus)))
def test_the_more_severe_finding_wins_in_either_order(less: RiskStatus, more: RiskStatus) -> None:
    assert find_status(build(less, more)) is more
    assert find_status(build(more, less)) is more


def test_without_a_finding_nothing_stands_against_a_customer() -> None:
    assert find_status(()) is RiskStatus.OK
