"""Concentration and stress over a portfolio of a running node, over the API and by command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import update
from starlette.testclient import TestClient
from typer.testing import CliRunner

from node.bootstrap.member import Node
from node.core.people.service import Role
from node.records.errors import CustomerNotFoundError
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from node.risk.losses.commands_portfolio import add_commands
from node.risk.portfolio.rules_concentration import Dimension
from node.risk.portfolio.service import PortfolioInvalidError
from node.risk.stress.rules_stress import Scenario
from node.risk.stress.service import StressInvalidError
from node.web.app import build_app
from tests.support.portfolios import build_portfolio, count_rows, send

RISK_APP = typer.Typer()
add_commands(RISK_APP)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node of which nothing is changed."""
    node = build_portfolio(tmp_path_factory.mktemp("portfolio") / "home")
    yield node
    node.local.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Node]:
    node = build_portfolio(tmp_path / "home")
    yield node
    node.local.close()


@pytest.fixture(scope="module")
def http(node: Node) -> Iterator[TestClient]:
    with TestClient(build_app(node)) as http:
        yield http


def test_a_portfolio_is_divided_by_each_dimension_and_held_against_its_limits(node: Node) -> None:
    report = node.local.losses.portfolio.report()

    found = {one.dimension: one for one in report.dimensions}
    assert found[Dimension.CUSTOMER].total_minor == 10_000_000_00
    assert found[Dimension.CUSTOMER].hhi == 3_400  # 50² + 20² + 20² + 10²
    assert found[Dimension.GROUP].hhi == 5_400  # 70² + 20² + 10²
    assert [(one.key, one.share_permille) for one in found[Dimension.GROUP].parts] == [
        ("1", 700),
        ("2", 200),
        ("4", 100),
    ]
    assert [(one.key, one.share_permille) for one in found[Dimension.COUNTRY].parts] == [
        ("CN", 800),
        ("DE", 200),
    ]
    assert found[Dimension.INDUSTRY].unknown_minor == 5_000_000_00
    assert found[Dimension.GRADE].unknown_minor == 1_000_000_00
    assert [(one.dimension.value, one.key, one.value, one.limit) for one in report.breaches] == [
        ("customer", "1", 500, 100),
        ("customer", "2", 200, 100),
        ("customer", "3", 200, 100),
        ("group", "1", 700, 150),
        ("group", "2", 200, 150),
        ("industry", "C26", 500, 400),
        ("customer", None, 3_400, 1_500),
    ]
    assert [(one.customer_id, one.amount_minor) for one in report.portfolio.not_converted] == [
        (5, 70_000)
    ]


def test_exposures_are_those_of_the_one_function(node: Node) -> None:
    report = node.local.losses.portfolio.report()

    found = {one.customer_id: one.exposure_minor for one in report.portfolio.holdings}
    assert found == {
        key: node.local.risk.exposures.read(
            key, as_of=node.local.business_date(), currency="CNY"
        ).total_minor
        for key in (1, 2, 3, 4)
    }


def test_a_day_to_come_is_refused(node: Node) -> None:
    tomorrow = node.local.business_date() + timedelta(days=1)

    with pytest.raises(PortfolioInvalidError):
        node.local.losses.portfolio.report(as_of=tomorrow)
    with pytest.raises(StressInvalidError):
        node.local.losses.stress.run(Scenario(notches=1), as_of=tomorrow)


def test_grades_that_fall_raise_losses_and_hold_who_is_late_and_nothing_is_written(
    node: Node,
) -> None:
    rows = count_rows(node)

    report = node.local.losses.stress.run(Scenario(notches=2))

    # A .4 % to BB 2.5 %, AAA .05 % to A .4 %, BBB 1 % to B 6 %: by 60 % of 5, 2 and 2 m
    assert report.before.expected_loss_minor == 12_000_00 + 600_00 + 12_000_00
    assert report.after.expected_loss_minor == 75_000_00 + 4_800_00 + 72_000_00
    assert (report.before.exposure_minor, report.after.exposure_minor) == (10_000_000_00,) * 2
    changed = {one.customer_id: one for one in report.changed}
    assert {key: (one.before.grade, one.after.grade) for key, one in changed.items()} == {
        1: ("A", "BB"),
        2: ("AAA", "A"),
        3: ("BBB", "B"),
    }
    assert "R3" not in changed[2].before.rules
    assert "R3" in changed[2].after.rules  # 20 days late: AAA bears 30, A 15
    assert report.held_after_minor - report.held_before_minor == 2_000_000_00
    assert report.unmoved == 1
    provision = {one.currency: one for one in report.provisions or ()}["CNY"]
    assert provision.allowance_before_minor == provision.allowance_after_minor
    assert count_rows(node) == rows


