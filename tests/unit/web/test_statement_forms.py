"""Statements are entered, corrected, withdrawn and uploaded on the console, checked before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest
from httpx2 import Response

from node.assessment.statements.chart import CHART
from node.assessment.statements.rules_statement import Basis, Statement, Unit
from node.core.people.service import Role
from node.records.importing.cells import AmountForm
from node.web.statement_form import begin_form, fill_form, read_form
from node.web.typed import Typed
from tests.support.console_people import ORIGIN, Desk, close_desk, open_desk
from tests.support.inline import build_document
from tests.support.statements import BALANCE, FLOWS, PROVENANCE, build_statement

HEAD = {
    "years": "1", "currency": "CNY", "unit": "thousands", "numbers": "point", "basis": "single",
    "gaap": "cas", "received_on": "2026-03-01", "year_end.1": "2025-12-31", "months.1": "12",
    "assurance.1": "audited",
}  # fmt: skip
FIGURES = {f"line.1.{code}": f"{amount:,}" for code, amount in {**BALANCE, **FLOWS}.items()}
OPENING = {"opening.total-assets": "900", "opening.total-liabilities": "(450)"}
TABLE = (
    "code,2024-12-31,2025-12-31\ncurrency,CNY,CNY\nunit,ones,ones\ntotal-assets,100,200\n"
    "current-assets,60,120\nnon-current-assets,40,80\nsales,500,600\n"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("statements") / "home"
    close_desk(open_desk(folder))
    return folder


@pytest.fixture
def desk(home: Path, tmp_path: Path) -> Iterator[Desk]:
    desk = open_desk(tmp_path / "home", like=home)
    desk.sign_in(Role.ANALYST, "Wang Fang")
    yield desk
    close_desk(desk)


def path_of(desk: Desk, page: str = "") -> str:
    return f"{desk.home}/statements{page}"


def send(desk: Desk, page: str, form: Mapping[str, str], *, button: str = "enter") -> Response:
    return desk.client.post(
        path_of(desk, page), data={**form, button: "1"}, headers=ORIGIN, params={"lang": "en"}
    )


def list_statements(desk: Desk) -> list[Statement]:
    report = desk.node.local.statements.report(desk.customer_id)
    return [one.version.statement for one in report.years]


def find_value(page: str, name: str) -> str:
    found = re.search(rf'<input id="{re.escape(name)}"[^>]* value="([^"]*)"', page)
    return "" if found is None else found[1]


def test_a_statement_is_checked_without_being_kept_and_then_entered(desk: Desk) -> None:
    checked = send(desk, "/new", HEAD | FIGURES, button="check")
    kept = list_statements(desk)
    entered = send(desk, "/new", HEAD | FIGURES)

    assert checked.status_code == 200
    assert "The checks found nothing. Nothing was entered yet." in checked.text
    assert find_value(checked.text, "line.1.sales") == "1,500"
    assert kept == []
    assert entered.status_code == 303
    assert entered.headers["location"] == path_of(desk, "?basis=single")
    (statement,) = list_statements(desk)
    assert statement == build_statement(factor=100_000, unit=Unit.THOUSANDS)
    (version,) = desk.node.local.statements.list_versions(desk.customer_id)
    assert (version.entered_by, version.provenance.source) == ("Wang Fang", "entered")


def test_the_same_form_again_enters_nothing_and_another_one_of_the_year_is_refused(
    desk: Desk,
) -> None:
    send(desk, "/new", HEAD | FIGURES)
    again = send(desk, "/new", HEAD | FIGURES)
    other = send(desk, "/new", HEAD | FIGURES | {"months.1": "11"})

    assert again.status_code == 303
    assert other.status_code == 409
    assert "correct it, with a reason" in other.text
    assert find_value(other.text, "months.1") == "11"
    assert len(desk.node.local.statements.list_versions(desk.customer_id)) == 1


@pytest.mark.parametrize("button", ["check", "enter"])
def test_what_does_not_add_up_stands_beside_its_fields_and_values_are_kept(
    desk: Desk, button: str
) -> None:
    wrong = {"line.1.total-equity": "400", "line.1.inventory": "-5", "line.1.cash": "7"}

    sums = send(desk, "/new", HEAD | FIGURES | {"line.1.total-equity": "400"}, button=button)
    negative = send(desk, "/new", HEAD | FIGURES | wrong, button=button)

    assert sums.status_code == negative.status_code == 422
    assert 'href="#line.1.total-assets"' in sums.text
    assert "assets are not liabilities plus equity: 100,000.00 CNY apart" in sums.text
    assert 'id="line.1.total-assets-said"' in sums.text
    assert 'href="#line.1.inventory"' in negative.text
    assert find_value(negative.text, "line.1.inventory") == "-5"
    assert list_statements(desk) == []


def test_every_field_that_cannot_be_read_is_named_at_once(desk: Desk) -> None:
    form = HEAD | FIGURES
    form |= {"line.1.cash": "1.234", "line.1.sales": "many", "months.1": "40", "gaap": "x"}
    form |= {"year_end.1": "soon", "document_sha256_hex": "ab", "opening.cash": "1,2"}

    answer = send(desk, "/new", form)

    assert answer.status_code == 422
    for name in (
        "line.1.cash", "line.1.sales", "months.1", "gaap", "year_end.1", "document_sha256_hex",
        "opening.cash",
    ):  # fmt: skip
        assert f'href="#{name}"' in answer.text, name
    assert "Please look at 7 of the fields" in answer.text
    assert find_value(answer.text, "line.1.sales") == "many"


def test_an_error_of_an_opening_balance_stands_beside_it(desk: Desk) -> None:
    answer = send(desk, "/new", HEAD | FIGURES | OPENING)

    assert answer.status_code == 422
    assert 'href="#opening.total-liabilities"' in answer.text
    assert 'href="#line.1.total-liabilities"' not in answer.text


def test_up_to_five_years_are_entered_side_by_side(desk: Desk) -> None:
    grown = send(desk, "/new", HEAD | FIGURES, button="more").text
    form = HEAD | FIGURES | {"years": "5"}
    for year in range(2, 6):
        form |= {f"year_end.{year}": f"{2026 - year}-12-31", f"months.{year}": "12"}
        form |= {f"assurance.{year}": "tax", f"line.{year}.total-assets": "1,000"}
    full = send(desk, "/new", form, button="check")
    entered = send(desk, "/new", form)

    assert 'name="years" value="2"' in grown
    assert find_value(grown, "line.1.sales") == "1,500"
    assert 'name="line.2.sales"' in grown
    assert 'name="more"' in grown
    assert 'name="more"' not in full.text
    assert entered.status_code == 303
    assert [one.year_end.year for one in list_statements(desk)] == [2021, 2022, 2023, 2024, 2025]


def test_a_year_that_stands_twice_is_refused_and_an_empty_column_is_none(desk: Desk) -> None:
    form = HEAD | FIGURES | {"years": "3", "months.2": "12", "assurance.2": "tax"}
    form |= {"year_end.3": "2025-12-31", "months.3": "12", "assurance.3": "tax"}
    twice = send(desk, "/new", form | {"line.3.total-assets": "1"})
    one = send(desk, "/new", HEAD | FIGURES | {"years": "3", "months.2": "", "months.3": "x"})

    assert twice.status_code == 422
    assert 'href="#year_end.3"' in twice.text
    assert one.status_code == 303
    assert len(list_statements(desk)) == 1


def test_a_statement_is_corrected_with_a_reason_beside_its_other_years(desk: Desk) -> None:
    local = desk.node.local
    before = build_statement(2024, opening={"total-assets": 90_000, "total-equity": 50_000})
    ids = local.statements.enter(
        1, [before, build_statement()], provenance=PROVENANCE, by="Li"
    ).statement_ids
    page = f"/{ids[0]}/correction"
    shown = desk.client.get(path_of(desk, page), params={"lang": "en"})
    form = {
        name: values[0] for name, values in fill_form(local.statements.list_versions(1)[0]).items()
    }
    nameless = send(desk, page, form | {"line.1.sales": "1,600"})
    checked = send(
        desk, page, form | {"line.1.sales": "1,600", "reason": "misread"}, button="check"
    )
    untouched = len(local.statements.list_versions(1))
    better = {"line.1.sales": "1,600", "line.1.gross-profit": "", "reason": "misread"}
    corrected = send(desk, page, form | better)
    again = send(desk, page, form | better)

    assert "2025-12-31" in shown.text  # beside it
    assert find_value(shown.text, "opening.total-assets") == "900"
    assert (nameless.status_code, checked.status_code) == (422, 422)
    assert 'href="#reason"' in nameless.text
    assert 'href="#line.1.gross-profit"' in checked.text
    assert untouched == 2
    assert corrected.status_code == 303
    assert again.status_code == 404
    newest = local.statements.list_versions(1)[-1]
    assert (newest.version, newest.reason, newest.entered_by) == (2, "misread", "Wang Fang")
    assert newest.statement.lines["sales"] == 160_000
    assert newest.statement.opening == before.opening


def test_a_statement_is_withdrawn_with_a_reason(desk: Desk) -> None:
    local = desk.node.local
    local.statements.enter(1, [build_statement()], provenance=PROVENANCE, by="Li")
    home = desk.client.get(path_of(desk), params={"lang": "en"}).text
    shown = desk.client.get(path_of(desk, "/1/withdrawal"), params={"lang": "zh"})
    nameless = send(desk, "/1/withdrawal", {})
    done = send(desk, "/1/withdrawal", {"reason": "another company's"})
    again = send(desk, "/1/withdrawal", {"reason": "another company's"})

    assert f'href="{path_of(desk, "/1/withdrawal")}"' in home
    assert "撤回财务报表" in shown.text
    assert (nameless.status_code, done.status_code, again.status_code) == (422, 303, 404)
    assert local.statements.list_versions(1)[-1].is_withdrawn
    gone = desk.client.get(path_of(desk)).text
    assert "/1/withdrawal" not in gone
    assert "/1/correction" not in gone


def test_a_form_fills_a_statement_in_so_that_it_is_read_back_the_same(desk: Desk) -> None:
    odd = {**build_statement().lines, "total-assets": 100_001, "total-equity": 50_001}
    statement = build_statement(
        lines=odd, unit=Unit.THOUSANDS, opening={"other-reserves": -12_345}, months=9
    )
    desk.node.local.statements.enter(1, [statement], provenance=PROVENANCE, by="Li")
    (version,) = desk.node.local.statements.list_versions(1)

    typed = Typed(fill_form(version) | {"reason": ["x"]})
    form = read_form(typed, fixed=version.statement)

    assert typed.errors == {}
    assert form.statements[1] == statement


def test_a_new_form_begins_with_the_year_after_the_newest(desk: Desk) -> None:
    desk.node.local.statements.enter(
        1,
        [build_statement(2024, basis=Basis.CONSOLIDATED, unit=Unit.MILLIONS)],
        provenance=PROVENANCE,
        by="Li",
    )
    (version,) = desk.node.local.statements.list_versions(1)

    after = begin_form(today=date(2026, 6, 30), like=version)
    first = begin_form(today=date(2026, 6, 30), like=None)

    assert (after["year_end.1"], after["basis"], after["unit"]) == (
        ["2025-12-31"], ["consolidated"], ["millions"],
    )  # fmt: skip
    assert first["year_end.1"] == ["2025-12-31"]


def upload(desk: Desk, raw: bytes, name: str = "file.csv") -> Response:
    return desk.client.post(
        path_of(desk, "/upload"), files={"file": (name, raw, "text/plain")}, headers=ORIGIN
    )


def test_a_table_is_uploaded_tried_and_kept(desk: Desk) -> None:
    sent = upload(desk, TABLE.encode())
    page = sent.headers["location"].removeprefix(path_of(desk))
    first = desk.client.get(path_of(desk, page), params={"lang": "en"})
    options = {"received_on": "2026-03-01", "numbers": "point", "basis": "single"}
    options |= {"assurance": "tax", "gaap": "cas"}
    tried = send(desk, page, options, button="check")
    kept = list_statements(desk)
    entered = send(desk, page, options)
    gone = desk.client.get(path_of(desk, page))

    assert sent.status_code == 303
    assert "2024-12-31: missing: basis" in first.text
    assert 'name="enter"' not in first.text
    assert "Statements: 2, known already: 0." in tried.text
    assert "200.00" in tried.text
    assert "120.00" in tried.text
    assert kept == []
    assert entered.status_code == 303
    assert [one.lines["sales"] for one in list_statements(desk)] == [50_000, 60_000]
    assert gone.status_code == 404


def test_an_inline_document_is_shown_as_it_would_be_kept(desk: Desk) -> None:
    sent = upload(desk, build_document(), "report.xhtml")
    page = sent.headers["location"].removeprefix(path_of(desk))
    shown = desk.client.get(path_of(desk, page), params={"lang": "en"})
    entered = send(desk, page, {"received_on": "2026-03-01", "numbers": "point"})

    assert "Statements: 1, known already: 0." in shown.text
    assert "1,000,000.00" in shown.text
    assert entered.status_code == 303
    (statement,) = list_statements(desk)
    assert statement.currency == "EUR"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "a page without inline XBRL"),
        (b"no,header\n1,2\n", "no header"),
        (TABLE.replace("120", "many").encode(), "missing: basis"),
    ],
)
def test_a_file_that_is_refused_says_why_and_offers_nothing_to_enter(
    desk: Desk, raw: bytes, words: str
) -> None:
    page = upload(desk, raw).headers["location"]
    shown = desk.client.get(page, params={"lang": "en"})

    assert words in shown.text
    assert 'name="enter"' not in shown.text


def test_another_persons_or_customers_upload_is_not_there(desk: Desk) -> None:
    page = upload(desk, TABLE.encode()).headers["location"]
    other = desk.node.local.records.add_customer(scheme="sim", value="C2", name="B", country="DE")
    elsewhere = page.replace("/customers/1/", f"/customers/{other.customer_id}/")

    assert desk.client.get(elsewhere).status_code == 404
    desk.sign_in(Role.CREDIT_MANAGER, "Qian")
    assert desk.client.get(page).status_code == 404


def test_an_upload_without_a_file_is_told_so(desk: Desk) -> None:
    assert upload(desk, b"").status_code == 422


@pytest.mark.parametrize("page", ["/new", "/upload", "/1/correction", "/1/withdrawal"])
def test_only_who_enters_credit_opens_the_forms_and_no_other_site_sends_them(
    desk: Desk, page: str
) -> None:
    desk.node.local.statements.enter(1, [build_statement()], provenance=PROVENANCE, by="Li")
    opened = desk.client.get(path_of(desk, page))
    foreign = desk.client.post(path_of(desk, page), headers={"origin": "http://evil.example"})
    desk.sign_in(Role.SALES, "Sun")
    refused = desk.client.get(path_of(desk, page))

    assert (opened.status_code, foreign.status_code, refused.status_code) == (200, 403, 403)
    if page != "/upload":
        looks = [(one.what, one.target) for one in desk.node.local.people.list_accesses()]
        assert ("credit", "/customers/1/statements") in looks


def test_an_archived_customers_form_is_refused_above_it(desk: Desk) -> None:
    desk.node.local.lifecycle.archive(1, reason="closed", by="Li")

    answer = send(desk, "/new", HEAD | FIGURES)

    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert list_statements(desk) == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_item_has_a_field_with_a_name(desk: Desk, lang: str) -> None:
    page = desk.client.get(path_of(desk, "/new"), params={"lang": lang}).text

    for code in CHART:
        field = re.search(rf'<input id="line\.1\.{code}"[^>]*aria-label="([^"]+)"', page)
        assert field is not None, code
    assert not re.findall(r"<th(?![^>]*scope=)[ >]", page)
    assert AmountForm.COMMA.value in page


def test_the_list_tells_who_has_no_statement_of_the_last_closed_year(desk: Desk) -> None:
    local = desk.node.local
    for value in ("C2", "C3"):
        local.records.add_customer(scheme="sim", value=value, name=f"N{value}", country="DE")
    local.statements.enter(2, [build_statement(2024)], provenance=PROVENANCE, by="Li")
    local.statements.enter(3, [build_statement()], provenance=PROVENANCE, by="Li")

    english = desk.client.get("/console/statements", params={"lang": "en"}).text
    everybody = desk.client.get("/console/statements", params={"lang": "zh", "state": "all"}).text

    assert "Hongda" in english
    assert "none at all" in english
    assert "NC2" in english
    assert "NC3" not in english
    assert "NC3" in everybody
    assert "没有报表" in everybody
    assert 'href="/console/statements"' in english
    looks = [(one.what, one.target) for one in local.people.list_accesses()]
    assert ("credit", "/console/statements") in looks
