"""A rating beside the grade that is in force: what every face shows of both."""

from __future__ import annotations

from typing import Any

from node.rating.overrides.reading import apply_override
from node.rating.overrides.rules_override import Override
from node.rating.store import RatingRecord


def build_rated_object(
    rating: RatingRecord, override: Override | None, *, with_peers: bool
) -> dict[str, Any]:
    """Return a rating's grades and days; without peers neither their grade nor what it changed."""
    held = apply_override(rating, override)
    shown: dict[str, Any] = {
        "rating_id": rating.rating_id,
        "customer_id": rating.customer_id,
        "as_of": rating.as_of.isoformat(),
        "scale": {
            "id": rating.scale.scale_id,
            "version": rating.scale.version,
            "sha256": rating.scale.sha256_b64u,
        },
        "grade_own": rating.grade_own,
        "grade_in_force": held.grade_with_peers if with_peers else held.grade_own,
        "valid_until": None if rating.valid_until is None else rating.valid_until.isoformat(),
        "review_on": rating.review_on.isoformat(),
    }
    return shown | ({"grade_with_peers": rating.grade_with_peers} if with_peers else {})
