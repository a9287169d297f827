"""The back-test and the report of overrides as plain values: shares in millionths, never a float.

What cannot be computed is null, and the words say so.
"""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from node.assessment.policy_file import Language, LocalText
from node.rating.backtest.observed import BackTest, GradeLine
from node.rating.backtest.overridden import OutcomeShare, OverrideGroup, OverrideReport
from node.rating.overrides.policy import OverridePolicy
from node.rating.scale import PPM
from node.rating.validation.intervals import Interval
from node.rating.validation.verdict import VERDICTS

_VERDICTS: Mapping[str, LocalText] = MappingProxyType(
    {
        **VERDICTS,
        "withheld.looked-back": LocalText(
            zh="有评级是事后补评的，不得称为已验证",
            en="not called validated: some ratings were given long after their day",
        ),
    }
)


def build_backtest_object(found: BackTest, *, language: Language) -> dict[str, Any]:
    """Return the back-test."""
    return {
        "until": found.until.isoformat(),
        "months": found.months,
        "grades": [_line(one) for one in found.lines],
        "total": _line(found.total),
        "bad_customers": found.bad_customers,
        "bad_already": found.bad_already,
        "looked_back": found.looked_back,
        "auc": build_interval_object(found.auc),
        "brier_ppm": _ppm(found.brier),
        "verdict": found.verdict,
        "verdict_text": _VERDICTS[found.verdict].render(language),
    }


def build_override_report_object(
    report: OverrideReport, *, policy: OverridePolicy, language: Language
) -> dict[str, Any]:
    """Return the report of overrides."""

    def name(code: str) -> str:
        reason = policy.find_reason(code)
        return code if reason is None else reason.names.render(language)

    return {
        "until": report.until.isoformat(),
        "months": report.months,
        "states": {state.value: count for state, count in report.states.items()},
        "total": _group(report.total),
        "by_direction": _groups(report.by_direction),
        "by_reason": [_group(one) | {"text": name(one.name)} for one in report.by_reason],
        "by_person": _groups(report.by_person),
        "rated": report.rated,
        "overridden": report.overridden,
        "share_permille": report.share_permille,
        "not_overridden": _outcome(report.not_overridden),
        "is_cut": report.is_cut,
    }


def build_interval_object(interval: Interval) -> dict[str, int | None]:
    """Return a figure and its 95 % interval in millionths."""
    return {
        "value_ppm": _ppm(interval.value),
        "low_ppm": _ppm(interval.low),
        "high_ppm": _ppm(interval.high),
    }


def say_interval(shown: dict[str, int | None], *, nothing: str) -> str:
    """Write a share and its interval in per cent."""
    value, low, high = shown["value_ppm"], shown["low_ppm"], shown["high_ppm"]
    if value is None:
        return nothing
    if low is None or high is None:
        return f"{say_ppm(value)} [{nothing}]"
    return f"{say_ppm(value)} [{say_ppm(low)}, {say_ppm(high)}]"


def say_ppm(ppm: int) -> str:
    """Write millionths in per cent with two decimals, cut off."""
    return f"{ppm // 10_000}.{ppm % 10_000 // 100:02d} %"


def _line(one: GradeLine) -> dict[str, Any]:
    return {
        "grade": one.grade,
        "n": one.rows,
        "bads": one.bads,
        "observed": build_interval_object(one.observed),
        "stated_ppm": _ppm(one.stated),
        "holds": one.holds,
        "not_over": one.not_over,
    }


def _groups(groups: Sequence[OverrideGroup]) -> list[dict[str, Any]]:
    return [_group(one) for one in groups]


def _group(one: OverrideGroup) -> dict[str, Any]:
    return {
        "name": one.name,
        "count": one.count,
        "up": one.up,
        "down": one.down,
        "outcome": _outcome(one.outcome),
    }


def _outcome(share: OutcomeShare) -> dict[str, Any]:
    return {
        "n": share.rows,
        "bads": share.bads,
        "observed": build_interval_object(share.observed),
        "not_over": share.not_over,
    }


def _ppm(value: float | None) -> int | None:
    return None if value is None else round(value * PPM)
