"""What another risk policy would change, before it is active: by command, API and console."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from node.core.people.service import Role
from node.core.policies.entering import Entry
from node.core.policies.errors import PolicyNotPreviewedError
from node.core.policies.rules_states import Actor
from node.risk.alerts.tables import risk_alert
from node.risk.policies.policy import read_preset_risk_policy
from node.risk.preview.rules_preview import RiskTally, Told
from node.risk.rules_finding import RiskStatus
from tests.support.console_people import Desk, close_desk, open_desk

ENTRY = Entry(actor=Actor(who="li", name="li"), reason="softer")
OTHER = Entry(actor=Actor(who="wang", name="wang"), reason="seen")
OK, WATCH, HOLD = RiskStatus.OK, RiskStatus.WATCH, RiskStatus.HOLD


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A customer with something overdue, and one that owes nothing."""
    opened = open_desk(tmp_path / "home")
    opened.invoice("R1", (date(2026, 6, 1), 900_000))
    yield opened
    close_desk(opened)


def draft(desk: Desk, **rules: dict[str, Any]) -> int:
    """Enter a policy of one's own with other rules."""
    document = json.loads(read_preset_risk_policy().raw)
    document |= {"id": "own-risk", "version": 1}
    for name, members in rules.items():
        document["rules"][name] |= members
    raw = json.dumps(document).encode()
    return desk.node.local.policies.draft(raw, entry=ENTRY).version_id


def test_a_preview_says_whose_orders_would_be_held_and_which_alerts_open_and_cease(
    desk: Desk,
) -> None:
    local = desk.node.local
    softer = draft(
        desk,
        r1_exposure={"unassessed_leads_to": "watch"},
        r3_oldest={"days_without_grade": 90},
    )

    found = local.previews.preview(softer, as_of=local.business_date(), actor=ENTRY.actor)

    summary = json.loads(found.summary_json)
    assert (summary["before"]["label"], summary["after"]["label"]) == ("risk-2", "own-risk-1")
    assert summary["default_lost"] == {"count": 1, "customers": [desk.customer_id]}
    assert (summary["better"], summary["worse"]) == (1, 0)
    rules = {one["rule"]: (one["before"], one["after"], one["ceased"]) for one in summary["alerts"]}
    assert (rules["R1"], rules["R3"], rules["R4"]) == ((1, 1, 0), (1, 0, 1), (1, 1, 0))
    with local.database.read() as uow:
        count = select(func.count()).select_from(risk_alert)
        assert uow.connection.execute(count).scalar_one() == 0


def test_what_is_not_previewed_is_not_made_active_and_the_page_shows_what_would_change(
    desk: Desk,
) -> None:
    local, today = desk.node.local, desk.node.local.business_date()
    version_id = draft(desk, r3_oldest={"days_without_grade": 90})
    text = local.policies.get(version_id).text.sha256_b64u
    local.policies.propose(version_id, seen_sha256_b64u=text, entry=ENTRY)
    local.policies.decide(version_id, is_approved=True, seen_sha256_b64u=text, entry=OTHER)
    with pytest.raises(PolicyNotPreviewedError):
        local.policies.activate(version_id, entry=OTHER, today=today)
    local.previews.preview(version_id, as_of=today, actor=ENTRY.actor)
    desk.sign_in(Role.CREDIT_MANAGER)
    path = f"/console/policies/{version_id}/preview"

    assert "Oldest item overdue too long" in desk.client.get(path, params={"lang": "en"}).text
    assert "最早逾期过久" in desk.client.get(path, params={"lang": "zh"}).text
    local.policies.activate(version_id, entry=OTHER, today=today)


def test_a_tally_counts_statuses_and_each_cause_that_comes_or_goes() -> None:
    tally = RiskTally()
    tally.add(1, Told(status=HOLD, rules={"R3:EUR": "R3"}), Told(status=OK, rules={}))
    tally.add(2, Told(status=OK, rules={}), Told(status=HOLD, rules={"R3:EUR": "R3"}))
    both = {"R3:EUR": "R3", "R3:CNY": "R3", "R10": "R10"}
    tally.add(3, Told(status=HOLD, rules={"R3:EUR": "R3"}), Told(status=HOLD, rules=both))
    tally.add(4, Told(status=OK, rules={}), Told(status=WATCH, rules={"drift": "drift"}))

    summary = tally.sum_up()

    assert summary["matrix"] == [[0, 1, 1], [0, 0, 0], [1, 0, 1]]
    assert (summary["changed"], summary["better"], summary["worse"]) == (3, 1, 2)
    assert summary["default_gained"] == {"count": 1, "customers": [2]}
    assert summary["default_lost"] == {"count": 1, "customers": [1]}
    assert summary["alerts"] == [
        {"rule": "R3", "before": 2, "after": 3, "opened": 2, "ceased": 1},
        {"rule": "R10", "before": 0, "after": 1, "opened": 1, "ceased": 0},
        {"rule": "drift", "before": 0, "after": 1, "opened": 1, "ceased": 0},
    ]
