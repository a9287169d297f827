"""Use cases of the registry: train on the ledger, approve, retire, compare on later rows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from node.assessment.policy_file import LocalText
from node.assessment.statistical.model_file import StatisticalModel, parse_model
from node.core.clock import Clock
from node.core.database import INTEGER_MAX, Database, UnitOfWork
from node.core.errors import ConflictError, InvariantError, NotFoundError, RejectedError
from node.core.people.names import is_same_person
from node.core.policies.source import PolicySource
from node.rating.models.certainty import build_coefficients_object, find_coefficients
from node.rating.models.extra import check_models_extra
from node.rating.models.ledger_rows import build_ledger_rows, find_opening, get_gap_days
from node.rating.models.report import (
    Judged,
    build_drift_object,
    build_judged_object,
    cut_scores,
    group_score,
    judge,
    score_rows,
)
from node.rating.models.rules_registry import ModelState, list_steps, read_state
from node.rating.models.table import TrainingTable, split_by_time
from node.rating.models.training import train_model
from node.rating.models.training_policy import TrainingPolicy, parse_training_policy
from node.rating.store import ModelEvent, ModelRecord, ModelStore, NewModel
from node.rating.validation.comparison import Difference, compare_auc
from node.rating.validation.stability import Drift, drift_by_month
from node.records.ledger.posting import check_by, check_reason
from protocol.strict_json import JsonValue, canonical_json

MODELS_PAGE_MAX = 200
NAME_FORM = re.compile(r"[a-z][a-z0-9-]{0,31}")


class ModelNotFoundError(NotFoundError):
    """The registry has no such model, or no champion."""

    code = "model-not-found"


class ModelStateError(ConflictError):
    """A model is not in the state that the step needs."""

    code = "model-state"


class ModelNameError(RejectedError):
    """A model's name is not one word of small letters, digits and hyphens."""

    code = "model-name-invalid"


class ModelSamePersonError(RejectedError):
    """Who trained a model does not approve it."""

    code = "model-same-person"


class NoLaterRowsError(RejectedError):
    """No outcome is known yet of a row that is later than what the models learnt from."""

    code = "model-no-later-rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Champion and challenger on the same later rows; ``drift`` is each one's by month."""

    champion: ModelRecord
    challenger: ModelRecord
    after: date
    champion_judged: Judged
    challenger_judged: Judged
    difference: Difference
    champion_drift: tuple[Drift, ...]
    challenger_drift: tuple[Drift, ...]


