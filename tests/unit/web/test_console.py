"""The console over its routes, on a real node with generated invoices."""

# ruff: noqa: RUF001  the console writes ranges with an en dash

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import update
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.assessment.looks import PEER_VALUES
from node.bootstrap.member import Node
from node.core.http.access import SESSION_COOKIE
from node.records.customers import ContactRole, NameKind
from node.records.ledger import Correction, NewCredit, NewDebit, Term
from node.records.rules_ledger import (
    AllocationMethod,
    DisputeCause,
    DisputeOutcome,
    ItemKind,
)
from node.records.tables import customer
from node.web.console import build_console_routes
from tests.support.console_node import (
    API_TOKEN,
    BUSINESS_DATE,
    adopt_registry,
    answer_peer,
    build_console_node,
    build_empty_node,
    receive_summary,
)

HOST = "http://testserver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    node: Node
    client: TestClient

    def sign_in(self) -> None:
        answer = self.client.post(
            "/console/login", data={"token": API_TOKEN}, headers={"origin": HOST}
        )
        assert answer.status_code == 303

    def customer_id(self, subject: str) -> int:
        scheme, _, value = subject.partition(":")
        found = self.node.local.records.find_customer(scheme=scheme, value=value)
        assert found is not None
        return found.customer_id


def _open(node: Node) -> TestClient:
    app = Starlette(routes=build_console_routes(node))
    return TestClient(app, base_url=HOST, follow_redirects=False)


@pytest.fixture(scope="module")
def rated_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = build_console_node(tmp_path_factory.mktemp("home"))
    records = node.local.records
    cold = records.find_customer(scheme="sim", value="S000001")
    clean = records.find_customer(scheme="sim", value="S000003")
    assert cold is not None
    assert clean is not None
    receive_summary(node, cold)
    receive_summary(node, clean, is_erased=True)
    answer_peer(node, cold)
    node.local.rating.rate_customer(cold.customer_id, as_of=BUSINESS_DATE)
    adopt_registry(node, simulated=True)
    yield node
    node.writer.close()
    node.local.close()


@pytest.fixture
def site(rated_node: Node) -> Site:
    site = Site(node=rated_node, client=_open(rated_node))
    site.sign_in()
    return site


@pytest.fixture
def stranger(rated_node: Node) -> TestClient:
    return _open(rated_node)


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[Site]:
    node = build_empty_node(tmp_path / "home")
    site = Site(node=node, client=_open(node))
    site.sign_in()
    yield site
    node.writer.close()
    node.local.close()


@pytest.mark.parametrize(
    "path", ["/console/", "/console/shared", "/console/customers/1", "/console/customers/1/ledger"]
)
def test_every_page_sends_a_stranger_to_the_sign_in(stranger: TestClient, path: str) -> None:
    answer = stranger.get(path)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/login?next=%2Fconsole%2F")
    assert answer.text == ""


def test_a_stranger_cannot_start_a_rating(stranger: TestClient) -> None:
    answer = stranger.post("/console/customers/1/rate", headers={"origin": HOST})

    assert answer.headers["location"] == "/console/login"


def test_a_wrong_token_buys_nothing(stranger: TestClient) -> None:
    answer = stranger.post("/console/login", data={"token": "wrong"}, headers={"origin": HOST})

    assert answer.status_code == 401
    assert SESSION_COOKIE not in answer.cookies
    assert 'role="alert"' in answer.text


def test_a_form_of_too_many_fields_is_refused(stranger: TestClient) -> None:
    answer = stranger.post(
        "/console/login",
        content="a=1&" * 20 + f"token={API_TOKEN}",
        headers={"origin": HOST, "content-type": "application/x-www-form-urlencoded"},
    )

    assert answer.status_code == 422
    assert SESSION_COOKIE not in answer.cookies


def test_the_session_cookie_is_strict_and_does_not_hold_the_token(stranger: TestClient) -> None:
    answer = stranger.post("/console/login", data={"token": API_TOKEN}, headers={"origin": HOST})

    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/console"} <= set(cookie.split("; "))
    assert API_TOKEN not in cookie


