"""A natural person who is named beside the path is as out of reach as one in the path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from node.core.people.service import Role
from node.web.app import API_PREFIX, build_app
from tests.support.console_node import build_empty_node

NAME = "Li Wei"
HELD = {
    "currency": "EUR", "begins_on": "2026-01-01", "amount_minor": 100,
    "document_sha256_hex": "ab" * 32, "form": "deposit", "guarantor": "B", "by": NAME,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Office:
    """A node with a company and a sole trader, and a token for each role."""

    http: TestClient
    company: int
    person: int
    tokens: dict[Role, str]

    def call(self, role: Role, method: str, path: str, **body: object) -> tuple[int, str]:
        headers = {"authorization": f"Bearer {self.tokens[role]}"}
        sent = body or None
        answer = self.http.request(method, f"{API_PREFIX}{path}", headers=headers, json=sent)
        return answer.status_code, answer.json().get("code", "") if answer.content else ""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    local = (node := build_empty_node(tmp_path / "home")).local
    company = local.records.add_customer(scheme="sim", value="A1", name="Hongda").customer_id
    trader = local.records.add_customer(scheme="uscc", value="92330106MA2CFLB30M", name="Wu")
    tokens = {
        role: local.people.create_token(role=role, name=NAME, life_s=3_600).token
        for role in (Role.ANALYST, Role.CREDIT_MANAGER, Role.SALES)
    }
    with TestClient(build_app(node)) as http:
        yield Office(http=http, company=company, person=trader.customer_id, tokens=tokens)


def test_nothing_is_moved_to_a_person_by_whom_persons_are_not_for(office: Office) -> None:
    path = f"/customers/{office.company}/guarantees"
    assert office.call(Role.ANALYST, "POST", path, **HELD, number="G1") == (201, "")
    path, moved = "/guarantees/1/corrections", {**HELD, "reason": "x", "customer": office.person}

    assert office.call(Role.ANALYST, "POST", path, **moved) == (403, "out-of-reach")
    assert office.call(Role.CREDIT_MANAGER, "POST", path, **moved) == (204, "")


def test_a_persons_turnover_is_not_for_whom_persons_are_not(office: Office) -> None:
    query = f"/turnover?currency=EUR&customer={office.person}"

    assert office.call(Role.SALES, "GET", query) == (403, "out-of-reach")
    assert office.call(Role.CREDIT_MANAGER, "GET", query) == (200, "")
    for number in (f"+{office.person}", f"{office.person}.0", f"%20{office.person}"):
        query = f"/turnover?currency=EUR&customer={office.company}&customer={number}"
        assert office.call(Role.SALES, "GET", query)[0] in {403, 422}, number
    both = f"customer={office.person}&customer={office.company}"
    assert office.call(Role.SALES, "GET", f"/turnover?currency=EUR&{both}")[0] == 403
