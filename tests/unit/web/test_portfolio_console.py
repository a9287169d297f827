"""The page of the whole portfolio: each number leads to a list of as many customers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.records.customers import CustomerKind
from tests.support.console_node import BUSINESS_DATE
from tests.support.console_people import Desk, close_desk, open_desk

PAGE = "/console/portfolio"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = open_desk(tmp_path / "home")
    desk.sign_in(Role.OPERATOR)
    yield desk
    close_desk(desk)


def _fill(desk: Desk) -> None:
    local = desk.node.local
    desk.invoice("R1", (date(2026, 3, 1), 100_00))
    local.rating.rate_customer(desk.customer_id, as_of=BUSINESS_DATE)
    local.monitoring.runs.run(by="li")
    desk.customer_id = local.records.add_customer(
        scheme="sim", value="C2", name="宏达机械"
    ).customer_id
    desk.invoice("R2", (date(2026, 8, 1), 300_00))
    local.records.add_customer(scheme="sim", value="C3", name="Neu")


def _read(desk: Desk, path: str) -> str:
    answer = desk.client.get(path, params=None if "?" in path else {"lang": "en"})
    assert answer.status_code == 200, path
    return answer.text


def test_each_number_leads_to_a_list_of_as_many_customers(desk: Desk) -> None:
    _fill(desk)
    page = _read(desk, PAGE)

    links = re.findall(r'<a href="(/console/\?[^"]+)">(\d+)</a>', page)
    kinds = {key for address, _ in links for key in re.findall(r"[?;](\w+)=", address)}
    assert {"moved", "status", "watched", "grade", "unrated"} <= kinds
    for address, count in links:
        listed = _read(desk, unescape(address))
        rows = set(re.findall(r'<th scope="row"><a href="/console/customers/(\d+)', listed))
        assert len(rows) == int(count), address


def test_an_empty_node_and_each_language_have_the_page(desk: Desk) -> None:
    assert "客户总览" in _read(desk, f"{PAGE}?lang=zh")
    desk.client.cookies.clear()
    assert desk.client.get(PAGE).status_code == 303


@pytest.mark.parametrize("since", ["", "x", "1900-01-01", "2999-01-01"])
def test_a_day_that_cannot_be_is_yesterday(desk: Desk, since: str) -> None:
    assert "since 2026-06-29" in _read(desk, f"{PAGE}?lang=en&since={since}")


def test_the_charts_have_their_figures_as_tables(desk: Desk) -> None:
    _fill(desk)
    page = _read(desk, PAGE)

    assert page.count('<svg class="chart') == 4
    assert page.count('role="img"') == 4
    assert '<th scope="row">2026-03</th>' in page
    for figure in ("100.00", "300.00", "400.00"):
        assert f">{figure}<" in page


def test_who_may_not_see_ratings_cannot_ask_for_them_by_the_address(desk: Desk) -> None:
    _fill(desk)
    whole = {"C1", "C2", "C3"}
    desk.sign_in(Role.SALES)

    for query in ("grade=AA", "unrated=1", "status=hold", "watched=1", "changed=1"):
        page = _read(desk, f"/console/?lang=en&{query}")
        assert set(re.findall(r"sim:(C\d)", page)) == whole, query
    moved = _read(desk, "/console/?lang=en&moved=alert&since=2026-01-01")
    assert set(re.findall(r"sim:(C\d)", moved)) == whole
    assert desk.client.get(PAGE).status_code == 403


def test_a_person_is_in_no_number_of_who_may_not_see_persons(desk: Desk) -> None:
    _fill(desk)
    desk.node.local.customers.set_kind(
        desk.customer_id, kind=CustomerKind.PERSON, reason="told", by="li"
    )
    assert "300.00" in _read(desk, PAGE)
    desk.sign_in(Role.ANALYST)

    page = _read(desk, PAGE)

    assert "300.00" not in page
    assert "400.00" not in page
    assert "1 customers are natural persons" in page
