"""A request that is sent again under its key: one effect, the same answer; another is refused."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from httpx2 import Response
from sqlalchemy import func, insert, select
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.database import metadata
from node.core.field_tables import sealed_owner
from node.core.http.keyed import PARAMETER
from node.core.people.service import Role
from node.core.repeats.errors import AnswerLostError, KeyReusedError
from node.core.repeats.service import KEPT_MS, KeyedRequest, RepeatService
from node.records.ledger import NewDebit, Term
from node.records.rules_ledger import ItemKind
from node.web.app import API_PREFIX, build_app
from node.web.governance import build_governance_routers
from node.web.risk import build_risk_routers
from tests.support.console_node import build_empty_node
from tests.support.ledgers import House

REASON, OTHER = {"reason": "agreed"}, {"reason": "not agreed"}
SIGNAL = {"signal": "no-answer", "happened_on": "2026-06-29", "note": "rang thrice"}
LIMIT = {
    "kind": "temporary", "currency": "CNY", "amount_minor": 9_00, "first_on": "2026-06-30",
    "last_on": "2026-07-30", **REASON,
}  # fmt: skip
CASE = {
    "kind": "service", "complainant": "the buyer", "text": "late answers", "channel": "letter",
    "received_on": "2026-06-29", "customer": 1,
}  # fmt: skip
RISK = {
    "type": "legal", "title": "Fire", "owner": "wu", "review_on": "2026-09-30",
    "currency": "CNY", "exposure_minor": 9_00, "likelihood_ppm": 5, "lgd_ppm": 5,
}  # fmt: skip
PROCEDURE = {"name": "orders", "title": "Orders", "text": "Read.", "roles": ["analyst"]}
UNSIGNED = {"version", "notches"}  # bodies that name nobody: a confirmation, and a look
ANALYST, SALES, MANAGER = Role.ANALYST, Role.SALES, Role.CREDIT_MANAGER
COLLECTOR = Role.COLLECTOR
# A route, who asks, what, and what another request says, or where it goes; in this order each acts.
STEPS: list[tuple[str, Role, dict[str, Any], dict[str, Any] | str]] = [
    ("/orders/1/takings", ANALYST, {"amount_minor": 5_00, "item": 1}, {"amount_minor": 4_00}),
    ("/orders/1/release-requests", SALES, REASON, OTHER),
    ("/orders/1/end", ANALYST, {"event": "closed", **REASON}, OTHER),
    ("/customers/1/limits", ANALYST, LIMIT, OTHER),
    ("/limits/1/end", ANALYST, REASON, OTHER),
    ("/customers/1/stops", ANALYST, REASON, OTHER),
    ("/stops/1/end", MANAGER, REASON, OTHER),
    ("/provision-runs", ANALYST, {}, {"as_of": "2026-06-29"}),
    ("/provisions-apart", ANALYST, {"customer": 1, "rate_ppm": 5, **REASON}, OTHER),
    ("/provisions-apart/1/end", ANALYST, REASON, OTHER),
    ("/customers/1/risk-signals", ANALYST, SIGNAL, {"note": "rang once"}),
    ("/risk-signals/1/end", ANALYST, REASON, OTHER),
    ("/risk-alerts/1/closing", ANALYST, {"outcome": "acted", **REASON}, OTHER),
    ("/watch-list/1/reviews", ANALYST, REASON, OTHER),
    (
        "/customers/1/risk-actions", ANALYST, {"kind": "call", "owner": "wu", "note": "a date"},
        {"owner": "sun"},
    ),
    ("/risk-actions/1/owner", ANALYST, {"owner": "qian", **REASON}, OTHER),
    (
        "/risk-actions/1/outcome", ANALYST, {"state": "done", "outcome": "pays in July"},
        {"outcome": "does not"},
    ),
    ("/dunning-runs", COLLECTOR, {}, {"as_of": "2026-06-30"}),
    ("/dunning-letters/1/release", COLLECTOR, {}, "/dunning-letters/2/release"),
    ("/dunning-letters/1/answer", COLLECTOR, REASON, OTHER),
    ("/dunning-letters/2/withdrawal", COLLECTOR, REASON, OTHER),
    (
        "/dunning-holds", COLLECTOR, {"customer": 1, "until_on": "2026-07-30", **REASON}, OTHER,
    ),
    ("/dunning-holds/1/end", COLLECTOR, REASON, OTHER),
    ("/customers/1/industry", ANALYST, {"code": "C10"}, {"code": "C11"}),
    ("/stress-tests", ANALYST, {"notches": 1}, {"notches": 2}),
    ("/risk-register", ANALYST, RISK, {"title": "Flood"}),
    ("/risk-register/1/changes", ANALYST, {"state": "accepted", **REASON}, OTHER),
    ("/risk-register-runs", ANALYST, {}, "/risk-register-runs?once=more"),
    ("/cases", MANAGER, CASE, {"text": "no answers"}),
    ("/procedures", MANAGER, PROCEDURE, {"text": "Do not read."}),
    ("/procedures/orders/confirmations", ANALYST, {"version": 1}, {"version": 2}),
    ("/reviews", MANAGER, {"subject": "limits", "due_on": "2026-07-30"}, {"subject": "cases"}),
    (
        "/review-actions", MANAGER, {"text": "tidy up", "owner": "wu", "due_on": "2026-07-30"},
        {"owner": "sun"},
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = build_empty_node(tmp_path_factory.mktemp("again") / "home")
    known = node.local.records.add_customer(scheme="sim", value="C1", name="示例", country="CN")
    node.local.ledger.enter_debit(
        NewDebit(
            customer_id=known.customer_id,
            kind=ItemKind.INVOICE,
            document_no="A1",
            happened_on=node.local.business_date(),
            currency="CNY",
            terms=(Term(due_on=date(2026, 9, 1), amount_minor=100_000),),
        ),
        by="zhang",
    )
    node.local.monitoring.runs.run(by="test")
    for number in ("C2", "C3"):  # who is reminded
        late = node.local.records.add_customer(scheme="sim", value=number, name=number)
        node.local.ledger.enter_debit(
            NewDebit(
                customer_id=late.customer_id,
                kind=ItemKind.INVOICE,
                document_no=number,
                happened_on=date(2026, 3, 1),
                currency="CNY",
                terms=(Term(due_on=date(2026, 4, 1), amount_minor=100_000),),
            ),
            by="zhang",
        )
    yield node
    node.local.close()


@pytest.fixture(scope="module")
def http(node: Node) -> Iterator[TestClient]:
    with TestClient(build_app(node)) as http:
        yield http


@pytest.fixture(scope="module")
def tokens(node: Node) -> dict[Role, str]:
    return {
        role: node.local.people.create_token(role=role, name=role.value, life_s=3_600).token
        for role in (ANALYST, SALES, MANAGER, COLLECTOR)
    }


def count_rows(node: Node) -> dict[str, int]:
    """Count what there is, but for the log of who has looked and asked."""
    with node.local.database.read() as uow:
        return {
            table.name: uow.connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
            if table.name != "access_log"
        }


def test_each_post_of_the_two_rooms_takes_a_key(node: Node) -> None:
    routers = [*build_risk_routers(node), *build_governance_routers(node)]
    posts = [
        one
        for router in routers
        for one in router.routes
        if isinstance(one, APIRoute) and "POST" in (one.methods or ()) and "/polic" not in one.path
    ]
    without = [
        one.path for one in posts if PARAMETER not in inspect.signature(one.endpoint).parameters
    ]

    assert len(posts) > len(STEPS)
    assert without == []


def test_the_same_request_again_has_one_effect_and_the_same_answer(
    node: Node, http: TestClient, tokens: dict[Role, str]
) -> None:
    def send(path: str, role: Role, key: str, body: dict[str, Any]) -> Response:
        headers = {"authorization": f"Bearer {tokens[role]}", "idempotency-key": key}
        said = body if UNSIGNED & set(body) else {"by": role.value} | body
        return http.post(f"{API_PREFIX}{path}", headers=headers, json=said)

    order = {
        "point": "order", "customer": 1, "number": "S1", "currency": "CNY", "amount_minor": 9_00,
    }  # fmt: skip
    send("/orders/check", ANALYST, "order", order)
    for number, (path, role, body, other) in enumerate(STEPS):
        first = send(path, role, f"key {number}", body)
        after = count_rows(node)
        again = send(path, role, f"key {number}", body)
        to, said = (other, body) if isinstance(other, str) else (path, body | other)
        refused = send(to, role, f"key {number}", said)

        assert first.is_success, (path, first.text)
        assert (again.status_code, again.json()) == (first.status_code, first.json()), path
        assert (refused.status_code, refused.json()["code"]) == (409, KeyReusedError.code), path
        assert count_rows(node) == after, path


def test_a_key_is_of_one_person_and_who_may_not_ask_hears_nothing_by_it(
    node: Node, http: TestClient, tokens: dict[Role, str]
) -> None:
    other = node.local.people.create_token(role=MANAGER, name="other", life_s=3_600).token

    def send(token: str, name: str) -> int:
        headers = {"authorization": f"Bearer {token}", "idempotency-key": "his"}
        said = CASE | {"by": name}
        return http.post(f"{API_PREFIX}/cases", headers=headers, json=said).status_code

    his = [send(tokens[MANAGER], MANAGER.value) for _ in range(2)]
    assert [*his, send(tokens[SALES], SALES.value), send(other, "other")] == [201, 201, 403, 409]


class Repeats:
    """A service over a store of its own, with one request."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.service = RepeatService(database=self.house.database, clock=self.house.clock)
        self.request = KeyedRequest(route="POST /x", key="k", sha256_b64u="x")

    def act(self, *, fails: bool = False) -> None:
        """Add a customer in a transaction, and then fail it or not."""
        with self.service.hold(self.request), self.house.database.write() as uow:
            uow.connection.execute(insert(sealed_owner).values(owner_id=self.count() + 1))
            if fails:
                raise LookupError

    def count(self) -> int:
        with self.house.database.read() as uow:
            query = select(func.count()).select_from(sealed_owner)
            return int(uow.connection.execute(query).scalar_one())


@pytest.fixture
def repeats(tmp_path: Path) -> Iterator[Repeats]:
    repeats = Repeats(tmp_path)
    yield repeats
    repeats.house.database.dispose()


def test_killed_before_its_answer_is_kept_it_is_not_done_again(repeats: Repeats) -> None:
    repeats.act()

    with pytest.raises(AnswerLostError):
        repeats.service.find(repeats.request)
    with pytest.raises(AnswerLostError):
        repeats.act()
    assert repeats.count() == 1


def test_what_failed_leaves_its_key_free(repeats: Repeats) -> None:
    with pytest.raises(LookupError):
        repeats.act(fails=True)
    assert repeats.service.find(repeats.request) is None
    repeats.act()
    repeats.service.keep(repeats.request, "{}")

    assert repeats.service.find(repeats.request) == "{}"
    assert repeats.count() == 1


def test_a_key_is_forgotten_after_its_days(repeats: Repeats) -> None:
    repeats.act()
    repeats.service.keep(repeats.request, "{}")
    repeats.house.clock.advance_s(KEPT_MS // 1_000 + 1)
    repeats.request = replace(repeats.request, key="another")
    repeats.act()

    assert repeats.service.find(replace(repeats.request, key="k")) is None
