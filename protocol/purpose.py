"""Purposes of a query and their ceilings (docs/protocol/consent.md).

A template is pinned by its hash in every consent; both sides and the auditor recompute the ceilings
offline. A consent above them is refused when it is made and when it is delivered. Marketing,
pricing, hiring and resale are no purposes.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from protocol.encoding import sha256
from protocol.strict_json import JsonObject, canonical_json

METRICS: tuple[str, ...] = (
    "relation", "volume", "money", "index", "delay", "trend", "disputes", "adverse", "overdue_now",
    "lateness",
)  # fmt: skip
DERIVATIONS = frozenset({"rating", "alert", "model"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeTemplate:
    """What may be asked for one purpose, at most."""

    code: str
    template: str
    text: str
    months_max: int
    uses_max: int
    life_s_max: int
    data_life_s_max: int
    k_min: int
    ops: tuple[str, ...]
    metrics: tuple[str, ...]
    derive: tuple[str, ...]

    def to_object(self) -> JsonObject:
        """Return the template as it is hashed and published."""
        return {
            "v": 1,
            "code": self.code,
            "template": self.template,
            "text": self.text,
            "months_max": self.months_max,
            "uses_max": self.uses_max,
            "life_s_max": self.life_s_max,
            "data_life_s_max": self.data_life_s_max,
            "k_min": self.k_min,
            "ops": list(self.ops),
            "metrics": list(self.metrics),
            "derive": list(self.derive),
        }

    @property
    def hash(self) -> bytes:
        """Return SHA-256 of the canonical template."""
        return sha256(canonical_json(self.to_object()))


_DAY_S = 86_400
_YEAR_S = 366 * _DAY_S
# Whoever watches a customer needs to know what has become worse, not how much others sell to it.
WATCHED_METRICS = ("index", "delay", "trend", "disputes", "adverse", "overdue_now", "lateness")

TEMPLATES = MappingProxyType(
    {
        template.code: template
        for template in (
            PurposeTemplate(
                code="P1",
                template="assess-new-credit/1",
                text="Assess whether and how far to sell on credit to a new customer.",
                months_max=24,
                uses_max=100,
                life_s_max=_YEAR_S,
                data_life_s_max=_YEAR_S,
                k_min=1,
                ops=("query",),
                metrics=METRICS,
                derive=("rating", "model"),
            ),
            PurposeTemplate(
                code="P2",
                template="review-existing-credit/1",
                text="Review the credit of an existing customer.",
                months_max=24,
                uses_max=1_000,
                life_s_max=2 * _YEAR_S,
                data_life_s_max=2 * _YEAR_S,
                k_min=1,
                ops=("query",),
                metrics=METRICS,
                derive=("rating", "model"),
            ),
            PurposeTemplate(
                code="P3",
                template="monitor-open-exposure/1",
                text="Watch a customer while money is owed.",
                months_max=12,
                uses_max=10_000,
                life_s_max=_YEAR_S,
                data_life_s_max=_YEAR_S,
                k_min=1,
                ops=("query", "push"),
                metrics=WATCHED_METRICS,
                derive=("rating", "alert"),
            ),
        )
    }
)
