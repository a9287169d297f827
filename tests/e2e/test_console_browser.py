"""The console in a real browser: signing in, finding, reading, rating, printing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from node.bootstrap.member import Node
from node.core.people.accounts.totp import STEP_S, compute_code
from node.core.people.service import Role
from node.records.ledger import NewDebit, Term
from node.records.rules_ledger import ItemKind
from tests.support.accounts import PASSWORD, read_base32
from tests.support.browser import CHROMIUM, FLAGS, serve
from tests.support.console_node import (
    API_TOKEN,
    BUSINESS_DATE,
    PEERS,
    adopt_registry,
    answer_peer,
    build_console_node,
    receive_summary,
)
from tests.support.lists import SAP_LIST

if TYPE_CHECKING:
    from playwright.sync_api import Page

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

PNG_BYTES_MIN = 10_000
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"Chromium is not at {CHROMIUM}"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    node: Node
    url: str
    cold_id: int


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    node = build_console_node(tmp_path_factory.mktemp("home"))
    cold = node.local.records.find_customer(scheme="sim", value="S000001")
    assert cold is not None
    receive_summary(node, cold)
    receive_summary(node, cold, provider=PEERS[1], tier="class")
    answer_peer(node, cold)
    adopt_registry(node, simulated=True)
    with serve(node) as url:
        yield Site(node=node, url=url, cold_id=cold.customer_id)
    node.writer.close()
    node.local.close()


@pytest.fixture
def page(site: Site) -> Iterator[Page]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        context = browser.new_context(
            base_url=site.url, locale="en-GB", viewport={"width": 1400, "height": 900}
        )
        yield context.new_page()
        browser.close()


def _sign_in(page: Page, path: str = "/console/") -> list[str]:
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.goto(path)
    page.locator("#login:focus").wait_for()  # the field has the focus without being asked
    for key in ("Tab", "Tab", "Tab", "Enter", "Tab"):  # to what opens the field of the token
        page.keyboard.press(key)
    page.locator("#token:focus").wait_for()
    page.keyboard.type(API_TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path}")
    return complaints


def test_a_person_signs_in_with_a_password_and_a_code_by_the_keyboard_alone(
    site: Site, page: Page
) -> None:
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    accounts, clock = site.node.local.accounts, site.node.local.clock
    made = accounts.admin.invite(login="li.wei", name="Li Wei", roles=[Role.SALES])
    accounts.own.accept(made.code, PASSWORD)
    page.goto("/console/account")
    page.locator("#login:focus").wait_for()
    page.keyboard.type("li.wei")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/account")
    page.locator("#factor-password").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    secret = read_base32(page.locator(".secret").inner_text())
    page.keyboard.type(compute_code(secret, step=clock.now_ms() // 1000 // STEP_S))
    page.keyboard.press("Enter")
    first = page.locator(".codes code").first.inner_text()
    page.get_by_role("button", name="Sign out").click()
    page.keyboard.type("li.wei")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/login/code")

    page.keyboard.type(first)
    page.keyboard.press("Enter")

    page.wait_for_url("**/console/")
    assert "Li Wei" in page.locator("header").inner_text()
    assert complaints == []


def test_the_keyboard_alone_enters_a_dispute_of_an_item_without_a_script(
    site: Site, page: Page
) -> None:
    (item_id,) = site.node.local.ledger.enter_debit(
        NewDebit(
            customer_id=site.cold_id,
            kind=ItemKind.INVOICE,
            document_no="KEYS-1",
            happened_on=BUSINESS_DATE,
            currency="CNY",
            terms=(Term(due_on=BUSINESS_DATE, amount_minor=100_000),),
        ),
        by="erp",
    )
    complaints = _sign_in(page, f"/console/items/{item_id}")
    page.get_by_role("link", name="Enter a dispute").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Amount").fill("1,234")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert "two ways" in page.locator("#amount-wrong").inner_text()
    assert page.locator("#amount").get_attribute("aria-invalid") == "true"
    page.get_by_label("Amount").fill("123,45")
    page.keyboard.press("Tab")  # to the cause
    page.keyboard.type("price")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    page.get_by_role("status").wait_for()
    assert "123.45" in page.content()
    page.get_by_role("link", name="KEYS-1").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/console/items/{item_id}")
    (dispute,) = site.node.local.ledger.tell_item(item_id).disputes
    assert (dispute.amount_minor, dispute.cause.value) == (12_345, "price")
    assert [one for one in complaints if "422" not in one] == []


def test_no_page_is_wider_than_a_narrow_screen_in_light_and_dark(site: Site, page: Page) -> None:
    _sign_in(page)
    page.set_viewport_size({"width": 390, "height": 800})
    home = f"/console/customers/{site.cold_id}"
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for path in ("/console/", "/console/ageing", f"{home}/ledger", f"{home}/enter/payment"):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, (scheme, path)


def test_the_keyboard_alone_signs_in_finds_a_customer_and_rates_it(
    site: Site, page: Page, tmp_path: Path
) -> None:
    complaints = _sign_in(page)
    page.get_by_label("Find by name or identifier").fill("S000001")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=S000001*")
    link = page.locator(f"a[href='/console/customers/{site.cold_id}']")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/customers/{site.cold_id}")
    page.get_by_role("button", name="Rate on the business date").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**#rating")
    page.screenshot(path=tmp_path / "customer-en.png", full_page=True)

    rating = site.node.local.rating.find_latest(site.cold_id)
    assert rating is not None
    assert rating.as_of == BUSINESS_DATE
    assert rating.grade_own != rating.grade_with_peers
    assert page.locator(".rating.main .grade").inner_text() == rating.grade_with_peers
    assert complaints == []
    assert (tmp_path / "customer-en.png").stat().st_size > PNG_BYTES_MIN


def test_the_list_reads_in_chinese_and_nothing_overflows_the_page(
    page: Page, tmp_path: Path
) -> None:
    complaints = _sign_in(page)
    page.get_by_role("link", name="中文").click()
    page.wait_for_url("**lang=zh*")
    page.screenshot(path=tmp_path / "customers-zh.png", full_page=True)

    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert page.get_by_role("columnheader", name="逾期金额").get_attribute("aria-sort")
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
    assert complaints == []


def test_every_table_has_scoped_headers_and_every_field_a_label(site: Site, page: Page) -> None:
    _sign_in(page)
    for path in ("/console/", f"/console/customers/{site.cold_id}", "/console/shared"):
        page.goto(path)
        assert page.locator("th:not([scope])").count() == 0
        assert page.locator("h1").count() == 1
        fields = page.locator("input:not([type=hidden]):not([hidden])")
        for number in range(fields.count()):
            name = fields.nth(number).get_attribute("id")
            assert page.locator(f"label[for='{name}']").count() == 1


def test_the_style_sheet_is_applied_under_the_strict_policy(page: Page) -> None:
    _sign_in(page)

    colour = page.locator("header.top").evaluate("one => getComputedStyle(one).backgroundColor")
    assert colour == "rgb(23, 70, 79)"


def test_a_customers_page_prints_without_the_frame_of_the_screen(
    site: Site, page: Page, tmp_path: Path
) -> None:
    _sign_in(page, f"/console/customers/{site.cold_id}")
    page.emulate_media(media="print")
    page.pdf(path=tmp_path / "customer.pdf", format="A4")

    assert not page.locator("header.top").is_visible()
    assert not page.get_by_role("button", name="Rate on the business date").is_visible()
    assert page.locator("h1").is_visible()
    assert (tmp_path / "customer.pdf").stat().st_size > PNG_BYTES_MIN


def test_a_list_is_sent_and_tried_by_its_form(page: Page, tmp_path: Path) -> None:
    """Nothing is written: the other tests see the customers that are there."""
    complaints = _sign_in(page, "/console/import")
    file = tmp_path / "清单.csv"
    file.write_bytes(SAP_LIST)
    page.get_by_label("CSV or XLSX file").set_input_files(file)
    page.get_by_label("From which system").select_option("sap-fbl5n")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Country code").first.wait_for()
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("button", name="Import", exact=True).wait_for()

    assert page.get_by_text("清单.csv").is_visible()
    assert page.locator("tr", has_text="cleared together").count() == 2
    assert not complaints


def test_signing_out_closes_the_door(page: Page) -> None:
    _sign_in(page)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    page.goto("/console/shared")

    assert "/console/login" in page.url