def test_who_fails_is_looked_at_apart_and_its_group_hears_of_it(node: Node) -> None:
    report = node.local.losses.stress.run(Scenario(defaults=frozenset({1})))

    changed = {one.customer_id: one for one in report.changed}
    assert (changed[1].after.grade, changed[1].after.expected_loss_minor) == ("D", 3_000_000_00)
    assert "R11" in changed[1].after.rules
    assert (changed[3].before.status.value, changed[3].after.status.value) == ("ok", "watch")
    assert report.after.defaulted_minor == 5_000_000_00
    provision = {one.currency: one for one in report.provisions or ()}["CNY"]
    # 5 m not due leave the pool, at .3 %, and are provided for by 60 %
    assert provision.allowance_after_minor - provision.allowance_before_minor == (
        3_000_000_00 - 15_000_00
    )
    assert report.held_after - report.held_before == 1


@pytest.mark.parametrize(
    ("scenario", "error"),
    [
        (Scenario(), StressInvalidError),
        (Scenario(notches=99), StressInvalidError),
        (Scenario(countries=frozenset({"DE"})), StressInvalidError),
        (Scenario(defaults=frozenset({99})), CustomerNotFoundError),
        (Scenario(defaults=frozenset(range(1, 1_002))), StressInvalidError),
    ],
)
def test_a_scenario_that_is_none_is_refused(
    node: Node, scenario: Scenario, error: type[Exception]
) -> None:
    with pytest.raises(error):
        node.local.losses.stress.run(scenario)


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, TestClient]]:
    """A node whose customers 2, alone of grade AAA, and 3, alone of DE, are persons."""
    node = build_portfolio(tmp_path_factory.mktemp("peopled") / "home")
    node.local.losses.register.refresh(by="chen")
    with node.local.database.write() as uow:
        persons = customer.c.id.in_((2, 3))
        uow.connection.execute(update(customer).where(persons).values(kind=PERSON_KIND))
    with TestClient(build_app(node)) as http:
        yield node, http
    node.local.close()


SUMS = {  # to an analyst, and to who sees persons: of 5, 2, 2 and 1 m
    Role.ANALYST: (6_000_000_00, 2),
    Role.CFO: (10_000_000_00, 0),
}


@pytest.mark.parametrize("role", SUMS)
def test_no_sum_of_the_portfolio_tells_what_a_person_owes(
    peopled: tuple[Node, TestClient], role: Role
) -> None:
    node, http = peopled
    total_minor, left_out = SUMS[role]

    shown = send(node, http, role, "GET", "/concentration").json()
    stress = send(node, http, role, "POST", "/stress-tests", notches=2, grades=["AAA", "A"]).json()

    assert shown["left_out"] == stress["left_out"] == left_out
    for one in shown["dimensions"]:
        assert one["total_minor"] == total_minor
        assert sum(part["exposure_minor"] for part in one["parts"]) == total_minor
    by_name = {
        one["dimension"]: {part["key"] for part in one["parts"]} for one in shown["dimensions"]
    }
    assert ("DE" in by_name["country"]) is ("AAA" in by_name["grade"]) is (left_out == 0)
    assert stress["before"]["exposure_minor"] == stress["after"]["exposure_minor"] == total_minor
    assert [one["customer"] for one in stress["changed"]] == ([1] if left_out else [1, 2])
    loss_minor = 12_000_00 if left_out else 12_000_00 + 600_00 + 12_000_00
    assert stress["before"]["expected_loss_minor"] == loss_minor
    held_minor = stress["after"]["held_minor"] - stress["before"]["held_minor"]
    assert held_minor == (0 if left_out else 2_000_000_00)  # 2 is late, and A bears less than AAA


