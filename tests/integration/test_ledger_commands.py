"""``chengxin ledger``: a credit manager's day on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from node.records.errors import ReportInvalidError
from node.records.ledger import ItemExistsError, ItemInvalidError, ItemNotFoundError
from node.records.portfolio import RateInvalidError
from node.records.rules_conversion import RateMissingError
from tests.support.exchanges import HEADER
from tests.support.places import call, check, error_of

ROWS = (
    "sim,S1,宏达机械,CN,INV-1,1,2026-03-01,2026-03-31,CNY,10000.00,2026-04-10,10000.00,",
    "sim,S1,宏达机械,CN,INV-2,1,2026-04-01,2026-04-30,CNY,5000.00,,,",
    "sim,S1,宏达机械,CN,INV-3,1,2026-05-15,2026-06-15,CNY,2500.50,,,",
    "sim,S1,宏达机械,CN,INV-4,1,2026-06-15,2026-07-15,USD,700.00,,,",
)


class Desk:
    """A node's folder, and who works with it."""

    def __init__(self, home: Path) -> None:
        self.home = str(home)

    def run(self, *arguments: str) -> str:
        return check(call("--home", self.home, *arguments))

    def enter(self, *arguments: str) -> str:
        return self.run("ledger", *arguments, "--by", "wang")

    def read(self, *arguments: str) -> Any:  # noqa: ANN401  JSON
        return json.loads(self.run("ledger", *arguments, "--json"))

    def refuse(self, *arguments: str) -> BaseException | None:
        return error_of(call("--home", self.home, "ledger", *arguments, "--by", "wang"))

    def open_items(self, *arguments: str) -> dict[str, int]:
        lines = self.read("open", "sim:S1", *arguments)
        return {f"{one['document_no']}/{one['line']}": one["open_minor"] for one in lines}

    def key(self, document_no: str, *, kind: str | None = None) -> str:
        lines = self.read("find", "1", document_no)
        return str([one["item_id"] for one in lines if kind in {None, one["kind"]}][-1])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    home = tmp_path / "node"
    member = ("--member-id", "acme.example", "--business-date", "2026-06-30")
    check(call("init", "--home", str(home), *member))
    file = tmp_path / "invoices.csv"
    file.write_text("\n".join([HEADER, *ROWS, ""]), encoding="utf-8")
    desk = Desk(home)
    desk.run("import", str(file))
    return desk


def test_what_is_open_how_old_it_is_and_how_fast_it_turns(desk: Desk) -> None:
    assert desk.open_items() == {"INV-2/1": 500_000, "INV-3/1": 250_050, "INV-4/1": 70_000}
    assert desk.open_items("--as-of", "2026-04-01") == {"INV-1/1": 1_000_000, "INV-2/1": 500_000}
    by_due, by_issue = desk.read("ageing", "1"), desk.read("ageing", "1", "--base", "issued")
    assert by_due[0]["buckets"]["1-30"] == 250_050
    assert by_issue[0]["buckets"]["31-60"] == 250_050
    turnover = desk.read("turnover", "--currency", "CNY")
    assert turnover["receivable_minor"] == 750_050
    assert turnover["dso_milli"] == 91_000  # nothing of the quarter's sales was paid: all its days

    shown = desk.run("ledger", "open", "sim:S1")
    assert "INV-2" in shown
    assert "5,000.00" in shown
    assert "not_due" in desk.run("ledger", "ageing", "1")
    assert "91.000" in desk.run("ledger", "turnover", "--currency", "CNY", "--customer", "1")
    nothing = desk.run("ledger", "turnover", "--currency", "JPY")
    assert "not computable" in nothing


def test_documents_and_payments_are_entered_and_applied(desk: Desk) -> None:
    dues = ("--due", "2026-07-31=100.00", "--due", "2026-08-31=200")
    said = desk.enter("invoice", "sim:S1", "INV-5", "--currency", "CNY", *dues)
    assert said.count("item") == 2

    pays = ("--pays", "INV-2=4000.00", "--pays", "INV-3")
    said = desk.enter("credit", "1", "PAY-1", "7000", "--currency", "CNY", *pays)
    assert "499.50 CNY unapplied" in said
    assert desk.open_items()["INV-2/1"] == 100_000

    payment, invoice = desk.key("PAY-1"), desk.key("INV-2")
    said = desk.enter("apply", payment, "--to", invoice, "--amount", "99.50")
    assert "400.00 CNY unapplied" in said
    said = desk.enter("apply", payment, "--apply", "oldest-first")
    assert "0.00 CNY unapplied" in said
    said = desk.enter("unapply", invoice, payment)
    assert "4,499.50 CNY unapplied" in said
    shown = desk.run("ledger", "show", invoice)
    assert "by-hand" in shown
    assert "wang" in shown


