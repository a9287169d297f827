import io

import pytest

from node.records.importing import (
    Deal,
    ImportContent,
    Reject,
    member_of,
    parse_deal,
    read_import_file,
    write_reject_report,
)
from node.records.importing import reading as reading_module
from node.records.importing.errors import OptionInvalidError, ProfileUnknownError

HEADER = (
    "customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
    "currency,amount,paid_on,paid_amount,disputed\n"
)
GOOD = "sim,C1,示例,CN,D1,1,2026-01-05,2026-02-04,CNY,100.00,2026-02-10,60.00,\n"
HIGHRADIUS = (
    "cust_number,name_customer,due_date,days_late,amount,doc_id,business_code_inferred,"
    "invoice_date_inferred,terms\n"
)
OPEN = (
    "business_code,cust_number,name_customer,clear_date,buisness_year,doc_id,posting_date,"
    "due_in_date,baseline_create_date,cust_payment_terms,converted_usd\n"
)


def read(rows: str, *, header: str = HEADER, deal: Deal | None = None) -> ImportContent:
    return read_import_file((header + rows).encode(), deal=deal)


def test_the_template_is_read() -> None:
    content = read(GOOD)

    (invoice,) = content.invoices.values()
    (payment,) = invoice.payments
    assert (content.profile, content.source) == ("chengxin", "chengxin")
    assert (invoice.draft.amount_minor, payment.amount_minor) == (10000, 6000)


def test_a_payment_date_without_an_amount_is_payment_in_full() -> None:
    content = read(GOOD.replace("60.00", ""))

    assert [invoice.paid_minor for invoice in content.invoices.values()] == [10000]


def test_rows_of_one_invoice_are_its_payments() -> None:
    second = GOOD.replace("2026-02-10,60.00", "2026-03-10,40.00")

    content = read(GOOD + second + GOOD)

    (invoice,) = content.invoices.values()
    assert (invoice.paid_minor, invoice.rows) == (10000, {2, 3})
    assert (content.rows_read, content.rows_duplicate) == (3, 1)


@pytest.mark.parametrize(
    ("bad", "column"),
    [
        (GOOD.replace("2026-01-05", "05.01.2026"), "issued_on"),
        (GOOD.replace("100.00", "hundred"), "amount"),
        (GOOD.replace("60.00", "160.00"), "paid_amount"),
        (GOOD.replace("2026-02-10,60.00", ",60.00"), "paid_on"),
        (GOOD.replace("CNY", "yuan"), "currency"),
        (GOOD.replace(",CN,", ",China,"), "country"),
        (GOOD.replace("sim", "SIM"), "customer_scheme"),
        (GOOD.replace("C1", "C 1"), "customer_value"),
        (GOOD.replace("D1", ""), "document_no"),
        (GOOD.replace("\n", "perhaps\n"), "disputed"),
        (GOOD.replace("\n", ",\n"), ""),
        ("only,three,cells\n", ""),
    ],
)
def test_a_bad_row_is_named_by_row_and_column_and_the_good_ones_stay(bad: str, column: str) -> None:
    good = GOOD.replace("D1", "D2")

    content = read(good + bad + good.replace("D2", "D3"))

    assert [(reject.row, reject.column) for reject in content.rejects] == [(3, column)]
    assert {document for document, _ in content.invoices} == {"D2", "D3"}


def test_a_document_repeated_with_other_values_is_rejected() -> None:
    content = read(GOOD + GOOD.replace("100.00", "101.00"))

    assert [reject.row for reject in content.rejects] == [3]
    assert "row 2" in content.rejects[0].reason


def test_payments_that_exceed_the_invoice_together_are_rejected() -> None:
    content = read(GOOD + GOOD.replace("2026-02-10", "2026-02-11"))

    assert [reject.row for reject in content.rejects] == [3]


def test_only_the_first_rejects_are_kept_but_all_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading_module, "REJECTS_KEPT_MAX", 2)

    content = read("x\n" * 5)

    assert (content.rows_rejected, len(content.rejects)) == (5, 2)


