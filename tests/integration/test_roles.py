"""Role by operation: what each token reaches over the API, and what stands in the access log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import delete, insert, update
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.people.areas import CLASSES, REACHES, AccessClass, Area
from node.core.people.service import Role
from node.records.customers import ContactRole
from node.records.tables import customer, customer_identifier
from node.web.app import API_PREFIX, AUDIT_PREFIX, build_app
from node.web.authorisation import OPERATIONS
from tests.support.console_node import API_TOKEN, build_empty_node, receive_summary

NAME = "Li Wei"
PEOPLE = [role for role in Role if role is not Role.OPERATOR]
PLACES = {"kind": "contact", "consent": "A" * 43, "message": "A" * 43}


@dataclass(frozen=True, kw_only=True)
class Office:
    """A node with one customer, and a token for each role."""

    node: Node
    http: TestClient
    tokens: dict[Role, str]

    def call(self, role: Role, method: str, path: str, **body: object) -> tuple[int, str]:
        headers = {"authorization": f"Bearer {self.tokens[role]}"}
        sent = body or None if method == "POST" else None
        answer = self.http.request(method, f"{API_PREFIX}{path}", headers=headers, json=sent)
        is_problem = answer.headers.get("content-type", "").startswith("application/problem")
        return answer.status_code, answer.json()["code"] if is_problem else ""

    def read(self, role: Role, path: str) -> list[dict[str, object]]:
        headers = {"authorization": f"Bearer {self.tokens[role]}"}
        found = self.http.get(f"{API_PREFIX}{path}", headers=headers).json()
        return found if isinstance(found, list) else [found]

    def count_looks(self) -> int:
        return max((row.access_id for row in self.node.local.people.list_accesses()), default=0)

    def list_looks(self, *, after: int = 0) -> list[tuple[str, str, str, str]]:
        rows = reversed(self.node.local.people.list_accesses())
        return [
            (row.who, row.what, row.target, row.outcome) for row in rows if row.access_id > after
        ]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    node = build_empty_node(tmp_path_factory.mktemp("office") / "home")
    node.local.records.add_customer(scheme="sim", value="A1", name="Hongda")
    node.local.customers.add_contact(
        1, role=ContactRole.CREDIT, name="Wu", phone="1", email="", by="x"
    )
    tokens: dict[Role, str] = {
        role: node.local.people.create_token(role=role, name=NAME, life_s=3_600).token
        for role in PEOPLE
    }
    with TestClient(build_app(node)) as http:
        yield Office(node=node, http=http, tokens={Role.OPERATOR: API_TOKEN, **tokens})


def fill(path: str) -> str:
    for name in ("kind", "consent", "message"):
        path = path.replace(f"{{{name}}}", PLACES[name])
    return "/".join("999" if part.startswith("{") else part for part in path.split("/"))


@pytest.mark.parametrize("role", list(Role))
def test_each_role_reaches_what_its_row_names_and_nothing_else(office: Office, role: Role) -> None:
    reach = REACHES[role]
    for (method, path), area in OPERATIONS.items():
        is_reached = area in (reach.reads if method == "GET" else reach.enters)
        status, code = office.call(role, method, fill(path))

        assert (code == "out-of-reach") is not is_reached, (method, path, status, code)
        assert status != 401
        assert status != 500, (method, path)


def test_every_operation_of_the_api_has_its_area(office: Office) -> None:
    paths = office.http.get("/openapi.json").json()["paths"]
    found = {
        (method.upper(), path.removeprefix(API_PREFIX))
        for path, methods in paths.items()
        if path.startswith(API_PREFIX) and not path.startswith(AUDIT_PREFIX)
        for method in methods
    }

    assert found == set(OPERATIONS)


def test_each_class_below_the_top_is_not_for_everybody() -> None:
    restricted = {area for area, one in CLASSES.items() if one is AccessClass.RESTRICTED}

    assert set(CLASSES) == set(Area)
    assert set(REACHES) == set(Role)
    assert [role for role in PEOPLE if restricted <= REACHES[role].reads] == [Role.CREDIT_MANAGER]
    assert not REACHES[Role.AUDITOR].reads


def test_looks_at_the_upper_classes_and_others_entries_and_refusals_are_recorded(
    office: Office,
) -> None:
    before = office.count_looks()
    office.call(Role.SALES, "GET", "/customers/1/ageing")
    office.call(Role.SALES, "GET", "/customers/1/assessment")
    office.call(Role.ANALYST, "GET", "/customers/1/assessment")
    office.call(Role.OPERATOR, "GET", "/consents")
    name = {"kind": "trade", "name": "宏达"}
    office.call(Role.OPERATOR, "POST", "/customers/1/names", by="erp", **name)
    office.call(Role.STEWARD, "POST", "/customers/1/names", by=NAME, **name)

    numbers = {role: number for number, role in enumerate(PEOPLE, start=1)}
    assert office.list_looks(after=before) == [
        (f"token-{numbers[Role.SALES]}", "credit", "/customers/1/assessment", "out-of-reach"),
        (f"token-{numbers[Role.ANALYST]}", "credit", "/customers/1/assessment", "ok"),
        ("operator", "consents", "/consents", "ok"),
        (f"token-{numbers[Role.STEWARD]}", "enter-customers", "/customers/1/names", "ok"),
    ]


def test_what_peers_have_said_is_not_in_the_changes_of_an_assessment_without_them(
    office: Office,
) -> None:
    local = office.node.local
    customer_record = local.records.get_customer(1)
    receive_summary(office.node, customer_record)
    local.rating.rate_customer(1, as_of=local.business_date())

    (told,) = office.read(Role.CREDIT_MANAGER, "/customers/1/assessment")
    (left,) = office.read(Role.ANALYST, "/customers/1/assessment")

    assert told["own"] != told["with_peers"]
    assert left["own"] == left["with_peers"] == told["own"]
    changes = left["changes"]
    assert isinstance(changes, list)
    assert all(one["change_deci"] == 0 for one in changes)
    assert all(one["peers_value"] == one["own_value"] for one in changes)


def test_nobody_enters_in_anothers_name(office: Office) -> None:
    body = {"kind": "trade", "name": "H"}

    assert office.call(Role.STEWARD, "POST", "/customers/1/names", by="Zhao", **body) == (
        403,
        "entered-by-another",
    )
    assert office.call(Role.OPERATOR, "POST", "/customers/1/names", by="Zhao", **body)[0] == 201


def test_contacts_are_left_out_for_whom_persons_are_not(office: Office) -> None:
    (hidden,) = office.read(Role.SALES, "/customers/1")
    (shown,) = office.read(Role.COLLECTOR, "/customers/1")

    assert hidden["contacts"] == []
    assert "Wu" in str(shown["contacts"])
    assert office.list_looks()[-1][1:] == ("persons", "/api/v1/customers/1", "ok")


def test_a_list_hides_whom_a_further_number_shows_to_be_a_person(office: Office) -> None:
    row = {"customer_id": 1, "scheme": "uscc", "value": "92330106MA2CFLB30M"}
    with office.node.local.database.write() as uow:
        uow.connection.execute(
            insert(customer_identifier).values(**row, entered_by="li", entered_at_ms=1)
        )
    try:
        assert office.call(Role.SALES, "GET", "/customers/1") == (403, "out-of-reach")
        (hidden,) = office.read(Role.SALES, "/customers")
        assert (hidden["name"], hidden["is_hidden"]) == ("", True)
    finally:
        with office.node.local.database.write() as uow:
            uow.connection.execute(delete(customer_identifier))


def test_a_natural_person_is_shown_to_whom_persons_are(office: Office) -> None:
    with office.node.local.database.write() as uow:
        uow.connection.execute(update(customer).values(kind="person"))
    try:
        assert office.call(Role.SALES, "GET", "/customers/1/ageing") == (403, "out-of-reach")
        assert office.call(Role.COLLECTOR, "GET", "/customers/1/ageing")[0] == 200
        for key in ("+1", "1.0", "%201", "0" * 30 + "1"):
            assert office.call(Role.SALES, "GET", f"/customers/{key}/ageing")[0] == 422
        (hidden,) = office.read(Role.SALES, "/customers")
        assert (hidden["name"], hidden["subject"], hidden["is_hidden"]) == ("", "", True)
        (shown,) = office.read(Role.COLLECTOR, "/customers")
        assert (shown["name"], shown["is_hidden"]) == ("Hongda", False)
    finally:
        with office.node.local.database.write() as uow:
            uow.connection.execute(update(customer).values(kind="company"))