@pytest.mark.parametrize("role", SUMS)
def test_the_register_withholds_sums_with_a_person_in_them(
    peopled: tuple[Node, TestClient], role: Role
) -> None:
    node, http = peopled
    sees = role is Role.CFO
    entries = {
        one.entry.cause: one.entry.entry_id for one in node.local.losses.register.list_entries()
    }

    listed = send(node, http, role, "GET", "/risk-register").json()
    by_cause = {one["cause"]: one for one in listed}
    of_grade = send(
        node, http, role, "GET", f"/risk-register/{entries['expected-loss:AAA']}"
    ).json()
    of_person = send(
        node, http, role, "GET", f"/risk-register/{entries['concentration:customer:2']}"
    )

    assert ("concentration:customer:2" in by_cause) is sees
    assert of_person.status_code == (200 if sees else 403)
    for one in (by_cause["expected-loss:AAA"], of_grade, *of_grade["versions"]):
        assert (one["exposure_minor"] is None) is one["is_withheld"] is not sees
    assert (by_cause["expected-loss:AAA"]["loss_minor"] is None) is not sees
    assert ("%" in by_cause["concentration:industry:C26"]["title"]) is sees
    order = [one["id"] for one in listed]
    assert (order == sorted(order)) is not sees


@pytest.mark.parametrize("body", [{"defaults": [2]}, {"notches": 1, "customers": [2]}], ids=str)
@pytest.mark.parametrize(("role", "status"), [(Role.ANALYST, 403), (Role.CFO, 200)])
def test_a_scenario_names_a_person_for_those_alone_who_may_see_him(
    peopled: tuple[Node, TestClient], role: Role, status: int, body: dict[str, Any]
) -> None:
    assert send(*peopled, role, "POST", "/stress-tests", **body).status_code == status


@pytest.mark.parametrize(
    ("role", "call", "body", "status"),
    [
        (Role.SALES, ("GET", "/concentration"), {}, 403),
        (Role.COLLECTOR, ("POST", "/stress-tests"), {"notches": 1}, 403),
        (Role.ANALYST, ("POST", "/stress-tests"), {"notches": 0}, 422),
        (Role.ANALYST, ("POST", "/stress-tests"), {"defaults": [99]}, 404),
        (Role.ANALYST, ("POST", "/risk-register-runs"), {"by": "another"}, 403),
        (Role.ANALYST, ("GET", "/risk-register/99"), {}, 404),
        (Role.ANALYST, ("POST", "/customers/1/industry"), {"by": "analyst", "code": "Z1"}, 422),
    ],
)
def test_what_is_not_for_a_role_or_makes_no_sense_is_refused(
    node: Node,
    http: TestClient,
    *,
    role: Role,
    call: tuple[str, str],
    body: dict[str, Any],
    status: int,
) -> None:
    assert send(node, http, role, *call, **body).status_code == status


def test_the_same_by_command(fresh: Node) -> None:
    def run(*words: str) -> Any:  # noqa: ANN401  a JSON value
        ran = CliRunner().invoke(RISK_APP, list(words), obj=fresh.local)
        assert ran.exit_code == 0, ran.output
        return ran.output

    assert json.loads(run("concentration", "--json"))["dimensions"][0]["hhi"] == 3_400
    assert "HHI 3400" in run("concentration", "--lang", "zh")
    run("industry", "2", "G54", "--by", "zhang")
    stress = json.loads(run("stress", "--notches", "1", "--industry", "G54", "--json"))
    assert [one["customer"] for one in stress["changed"]] == [2]
    shown = run("stress", "--notches", "1", "--customer", "2")
    assert "AAA → AA" in shown
    assert "probabilities of default: placeholder (gbt22116-2)" in shown
    assert json.loads(run("register", "refresh"))["entries"] == 11
    listed = json.loads(
        run("register", "list", "--type", "concentration", "--json", "--lang", "en")
    )
    assert "share of industry C26 50.0 % > 40.0 %" in {one["title"] for one in listed}
