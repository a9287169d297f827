"""Statements of customers over a real store: versions, replay, merges, holds, export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, text

from node.assessment.statements.errors import (
    StatementExistsError,
    StatementInvalidError,
    StatementNotFoundError,
)
from node.assessment.statements.readers import find_statement_evidence
from node.assessment.statements.rules_evidence import Freshness, StatementConfidence
from node.assessment.statements.rules_statement import (
    Assurance,
    Basis,
    Provenance,
    Source,
    Statement,
)
from node.assessment.statements.service import AFTER_WITHDRAWAL, StatementService
from node.assessment.statements.tables import STATEMENT_TABLES
from node.core.database import Database
from node.core.migrations import build_config
from node.records.archiving import CustomerArchivedError
from node.records.exporting import ExportFormat
from node.records.ledger.errors import ItemInvalidError
from node.records.portfolio import PortfolioService
from tests.support.ledgers import TODAY, House
from tests.support.statements import PROVENANCE, build_statement, leave_out
from tests.support.stores import store_url

DAY_MS = 86_400_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


@pytest.fixture
def statements(house: House) -> StatementService:
    return StatementService(database=house.database, clock=house.clock, business_date=TODAY)


def enter(
    house: House,
    statements: StatementService,
    *given: Statement,
    customer_id: int | None = None,
    provenance: Provenance = PROVENANCE,
) -> list[int]:
    entered = statements.enter(
        customer_id or house.customer_id,
        given or (build_statement(),),
        provenance=provenance,
        by="li",
    )
    return list(entered.statement_ids)


def list_sales(statements: StatementService, customer_id: int) -> dict[int, int]:
    report = statements.report(customer_id)
    return {year.version.statement.year_end.year: year.amounts["sales"] for year in report.years}


def test_what_was_entered_comes_back_with_who_and_when(
    house: House, statements: StatementService
) -> None:
    opening = {"total-assets": 90_000}
    (key,) = enter(house, statements, build_statement(opening=opening))

    (version,) = statements.list_versions(house.customer_id)

    assert version.statement == build_statement(opening=opening)
    assert version.provenance == PROVENANCE
    assert (version.statement_id, version.version, version.reason) == (key, 1, None)
    assert (version.entered_by, version.entered_at_ms) == ("li", house.clock.now_ms())


def test_all_of_several_years_is_kept_or_nothing(
    house: House, statements: StatementService
) -> None:
    bad = build_statement(2024, change={"total-equity": 400})

    with pytest.raises(StatementInvalidError) as refused:
        enter(house, statements, build_statement(), bad)

    assert [one.code for one in refused.value.findings] == ["unbalanced"]
    assert "2024-12-31" in refused.value.detail
    assert "100.00 CNY" in refused.value.detail
    assert statements.list_versions(house.customer_id) == []


def test_the_same_again_changes_nothing_and_another_is_refused(
    house: House, statements: StatementService
) -> None:
    keys = enter(house, statements)

    entered = statements.enter(
        house.customer_id, [build_statement()], provenance=PROVENANCE, by="wang"
    )
    with pytest.raises(StatementExistsError, match="correct it"):
        enter(house, statements, build_statement(change={"cash": 99}))
    other = enter(house, statements, build_statement(basis=Basis.CONSOLIDATED))

    assert (list(entered.statement_ids), entered.known) == (keys, 1)
    assert len(statements.list_versions(house.customer_id)) == 2
    assert other != keys


def test_one_year_given_twice_is_refused(house: House, statements: StatementService) -> None:
    with pytest.raises(StatementExistsError):
        enter(house, statements, build_statement(), build_statement())

    assert statements.list_versions(house.customer_id) == []


def test_a_correction_is_the_next_version_and_what_was_known_replays(
    house: House, statements: StatementService
) -> None:
    (key,) = enter(house, statements)
    before_ms = house.clock.now_ms()
    house.clock.at_ms += DAY_MS
    changed = build_statement(change={"sales": 1_600, "gross-profit": 600})

    entered = statements.correct(
        house.customer_id, key, changed, provenance=PROVENANCE, reason="typed wrong", by="wang"
    )

    first, second = statements.list_versions(house.customer_id)
    assert (second.version, second.reason, second.entered_by) == (2, "typed wrong", "wang")
    assert second.statement_id == entered.statement_ids[0]
    assert list_sales(statements, house.customer_id) == {2025: 160_000}
    then = statements.report(house.customer_id, known_at_ms=before_ms)
    assert then.years[0].version == first
    with pytest.raises(StatementNotFoundError):  # the first version counts no longer
        statements.withdraw(house.customer_id, key, reason="x", by="li")


def test_a_correction_stays_in_its_year_and_needs_a_reason(
    house: House, statements: StatementService
) -> None:
    (key,) = enter(house, statements)

    for statement, reason, error in (
        (build_statement(2024), "x", StatementInvalidError),
        (build_statement(basis=Basis.CONSOLIDATED), "x", StatementInvalidError),
        (build_statement(), " ", ItemInvalidError),
    ):
        with pytest.raises(error):
            statements.correct(
                house.customer_id, key, statement, provenance=PROVENANCE, reason=reason, by="li"
            )
    other = house.add_customer("C2")
    with pytest.raises(StatementNotFoundError):
        statements.withdraw(other, key, reason="x", by="li")


def test_a_withdrawn_statement_counts_no_longer_and_may_be_entered_anew(
    house: House, statements: StatementService
) -> None:
    (key,) = enter(house, statements)

    statements.withdraw(house.customer_id, key, reason="another company's", by="wang")
    report = statements.report(house.customer_id)
    enter(house, statements)

    assert report.years == ()
    assert report.evidence.missing == ("statement",)
    assert list_sales(statements, house.customer_id) == {2025: 150_000}
    reasons = [one.reason for one in statements.list_versions(house.customer_id)]
    assert reasons == [None, "another company's", AFTER_WITHDRAWAL]


def test_a_trial_finds_the_same_and_keeps_nothing(
    house: House, statements: StatementService
) -> None:
    enter(house, statements, build_statement(2023))
    given = [build_statement(), build_statement(2023)]

    tried = statements.enter(
        house.customer_id, given, provenance=PROVENANCE, by="li", is_trial=True
    )
    entered = statements.enter(house.customer_id, given, provenance=PROVENANCE, by="li")

    assert tried.findings == entered.findings
    assert [one.code for one in entered.findings] == ["year-gap"]
    assert (tried.statement_ids, tried.known, entered.known) == ((), 1, 1)


def test_the_report_shows_five_years_of_the_basis_that_is_newest(
    house: House, statements: StatementService
) -> None:
    years = [build_statement(year, change={"sales": year}) for year in range(2019, 2025)]
    for year in years:
        # The sales of a year are its number: what it costs follows.
        sales = year.lines["sales"]
        lines = {**year.lines, "cost-of-sales": sales - 50_000}
        enter(house, statements, replace(year, lines=lines))
    enter(house, statements, build_statement(2025, basis=Basis.CONSOLIDATED))

    consolidated = statements.report(house.customer_id)
    single = statements.report(house.customer_id, basis=Basis.SINGLE)

    assert (consolidated.basis, len(consolidated.years)) == (Basis.CONSOLIDATED, 1)
    assert consolidated.bases == (Basis.SINGLE, Basis.CONSOLIDATED)
    assert [year.version.statement.year_end.year for year in single.years] == list(
        range(2020, 2025)
    )
    assert len(single.ratios["sales-growth"]) == 5
    assert single.trends["current-ratio"] is not None
    assert single.trends["current-ratio"].years == 5


def test_evidence_says_how_old_and_what_is_missing(
    house: House, statements: StatementService
) -> None:
    lines = leave_out(build_statement(2023), "operating-cash-flow", "retained-earnings")
    old = build_statement(2023, assurance=Assurance.UNAUDITED, lines=lines)
    enter(house, statements, old)

    with house.database.read() as uow:
        evidence = find_statement_evidence(uow, house.customer_id, as_of=TODAY)
        earlier = find_statement_evidence(uow, house.customer_id, as_of=date(2026, 2, 28))
    for year in (2024, 2025):
        enter(house, statements, build_statement(year))
    with house.database.read() as uow:
        fresh = find_statement_evidence(uow, house.customer_id, as_of=TODAY)

    assert (evidence.age_days, evidence.received_age_days) == (821, 30)
    assert (evidence.freshness, evidence.weight_milli) == (Freshness.STALE, 200)
    assert evidence.missing == (
        "fresh-year", "audit", "three-years", "line.retained-earnings", "line.operating-cash-flow",
    )  # fmt: skip
    assert evidence.confidence is StatementConfidence.LOW
    assert earlier.missing == ("statement",)  # it was received on 1 March
    assert (fresh.years, fresh.weight_milli, fresh.missing) == (3, 1000, ())
    assert fresh.confidence is StatementConfidence.HIGH
    assert {one.code for one in fresh.ratios if one.value is None} == set()


def test_a_merge_takes_statements_along_and_its_end_gives_them_back(
    house: House, statements: StatementService
) -> None:
    other = house.add_customer("C2")
    enter(house, statements, build_statement(2024))
    enter(house, statements, build_statement(2025), customer_id=other)
    twice = build_statement(2024, change={"cash": 90, "receivables": 310})
    enter(house, statements, twice, customer_id=other)
    before_ms = house.clock.now_ms()
    house.clock.at_ms += DAY_MS

    house.customers.merge(other, into_id=house.customer_id, reason="one company", by="li")
    merged = statements.report(house.customer_id)
    then = statements.report(house.customer_id, known_at_ms=before_ms)
    by_former = statements.report(other)
    with pytest.raises(StatementExistsError):
        enter(house, statements, build_statement(2025, change={"cash": 1}))
    house.clock.at_ms += DAY_MS
    house.customers.unmerge(other, reason="two companies", by="li")

    assert [year.version.customer_id for year in merged.years] == [other, other]
    assert [one.code for one in merged.years[0].findings] == ["two-of-a-year"]
    assert [year.version.statement.year_end.year for year in then.years] == [2024]
    assert by_former.customer_id == house.customer_id
    assert list_sales(statements, house.customer_id).keys() == {2024}
    assert list_sales(statements, other).keys() == {2024, 2025}


def test_nothing_is_entered_where_the_relation_is_closed(
    house: House, statements: StatementService
) -> None:
    (key,) = enter(house, statements)
    house.lifecycle.archive(house.customer_id, reason="over", by="li")

    with pytest.raises(CustomerArchivedError):
        enter(house, statements, build_statement(2024))
    with pytest.raises(CustomerArchivedError):
        statements.withdraw(house.customer_id, key, reason="x", by="li")

    assert list_sales(statements, house.customer_id) == {2025: 150_000}


def test_years_past_the_term_go_whole_and_do_not_come_back(house: House) -> None:
    held = house.add_customer("C2")
    young = StatementService(database=house.database, clock=house.clock, business_date=TODAY)
    old = build_statement(2023)
    for customer_id in (house.customer_id, held):
        enter(house, young, old, build_statement(2024), customer_id=customer_id)
    house.lifecycle.hold(held, basis="a case", by="li")
    merged = house.add_customer("C3")
    enter(house, young, old, customer_id=merged)
    house.customers.merge(merged, into_id=held, reason="one company", by="li")
    statements = StatementService(
        database=house.database, clock=house.clock, business_date=TODAY, keep_months=24
    )

    tried = statements.expire(by="li", is_trial=True)
    done = statements.expire(by="li")

    assert tried == done
    assert (done.versions, done.held) == (1, 2)
    assert list_sales(statements, house.customer_id).keys() == {2024}
    assert list_sales(statements, held).keys() == {2023, 2024}
    with pytest.raises(StatementInvalidError, match="older than statements are kept"):
        enter(house, statements, old)
    assert statements.expire(by="li").versions == 0


def test_they_go_out_with_everything_else(
    house: House, statements: StatementService, tmp_path: Path
) -> None:
    enter(house, statements)
    portfolio = PortfolioService(
        database=house.database, clock=house.clock, more_tables=STATEMENT_TABLES
    )

    manifest = portfolio.export(tmp_path / "out", form=ExportFormat.CSV)

    rows = {one.table: one.rows for one in manifest.files}
    assert rows["financial_statement"] == 1
    assert rows["financial_statement_line"] == len(build_statement().lines)
    assert "total-assets" in (tmp_path / "out" / "financial_statement_line.csv").read_text()
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["files"][-1]["rows"]


def test_a_document_is_named_by_its_hash(house: House, statements: StatementService) -> None:
    wrong = Provenance(source=Source.CSV, document_sha256_hex="ab", received_on=date(2026, 3, 1))

    with pytest.raises(StatementInvalidError, match="64 hexadecimal"):
        enter(house, statements, provenance=wrong)


def test_the_migration_goes_up_and_down_beside_what_is_there(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    command.upgrade(build_config(database), "0031")
    with database.write() as uow:
        uow.connection.execute(
            text("INSERT INTO customer VALUES (1, 'sim', 'C1', '示例', 'CN', 'company', 7)")
        )
    command.upgrade(build_config(database), "0032")
    with database.write() as uow:
        uow.connection.execute(
            text(
                "INSERT INTO financial_statement VALUES (1, 1, '2025-12-31', 'single', 1, false,"
                " 12, 'CNY', 'ones', 'audited', 'cas', 'entered', NULL, '2026-03-01', NULL,"
                " 'li', 7)"
            )
        )
        uow.connection.execute(
            text("INSERT INTO financial_statement_line VALUES (1, false, 'cash', 5)")
        )

    command.downgrade(build_config(database), "0031")

    assert "financial_statement" not in inspect(database.engine).get_table_names()
    with database.read() as uow:
        assert uow.connection.execute(text("SELECT count(*) FROM customer")).scalar_one() == 1
    database.dispose()
