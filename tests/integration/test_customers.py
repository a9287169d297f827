"""Who the customers are: further identifiers, names, groups, contacts, and merges with history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from node.core.errors import NodeError
from node.core.http.problems import handle_error
from node.records.api_customers import build_customers_router
from node.records.customers import (
    ContactRole,
    CustomerService,
    FactKind,
    FactNotFoundError,
    GroupInvalidError,
    IdentifierTakenError,
    NameKind,
)
from node.records.errors import CustomerInvalidError, CustomerNotFoundError, MergeInvalidError
from node.records.importing.credits import CANCELLED
from node.records.rules_ledger import DisputeCause
from tests.support.exchanges import HEADER
from tests.support.ledgers import TODAY, House
from tests.support.places import call, check

USCC = "91310000MA1FL0XY1P"
BY = "li"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


@pytest.fixture
def customers(house: House) -> CustomerService:
    return CustomerService(database=house.database, clock=house.clock, business_date=TODAY)


def row(document_no: str, value: str, *, scheme: str = "sim", paid: bool = False) -> str:
    payment = "2026-03-05,10.00" if paid else ","
    return (
        f"{scheme},{value},Anything,CN,{document_no},1,2026-02-01,2026-03-01,CNY,10.00,{payment},"
    )


def import_rows(house: House, *rows: str) -> int:
    content = "\n".join([HEADER, *rows, ""]).encode()
    return house.records.import_file(content, source="erp").invoices_added


def test_what_comes_under_a_further_identifier_is_the_same_customers(
    house: House, customers: CustomerService
) -> None:
    key = customers.add_identifier(house.customer_id, scheme="erp", value="C1-old", by=BY)

    import_rows(house, row("I1", "C1-old", scheme="erp"))

    found = house.records.find_customer(scheme="erp", value="C1-old")
    assert found is not None
    assert found.customer_id == house.customer_id
    assert house.records.count_customers() == 1
    with pytest.raises(IdentifierTakenError):
        customers.add_identifier(house.customer_id, scheme="erp", value="C1-old", by=BY)
    customers.end(FactKind.IDENTIFIER, key, by="zhao")
    assert house.records.find_customer(scheme="erp", value="C1-old") is None
    (row_ended,) = customers.get_card(house.customer_id).identifiers
    assert (row_ended.entered_by, row_ended.ended_by) == (BY, "zhao")
    with pytest.raises(FactNotFoundError):
        customers.end(FactKind.IDENTIFIER, key, by="zhao")
    customers.add_identifier(house.customer_id, scheme="erp", value="C1-old", by=BY)


def test_a_number_of_a_known_scheme_is_checked_and_kept_in_its_own_spelling(
    house: House, customers: CustomerService
) -> None:
    customers.add_identifier(house.customer_id, scheme="lei", value="5299 00t8bm49aursdo55", by=BY)
    (kept,) = customers.get_card(house.customer_id).identifiers
    assert kept.values == {"scheme": "lei", "value": "529900T8BM49AURSDO55"}

    for scheme, value in (
        ("lei", "529900T8BM49AURSDO56"),
        ("cn.uscc", "110101199003070016"),
        ("sim", "a b"),
        ("No Scheme", "1"),
    ):
        with pytest.raises(CustomerInvalidError):
            customers.add_identifier(house.customer_id, scheme=scheme, value=value, by=BY)


def test_names_contacts_and_a_group(house: House, customers: CustomerService) -> None:
    parent, child = house.add_customer("P"), house.add_customer("K")
    customers.add_name(house.customer_id, kind=NameKind.FOREIGN, name="Hongda Machinery", by=BY)
    customers.add_contact(
        house.customer_id, role=ContactRole.PAYMENTS, name="陈", email="ap@hongda.example", by=BY
    )
    link = customers.set_parent(house.customer_id, parent_id=parent, by=BY)
    customers.set_parent(child, parent_id=house.customer_id, by=BY)

    card = customers.get_card(house.customer_id)
    assert [one.values["name"] for one in card.names] == ["Hongda Machinery"]
    assert card.contacts[0].values["email"] == "ap@hongda.example"
    assert [one.customer_id for one in card.group] == [parent, house.customer_id, child]
    with pytest.raises(GroupInvalidError, match="itself"):
        customers.set_parent(parent, parent_id=child, by=BY)
    with pytest.raises(GroupInvalidError, match="has a parent"):
        customers.set_parent(child, parent_id=parent, by=BY)
    customers.end(FactKind.PARENT, link, by=BY)
    assert [one.customer_id for one in customers.get_card(parent).group] == []
    for wrong in ("", "x" * 201, "a\nb"):
        with pytest.raises(CustomerInvalidError):
            customers.add_name(house.customer_id, kind=NameKind.TRADE, name=wrong, by=BY)
    with pytest.raises(CustomerInvalidError):
        customers.add_contact(house.customer_id, role=ContactRole.LEGAL, name="Wu", by=BY)
    with pytest.raises(CustomerNotFoundError):
        customers.get_card(999)


def test_a_merge_moves_every_item_and_the_report_of_before_comes_out_again(
    house: House, customers: CustomerService
) -> None:
    other = house.add_customer("C2")
    house.invoice("A1", (date(2026, 1, 31), 500))
    import_rows(house, row("B1", "C2"), row("B2", "C2", paid=True))
    (own,) = house.records.ageing(other, as_of=TODAY)
    house.records.record_adverse_event(
        other,
        kind="legal",
        happened_on=date(2026, 3, 1),
        settled_on=None,
        evidence_sha256_hex="0" * 64,
    )
    item = house.ledger.list_open(other, as_of=TODAY)[0].item_id
    house.ledger.open_dispute(
        item, amount_minor=300, cause=DisputeCause.PRICE, on=date(2026, 3, 2), by=BY
    )
    customers.add_identifier(other, scheme="erp", value="C2-old", by=BY)
    house.clock.advance_s(60)
    known_at_ms = house.clock.now_ms()
    house.clock.advance_s(60)

    moved = customers.merge(other, into_id=house.customer_id, reason="same company", by="zhao")

    assert moved == 3  # two invoices and a payment
    (merged,) = house.records.ageing(house.customer_id, as_of=TODAY)
    assert merged.balance_minor == 500 + 1_000
    assert merged.disputed_minor == 300
    before = house.records.ageing(house.customer_id, as_of=TODAY, known_at_ms=known_at_ms)
    assert before[0].balance_minor == 500
    assert own.balance_minor == 1_000
    assert house.records.compare_behaviour() == []
    for name in ("sim:C2", "erp:C2-old", str(other)):
        assert house.records.get_named_customer(name).customer_id == house.customer_id
    assert [one.customer_id for one in house.records.list_customers()] == [house.customer_id]
    assert house.records.count_customers() == 1
    card = customers.get_card(other)
    assert card.customer.customer_id == house.customer_id
    assert [(one.customer_id, one.reason) for one in card.merged] == [(other, "same company")]
    assert [one.values["value"] for one in card.identifiers] == ["C2-old"]
    window = house.records.find_behaviour_window(
        scheme="sim", value="C2", first_month=2026 * 12, last_month=2026 * 12 + 2, as_of=TODAY
    )
    assert window is not None
    assert [event.kind for event in window.adverse] == ["legal"]
    # What comes again changes nothing, and what is new goes to the right one.
    assert import_rows(house, row("B1", "C2"), row("B2", "C2", paid=True)) == 0
    assert import_rows(house, row("B3", "C2")) == 1
    assert house.age()["1-30" if date(2026, 4, 1) > TODAY else "31-60"] >= 1_000
    with pytest.raises(MergeInvalidError):
        customers.merge(other, into_id=house.customer_id, reason="again", by=BY)


def test_what_was_cancelled_does_not_come_again_with_the_next_import(house: House) -> None:
    rows = (row("B1", "C1"), row("B2", "C1", paid=True), row("B3", "C1"))
    import_rows(house, *rows)
    (invoice,) = house.ledger.list_named(house.customer_id, "B1")
    (paid,) = house.ledger.list_named(house.customer_id, "B2")
    payment_id = house.ledger.tell_item(paid.item_id).applied[0].other_id
    for item_id in (invoice.item_id, payment_id):
        house.ledger.cancel_item(item_id, reason="not ours", by=BY)

    content = "\n".join([HEADER, *rows, row("B4", "C1"), ""]).encode()
    report = house.records.import_file(content, source="erp")

    assert [reject.row for reject in report.rejects] == [2, 3]
    assert {reject.reason for reject in report.rejects} == {CANCELLED}
    assert (report.invoices_added, report.payments_added) == (1, 0)
    assert house.records.compare_behaviour() == []


def test_a_key_that_no_store_holds_is_not_found(customers: CustomerService) -> None:
    with pytest.raises(FactNotFoundError):
        customers.end(FactKind.NAME, 10**30, by=BY)


def test_who_was_merged_goes_along_when_the_other_one_is(
    house: House, customers: CustomerService
) -> None:
    second, third = house.add_customer("C2"), house.add_customer("C3")
    import_rows(house, row("B1", "C2"))
    customers.merge(second, into_id=third, reason="one", by=BY)
    customers.set_parent(third, parent_id=house.customer_id, by=BY)

    customers.merge(third, into_id=house.customer_id, reason="two", by=BY)

    assert house.records.get_named_customer("sim:C2").customer_id == house.customer_id
    assert import_rows(house, row("B2", "C2")) == 1
    card = customers.get_card(house.customer_id)
    assert {one.customer_id for one in card.merged} == {second, third}
    assert card.group == ()
    (ageing,) = house.records.ageing(house.customer_id, as_of=TODAY)
    assert ageing.balance_minor == 2_000


def test_what_is_applied_between_bills_and_invoices_moves_along(
    house: House, customers: CustomerService
) -> None:
    other = house.add_customer("C9")
    house.invoice("A1", (date(2026, 1, 31), 500))
    bill = house.bill("W1", 500, on=date(2026, 2, 1), matures_on=date(2026, 8, 1))
    house.invoice("A2", (date(2026, 1, 31), 300))
    before = house.age()

    customers.merge(house.customer_id, into_id=other, reason="same", by=BY)

    (ageing,) = house.records.ageing(other, as_of=TODAY)
    named = {bucket.value: minor for bucket, minor in ageing.buckets.items() if minor}
    assert named | ({"unapplied": ageing.unapplied_minor} if ageing.unapplied_minor else {}) == (
        before
    )
    moved = house.ledger.list_named(other, "W1")
    newest = next(one.item_id for one in moved if one.kind.value == "bill")
    assert newest != bill
    house.ledger.dishonour_bill(newest, on=date(2026, 3, 1), by=BY)
    assert house.records.compare_behaviour() == []


def test_the_api_and_the_commands_do_the_same(tmp_path: Path) -> None:
    home = str(tmp_path / "node")
    check(call("init", "--home", home, "--member-id", "acme.example"))

    def run(*arguments: str) -> str:
        return check(call("--home", home, "customer", *arguments))

    run("add", "sim:A", "上海宏达机械有限公司", "--country", "CN")
    run("add", "sim:B", "上海宏达机械股份有限公司", "--country", "CN")
    assert "100 %" in run("duplicates")
    run("name", "1", "Hongda", "--kind", "foreign", "--by", BY)
    run("contact", "1", "陈", "--role", "payments", "--phone", "+86 21 1234", "--by", BY)
    run("contact", "2", "陈", "--role", "payments", "--phone", "+86 21 1234", "--by", BY)
    (found,) = json.loads(run("duplicates", "--json"))
    assert found["same_contacts"] == ["+86 21 1234"]
    key = run("identifier", "1", "sim:A2", "--by", BY).split()[1]
    run("end", "identifier", key, "--by", "zhao")
    run("parent", "2", "1", "--by", BY)
    shown = run("show", "1")
    assert "Hongda" in shown
    assert "zhao" in shown
    assert "group: 2" in shown
    assert "0 items moved" in run("merge", "2", "1", "--reason", "one company", "--by", BY)
    assert "was also 2" in run("show", "sim:B")
    assert json.loads(run("show", "1", "--json"))["merged"][0]["reason"] == "one company"
    said = run("unmerge", "sim:B", "--reason", "two after all", "--by", "zhao")
    assert "0 items went back" in said
    assert "not 2" in run("show", "1")
    assert "2 上海" in run("show", "sim:B")
    assert (
        call("--home", home, "customer", "unmerge", "2", "--reason", "x", "--by", BY).exit_code == 1
    )


def test_an_erp_enters_who_its_customers_are(house: House, customers: CustomerService) -> None:
    other = house.add_customer("C2")
    app = FastAPI(exception_handlers={NodeError: handle_error})
    app.include_router(build_customers_router(customers, sees_persons=lambda _: True))
    http = TestClient(app)
    path = f"/customers/{house.customer_id}"

    def post(at: str, **body: object) -> int:
        return http.post(at, json={"by": BY, **body}).status_code

    assert post(f"{path}/identifiers", scheme="sim", value="X9") == 201
    assert post(f"{path}/identifiers", scheme="sim", value="X9") == 409
    assert post(f"{path}/names", kind="trade", name="宏达") == 201
    assert post(f"{path}/contacts", role="credit", name="Wu", email="wu@hongda.example") == 201
    assert post(f"{path}/parent", parent=other) == 201
    assert post("/customer-facts/parent/1/end") == 204
    assert post("/customer-facts/parent/1/end") == 404
    assert http.get("/customers/duplicates").status_code == 200
    answer = http.post(
        f"/customers/{other}/merge", json={"by": BY, "into": house.customer_id, "reason": "one"}
    )
    assert answer.json() == {"items": 0}
    card = http.get(f"/customers/{other}").json()
    assert card["customer"]["customer_id"] == house.customer_id
    assert card["names"][0]["values"] == {"kind": "trade", "name": "宏达"}
    answer = http.post(f"/customers/{other}/unmerge", json={"by": BY, "reason": "two"})
    assert answer.json() == {"items": 0, "unapplied": 0}
    card = http.get(f"/customers/{other}").json()
    assert card["customer"]["customer_id"] == other
    assert card["taken_back"][0]["end_reason"] == "two"
    assert post(f"/customers/{other}/unmerge", reason="two") == 404
