"""Objections and complaints over a real store: what they hold back, and what they never touch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import func, select
from starlette.testclient import TestClient

from node.bootstrap.local import LocalNode
from node.bootstrap.member import Node
from node.core.errors import NodeError
from node.core.migrations import build_config
from node.core.people.service import Role
from node.governance.cases.entries import NewCase
from node.governance.cases.record import CaseChannel, CaseStory, Target, TargetKind
from node.governance.cases.rules_case import Appealed, CaseKind, CaseState, CaseStep, RootCause
from node.governance.cases.service import CaseService
from node.governance.cases.store import CaseFilter
from node.records.ledger import NewDebit, Term
from node.records.rules_adverse import FactKey, ObjectionResult, SharingState
from node.records.rules_default import DecisionOutcome, EvidenceClass
from node.records.rules_ledger import DisputeCause, DisputeOutcome, ItemKind
from node.records.store.adverse_tables import adverse_objection
from node.web.app import API_PREFIX, build_app
from node.web.governance import drive_cases
from tests.support.console_node import build_empty_node, receive_summary

FILED = date(2026, 2, 10)
DOCUMENT = "ab" * 32
FACT = Target(kind=TargetKind.FACT, ref="default-1")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = build_empty_node(tmp_path / "home")
    local = node.local
    local.records.add_customer(scheme="sim", value="A1", name="Hongda", country="CN")
    local.defaults.propose(
        1,
        evidence_class=EvidenceClass.COURT,
        on=date(2026, 2, 1),
        document_sha256_hex=DOCUMENT,
        by="Li Wei",
    )
    local.defaults.decide(1, outcome=DecisionOutcome.CONFIRMED, reason="seen", by="wang")
    yield node
    local.close()


def on_day(local: LocalNode, day: date) -> CaseService:
    return CaseService(
        database=local.database,
        clock=local.clock,
        summaries=local.objections,
        business_date=day,
    )


def object_to(
    cases: CaseService, target: Target | None = FACT, *, kind: CaseKind = CaseKind.OBJECTION
) -> CaseStory:
    return cases.receive(
        NewCase(
            kind=kind,
            complainant="Hongda",
            text="We have paid.\nSee the slip.",
            channel=CaseChannel.LETTER,
            customer_id=1,
            target=target,
        ),
        by="zhao",
    )


def state_of(local: LocalNode) -> SharingState:
    return local.notices.list_facts(1, as_of=local.business_date())[0].state


def code_of(error: pytest.ExceptionInfo[NodeError]) -> str:
    return error.value.code


def finish(cases: CaseService, case_id: int) -> CaseStory:
    cases.set_cause(case_id, cause=RootCause.DATA_ENTRY, text="typed twice", by="zhao")
    cases.answer(case_id, text="Dear Sirs,\nyes.", channel=CaseChannel.LETTER, by="zhao")
    return cases.close(case_id, by="zhao")


def test_an_objection_holds_back_at_once_and_its_rejection_removes_the_mark(node: Node) -> None:
    cases = node.local.governance.cases

    story = object_to(cases)
    assert story.record.state is CaseState.MARKED
    assert state_of(node.local) is SharingState.OBJECTED
    cases.ask(1, source="the court's registry", by="zhao")
    with pytest.raises(NodeError) as own:
        cases.decide(1, step=CaseStep.REJECT, reason="seen", by="LI-WEI")
    cases.decide(1, step=CaseStep.REJECT, reason="seen", by="zhao")
    closed = finish(cases, 1)

    assert code_of(own) == "case-handler"
    assert state_of(node.local) is SharingState.UNNOTICED
    assert closed.record.state is CaseState.CLOSED
    assert [one.text for one in closed.list_round(CaseStep.ANSWER)] == ["Dear Sirs,\nyes."]


def test_an_upheld_objection_counts_for_nothing_and_is_closed_once_it_was_corrected(
    node: Node,
) -> None:
    cases = node.local.governance.cases
    object_to(cases)
    cases.decide(1, step=CaseStep.UPHOLD, reason="paid before", by="qian")
    cases.set_cause(1, cause=RootCause.ALLOCATION, text="not applied", by="zhao")
    with pytest.raises(NodeError, match="no answer"):
        cases.close(1, by="zhao")
    cases.answer(1, text="You are right.", channel=CaseChannel.EMAIL, by="zhao")
    with pytest.raises(NodeError, match="not told"):
        cases.close(1, by="zhao")

    token = node.local.people.create_token(role=Role.STEWARD, name="zhao", life_s=60).token

    with TestClient(build_app(node)) as http:
        headers = {"authorization": f"Bearer {token}"}
        pushed = http.post(f"{API_PREFIX}/cases/1/correction", headers=headers, json={"by": "zhao"})
        again = http.post(f"{API_PREFIX}/cases/1/correction", headers=headers, json={"by": "zhao"})

    assert state_of(node.local) is SharingState.REFUTED
    assert (pushed.status_code, pushed.json()["corrected_on"]) == (200, "2026-06-30")
    assert (again.status_code, again.json()["code"]) == (409, "case-state")


def test_a_silent_source_leads_to_suppression_after_day_twenty_and_a_resent_fact_is_refused(
    node: Node,
) -> None:
    local = node.local
    object_to(on_day(local, FILED))
    cases = on_day(local, date(2026, 3, 2))
    assert cases.get(1).record.due_on == date(2026, 3, 2)

    early = cases.suppress_due()
    late = on_day(local, date(2026, 3, 3))
    found = late.suppress_due()
    with pytest.raises(NodeError) as resent:
        local.defaults.propose(
            1,
            evidence_class=EvidenceClass.COURT,
            on=date(2026, 2, 1),
            document_sha256_hex=DOCUMENT,
            by="sun",
        )

    assert (early, found, late.suppress_due()) == ([], [1], [])
    assert late.get(1).record.state is CaseState.SUPPRESSED
    assert state_of(local) is SharingState.OBJECTED
    assert code_of(resent) == "adverse-fact-refuted"
    assert [one.case_id for one in late.list_due_corrections()] == [1]


def test_a_case_whose_objection_was_closed_by_hand_keeps_no_other_from_suppression(
    node: Node,
) -> None:
    local = node.local
    local.defaults.propose(
        1, evidence_class=EvidenceClass.COURT, on=FILED, document_sha256_hex="cd" * 32, by="li"
    )
    local.defaults.decide(2, outcome=DecisionOutcome.CONFIRMED, reason="seen", by="wang")
    cases = on_day(local, FILED)
    first = object_to(cases)
    object_to(cases, replace(FACT, ref="default-2"))
    local.notices.close_objection(
        first.record.objection_id or 0,
        result=ObjectionResult.REJECTED,
        reason="seen",
        on=FILED,
        by="qian",
    )

    found = on_day(local, date(2026, 3, 3)).suppress_due()

    assert found == [2]
    assert [one.state for one in cases.list_cases()] == [CaseState.SUPPRESSED, CaseState.MARKED]


def test_cases_of_a_merged_customer_are_found_under_the_other(node: Node) -> None:
    local = node.local
    object_to(local.governance.cases)
    local.records.add_customer(scheme="sim", value="B1", name="Hongda B", country="CN")
    local.customers.merge(1, into_id=2, reason="one company", by="wang")

    found = local.governance.cases.list_cases(CaseFilter(customer_ids=(2,)))

    assert [one.case_id for one in found] == [1]
    assert local.governance.cases.get(1).subject_id == "sim:B1"


def test_the_nodes_round_suppresses_and_pushes_by_itself(node: Node) -> None:
    object_to(on_day(node.local, FILED))

    with TestClient(build_app(node)) as http:
        assert http.portal is not None
        http.portal.call(drive_cases, node)

    record = node.local.governance.cases.get(1).record
    assert (record.state, record.corrected_on) == (CaseState.SUPPRESSED, date(2026, 6, 30))


def test_a_complaint_runs_by_the_clock_and_never_touches_a_score(node: Node) -> None:
    local = node.local
    before = local.rating.rate_customer(1, as_of=local.business_date()).rating
    cases = on_day(local, FILED)
    with pytest.raises(NodeError) as about_record:
        object_to(cases, FACT, kind=CaseKind.CONDUCT)
    story = cases.receive(
        NewCase(
            kind=CaseKind.CONDUCT,
            complainant="Hongda",
            text="He was rude.",
            channel=CaseChannel.PHONE,
            customer_id=1,
            about="Zhou",
        ),
        by="zhao",
    )
    cases.mark(1, by="zhao")
    for step in (CaseStep.REJECT, CaseStep.WITHDRAW):
        with pytest.raises(NodeError) as own:
            cases.decide(1, step=step, reason="no", by="zhou")
        assert code_of(own) == "case-handler"
    cases.decide(1, step=CaseStep.UPHOLD, reason="heard", by="qian")
    finish(cases, 1)
    after = local.rating.rate_customer(1, as_of=local.business_date()).rating

    assert code_of(about_record) == "case-invalid"
    assert story.record.due_on == date(2026, 3, 2)
    assert (after.grade_own, after.score_own_deci, after.confidence) == (
        before.grade_own,
        before.score_own_deci,
        before.confidence,
    )
    with local.database.read() as uow:
        count = uow.connection.execute(select(func.count()).select_from(adverse_objection))
        assert count.scalar_one() == 0


def test_what_is_late_is_found_however_many_newer_cases_there_are(node: Node) -> None:
    def receive(on: date) -> int:
        new = NewCase(
            kind=CaseKind.SERVICE,
            complainant="Hongda",
            text="It came late.",
            channel=CaseChannel.PHONE,
        )
        return on_day(node.local, on).receive(new, by="zhao").record.case_id

    unmarked, undecided, unanswered, done = (receive(FILED) for _ in range(4))
    on_time = on_day(node.local, FILED)
    for case_id in (undecided, unanswered, done):
        on_time.mark(case_id, by="zhao")
    for case_id in (unanswered, done):
        on_time.decide(case_id, step=CaseStep.REJECT, reason="it did not", by="qian")
    on_time.answer(done, text="It came on the day.", channel=CaseChannel.LETTER, by="zhao")
    newer = [receive(date(2026, 3, 5)) for _ in range(4)]
    today = date(2026, 3, 5)

    found = on_day(node.local, today).list_cases(CaseFilter(late_on=today), limit=4)

    assert [one.case_id for one in found] == [unanswered, undecided, unmarked]
    assert all(one.is_late(today) for one in found)
    every = on_day(node.local, today).list_cases(CaseFilter())
    assert {one.case_id for one in every if not one.is_late(today)} == {done, *newer}


def test_a_case_takes_over_an_objection_that_is_open_and_agrees_with_how_it_ended(
    node: Node,
) -> None:
    local = node.local
    fact = FactKey.parse("default-1")
    assert fact is not None
    key = local.notices.enter_objection(
        fact, objector="Hongda", on=local.business_date(), by="chen"
    )
    object_to(local.governance.cases)
    with pytest.raises(NodeError, match="another case"):
        object_to(local.governance.cases)
    local.notices.close_objection(
        key,
        result=ObjectionResult.REJECTED,
        reason="seen",
        on=local.business_date(),
        by="qian",
    )

    with pytest.raises(NodeError, match="closed as rejected"):
        local.governance.cases.decide(1, step=CaseStep.UPHOLD, reason="paid", by="qian")
    decided = local.governance.cases.decide(1, step=CaseStep.REJECT, reason="seen", by="qian")

    assert (decided.record.objection_id, decided.record.state) == (key, CaseState.REJECTED)


def test_a_reopened_case_is_counted_held_back_again_and_has_a_new_clock(node: Node) -> None:
    local = node.local
    cases = on_day(local, FILED)
    object_to(cases)
    cases.decide(1, step=CaseStep.REJECT, reason="seen", by="zhao")
    finish(cases, 1)
    later = on_day(local, date(2026, 3, 10))

    story = later.reopen(1, reason="a slip has come", by="zhao")

    record = story.record
    assert (record.round, record.state, record.due_on) == (
        2,
        CaseState.MARKED,
        date(2026, 3, 30),
    )
    assert (record.answered_on, record.result) == (None, None)
    assert state_of(local) is SharingState.OBJECTED


def test_an_appeal_has_ten_days_and_is_ended_by_another_person(node: Node) -> None:
    local = node.local
    cases = on_day(local, FILED)
    object_to(cases)
    cases.decide(1, step=CaseStep.REJECT, reason="seen", by="zhao")
    finish(cases, 1)

    appealed = cases.appeal(1, before=Appealed.OMBUDSMAN, text="no", by="qian")
    with pytest.raises(NodeError) as own:
        cases.confirm(1, reason="heard", by="zhao")
    ended = cases.confirm(1, reason="heard", by="qian")

    assert appealed.record.due_on == date(2026, 2, 20)
    assert code_of(own) == "case-handler"
    assert ended.record.state is CaseState.CLOSED


def test_an_objection_to_a_peers_summary_takes_it_out_until_it_is_rejected(node: Node) -> None:
    local = node.local
    msg = receive_summary(node, local.records.get_customer(1))
    target = Target.of_summary(msg)
    local.records.add_customer(scheme="sim", value="B1", name="Other", country="CN")

    story = object_to(local.governance.cases, target)
    (objection,) = local.objections.list_objections()
    with pytest.raises(NodeError) as own:
        local.governance.cases.decide(1, step=CaseStep.REJECT, reason="asked", by="zhao")
    local.governance.cases.decide(1, step=CaseStep.REJECT, reason="asked", by="qian")
    (ended,) = local.objections.list_objections()
    with pytest.raises(NodeError, match="another customer"):
        local.governance.cases.receive(
            NewCase(
                kind=CaseKind.OBJECTION,
                complainant="Other",
                text="not ours",
                channel=CaseChannel.LETTER,
                customer_id=2,
                target=target,
            ),
            by="zhao",
        )

    assert (story.record.objection_id, objection.outcome) == (objection.id, None)
    assert code_of(own) == "own-objection"
    assert ended.outcome == "rejected"
    assert local.governance.cases.get(1).record.needs_correction is False


def test_a_case_about_an_invoice_follows_the_dispute_of_the_ledger(node: Node) -> None:
    local = node.local
    (item,) = local.ledger.enter_debit(
        NewDebit(
            customer_id=1,
            kind=ItemKind.INVOICE,
            document_no="R1",
            happened_on=FILED,
            currency="CNY",
            terms=(Term(due_on=date(2026, 3, 10), amount_minor=1_000),),
        ),
        by="zhang",
    )
    dispute = local.ledger.open_dispute(
        item, amount_minor=400, cause=DisputeCause.PRICE, on=FILED, by="zhang"
    )
    object_to(local.governance.cases, Target(kind=TargetKind.DISPUTE, ref=str(dispute)))
    with pytest.raises(NodeError, match="is open"):
        local.governance.cases.decide(1, step=CaseStep.UPHOLD, reason="price list", by="qian")
    with pytest.raises(NodeError) as own:
        local.governance.cases.decide(1, step=CaseStep.UPHOLD, reason="price list", by="zhang")
    local.ledger.close_dispute(
        dispute, outcome=DisputeOutcome.PARTLY, reason="price list", on=FILED, by="qian"
    )

    decided = local.governance.cases.decide(1, step=CaseStep.UPHOLD, reason="price list", by="qian")

    assert code_of(own) == "case-handler"
    assert decided.record.state is CaseState.UPHELD
    assert decided.record.needs_correction is True


REFUSED: tuple[tuple[Callable[[CaseService], object], str], ...] = (
    (lambda cases: cases.mark(1, by="zhao"), "case-state"),
    (lambda cases: cases.get(9), "case-not-found"),
    (lambda cases: cases.add_statement(1, text="x" * 201, by="zhao"), "item-invalid"),
    (lambda cases: cases.ask(1, source="court", on=date(2026, 7, 1), by="zhao"), "case-invalid"),
    (lambda cases: cases.decide(1, step=CaseStep.CLOSE, reason="x", by="zhao"), "case-invalid"),
    (lambda cases: cases.close(1, by="zhao"), "case-state"),
    (lambda cases: cases.get_correctable(1), "case-state"),
    (lambda cases: object_to(cases, replace(FACT, ref="default-9")), "adverse-fact-not-found"),
    (lambda cases: object_to(cases, replace(FACT, ref="none")), "case-invalid"),
    (lambda cases: object_to(cases, Target(kind=TargetKind.DISPUTE, ref="x")), "case-invalid"),
)


def test_what_cannot_be_said_is_refused_and_changes_nothing(node: Node) -> None:
    cases = node.local.governance.cases
    object_to(cases)
    before = cases.get(1)

    for number, (change, code) in enumerate(REFUSED):
        with pytest.raises(NodeError) as refused:
            change(cases)
        assert code_of(refused) == code, number
    assert cases.get(1) == before
    assert len(cases.list_cases()) == 1


def test_cases_go_back_and_forward_with_what_they_held_back(node: Node) -> None:
    object_to(node.local.governance.cases)
    config = build_config(node.local.database)

    command.downgrade(config, "0049")
    assert state_of(node.local) is SharingState.OBJECTED
    command.upgrade(config, "0050")

    assert node.local.governance.cases.list_cases() == []
