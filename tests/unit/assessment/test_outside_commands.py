import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from node.assessment.application.checklist import read_preset_checklist
from node.assessment.application.commands import application_app
from node.assessment.application.outside_reader import OutsideReader
from node.assessment.application.service import ApplicationService
from node.assessment.commands import assess_app
from node.assessment.evidence_life import EvidenceLife
from node.assessment.outside.commands import listing_app, report_app
from node.assessment.outside.errors import IdentifierMissingError
from node.assessment.outside.service import OutsideService
from node.assessment.service import AssessmentService
from node.core.clock import ManualClock
from node.core.field_keys import FieldCipher
from node.core.fields import set_cipher
from node.records.retention_policy import read_retention_policy
from tests.support.field_secrets import FixedSecrets
from tests.support.ledgers import HASHER
from tests.support.nodes import CountingBytes
from tests.support.policies import fix_policy
from tests.unit.assessment.builders import AS_OF
from tests.unit.assessment.room import Room, build_room

VALUE = "0200756072"
WIDE = {"COLUMNS": "240"}


class Desk:
    """What ``ctx.obj`` offers to these commands."""

    def __init__(self, room: Room) -> None:
        clock = ManualClock(at_ms=1_795_500_000_000)
        checklist = read_preset_checklist()
        self.database = room.database
        self.people = room.people
        self.outside = OutsideService(
            database=room.database, clock=clock, hasher=HASHER, business_date=AS_OF
        )
        self.evidence_life = EvidenceLife(
            database=room.database,
            clock=clock,
            policy=read_retention_policy(),
            hasher=HASHER,
            business_date=AS_OF,
        )
        self.applications = ApplicationService(
            database=room.database, clock=clock, checklist=checklist, business_date=AS_OF
        )
        self.assessment = AssessmentService(
            database=room.database,
            clock=clock,
            policies=fix_policy(),
            list_peer_summaries=room.inbox.list_peer_summaries,
            read_outside=OutsideReader(checklist=checklist),
        )

    def business_date(self) -> date:
        return AS_OF


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    room = build_room(tmp_path)
    cipher = FieldCipher(secrets=FixedSecrets(), random_bytes=CountingBytes(3))
    set_cipher(room.database, cipher)
    room.add_invoices(VALUE, [0] * 12)
    yield Desk(room)
    room.database.dispose()


def run(app: typer.Typer, desk: Any, *words: str) -> Result:  # noqa: ANN401  a desk, or less
    return CliRunner().invoke(app, list(words), obj=desk, env=WIDE, catch_exceptions=False)


def write_reports(folder: Path, *, customer: str = f"sim:{VALUE}") -> Path:
    path = folder / "reports.csv"
    path.write_text(
        "customer,name,agency,number,kind,scale,printed,issued_on,source\n"
        f"{customer},x,Bureau,R-1,score,points-100,80,2026-11-01,subscription\n",
        encoding="utf-8",
    )
    return path


def test_a_report_is_imported_listed_and_withdrawn(desk: Desk, tmp_path: Path) -> None:
    path = write_reports(tmp_path)

    tried = run(report_app, desk, "import", str(path), "--by", "li", "--dry-run")
    done = run(report_app, desk, "import", str(path), "--by", "li")
    again = run(report_app, desk, "import", str(path), "--by", "li")
    listed = run(report_app, desk, "list", f"sim:{VALUE}")
    withdrawn = run(
        report_app, desk, "withdraw", f"sim:{VALUE}", "1", "--reason", "theirs", "--by", "wang"
    )
    shown = json.loads(run(report_app, desk, "list", f"sim:{VALUE}", "--json").stdout)

    assert "nothing kept" in tried.output
    assert done.output == "entered 1\n"
    assert again.output == "entered 1; 1 known already\n"
    assert "Bureau" in listed.output
    assert withdrawn.exit_code == 0
    assert [one["counts"] for one in shown] == [False, False]
    looks = {(look.what, look.target) for look in desk.people.list_accesses()}
    assert looks == {("credit", "customer 1 reports")}


def test_what_was_erased_is_told_by_the_next_import(desk: Desk, tmp_path: Path) -> None:
    path = write_reports(tmp_path)
    run(report_app, desk, "import", str(path), "--by", "li")
    why = ("--reason", "never ours", "--by", "wang")

    erased = run(report_app, desk, "erase", "1", "1", *why)
    again = run(report_app, desk, "import", str(path), "--by", "li")

    assert erased.output == "erased: 1\n"
    assert f"left out, since it was deleted: 1: erased on {AS_OF}" in again.output
    assert desk.outside.list_reports(1) == []