def test_paid_highradius_rows_are_read_with_their_oddities() -> None:
    rows = (
        "0200756072,REINHA trust,2018-12-06,64,7209.0,1928767019,U001,2018-12-06,-65\n"
        "0140105686,SYSC llc,2019-01-16,-2,2108.53,2960501775,CA02,2018-12-30,17\n"
        "CCU013,ANY co,2019-01-16,0,5.0,1928501777,U001,2018-12-30,17\n"
        "0200000001,X co,2019-01-16,99999,5.0,1928501778,U001,2018-12-30,17\n"
        "0200000002,X co,2019-01-16,1,5.0,1928501779,Z9,2018-12-30,17\n"
    )

    content = read(rows, header=HIGHRADIUS)

    late, canadian = content.invoices.values()
    assert [payment.paid_on.isoformat() for payment in late.payments] == ["2019-02-08"]
    assert (canadian.draft.country, canadian.draft.currency) == ("CA", "CAD")
    assert content.excluded == {"collective-account": 1}
    assert content.oddities == {"terms-negative": 1}
    assert [(reject.row, reject.column) for reject in content.rejects] == [
        (5, "days_late"),
        (6, "business_code_inferred"),
    ]


def test_open_highradius_rows_are_read_with_dates_written_as_numbers() -> None:
    rows = (
        "CA02,0140105686,SYSC llc,,2020.0,2960623488.0,20200330,20200410.0,20200331,CA10,2309.78\n"
        "U001,0200744019,TARG us,2020-04-05 00:00:00,2020.0,1930659387,2020-03-19,2020-04-03,"
        "2020-03-19,NAA8,11173.02\n"
        "U013,CCU013,ANY,,2020.0,1,2020-03-19,2020-04-03,2020-03-19,NAA8,1.0\n"
    )

    content = read(rows, header=OPEN)

    unpaid, paid = content.invoices.values()
    assert (unpaid.draft.document_no, unpaid.draft.due_on.isoformat()) == (
        "2960623488",
        "2020-04-10",
    )
    assert (unpaid.paid_minor, paid.paid_minor) == (0, 1117302)
    assert content.excluded == {"collective-account": 1}


def test_odd_dates_are_reported_and_loaded() -> None:
    content = read(GOOD.replace("2026-01-05", "2026-02-20"))

    assert content.oddities == {"issued-after-due": 1, "paid-before-issued": 1}
    assert len(content.invoices) == 1


def test_dealing_gives_each_document_to_exactly_one_member() -> None:
    rows = "".join(GOOD.replace("D1", f"D{number}") for number in range(60))

    shares = [read(rows, deal=Deal(index=index, members=4)) for index in range(4)]

    documents = [document for share in shares for document, _ in share.invoices]
    assert sorted(documents) == sorted(f"D{number}" for number in range(60))
    assert all(share.rows_dealt_elsewhere + len(share.invoices) == 60 for share in shares)


def test_the_member_of_a_document_is_fixed_for_ever() -> None:
    assert [member_of(f"192876701{digit}", members=5) for digit in range(6)] == [0, 0, 3, 4, 3, 3]


def test_a_deal_is_written_from_one() -> None:
    assert parse_deal("2/5") == Deal(index=1, members=5)


@pytest.mark.parametrize("text", ["", "5", "0/5", "6/5", "a/b", "1/0", "1/1001", "-1/5", "²/5"])
def test_what_is_no_deal_is_refused(text: str) -> None:
    with pytest.raises(OptionInvalidError):
        parse_deal(text)


def test_an_unknown_header_or_profile_is_refused() -> None:
    with pytest.raises(ProfileUnknownError, match="fits no profile"):
        read_import_file(b"a,b\n1,2\n")
    with pytest.raises(ProfileUnknownError, match="no such profile"):
        read_import_file(HEADER.encode(), profile="other")
    with pytest.raises(ProfileUnknownError, match="no column amount"):
        read_import_file(b"a,b\n1,2\n", profile="highradius-closed")


def test_a_source_has_a_bounded_printable_name() -> None:
    for source in ("x" * 65, "a\x00b"):
        with pytest.raises(OptionInvalidError):
            read_import_file(HEADER.encode(), source=source)


def test_progress_is_told_now_and_then() -> None:
    told: list[tuple[int, int]] = []
    rows = "".join(GOOD.replace("D1", f"D{number}") for number in range(2500))

    read_import_file(
        (HEADER + rows).encode(), on_progress=lambda done, total: told.append((done, total))
    )

    assert told == [(1000, 2501), (2000, 2501)]


def test_the_reject_report_has_row_column_and_reason() -> None:
    out = io.StringIO()

    write_reject_report([Reject(row=3, column="amount", reason="zero")], out)

    assert out.getvalue() == (
        "row,column,reason,suggestion\r\n3,amount,zero,leave rows without an amount out\r\n"
    )