def test_the_sign_in_leads_on_to_the_page_that_was_asked_for(stranger: TestClient) -> None:
    form = {"token": API_TOKEN, "next": "/console/customers/7"}
    answer = stranger.post("/console/login", data=form, headers={"origin": HOST})

    assert answer.headers["location"] == "/console/customers/7"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/console/../x", "/api"]
)
def test_the_sign_in_leads_to_no_other_site_or_face(stranger: TestClient, target: str) -> None:
    form = {"token": API_TOKEN, "next": target}
    answer = stranger.post("/console/login", data=form, headers={"origin": HOST})

    assert answer.headers["location"] == "/console/"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"referer": "https://evil.example/console"},
    ],
    ids=["nothing", "null", "other origin", "other referer"],
)
@pytest.mark.parametrize("path", ["/console/login", "/console/logout", "/console/customers/1/rate"])
def test_a_form_of_another_site_is_refused(site: Site, path: str, headers: dict[str, str]) -> None:
    answer = site.client.post(path, data={"token": API_TOKEN}, headers=headers)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_referer_of_this_host_is_enough_where_there_is_no_origin(site: Site) -> None:
    answer = site.client.post("/console/logout", headers={"referer": f"{HOST}/console/"})

    assert answer.headers["location"] == "/console/login"
    assert site.client.get("/console/").status_code == 303


def test_a_form_that_is_too_large_is_refused(stranger: TestClient) -> None:
    answer = stranger.post("/console/login", data={"token": "x" * 5000}, headers={"origin": HOST})

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/console/", "/console/customers/1", "/console/shared", "/console/login"]
)
def test_every_page_forbids_scripts_frames_and_keeping(site: Site, path: str) -> None:
    answer = site.client.get(path)

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "style=" not in answer.text
    assert "<script" not in answer.text


def test_the_style_sheet_and_the_icon_are_served_without_a_session(stranger: TestClient) -> None:
    page = stranger.get("/console/login").text
    addresses = re.findall(r'href="(/console/static/[^"]+)"', page)

    assert len(addresses) == 2
    assert [stranger.get(address).status_code for address in addresses] == [200, 200]
    assert stranger.get("/console/static/console.py").status_code == 404


def test_the_most_past_due_customer_comes_first(site: Site) -> None:
    page = site.client.get("/console/?lang=en").text

    amounts = re.findall(r'<td class="number(?: due)?">CNY\u00a0([0-9,.]+)</td>', page)[::2]
    values = [int(amount.replace(",", "").replace(".", "")) for amount in amounts]
    assert values[0] > 0
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("sort", ["owing", "oldest", "index", "dbt", "score", "name", "nonsense"])
def test_every_order_lists_the_same_customers(site: Site, sort: str) -> None:
    page = site.client.get(f"/console/?sort={sort}")

    assert page.status_code == 200
    assert len(set(re.findall(r"/console/customers/(\d+)", page.text))) == 48


def test_the_search_finds_by_name_and_by_identifier(site: Site) -> None:
    by_id = site.client.get("/console/?q=s000003").text
    nothing = site.client.get("/console/?lang=en&q=<script>alert(1)</script>").text

    assert re.findall(r"/console/customers/(\d+)", by_id) == [str(site.customer_id("sim:S000003"))]
    assert "No customer matches" in nothing
    assert "<script>" not in nothing


@pytest.mark.parametrize(
    "query",
    [
        {"after": "x"},
        {"after": "CNY.1.2"},
        {"before": "CNY." + "9" * 40},
        {"status": "none"},
        {"moved": "grade"},
        {"moved": "grade", "since": "yesterday"},
        {"grade": "A" * 6},
    ],
    ids=str,
)
def test_an_address_that_no_list_has_named_is_refused(site: Site, query: dict[str, str]) -> None:
    answer = site.client.get("/console/", params=query)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_what_cannot_be_computed_is_in_words(site: Site) -> None:
    page = site.client.get("/console/?lang=en").text

    assert "not computable" in page
    assert "nothing overdue" in page
    assert ">—<" not in page


def test_the_language_comes_from_the_browser_until_it_is_chosen(site: Site) -> None:
    header = {"accept-language": "de;q=0.9, zh-CN;q=0.8, en;q=0.2"}
    by_browser = site.client.get("/console/", headers=header).text
    chosen = site.client.get("/console/?lang=en", headers=header)
    later = site.client.get("/console/shared", headers=header).text

    assert '<html lang="zh-CN">' in by_browser
    assert "HttpOnly" in chosen.headers["set-cookie"]
    assert '<html lang="en">' in later


def test_an_unknown_language_falls_back_to_english(site: Site) -> None:
    header = {"accept-language": "fr, zh;q=nonsense, *;q=0.1"}

    assert '<html lang="en">' in site.client.get("/console/?lang=fr", headers=header).text


def test_a_simulated_federation_is_said_on_every_page(site: Site) -> None:
    for path in ("/console/", "/console/customers/1", "/console/shared"):
        assert "Simulated federation" in site.client.get(path, params={"lang": "en"}).text


