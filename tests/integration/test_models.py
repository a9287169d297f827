"""Models from the node's own ledger: honest rows, a registry that keeps everything, two persons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, select, update
from starlette.testclient import TestClient
from typer.testing import CliRunner

from node.core.errors import InvariantError, NodeError
from node.core.http.problems import handle_error
from node.core.people.accounts.approvals import Approvals
from node.core.people.service import PeopleService
from node.rating.models.api import build_models_router
from node.rating.models.commands import model_app
from node.rating.models.ledger_rows import build_ledger_rows, list_looks
from node.rating.models.registry import (
    ModelNameError,
    ModelNotFoundError,
    ModelSamePersonError,
    ModelService,
    ModelStateError,
    NoLaterRowsError,
    read_model,
    read_report,
    state_of,
)
from node.rating.models.rules_outcome import build_horizon, turned_bad
from node.rating.models.rules_registry import ModelState
from node.rating.models.table import TrainingTable
from node.rating.models.training_policy import read_preset_training_policy
from node.rating.store import ModelStore, NewModel
from node.rating.tables import model_event, statistical_model
from node.records.behaviour import AdverseEvent
from node.records.rules_behaviour import AppliedPart, DisputedPart, InvoiceItem
from tests.support.ledgers import TODAY, House
from tests.support.policies import FixedPolicies

PRESET = read_preset_training_policy()
# Quicker than the shipped one: a look a half year, and fewer repetitions.
POLICY = replace(
    PRESET,
    body=PRESET.body.model_copy(
        update={
            "outcome": PRESET.body.outcome.model_copy(update={"every_months": 6}),
            "fit": PRESET.body.fit.model_copy(update={"bootstrap_rounds": 50}),
        }
    ),
)
THEN = TODAY - timedelta(days=400)
CHALLENGER, CHAMPION = ModelState.CHALLENGER, ModelState.CHAMPION
HEADER = (
    "customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
    "currency,amount,paid_on,paid_amount,disputed\n"
)
CUSTOMERS = 28
FIRST_MONTH, LAST_MONTH = (2022, 1), (2026, 2)


def write_ledger(path: Path) -> None:
    """Every fourth customer is late all along; most of these, and two others, once after 120 days.

    So that lateness tells much of what comes, and not all.
    """
    lines = [HEADER]
    year, month = FIRST_MONTH
    number = 0
    while (year, month) <= LAST_MONTH:
        for customer in range(CUSTOMERS):
            number += 1
            due = date(year, month, 10)
            late = 35 if customer % 4 == 0 else (customer % 3) * 2
            if (customer % 4 == 0 and customer % 12 != 4) or customer in {1, 13}:
                late = 120 if (month + customer) % 9 == 0 else late
            paid = due + timedelta(days=late)
            told = f"{paid},100.00" if paid <= TODAY else ","
            lines.append(
                f"sim,M{customer:03d},示例{customer},CN,D{number},1,{due - timedelta(days=30)},"
                f"{due},CNY,100.00,{told},\n"
            )
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    path.write_text("".join(lines), encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the commands need of a node."""

    house: House
    models: ModelService
    people: PeopleService
    approvals: Approvals

    def business_date(self) -> date:
        return TODAY


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("models")
    house = House(folder)
    write_ledger(folder / "ledger.csv")
    house.records.import_file(folder / "ledger.csv", source="test")
    yield Desk(
        house=house,
        models=ModelService(
            database=house.database,
            clock=house.clock,
            policies=FixedPolicies(POLICY, hash_of=lambda one: one.sha256_b64u),
        ),
        people=PeopleService(database=house.database, clock=house.clock, random_bytes=bytes),
        approvals=Approvals(clock=house.clock, factor="accounts", minutes=15),
    )
    house.database.dispose()


@pytest.fixture(scope="module")
def trained(desk: Desk) -> NewModel:
    """Return what a training of more than a year ago made; each test enters it for itself."""
    record = desk.models.train(name="ledger", by="Zhang", today=THEN)
    return NewModel(**{field.name: getattr(record, field.name) for field in fields(NewModel)})


def enter(desk: Desk, trained: NewModel, *, count: int = 1) -> list[int]:
    with desk.house.database.write() as uow:
        store = ModelStore(uow.connection)
        return [store.append(trained).model_id for _ in range(count)]


@pytest.fixture
def registry(desk: Desk, trained: NewModel) -> Iterator[ModelService]:
    """Yield an empty registry over the same ledger."""
    assert trained.trained_until < THEN
    with desk.house.database.write() as uow:
        uow.connection.execute(delete(model_event))
        uow.connection.execute(delete(statistical_model))
    yield desk.models
    with desk.house.database.write() as uow:
        uow.connection.execute(delete(model_event))
        uow.connection.execute(delete(statistical_model))


def build_rows(desk: Desk, today: date = TODAY) -> TrainingTable:
    with desk.house.database.read() as uow:
        return build_ledger_rows(uow, policy=POLICY.body, today=today)


