"""All SQL of the assessment room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from node.assessment.policy import ConfidenceLevel, PolicyReference
from node.assessment.policy_parts import Freshness, Source
from node.assessment.results import (
    OWN_REF,
    Assessment,
    Confidence,
    EvidenceLine,
    FactorResult,
)
from node.assessment.rules_confidence import count_lines
from node.assessment.tables import (
    assessment,
    assessment_evidence,
    assessment_evidence_value,
    assessment_factor,
    assessment_factor_source,
    assessment_factor_value,
)
from node.records.store.sealing import SealingStore


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRecord:
    """An assessment as it is kept."""

    assessment_id: int
    customer_id: int
    subject_id: str
    own_assessment_id: int | None
    created_at_ms: int
    assessment: Assessment


class AssessmentStore:
    """Appends assessments and reads them back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(
        self,
        result: Assessment,
        *,
        customer_id: int,
        subject_id: str,
        own_assessment_id: int | None,
        created_at_ms: int,
    ) -> AssessmentRecord:
        """Keep one assessment."""
        assessment_id = self._connection.execute(
            insert(assessment)
            .values(
                customer_id=customer_id,
                subject_id=SealingStore(self._connection).mark(subject_id, customer_id=customer_id),
                as_of=result.as_of,
                created_at_ms=created_at_ms,
                own_assessment_id=own_assessment_id,
                policy_id=result.policy.policy_id,
                policy_version=result.policy.version,
                policy_sha256_b64u=result.policy.sha256_b64u,
                score_deci=result.score_deci,
                confidence=result.confidence.level.value,
                confidence_code=result.confidence.code,
                confidence_permille=result.confidence.permille,
                reasons=" ".join(result.reasons),
            )
            .returning(assessment.c.id)
        ).scalar_one()
        self._append_evidence(assessment_id, result)
        self._append_factors(assessment_id, result)
        return AssessmentRecord(
            assessment_id=assessment_id,
            customer_id=customer_id,
            subject_id=subject_id,
            own_assessment_id=own_assessment_id,
            created_at_ms=created_at_ms,
            assessment=result,
        )

    def find_latest(self, customer_id: int) -> AssessmentRecord | None:
        """Return the newest assessment of a customer."""
        newest = (
            select(assessment)
            .where(assessment.c.customer_id == customer_id)
            .order_by(assessment.c.id.desc())
            .limit(1)
        )
        row = self._connection.execute(newest).one_or_none()
        return None if row is None else self._read(row)

    def find(self, assessment_id: int) -> AssessmentRecord | None:
        """Return one assessment."""
        row = self._connection.execute(
            select(assessment).where(assessment.c.id == assessment_id)
        ).one_or_none()
        return None if row is None else self._read(row)

    def list_newest_scores(
        self, customer_ids: Sequence[int], *, as_of: date
    ) -> dict[int, int | None]:
        """Return the score of the newest assessment by a day, of those customers who have one."""
        newest = (
            select(func.max(assessment.c.id))
            .where(assessment.c.customer_id.in_(customer_ids), assessment.c.as_of <= as_of)
            .group_by(assessment.c.customer_id)
        )
        rows = self._connection.execute(
            select(assessment.c.customer_id, assessment.c.score_deci).where(
                assessment.c.id.in_(newest.scalar_subquery())
            )
        )
        return {row.customer_id: row.score_deci for row in rows}

    def find_newest_policy(self) -> str | None:
        """Return the hash of the policy of the newest assessment."""
        return self._connection.execute(
            select(assessment.c.policy_sha256_b64u).order_by(assessment.c.id.desc()).limit(1)
        ).scalar_one_or_none()

    def erase_values_of(self, msg_hash_b64u: str) -> int:
        """Remove the values of every assessment that read a message; return how many there were.

        Hash, codes and points stay, so that the result can still be explained without the payload.
        """
        readers = select(assessment_evidence.c.assessment_id).where(
            assessment_evidence.c.ref == msg_hash_b64u
        )
        assessment_ids = self._connection.execute(readers.distinct()).scalars().all()
        for table in (assessment_factor_value, assessment_evidence_value):
            self._connection.execute(delete(table).where(table.c.assessment_id.in_(readers)))
        return len(assessment_ids)

    def _append_evidence(self, assessment_id: int, result: Assessment) -> None:
        if not result.evidence:
            return
        rows = list(enumerate(result.evidence))
        self._connection.execute(
            insert(assessment_evidence),
            [
                {
                    "assessment_id": assessment_id,
                    "position": position,
                    "ref": line.ref,
                    "provider": line.provider,
                    "code": line.code,
                    "weight_milli": line.weight_milli,
                    "source": line.source.value,
                    "freshness": None if line.freshness is None else line.freshness.value,
                }
                for position, line in rows
            ],
        )
        self._connection.execute(
            insert(assessment_evidence_value),
            [
                {
                    "assessment_id": assessment_id,
                    "position": position,
                    "invoices": line.invoices,
                    "age_days": line.age_days,
                    "dated_on": line.dated_on,
                }
                for position, line in rows
            ],
        )

    def _append_factors(self, assessment_id: int, result: Assessment) -> None:
        if not result.factors:
            return
        rows = list(enumerate(result.factors))
        self._connection.execute(
            insert(assessment_factor),
            [
                {
                    "assessment_id": assessment_id,
                    "position": position,
                    "factor_id": factor.factor_id,
                    "code": factor.code,
                    "points_deci": factor.points_deci,
                    "points_max_deci": factor.points_max_deci,
                    "is_higher_better": factor.is_higher_better,
                    "spread_deci": factor.spread_deci,
                }
                for position, factor in rows
            ],
        )
        self._connection.execute(
            insert(assessment_factor_value),
            [
                {
                    "assessment_id": assessment_id,
                    "position": position,
                    "value": factor.value,
                    "own_value": factor.own_value,
                    "peers_value": factor.peers_value,
                    "outside_value": factor.outside_value,
                }
                for position, factor in rows
            ],
        )
        self._append_sources(assessment_id, result)

    def _append_sources(self, assessment_id: int, result: Assessment) -> None:
        evidence_positions = {line.ref: position for position, line in enumerate(result.evidence)}
        rows = [
            {
                "assessment_id": assessment_id,
                "factor_position": position,
                "evidence_position": evidence_positions[ref],
            }
            for position, factor in enumerate(result.factors)
            for ref in factor.sources
        ]
        # A card without any source has no score, and then it has no factors either.
        self._connection.execute(insert(assessment_factor_source), rows)

    def _read(self, row: Row[Any]) -> AssessmentRecord:
        evidence = self._read_evidence(row.id)
        result = Assessment(
            as_of=row.as_of,
            policy=PolicyReference(
                policy_id=row.policy_id,
                version=row.policy_version,
                sha256_b64u=row.policy_sha256_b64u,
            ),
            score_deci=row.score_deci,
            confidence=_read_confidence(row, evidence),
            factors=self._read_factors(row.id, evidence),
            reasons=tuple(row.reasons.split()),
            evidence=evidence,
        )
        return AssessmentRecord(
            assessment_id=row.id,
            customer_id=row.customer_id,
            subject_id=row.subject_id,
            own_assessment_id=row.own_assessment_id,
            created_at_ms=row.created_at_ms,
            assessment=result,
        )

    def _read_evidence(self, assessment_id: int) -> tuple[EvidenceLine, ...]:
        value = assessment_evidence_value
        joined = assessment_evidence.outerjoin(
            value,
            (value.c.assessment_id == assessment_evidence.c.assessment_id)
            & (value.c.position == assessment_evidence.c.position),
        )
        rows = self._connection.execute(
            select(assessment_evidence, value.c.invoices, value.c.age_days, value.c.dated_on)
            .select_from(joined)
            .where(assessment_evidence.c.assessment_id == assessment_id)
            .order_by(assessment_evidence.c.position)
        )
        return tuple(
            EvidenceLine(
                ref=row.ref,
                provider=row.provider,
                code=row.code,
                weight_milli=row.weight_milli,
                invoices=row.invoices,
                age_days=row.age_days,
                source=_read_source(row),
                dated_on=row.dated_on,
                freshness=None if row.freshness is None else Freshness(row.freshness),
            )
            for row in rows
        )

    def _read_factors(
        self, assessment_id: int, evidence: tuple[EvidenceLine, ...]
    ) -> tuple[FactorResult, ...]:
        value = assessment_factor_value
        joined = assessment_factor.outerjoin(
            value,
            (value.c.assessment_id == assessment_factor.c.assessment_id)
            & (value.c.position == assessment_factor.c.position),
        )
        rows = self._connection.execute(
            select(
                assessment_factor,
                value.c.value,
                value.c.own_value,
                value.c.peers_value,
                value.c.outside_value,
            )
            .select_from(joined)
            .where(assessment_factor.c.assessment_id == assessment_id)
            .order_by(assessment_factor.c.position)
        ).all()
        sources = self._read_sources(assessment_id, evidence)
        return tuple(
            FactorResult(
                factor_id=row.factor_id,
                code=row.code,
                points_deci=row.points_deci,
                points_max_deci=row.points_max_deci,
                is_higher_better=row.is_higher_better,
                sources=tuple(sources[row.position]),
                value=row.value,
                own_value=row.own_value,
                peers_value=row.peers_value,
                outside_value=row.outside_value,
                spread_deci=row.spread_deci or 0,
            )
            for row in rows
        )

    def _read_sources(
        self, assessment_id: int, evidence: tuple[EvidenceLine, ...]
    ) -> defaultdict[int, list[str]]:
        source = assessment_factor_source
        rows = self._connection.execute(
            select(source.c.factor_position, source.c.evidence_position)
            .where(source.c.assessment_id == assessment_id)
            .order_by(source.c.factor_position, source.c.evidence_position)
        )
        sources: defaultdict[int, list[str]] = defaultdict(list)
        for row in rows:
            sources[row.factor_position].append(evidence[row.evidence_position].ref)
        return sources


def _read_confidence(row: Row[Any], evidence: tuple[EvidenceLine, ...]) -> Confidence:
    return replace(
        count_lines(evidence),
        level=ConfidenceLevel(row.confidence),
        code=row.confidence_code,
        permille=row.confidence_permille,
    )


def _read_source(row: Row[Any]) -> Source:
    if row.source is not None:
        return Source(row.source)
    return Source.OWN if row.ref == OWN_REF else Source.PEERS
