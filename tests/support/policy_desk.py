"""A node with customers whose policies change: short ways to draft, approve and activate."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from node.bootstrap.member import Node
from node.core.policies.entering import Entry
from node.core.policies.records import PolicyRecord
from node.core.policies.rules_states import (
    Actor,
)
from node.core.policies.service import PolicyService, write_document
from tests.support.console_node import build_empty_node

TODAY = date(2026, 6, 30)
LI = Actor(who="token-1", name="Li")
WANG = Actor(who="token-2", name="Wang")
HEADER = (
    "customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
    "currency,amount,paid_on,paid_amount,disputed\n"
)
Change = Callable[[dict[str, Any]], None]


def by(actor: Actor, reason: str = "board of June") -> Entry:
    return Entry(actor=actor, reason=reason)


def write_invoices(path: Path) -> None:
    """Six customers: each a further ten days late; the last one never pays."""
    lines = [HEADER]
    for customer in range(6):
        for number in range(6):
            due = date(2025, 7 + number, 10)
            paid = "" if customer == 5 else str(date.fromordinal(due.toordinal() + 10 * customer))
            amount = ",100.00," if paid else ",,"
            lines.append(
                f"sim,P{customer},示例{customer},CN,P{customer}-{number},1,{due.replace(day=1)},"
                f"{due},CNY,100.00,{paid}{amount}\n"
            )
    path.write_text("".join(lines), encoding="utf-8")


def change(policies: PolicyService, record: PolicyRecord, edit: Change) -> PolicyRecord:
    document: dict[str, Any] = json.loads(policies.get_content(record.text.text_id))
    edit(document)
    return policies.save(
        record.version_id,
        write_document(document),
        seen_sha256_b64u=record.text.sha256_b64u,
        entry=by(LI),
    )


def draft_of(node: Node, kind: str, edit: Change) -> PolicyRecord:
    policies = node.local.policies
    copied = policies.copy(policies.get_active(kind).version_id, entry=by(LI))
    return change(policies, copied, edit)


def approve(policies: PolicyService, record: PolicyRecord) -> PolicyRecord:
    seen = record.text.sha256_b64u
    policies.propose(record.version_id, seen_sha256_b64u=seen, entry=by(LI))
    return policies.decide(
        record.version_id, is_approved=True, seen_sha256_b64u=seen, entry=by(WANG)
    )


def activate(node: Node, record: PolicyRecord) -> PolicyRecord:
    node.local.previews.preview(record.version_id, as_of=TODAY, actor=WANG)
    return node.local.policies.activate(record.version_id, entry=by(WANG), today=TODAY)


def favour_relation(document: dict[str, Any]) -> None:
    """Move ten points from the index to the length of the relation."""
    index, relation = document["factors"][0], document["factors"][7]
    assert (index["id"], relation["id"]) == ("index", "relation")
    before = index["points_max_deci"]
    index["points_max_deci"] -= 100
    for step in index["steps"]:
        step["points_deci"] = step["points_deci"] * index["points_max_deci"] // before
    relation["points_max_deci"] += 100
    relation["steps"][-1]["points_deci"] = relation["points_max_deci"]


def raise_cuts(document: dict[str, Any]) -> None:
    for step in document["grades"][:-1]:
        step["from_deci"] += 50


def preview(node: Node, record: PolicyRecord) -> dict[str, Any]:
    kept = node.local.previews.preview(record.version_id, as_of=TODAY, actor=LI)
    found: dict[str, Any] = json.loads(kept.summary_json)
    return found


def build_policy_node(folder: Path) -> Node:
    """Return a node with six rated customers."""
    built = build_empty_node(folder / "home")
    write_invoices(folder / "ledger.csv")
    report = built.local.records.import_file(folder / "ledger.csv", source="test")
    assert not report.rejects
    built.local.runs.run(as_of=TODAY, by="test")
    return built
