"""What lowered a grade as plain values: each criterion with its figure and its words."""

from __future__ import annotations

from typing import Any

from node.assessment.policy_file import Language, UnknownTextError
from node.rating.rules_criteria import Applied
from node.rating.scale import Scale
from node.rating.store import RatingRecord


def build_criteria_object(
    rating: RatingRecord, scale: Scale | None, *, with_peers: bool = True
) -> dict[str, Any] | None:
    """Return what lowered a rating's grades; None where its scale has no criteria.

    Without peers only what lowered the grade of own records. A scale that is not held any more
    leaves the ids.
    """
    if rating.own_applied is None or rating.with_peers_applied is None:
        return None
    shown = {"own": build_applied_object(rating.own_applied, scale)}
    if with_peers:
        shown["with_peers"] = build_applied_object(rating.with_peers_applied, scale)
    return shown


def build_applied_object(applied: Applied, scale: Scale | None) -> dict[str, Any]:
    """Return the grade of the score, and every criterion that held, in both languages."""
    return {
        "score_grade": applied.score_grade,
        "marks": [
            {
                "kind": mark.kind.value,
                "id": mark.criterion_id,
                "texts": {
                    language.value: say_criterion(scale, mark.criterion_id, language)
                    for language in Language
                },
                "figure": mark.figure,
                "before": mark.before,
                "after": mark.after,
                "lowers": mark.lowers,
            }
            for mark in applied.marks
        ],
    }


def say_criterion(scale: Scale | None, criterion_id: str, language: Language) -> str:
    """Put a criterion into words; its id where the scale is not held."""
    if scale is None:
        return criterion_id
    try:
        return scale.describe_criterion(criterion_id, language)
    except UnknownTextError:
        return criterion_id
