"""Import into a real database: one transaction, idempotent, nothing half-done."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from node.core.clock import ManualClock
from node.core.database import Database
from node.core.errors import InvariantError
from node.records.commands import records_app
from node.records.rules_ageing import Bucket
from node.records.service import (
    AdverseEventInvalidError,
    CustomerInvalidError,
    CustomerNotFoundError,
    RecordsService,
    find_behaviour_window,
)
from node.records.store import RecordsStore
from node.records.windows import last_released_month, parse_month, release_date
from tests.support.stores import FAILURE, fail_inserts, migrated_url

BUSINESS_DATE = date(2026, 6, 30)
HEADER = (
    "customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
    "currency,amount,paid_on,paid_amount,disputed\n"
)
FILE = HEADER + (
    "sim,C1,示例启明,CN,D1,1,2026-02-02,2026-03-04,CNY,1000.00,2026-03-10,600.00,\n"
    "sim,C1,示例启明,CN,D1,1,2026-02-02,2026-03-04,CNY,1000.00,2026-04-13,400.00,\n"
    "sim,C1,示例启明,CN,D2,1,2026-03-02,2026-04-01,CNY,500.00,,,\n"
    "sim,C1,示例启明,CN,D3,1,2026-05-02,2026-06-01,CNY,300.00,2026-06-01,,\n"
    "sim,C1,示例启明,CN,D4,1,2026-05-02,2026-07-01,CNY,200.00,,,\n"
    "sim,C1,示例启明,CN,D5,1,2026-03-02,2026-04-01,CNY,70.00,,,yes\n"
    "sim,C1,示例启明,CN,D6,1,2026-03-02,2026-04-01,USD,9.00,,,\n"
    "sim,C2,Muster Nordhafen GmbH,DE,D7,1,2026-03-02,2026-04-03,EUR,80.00,2026-04-07,,\n"
)
BAD_ROW = "sim,C3,Broken,CN,D8,1,2026-03-02,someday,CNY,80.00,,,\n"
TABLES = (
    "customer",
    "source_import",
    "ledger_item",
    "allocation",
    "dispute",
    "behaviour_month",
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(url=migrated_url(tmp_path / "node.db"))
    yield database
    database.dispose()


@pytest.fixture
def service(database: Database) -> RecordsService:
    clock = ManualClock(1_782_800_000_000)
    return RecordsService(database=database, clock=clock, business_date=BUSINESS_DATE)


def count_rows(database: Database) -> dict[str, int]:
    with database.read() as uow:
        return {
            table: uow.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  our own names
            for table in TABLES
        }


def test_a_file_is_imported_once_and_again_changes_nothing(
    database: Database, service: RecordsService
) -> None:
    first = service.import_file(FILE.encode(), file_name="may.csv")
    before = count_rows(database)
    again = service.import_file(FILE.encode(), file_name="may.csv")

    assert (first.imported, first.rows_used, first.invoices_added) == (True, 8, 7)
    assert (first.payments_added, first.customers_added) == (4, 2)
    assert (again.imported, again.rows_known, again.rows_used) == (False, 8, 0)
    assert count_rows(database) == before


def test_a_later_export_adds_only_what_is_new(service: RecordsService) -> None:
    service.import_file(FILE.encode())
    later = FILE.replace("500.00,,,", "500.00,2026-06-20,500.00,")

    report = service.import_file(later.encode())

    assert (report.invoices_added, report.payments_added, report.rows_known) == (0, 1, 7)
    assert service.compare_behaviour() == []


def test_the_same_document_of_another_source_is_another_invoice(service: RecordsService) -> None:
    service.import_file(FILE.encode())

    assert service.import_file(FILE.encode(), source="other-erp").invoices_added == 7


@pytest.mark.parametrize(
    ("old", "new", "row"),
    [
        ("500.00,,,", "501.00,,,", 4),
        ("D2,1,2026-03-02,2026-04-01", "D2,1,2026-03-02,2026-04-02", 4),
        ("sim,C2,", "sim,C1,", 9),
        ("500.00,,,", "500.00,,,yes", 4),
        ("300.00,2026-06-01,,", "300.00,2026-06-02,,", 5),
    ],
)
def test_an_imported_line_with_other_values_is_rejected(
    service: RecordsService, old: str, new: str, row: int
) -> None:
    service.import_file(FILE.encode())

    report = service.import_file(FILE.replace(old, new).encode())

    assert [reject.row for reject in report.rejects] == [row]
    assert not report.imported


def test_good_rows_go_in_and_bad_ones_are_reported(service: RecordsService) -> None:
    report = service.import_file((FILE + BAD_ROW).encode())

    assert report.imported
    assert report.rows_read == report.rows_used + report.rows_rejected == 9
    assert [(reject.row, reject.column) for reject in report.rejects] == [(10, "due_on")]


def test_strict_keeps_everything_out_for_one_bad_row(
    database: Database, service: RecordsService
) -> None:
    report = service.import_file((FILE + BAD_ROW).encode(), strict=True)

    assert (report.imported, report.rows_rejected, report.rows_used) == (False, 1, 0)
    assert set(count_rows(database).values()) == {0}


def test_strict_keeps_everything_out_for_one_changed_line(
    database: Database, service: RecordsService
) -> None:
    service.import_file(FILE.encode())
    before = count_rows(database)
    new = FILE.replace("500.00,,,", "501.00,,,") + BAD_ROW.replace("someday", "2026-04-03")

    report = service.import_file(new.encode(), strict=True)

    assert not report.imported
    assert count_rows(database) == before


@pytest.mark.parametrize("table", TABLES)
def test_a_failure_at_any_table_leaves_nothing(
    database: Database, service: RecordsService, table: str
) -> None:
    with database.write() as uow:
        fail_inserts(uow.connection, table)

    with pytest.raises(IntegrityError, match=FAILURE):
        service.import_file(FILE.encode())

    assert set(count_rows(database).values()) == {0}


def test_the_due_date_is_moved_by_the_calendar_of_the_payer(service: RecordsService) -> None:
    service.import_file(FILE.encode())

    window = service.find_behaviour_window(
        scheme="sim",
        value="C2",
        first_month=parse_month("2026-04"),
        last_month=parse_month("2026-04"),
        as_of=date(2026, 5, 5),
    )

    assert window is not None
    assert window.months[0].delay_counts == (0, 1, 0, 0, 0, 0, 0, 0, 0)  # paid after Easter


def test_a_window_holds_months_balances_and_the_present(
    database: Database, service: RecordsService
) -> None:
    service.import_file(FILE.encode())
    last = last_released_month(BUSINESS_DATE)

    with database.read() as uow:
        window = find_behaviour_window(
            uow,
            subject_scheme="sim",
            subject_value="C1",
            first_month=last - 11,
            last_month=last,
            as_of=release_date(last),
        )

    assert window is not None
    march, april = window.months
    assert window.currency == "CNY"
    assert (march.month, april.month) == (parse_month("2026-03"), parse_month("2026-04"))
    assert march.late_days_by_amount == 60_000 * 6 + 40_000 * 40
    assert (april.delay_counts[-1], april.disputed_count, april.disputed_minor) == (1, 1, 7000)
    assert window.high_credit_minor == 157_000  # on the second of March: D1, D2 and D5
    assert window.owing_minor == 50_000 + 20_000 + 7_000
    assert (window.past_due_minor, window.oldest_overdue_days) == (50_000, 65)
    assert (window.first_sale_on, window.last_sale_on) == (date(2026, 2, 2), date(2026, 5, 2))


def test_an_earlier_date_is_replayed_with_the_same_rules(service: RecordsService) -> None:
    service.import_file(FILE.encode())

    window = service.find_behaviour_window(
        scheme="sim",
        value="C1",
        first_month=parse_month("2026-03"),
        last_month=parse_month("2026-03"),
        as_of=date(2026, 4, 5),
    )

    assert window is not None
    (march,) = window.months
    assert march.paid_minor == 60_000
    assert march.delay_counts[-1] == 1
    assert march.late_days_by_amount == 60_000 * 6 + 40_000 * 32


def test_who_is_unknown_or_was_never_sold_to_has_no_window(service: RecordsService) -> None:
    service.import_file(FILE.encode())

    for value, as_of in (("C9", BUSINESS_DATE), ("C1", date(2026, 1, 1))):
        assert (
            service.find_behaviour_window(
                scheme="sim", value=value, first_month=24312, last_month=24316, as_of=as_of
            )
            is None
        )


def test_ageing_adds_up_for_each_currency(service: RecordsService) -> None:
    service.import_file(FILE.encode())
    customer = service.find_customer(scheme="sim", value="C1")
    assert customer is not None

    yuan, dollars = service.ageing(customer.customer_id, as_of=BUSINESS_DATE)

    assert (yuan.currency, yuan.balance_minor, yuan.disputed_minor) == ("CNY", 77_000, 7_000)
    assert (yuan.buckets[Bucket.NOT_DUE], yuan.buckets[Bucket.D61_90]) == (20_000, 57_000)
    assert (dollars.currency, dollars.balance_minor) == ("USD", 900)


def test_a_payment_before_its_invoice_is_unapplied_until_then(service: RecordsService) -> None:
    early = "sim,C1,示例启明,CN,D9,1,2026-06-10,2026-07-01,CNY,55.00,2026-06-01,,\n"
    service.import_file((FILE + early).encode())
    customer = service.find_customer(scheme="sim", value="C1")
    assert customer is not None

    before = service.ageing(customer.customer_id, as_of=date(2026, 6, 5))[0]
    after = service.ageing(customer.customer_id, as_of=date(2026, 6, 10))[0]

    assert (before.unapplied_minor, before.balance_minor) == (5_500, 71_500)
    assert (after.unapplied_minor, after.balance_minor) == (0, 77_000)


def test_the_check_finds_a_rolled_up_month_that_is_wrong_and_rebuilding_mends_it(
    database: Database, service: RecordsService
) -> None:
    service.import_file(FILE.encode())
    with database.write() as uow:
        uow.connection.execute(
            text("UPDATE behaviour_month SET paid_minor = 1 WHERE month = 24314")
        )
        uow.connection.execute(text("DELETE FROM behaviour_month WHERE currency = 'EUR'"))

    wrong = {(item.currency, item.month) for item in service.compare_behaviour()}
    kept = service.rebuild_behaviour()

    assert wrong == {("CNY", 24314), ("EUR", 24315)}
    assert service.compare_behaviour() == []
    assert kept == count_rows(database)["behaviour_month"]


def test_a_rolled_up_month_without_an_invoice_is_found(
    database: Database, service: RecordsService
) -> None:
    service.import_file(FILE.encode())
    with database.write() as uow:
        uow.connection.execute(text("UPDATE behaviour_month SET month = 1 WHERE currency = 'EUR'"))

    assert [(item.currency, item.month) for item in service.compare_behaviour()] == [
        ("EUR", 1),
        ("EUR", 24315),
    ]


def test_customers_and_portfolio_come_in_pages(service: RecordsService) -> None:
    service.import_file(FILE.encode())

    first = service.list_customers(limit=1)
    second = service.list_customers(limit=5, after=first[0].customer_id)
    portfolio = service.list_portfolio(as_of=BUSINESS_DATE)

    assert [customer.subject_id for customer in (*first, *second)] == ["sim:C1", "sim:C2"]
    assert service.count_customers() == 2
    assert service.get_customer(first[0].customer_id).name == "示例启明"
    assert [(row.customer.value, row.owing_minor) for row in portfolio] == [
        ("C1", 77_000),
        ("C2", 0),
    ]
    assert portfolio[0].oldest_overdue_days == 90


def test_the_trend_is_of_released_months(service: RecordsService) -> None:
    service.import_file(FILE.encode())
    customer = service.list_customers(limit=1)[0]

    trend = service.monthly_trend(customer.customer_id, as_of=BUSINESS_DATE, months=6)

    assert trend is not None
    assert (trend.first_month, trend.last_month) == (24311, 24316)
    assert [month.month for month in trend.months] == [24314, 24315]


def test_a_customer_is_entered_before_its_first_invoice_and_only_once(
    service: RecordsService,
) -> None:
    added = service.add_customer(scheme="sim", value="C9", name="示例远帆")
    again = service.add_customer(scheme="sim", value="C9", name="another", country="DE")

    assert again == added
    assert (added.subject_id, added.name, added.country) == ("sim:C9", "示例远帆", "ZZ")
    assert service.ageing(added.customer_id, as_of=BUSINESS_DATE) == []
    assert service.monthly_trend(added.customer_id, as_of=BUSINESS_DATE) is None


def test_a_customer_of_no_form_is_refused(service: RecordsService) -> None:
    with pytest.raises(CustomerInvalidError, match="value"):
        service.add_customer(scheme="sim", value="C 9", name="x")


def test_an_unknown_customer_is_refused(service: RecordsService) -> None:
    for use in (
        lambda: service.get_customer(9),
        lambda: service.ageing(9, as_of=BUSINESS_DATE),
        lambda: service.monthly_trend(9, as_of=BUSINESS_DATE),
    ):
        with pytest.raises(CustomerNotFoundError):
            use()


def test_an_adverse_event_is_seen_from_its_day_on_and_settled_from_another(
    service: RecordsService,
) -> None:
    service.import_file(FILE.encode())
    customer = service.list_customers(limit=1)[0]
    service.record_adverse_event(
        customer.customer_id,
        kind="collection",
        happened_on=date(2026, 4, 10),
        settled_on=date(2026, 5, 10),
        evidence_sha256_hex="ab" * 32,
    )

    seen = []
    for as_of in (date(2026, 4, 9), date(2026, 4, 10), date(2026, 5, 10)):
        window = service.find_behaviour_window(
            scheme="sim", value="C1", first_month=24314, last_month=24315, as_of=as_of
        )
        assert window is not None
        seen.append([event.settled for event in window.adverse])

    assert seen == [[], [False], [True]]


@pytest.mark.parametrize(
    ("kind", "settled_on", "evidence"),
    [
        ("rumour", None, "ab" * 32),
        ("legal", None, ""),
        ("legal", date(2026, 1, 1), "ab" * 32),
    ],
)
def test_an_adverse_event_without_document_or_sense_is_refused(
    service: RecordsService, kind: str, settled_on: date | None, evidence: str
) -> None:
    service.import_file(FILE.encode())

    with pytest.raises(AdverseEventInvalidError):
        service.record_adverse_event(
            1,
            kind=kind,
            happened_on=date(2026, 4, 10),
            settled_on=settled_on,
            evidence_sha256_hex=evidence,
        )


def test_a_customer_keeps_its_country_and_the_other_one_is_reported(
    service: RecordsService,
) -> None:
    service.import_file(FILE.encode())
    other = "sim,C2,Muster,XX,E1,1,2026-03-02,2026-04-03,EUR,80.00,,,\n"
    unknown = "sim,C5,Sample,XX,E2,1,2026-03-02,2026-04-03,EUR,80.00,,,\n"

    report = service.import_file((HEADER + other + unknown).encode())

    assert report.oddities == {"customer-country-differs": 1, "country-without-calendar": 1}
    customer = service.find_customer(scheme="sim", value="C2")
    assert customer is not None
    assert customer.country == "DE"


def test_an_ageing_that_misses_the_ledger_stops(
    database: Database, service: RecordsService
) -> None:
    service.import_file(FILE.encode())
    with database.write() as uow:
        uow.connection.execute(
            text("UPDATE ledger_item SET currency = 'USD' WHERE kind = 'payment'")
        )

    with pytest.raises(InvariantError):
        service.ageing(1, as_of=BUSINESS_DATE)


def test_a_store_reads_nothing_of_an_empty_database(database: Database) -> None:
    with database.read() as uow:
        store = RecordsStore(uow.connection)

        assert store.find_customer(scheme="sim", value="C1") is None
        assert store.list_customers(limit=5) == []


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        (FILE, [], 0),
        (FILE + BAD_ROW, [], 3),
        (FILE + BAD_ROW, ["--strict"], 4),
        (HEADER, [], 4),
        ("a,b\n", [], 4),
        (FILE, ["--deal", "5"], 4),
        (FILE, ["--deal", "1/1", "--source", "erp", "--profile", "chengxin"], 0),
    ],
)
def test_the_exit_code_says_what_became_of_the_file(
    service: RecordsService, tmp_path: Path, content: str, options: list[str], code: int
) -> None:
    path = tmp_path / "file.csv"
    path.write_text(content, encoding="utf-8")

    result = CliRunner().invoke(
        records_app, ["import", str(path), *options], obj=SimpleNamespace(records=service)
    )

    assert result.exit_code == code


def test_the_command_writes_a_reject_report_and_shows_the_first_rows(
    service: RecordsService, tmp_path: Path
) -> None:
    path, out = tmp_path / "file.csv", tmp_path / "rejects.csv"
    path.write_text(HEADER + BAD_ROW * 25, encoding="utf-8")

    result = CliRunner().invoke(
        records_app,
        ["import", str(path), "--reject-report", str(out)],
        obj=SimpleNamespace(records=service),
    )

    assert result.exit_code == 4
    assert "row 2, column due_on: not a date" in result.output
    assert "and 5 more" in result.output
    assert len(out.read_text(encoding="utf-8").splitlines()) == 26


def test_the_records_can_be_checked_and_rebuilt_from_the_command_line(
    database: Database, service: RecordsService
) -> None:
    service.import_file(FILE.encode())
    with database.write() as uow:
        uow.connection.execute(text("DELETE FROM behaviour_month"))
    node = SimpleNamespace(records=service)
    runner = CliRunner()

    codes = [
        runner.invoke(records_app, [command], obj=node).exit_code
        for command in ("check", "rebuild", "check")
    ]

    assert codes == [1, 0, 0]
