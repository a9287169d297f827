"""The data steward's work list: duplicates and their merge, corrections, what is due to go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.core.people.service import Role
from node.governance.cases.entries import NewCase
from node.governance.cases.record import CaseChannel, Target, TargetKind
from node.governance.cases.rules_case import CaseKind, CaseStep
from node.records.customers import CustomerKind
from node.records.rules_default import DecisionOutcome, EvidenceClass
from tests.support.console_people import Desk, close_desk, open_desk

PATH = "/console/steward"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = open_desk(tmp_path / "home")
    yield desk
    close_desk(desk)


def add(desk: Desk, value: str, name: str) -> int:
    records = desk.node.local.records
    return records.add_customer(scheme="sim", value=value, name=name, country="DE").customer_id


def show(desk: Desk, lang: str = "en") -> str:
    answer = desk.client.get(PATH, params={"lang": lang})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_suspected_duplicate_is_merged_by_a_person_with_a_reason(desk: Desk) -> None:
    other = add(desk, "C2", "Hongda GmbH")
    desk.invoice("R1", (date(2026, 6, 1), 1_000))
    desk.sign_in(Role.STEWARD)
    before = show(desk)

    form = {"gone": str(other), "stays": str(desk.customer_id), "reason": "same register entry"}
    answer = desk.send(f"{PATH}/merge", form)

    assert "Merge into Hongda" in before
    assert "May be one company (1)" in before
    assert answer.headers["location"] == f"{PATH}?moved=0"
    assert "May be one company (0)" in show(desk)
    assert desk.node.local.records.get_customer(other).customer_id == desk.customer_id


@pytest.mark.parametrize(
    ("form", "status"),
    [
        pytest.param({"gone": "2", "stays": "1"}, 422, id="no reason"),
        pytest.param({"gone": "x", "stays": "1", "reason": "y"}, 422, id="no number"),
        pytest.param({"gone": "1", "stays": "1", "reason": "y"}, 409, id="itself"),
        pytest.param({"gone": "999", "stays": "1", "reason": "y"}, 404, id="nobody"),
    ],
)
def test_merge_that_says_too_little_merges_nothing(
    desk: Desk, form: dict[str, str], status: int
) -> None:
    add(desk, "C2", "Hongda GmbH")
    desk.sign_in(Role.STEWARD)

    answer = desk.send(f"{PATH}/merge", form)

    assert answer.status_code == status
    assert ("A merge needs two customers and a reason." in answer.text) == (status == 422)
    assert "May be one company (1)" in show(desk)


def test_what_is_due_to_go_is_listed_with_the_hold_that_keeps_it(desk: Desk) -> None:
    local = desk.node.local
    local.records.import_file(
        b"customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
        b"currency,amount,paid_on,paid_amount,disputed\n"
        b"sim,OLD,Old <b>,DE,OLD-1,1,2015-01-10,2015-02-10,EUR,10.00,2015-02-11,10.00,\n"
        b"sim,KEPT,Kept,DE,KEPT-1,1,2015-01-10,2015-02-10,EUR,10.00,2015-02-11,10.00,\n",
        file_name="old.csv",
    )
    kept = local.records.find_customer(scheme="sim", value="KEPT")
    assert kept is not None
    local.lifecycle.hold(kept.customer_id, basis="a lawsuit", by="wang")
    desk.sign_in(Role.STEWARD)

    page = show(desk)

    rows = {name: page.partition(name)[2].partition("</tr>")[0] for name in ("OLD-1", "KEPT-1")}
    assert "Due to go (2)" in page
    assert "Old &lt;b&gt;" in page
    assert "hold 1" not in rows["OLD-1"]
    assert "hold 1" in rows["KEPT-1"]
    assert "保留 1" in show(desk, "zh")


def test_objection_that_was_upheld_waits_for_its_correction(desk: Desk) -> None:
    local = desk.node.local
    local.defaults.propose(
        desk.customer_id,
        evidence_class=EvidenceClass.COURT,
        on=date(2026, 2, 1),
        document_sha256_hex="ab" * 32,
        by="Li Wei",
    )
    local.defaults.decide(1, outcome=DecisionOutcome.CONFIRMED, reason="seen", by="wang")
    case = local.governance.cases.receive(
        NewCase(
            kind=CaseKind.OBJECTION,
            complainant="Hongda",
            text="We have paid.",
            channel=CaseChannel.LETTER,
            customer_id=desk.customer_id,
            target=Target(kind=TargetKind.FACT, ref="default-1"),
        ),
        by="zhao",
    )
    case_id = case.record.case_id
    desk.sign_in(Role.STEWARD)
    before = show(desk)

    local.governance.cases.decide(case_id, step=CaseStep.UPHOLD, reason="paid before", by="qian")

    page = show(desk)
    assert "To be corrected (0)" in before
    assert "To be corrected (1)" in page
    assert f'href="/console/cases/{case_id}"' in page


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.AUDITOR])
def test_work_list_is_for_who_enters_adjustments(desk: Desk, role: Role) -> None:
    desk.sign_in(role)

    status = desk.client.get(PATH).status_code

    allowed = {Role.OPERATOR, Role.CREDIT_MANAGER, Role.STEWARD}
    assert status == (200 if role in allowed else 403)


def test_look_at_a_person_s_records_is_recorded(desk: Desk) -> None:
    local = desk.node.local
    local.records.import_file(
        b"customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
        b"currency,amount,paid_on,paid_amount,disputed\n"
        b"sim,P1,Wu Ming,DE,OLD-1,1,2015-01-10,2015-02-10,EUR,10.00,2015-02-11,10.00,\n",
        file_name="old.csv",
    )
    person = local.records.find_customer(scheme="sim", value="P1")
    assert person is not None
    local.customers.set_kind(
        person.customer_id, kind=CustomerKind.PERSON, reason="a person", by="wang"
    )
    desk.sign_in(Role.STEWARD)

    show(desk)

    assert ("persons", PATH) in [(one.what, one.target) for one in local.people.list_accesses()]
