"""The pages of cases, procedures, duties, reviews and the access log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from node.core.people.service import Role
from node.governance.cases.entries import NewCase
from node.governance.cases.record import CaseChannel
from node.governance.cases.rules_case import CaseKind
from node.governance.reviews.rules_review import ReviewSubject
from node.governance.training.service import NewProcedure
from tests.support.console_people import ORIGIN, Desk, close_desk, open_desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = open_desk(tmp_path_factory.mktemp("governance") / "home")
    local = desk.node.local
    local.governance.cases.receive(
        NewCase(
            kind=CaseKind.SERVICE,
            complainant="Wu <b>Ming</b>",
            text="too slow",
            channel=CaseChannel.PHONE,
            received_on=date(2026, 5, 1),
            customer_id=desk.customer_id,
        ),
        by="zhao",
    )
    local.governance.training.publish(
        NewProcedure(
            slug="order-check", title="Order check", text="Read me.", roles=frozenset({Role.SALES})
        ),
        by="wang",
    )
    local.governance.reviews.plan(
        subject=ReviewSubject.POLICY, due_on=date(2026, 6, 1), months=3, by="wang"
    )
    local.governance.reviews.hold(1, finding="keep it", by="wang")
    local.governance.reviews.add_action(
        text="train sales", owner="Sun", due_on=date(2026, 6, 2), review_id=1, by="wang"
    )
    yield desk
    close_desk(desk)


def read(desk: Desk, path: str) -> str:
    answer = desk.client.get(path)
    assert answer.status_code == 200, path
    return answer.text


def test_each_page_shows_what_is_kept_in_both_languages(desk: Desk) -> None:
    desk.sign_in(Role.CFO)
    shown = {
        "/console/cases?show=late": ("complaint about service", "服务投诉"),
        "/console/cases/1": ("too slow", "电话"),
        "/console/duties": ("data steward", "数据管理员"),
        "/console/reviews": ("train sales", "信用政策"),
        "/console/reviews/1": ("not kept", "未记录"),
        "/console/procedures": ("Who has confirmed", "确认情况"),
        "/console/looks?person=Li+Wei": ("duties and reviews", "职责与评审"),
    }
    for path, (english, chinese) in shown.items():
        joint = "&" if "?" in path else "?"
        assert english in read(desk, f"{path}{joint}lang=en"), path
        assert chinese in read(desk, f"{path}{joint}lang=zh"), path
    assert "Wu &lt;b&gt;Ming&lt;/b&gt;" in read(desk, "/console/cases/1")


def test_a_salesperson_confirms_what_it_has_read_and_sees_no_case(desk: Desk) -> None:
    desk.sign_in(Role.SALES, "Sun")
    page = read(desk, "/console/procedures/order-check?lang=en")
    path = "/console/procedures/order-check/confirm"
    stale = desk.client.post(path, data={"version": "7"}, headers=ORIGIN)
    foreign = desk.client.post(path, data={"version": "1"})
    done = desk.client.post(path, data={"version": "1"}, headers=ORIGIN, follow_redirects=False)
    hidden = [
        desk.client.get(one).status_code
        for one in ("/console/cases", "/console/duties", "/console/reviews", "/console/looks")
    ]
    (standing,) = desk.node.local.governance.training.list_standings()

    assert "I have read version 1" in page
    assert (stale.status_code, done.status_code) == (404, 303)
    assert foreign.status_code == 403
    assert hidden == [403] * 4
    assert [one.name for one in standing.confirmed] == ["Sun"]
    assert "I have read" not in read(desk, "/console/procedures/order-check?lang=en")


def test_a_look_at_a_case_is_recorded_and_exported(desk: Desk) -> None:
    desk.sign_in(Role.COLLECTOR, "Zhou")
    read(desk, "/console/cases/1")
    desk.sign_in(Role.CFO, "Wei")

    table = desk.client.get(f"/console/looks.csv?customer={desk.customer_id}&person=zhou")

    rows = [line.split(",") for line in table.text.splitlines()[1:]]
    assert {(row[2], row[3], row[4], row[6]) for row in rows} == {
        ("Zhou", "collector", "cases", "1"),
        ("Zhou", "collector", "page", "1"),
    }
