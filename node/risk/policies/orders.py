"""How orders are checked, as data: what counts as exposure, how long a release holds, and why."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from node.assessment.policy import PERMILLE
from node.assessment.policy_file import Identifier
from node.risk.exposure.rules_exposure import ExposureRules
from schemas.wire import WireModel

DAYS_MAX = 3_660
REASONS_MAX = 40
REASONS = (
    "paid", "payment-announced", "cover-arranged", "our-dispute", "limit-in-progress",
    "one-off", "data-error",
)  # fmt: skip


class OrderTerms(WireModel):
    """What the rules R1, R2, R6 and R8 do not say of an order check; amounts are no members."""

    exposure: ExposureRules = ExposureRules()
    holds_accepted_over_limit: bool = False
    """Whether an order that was let through is held at delivery by a limit lowered since."""
    grace_days: Annotated[int, Field(ge=0, le=DAYS_MAX)] = 5
    """So long after a release a delivery is not checked again, but for a stop."""
    release_days_max: Annotated[int, Field(ge=1, le=DAYS_MAX)] = 30
    release_over_permille: Annotated[int, Field(ge=0, le=PERMILLE)] = 50
    """So much more than was released an order may come to be."""
    reason_codes: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=REASONS_MAX)] = (
        REASONS
    )
