"""An assessment as two texts of canonical JSON: what it said, and the values that it was told.

One row holds a whole card, however many factors it has: a run over a portfolio writes as many rows
as customers, not fifty times as many. What may have to be erased stands in a text of its own: the
codes, points and hashes of the other one stay readable without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any, NamedTuple

from pydantic_core import to_json

from node.assessment.policy import PolicyReference
from node.assessment.policy_parts import Freshness, Source
from node.assessment.results import MISSING, OWN_REF, Assessment, EvidenceLine, FactorResult

FORM = 1  # of both texts; a text of another form is not read
SOURCES = "sources"  # of a factor, as the positions of its evidence
ERASED_OF_EVIDENCE = ("invoices", "age_days", "dated_on")
ERASED_OF_FACTORS = ("value", "own_value", "peers_value", "outside_value")
SAID_OF_EVIDENCE = tuple(
    field.name for field in fields(EvidenceLine) if field.name not in ERASED_OF_EVIDENCE
)
SAID_OF_FACTORS = tuple(
    field.name for field in fields(FactorResult) if field.name not in (*ERASED_OF_FACTORS, SOURCES)
)


class PackedAssessment(NamedTuple):
    """An assessment as it is written; a plain tuple, since it goes from process to process.

    ``readings`` are the peers' messages that it read, each with the code of its line.
    """

    customer_id: int
    subject_id: str
    as_of: date
    created_at_ms: int
    policy: PolicyReference
    score_deci: int | None
    confidence: str
    confidence_code: str
    confidence_permille: int | None
    reasons: str
    said: str
    told: str
    readings: tuple[tuple[str, str], ...]


def pack(
    result: Assessment, *, customer_id: int, subject_id: str, created_at_ms: int
) -> PackedAssessment:
    """Return an assessment as it is written."""
    positions = {line.ref: position for position, line in enumerate(result.evidence)}
    return PackedAssessment(
        customer_id=customer_id,
        subject_id=subject_id,
        as_of=result.as_of,
        created_at_ms=created_at_ms,
        policy=result.policy,
        score_deci=result.score_deci,
        confidence=result.confidence.level.value,
        confidence_code=result.confidence.code,
        confidence_permille=result.confidence.permille,
        reasons=" ".join(result.reasons),
        said=format_said(
            evidence=[_pick_said_of_evidence(line) for line in result.evidence],
            factors=[_pick_said_of_factor(factor, positions) for factor in result.factors],
        ),
        told=format_told(
            evidence=[(line.invoices, line.age_days, line.dated_on) for line in result.evidence],
            factors=[
                (factor.value, factor.own_value, factor.peers_value, factor.outside_value)
                for factor in result.factors
            ],
        ),
        readings=tuple(
            {
                line.ref: line.code
                for line in result.evidence
                # Where nobody has told anything, a line says so: there is no message that it names.
                if line.source is Source.PEERS and line.code != MISSING
            }.items()
        ),
    )


def format_said(*, evidence: Sequence[Sequence[Any]], factors: Sequence[Sequence[Any]]) -> str:
    """Return what stays: the names of the members once, then their values line by line."""
    return _format(
        {
            "form": FORM,
            "evidence": [SAID_OF_EVIDENCE, *evidence],
            "factors": [(*SAID_OF_FACTORS, SOURCES), *factors],
        }
    )


def format_told(*, evidence: Sequence[Sequence[Any]], factors: Sequence[Sequence[Any]]) -> str:
    """Return what may be erased, in the same form."""
    return _format(
        {
            "form": FORM,
            "evidence": [ERASED_OF_EVIDENCE, *evidence],
            "factors": [ERASED_OF_FACTORS, *factors],
        }
    )


def unpack(
    said: str, told: str | None
) -> tuple[tuple[EvidenceLine, ...], tuple[FactorResult, ...]]:
    """Return evidence and factors; each value is None where ``told`` was erased.

    A card that is older than a source, a freshness or spread points says nothing of them.
    """
    lines = _read(said, told, "evidence", (*SAID_OF_EVIDENCE, *ERASED_OF_EVIDENCE))
    evidence = tuple(_read_line(line) for line in lines)
    factors = []
    for members in _read(said, told, "factors", (*SAID_OF_FACTORS, *ERASED_OF_FACTORS, SOURCES)):
        sources = tuple(evidence[position].ref for position in members[SOURCES])
        spread_deci = members["spread_deci"] or 0
        more = {SOURCES: sources, "spread_deci": spread_deci}
        factors.append(FactorResult(**(members | more)))
    return evidence, tuple(factors)


def _format(card: dict[str, Any]) -> str:
    return to_json(card).decode()


def _pick_said_of_evidence(line: EvidenceLine) -> tuple[Any, ...]:
    """Return the members of ``SAID_OF_EVIDENCE``; an enumeration costs five plain texts."""
    freshness = line.freshness
    return (
        line.ref,
        line.provider,
        line.code,
        line.weight_milli,
        str(line.source),
        None if freshness is None else str(freshness),
    )


def _pick_said_of_factor(factor: FactorResult, positions: Mapping[str, int]) -> tuple[Any, ...]:
    """Return the members of ``SAID_OF_FACTORS``, and its sources."""
    return (
        factor.factor_id,
        factor.code,
        factor.points_deci,
        factor.points_max_deci,
        factor.is_higher_better,
        factor.spread_deci,
        [positions[ref] for ref in factor.sources],
    )


def _read_line(members: dict[str, Any]) -> EvidenceLine:
    source, freshness, dated_on = (members[one] for one in ("source", "freshness", "dated_on"))
    if source is None:  # Of an older card: there were our own records and peers.
        source = Source.OWN if members["ref"] == OWN_REF else Source.PEERS
    read = {
        "source": Source(source),
        "freshness": None if freshness is None else Freshness(freshness),
        "dated_on": None if dated_on is None else date.fromisoformat(dated_on),
    }
    return EvidenceLine(**(members | read))


def _read(said: str, told: str | None, part: str, names: Sequence[str]) -> list[dict[str, Any]]:
    head, *rows = json.loads(said)[part]
    nothing = dict.fromkeys(names)
    read = [nothing | dict(zip(head, row, strict=True)) for row in rows]
    if told is None:
        return read
    head, *rows = json.loads(told)[part]
    values = [dict(zip(head, row, strict=True)) for row in rows]
    return [one | more for one, more in zip(read, values, strict=True)]
