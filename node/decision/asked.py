"""What a decision is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from node.decision.evidence import Wish
from node.decision.policy import BuyerKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a decision is asked for, and what the law makes of the customer.

    Limit, currency and terms of an application are taken from it, and are not named beside it.
    """

    wish: Wish
    buyer: BuyerKind = BuyerKind.COMPANY
    terms_days: int | None = None
    application_id: int | None = None
