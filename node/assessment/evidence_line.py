"""What an assessment keeps of each source: what it weighs, or why it was left out."""

from __future__ import annotations

from dataclasses import dataclass

from node.assessment.policy import PERMILLE

OWN_REF = "own"  # a peer's reference is the hash of its message, which is never this short
USED = "used"
INVOICE_WEIGHT = PERMILLE  # weights are in thousandths of an own invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLine:
    """One source, what it weighs, and why it was left out if it was; None after an erasure."""

    ref: str
    provider: str | None
    code: str
    weight_milli: int
    invoices: int | None
    age_days: int | None
