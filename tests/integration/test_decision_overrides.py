"""What persons decide otherwise, on natural persons, and with what peers have said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from node.assessment.evidence import PeerSummaryRecord
from node.bootstrap.exports import MORE_TABLES
from node.core.errors import NodeError
from node.core.people.service import OPERATOR_PRINCIPAL, Role
from node.decision.changing import Change
from node.decision.errors import (
    DecisionInvalidError,
    DecisionSamePersonError,
    DutyConflictError,
    HumanReviewMissingError,
    NoAuthorityError,
)
from node.decision.keeping import KeptProposal, erase_references, read_proposal
from node.decision.policy import Monitoring
from node.decision.reports import erase_peer_values_within
from node.decision.rules_limit import ArmCode
from node.decision.rules_proposal import Outcome
from node.decision.rules_state import DecisionState
from node.decision.tables import (
    credit_decision,
)
from node.records.store.export import ExportStore
from tests.support.decisions import Chamber, build_chamber, pass_days, read_policy
from tests.unit.assessment.builders import AS_OF, LAST_MONTH, wrap_sections
from tests.unit.assessment.room import HEADER

SMALL, MIDDLE, LARGE, LARGEST = 4_000_000, 40_000_000, 150_000_000, 500_000_000


@pytest.fixture
def chamber(tmp_path: Path) -> Iterator[Chamber]:
    chamber = build_chamber(tmp_path)
    yield chamber
    chamber.room.database.dispose()


def test_an_override_keeps_what_was_proposed_beside_it(chamber: Chamber) -> None:
    record = chamber.propose(chamber.add_customer("A1"), limit_minor=MIDDLE)
    li = chamber.be("Li", Role.CREDIT_MANAGER)

    changed = chamber.decisions.override(
        record.decision_id,
        change=Change(limit_minor=10_000_000, terms_days=45),
        reason_code="prudence",
        reason="one season first",
        actor=li,
    )

    assert (changed.proposed.limit_minor, changed.content.limit_minor) == (MIDDLE, 10_000_000)
    assert (changed.proposed.terms_days, changed.content.terms_days) == (60, 45)
    version = changed.versions[-1]
    assert (version.reason_code, version.reason, version.entered_by, version.role) == (
        "prudence",
        "one season first",
        "Li",
        "credit-manager",
    )
    chamber.decisions.submit(record.decision_id, by="Zhang")
    with pytest.raises(DecisionSamePersonError):
        chamber.decisions.approve(record.decision_id, actor=li)


def test_a_grade_that_is_overridden_is_proposed_by_again(chamber: Chamber) -> None:
    record = chamber.propose(chamber.add_customer("A1"))
    limit_minor = record.content.limit_minor
    assert limit_minor is not None

    changed = chamber.decisions.override(
        record.decision_id,
        change=Change(grade="B"),
        reason_code="data-doubt",
        reason="the accounts are not plausible",
        actor=chamber.be("Li", Role.CFO),
    )

    content = changed.content
    assert (content.grade, content.limit_minor) == ("B", limit_minor // 4)
    assert (content.terms_days, content.monitoring) == (15, Monitoring.WATCH)


@pytest.mark.parametrize(
    ("change", "code", "role", "error"),
    [
        (Change(limit_minor=MIDDLE), "prudence", Role.ANALYST, NoAuthorityError),
        (Change(limit_minor=LARGEST), "prudence", Role.ANALYST, NoAuthorityError),
        (Change(), "prudence", Role.CREDIT_MANAGER, DecisionInvalidError),
        (Change(terms_days=60), "prudence", Role.CREDIT_MANAGER, DecisionInvalidError),
        (Change(limit_minor=1), "because", Role.CREDIT_MANAGER, DecisionInvalidError),
        (Change(limit_minor=-1), "prudence", Role.CREDIT_MANAGER, DecisionInvalidError),
        (Change(terms_days=367), "prudence", Role.CREDIT_MANAGER, DecisionInvalidError),
        (Change(grade="D"), "prudence", Role.CREDIT_MANAGER, DecisionInvalidError),
        (Change(grade="NR"), "prudence", Role.CREDIT_MANAGER, DecisionInvalidError),
        (Change(limit_minor=1), "prudence", Role.SALES, DutyConflictError),
        (Change(limit_minor=1), "prudence", Role.OPERATOR, DutyConflictError),
    ],
)
def test_an_override_that_is_refused(
    chamber: Chamber, change: Change, code: str, role: Role, error: type[NodeError]
) -> None:
    record = chamber.propose(chamber.add_customer("A1"), limit_minor=SMALL)
    actor = OPERATOR_PRINCIPAL if role is Role.OPERATOR else chamber.be("Li", role)

    with pytest.raises(error):
        chamber.decisions.override(
            record.decision_id, change=change, reason_code=code, reason="why", actor=actor
        )

    assert not chamber.reports.get(record.decision_id).record.is_overridden


def test_what_is_refused_tells_nothing_of_a_grade_that_may_not_be_seen(chamber: Chamber) -> None:
    key = chamber.add_customer("A1")
    chamber.rate(key, "D", own="A")
    record = chamber.propose(key)
    zhang = chamber.be("Wu", Role.ANALYST)
    tried = [Change(grade=grade) for grade in ("AAA", "A", "B", "D", "NR")]
    tried += [Change(), Change(limit_minor=1), Change(monitoring=Monitoring.NORMAL)]

    said = set()
    for change in tried:
        with pytest.raises(NodeError) as refused:
            chamber.decisions.override(
                record.decision_id,
                change=change,
                reason_code="prudence",
                reason="why",
                actor=zhang,
            )
        said.add((refused.value.code, str(refused.value)))

    assert [code for code, _ in said] == ["decision-grade-hidden"]
    chamber.decisions.override(
        record.decision_id,
        change=Change(is_stopped=True),
        reason_code="prudence",
        reason="why",
        actor=chamber.be("Li", Role.CREDIT_MANAGER),
    )


@pytest.mark.parametrize(
    ("grade", "change"),
    [
        ("B", Change(monitoring=Monitoring.NORMAL)),
        ("B", Change(review_on=date(2030, 1, 1))),
        ("D", Change(limit_minor=1_000_000)),
        ("D", Change(grade="A")),
    ],
)
def test_neither_watching_nor_review_nor_a_default_is_overridden_away(
    chamber: Chamber, grade: str, change: Change
) -> None:
    record = chamber.propose(chamber.add_customer("A1", grade=grade))

    with pytest.raises(DecisionInvalidError):
        chamber.decisions.override(
            record.decision_id,
            change=change,
            reason_code="prudence",
            reason="why",
            actor=chamber.be("Li", Role.CFO),
        )


def test_prepayment_and_a_stop_are_decided_as_credit_is(chamber: Chamber) -> None:
    record = chamber.propose(chamber.add_customer("A1", grade="D"))
    assert (record.content.outcome, record.content.limit_minor) == (Outcome.PREPAY, 0)
    li = chamber.be("Li", Role.CREDIT_MANAGER)
    changed = chamber.decisions.override(
        record.decision_id,
        change=Change(is_stopped=True),
        reason_code="prudence",
        reason="insolvent",
        actor=li,
    )
    chamber.decisions.submit(record.decision_id, by="Zhang")
    chamber.decisions.approve(record.decision_id, actor=chamber.be("Wu", Role.ANALYST))

    assert changed.content.outcome is Outcome.STOP
    assert chamber.find_state(record.decision_id) is DecisionState.ACTIVE


@pytest.mark.parametrize("upto", [None, SMALL])
def test_a_companys_small_limit_is_approved_by_the_policy_only_where_it_says_so(
    tmp_path: Path, upto: int | None
) -> None:
    chamber = build_chamber(tmp_path, policy=read_policy(automatic_upto_minor=upto))
    small = chamber.submit(chamber.add_customer("A1"), limit_minor=SMALL)
    more = chamber.submit(chamber.add_customer("A2"), limit_minor=SMALL + 10_000)

    state = DecisionState.SUBMITTED if upto is None else DecisionState.ACTIVE
    assert chamber.find_state(small) is state
    assert chamber.find_state(more) is DecisionState.SUBMITTED
    if upto is not None:
        assert chamber.reports.get(small).record.approved_by == "credit-1"
    chamber.room.database.dispose()


@pytest.mark.parametrize("when", ["before", "after"])
def test_on_a_natural_person_somebody_decides_who_says_what_he_looked_at(
    tmp_path: Path, when: str
) -> None:
    chamber = build_chamber(tmp_path, policy=read_policy(automatic_upto_minor=10**12))
    key = chamber.add_customer("A1")
    if when == "before":
        chamber.make_person(key)
    record = chamber.propose(key, limit_minor=SMALL)
    chamber.make_person(key)
    assert chamber.decisions.submit(record.decision_id, by="Zhang").state is DecisionState.SUBMITTED
    li = chamber.be("Li", Role.CREDIT_MANAGER)

    with pytest.raises(HumanReviewMissingError):
        chamber.decisions.approve(record.decision_id, actor=li)
    with pytest.raises(NodeError):
        chamber.decisions.approve(record.decision_id, actor=li, human_review="  ")
    approved = chamber.decisions.approve(
        record.decision_id, actor=li, human_review="read the file, called him"
    )

    assert approved.state is DecisionState.ACTIVE
    assert approved.given[0].human_review == "read the file, called him"
    assert not chamber.reports.list_decisions(has_persons=False)
    chamber.room.database.dispose()


def test_peers_bands_are_references_and_go_when_a_message_is_erased(chamber: Chamber) -> None:
    key = chamber.add_customer("A1")
    subject = chamber.reports.find_policy().body  # The policy asks for two references at least.
    assert subject.arms.references_min == 2
    for number, band in enumerate(("100k-200k", "200k-500k", "100k-200k")):
        chamber.room.inbox.records.append(
            PeerSummaryRecord(
                provider=f"p{number}.example",
                msg_hash_b64u=f"{number}" * 43,
                received_on=AS_OF,
                summary=wrap_sections(
                    "full",
                    {
                        "money": {"currency": "CNY", "high_credit": band},
                        "disputes": {"count": "0", "share": ">20%" if number == 2 else "0"},
                    },
                    last_month=LAST_MONTH,
                    months=12,
                    subject="sim:A1",
                ),
            )
        )
    chamber.rate(key, "A")

    record = chamber.propose(key)

    variants = record.kept.proposal
    arm = next(one for one in variants.proposed.arms if one.code is ArmCode.REFERENCES)
    assert arm.amount_minor == 15_000_000
    assert [(one.value, one.code) for one in arm.inputs] == [
        (10_000_000, ""),
        (20_000_000, ""),
        (None, "disputed"),
    ]
    assert variants.proposed.content.limit_minor == 15_000_000
    assert variants.without_peers.content.limit_minor == 800_000_000
    exported = _export_proposal(chamber, record.decision_id)
    assert erase_references(record.kept, {f"{number}" * 43 for number in range(3)}) == exported
    assert exported != record.kept
    with chamber.room.database.write() as uow:
        assert erase_peer_values_within(uow, "0" * 43) == 1
        assert erase_peer_values_within(uow, "9" * 43) == 0
    kept = chamber.reports.get(record.decision_id).record.kept
    erased = next(one for one in kept.proposal.proposed.arms if one.code is ArmCode.REFERENCES)
    assert (erased.amount_minor, erased.why) == (None, "erased")
    assert [one.value for one in erased.inputs] == [None, 20_000_000, None]
    assert kept.proposal.proposed.content.limit_minor == 15_000_000
    assert ":10000000," not in _read_json(chamber, record.decision_id)


def _export_proposal(chamber: Chamber, decision_id: int) -> KeptProposal:
    """Return a proposal as an export has it."""
    with chamber.room.database.read() as uow:
        store = ExportStore(uow.connection, more=MORE_TABLES)
        table = next(one for one in store.tables if one.name == "credit_decision")
        place = [column.name for column in table.columns].index("proposal_json")
        (text,) = [row[place] for row in store.iterate_rows(table) if row[0] == decision_id]
    return read_proposal(text)


def _read_json(chamber: Chamber, decision_id: int) -> str:
    with chamber.room.database.read() as uow:
        text: str = uow.connection.execute(
            select(credit_decision.c.proposal_json).where(credit_decision.c.id == decision_id)
        ).scalar_one()
    return text


def test_what_became_of_overrides_stands_beside_the_others(chamber: Chamber) -> None:
    li, qian = chamber.be("Li", Role.CREDIT_MANAGER), chamber.be("Qian", Role.CFO)
    keys = [chamber.add_customer(f"A{number}") for number in range(4)]
    made = []
    for number, key in enumerate(keys):
        record = chamber.propose(key, limit_minor=MIDDLE)
        if number < 2:
            amount = 2 * MIDDLE if number == 0 else MIDDLE // 2
            chamber.decisions.override(
                record.decision_id,
                change=Change(limit_minor=amount),
                reason_code="relationship",
                reason="known for long",
                actor=qian,
            )
        chamber.decisions.submit(record.decision_id, by="Zhang")
        approver = chamber.be("Sun", Role.CFO) if number == 0 else li
        chamber.decisions.approve(record.decision_id, actor=approver)
        made.append(record.decision_id)
    later = AS_OF + timedelta(days=200)
    chamber.room.records.import_file(
        (
            f"{HEADER}\nsim,A0,Customer A0,CN,L1,1,{AS_OF},{AS_OF + timedelta(days=30)},CNY,"
            "600000.00,,,\n"
        ).encode(),
        file_name="later.csv",
        source="erp-later",
    )
    chamber.room.records.record_adverse_event(
        keys[1],
        kind="insolvency",
        happened_on=AS_OF + timedelta(days=60),
        settled_on=None,
        evidence_sha256_hex="a" * 64,
    )
    pass_days(chamber, later)

    report = chamber.reports.read_outcomes()

    groups = {one.direction: one for one in report.groups}
    assert {name: (one.count, one.defaulted, one.over_90) for name, one in groups.items()} == {
        "as-proposed": (2, 0, 0),
        "overridden": (2, 1, 1),
        "raised": (1, 0, 1),
        "lowered": (1, 1, 0),
        "other": (0, 0, 0),
    }
    assert groups["overridden"].default_permille == 500
    assert groups["other"].default_permille is None
    assert all(one.is_small for one in report.groups)
    raised = next(one for one in report.decisions if one.decision_id == made[0])
    assert (raised.proposed_minor, raised.decided_minor) == (MIDDLE, 2 * MIDDLE)
    assert (raised.reason_code, raised.peak_permille) == ("relationship", 750)
