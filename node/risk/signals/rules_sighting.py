"""What a detector has seen. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from node.risk.rules.judged import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The day on which it happened, by which figures, and the records that show it."""

    happened_on: date
    source: Source
    values: Mapping[str, int | str]
    level: int = 1
    """How often; only more is a worsening."""
    evidence: tuple[str, ...] = ()
