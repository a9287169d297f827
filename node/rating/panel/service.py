"""Use case of the panel: what each model says of a customer, beside the assessment it was rated by.

It reads. The statistical scores are those that were kept with the assessment; statements are
replayed as they were known when it was made; peers' index is that of the assessment, which loses it
when a peer's message is erased.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.policy import EvidenceValue
from node.assessment.rules_scorecard import OWN_REF, USED, FactorResult
from node.assessment.service import AssessmentPair, AssessmentService
from node.assessment.statements.report import StatementReport
from node.assessment.statements.rules_altman import Score
from node.assessment.statements.rules_statement import Basis
from node.assessment.statements.service import StatementService
from node.assessment.statistical.model_file import StatisticalModel
from node.assessment.statistical.rules_statistical import StatisticalScore, score_values
from node.core.database import Database, UnitOfWork
from node.core.errors import InvariantError
from node.rating.models.registry import read_model, read_report
from node.rating.models.rules_outcome import ScoreCode
from node.rating.panel.policy import PanelPolicy
from node.rating.panel.rules_panel import (
    Apart,
    Opinion,
    Placed,
    find_apart,
    place_index,
    place_probability,
    place_score,
    place_zone,
)
from node.rating.panel.store import PanelStore, ScoreRow
from node.rating.store import ModelRecord, ModelStore

ALTMAN_OPINIONS = (Opinion.Z_PRIME, Opinion.Z_DOUBLE_PRIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSaid:
    """One statistical model: its record, what was kept, and the score point by point."""

    record: ModelRecord
    model: StatisticalModel
    row: ScoreRow
    score: StatisticalScore | None
    verdict: str

    @property
    def opinion(self) -> Opinion:
        """Its role beside this assessment."""
        return Opinion(self.row.role)

    @property
    def is_validated(self) -> bool:
        """Whether the registry lets it be called so."""
        return self.verdict == "validated"


@dataclass(frozen=True, slots=True, kw_only=True)
class AltmanSaid:
    """Altman's models of the newest year that was known."""

    year_end: date
    basis: Basis
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSaid:
    """Payment index: of own records, and as peers have disclosed it, weighed as in the card."""

    own_deci: int | None
    peers_deci: int | None
    providers: tuple[str, ...]
    is_erased: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What every model says of one customer on one day; nothing is averaged."""

    pair: AssessmentPair
    policy: PanelPolicy
    models: tuple[ModelSaid, ...]
    altman: AltmanSaid | None
    index: IndexSaid
    placed: tuple[Placed, ...]
    apart: tuple[Apart, ...]


class PanelService:
    """Reads the panel of an assessment."""

    def __init__(
        self,
        *,
        database: Database,
        assessment: AssessmentService,
        statements: StatementService,
        policy: PanelPolicy,
    ) -> None:
        """``policy`` says from how many grades on models lie apart."""
        self._database = database
        self._assessment = assessment
        self._statements = statements
        self._policy = policy

    def find_latest(self, customer_id: int, *, shows_peers: bool) -> Panel | None:
        """Return the panel of a customer's newest assessment."""
        pair = self._assessment.find_latest(customer_id)
        return None if pair is None else self._build(pair, shows_peers=shows_peers)

    def find(self, assessment_id: int, *, shows_peers: bool) -> Panel | None:
        """Return the panel of an assessment; ``shows_peers`` says whether who asks sees theirs."""
        pair = self._assessment.find_pair(assessment_id)
        return None if pair is None else self._build(pair, shows_peers=shows_peers)

    def count_scores(self, model_id: int) -> dict[date, list[int]]:
        """Return the scores that a model gave beside assessments, by the month's first day."""
        with self._database.read() as uow:
            return PanelStore(uow.connection).list_scores(model_id)

    def _build(self, pair: AssessmentPair, *, shows_peers: bool) -> Panel:
        pair = pair if shows_peers else pair.without_peers
        own = pair.own
        report = self._statements.report(
            own.customer_id, as_of=own.assessment.as_of, known_at_ms=own.created_at_ms
        )
        with self._database.read() as uow:
            models = _read_said(uow, own.assessment_id)
        altman, index = _read_altman(report), self._read_index(pair)
        placed = self._place(pair, models, altman, index)
        return Panel(
            pair=pair,
            policy=self._policy,
            models=models,
            altman=altman,
            index=index,
            placed=placed,
            apart=find_apart(placed, self._policy.body),
        )

    def _read_index(self, pair: AssessmentPair) -> IndexSaid:
        own, with_peers = self._find_index(pair, of_own=True), self._find_index(pair, of_own=False)
        used = [
            line
            for line in pair.with_peers.assessment.evidence
            if line.code == USED and line.ref != OWN_REF
        ]
        # A peer that says nothing of the index is no source of it, and nothing was erased of it.
        sources = () if with_peers is None else with_peers.sources
        is_source = [line for line in used if line.ref in sources]
        return IndexSaid(
            own_deci=None if own is None else own.own_value,
            peers_deci=None if with_peers is None else with_peers.peers_value,
            providers=tuple(line.provider or line.ref for line in is_source),
            is_erased=any(line.invoices is None for line in is_source),
        )

    def _find_index(self, pair: AssessmentPair, *, of_own: bool) -> FactorResult | None:
        result = (pair.own if of_own else pair.with_peers).assessment
        factors = self._assessment.get_policy(result.policy).body.factors
        ids = {one.id for one in factors if one.reads is EvidenceValue.INDEX_DECI}
        return next((one for one in result.factors if one.factor_id in ids), None)

    def _place(
        self,
        pair: AssessmentPair,
        models: Sequence[ModelSaid],
        altman: AltmanSaid | None,
        index: IndexSaid,
    ) -> tuple[Placed, ...]:
        body = self._policy.body
        placed = []
        score_deci = pair.with_peers.assessment.score_deci
        if score_deci is not None:
            placed.append(Placed(opinion=Opinion.EXPERT, ranks=place_score(score_deci, body)))
        for one in models:
            if (stated := one.row.probability_ppm) is not None:
                ranks = place_probability(stated, body)
                placed.append(Placed(opinion=one.opinion, ranks=ranks, label=one.record.label))
        for score in () if altman is None else altman.scores:
            if score.zone is not None:
                ranks = place_zone(score.zone, body)
                placed.append(Placed(opinion=Opinion(score.model), ranks=ranks))
        indexes = ((Opinion.INDEX_OWN, index.own_deci), (Opinion.INDEX_PEERS, index.peers_deci))
        for opinion, value in indexes:
            if value is not None:
                placed.append(Placed(opinion=opinion, ranks=place_index(value, body)))
        return tuple(placed)