def test_a_customers_page_explains_the_rating_with_and_without_peers(site: Site) -> None:
    path = f"/console/customers/{site.customer_id('sim:S000001')}"
    english = site.client.get(path, params={"lang": "en"}).text
    chinese = site.client.get(path, params={"lang": "zh"}).text

    assert "▼" in english
    assert "has sold to it for 3–5 years" in english
    assert "业务往来3–5 年" in chinese
    assert english.count('class="chart') == chinese.count('class="chart') >= 1
    for words in ("How the points add up", "How invoices were paid", "Ratings so far"):
        assert words in english
    assert "bravo.example" in english
    assert "answered: full" in english


def test_who_sees_what_peers_have_said_is_in_the_access_log(site: Site) -> None:
    local, consents = site.node.local, site.node.consents
    customers = local.records.list_customers(limit=100)
    newest = max((row.access_id for row in local.people.list_accesses()), default=0)

    for one in customers:
        site.client.get(f"/console/customers/{one.customer_id}")

    looks = [row for row in local.people.list_accesses() if row.access_id > newest]
    told_of = [one for one in customers if consents.list_received(one.subject_id)]
    assert told_of
    assert {row.who for row in looks} == {"operator"}
    at_peers = {row.target for row in looks if row.what == PEER_VALUES}
    assert at_peers == {f"customer {one.customer_id}" for one in told_of}
    assert len(looks) == len(customers)
    assert {row.what for row in looks} <= {PEER_VALUES, "credit"}


def test_an_erased_summary_is_named_as_such_and_keeps_its_hash(site: Site) -> None:
    path = f"/console/customers/{site.customer_id('sim:S000003')}"
    page = site.client.get(path, params={"lang": "en"}).text

    assert "Input erased" in page
    assert "Message hash" in page


def test_every_customers_page_can_be_shown_in_both_languages(site: Site) -> None:
    for one in site.node.local.records.list_customers(limit=100):
        for language in ("en", "zh"):
            path = f"/console/customers/{one.customer_id}?lang={language}"
            assert site.client.get(path).status_code == 200


def test_rating_a_customer_adds_a_rating_and_leads_back(site: Site) -> None:
    customer_id = site.customer_id("sim:S000003")
    rating = site.node.local.rating
    before = len(rating.list_history(customer_id))

    answer = site.client.post(f"/console/customers/{customer_id}/rate", headers={"origin": HOST})

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/console/customers/{customer_id}#rating"
    assert len(rating.list_history(customer_id)) == before + 1


@pytest.mark.parametrize("customer_id", ["999", str(2**63), "9" * 40, "9" * 5_000, "²", "-1"])
def test_a_customer_that_is_not_there_is_not_found(site: Site, customer_id: str) -> None:
    shown = site.client.get(f"/console/customers/{customer_id}")
    rated = site.client.post(f"/console/customers/{customer_id}/rate", headers={"origin": HOST})

    assert shown.status_code == rated.status_code == 404
    assert 'role="alert"' in shown.text


def test_the_register_names_what_left_and_what_was_asked(site: Site) -> None:
    page = site.client.get("/console/shared?lang=en").text

    assert "charlie.example" in page
    assert "bravo.example" in page
    assert page.count("sim:S000001") >= 2


def test_a_node_without_customers_says_how_to_begin(empty_site: Site) -> None:
    page = empty_site.client.get("/console/?lang=en").text

    assert "chengxin import FILE" in page
    assert "Simulated" not in page
    assert "Nothing left this house" in empty_site.client.get("/console/shared").text


def _import_two(site: Site) -> None:
    file = (
        "customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
        "currency,amount,paid_on,paid_amount,disputed\r\n"
        "sim,C000901,Sundry,DE,D1,1,2026-01-05,2026-02-04,EUR,100.00,,,\r\n"
        "sim,C000902,Sample Corp,JP,D2,1,2026-01-05,2026-02-04,JPY,1000,,,\r\n"
    )
    site.node.local.records.import_file(file.encode(), file_name="x.csv")


def test_customers_before_a_rating_and_of_several_currencies_are_listed_apart(
    empty_site: Site,
) -> None:
    _import_two(empty_site)
    page = empty_site.client.get("/console/?lang=en").text

    assert "not rated yet" in page
    assert "EUR\u00a0100.00" in page
    assert "JPY\u00a01,000" in page
    assert "There is more than one currency" in page


def test_a_collective_account_is_shown_and_not_rated(empty_site: Site) -> None:
    _import_two(empty_site)
    customer_id = empty_site.customer_id("sim:C000901")
    with empty_site.node.local.database.write() as uow:
        named = update(customer).where(customer.c.id == customer_id)
        uow.connection.execute(named.values(kind="collective"))
    path = f"/console/customers/{customer_id}"

    refused = empty_site.client.post(f"{path}/rate", headers={"origin": HOST})
    page = empty_site.client.get(f"{path}?lang=en").text

    assert refused.status_code == 422
    assert "customer-collective" in refused.text
    assert "A collective account is not rated" in page
    assert "/rate" not in page


