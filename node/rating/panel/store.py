"""All SQL of the panel."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, insert, select

from node.rating.panel.tables import model_score
from protocol.strict_json import JsonValue, canonical_json

MODELS_MAX = 16  # beside one assessment
SCORES_MAX = 1_000_000  # of one model


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """What one model said; a score and its probability are None where ``code`` says why."""

    assessment_id: int
    customer_id: int
    as_of: date
    model_id: int
    model_sha256_b64u: str
    role: str
    code: str
    score_deci: int | None
    probability_ppm: int | None
    values: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptScore:
    """A score and its probability in millionths, as they stood beside an assessment."""

    customer_id: int
    as_of: date
    score_deci: int
    probability_ppm: int


class PanelStore:
    """Appends what models said, and reads it back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, rows: Sequence[ScoreRow]) -> None:
        """Keep what models said beside one assessment, or several."""
        if rows:
            self._connection.execute(insert(model_score), [_format_row(row) for row in rows])

    def list_beside(self, assessment_id: int) -> list[ScoreRow]:
        """Return what models said beside an assessment, the champion first."""
        rows = self._connection.execute(
            select(model_score)
            .where(model_score.c.assessment_id == assessment_id)
            .order_by(model_score.c.id)
            .limit(MODELS_MAX)
        )
        return [
            ScoreRow(
                assessment_id=row.assessment_id,
                customer_id=row.customer_id,
                as_of=row.as_of,
                model_id=row.model_id,
                model_sha256_b64u=row.model_sha256_b64u,
                role=row.role,
                code=row.code,
                score_deci=row.score_deci,
                probability_ppm=row.probability_ppm,
                values=json.loads(row.values_json),
            )
            for row in rows
        ]

    def list_scores(self, model_id: int) -> dict[date, list[int]]:
        """Return every score that a model gave, in tenths, by the month's first day."""
        rows = self._connection.execute(
            select(model_score.c.as_of, model_score.c.score_deci)
            .where(model_score.c.model_id == model_id, model_score.c.score_deci.is_not(None))
            .order_by(model_score.c.as_of, model_score.c.id)
            .limit(SCORES_MAX)
        )
        found: defaultdict[date, list[int]] = defaultdict(list)
        for as_of, score_deci in rows:
            found[as_of.replace(day=1)].append(score_deci)
        return dict(found)

    def list_kept(self, model_id: int, *, until: date) -> list[KeptScore]:
        """Return the scores of a model as of days up to one, by day and in the order of entry."""
        table = model_score.c
        rows = self._connection.execute(
            select(table.customer_id, table.as_of, table.score_deci, table.probability_ppm)
            .where(
                table.model_id == model_id,
                table.as_of <= until,
                table.score_deci.is_not(None),
                table.probability_ppm.is_not(None),
            )
            .order_by(table.as_of, table.id)
            .limit(SCORES_MAX)
        )
        return [
            KeptScore(
                customer_id=row.customer_id,
                as_of=row.as_of,
                score_deci=row.score_deci,
                probability_ppm=row.probability_ppm,
            )
            for row in rows
        ]


def _format_row(row: ScoreRow) -> dict[str, object]:
    values: dict[str, JsonValue] = dict(row.values)
    return {
        "assessment_id": row.assessment_id,
        "customer_id": row.customer_id,
        "as_of": row.as_of,
        "model_id": row.model_id,
        "model_sha256_b64u": row.model_sha256_b64u,
        "role": row.role,
        "code": row.code,
        "score_deci": row.score_deci,
        "probability_ppm": row.probability_ppm,
        "values_json": canonical_json(values).decode(),
    }
