"""By which parameters orders are checked; the approved risk policy will supply them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from node.assessment.policy import PERMILLE
from node.assessment.policy_file import Identifier
from node.risk.exposure.rules_exposure import ExposureRules
from node.risk.rules_finding import RiskStatus
from schemas.wire import WireModel

DAYS_MAX = 3_660
PERMILLE_MAX = 100_000
REASONS = (
    "paid", "payment-announced", "cover-arranged", "our-dispute", "limit-in-progress",
    "one-off", "data-error",
)  # fmt: skip


class CheckRules(WireModel):
    """What an order check finds, and how severe it is."""

    exposure: ExposureRules = ExposureRules()
    over_limit: RiskStatus = RiskStatus.HOLD
    """R1, and what is like it: no limit, prepayment only, no rate, a prepaid part not paid."""
    usage: RiskStatus = RiskStatus.WATCH
    usage_permille: Annotated[int, Field(ge=1, le=PERMILLE)] = 900
    """R2: from this share of the limit on."""
    expired: RiskStatus = RiskStatus.HOLD
    """R6: the limit or the rating is past its last day."""
    spike: RiskStatus = RiskStatus.WATCH
    spike_permille: Annotated[int, Field(ge=PERMILLE, le=PERMILLE_MAX)] = 2_000
    """R8: an order of more than this share of the highest of the months before."""
    spike_months: Annotated[int, Field(ge=1, le=60)] = 12
    holds_accepted_over_limit: bool = False
    """Whether an order that was let through is held at delivery by a limit lowered since."""
    grace_days: Annotated[int, Field(ge=0, le=DAYS_MAX)] = 5
    """So long after a release a delivery is not checked again, but for a stop."""
    release_days_max: Annotated[int, Field(ge=1, le=DAYS_MAX)] = 30
    release_over_permille: Annotated[int, Field(ge=0, le=PERMILLE)] = 50
    """So much more than was released an order may come to be."""
    reason_codes: tuple[Identifier, ...] = REASONS


FindRules = Callable[[], CheckRules]
