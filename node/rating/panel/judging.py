"""What became of those whom a model scored: the scores as they were kept, judged by later outcomes.

Nothing is scored anew: each probability is the one that stood beside an assessment on its day. Of a
customer the newest score of a month is a row, and only where the months of the outcome are over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.core.database import Database, UnitOfWork
from node.core.errors import RejectedError
from node.rating.models.ledger_rows import read_known
from node.rating.models.registry import ModelNotFoundError
from node.rating.models.report import PPM, Judged, find_grade
from node.rating.models.rules_outcome import build_horizon, turned_bad
from node.rating.models.training_policy import TrainingPolicyBody, parse_training_policy
from node.rating.panel.store import KeptScore, PanelStore
from node.rating.rules_grade import add_months
from node.rating.store import ModelRecord, ModelStore
from node.rating.validation.verdict import BADS_MIN, back_test, validate
from node.records.store import RecordsStore


class NoOutcomesError(RejectedError):
    """The model has scored nobody whose outcome is known yet."""

    code = "model-no-outcomes"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedScores:
    """A model with the figures of its kept scores, and of which days those are."""

    record: ModelRecord
    first_on: date
    last_on: date
    judged: Judged


class ScoreJudge:
    """Reads; it writes nothing."""

    def __init__(self, *, database: Database) -> None:
        """Take the store."""
        self._database = database

    def judge(self, model_id: int, *, today: date) -> JudgedScores:
        """Judge the scores that a model gave by what happened after them, as it is known now.

        Raises:
            ModelNotFoundError: There is no such model.
            NoOutcomesError: No outcome of a score is known yet.
        """
        with self._database.read() as uow:
            record = ModelStore(uow.connection).find(model_id)
            if record is None:
                raise ModelNotFoundError(f"there is no model {model_id}")
            policy = parse_training_policy(record.policy_json.encode()).body
            last = add_months(today, -policy.outcome.months)
            kept = PanelStore(uow.connection).list_kept(model_id, until=last)
            rows = _keep_monthly(kept)
            outcomes = _read_outcomes(uow, rows, policy=policy, today=today)
        found = [(row, outcomes[row]) for row in rows if row in outcomes]
        if not found:
            raise NoOutcomesError(f"no score of {record.label} by {last} has a known outcome")
        stated = tuple(row.probability_ppm / PPM for row, _ in found)
        is_bad = tuple(bad for _, bad in found)
        days = [row.as_of for row, _ in found]
        rules = policy.validation
        judged = Judged(
            scores_deci=tuple(row.score_deci for row, _ in found),
            probabilities=stated,
            validation=validate(
                stated,
                is_bad,
                groups=[row.customer_id for row, _ in found],
                bads_min=max(rules.bads_min, BADS_MIN),
                is_later=min(days) > record.trained_until,
            ),
            grades=back_test(
                [find_grade(one, rules) for one in stated],
                stated,
                is_bad,
                order=[one.grade for one in rules.grades],
            ),
        )
        return JudgedScores(record=record, first_on=min(days), last_on=max(days), judged=judged)


def _keep_monthly(kept: list[KeptScore]) -> list[KeptScore]:
    """Return the newest score of each customer and month; ``kept`` is in the order of days."""
    newest = {(one.customer_id, one.as_of.replace(day=1)): one for one in kept}
    return sorted(newest.values(), key=lambda one: (one.as_of, one.customer_id))


def _read_outcomes(
    uow: UnitOfWork, rows: list[KeptScore], *, policy: TrainingPolicyBody, today: date
) -> dict[KeptScore, bool]:
    outcome = policy.outcome
    records = RecordsStore(uow.connection)
    by_customer: dict[int, list[KeptScore]] = {}
    for row in rows:
        by_customer.setdefault(row.customer_id, []).append(row)
    found: dict[KeptScore, bool] = {}
    for key, own in by_customer.items():
        customer = records.find_customer_by_id(key)
        if customer is None:
            continue
        known = read_known(uow, customer, today=today)
        for row in own:
            found[row] = turned_bad(
                known.items,
                known.adverse,
                horizon=build_horizon(row.as_of, months=outcome.months),
                days_past_due_over=outcome.days_past_due_over,
                kinds=outcome.adverse_kinds,
            )
    return found
