"""Role by page: what each role opens on the console, is shown there, and what is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import update
from starlette.routing import Route

from node.core.people.areas import REACHES, Area
from node.core.people.service import Role
from node.records.customers import ContactRole
from node.records.tables import customer
from node.web.account_console import OWN_PAGES
from node.web.auditor_console import AUDIT_PATH
from node.web.console import build_console_routes
from node.web.page_access import PAGES
from node.web.subject_desk import SUBJECT_PATH
from tests.support.console_node import PEERS, receive_summary
from tests.support.console_people import ORIGIN, Desk, close_desk, open_desk

OPEN = {
    "/console",
    "/console/login",
    "/console/login/code",
    "/console/logout",
    "/console/invitation",
    "/console/static/{name}",
}
# Auditors' pages look at scopes, subjects' at sessions of their own.
OTHER_ROOMS = (AUDIT_PATH, SUBJECT_PATH)
WORKERS = [role for role in Role if role is not Role.AUDITOR]
# What a role opens, written out: the table of areas is not to change unnoticed.
_BOOKS = {
    "/console/",
    "/console/ageing",
    "ledger",
    "item",
    "/console/orders",
    "/console/collection",
    "/console/dunning",
    "/console/dunning-runs",
    "/console/promises",
}
_CREDIT = {
    "customer",
    "/console/decisions",
    "/console/ratings",
    "/console/ratings/reviews",
    "/console/renewals",
    "limits",
    "/console/limits",
    "/console/provisions",
    "/console/risk",
    "/console/risk/register",
    "/console/risk/concentration",
    "/console/risk/stress",
}
_PEERS = {"/console/shared", "/console/customers/1/ask"}
_OPERATION = {"/console/operation", "/console/operation/jobs", "/console/operation/keys"}
READS = {
    Role.OPERATOR: _BOOKS | _CREDIT | _PEERS | _OPERATION | {"/console/steward"},
    Role.CREDIT_MANAGER: _BOOKS | _CREDIT | _PEERS | _OPERATION | {"/console/steward"},
    Role.ANALYST: _BOOKS | _CREDIT,
    Role.CFO: _BOOKS | _CREDIT | _PEERS,
    Role.COLLECTOR: _BOOKS,
    Role.STEWARD: _BOOKS | {"/console/steward"},
    Role.SALES: _BOOKS,
}
_LEDGER_FORMS = {"invoice", "payment", "credit-note", "promise", "default", "dispute"}
_ADJUSTING_FORMS = {"write-off", "correction", "cancellation"}
ENTERS = {
    Role.OPERATOR: _LEDGER_FORMS | _ADJUSTING_FORMS | {"/console/import"},
    Role.CREDIT_MANAGER: _LEDGER_FORMS | _ADJUSTING_FORMS | {"/console/import"},
    Role.ANALYST: set(),
    Role.CFO: set(),
    Role.COLLECTOR: _LEDGER_FORMS | {"/console/import"},
    Role.STEWARD: _ADJUSTING_FORMS,
    Role.SALES: set(),
}


# Every area by every role: r reads, e reads and enters. Each page and operation is of one area.
MATRIX = """
               operator credit-manager analyst cfo collector steward sales auditor
customers      e        e              r       r   r         e       r     -
ledger         e        e              r       r   e         r       r     -
adjustments    e        e              r       r   r         e       r     -
running        e        r              -       -   -         -       -     -
orders         e        e              e       r   r         r       e     -
credit         e        e              e       e   -         -       -     -
policies       e        e              e       -   -         -       -     -
approvals      e        e              -       -   -         -       -     -
persons        e        e              -       r   r         e       -     -
cases          e        e              -       r   e         e       -     -
training       e        e              e       e   e         e       e     -
governance     e        e              -       e   -         -       -     -
accounts       e        -              -       -   -         -       -     -
consents       e        e              -       -   -         -       -     -
peers          e        e              -       r   -         -       -     -
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = open_desk(tmp_path_factory.mktemp("roles") / "home")
    desk.invoice("R1", (date(2026, 6, 1), 1_000))
    local = desk.node.local
    local.customers.add_contact(
        desk.customer_id, role=ContactRole.CREDIT, name="Wu", phone="1", email="", by="x"
    )
    receive_summary(desk.node, local.records.get_customer(desk.customer_id))
    local.rating.rate_customer(desk.customer_id, as_of=local.business_date())
    yield desk
    close_desk(desk)


def _address(page: str) -> str:
    of_items = {"dispute", "correction", "cancellation"}
    if page.startswith("/"):
        return page
    if page in {"ledger", "customer", "limits"}:
        return "/console/customers/1" + ("" if page == "customer" else f"/{page}")
    if page == "item":
        return "/console/items/1"
    kind = "items" if page in of_items else "customers"
    return f"/console/{kind}/1/enter/{page}"


def _fill(path: str) -> str:
    return "/".join("999" if part.startswith("{") else part for part in path.split("/"))


