"""All SQL of the assessment room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, text, update

from node.assessment.cards import PackedAssessment, pack, unpack
from node.assessment.policy import ConfidenceLevel, PolicyReference
from node.assessment.results import Assessment
from node.assessment.rules_confidence import count_lines
from node.assessment.tables import assessment, assessment_card, assessment_reader
from node.core.fields import format_personal
from node.core.statements import DriverStatement
from node.records.store.sealing import SealingStore

_ROW = (
    "id",
    "customer_id",
    "subject_id",
    "as_of",
    "created_at_ms",
    "own_assessment_id",
    "policy_id",
    "policy_version",
    "policy_sha256_b64u",
    "score_deci",
    "confidence",
    "confidence_code",
    "confidence_permille",
    "reasons",
)
_INSERT = DriverStatement(insert(assessment), names=_ROW)
_INSERT_CARD = DriverStatement(insert(assessment_card), names=("assessment_id", "said", "told"))
_INSERT_READER = DriverStatement(insert(assessment_reader), names=("ref", "assessment_id", "code"))


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
        packed = pack(
            result, customer_id=customer_id, subject_id=subject_id, created_at_ms=created_at_ms
        )
        (assessment_id,) = self.reserve_keys(1)
        self.append_many(
            [packed], assessment_ids=[assessment_id], own_assessment_ids=[own_assessment_id]
        )
        return AssessmentRecord(
            assessment_id=assessment_id,
            customer_id=customer_id,
            subject_id=subject_id,
            own_assessment_id=own_assessment_id,
            created_at_ms=created_at_ms,
            assessment=result,
        )

    def reserve_keys(self, count: int) -> list[int]:
        """Return keys of assessments that the caller writes before anybody else does.

        It holds the store's lock, so that on SQLite nobody takes them; on a server they are the
        sequence's own.
        """
        if self._connection.dialect.name == "sqlite":
            newest = select(func.coalesce(func.max(assessment.c.id), 0))
            first = self._connection.execute(newest).scalar_one() + 1
            return list(range(first, first + count))
        drawn = text(
            "SELECT nextval(pg_get_serial_sequence('assessment', 'id')) "
            "FROM generate_series(1, :count)"
        )
        return list(self._connection.execute(drawn, {"count": count}).scalars())

    def append_many(
        self,
        packed: Sequence[PackedAssessment],
        *,
        assessment_ids: Sequence[int],
        own_assessment_ids: Sequence[int | None],
    ) -> None:
        """Keep many assessments under keys that the caller has reserved."""
        if not packed:
            return
        sealed = SealingStore(self._connection).find_sealed([one.customer_id for one in packed])
        rows = zip(assessment_ids, own_assessment_ids, packed, strict=True)
        _INSERT.execute_many(
            self._connection,
            [
                _format_row(
                    one,
                    key=key,
                    own_key=own_key,
                    subject_id=self._seal(one.subject_id)
                    if one.customer_id in sealed
                    else one.subject_id,
                )
                for key, own_key, one in rows
            ],
        )
        self._append_cards(assessment_ids, packed)

    def find_latest(self, customer_id: int) -> AssessmentRecord | None:
        """Return the newest assessment of a customer."""
        newest = (
            _select_whole()
            .where(assessment.c.customer_id == customer_id)
            .order_by(assessment.c.id.desc())
            .limit(1)
        )
        row = self._connection.execute(newest).one_or_none()
        return None if row is None else _read(row)

    def find(self, assessment_id: int) -> AssessmentRecord | None:
        """Return one assessment."""
        row = self._connection.execute(
            _select_whole().where(assessment.c.id == assessment_id)
        ).one_or_none()
        return None if row is None else _read(row)

    def list_newest_scores(
        self, customer_ids: Sequence[int], *, as_of: date
    ) -> dict[int, tuple[int | None, bool]]:
        """Return the newest assessment by a day of those customers who have one.

        Its score, and whether it is one with peers.
        """
        newest = (
            select(func.max(assessment.c.id))
            .where(assessment.c.customer_id.in_(customer_ids), assessment.c.as_of <= as_of)
            .group_by(assessment.c.customer_id)
        )
        rows = self._connection.execute(
            select(
                assessment.c.customer_id, assessment.c.score_deci, assessment.c.own_assessment_id
            ).where(assessment.c.id.in_(newest.scalar_subquery()))
        )
        return {
            row.customer_id: (row.score_deci, row.own_assessment_id is not None) for row in rows
        }

    def find_newest_policy(self) -> str | None:
        """Return the hash of the policy of the newest assessment."""
        return self._connection.execute(
            select(assessment.c.policy_sha256_b64u).order_by(assessment.c.id.desc()).limit(1)
        ).scalar_one_or_none()

    def erase_values_of(self, msg_hash_b64u: str) -> int:
        """Remove the values of every assessment that read a message; return how many there were.

        Hash, codes and points stay, so that the result can still be explained without the payload.
        """
        readers = select(assessment_reader.c.assessment_id).where(
            assessment_reader.c.ref == msg_hash_b64u
        )
        assessment_ids = self._connection.execute(readers).scalars().all()
        self._connection.execute(
            update(assessment_card)
            .where(assessment_card.c.assessment_id.in_(readers))
            .values(told=None)
        )
        return len(assessment_ids)

    def _append_cards(
        self, assessment_ids: Sequence[int], packed: Sequence[PackedAssessment]
    ) -> None:
        both = list(zip(assessment_ids, packed, strict=True))
        _INSERT_CARD.execute_many(
            self._connection, [(key, one.said, one.told) for key, one in both]
        )
        readers = [(ref, key, code) for key, one in both for ref, code in one.readings]
        if readers:
            _INSERT_READER.execute_many(self._connection, readers)

    def _seal(self, subject_id: str) -> str:
        return format_personal(self._connection, assessment.c.subject_id, subject_id)


def _select_whole() -> Any:  # noqa: ANN401  the type of a select names each of its columns
    return select(assessment, assessment_card.c.said, assessment_card.c.told).join(
        assessment_card, assessment_card.c.assessment_id == assessment.c.id
    )


def _format_row(
    packed: PackedAssessment, *, key: int, own_key: int | None, subject_id: str
) -> tuple[object, ...]:
    """Return the row as the driver takes it, in the order of ``_ROW``."""
    return (
        key,
        packed.customer_id,
        subject_id,
        packed.as_of.isoformat(),
        packed.created_at_ms,
        own_key,
        packed.policy.policy_id,
        packed.policy.version,
        packed.policy.sha256_b64u,
        packed.score_deci,
        packed.confidence,
        packed.confidence_code,
        packed.confidence_permille,
        packed.reasons,
    )


def _read(row: Row[Any]) -> AssessmentRecord:
    evidence, factors = unpack(row.said, row.told)
    result = Assessment(
        as_of=row.as_of,
        policy=PolicyReference(
            policy_id=row.policy_id,
            version=row.policy_version,
            sha256_b64u=row.policy_sha256_b64u,
        ),
        score_deci=row.score_deci,
        confidence=replace(
            count_lines(evidence),
            level=ConfidenceLevel(row.confidence),
            code=row.confidence_code,
            permille=row.confidence_permille,
        ),
        factors=factors,
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