def test_the_outcome_of_every_look_is_over() -> None:
    looks = list_looks(TODAY, policy=PRESET.body)

    assert max(looks) == date(2025, 3, 5)
    assert list(looks) == sorted(looks)
    assert {(one.month - looks[0].month) % 3 for one in looks} == {0}


@pytest.mark.slow
def test_a_row_knows_nothing_of_what_came_later(desk: Desk) -> None:
    """The rows of a look are the same whether two years have passed since then, or one."""
    now, before = build_rows(desk), build_rows(desk, today=TODAY - timedelta(days=365))
    assert now.days is not None
    assert before.days is not None
    shared = set(now.days) & set(before.days)

    def of_shared(table: TrainingTable) -> list[tuple[object, ...]]:
        rows = zip(table.days or (), table.rows, table.outcomes, strict=True)
        return [row for row in rows if row[0] in shared]

    assert shared
    assert of_shared(now) == of_shared(before)
    assert max(now.days) <= TODAY - timedelta(days=365)


@pytest.mark.slow
def test_whoever_is_bad_already_is_no_row_and_bad_ones_are_those_of_the_file(desk: Desk) -> None:
    table = build_rows(desk)
    late = [column.id for column in table.columns].index("late")
    bad = [row[late] for row, is_bad in zip(table.rows, table.outcomes, strict=True) if is_bad]

    assert 20 < table.bads < len(table.rows) / 2
    assert all(isinstance(one, int) and one > 500 for one in bad)


DUE = date(2025, 1, 10)
HORIZON = build_horizon(date(2025, 3, 5), months=12)


def paid_after(days: int) -> AppliedPart:
    return AppliedPart(paid_on=DUE + timedelta(days=days), amount_minor=100)


UNPAID = InvoiceItem(issued_on=DUE, due_on=DUE, due_business_on=DUE, amount_minor=100)


@pytest.mark.parametrize(
    ("item", "is_bad"),
    [
        (UNPAID, True),
        (
            replace(
                UNPAID, paid=(AppliedPart(paid_on=DUE + timedelta(days=91), amount_minor=100),)
            ),
            False,
        ),
        (
            replace(
                UNPAID, paid=(AppliedPart(paid_on=DUE + timedelta(days=92), amount_minor=100),)
            ),
            True,
        ),
        (
            replace(UNPAID, paid=(AppliedPart(paid_on=DUE, amount_minor=99),)),
            True,
        ),
        (replace(UNPAID, disputes=(DisputedPart(amount_minor=100, opened_on=DUE),)), False),
        (replace(UNPAID, due_business_on=date(2024, 11, 1)), False),  # it was bad before
        (replace(UNPAID, due_business_on=date(2025, 12, 20)), False),  # it is bad afterwards
    ],
)
def test_bad_is_more_than_ninety_days_past_due_within_the_horizon(
    *, item: InvoiceItem, is_bad: bool
) -> None:
    found = turned_bad([item], [], horizon=HORIZON, days_past_due_over=90, kinds=())

    assert found is is_bad


@pytest.mark.parametrize(
    ("happened_on", "kind", "is_bad"),
    [
        (date(2025, 3, 6), "legal", True),
        (date(2025, 3, 5), "legal", False),
        (date(2026, 3, 5), "legal", True),
        (date(2026, 3, 6), "legal", False),
        (date(2025, 6, 1), "collection", False),
    ],
)
def test_an_adverse_fact_within_the_horizon_is_bad_where_the_policy_names_it(
    *, happened_on: date, kind: str, is_bad: bool
) -> None:
    event = AdverseEvent(kind=kind, happened_on=happened_on, settled=False)

    found = turned_bad([], [event], horizon=HORIZON, days_past_due_over=90, kinds=("legal",))

    assert found is is_bad


@pytest.mark.slow
def test_a_model_is_kept_with_its_split_and_is_never_overwritten(
    desk: Desk, registry: ModelService, trained: NewModel
) -> None:
    enter(desk, trained)
    second = registry.train(name="ledger", by="zhang", today=THEN)
    first = registry.list_models()[1]
    report = read_report(first)

    assert (first.label, second.label) == ("ledger-1", "ledger-2")
    assert first.sha256_b64u == second.sha256_b64u
    assert first.data_sha256_b64u == read_model(first).body.data_sha256_b64u
    assert report["split"]["kind"] == "time"
    until = date.fromisoformat(report["split"]["train_until"])
    start = date.fromisoformat(report["split"]["test_from"])
    assert (start - until).days >= report["split"]["gap_days"] >= 365
    assert report["test"]["bads"] == report["split"]["test_bads"]
    # A dozen bad rows are of a few customers, each looked at more than once: these count.
    assert 0 < report["test"]["bad_customers"] < 12
    assert report["test"]["verdict"] == "withheld.bads"
    assert [one.label for one in registry.list_models()] == ["ledger-2", "ledger-1"]