def test_the_bare_address_leads_to_the_customers(site: Site) -> None:
    assert site.client.get("/console").headers["location"] == "/console/"
    assert site.client.get("/console/login").headers["location"] == "/console/"


def test_the_ledger_shows_what_is_open_and_each_item_its_story(empty_site: Site) -> None:
    local = empty_site.node.local
    customer_id = local.records.add_customer(
        scheme="sim", value="C9", name="宏达<b>机械", country="CN"
    ).customer_id
    terms = (
        Term(due_on=date(2026, 6, 1), amount_minor=100_000),
        Term(due_on=date(2026, 7, 31), amount_minor=50_000),
    )
    first, _ = local.ledger.enter_debit(
        NewDebit(
            customer_id=customer_id,
            kind=ItemKind.INVOICE,
            document_no="INV-1",
            happened_on=date(2026, 5, 1),
            currency="CNY",
            terms=terms,
        ),
        by="王会计",
    )
    payment = NewCredit(
        customer_id=customer_id,
        kind=ItemKind.PAYMENT,
        document_no="PAY-1",
        happened_on=date(2026, 6, 10),
        currency="CNY",
        amount_minor=30_000,
    )
    local.ledger.enter_credit(payment, by="李", allocate=AllocationMethod.OLDEST_FIRST)
    address = f"/console/customers/{customer_id}/ledger"

    now = empty_site.client.get(f"{address}?lang=en").text
    assert "700.00" in now
    assert "29" in now  # days overdue on 30 June
    assert "宏达&lt;b&gt;机械" in now
    before = empty_site.client.get(f"{address}?as_of=2026-06-09&base=issued&lang=en").text
    assert "1,000.00" in before
    assert "the same day" in before
    unknown = empty_site.client.get(f"{address}?known_at=2020-01-01T00:00&lang=en").text
    assert "Nothing is open." in unknown
    story = empty_site.client.get(f"/console/items/{first}?lang=zh").text
    assert "先到期先核销" in story
    assert "王会计" in story
    new = local.ledger.correct_item(first, Correction(reason="单价有误", amount_minor=1), by="李")
    story = empty_site.client.get(f"/console/items/{first}?lang=zh").text
    assert "此项已被更正" in story
    assert "单价有误" in story
    assert f"/console/items/{new}" in story
    dispute = local.ledger.open_dispute(
        new, amount_minor=1, cause=DisputeCause.PRICE, on=date(2026, 6, 1), by="李"
    )
    local.ledger.close_dispute(
        dispute, outcome=DisputeOutcome.UPHELD, reason="是", on=date(2026, 6, 2), by="李"
    )
    assert "upheld: 是" in empty_site.client.get(f"/console/items/{new}?lang=en").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/console/customers/1/ledger?as_of=yesterday", 422),
        ("/console/customers/1/ledger?known_at=2026-13-01T00:00", 422),
        ("/console/customers/999/ledger", 404),
        ("/console/items/99999", 404),
        ("/console/items/x", 404),
        ("/console/items/99999999999999999999", 404),
    ],
)
def test_an_address_of_the_ledger_that_names_nothing_is_told_so(
    site: Site, path: str, status: int
) -> None:
    assert site.client.get(path).status_code == status


def test_every_customers_ledger_can_be_shown(site: Site) -> None:
    for one in site.node.local.records.list_customers(limit=500):
        answer = site.client.get(f"/console/customers/{one.customer_id}/ledger")
        assert answer.status_code == 200


def test_a_customers_page_says_who_it_is(empty_site: Site) -> None:
    local = empty_site.node.local
    first, second, parent = (
        local.records.add_customer(scheme="sim", value=f"C{number}", name=f"N{number}").customer_id
        for number in range(3)
    )
    bare = empty_site.client.get(f"/console/customers/{first}?lang=en").text
    assert "Who it is" not in bare
    customers = local.customers
    customers.add_identifier(first, scheme="erp", value="K-77", by="li")
    customers.add_name(first, kind=NameKind.FOREIGN, name="Hongda", by="li")
    customers.add_contact(first, role=ContactRole.PAYMENTS, name="陈", phone="+86 21", by="li")
    customers.set_parent(first, parent_id=parent, by="li")
    customers.merge(second, into_id=first, reason="one <b>", by="zhao")

    for key in (first, second):
        page = empty_site.client.get(f"/console/customers/{key}?lang=en").text
        for words in ("erp:K-77", "Hongda", "+86 21", "N2", "sim:C1", "zhao: one &lt;b&gt;"):
            assert words in page
