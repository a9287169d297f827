"""Runs, movements and reviews as plain values, for JSON and for the words of commands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from node.rating.rules_movement import Matrix
from node.rating.runs.movements import Comparison
from node.rating.runs.reviews import Review, count_states
from node.rating.runs.service import RunReport
from node.rating.store.movements import MovedCustomer


def build_run_object(report: RunReport, *, with_peers: bool = True) -> dict[str, Any]:
    """Return a run; without peers neither their grades nor what they changed."""
    run = report.run
    shown: dict[str, Any] = {
        "run": run.run_id,
        "as_of": run.terms.as_of.isoformat(),
        "policy": {
            "id": run.terms.policy.policy_id,
            "version": run.terms.policy.version,
            "sha256": run.terms.policy.sha256_b64u,
        },
        "scale": {
            "id": run.terms.scale.scale_id,
            "version": run.terms.scale.version,
            "sha256": run.terms.scale.sha256_b64u,
        },
        "state": report.state.value,
        "started_by": run.started_by,
        "started_at": _format_moment(run.started_at_ms),
        "ended_at": None if run.ended_at_ms is None else _format_moment(run.ended_at_ms),
        "resumed": run.resumed,
        "rated": run.rated,
        "skipped": run.skipped,
        "own": report.counts_own,
    }
    if with_peers:
        shown |= {"changed": report.changed, "with_peers": report.counts_with_peers}
    return shown


def build_comparison_object(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison: movements, and the matrix with counts and shares in per mille."""
    return {
        "before": comparison.before,
        "after": comparison.after,
        "basis": "with-peers" if comparison.with_peers else "own",
        "customers": comparison.matrix.n,
        "movements": {one.value: count for one, count in comparison.counts.items()},
        "matrix": build_matrix_object(comparison.matrix),
    }


def build_matrix_object(matrix: Matrix) -> dict[str, Any]:
    """Return the matrix; the grade of who has none is empty."""
    return {
        "grades": list(matrix.grades),
        "rows": [
            {
                "before": row.before,
                "n": row.n,
                "counts": [row.counts.get(grade, 0) for grade in matrix.grades],
                "permille": [row.share_permille(grade) for grade in matrix.grades],
            }
            for row in matrix.rows
        ],
    }


def build_moved_object(moved: MovedCustomer, *, is_hidden: bool = False) -> dict[str, Any]:
    """Return a customer of a comparison; who may not be seen has its key alone."""
    return {
        "customer": moved.customer_id,
        "subject": "" if is_hidden else moved.subject_id,
        "name": "" if is_hidden else moved.name,
        "is_hidden": is_hidden,
        "grade_before": moved.change.before.grade or None,
        "grade_after": moved.change.after.grade or None,
        "score_before_deci": moved.score_before_deci,
        "score_after_deci": moved.score_after_deci,
        "reason_before": moved.reason_before,
        "reason_after": moved.reason_after,
    }


def build_reviews_object(
    reviews: Sequence[Review],
    *,
    today: date,
    until: date,
    hidden: frozenset[int] = frozenset(),
    with_peers: bool = True,
) -> dict[str, Any]:
    """Return the calendar: how many of each state, and every customer on it."""
    return {
        "today": today.isoformat(),
        "until": until.isoformat(),
        "counts": {state.value: count for state, count in count_states(reviews).items()},
        "reviews": [
            build_review_object(one, is_hidden=one.row.customer_id in hidden, with_peers=with_peers)
            for one in reviews
        ],
    }


def build_review_object(
    review: Review, *, is_hidden: bool = False, with_peers: bool = True
) -> dict[str, Any]:
    """Return one customer on the calendar."""
    rating = review.row.rating
    grade = None
    if rating is not None:
        grade = rating.grade_with_peers if with_peers else rating.grade_own
    held = review.override
    if held is not None and not with_peers:
        held = held.without_peers
    return {
        "customer": review.row.customer_id,
        "subject": "" if is_hidden else review.row.subject_id,
        "name": "" if is_hidden else review.row.name,
        "is_hidden": is_hidden,
        "state": review.state.value,
        "grade": grade if held is None else held.grade_after,
        "grade_rated": grade,
        "override": None if review.override is None else review.override.override_id,
        "rated_on": None if rating is None else rating.as_of.isoformat(),
        "review_on": None if rating is None else rating.review_on.isoformat(),
        "valid_until": None
        if rating is None or rating.valid_until is None
        else rating.valid_until.isoformat(),
        "days": review.days,
        "triggers": list(review.triggers),
    }


def _format_moment(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return moment.isoformat().replace("+00:00", "Z")
