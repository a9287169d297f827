"""Lines of a customer's page: what became of each source, and what lowered the grade."""

from __future__ import annotations

from dataclasses import dataclass

from node.assessment.policy import Freshness, Policy, Source
from node.assessment.report import say_freshness, say_source
from node.assessment.rules_scorecard import EvidenceLine
from node.bootstrap.local import LocalNode
from node.rating.applied_view import say_criterion
from node.rating.store import RatingRecord
from node.web.peer_effects import format_weight
from node.web.texts import Texts

_FRESHNESS_CLASSES = {Freshness.FRESH: "good", Freshness.STALE: "wait", Freshness.MISSING: "stop"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """One source of the assessment: what became of it."""

    source: str
    kind: str
    state: str
    freshness: str
    freshness_class: str
    day: str
    weight: str
    invoices: str
    age: str


def say_criteria(
    local: LocalNode, rating: RatingRecord | None, texts: Texts, *, with_peers: bool
) -> tuple[str, ...]:
    """Put every cap and trigger that held into words, with the figure that it read."""
    applied = None
    if rating is not None:
        applied = rating.with_peers_applied if with_peers else rating.own_applied
    if rating is None or applied is None:
        return ()
    scale = local.rating.find_scale(rating.scale.sha256_b64u)
    lines = []
    for mark in applied.marks:
        words = say_criterion(scale, mark.criterion_id, texts.language)
        figure = f" ({mark.figure})" if mark.figure else ""
        lines.append(
            texts(
                "rating.criterion", before=mark.before, after=mark.after, words=f"{words}{figure}"
            )
        )
    return tuple(lines)


def view_source(line: EvidenceLine, policy: Policy, texts: Texts) -> SourceLine:
    """Put one source of an assessment into words."""
    age = texts("none.data") if line.age_days is None else texts("unit.days", count=line.age_days)
    invoices = "" if line.invoices is None else str(line.invoices)
    erased = texts("none.erased") if line.is_erased else None
    return SourceLine(
        source=_name_source(line, texts),
        kind=say_source(line.source, texts.language),
        state=policy.describe(line.code, texts.language),
        freshness="" if line.freshness is None else say_freshness(line.freshness, texts.language),
        freshness_class="" if line.freshness is None else _FRESHNESS_CLASSES[line.freshness],
        day="" if line.dated_on is None else line.dated_on.isoformat(),
        weight=format_weight(line.weight_milli),
        invoices=erased or invoices,
        age=erased or age,
    )


def _name_source(line: EvidenceLine, texts: Texts) -> str:
    if line.source is Source.OWN:
        return texts("evidence.own")
    if line.source is Source.LISTS:
        return texts(f"public-list.{line.provider}")
    return line.provider or say_source(line.source, texts.language)