def test_a_correction_a_dispute_and_a_cancellation_tell_their_story(desk: Desk) -> None:
    invoice = desk.key("INV-3")
    dispute = desk.enter("dispute", "open", invoice, "50.50", "--cause", "quality").split()[1]
    assert "of it disputed" in desk.run("ledger", "ageing", "1")
    assert "50.50" in desk.run("ledger", "open", "1")
    ending = ("--outcome", "partly", "--reason", "credit note follows")
    desk.enter("dispute", "close", dispute, *ending)
    desk.enter("correct", invoice, "--amount", "2400", "--reason", "wrong price")
    newest = desk.key("INV-3")

    story = desk.run("ledger", "show", invoice)
    assert "counts no longer" in story
    assert "wrong price" in story
    assert "partly on 2026-06-30: credit note follows" in story
    desk.enter("cancel", newest, "--reason", "entered twice")
    assert "INV-3/1" not in desk.open_items()


def test_bills_and_write_offs(desk: Desk) -> None:
    matures = ("--currency", "CNY", "--matures", "2026-12-31")
    desk.enter("bill", "receive", "1", "B-1", "2500.50", *matures, "--pays", "INV-3")
    desk.enter("bill", "discount", desk.key("B-1", kind="bill"))
    assert "INV-3/1" not in desk.open_items()
    desk.enter("bill", "dishonour", desk.key("B-1", kind="bill"))
    assert desk.open_items()["INV-3/1"] == 250_050
    desk.enter("bill", "receive", "1", "B-2", "100", *matures)
    desk.enter("bill", "endorse", desk.key("B-2", kind="bill"))

    desk.enter("write-off", desk.key("INV-3"), "--reference", "W-1")
    assert "INV-3/1" not in desk.open_items()
    desk.enter("reinstate", desk.key("W-1"), "500", "--reference", "R-1")
    assert desk.open_items()["INV-3/1"] == 50_000


def test_what_is_wrong_is_refused_and_nothing_is_entered(desk: Desk) -> None:
    before = desk.open_items()
    due = ("--currency", "CNY", "--due")

    again = ("invoice", "1", "INV-9", *due, "2026-07-31=1")
    desk.enter(*again)
    assert isinstance(desk.refuse(*again), ItemExistsError)
    desk.enter("cancel", desk.key("INV-9"), "--reason", "a try")
    assert isinstance(desk.refuse("apply", "999", "--apply", "exact"), ItemNotFoundError)
    early = ("invoice", "1", "INV-8", *due, "1970-01-01=1")
    assert isinstance(desk.refuse(*early), ItemInvalidError)
    for wrong in ("2026-07-31", "July=3", "2026-13-01=5"):
        refused = call("--home", desk.home, "ledger", "invoice", "1", "X", *due, wrong, "--by", "w")
        assert refused.exit_code == 2
    for unsaid in (("--to", "2"), ()):
        refused = call("--home", desk.home, "ledger", "apply", "1", *unsaid, "--by", "w")
        assert refused.exit_code == 2
    refused = call("--home", desk.home, "ledger", "turnover", "--currency", "cny")
    assert refused.exit_code == 2
    assert desk.open_items() == before


def test_all_customers_are_aged_together_and_in_one_currency(desk: Desk) -> None:
    row = "sim,S2,远大,CN,INV-7,1,2026-05-01,2026-05-31,CNY,100.00,,,"
    file = Path(desk.home) / "more.csv"
    file.write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    desk.run("import", str(file))

    together, _usd = desk.read("ageing")
    each = [desk.read("ageing", one)[0] for one in ("sim:S1", "sim:S2")]
    assert together["balance_minor"] == sum(one["balance_minor"] for one in each) == 760_050
    for bucket, minor in together["buckets"].items():
        assert minor == sum(one["buckets"][bucket] for one in each)
    for base in ("business_due", "issued"):
        assert desk.read("ageing", "--base", base)[0]["balance_minor"] == 760_050
    missing = call("--home", desk.home, "ledger", "ageing", "--in", "CNY")
    assert isinstance(error_of(missing), RateMissingError)

    rate = ("rate", "USD", "CNY", "7.1234", "--source", "PBOC")
    assert "1 USD = 7.1234 CNY of 2026-06-29" in desk.enter(*rate, "--as-of", "2026-06-29")
    converted = desk.read("ageing", "--in", "CNY")
    assert converted["ageing"]["balance_minor"] == 760_050 + 498_638
    shown = desk.run("ledger", "ageing", "sim:S1", "--in", "USD")
    assert "by 1 USD = 7.1234 CNY of 2026-06-29, PBOC" in shown
    for wrong in ("0", "NaN", "x", "1e30", "0.0000000001", "1" * 30):
        refused = desk.refuse("rate", "USD", "CNY", wrong, "--source", "PBOC")
        assert isinstance(refused, RateInvalidError)
    for day in ("0001-01-01", "9999-12-31"):
        for command in (("ageing",), ("ageing", "--in", "CNY")):
            broken = error_of(call("--home", desk.home, "ledger", *command, "--as-of", day))
            assert isinstance(broken, ReportInvalidError)
        assert isinstance(desk.refuse(*rate, "--as-of", day), ReportInvalidError)
    assert isinstance(desk.refuse("rate", "CNY", "CNY", "1", "--source", "x"), RateInvalidError)
    assert isinstance(desk.refuse("rate", "USD", "CNY", "1", "--source", " "), RateInvalidError)