def test_a_row_without_an_identifier_is_refused(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(IdentifierMissingError):
        run(report_app, desk, "import", str(write_reports(tmp_path, customer="")), "--by", "li")


def test_templates_have_the_columns_that_are_read() -> None:
    reports = run(report_app, SimpleNamespace(), "template").output
    looks = run(listing_app, SimpleNamespace(), "template").output

    assert reports.startswith("customer,name,agency,number,kind,scale,printed,limit,currency")
    assert looks.startswith("customer,name,list,found,reference")


def test_a_look_is_imported_listed_and_withdrawn(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "looks.json"
    look = {
        "customer": f"sim:{VALUE}",
        "list": "sanctions",
        "found": "no",
        "checked_on": "2026-11-20",
        "source": "register",
    }
    path.write_text(json.dumps([look]), encoding="utf-8")

    run(listing_app, desk, "import", str(path), "--by", "li")
    listed = run(listing_app, desk, "list", "1")
    run(listing_app, desk, "withdraw", "1", "1", "--reason", "theirs", "--by", "wang")
    (shown,) = json.loads(run(listing_app, desk, "list", "1", "--json").stdout)

    assert "sanctions" in listed.output
    assert (shown["found"], shown["withdrawn"]) == (False, "theirs")


def enter_application(desk: Desk, *more: str) -> Result:
    return run(
        application_app, desk, "enter", "1", "--limit", "500000.00", "--currency", "CNY",
        "--terms", "60", "--purpose", "components", "--applicant", "Chen", "--by", "li",
        "--bank", "Bank of Example|branch 3", "--trade", "Supplier Ltd", *more,
    )  # fmt: skip


def test_an_application_is_entered_amended_and_led_on(desk: Desk) -> None:
    entered = enter_application(desk)
    amended = enter_application(desk, "--replaces", "1")
    paper = run(
        application_app, desk, "document", "1", "1", "business-licence", "--dated", "2026-11-01",
        "--by", "li",
    )  # fmt: skip
    moved = run(application_app, desk, "move", "1", "1", "submitted", "--by", "li")
    shown = json.loads(run(application_app, desk, "show", "1", "--json").stdout)
    table = run(application_app, desk, "show", "1", "--lang", "zh").output
    gone = run(
        application_app, desk, "withdraw-document", "1", "1", "--reason", "theirs", "--by", "li"
    )

    assert entered.output == "application 1\n"
    assert amended.output == "application 1, version 2\n"
    assert paper.output == "document 1\n"
    assert moved.output == "application 1: submitted\n"
    (one,) = shown["applications"]
    assert (one["state"], one["requested_minor"]) == ("submitted", 50_000_000)
    assert one["references"][0] == {
        "kind": "bank", "name": "Bank of Example", "contact": "branch 3",
    }  # fmt: skip
    assert "营业执照" in table
    assert "2029-11-01" in table  # 1,096 days on
    assert gone.output == "withdrawn: 1\n"


def test_assess_lists_every_source_and_each_gap(desk: Desk, tmp_path: Path) -> None:
    run(report_app, desk, "import", str(write_reports(tmp_path)), "--by", "li")

    text = run(assess_app, desk, "1").output
    shown = json.loads(run(assess_app, desk, "1", "--json").stdout)

    assert "Bureau" in text
    assert "Financial statements: missing (-12.0 %)" in text
    evidence = shown["with_peers"]["evidence"]
    assert {one["source"] for one in evidence} == {
        "own", "peers", "statements", "reports", "lists", "application",
    }  # fmt: skip
    (report,) = (one for one in evidence if one["source"] == "reports")
    assert (report["code"], report["freshness"], report["dated_on"]) == (
        "used", "fresh", "2026-11-01",
    )  # fmt: skip
    confidence = shown["with_peers"]["confidence"]
    assert confidence["permille"] == 600 - 120 - 60 - 40
    assert [(one["source"], one["permille"]) for one in confidence["gaps"] if one["permille"]] == [
        ("statements", 120),
        ("lists", 60),
        ("application", 40),
    ]
    factors = {one["factor"]: one for one in shown["with_peers"]["factors"]}
    assert factors["agency"]["outside_value"] == 800
    assert factors["liquidity"]["spread_deci"] == -50
