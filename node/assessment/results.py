"""What an assessment comes to: the score with its factors, and every piece of evidence listed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.assessment.engine_texts import ENGINE_TEXTS
from node.assessment.policy import ConfidenceLevel, PolicyReference
from node.assessment.policy_parts import PERMILLE, Freshness, Source

OWN_REF = "own"  # a peer's reference is the hash of its message, which is never this short
USED = "used"
MISSING = "missing"
INVOICE_WEIGHT = PERMILLE  # weights are in thousandths of an own invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLine:
    """One source, what it weighs, and why it was left out if it was; None after an erasure.

    ``freshness`` is None in an assessment by a policy that has no rules for it.
    """

    ref: str
    provider: str | None
    code: str
    weight_milli: int
    invoices: int | None
    age_days: int | None
    source: Source = Source.PEERS
    dated_on: date | None = None
    freshness: Freshness | None = None

    @property
    def is_behaviour(self) -> bool:
        """Whether it tells how the customer pays: our own records or a peer's."""
        return self.source is Source.OWN or self.source is Source.PEERS

    @property
    def is_erased(self) -> bool:
        """Whether its values were removed; what may not count never had any here."""
        has_none = self.invoices is None and self.age_days is None
        return has_none and self.code != MISSING and self.code not in ENGINE_TEXTS


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorResult:
    """One line of the card: the value, whose values made it, and what it earned.

    ``spread_deci`` are the points that ``points_max_deci`` has more than in the policy, since
    groups without evidence gave theirs up; all of its own, negative, in such a group.
    """

    factor_id: str
    code: str
    points_deci: int
    points_max_deci: int
    is_higher_better: bool
    sources: tuple[str, ...]
    value: int | None
    own_value: int | None
    peers_value: int | None
    outside_value: int | None = None
    spread_deci: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """How far the score carries, and the numbers that say so.

    ``permille`` is the figure by which gaps in the evidence lowered the level.
    """

    level: ConfidenceLevel
    code: str
    own_invoices: int
    peers: int
    invoices: int
    age_days: int | None
    permille: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A scored customer; with nothing to score, ``score_deci`` is None and factors are empty."""

    as_of: date
    policy: PolicyReference
    score_deci: int | None
    confidence: Confidence
    factors: tuple[FactorResult, ...]
    reasons: tuple[str, ...]
    evidence: tuple[EvidenceLine, ...]

    @property
    def score(self) -> int | None:
        """The whole points, cut off so that a score shown as 90 has the grade of 90."""
        return None if self.score_deci is None else self.score_deci // 10
