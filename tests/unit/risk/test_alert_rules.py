"""Once a cause; again where it gets worse or comes back: against a small model of its own."""

from __future__ import annotations

from datetime import date

import pytest

from node.risk.alerts.rules_alert import (
    AlertEventKind,
    AlertState,
    Cause,
    Told,
    decide_event,
)
from node.risk.rules.judged import Source
from node.risk.rules_finding import RiskStatus
from node.risk.watch.rules_watch import find_clean_on, is_clean

WATCH, HOLD = RiskStatus.WATCH, RiskStatus.HOLD


def cause(status: RiskStatus = WATCH, level: int = 1) -> Cause:
    return Cause(
        cause="R3",
        rule="R3",
        source=Source.LEDGER,
        status=status,
        level=level,
        values={},
        evidence=(),
    )


def told(
    state: AlertState, *, is_standing: bool = True, status: RiskStatus = WATCH, level: int = 1
) -> Told:
    return Told(state=state, is_standing=is_standing, status=status, level=level)


OPEN, CLOSED = told(AlertState.OPEN), told(AlertState.CLOSED)
GONE = told(AlertState.CLOSED, is_standing=False)


@pytest.mark.parametrize(
    ("before", "found", "kind"),
    [
        pytest.param(None, None, None, id="nothing, still"),
        pytest.param(None, cause(), AlertEventKind.OPENED, id="new"),
        pytest.param(OPEN, cause(), None, id="told already"),
        pytest.param(OPEN, cause(level=0), None, id="less than was told"),
        pytest.param(OPEN, cause(level=2), AlertEventKind.WORSENED, id="a level up"),
        pytest.param(OPEN, cause(HOLD, 0), AlertEventKind.WORSENED, id="a status up"),
        pytest.param(told(AlertState.OPEN, status=HOLD), cause(level=9), None, id="a status down"),
        pytest.param(OPEN, None, AlertEventKind.CEASED, id="gone"),
        pytest.param(CLOSED, cause(), None, id="closed, and no worse"),
        pytest.param(CLOSED, cause(level=2), AlertEventKind.REOPENED, id="closed, and worse"),
        pytest.param(CLOSED, None, AlertEventKind.CEASED, id="closed, and gone"),
        pytest.param(GONE, None, None, id="gone, still"),
        pytest.param(GONE, cause(level=0), AlertEventKind.REOPENED, id="back"),
    ],
)
def test_each_case(before: Told | None, found: Cause | None, kind: AlertEventKind | None) -> None:
    assert decide_event(before, found) is kind


@pytest.mark.parametrize(
    ("found_on", "clean_on"),
    [
        (date(2026, 1, 15), date(2026, 7, 15)),
        (date(2025, 8, 31), date(2026, 2, 28)),
        (date(2023, 8, 31), date(2024, 2, 29)),
        (date(2025, 12, 1), date(2026, 6, 1)),
    ],
)
def test_two_clean_quarters_are_six_months(found_on: date, clean_on: date) -> None:
    assert find_clean_on(found_on, quarters=2) == clean_on
    assert is_clean(found_on, quarters=2, as_of=clean_on)
    assert not is_clean(found_on, quarters=2, as_of=date.fromordinal(clean_on.toordinal() - 1))
