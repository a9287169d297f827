"""The report on duties over a real store: holders, tiers, deputies, conflicting acts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import update

from node.bootstrap.member import Node
from node.core.people.service import Role
from node.decision.tables import decision_approval
from node.governance.duties.rules_duties import Conflict
from node.governance.duties.service import DutiesReport, DutiesService
from node.records.ledger import NewDebit, Term
from node.records.rules_default import DecisionOutcome, EvidenceClass
from node.records.rules_ledger import DisputeCause, DisputeOutcome, ItemKind
from tests.support.console_node import build_empty_node
from tests.support.decisions import Chamber, build_chamber
from tests.support.policies import let_change

DAY = date(2026, 2, 10)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = build_empty_node(tmp_path / "home")
    node.local.records.add_customer(scheme="sim", value="A1", name="Hongda", country="CN")
    yield node
    node.local.close()


@pytest.fixture
def chamber(tmp_path: Path) -> Iterator[Chamber]:
    chamber = build_chamber(tmp_path)
    yield chamber
    chamber.room.database.dispose()


def list_acts(report: DutiesReport, conflict: Conflict) -> tuple[int, list[tuple[str, str]]]:
    (found,) = [one for one in report.acts if one.conflict is conflict]
    return found.looked_at, [(one.where, one.second_by) for one in found.found]


def test_a_dispute_that_whoever_issued_the_invoice_has_decided_is_listed(node: Node) -> None:
    ledger = node.local.ledger
    (item,) = ledger.enter_debit(
        NewDebit(
            customer_id=1,
            kind=ItemKind.INVOICE,
            document_no="R1",
            happened_on=DAY,
            currency="CNY",
            terms=(Term(due_on=date(2026, 3, 10), amount_minor=1_000),),
        ),
        by="Zhang San",
    )
    for by in ("zhangsan", "wang"):
        key = ledger.open_dispute(
            item, amount_minor=400, cause=DisputeCause.PRICE, on=DAY, by="sun"
        )
        ledger.close_dispute(key, outcome=DisputeOutcome.REJECTED, reason="no", on=DAY, by=by)

    report = node.local.governance.duties.report()

    assert list_acts(report, Conflict.ISSUE_DISPUTE) == (2, [("dispute 1", "zhangsan")])


def test_defaults_are_looked_at_and_shipped_policies_are_not(node: Node) -> None:
    defaults = node.local.defaults
    defaults.propose(
        1, evidence_class=EvidenceClass.COURT, on=DAY, document_sha256_hex="ab" * 32, by="li"
    )
    defaults.decide(1, outcome=DecisionOutcome.CONFIRMED, reason="seen", by="wang")

    report = node.local.governance.duties.report()

    assert list_acts(report, Conflict.PROPOSE_CONFIRM) == (1, [])
    assert list_acts(report, Conflict.WRITE_APPROVE) == (0, [])


def test_holders_tiers_and_conflicting_roles_are_told(node: Node) -> None:
    people = node.local.people
    for role, name in ((Role.SALES, "Sun"), (Role.CFO, "Sun"), (Role.ANALYST, "Li")):
        people.create_token(role=role, name=name, life_s=60)
    ended = people.create_token(role=Role.AUDITOR, name="Li", life_s=60)
    people.revoke_token(ended.token_id)

    report = node.local.governance.duties.report()

    held = {one.role: one.holders for one in report.roles if one.holders}
    assert held == {Role.SALES: ("Sun",), Role.CFO: ("Sun",), Role.ANALYST: ("Li",)}
    assert len(report.policy.body.tiers) == 4
    assert [(one.conflict, one.name) for one in report.role_conflicts] == [
        (Conflict.REQUEST_APPROVE, "Sun")
    ]


def test_a_decision_that_one_person_proposed_and_approved_behind_our_back_is_found(
    chamber: Chamber,
) -> None:
    customer_id = chamber.add_customer("C1")
    record = chamber.propose(customer_id)
    chamber.decisions.submit(record.decision_id, by=record.proposed_by)
    chamber.decisions.approve(
        record.decision_id,
        actor=chamber.be("CFO Wang", Role.CFO),
        version=1,
        comment="seen",
    )
    duties = DutiesService(
        database=chamber.room.database,
        clock=chamber.room.clock,
        find_policy=lambda: chamber.policies[-1],
    )
    before = list_acts(duties.report(), Conflict.REQUEST_APPROVE)
    with chamber.room.database.write() as uow:
        let_change(uow, "decision_approval")
        uow.connection.execute(update(decision_approval).values(name=record.proposed_by))

    after = list_acts(duties.report(), Conflict.REQUEST_APPROVE)

    assert before == (1, [])
    assert after == (1, [(f"decision {record.decision_id}", record.proposed_by)])
