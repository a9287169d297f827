"""Agencies' reports and public lists over a real store: import, versions, merges, readers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import event, inspect, text

from node.assessment.application.checklist import read_preset_checklist
from node.assessment.application.outside_reader import OutsideReader
from node.assessment.outside.errors import (
    IdentifierMissingError,
    ListingInvalidError,
    ListingNotFoundError,
    OutsideFileError,
    ReportExistsError,
    ReportInvalidError,
    ReportNotFoundError,
)
from node.assessment.outside.importing import read_check_file, read_report_file
from node.assessment.outside.readers import read_lists, read_reports
from node.assessment.outside.service import OutsideService
from node.assessment.outside.tables import OUTSIDE_TABLES
from node.assessment.outside_evidence import ReportKind
from node.assessment.policy_outside import PublicList
from node.assessment.statements.service import StatementService
from node.core.database import Database
from node.core.migrations import build_config
from node.records.archiving import CustomerArchivedError
from node.records.exporting import ExportFormat
from node.records.portfolio import PortfolioService
from node.records.service import CustomerNotFoundError
from tests.support.ledgers import TODAY, House
from tests.support.outside import make_check, make_entry, make_report
from tests.support.statements import PROVENANCE, build_statement
from tests.support.stores import store_url

REPORTS_CSV = (
    "customer,name,agency,number,kind,scale,printed,limit,currency,issued_on,expires_on,"
    "document_sha256_hex,source\n"
    f"sim:C1,示例,Bureau,R-1,score,points-100,80,50000.00,CNY,2026-03-01,2026-09-01,{'a' * 64},"
    "subscription\n"
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


@pytest.fixture
def outside(house: House) -> OutsideService:
    return OutsideService(database=house.database, clock=house.clock, business_date=TODAY)


def test_a_report_comes_back_with_who_and_when(house: House, outside: OutsideService) -> None:
    entered = outside.enter_reports([("sim:C1", make_report())], by="li")

    (version,) = outside.list_reports(house.customer_id)
    assert entered.keys == (version.report_id,)
    assert version.report == make_report()
    assert (version.version, version.entered_by, version.reason) == (1, "li", None)


def test_a_table_and_json_enter_the_same(house: House, outside: OutsideService) -> None:
    given = read_report_file(REPORTS_CSV.encode())
    as_json = (
        '[{"customer": "sim:C1", "agency": "Bureau", "number": "R-1", "kind": "score",'
        ' "scale": "points-100", "printed": "80", "limit": "50000.00", "currency": "CNY",'
        ' "issued_on": "2026-03-01", "expires_on": "2026-09-01", "source": "subscription",'
        f' "document_sha256_hex": "{"a" * 64}"}}]'
    )

    first = outside.enter_reports(given, by="li")
    again = outside.enter_reports(read_report_file(as_json.encode()), by="li")

    assert given == [("sim:C1", make_report())]
    assert (first.known, again.known) == (0, 1)
    assert again.keys == first.keys
    assert len(outside.list_reports(house.customer_id)) == 1


def test_a_file_goes_in_whole_or_not_at_all(house: House, outside: OutsideService) -> None:
    given = [("sim:C1", make_report()), ("sim:C9", make_report(number="R-2"))]

    with pytest.raises(CustomerNotFoundError, match=r"^2:"):
        outside.enter_reports(given, by="li")

    assert outside.list_reports(house.customer_id) == []


def test_nobody_is_matched_by_name(outside: OutsideService) -> None:
    with pytest.raises(IdentifierMissingError, match="row 2"):
        read_report_file(REPORTS_CSV.replace("sim:C1,示例", ",示例").encode())
    with pytest.raises(CustomerNotFoundError):
        outside.enter_reports([("示例", make_report())], by="li")
    with pytest.raises(IdentifierMissingError):
        outside.enter_checks([(" ", make_check())], by="li")
    # The other way round: with the identifier, another name beside it changes nothing.
    given = read_report_file(REPORTS_CSV.replace("示例", "别的公司").encode())
    assert outside.enter_reports(given, by="li").keys


def test_a_trial_keeps_nothing_and_refuses_the_same(house: House, outside: OutsideService) -> None:
    tried = outside.enter_reports([("sim:C1", make_report())], by="li", is_trial=True)

    assert (tried.keys, outside.list_reports(house.customer_id)) == ((), [])
    with pytest.raises(ReportInvalidError):
        outside.enter_reports([("sim:C1", make_report(source=""))], by="li", is_trial=True)


def test_another_report_of_the_number_is_a_correction_with_a_reason(
    house: House, outside: OutsideService
) -> None:
    (key,) = outside.enter_reports([("sim:C1", make_report())], by="li").keys
    better = make_report(printed="70")

    with pytest.raises(ReportExistsError, match=f"key {key}"):
        outside.enter_reports([("sim:C1", better)], by="li")
    newer = outside.correct_report(house.customer_id, key, better, reason="misread", by="wang")

    with house.database.read() as uow:
        (facts,) = read_reports(uow, house.customer_id, as_of=TODAY)
    assert (facts.report_id, facts.printed) == (newer, "70")
    with pytest.raises(ReportNotFoundError):
        outside.withdraw_report(house.customer_id, key, reason="old key", by="wang")
    other = make_report(number="R-9")
    with pytest.raises(ReportInvalidError, match="agency, number"):
        outside.correct_report(house.customer_id, newer, other, reason="x", by="wang")


def test_a_withdrawn_report_counts_no_longer_and_may_come_again(
    house: House, outside: OutsideService
) -> None:
    (key,) = outside.enter_reports([("sim:C1", make_report())], by="li").keys
    outside.withdraw_report(house.customer_id, key, reason="another company's", by="wang")

    with house.database.read() as uow:
        assert read_reports(uow, house.customer_id, as_of=TODAY) == ()
    outside.enter_reports([("sim:C1", make_report())], by="li")

    versions = outside.list_reports(house.customer_id)
    assert [one.version for one in versions] == [1, 2, 3]
    assert [one.is_withdrawn for one in versions] == [False, True, False]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"agency": ""}, "agency"),
        ({"number": "x\x1b[2J"}, "number"),
        ({"scale": "Points 100"}, "scale"),
        ({"printed": ""}, "printed"),
        ({"limit_minor": None}, "limit, currency"),
        ({"limit_minor": -1}, "limit"),
        ({"currency": "yuan"}, "currency"),
        ({"issued_on": date(2026, 4, 1)}, "issued_on"),
        ({"expires_on": date(2026, 2, 28)}, "expires_on"),
        ({"document_sha256_hex": "ab"}, "document_sha256_hex"),
    ],
)
def test_a_report_that_none_can_be_is_refused(
    outside: OutsideService, house: House, change: dict[str, object], word: str
) -> None:
    with pytest.raises(ReportInvalidError, match=word):
        outside.enter_reports([("sim:C1", make_report(**change))], by="li")

    assert outside.list_reports(house.customer_id) == []


def test_a_report_without_a_score_needs_none(outside: OutsideService) -> None:
    bare = make_report(
        kind=ReportKind.REPORT, scale="", printed="", limit_minor=None, currency=None
    )

    assert outside.enter_reports([("sim:C1", bare)], by="li").keys


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "no|header|row"),
        (b"customer,agency\n", "no row"),
        (b"customer,colour\nsim:C1,red\n", "unknown column"),
        (b"customer,kind\nsim:C1,opinion\n", "row 2, kind"),
        (b"customer,kind,issued_on\nsim:C1,report,20260301\n", "row 2, issued_on"),
        (b"customer,kind,issued_on\nsim:C1,report,\n", "row 2, issued_on"),
        (b"customer,kind,issued_on,limit\nsim:C1,report,2026-03-01,5\n", "row 2, currency"),
        (b'[{"customer": 1}]', "row 1"),
        (b'[{"customer": "a", "customer": "b"}]', "twice|JSON"),
        (b"[" + b" " * 1_048_576 + b"]", "bytes"),
    ],
)
def test_a_file_that_cannot_be_read_names_row_and_column(raw: bytes, word: str) -> None:
    with pytest.raises(OutsideFileError, match=word):
        read_report_file(raw)


def test_a_look_that_finds_nothing_ends_what_stood_before(
    house: House, outside: OutsideService
) -> None:
    found = make_entry(checked_on=date(2026, 2, 10))
    outside.enter_checks([("sim:C1", found), ("sim:C1", make_check())], by="li")

    with house.database.read() as uow:
        (then,) = read_lists(uow, house.customer_id, as_of=date(2026, 3, 1))
        (now,) = read_lists(uow, house.customer_id, as_of=TODAY)
    assert then.entries == ((date(2026, 2, 1), None),)
    assert now.entries == ((date(2026, 2, 1), date(2026, 3, 20)),)
    assert now.checked_on == date(2026, 3, 20)


def test_looks_come_from_a_file_and_count_once(house: House, outside: OutsideService) -> None:
    raw = (
        "customer,list,found,reference,listed_on,removed_on,checked_on,source\n"
        "sim:C1,sanctions,no,,,,2026-03-20,register\n"
        "sim:C1,dishonest-debtor,是,(2026)77,2026-02-01,2026-03-01,2026-03-20,court\n"
    ).encode()

    first = outside.enter_checks(read_check_file(raw), by="li")
    again = outside.enter_checks(read_check_file(raw), by="li")

    assert again.keys == first.keys
    assert again.known == 2
    checks = {one.check.list: one.check for one in outside.list_checks(house.customer_id)}
    assert checks[PublicList.DISHONEST_DEBTOR].removed_on == date(2026, 3, 1)
    assert not checks[PublicList.SANCTIONS].is_found


def test_a_withdrawn_look_counts_no_longer(house: House, outside: OutsideService) -> None:
    (key,) = outside.enter_checks([("sim:C1", make_entry())], by="li").keys

    outside.withdraw_check(house.customer_id, key, reason="another company's", by="wang")

    with house.database.read() as uow:
        assert read_lists(uow, house.customer_id, as_of=TODAY) == ()
    (kept,) = outside.list_checks(house.customer_id)
    assert kept.withdrawn_reason == "another company's"
    with pytest.raises(ListingNotFoundError):
        outside.withdraw_check(house.customer_id, key, reason="again", by="wang")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"reference": ""}, "never by a name"),
        ({"listed_on": None}, "listed_on"),
        ({"listed_on": date(2026, 3, 21)}, "listed_on"),
        ({"removed_on": date(2026, 1, 31)}, "removed_on"),
        ({"checked_on": date(2026, 4, 1)}, "checked_on"),
        ({"source": ""}, "source"),
        ({"is_found": False}, "only of an entry"),
    ],
)
def test_a_look_that_none_can_be_is_refused(
    outside: OutsideService, house: House, change: dict[str, object], word: str
) -> None:
    with pytest.raises(ListingInvalidError, match=word):
        outside.enter_checks([("sim:C1", make_entry(**change))], by="li")

    assert outside.list_checks(house.customer_id) == []


def test_a_merge_takes_both_along_and_its_end_gives_them_back(
    house: House, outside: OutsideService
) -> None:
    other = house.add_customer("C2")
    outside.enter_reports([("sim:C2", make_report())], by="li")
    outside.enter_checks([("sim:C2", make_entry())], by="li")

    house.customers.merge(other, into_id=house.customer_id, reason="one company", by="wang")

    with house.database.read() as uow:
        assert len(read_reports(uow, house.customer_id, as_of=TODAY)) == 1
        assert len(read_lists(uow, house.customer_id, as_of=TODAY)) == 1
    house.customers.unmerge(other, reason="two after all", by="wang")
    with house.database.read() as uow:
        assert read_reports(uow, house.customer_id, as_of=TODAY) == ()
        assert len(read_reports(uow, other, as_of=TODAY)) == 1


def test_nothing_joins_a_closed_relation(house: House, outside: OutsideService) -> None:
    (key,) = outside.enter_reports([("sim:C1", make_report())], by="li").keys
    house.lifecycle.archive(house.customer_id, reason="moved away", by="wang")

    with pytest.raises(CustomerArchivedError):
        outside.enter_reports([("sim:C1", make_report(number="R-2"))], by="li")
    with pytest.raises(CustomerArchivedError):
        outside.withdraw_report(house.customer_id, key, reason="x", by="li")
    with pytest.raises(CustomerArchivedError):
        outside.enter_checks([("sim:C1", make_check())], by="li")


def test_many_customers_are_read_as_one_is_in_as_many_queries_as_for_two(
    house: House, outside: OutsideService
) -> None:
    statements = StatementService(database=house.database, clock=house.clock, business_date=TODAY)
    keys = [house.customer_id, *(house.add_customer(f"N{number}") for number in range(12))]
    for number, key in enumerate(keys):
        if number % 2:
            statements.enter(key, [build_statement(2025)], provenance=PROVENANCE, by="li")
        if number % 3:
            outside.enter_reports([(str(key), make_report())], by="li")
            outside.enter_checks([(str(key), make_entry())], by="li")
    house.customers.merge(keys[5], into_id=keys[0], reason="one company", by="li")
    keys.remove(keys[5])
    reader = OutsideReader(checklist=read_preset_checklist())

    executed: list[str] = []

    def note(*given: object) -> None:
        executed.append(str(given[2]))

    with house.database.read() as uow:
        one_by_one = {key: reader.read_one(uow, key, as_of=TODAY) for key in keys}
        event.listen(house.database.engine, "before_cursor_execute", note)
        many = reader(uow, keys, as_of=TODAY)
        asked_for_many = len(executed)
        reader(uow, keys[:2], as_of=TODAY)
        event.remove(house.database.engine, "before_cursor_execute", note)

    assert many == one_by_one
    assert len(executed) == 2 * asked_for_many
    assert {bool(one.reports) for one in many.values()} == {True, False}
    assert many[keys[1]].statements is not None


def test_they_go_out_with_everything_else(
    house: House, outside: OutsideService, tmp_path: Path
) -> None:
    outside.enter_reports([("sim:C1", make_report())], by="li")
    portfolio = PortfolioService(
        database=house.database, clock=house.clock, more_tables=OUTSIDE_TABLES
    )

    manifest = portfolio.export(tmp_path / "out", form=ExportFormat.CSV)

    assert {one.table: one.rows for one in manifest.files}["outside_report"] == 1


def test_the_migrations_go_up_and_down_beside_assessments_that_are_there(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    command.upgrade(build_config(database), "0034")
    with database.write() as uow:
        for statement in (
            "INSERT INTO customer VALUES (1, 'sim', 'C1', '示例', 'CN', 'company', 7)",
            """INSERT INTO assessment VALUES (1, 1, 'sim:C1', '2026-03-31', 7, NULL, 'expert', 1,
               'h', 700, 'medium', 'confidence.own-only', 'dbt.good')""",
            "INSERT INTO assessment_evidence VALUES (1, 1, 0, 'own', NULL, 'used', 12000)",
            "INSERT INTO assessment_evidence_value VALUES (1, 1, 0, 12, 20)",
        ):
            uow.connection.execute(text(statement))

    command.upgrade(build_config(database), "0039")
    with database.read() as uow:
        after = uow.connection.execute(text("SELECT source, freshness FROM assessment_evidence"))
        assert after.one() == (None, None)
    command.downgrade(build_config(database), "0034")

    assert "outside_report" not in inspect(database.engine).get_table_names()
    columns = {one["name"] for one in inspect(database.engine).get_columns("assessment")}
    assert "confidence_permille" not in columns
    with database.read() as uow:
        kept = uow.connection.execute(text("SELECT ref, weight_milli FROM assessment_evidence"))
        assert kept.one() == ("own", 12000)
    database.dispose()
