"""The register of risks over a portfolio: entered beside computed, told once, with history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.people.service import Role
from node.rating.rules_loss import LossInvalidError
from node.records.errors import CustomerNotFoundError
from node.risk.register.rules_register import EntryEvent, EntryState, RiskType
from node.risk.register.service import (
    NewRisk,
    RegisterSelection,
    RegisterService,
    RiskChange,
    RiskEntryInvalidError,
    RiskEntryNotFoundError,
)
from node.web.app import build_app
from tests.support.portfolios import build_portfolio, count_rows, owe, rate, send


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


def risk(node: Node, **changed: Any) -> NewRisk:  # noqa: ANN401  members of a risk
    values: dict[str, Any] = {
        "risk_type": RiskType.FRAUD,
        "title": "false delivery notes",
        "owner": "chen",
        "controls": "",
        "review_on": node.local.business_date() + timedelta(days=30),
        "currency": "CNY",
        "exposure_minor": 500_000_00,
        "likelihood_ppm": 20_000,
        "lgd_ppm": 600_000,
    }
    return NewRisk(**values | changed)


def test_entered_and_computed_risks_stand_together_by_money_at_risk(fresh: Node) -> None:
    register = fresh.local.losses.register
    key = register.enter(risk(fresh), by="chen")
    run = register.refresh(by="chen")

    found = register.list_entries()

    (ours,) = [one for one in found if one.entry.entry_id == key]
    assert ours.loss_minor == 6_000_00  # 2 % · 60 % · 500,000
    causes = [one.entry.cause for one in found]
    assert causes[0] == "concentration:customer:index"
    losses = [one.loss_minor for one in found if one.loss_minor is not None]
    assert losses == sorted(losses, reverse=True)
    assert causes[-1] == "expected-loss:unrated"
    by_cause = {one.entry.cause: one for one in found}
    assert by_cause["expected-loss:A"].loss_minor == 12_000_00
    assert by_cause["concentration:group:1"].loss_minor == 24_000_00  # A and BBB together
    assert by_cause["concentration:group:1"].entry.customer_id == 1
    assert (run.entries, run.changes) == (11, 11)
    assert register.refresh(by="chen").changes == 0
    assert register.refresh_daily() is False


def test_a_cause_is_told_once_again_when_worse_and_closes_when_it_is_gone(fresh: Node) -> None:
    register = fresh.local.losses.register
    register.refresh(by="chen")
    (grade_a,) = [
        one.entry for one in register.list_entries() if one.entry.cause == "expected-loss:A"
    ]
    register.change(
        grade_a.entry_id, RiskChange(state=EntryState.ACCEPTED), reason="seen", by="chen"
    )

    def tell() -> tuple[EntryEvent, EntryState]:
        register.refresh(by="chen")
        entry, versions = register.get(grade_a.entry_id)
        return versions[-1].step.event, entry.says.state

    owe(fresh, 1, "A2", 100_000_00, days=-10)
    assert tell() == (EntryEvent.UPDATED, EntryState.ACCEPTED)
    owe(fresh, 1, "A3", 10_000_000_00, days=-10)
    assert tell() == (EntryEvent.WORSENED, EntryState.OPEN)
    rate(fresh, 1, "AA")
    assert tell() == (EntryEvent.CEASED, EntryState.CLOSED)
    rate(fresh, 1, "A")
    assert tell() == (EntryEvent.REOPENED, EntryState.OPEN)


def test_a_loss_that_grows_slowly_is_told_when_it_has_doubled(fresh: Node) -> None:
    register = fresh.local.losses.register
    register.refresh(by="chen")
    (grade_a,) = [
        one.entry for one in register.list_entries() if one.entry.cause == "expected-loss:A"
    ]
    for name in ("A2", "A3", "A4"):  # each a third of what is owed now, at most
        owe(fresh, 1, name, 1_700_000_00, days=-10)
        register.refresh(by="chen")

    _, versions = register.get(grade_a.entry_id)

    assert [one.step.event.value for one in versions] == [
        "computed",
        "updated",
        "updated",
        "worsened",
    ]
    first, *_, last = (one.says.figures.expected_loss_minor or 0 for one in versions)
    assert last >= 2 * first


def test_the_list_is_cut_by_money_and_not_by_age(fresh: Node) -> None:
    register = fresh.local.losses.register
    for title, currency, likelihood in (
        ("small", "CNY", 1),
        ("large", "CNY", 900_000),
        ("not ours", "XTS", 900_000),
    ):
        register.enter(
            risk(fresh, title=title, currency=currency, likelihood_ppm=likelihood), by="chen"
        )

    def titles(entries_max: int) -> list[str]:
        found = register.list_entries(RegisterSelection(entries_max=entries_max))
        return [one.entry.says.title for one in found]

    assert titles(1) == ["large"]
    assert titles(2) == ["large", "small"]
    assert titles(9) == ["large", "small", "not ours"]


def test_an_entry_keeps_its_history_and_a_computed_ones_figures_are_not_entered(
    fresh: Node,
) -> None:
    register = fresh.local.losses.register
    key = register.enter(risk(fresh, customer_id=2), by="chen")
    register.change(key, RiskChange(likelihood_ppm=40_000), reason="second case", by="li")
    register.change(
        key,
        RiskChange(state=EntryState.TREATED, controls="signed on delivery"),
        reason="agreed",
        by="li",
    )
    register.change(key, RiskChange(), reason="nothing new", by="li")

    _, versions = register.get(key)

    assert [
        (one.step.event.value, one.says.figures.expected_loss_minor, one.says.state.value)
        for one in versions
    ] == [
        ("entered", 6_000_00, "open"),
        ("changed", 12_000_00, "open"),
        ("changed", 12_000_00, "treated"),
        ("reviewed", 12_000_00, "treated"),
    ]
    register.refresh(by="chen")
    computed = next(one.entry for one in register.list_entries() if one.entry.cause)
    with pytest.raises(RiskEntryInvalidError):
        register.change(computed.entry_id, RiskChange(lgd_ppm=1), reason="x", by="li")
    moved = register.change(computed.entry_id, RiskChange(owner="li"), reason="hers", by="li")
    assert moved.says.owner == "li"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"currency": "cny"}, RiskEntryInvalidError),
        ({"exposure_minor": 10**15 + 1}, RiskEntryInvalidError),
        ({"exposure_minor": -1}, LossInvalidError),
        ({"likelihood_ppm": 1_000_001}, LossInvalidError),
        ({"review_on": date(2020, 1, 1)}, RiskEntryInvalidError),
        ({"customer_id": 99}, CustomerNotFoundError),
    ],
)
def test_a_risk_that_makes_no_sense_is_not_entered(
    node: Node, changed: dict[str, Any], error: type[Exception]
) -> None:
    rows = count_rows(node)

    with pytest.raises(error):
        node.local.losses.register.enter(risk(node, **changed), by="chen")

    assert count_rows(node) == rows
    with pytest.raises(RiskEntryNotFoundError):
        node.local.losses.register.get(99)


def test_what_is_due_for_review_is_listed(fresh: Node) -> None:
    local = fresh.local
    key = local.losses.register.enter(risk(fresh), by="chen")
    later = RegisterService(
        database=local.database,
        clock=local.clock,
        reader=local.losses.register._reader,
        business_date=local.business_date() + timedelta(days=30),
    )

    assert local.losses.register.list_entries(RegisterSelection(is_due=True)) == []
    due = later.list_entries(RegisterSelection(is_due=True))
    assert [one.entry.entry_id for one in due] == [key]


def test_a_risk_is_entered_and_changed_over_the_api(fresh: Node) -> None:
    until = (fresh.local.business_date() + timedelta(days=9)).isoformat()
    with TestClient(build_app(fresh)) as http:
        entered = send(
            fresh,
            http,
            Role.ANALYST,
            "POST",
            "/risk-register",
            by="analyst",
            type="legal",
            title="no retention of title",
            owner="chen",
            review_on=until,
            currency="CNY",
            exposure_minor=1_000,
            likelihood_ppm=500_000,
            lgd_ppm=1_000_000,
        )
        path = f"/risk-register/{entered.json()['id']}"
        body = {"by": "analyst", "reason": "new clause", "state": "closed"}
        changed = send(fresh, http, Role.ANALYST, "POST", f"{path}/changes", **body)
        shown = send(fresh, http, Role.ANALYST, "GET", f"{path}?language=zh").json()

    assert (entered.status_code, changed.status_code) == (201, 200)
    assert [one["event_text"] for one in shown["versions"]] == ["登记", "变更"]
    assert (shown["state"], shown["expected_loss_minor"]) == ("closed", 500)