@pytest.mark.parametrize("role", WORKERS)
def test_each_role_opens_the_pages_of_its_row_and_no_other(desk: Desk, role: Role) -> None:
    desk.sign_in(role)

    for page in READS[Role.OPERATOR] | ENTERS[Role.OPERATOR]:
        answer = desk.client.get(_address(page))
        is_opened = page in READS[role] | ENTERS[role]
        assert answer.status_code == (200 if is_opened else 403), page
        assert ('<form class="card entry"' in answer.text) is (
            is_opened and page in ENTERS[role] - {"/console/import"}
        ), page


def test_the_matrix_of_roles_and_areas_is_as_it_is_written_here() -> None:
    head, *lines = (line.split() for line in MATRIX.strip().splitlines())
    written = {
        (area, role): cell for area, *cells in lines for role, cell in zip(head, cells, strict=True)
    }

    assert written == {
        (area.value, role.value): "e"
        if area in REACHES[role].enters
        else "r"
        if area in REACHES[role].reads
        else "-"
        for area in Area
        for role in Role
    }


@pytest.mark.parametrize("role", WORKERS)
def test_every_page_of_the_table_asks_for_its_area(desk: Desk, role: Role) -> None:
    desk.sign_in(role)

    for (method, path), page in PAGES.items():
        reach = REACHES[role].enters if page.is_entry else REACHES[role].reads
        answer = desk.client.request(method, _fill(path), headers=ORIGIN)
        assert (answer.status_code == 403) is (page.area not in reach), (method, path)
        assert answer.status_code != 500, (method, path)


def test_every_route_of_the_console_stands_in_the_table_of_pages(desk: Desk) -> None:
    routes = [one for one in build_console_routes(desk.node) if isinstance(one, Route)]
    found = {
        (method, route.path)
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
        if route.path not in OPEN and not route.path.startswith(OTHER_ROOMS)
    }

    assert found == set(PAGES) | set(OWN_PAGES)


@pytest.mark.parametrize("role", WORKERS)
def test_a_page_links_only_to_what_the_role_opens(desk: Desk, role: Role) -> None:
    desk.sign_in(role)
    for page in READS[role]:
        text = desk.client.get(_address(page)).text
        for other in READS[Role.OPERATOR] | ENTERS[Role.OPERATOR]:
            if other not in READS[role] | ENTERS[role]:
                assert f'href="{_address(other)}"' not in text, (page, other)
                assert f'href="{_address(other)}?' not in text, (page, other)


def test_a_refusal_and_each_page_and_entry_of_a_person_are_recorded(desk: Desk) -> None:
    people = desk.node.local.people
    desk.sign_in(Role.SALES, "Sun")
    before = people.list_accesses()[0].access_id
    desk.client.get("/console/ageing")
    desk.client.get("/console/customers/1")
    desk.sign_in(Role.STEWARD, "Qian")
    desk.client.post("/console/customers/1/enter/write-off", headers=ORIGIN)

    rows = [row for row in reversed(people.list_accesses()) if row.access_id > before]
    assert [(row.name, row.what, row.outcome) for row in rows if row.what != "sign-in"] == [
        ("Sun", "page", "ok"),
        ("Sun", "credit", "out-of-reach"),
        ("Qian", "enter-adjustments", "ok"),
    ]


def test_ratings_and_contacts_are_left_out_for_whom_they_are_not(desk: Desk) -> None:
    desk.sign_in(Role.SALES)
    assert "With peers" not in desk.client.get("/console/", params={"lang": "en"}).text
    desk.sign_in(Role.ANALYST)
    page = desk.client.get("/console/customers/1", params={"lang": "en"}).text
    assert "Wu" not in page
    assert PEERS[0] not in page
    grade = re.search(r'class="rating main">.*?class="grade"[^>]*>([^<]+)<', page, re.DOTALL)
    rating = desk.node.local.rating.find_latest(desk.customer_id)
    assert rating is not None
    assert rating.grade_own != rating.grade_with_peers
    assert grade is not None
    assert grade[1] == rating.grade_own
    desk.sign_in(Role.CREDIT_MANAGER)
    page = desk.client.get("/console/customers/1").text
    assert "Wu" in page
    assert PEERS[0] in page


def test_a_natural_person_is_shown_to_whom_persons_are(desk: Desk) -> None:
    with desk.node.local.database.write() as uow:
        uow.connection.execute(update(customer).values(kind="person"))
    try:
        desk.sign_in(Role.SALES)
        for path in ("/console/", "/console/ageing", "/console/ageing.csv"):
            assert "Hongda" not in desk.client.get(path).text, path
        for path in ("/console/customers/1/ledger", "/console/items/1"):
            assert desk.client.get(path).status_code == 403
        desk.sign_in(Role.COLLECTOR)
        for path in ("/console/", "/console/ageing", "/console/customers/1/ledger"):
            assert "Hongda" in desk.client.get(path).text, path
        looks = desk.node.local.people.list_accesses()
        assert Area.PERSONS in {row.what for row in looks}
    finally:
        with desk.node.local.database.write() as uow:
            uow.connection.execute(update(customer).values(kind="company"))


def test_an_auditor_is_led_to_the_auditors_pages(desk: Desk) -> None:
    desk.sign_in(Role.AUDITOR)

    for path in ("/console/", "/console/ageing", "/console/customers/1/enter/invoice"):
        assert desk.client.get(path).headers["location"] == "/console/audit/"
