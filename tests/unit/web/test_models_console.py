"""The pages of models, over their routes, and the panel on the page of a customer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.people.service import Role
from node.rating.models.registry import state_of
from node.rating.models.rules_registry import ModelState
from node.web.console import build_console_routes
from node.web.reliability_chart import Dot, draw_reliability
from tests.integration.test_panel import rate
from tests.support.console_node import API_TOKEN, build_empty_node
from tests.support.panel_models import enter_model, make_model, sell

HOST = "http://testserver"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    built = build_empty_node(tmp_path / "home")
    yield built
    built.writer.close()
    built.local.close()


def sign_in(node: Node, token: str = API_TOKEN) -> TestClient:
    client = TestClient(
        Starlette(routes=build_console_routes(node)), base_url=HOST, follow_redirects=False
    )
    client.post("/console/login", data={"token": token}, headers={"origin": HOST})
    return client


def test_the_list_and_a_model_show_points_report_plot_and_drift_in_both_languages(
    node: Node,
) -> None:
    console = sign_in(node)
    assert "model train" in console.get("/console/models?lang=en").text
    key = enter_model(node.local.database, make_model(), "approved", "champion")
    rate(node, sell(node, "L1", late_days=20))

    listed = console.get("/console/models?lang=en").text
    shown = console.get(f"/console/models/{key}?lang=en").text
    chinese = console.get(f"/console/models/{key}?lang=zh").text

    for words in ("hand-1", "champion", "too few customers turned bad"):
        assert words in listed, words
    for words in (
        "share paid late", "≤ 20.0", "-100.0", "chart-reliability", "Back-test by grade",
        "Scores beside ratings", "Hosmer", "zhang",
    ):  # fmt: skip
        assert words in shown, words
    assert not re.findall(r"<th(?![^>]*scope=)[ >]", shown)
    for words in ("可靠性图", "冠军", "违约样本太少", "按月漂移"):
        assert words in chinese, words
    assert console.get("/console/models/999").status_code == 404
    assert console.get("/console/models/x").status_code == 404


def test_a_model_is_approved_and_retired_in_the_name_of_who_is_signed_in(node: Node) -> None:
    key = enter_model(node.local.database, make_model(), by="Li Wei")
    other = enter_model(node.local.database, make_model(model_id="own"), by="operator")
    people = node.local.people
    token = people.create_token(role=Role.CREDIT_MANAGER, name="Wang", life_s=60).token
    manager, operator = sign_in(node, token), sign_in(node)

    def send(client: TestClient, path: str, **fields: str) -> int:
        answer = client.post(f"/console/models/{path}", data=fields, headers={"origin": HOST})
        return answer.status_code

    assert send(manager, f"{key}/approve", **{"as": "champion", "reason": "good"}) == 303
    record = node.local.models.get(key)
    assert state_of(record) is ModelState.CHAMPION
    assert record.events[-1].entered_by == "Wang"
    assert send(operator, f"{other}/approve", **{"as": "challenger", "reason": "mine"}) == 422
    assert state_of(node.local.models.get(other)) is ModelState.DRAFT
    assert send(manager, f"{key}/retire", reason="") == 422
    assert send(manager, f"{key}/retire", reason="old") == 303
    assert state_of(node.local.models.get(key)) is ModelState.RETIRED


def test_who_may_not_see_credit_sees_no_model(node: Node) -> None:
    key = enter_model(node.local.database, make_model())
    people = node.local.people
    token = people.create_token(role=Role.SALES, name="Wu", life_s=60).token
    sales = sign_in(node, token)

    assert sales.get("/console/models").status_code == 403
    assert sales.get(f"/console/models/{key}").status_code == 403
    assert "/console/models" not in sales.get("/console/").text


def test_the_page_of_a_customer_puts_models_side_by_side(node: Node) -> None:
    console = sign_in(node)
    enter_model(node.local.database, make_model(), "approved", "champion")
    late = sell(node, "L1", late_days=20)
    before = console.get(f"/console/customers/{late}?lang=en").text
    rate(node, late)

    english = console.get(f"/console/customers/{late}?lang=en").text
    chinese = console.get(f"/console/customers/{late}?lang=zh").text

    assert "Models side by side" not in before
    for words in (
        "Models side by side", "statistical model (champion) hand-1", "39.02 %",
        "champion.worse-than.expert", "share paid late: less than can be earned",
    ):  # fmt: skip
        assert words in english, words
    for words in ("模型并列比较", "违约概率 39.02 %", "逾期占比"):
        assert words in chinese, words


def test_a_plot_places_groups_by_what_was_stated_and_what_happened() -> None:
    dot = Dot(stated_ppm=100_000, observed_ppm=50_000, low_ppm=0, high_ppm=900_000, text="<a>")

    svg = draw_reliability([dot], title="R&D", across="x", upward="y")

    assert 'cx="336"' in svg  # the scale ends at 10 %
    assert 'cy="169"' in svg
    assert 'y2="12"' in svg  # what is beyond the scale is cut off
    assert "R&amp;D" in svg
    assert "&lt;a&gt;" in svg
    assert "<circle" not in draw_reliability([], title="", across="", upward="")
