"""A small model made by hand, entered in the registry as if it had been trained."""

from __future__ import annotations

from datetime import date

from node.assessment.policy_file import LocalText
from node.assessment.statistical.model_file import (
    Direction,
    Earned,
    Feature,
    ModelBody,
    StatisticalModel,
    ValueBin,
    format_model,
    parse_model,
)
from node.bootstrap.member import Node
from node.core.database import Database
from node.rating.models.ledger_rows import build_columns
from node.rating.models.report import build_judged_object, cut_scores, judge
from node.rating.models.table import TrainingTable
from node.rating.models.training_policy import read_preset_training_policy
from node.rating.store import ModelEvent, ModelStore, NewModel
from protocol.strict_json import canonical_json
from tests.support.console_node import BUSINESS_DATE

POLICY = read_preset_training_policy()
MISSING = Earned(points_deci=0, woe_micro=0, rows=0, bads=0)


HEADER = (
    "customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
    "currency,amount,paid_on,paid_amount,disputed"
)


def make_model(*, lost_deci: int = 1_000, model_id: str = "hand") -> StatisticalModel:
    """Return a card on which 600 points are 50 goods to a bad; lateness costs ``lost_deci``."""
    bins = (
        ValueBin(upto=200, points_deci=0, woe_micro=500_000, rows=90, bads=2),
        ValueBin(points_deci=-lost_deci, woe_micro=-900_000, rows=10, bads=4),
    )
    return parse_model(
        format_model(
            ModelBody(
                kind="statistical-scorecard",
                id=model_id,
                names=LocalText(zh="手工", en="by hand"),
                policy_sha256_b64u=POLICY.sha256_b64u,
                data_sha256_b64u="d" * 43,
                rows=100,
                bads=6,
                scale=POLICY.body.scale,
                reasons_max=3,
                base_points_deci=6_000,
                intercept_micro=0,
                features=(
                    Feature(
                        id="late",
                        source="own-records",
                        names=LocalText(zh="逾期占比", en="share paid late"),
                        decimals=1,
                        direction=Direction.FALLING,
                        coefficient_micro=800_000,
                        iv_micro=400_000,
                        bins=bins,
                        missing=MISSING,
                    ),
                ),
            )
        )
    )


def enter_model(database: Database, model: StatisticalModel, *roles: str, by: str = "zhang") -> int:
    """Keep a model with the report of a few rows, and what became of it; return its number."""
    columns = build_columns(POLICY.body.features)
    late = [column.id for column in columns].index("late")
    rows = [
        tuple((900 if i % 5 == 0 else 0) if n == late else 0 for n in range(len(columns)))
        for i in range(60)
    ]
    table = TrainingTable(
        columns=columns,
        rows=tuple(rows),
        outcomes=tuple(i % 10 == 0 for i in range(60)),
        days=tuple(date(2025, 1 + i % 3, 5) for i in range(60)),
        groups=tuple(range(60)),
    )
    judged = judge(model, table, rules=POLICY.body.validation, is_later=True)
    edges, counts = cut_scores(judged.scores_deci)
    split = {
        "kind": "time",
        "gap_days": 365,
        "train_rows": 100,
        "train_bads": 6,
        "train_until": "2024-01-05",
        "test_rows": 60,
        "test_bads": 6,
        "test_from": "2025-01-05",
        "test_sha256_b64u": "t" * 43,
    }
    report = {
        "split": split,
        "test": build_judged_object(judged),
        "training_scores": {"edges_deci": list(edges), "counts": list(counts)},
    }
    new = NewModel(
        name=model.body.id,
        sha256_b64u=model.sha256_b64u,
        data_sha256_b64u=model.body.data_sha256_b64u,
        policy_sha256_b64u=POLICY.sha256_b64u,
        trained_until=date(2024, 1, 5),
        trained_by=by,
        trained_at_ms=7,
        model_json=model.raw.decode(),
        policy_json=POLICY.raw.decode(),
        report_json=canonical_json(report).decode(),  # type: ignore[arg-type]
    )
    with database.write() as uow:
        store = ModelStore(uow.connection)
        record = store.append(new)
        for role in roles:
            event = ModelEvent(kind=role, entered_by="li", entered_at_ms=8, reason="good")
            store.append_event(record.model_id, event)
    return record.model_id


def sell(node: Node, value: str, *, late_days: int) -> int:
    """Sell twelve times, each paid so many days late; return the customer's number."""
    rows = [HEADER]
    for number in range(12):
        month = BUSINESS_DATE.year * 12 + BUSINESS_DATE.month - 1 - 14 + number
        due = BUSINESS_DATE.replace(year=month // 12, month=month % 12 + 1, day=10)
        issued, paid = due.toordinal() - 30, due.toordinal() + late_days
        rows.append(
            f"sim,{value},示例,CN,{value}-{number},1,{due.fromordinal(issued)},{due},CNY,"
            f"1000.00,{due.fromordinal(paid)},1000.00,"
        )
    node.local.records.import_file(
        "\n".join([*rows, ""]).encode(), file_name="x.csv", source=f"erp-{value}"
    )
    found = node.local.assessment.find_customer_id(f"sim:{value}")
    assert found is not None
    return found
