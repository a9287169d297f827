"""Pages of rating runs: movements, the matrix behind whose numbers stand customers, reviews."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from node.core.people.service import Role
from node.rating.scale_kind import RATING_SCALE
from node.web import ratings_console
from node.web.app import build_app
from tests.support.console_people import Desk, close_desk, open_desk

PATH = "/console/ratings"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = open_desk(tmp_path_factory.mktemp("ratings") / "home")
    local = desk.node.local
    today = local.business_date()
    for number, name in enumerate(("Altmühl", "=1+1", "宏达<b>")):
        desk.customer_id = local.records.add_customer(
            scheme="sim", value=f"B{number}", name=name, country="DE"
        ).customer_id
        desk.invoice(f"R{number}", (date(2026, 6, 1), 1_000))
    local.runs.run(as_of=today - timedelta(days=40), by="li")
    local.records.record_adverse_event(
        desk.customer_id,
        kind="write_off",
        happened_on=today - timedelta(days=3),
        settled_on=None,
        evidence_sha256_hex="0" * 64,
    )
    local.runs.run(as_of=today, by="li")
    local.records.add_customer(scheme="sim", value="B9", name="Never rated", country="DE")
    desk.sign_in(Role.OPERATOR)
    yield desk
    close_desk(desk)


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Desk]:
    """Return a desk of one customer on which nothing was run."""
    desk = open_desk(tmp_path / "home")
    yield desk
    close_desk(desk)


def show(desk: Desk, path: str = PATH, **asked: str) -> str:
    answer = desk.client.get(path, params={"lang": "en", **asked})
    assert answer.status_code == 200
    return str(answer.text)


def list_links(page: str) -> list[tuple[str, int]]:
    found = re.findall(r'<a href="(/console/ratings/customers[^"]*)">(\d+)</a>', page)
    return [(unescape(address), int(count)) for address, count in found]


def test_every_number_leads_to_so_many_customers(desk: Desk) -> None:
    links = list_links(show(desk))

    assert len(links) >= 4
    for address, count in links:
        listed = desk.client.get(f"{address}&lang=en")
        rows = re.findall(r'<tr><th scope="row"><a href="/console/customers/', listed.text)
        assert len(rows) == count, address


def test_the_default_is_a_movement_of_its_own(desk: Desk) -> None:
    page = show(desk, f"{PATH}/customers", movement="default-entered")

    assert "宏达&lt;b&gt;" in page
    assert "into default" in page


def test_runs_are_listed_with_state_and_terms(desk: Desk) -> None:
    page = show(desk)

    assert page.count("finished") == 2
    assert desk.node.local.policies.get_active(RATING_SCALE).name.label in page
    assert 'href="/console/ratings?after=run-2"' in page


def test_without_two_runs_the_page_says_what_to_do(desk: Desk) -> None:
    assert "There are not two finished runs" in show(desk, after="run-1")


def test_days_can_be_compared_too(desk: Desk) -> None:
    today = desk.node.local.business_date()
    page = show(desk, before=(today - timedelta(days=40)).isoformat(), after=today.isoformat())

    assert re.search(r'class="number heat-\d heat-(same|better|worse)"', page)


def test_a_long_list_goes_on_behind_its_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratings_console, "ROWS_PER_PAGE", 2)
    first = show(desk, f"{PATH}/customers")
    found = re.search(r'rel="next" href="([^"]*)"', first)
    assert found is not None

    rest = desk.client.get(f"{unescape(found[1])}&lang=en").text

    names = [re.findall(r'<a href="/console/customers/(\d+)">', page) for page in (first, rest)]
    assert len(names[0]) == 2
    assert not set(names[0]) & set(names[1])


def test_the_calendar_shows_who_was_never_rated_and_is_a_file(desk: Desk) -> None:
    page = show(desk, f"{PATH}/reviews")
    answer = desk.client.get(f"{PATH}/reviews.csv")

    assert "Never rated" in page
    assert "not rated" in page
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert ("Never rated", "unrated") in {(one["name"], one["state"]) for one in lines}
    later = show(desk, f"{PATH}/reviews", until="2028-01-01")
    assert "&#39;=1+1" not in later
    assert "=1+1" in later


def test_an_analyst_sees_grades_without_peers_and_sales_none(desk: Desk) -> None:
    desk.sign_in(Role.ANALYST)
    page = show(desk)
    desk.sign_in(Role.SALES)
    refused = desk.client.get(PATH)
    desk.sign_in(Role.OPERATOR)

    assert "your role does not see what peers have said" in page
    assert refused.status_code == 403


def test_a_run_is_begun_on_the_page_by_who_may(idle: Desk) -> None:
    desk = idle
    today = desk.node.local.business_date()
    with desk.client:  # one event loop for the run and whoever waits for it
        desk.sign_in(Role.ANALYST)
        assert "/console/ratings/runs" not in show(desk)
        refused = desk.send(f"{PATH}/runs", {"as_of": today.isoformat()})
        desk.sign_in(Role.CREDIT_MANAGER, name="Wang Fang")
        later = desk.send(f"{PATH}/runs", {"as_of": (today + timedelta(days=1)).isoformat()})
        begun = desk.send(f"{PATH}/runs", {"as_of": ""})
        job = desk.node.local.run_desk.find()
        assert job is not None
        while job.is_running:
            assert "of 1 customers are done" in show(desk) or not job.is_running
        page = show(desk)
        desk.sign_in(Role.OPERATOR)

    assert (refused.status_code, later.status_code, begun.status_code) == (403, 422, 303)
    assert "No portfolio is rated as of this day" in later.text
    (run, *_) = desk.node.local.runs.list_runs()
    assert (run.state.value, run.run.started_by, run.run.rated) == ("finished", "Wang Fang", 1)
    assert "Wang Fang" in page


def test_a_run_is_begun_over_the_api_and_asked_after(idle: Desk) -> None:
    desk = idle
    token = desk.node.local.people.create_token(
        role=Role.CREDIT_MANAGER, name="Wang Fang", life_s=3_600
    ).token
    head = {"authorization": f"Bearer {token}"}
    path = "/api/v1/rating-runs"
    with TestClient(build_app(desk.node)) as api:
        other = api.post(path, json={"by": "Li Wei"}, headers=head)
        begun = api.post(path, json={"by": "Wang Fang"}, headers=head)
        run = begun.json()["run"]
        while (shown := api.get(f"{path}/{run}", headers=head).json())["state"] == "running":
            assert shown["progress"]["done"] <= shown["progress"]["total"]

    assert (other.status_code, other.json()["code"]) == (403, "entered-by-another")
    assert begun.status_code == 202
    assert (shown["state"], shown["started_by"]) == ("finished", "Wang Fang")
    assert "progress" not in shown


def test_a_run_that_the_store_holds_for_finished_shows_no_progress_though_its_thread_ends(
    idle: Desk,
) -> None:
    token = idle.node.local.people.create_token(
        role=Role.CREDIT_MANAGER, name="Wang Fang", life_s=3_600
    ).token
    head = {"authorization": f"Bearer {token}"}
    path = "/api/v1/rating-runs"
    with TestClient(build_app(idle.node)) as api:
        run = api.post(path, json={"by": "Wang Fang"}, headers=head).json()["run"]
        while api.get(f"{path}/{run}", headers=head).json()["state"] == "running":
            pass
        job = idle.node.local.run_desk.find()
        assert job is not None
        ended, job.task = job.task, cast("Any", SimpleNamespace(done=lambda: False))
        shown = api.get(f"{path}/{run}", headers=head).json()
        job.task = ended

    assert shown["state"] == "finished"
    assert "progress" not in shown


def test_the_pages_speak_chinese(desk: Desk) -> None:
    assert "迁移矩阵" in show(desk, lang="zh")
    assert "复评日历" in show(desk, f"{PATH}/reviews", lang="zh")
    desk.client.get(PATH, params={"lang": "en"})
