"""Scoring by the models in force, within the transaction of the assessment they stand beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.evidence import OwnEvidence
from node.assessment.statistical.model_file import StatisticalModel
from node.assessment.statistical.rules_statistical import StatisticalScore, score_values
from node.assessment.statistical.scaling import read_scale
from node.core.database import UnitOfWork
from node.rating.models.ledger_rows import read_values
from node.rating.models.registry import read_model, state_of
from node.rating.models.rules_outcome import ScoreCode, judge_scope
from node.rating.models.training_policy import TrainingPolicyBody, parse_training_policy
from node.rating.panel.policy import PPM
from node.rating.panel.store import PanelStore, ScoreRow
from node.rating.store import ModelStore

CHALLENGERS_MAX = 3  # the newest ones


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInForce:
    """The champion or a challenger, read once for all customers of a transaction."""

    model_id: int
    role: str
    model: StatisticalModel
    policy: TrainingPolicyBody


def read_in_force(uow: UnitOfWork) -> tuple[ModelInForce, ...]:
    """Return the champion and the newest challengers, within the caller's transaction."""
    records = ModelStore(uow.connection).list_in_force(challengers_max=CHALLENGERS_MAX)
    return tuple(
        ModelInForce(
            model_id=record.model_id,
            role=state_of(record).value,
            model=read_model(record),
            policy=parse_training_policy(record.policy_json.encode()).body,
        )
        for record in records
    )


def keep_scores(
    uow: UnitOfWork,
    models: Sequence[ModelInForce],
    *,
    own: OwnEvidence | None,
    own_assessment_id: int,
    customer_id: int,
    as_of: date,
) -> None:
    """Score a customer by each model, and keep that beside the assessment from own records."""
    PanelStore(uow.connection).append(
        [
            score_own(
                one, own, own_assessment_id=own_assessment_id, customer_id=customer_id, as_of=as_of
            )
            for one in models
        ]
    )


def score_own(
    one: ModelInForce,
    own: OwnEvidence | None,
    *,
    own_assessment_id: int,
    customer_id: int,
    as_of: date,
) -> ScoreRow:
    """Score what our own records say; who is not of those that the model learnt from has none."""
    outcome = one.policy.outcome
    code = judge_scope(
        own, days_past_due_over=outcome.days_past_due_over, kinds=outcome.adverse_kinds
    )
    values = {} if own is None else _name_values(own, one.policy, one.model)
    score = score_values(one.model, values) if code is ScoreCode.SCORED else None
    return ScoreRow(
        assessment_id=own_assessment_id,
        customer_id=customer_id,
        as_of=as_of,
        model_id=one.model_id,
        model_sha256_b64u=one.model.sha256_b64u,
        role=one.role,
        code=code.value,
        score_deci=None if score is None else score.score_deci,
        probability_ppm=None if score is None else state_probability(one.model, score),
        values=values,
    )


def state_probability(model: StatisticalModel, score: StatisticalScore) -> int:
    """Return the probability of default that a score states, in millionths."""
    return round(PPM * read_scale(model.body.scale).probability(score.score_deci / 10))


def _name_values(
    own: OwnEvidence, policy: TrainingPolicyBody, model: StatisticalModel
) -> dict[str, int]:
    used = {one.id for one in model.body.features}
    named = zip(policy.features, read_values(own, policy=policy), strict=True)
    return {
        feature.id: value
        for feature, value in named
        if isinstance(value, int) and feature.id in used
    }
