"""A node with a small portfolio of known exposures and grades."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from httpx2 import Response
from sqlalchemy import func, select
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.database import metadata
from node.core.people.service import Role
from node.decision.policy import read_preset_decision_policy
from node.decision.rules_proposal import Outcome
from node.rating.store import NewRating, RatingStore
from node.records.ledger import NewDebit, Term
from node.records.rules_ledger import ItemKind
from node.web.app import API_PREFIX
from tests.support.console_node import build_empty_node
from tests.support.risk import enter_limit


def owe(node: Node, key: int, number: str, minor: int, *, days: int, currency: str = "CNY") -> None:
    """Enter an invoice that is so many days past due, or falls due where they are negative."""
    today = node.local.business_date()
    node.local.ledger.enter_debit(
        NewDebit(
            customer_id=key,
            kind=ItemKind.INVOICE,
            document_no=number,
            happened_on=today - timedelta(days=max(days, 0) + 1),
            currency=currency,
            terms=(Term(due_on=today - timedelta(days=days), amount_minor=minor),),
        ),
        by="zhang",
    )


def rate(node: Node, key: int, grade: str) -> None:
    """Rate a customer, and give it this grade, whatever the score."""
    rated = node.local.rating.rate_customer(key, as_of=node.local.business_date()).rating
    values = {one.name: getattr(rated, one.name) for one in fields(NewRating)}
    until = node.local.business_date() + timedelta(days=365)
    new = replace(NewRating(**values), grade_with_peers=grade, grade_own=grade, valid_until=until)
    with node.local.database.write() as uow:
        RatingStore(uow.connection).append(new)


def add(node: Node, value: str, grade: str | None, *, country: str = "CN") -> int:
    """Add a customer of a grade."""
    key = node.local.records.add_customer(
        scheme="sim", value=value, name=value, country=country
    ).customer_id
    if grade is not None:
        rate(node, key, grade)
    return key


def allow(node: Node, key: int) -> None:
    """Let a decision of today hold that allows more than anybody owes here."""
    with node.local.database.write() as uow:
        enter_limit(
            uow.connection,
            key,
            policy=read_preset_decision_policy(),
            limit_minor=100_000_000_00,
            currency="CNY",
            on=node.local.business_date(),
            valid_until=node.local.business_date() + timedelta(days=365),
            outcome=Outcome.CREDIT,
            at_ms=node.local.clock.now_ms(),
        )


def build_portfolio(folder: Path) -> Node:
    """Build a node: C1 A 5 m, C2 AAA 2 m overdue 20 days, C3 BBB 2 m of C1's group, C4 1 m NR."""
    node = build_empty_node(folder)
    first, second = add(node, "C1", "A"), add(node, "C2", "AAA")
    third, fourth = add(node, "C3", "BBB", country="DE"), add(node, "C4", None)
    owe(node, first, "A1", 5_000_000_00, days=-10)
    owe(node, second, "B1", 2_000_000_00, days=20)
    owe(node, third, "D1", 2_000_000_00, days=-10)
    owe(node, fourth, "E1", 1_000_000_00, days=-10)
    node.local.customers.set_parent(third, parent_id=first, by="zhang")
    node.local.losses.portfolio.set_industry(first, "C26", by="zhang")
    owe(node, add(node, "C5", "A"), "F1", 70_000, days=-10, currency="EUR")
    for key in (first, second, third, fourth):
        allow(node, key)
    return node


def send(
    node: Node,
    http: TestClient,
    role: Role,
    method: str,
    path: str,
    **body: Any,  # noqa: ANN401
) -> Response:
    token = node.local.people.create_token(role=role, name=role.value, life_s=3_600).token
    headers = {"authorization": f"Bearer {token}"}
    return http.request(method, f"{API_PREFIX}{path}", headers=headers, json=body or None)


def count_rows(node: Node) -> dict[str, int]:
    with node.local.database.read() as uow:
        return {
            name: uow.connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }
