"""Scores that were kept are judged by what happened in the months after them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.bootstrap.member import Node
from node.rating.models.registry import ModelNotFoundError
from node.rating.panel.commands_judging import model_app
from node.rating.panel.judging import NoOutcomesError
from tests.support.console_node import BUSINESS_DATE, build_empty_node
from tests.support.panel_models import HEADER, enter_model, make_model, sell

A_YEAR_ON = BUSINESS_DATE + timedelta(days=366)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    built = build_empty_node(tmp_path / "home")
    yield built
    built.local.close()


def leave_unpaid(node: Node, value: str, due: date) -> None:
    row = f"sim,{value},示例,CN,{value}-open,1,{BUSINESS_DATE},{due},CNY,500.00,,,"
    report = node.local.records.import_file(
        f"{HEADER}\n{row}\n".encode(), file_name="y.csv", source=f"open-{value}"
    )
    assert not report.rejects


def test_kept_scores_are_judged_once_a_month_when_their_outcome_is_over(node: Node) -> None:
    model_id = enter_model(node.local.database, make_model(), "approved", "champion")
    customers = {
        value: sell(node, value, late_days=days)
        for value, days in (("G1", 0), ("G2", 0), ("B1", 40), ("B2", 40))
    }
    for key in customers.values():
        for _ in range(2):  # twice a month is one row
            node.local.rating.rate_customer(key, as_of=BUSINESS_DATE)
    for value in ("B1", "B2"):
        leave_unpaid(node, value, BUSINESS_DATE + timedelta(days=10))
    judge = node.local.score_judge

    with pytest.raises(NoOutcomesError):
        judge.judge(model_id, today=BUSINESS_DATE + timedelta(days=300))
    with pytest.raises(ModelNotFoundError):
        judge.judge(model_id + 1, today=A_YEAR_ON)
    found = judge.judge(model_id, today=A_YEAR_ON)

    figures = found.judged.validation
    assert (figures.rows, figures.bads, figures.bad_customers) == (4, 2, 2)
    assert figures.auc.value == 1.0  # who paid late was scored worse, and left the invoice open
    assert figures.verdict == "withheld.bads"
    assert found.first_on == found.last_on == BUSINESS_DATE
    day = A_YEAR_ON.isoformat()
    shown = CliRunner().invoke(
        model_app, ["outcomes", str(model_id), "--as-of", day, "--json"], obj=node.local
    )
    told = json.loads(shown.output)
    assert (told["rows"], told["bads"], told["auc"]["value_ppm"]) == (4, 2, 1_000_000)
    text = CliRunner().invoke(
        model_app, ["outcomes", str(model_id), "--as-of", day, "--lang", "zh"], obj=node.local
    )
    assert "不得称为已验证" in text.output
