"""A model of the registry for people and programs: plain values that every face renders."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from node.assessment.policy_file import Language, LocalText
from node.assessment.statistical.model_file import (
    CategoryBin,
    Earned,
    Feature,
    SpecialBin,
    ValueBin,
)
from node.rating.models.peer_gain import PeerGain
from node.rating.models.registry import Comparison, read_model, read_report, state_of
from node.rating.models.report import (
    PPM,
    build_drift_object,
    build_judged_object,
    describe_verdict,
)
from node.rating.models.rules_registry import STATES, ModelState
from node.rating.store import ModelRecord

_GAINS: Mapping[str, LocalText] = MappingProxyType(
    {
        "few": LocalText(
            zh="违约客户太少而不下结论", en="too few customers turned bad: nothing is concluded"
        ),
        "shown": LocalText(zh="差异可证", en="the difference is shown"),
        "open": LocalText(zh="未显示差异", en="no difference is shown"),
    }
)


def build_summary_object(record: ModelRecord, *, language: Language) -> dict[str, Any]:
    """Return a model as it is listed: state, hashes, and how it did on later rows."""
    report = read_report(record)
    test = report["test"]
    state = state_of(record)
    return {
        "id": record.model_id,
        "name": record.name,
        "version": record.version,
        "state": state.value,
        "state_text": STATES[state].render(language),
        "sha256": record.sha256_b64u,
        "data_sha256": record.data_sha256_b64u,
        "policy_sha256": record.policy_sha256_b64u,
        "trained_by": record.trained_by,
        "trained_at_ms": record.trained_at_ms,
        "split": report["split"],
        "test": {name: test[name] for name in ("rows", "bads", "auc")},
        "verdict": test["verdict"],
        "verdict_text": describe_verdict(test["verdict"], language),
    }


def build_model_object(record: ModelRecord, *, language: Language) -> dict[str, Any]:
    """Return everything of a model: its points table, its report, and its life."""
    body, report = read_model(record).body, read_report(record)
    return {
        **build_summary_object(record, language=language),
        "test": report["test"],
        # Models of before these were worked out have none.
        "coefficients": report.get("coefficients"),
        "drift": report.get("drift", []),
        "scale": body.scale.model_dump(),
        "base_points_deci": body.base_points_deci,
        "features": [_build_feature_object(one, language=language) for one in body.features],
        "combinations": [
            one.model_dump(mode="json", exclude_none=True) for one in body.combinations
        ],
        "events": [
            {
                "kind": one.kind,
                "text": STATES[ModelState(one.kind)].render(language),
                "by": one.entered_by,
                "at_ms": one.entered_at_ms,
                "reason": one.reason,
            }
            for one in record.events
        ],
    }


def build_comparison_object(comparison: Comparison, *, language: Language) -> dict[str, Any]:
    """Return champion and challenger on the same rows; the difference is challenger's gain."""
    gain = comparison.difference.interval
    bounds = (("value_ppm", gain.value), ("low_ppm", gain.low), ("high_ppm", gain.high))
    sides = (
        ("champion", comparison.champion, comparison.champion_judged, comparison.champion_drift),
        (
            "challenger",
            comparison.challenger,
            comparison.challenger_judged,
            comparison.challenger_drift,
        ),
    )
    return {
        "after": comparison.after.isoformat(),
        **{
            side: {
                "id": record.model_id,
                "label": record.label,
                "figures": build_judged_object(judged),
                "verdict_text": describe_verdict(judged.validation.verdict, language),
                "drift": [build_drift_object(one) for one in drift],
            }
            for side, record, judged, drift in sides
        },
        "auc_gain": {name: round(PPM * value) for name, value in bounds if value is not None},
        "is_shown": comparison.difference.is_shown,
    }


def build_peer_gain_object(gain: PeerGain, *, language: Language) -> dict[str, Any]:
    """Return both models on the same rows, and whether peers' words are shown to add anything.

    Below the stated number of customers who turned bad nothing is concluded.
    """
    found = gain.difference.interval
    bounds = (("value_ppm", found.value), ("low_ppm", found.low), ("high_ppm", found.high))
    is_enough = gain.own.validation.bad_customers >= gain.bads_min
    verdict = "few" if not is_enough else "shown" if gain.difference.is_shown else "open"
    return {
        "train_rows": gain.train_rows,
        "train_told": gain.train_told,
        "test_told": gain.test_told,
        **{
            side: {
                "figures": build_judged_object(judged),
                "verdict_text": describe_verdict(judged.validation.verdict, language),
            }
            for side, judged in (("own", gain.own), ("with_peers", gain.with_peers))
        },
        "factors": [_build_feature_object(one, language=language) for one in gain.factors],
        "auc_gain": {name: round(PPM * value) for name, value in bounds if value is not None},
        "verdict": verdict,
        "verdict_text": _GAINS[verdict].render(language),
    }


def _build_feature_object(feature: Feature, *, language: Language) -> dict[str, Any]:
    return {
        "id": feature.id,
        "name": feature.names.render(language),
        "source": feature.source,
        "direction": feature.direction.value,
        "decimals": feature.decimals,
        "coefficient_micro": feature.coefficient_micro,
        "iv_micro": feature.iv_micro,
        "bins": [_build_bin_object(one) for one in feature.all_bins],
    }


def _build_bin_object(one: Earned) -> dict[str, Any]:
    match one:
        case ValueBin():
            kind: dict[str, Any] = {"kind": "values"}
        case SpecialBin():
            kind = {"kind": "special"}
        case CategoryBin():
            kind = {"kind": "words"}
        case _:
            kind = {"kind": "missing"}
    return {**kind, **one.model_dump(mode="json", exclude_none=True)}
