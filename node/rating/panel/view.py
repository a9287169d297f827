"""The panel for people and programs: plain values that every face renders."""

from __future__ import annotations

from typing import Any

from node.assessment.policy_file import Language
from node.assessment.statements.rules_altman import (
    ALTMAN_VERSION,
    MODELS,
    SCORE_DECIMALS,
    Score,
)
from node.assessment.statements.rules_ratios import format_value
from node.assessment.statements.wording import say
from node.assessment.statistical.model_file import ModelBody
from node.assessment.statistical.rules_statistical import (
    ScoreLine,
    Value,
    describe_reason,
    name_factor,
)
from node.rating.models.report import describe_verdict
from node.rating.models.rules_outcome import ScoreCode
from node.rating.panel.rules_panel import APART, OPINIONS, SCORE_CODES, Apart, Placed
from node.rating.panel.service import AltmanSaid, ModelSaid, Panel


def build_panel_object(panel: Panel, *, language: Language) -> dict[str, Any]:
    """Return everything of a panel: codes and numbers, and the words beside them."""
    expert = panel.pair.with_peers
    return {
        "customer_id": panel.pair.customer_id,
        "assessment_id": expert.assessment_id,
        "own_assessment_id": panel.pair.own.assessment_id,
        "as_of": expert.assessment.as_of.isoformat(),
        "policy": {"label": panel.policy.label, "sha256": panel.policy.sha256_b64u},
        "rated_by": "expert",
        "expert": {
            "policy": expert.assessment.policy.label,
            "score_deci": expert.assessment.score_deci,
            "score_own_deci": panel.pair.own.assessment.score_deci,
        },
        "models": [build_model_said(one, language=language) for one in panel.models],
        "altman": _build_altman(panel.altman, language),
        "index": {
            "own_deci": panel.index.own_deci,
            "peers_deci": panel.index.peers_deci,
            "providers": list(panel.index.providers),
            "is_erased": panel.index.is_erased,
        },
        "grades": [_build_placed(one, panel, language) for one in panel.placed],
        "apart_from_ranks": panel.policy.body.apart_from_ranks,
        "apart": [
            {
                "code": one.code,
                "label": one.placed.label,
                "ranks": one.ranks,
                "text": describe_apart(one, language),
            }
            for one in panel.apart
        ],
    }


def build_model_said(said: ModelSaid, *, language: Language) -> dict[str, Any]:
    """Return what one model says: every point with its value, and the reasons in both languages."""
    body, score = said.model.body, said.score
    reasons = () if score is None else score.reasons
    return {
        "role": said.row.role,
        "role_text": OPINIONS[said.opinion].render(language),
        "id": said.record.model_id,
        "label": said.record.label,
        "sha256": said.row.model_sha256_b64u,
        "is_validated": said.is_validated,
        "verdict": said.verdict,
        "verdict_text": describe_verdict(said.verdict, language),
        "code": said.row.code,
        "code_text": SCORE_CODES[ScoreCode(said.row.code)].render(language),
        "score_deci": said.row.score_deci,
        "probability_ppm": said.row.probability_ppm,
        "base_points_deci": body.base_points_deci,
        "lines": []
        if score is None
        else [_build_line(line, body, language) for line in score.lines],
        "reasons": [
            {
                "code": code,
                "zh": describe_reason(body, code, Language.ZH),
                "en": describe_reason(body, code, Language.EN),
            }
            for code in reasons
        ],
    }


def describe_placed(placed: Placed, language: Language) -> str:
    """Name an opinion, and of several models of one role which it is."""
    name = OPINIONS[placed.opinion].render(language)
    return f"{name} {placed.label}" if placed.label else name


def describe_apart(apart: Apart, language: Language) -> str:
    """Put into words that two opinions lie apart."""
    return (
        APART[apart.side]
        .render(language)
        .format(
            name=describe_placed(apart.placed, language),
            against=describe_placed(apart.against, language),
            ranks=apart.ranks,
        )
    )


def format_span(placed: Placed, panel: Panel) -> str:
    """Write the grades that an opinion covers: ``BB``, or ``BBB–B``."""  # noqa: RUF002  a dash
    grades = panel.policy.body.grades
    best, worst = grades[placed.ranks.best].grade, grades[placed.ranks.worst].grade
    return best if best == worst else f"{best}–{worst}"  # noqa: RUF001  a dash is meant


def format_probability(probability_ppm: int | None) -> str:
    """Write millionths in per cent; nothing is a dash."""
    if probability_ppm is None:
        return "—"
    return f"{probability_ppm // 10_000}.{probability_ppm % 10_000 // 100:02d} %"


def format_factor_value(value: Value, *, decimals: int) -> str:
    """Write the value of a factor with its decimals; nothing is a dash, never 0."""
    if value is None:
        return "—"
    if isinstance(value, str):
        return value
    sign, digits = "-" if value < 0 else "", abs(value)
    whole, rest = divmod(digits, 10**decimals)
    return f"{sign}{whole}.{rest:0{decimals}d}" if decimals else f"{sign}{whole}"


def _build_line(line: ScoreLine, body: ModelBody, language: Language) -> dict[str, Any]:
    decimals = {one.id: one.decimals for one in body.features}
    return {
        "factor": line.factor_id,
        "name": name_factor(body, line.factor_id, language),
        "values": [
            {
                "factor": name,
                "value": value,
                "text": format_factor_value(value, decimals=decimals[name]),
            }
            for name, value in line.values
        ],
        "points_deci": line.points_deci,
        "points_best_deci": line.points_best_deci,
        "source": line.source,
        "code": line.code,
        "reason": describe_reason(body, line.code, language),
    }


def _build_altman(said: AltmanSaid | None, language: Language) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "formula": ALTMAN_VERSION,
        "year_end": said.year_end.isoformat(),
        "basis": said.basis.value,
        "scores": [_build_altman_score(one, language) for one in said.scores],
    }


def _build_altman_score(score: Score, language: Language) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "model": score.model,
        "name": MODELS[score.model].words.render(language),
        "score": None,
        "zone": None,
    }
    if score.score is None or score.zone is None:
        why = say("reason", score.reason, language, item=score.missing_item)
        return {**shown, "reason": score.reason, "reason_text": why}
    return {
        **shown,
        "score": format_value(score.score, decimals=SCORE_DECIMALS),
        "zone": score.zone.value,
        "zone_text": say("zone", score.zone, language),
        "remarks": [say("remark", one, language) for one in score.remarks],
    }


def _build_placed(placed: Placed, panel: Panel, language: Language) -> dict[str, Any]:
    grades = panel.policy.body.grades
    return {
        "opinion": placed.opinion.value,
        "label": placed.label,
        "name": OPINIONS[placed.opinion].render(language),
        "best": grades[placed.ranks.best].grade,
        "worst": grades[placed.ranks.worst].grade,
    }