class ModelService:
    """One public method, one transaction, one commit; training computes before it writes."""

    def __init__(
        self, *, database: Database, clock: Clock, policies: PolicySource[TrainingPolicy]
    ) -> None:
        """The active one of ``policies`` says how models are trained from now on."""
        self._database = database
        self._clock = clock
        self._policies = policies

    def train(self, *, name: str, by: str, today: date, opening: date | None = None) -> ModelRecord:
        """Train a model on the ledger's earlier rows, judge it on its later ones, and keep it.

        What was entered by the end of the ``opening`` day, else of that of the first entry, counts
        as known on its own date; what came later, as of when it was entered.

        Raises:
            ModelNameError: The name is no name.
            ModelsExtraMissingError: The libraries are not installed.
            TrainingTableError: There are too few rows to split, or none is bad.
            BinningTimeoutError: The solver ran out of time.
        """
        check_by(by)
        if not NAME_FORM.fullmatch(name):
            raise ModelNameError("a name is 1 to 32 of a-z, 0-9 and -, a letter first")
        check_models_extra()
        with self._database.read() as uow:
            policy = self._policies.read_active(uow)
            body = policy.body
            opened = find_opening(uow, stated=opening)
            table = build_ledger_rows(uow, policy=body, today=today, opening=opened)
        share = body.outcome.test_share_permille
        gap_days = get_gap_days(body, until=today)
        train, test = split_by_time(table, test_share_permille=share, gap_days=gap_days)
        names = LocalText(zh=name, en=name)
        model = train_model(train, policy=policy, model_id=name, names=names)
        judged = judge(model, test, rules=body.validation, is_later=True)
        edges, counts = cut_scores(score_rows(model, train))
        report: dict[str, JsonValue] = {
            "split": {
                **_show_split(train, test, gap_days=gap_days),
                "opening": opened.isoformat(),
            },
            "test": build_judged_object(judged),
            "coefficients": build_coefficients_object(
                find_coefficients(model, train, rules=body.fit)
            ),
            "drift": [
                build_drift_object(one)
                for one in drift_by_month(
                    [group_score(score, edges) for score in judged.scores_deci],
                    test.days or (),
                    trained_on=dict(enumerate(counts)),
                )
            ],
            "training_scores": {"edges_deci": list(edges), "counts": list(counts)},
        }
        new = NewModel(
            name=name,
            sha256_b64u=model.sha256_b64u,
            data_sha256_b64u=model.body.data_sha256_b64u,
            policy_sha256_b64u=policy.sha256_b64u,
            trained_until=_newest(train),
            trained_by=by,
            trained_at_ms=self._clock.now_ms(),
            model_json=model.raw.decode(),
            policy_json=policy.raw.decode(),
            report_json=canonical_json(report).decode(),
        )
        with self._database.write() as uow:
            return ModelStore(uow.connection).append(new)

    def approve(self, model_id: int, *, role: ModelState, by: str, reason: str) -> ModelRecord:
        """Approve a draft as challenger or champion, or make one of the two the other.

        Raises:
            ModelNotFoundError: There is no such model.
            ModelSamePersonError: It is whoever trained it.
            ModelStateError: It is retired, or is that already.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            record = _get(uow, model_id)
            if is_same_person(record.trained_by, by):
                raise ModelSamePersonError(f"{record.label} was trained by {record.trained_by}")
            self._step(uow, record, role, by=by, reason=reason)
            return _get(uow, model_id)

    def retire(self, model_id: int, *, by: str, reason: str) -> ModelRecord:
        """Retire a model; what it said stays readable.

        Raises:
            ModelNotFoundError: There is no such model.
            ModelStateError: It is retired already.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            self._step(uow, _get(uow, model_id), ModelState.RETIRED, by=by, reason=reason)
            return _get(uow, model_id)

    def get(self, model_id: int) -> ModelRecord:
        """Return a model.

        Raises:
            ModelNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            return _get(uow, model_id)

    def list_models(self, *, limit: int = 50, before: int | None = None) -> list[ModelRecord]:
        """Return a page of models, the newest first."""
        before = None if before is None else min(before, INTEGER_MAX)
        with self._database.read() as uow:
            return ModelStore(uow.connection).list_newest(
                limit=min(max(limit, 1), MODELS_PAGE_MAX), before=before
            )

    def compare(self, challenger_id: int, *, today: date) -> Comparison:
        """Judge a model and the champion on the same rows, later than what either learnt from.

        Raises:
            ModelNotFoundError: There is no such model, or no champion.
            ModelStateError: The model is the champion itself.
            NoLaterRowsError: No outcome of later rows is known yet.
        """
        with self._database.read() as uow:
            challenger = _get(uow, challenger_id)
            champion = ModelStore(uow.connection).find_champion()
            if champion is None:
                raise ModelNotFoundError("there is no champion to compare with")
            if champion.model_id == challenger_id:
                raise ModelStateError(f"{champion.label} is the champion itself")
            after = max(champion.trained_until, challenger.trained_until)
            # One set of rows for both: those of the challenger's policy, by which all are read.
            policy = parse_training_policy(challenger.policy_json.encode())
            table = build_ledger_rows(
                uow,
                policy=policy.body,
                today=today,
                after=after,
                opening=_read_opening(challenger),
            )
        if not table.rows:
            raise NoLaterRowsError(f"no row later than {after.isoformat()} has a known outcome")
        models = read_model(champion), read_model(challenger)
        judged = [
            judge(model, table, rules=policy.body.validation, is_later=True) for model in models
        ]
        return Comparison(
            champion=champion,
            challenger=challenger,
            after=after,
            champion_judged=judged[0],
            challenger_judged=judged[1],
            difference=compare_auc(
                judged[0].probabilities,
                judged[1].probabilities,
                table.outcomes,
                groups=table.groups,
            ),
            champion_drift=_find_drift(champion, judged[0], table),
            challenger_drift=_find_drift(challenger, judged[1], table),
        )

    def _step(
        self, uow: UnitOfWork, record: ModelRecord, wanted: ModelState, *, by: str, reason: str
    ) -> None:
        store = ModelStore(uow.connection)
        state = state_of(record)
        steps = list_steps(state, wanted)
        if steps is None:
            raise ModelStateError(f"{record.label} is {state} and cannot become {wanted}")
        now_ms = self._clock.now_ms()
        former = store.find_champion() if wanted is ModelState.CHAMPION else None
        for kind in steps:
            event = ModelEvent(kind=kind, entered_by=by, entered_at_ms=now_ms, reason=reason)
            store.append_event(record.model_id, event)
        if former is not None:
            made = f"{record.label} is the champion now"
            event = ModelEvent(
                kind=ModelState.CHALLENGER, entered_by=by, entered_at_ms=now_ms, reason=made
            )
            store.append_event(former.model_id, event)


def state_of(record: ModelRecord) -> ModelState:
    """Return the state of a model."""
    return read_state([event.kind for event in record.events])


def read_model(record: ModelRecord) -> StatisticalModel:
    """Return the model of a record, checked against the hash that names it.

    Raises:
        InvariantError: The bytes are not those that were approved.
    """
    model = parse_model(record.model_json.encode())
    if model.sha256_b64u != record.sha256_b64u:
        raise InvariantError(f"{record.label} is not what its hash says")
    return model


def read_report(record: ModelRecord) -> dict[str, Any]:
    """Return the report that was made when the model was trained."""
    report: dict[str, Any] = json.loads(record.report_json)
    return report


def _get(uow: UnitOfWork, model_id: int) -> ModelRecord:
    record = ModelStore(uow.connection).find(model_id)
    if record is None:
        raise ModelNotFoundError(f"there is no model {model_id}")
    return record


def _read_opening(record: ModelRecord) -> date | None:
    stated: str | None = read_report(record)["split"].get("opening")
    return None if stated is None else date.fromisoformat(stated)


def _newest(table: TrainingTable) -> date:
    if not table.days:
        raise InvariantError("rows of the ledger have days")
    return max(table.days)


def _show_split(
    train: TrainingTable, test: TrainingTable, *, gap_days: int
) -> dict[str, JsonValue]:
    return {
        "kind": "time",
        "gap_days": gap_days,
        "train_rows": len(train.rows),
        "train_bads": train.bads,
        "train_until": _newest(train).isoformat(),
        "test_rows": len(test.rows),
        "test_bads": test.bads,
        "test_from": min(test.days or (date.max,)).isoformat(),
        "test_sha256_b64u": test.sha256_b64u,
    }


def _find_drift(record: ModelRecord, judged: Judged, table: TrainingTable) -> tuple[Drift, ...]:
    trained = read_report(record)["training_scores"]
    edges: list[int] = trained["edges_deci"]
    groups = [group_score(score, edges) for score in judged.scores_deci]
    return drift_by_month(groups, table.days or (), trained_on=dict(enumerate(trained["counts"])))