@pytest.mark.parametrize("name", ["", "Ledger", "my model", "x" * 33, "ledger\n"])
def test_a_name_that_is_none_is_refused_before_anything_is_read(desk: Desk, name: str) -> None:
    with pytest.raises(ModelNameError):
        desk.models.train(name=name, by="zhang", today=THEN)


@pytest.mark.slow
def test_another_person_approves_and_one_model_is_champion(
    desk: Desk, registry: ModelService, trained: NewModel
) -> None:
    first, second = enter(desk, trained, count=2)

    with pytest.raises(ModelSamePersonError):
        registry.approve(first, role=CHAMPION, by="zhang ", reason="good")
    assert state_of(registry.get(first)) is ModelState.DRAFT
    registry.approve(first, role=CHAMPION, by="li", reason="the first one")
    registry.approve(second, role=CHALLENGER, by="li", reason="to be watched")
    registry.approve(second, role=CHAMPION, by="li", reason="it is better")

    one, other = registry.get(first), registry.get(second)
    assert (state_of(one), state_of(other)) == (CHALLENGER, CHAMPION)
    assert [event.kind for event in one.events] == ["approved", "champion", "challenger"]
    with pytest.raises(ModelStateError):
        registry.approve(second, role=CHAMPION, by="li", reason="again")
    registry.retire(first, by="li", reason="done")
    with pytest.raises(ModelStateError):
        registry.approve(first, role=CHALLENGER, by="li", reason="back")
    with pytest.raises(ModelNotFoundError):
        registry.retire(999, by="li", reason="none")


@pytest.mark.slow
def test_champion_and_challenger_are_judged_on_the_same_later_rows(
    desk: Desk, registry: ModelService, trained: NewModel
) -> None:
    first, second = enter(desk, trained, count=2)
    with pytest.raises(ModelNotFoundError):
        registry.compare(second, today=TODAY)
    registry.approve(first, role=CHAMPION, by="li", reason="the first one")
    with pytest.raises(ModelStateError):
        registry.compare(first, today=TODAY)
    with pytest.raises(NoLaterRowsError):
        registry.compare(second, today=date(2022, 12, 1))

    found = registry.compare(second, today=TODAY)

    assert found.after == trained.trained_until
    assert found.champion_judged.validation == found.challenger_judged.validation
    assert found.difference.interval.value == 0
    assert not found.difference.is_shown
    assert sum(one.rows for one in found.champion_drift) == found.champion_judged.validation.rows
    assert all(one.month > f"{found.after:%Y-%m}" for one in found.champion_drift)


@pytest.mark.slow
def test_a_model_that_was_changed_behind_the_registry_is_not_used(
    desk: Desk, registry: ModelService, trained: NewModel
) -> None:
    (key,) = enter(desk, trained)
    with desk.house.database.write() as uow:
        text = uow.connection.execute(select(statistical_model.c.model_json)).scalar_one()
        changed = json.loads(text)
        changed["base_points_deci"] += 100
        uow.connection.execute(
            update(statistical_model).values(model_json=json.dumps(changed, ensure_ascii=False))
        )

    with pytest.raises(InvariantError):
        read_model(registry.get(key))


@pytest.mark.slow
def test_the_commands_train_show_approve_compare_and_retire(
    desk: Desk, registry: ModelService, trained: NewModel
) -> None:
    def run(*words: str) -> str:
        result = CliRunner().invoke(model_app, words, obj=desk, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    made = json.loads(run("train", "--by", "zhang", "--json"))
    key, other = (str(one) for one in enter(desk, trained, count=2))

    assert (made["state"], made["version"]) == ("draft", 1)
    assert sum(one["rows"] for one in made["features"][0]["bins"]) == made["split"]["train_rows"]
    assert "champion" in run("approve", key, "--as", "champion", "--by", "li", "--reason", "good")
    assert "冠军" in run("list", "--lang", "zh")
    assert "ledger-2" in run("show", key)
    compared = json.loads(run("compare", other, "--json"))
    assert compared["champion"]["figures"]["rows"] == compared["challenger"]["figures"]["rows"]
    assert "PSI" in run("compare", other)
    assert "retired" in run("retire", key, "--by", "li", "--reason", "old")
    assert [one["state"] for one in json.loads(run("list", "--json"))] == [
        "draft",
        "retired",
        "draft",
    ]
    assert registry.get(int(key)).events[-1].reason == "old"


@pytest.mark.slow
def test_the_api_lists_models_and_shows_every_point(
    desk: Desk, registry: ModelService, trained: NewModel
) -> None:
    (key,) = enter(desk, trained)
    app = FastAPI()
    app.add_exception_handler(NodeError, handle_error)
    app.include_router(build_models_router(registry))
    with TestClient(app) as http:
        (listed,) = http.get("/models", params={"language": "zh"}).json()
        shown = http.get(f"/models/{key}").json()
        missing = http.get("/models/999")

    assert listed["state_text"] == "草稿"
    assert listed["data_sha256"] == shown["data_sha256"]
    assert all("points_deci" in one for one in shown["features"][0]["bins"])
    assert (missing.status_code, missing.json()["code"]) == (404, "model-not-found")
