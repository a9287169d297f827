"""The page of all customers' ageing: totals, order, filter, pages, links, CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import update

from node.core.people.service import Role
from node.records.ledger import NewCredit
from node.records.rules_ledger import ItemKind
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from node.web import ageing_console
from tests.support.console_people import Desk, close_desk, open_desk

PATH = "/console/ageing"
JUNE, MARCH, JULY = date(2026, 6, 1), date(2026, 3, 31), date(2026, 7, 31)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = open_desk(tmp_path_factory.mktemp("ageing") / "home")
    records, ledger = desk.node.local.records, desk.node.local.ledger
    names = ("Altmühl", "=1+1", "宏达<b>")
    for number, name in enumerate(names):
        desk.customer_id = records.add_customer(
            scheme="sim", value=f"A{number}", name=name, country="DE"
        ).customer_id
        desk.invoice(f"R{number}", (JUNE, 1_000 * (number + 1)), (JULY, 50))
    desk.invoice("R9", (MARCH, 777_700))
    desk.invoice("U1", (MARCH, 5), currency="USD")
    payment = NewCredit(
        customer_id=desk.customer_id,
        kind=ItemKind.PAYMENT,
        document_no="P1",
        happened_on=JUNE,
        currency="EUR",
        amount_minor=120,
    )
    ledger.enter_credit(payment, by="erp")
    desk.sign_in(Role.OPERATOR)
    yield desk
    close_desk(desk)


def show(desk: Desk, **asked: str) -> str:
    answer = desk.client.get(PATH, params={"lang": "en", **asked})
    assert answer.status_code == 200
    return str(answer.text)


def list_names(page: str) -> list[str]:
    _, _, table = page.partition('aria-labelledby="list"')
    found = re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)</a>', table)
    return [unescape(name) for name in found]


def test_the_totals_of_each_currency_stand_above_the_customers_most_past_due_first(
    desk: Desk,
) -> None:
    page = show(desk)

    assert list_names(page) == ["宏达<b>", "=1+1", "Altmühl"]
    for words in ("7,837.30", "7,777.00", "60.00", "0.05", "\N{MINUS SIGN}1.20"):
        assert words in page


def test_each_number_leads_to_the_items_behind_it(desk: Desk) -> None:
    page = show(desk, as_of="2026-06-29")
    links = [unescape(one) for one in re.findall(r'href="(/console/customers/[^"]*)"', page)]
    of_bucket = [one for one in links if "bucket=61-90" in one or "bucket=91" in one]

    (link,) = of_bucket
    assert "as_of=2026-06-29" in link
    ledger = desk.client.get(link.partition("#")[0]).text
    assert "R9" in ledger
    assert "R2" not in re.sub(r"<title>.*?</title>", "", ledger)
    for one in dict.fromkeys(links):
        assert desk.client.get(one.partition("#")[0]).status_code == 200


def test_the_list_is_ordered_and_filtered_by_bucket_and_currency(desk: Desk) -> None:
    assert list_names(show(desk, sort="name")) == ["=1+1", "Altmühl", "宏达<b>"]
    assert list_names(show(desk, bucket="91-120")) == ["宏达<b>"]
    assert list_names(show(desk, currency="USD")) == ["宏达<b>"]
    assert list_names(show(desk, currency="ZZZ", sort="nonsense", bucket="?")) == [
        "宏达<b>",
        "=1+1",
        "Altmühl",
    ]


def test_as_of_any_day_and_as_known_at_any_moment(desk: Desk) -> None:
    assert "Nothing is open." in show(desk, as_of="2026-04-30")
    assert "Nothing is open." in show(desk, known_at="2020-01-01T00:00")
    assert desk.client.get(PATH, params={"as_of": "yesterday"}).status_code == 422
    assert desk.client.get(PATH, params={"after": "x"}).status_code == 422


def test_pages_are_turned_by_cursors(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ageing_console, "ROWS_PER_PAGE", 2)
    first = show(desk)
    after = re.search(r'rel="next" href="([^"]*)"', first)
    assert after is not None

    second = desk.client.get(unescape(after[1])).text

    assert list_names(first) == ["宏达<b>", "=1+1"]
    assert list_names(second) == ["Altmühl"]
    assert "3 to 3 of 3" in second
    before = re.search(r'rel="prev" href="([^"]*)"', second)
    assert before is not None
    assert list_names(desk.client.get(unescape(before[1])).text) == list_names(first)


def test_the_csv_holds_every_customer_and_no_formula(desk: Desk) -> None:
    answer = desk.client.get(f"{PATH}.csv", params={"sort": "name"})
    rows = list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))

    assert [row["name"] for row in rows] == ["'=1+1", "Altmühl", "宏达<b>"]
    last = rows[-1]
    assert (last["1-30"], last["91-120"], last["unapplied"], last["balance"]) == (
        "30.00",
        "7777.00",
        "1.20",
        "7806.30",
    )
    assert answer.headers["content-disposition"] == 'attachment; filename="ageing.csv"'


def test_totals_and_rows_leave_persons_out_for_whom_they_are_not(tmp_path: Path) -> None:
    desk = open_desk(tmp_path / "home")
    records = desk.node.local.records
    for number, minor in enumerate((1_000_00, 77_700)):
        desk.customer_id = records.add_customer(
            scheme="sim", value=f"A{number}", name=f"Name {number}", country="DE"
        ).customer_id
        desk.invoice(f"R{number}", (JUNE, minor))
    with desk.node.local.database.write() as uow:
        one = customer.c.id == desk.customer_id
        uow.connection.execute(update(customer).where(one).values(kind=PERSON_KIND))

    desk.sign_in(Role.ANALYST, "Zhang")
    hidden, rows = show(desk), desk.client.get(f"{PATH}.csv").text.splitlines()
    desk.sign_in(Role.CFO, "Qian")
    seen = show(desk)
    close_desk(desk)

    assert "1,000.00" in hidden
    assert "1 natural persons are not for this role" in hidden
    assert [one for one in ("777.00", "Name 1") if one in hidden] == []
    assert len(rows) == 2  # the head and one company
    assert "1,777.00" in seen
    assert "Name 1" in seen