def _read_said(uow: UnitOfWork, assessment_id: int) -> tuple[ModelSaid, ...]:
    store = ModelStore(uow.connection)
    said = []
    for row in PanelStore(uow.connection).list_beside(assessment_id):
        record = store.find(row.model_id)
        if record is None or record.sha256_b64u != row.model_sha256_b64u:
            raise InvariantError("a score names a model that is not in the registry")
        model = read_model(record)
        said.append(
            ModelSaid(
                record=record,
                model=model,
                row=row,
                score=_score_again(model, row),
                verdict=read_report(record)["test"]["verdict"],
            )
        )
    return tuple(said)


def _score_again(model: StatisticalModel, row: ScoreRow) -> StatisticalScore | None:
    """Return the score point by point, from the values that were kept.

    Raises:
        InvariantError: It is not the score that was kept.
    """
    if row.code != ScoreCode.SCORED:
        return None
    score = score_values(model, row.values)
    if score.score_deci != row.score_deci:
        raise InvariantError("a score that was kept does not follow from its values")
    return score


def _read_altman(report: StatementReport) -> AltmanSaid | None:
    if not report.years or report.basis is None:
        return None
    year = report.years[-1]
    wanted = {one.value for one in ALTMAN_OPINIONS}
    return AltmanSaid(
        year_end=year.version.statement.year_end,
        basis=report.basis,
        scores=tuple(one for one in year.scores if one.model in wanted),
    )
