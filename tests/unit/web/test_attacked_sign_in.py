"""What was tried against the sign-in over the console's own pages, each as it was tried."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from node.core.http.access import SESSION_COOKIE
from node.core.http.devices import DEVICE_COOKIE, DEVICE_LIFE_S
from node.core.people.accounts.admission import PLACES
from node.core.people.accounts.passwords import ArgonHasher, PasswordCost
from node.core.people.accounts.room import build_accounts
from node.core.people.accounts.rules_delay import ADDRESS_FREE, NAME_FREE
from node.core.people.service import Role
from node.web.console import build_console_routes
from node.web.sessions import TOKEN_SESSION_LIFE_S
from tests.support.account_browser import Browser, open_browser, signed_in
from tests.support.accounts import PASSWORD
from tests.support.console_node import API_TOKEN
from tests.support.console_people import HOST, ORIGIN, Desk, close_desk, open_desk
from tests.support.nodes import CountingBytes

WRONG = "four grey herons wade"
SCRIPT = "\"'><script>alert(1)</script><svg onload=alert(1)>"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = open_desk(tmp_path_factory.mktemp("attacked") / "home")
    yield desk
    close_desk(desk)


def open_again(desk: Desk, cookie: str, path: str = "/console/") -> Response:
    """Return what a thief sees who has kept a cookie."""
    thief = TestClient(desk.client.app, base_url=HOST, follow_redirects=False)
    thief.cookies.set(SESSION_COOKIE, cookie)
    return thief.get(path)


def test_a_one_time_code_stands_in_no_address(desk: Desk) -> None:
    desk.sign_in(Role.OPERATOR)
    form = {"login": "link.less", "name": "Link Less", "role": "sales"}
    made = desk.client.post("/console/accounts?lang=en", data=form, headers=ORIGIN)
    (code,) = set(re.findall(r"cxi_[A-Za-z0-9_-]+", made.text))
    stranger = TestClient(desk.client.app, base_url=HOST, follow_redirects=False)

    by_address = stranger.get(f"/console/invitation?code={code}")
    by_form = stranger.post("/console/invitation", data={"code": code}, headers=ORIGIN)

    assert not re.search(rf"/[^\s<\"]*{code}", made.text)
    assert "link.less" not in by_address.text
    assert "link.less" in by_form.text
    assert not re.search(rf'(action|href)="[^"]*{code}', by_form.text)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ANALYST, Role.AUDITOR])
def test_signing_out_ends_a_tokens_session_at_the_node(desk: Desk, role: Role) -> None:
    desk.sign_in(role)
    cookie = desk.client.cookies[SESSION_COOKIE]
    path = "/console/audit/" if role is Role.AUDITOR else "/console/"
    assert open_again(desk, cookie, path).status_code == 200

    desk.client.post("/console/logout", headers=ORIGIN)

    assert open_again(desk, cookie, path).headers["location"].startswith("/console/login?")


def test_no_two_sessions_of_the_operator_are_alike_and_each_ends_at_the_node(desk: Desk) -> None:
    desk.sign_in(Role.OPERATOR)
    first = desk.client.cookies[SESSION_COOKIE]
    desk.sign_in(Role.OPERATOR)
    second = desk.client.cookies[SESSION_COOKIE]
    assert first != second

    clock = signed_in(desk, Role.SALES).clock
    clock.advance_s(TOKEN_SESSION_LIFE_S)

    assert {open_again(desk, one).status_code for one in (first, second)} == {303}


@pytest.mark.parametrize("kind", ["account, then token", "token, then account", "token twice"])
def test_a_sign_in_ends_the_session_that_came_along_whatever_its_kind(
    desk: Desk, kind: str
) -> None:
    browser = open_browser(desk, Role.ANALYST)

    def by_token() -> None:
        browser.http.post("/console/login", data={"token": API_TOKEN}, headers=ORIGIN)

    def by_account() -> None:
        browser.sign_in()

    orders: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        "account, then token": (by_account, by_token),
        "token, then account": (by_token, by_account),
        "token twice": (by_token, by_token),
    }
    first, second = orders[kind]
    first()
    former = browser.cookie
    assert open_again(desk, former).status_code == 200

    second()

    assert open_again(desk, former).status_code == 303
    assert open_again(desk, browser.cookie).status_code == 200


def test_who_waits_for_a_code_that_there_is_no_more_is_not_led_in_a_circle(desk: Desk) -> None:
    whole = signed_in(desk, Role.SALES)
    whole.add_factor()
    half = replace(whole, http=TestClient(desk.client.app, base_url=HOST))
    half.sign_in()
    removed = whole.press(
        "/console/account", "/console/account/factor/remove", code=whole.next_code()
    )
    assert removed.status_code == 303

    answer = half.http.get("/console/")

    assert (answer.status_code, answer.url.path) == (200, "/console/login")
    assert whole.get("/console/").status_code == 200


def test_who_has_given_the_password_alone_may_sign_in_as_somebody_else(desk: Desk) -> None:
    half = signed_in(desk, Role.SALES)
    half.add_factor()
    half.sign_in()

    assert half.get("/console/login").status_code == 200


@pytest.mark.parametrize("page", ["login", "login/code", "logout", "invitation", "login/"])
def test_a_sign_in_does_not_lead_back_to_the_way_in(desk: Desk, page: str) -> None:
    browser = open_browser(desk, Role.ANALYST)

    assert browser.sign_in(next_path=f"/console/{page}").headers["location"] == "/console/"


def test_a_device_is_known_once_all_was_right_and_opens_nothing(desk: Desk) -> None:
    browser = signed_in(desk, Role.SALES)
    browser.add_factor()
    browser.http.cookies.clear()
    half = browser.sign_in()
    whole = browser.give_code()
    (device,) = [one for one in whole.headers.get_list("set-cookie") if DEVICE_COOKIE in one]

    assert DEVICE_COOKIE not in str(half.headers.get_list("set-cookie"))
    flags = {"HttpOnly", "SameSite=strict", "Path=/console/login", f"Max-Age={DEVICE_LIFE_S}"}
    assert flags <= set(device.split("; "))
    browser.http.cookies.delete(SESSION_COOKIE)
    assert browser.get("/console/").status_code == 303


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_over_tls_no_cookie_goes_without_it(desk: Desk, scheme: str) -> None:
    browser = open_browser(desk, Role.SALES)
    browser.http = TestClient(
        desk.client.app, base_url=f"{scheme}://testserver", follow_redirects=False
    )
    form = {"login": browser.login, "password": PASSWORD}
    headers = {"origin": f"{scheme}://testserver"}

    by_account = browser.http.post("/console/login?lang=en", data=form, headers=headers)
    by_token = browser.http.post("/console/login", data={"token": API_TOKEN}, headers=headers)

    cookies = [one for a in (by_account, by_token) for one in a.headers.get_list("set-cookie")]
    assert len(cookies) == 4  # Device, session, language; session.
    for cookie in cookies:
        flags = set(cookie.split("; ")[1:])
        assert {"HttpOnly", "SameSite=strict"} <= flags
        assert ("Secure" in flags) is (scheme == "https")


@pytest.mark.parametrize("device", ["own", "none", "another's", "forged", "old"])
def test_the_owners_device_signs_in_while_the_same_address_guesses(desk: Desk, device: str) -> None:
    browser = signed_in(desk, Role.SALES)
    other = signed_in(desk, Role.SALES)
    cookie = browser.http.cookies[DEVICE_COOKIE]
    given = {
        "own": cookie,
        "none": "",
        "another's": other.http.cookies[DEVICE_COOKIE],
        "forged": f"{cookie[:-2]}xx",
        "old": cookie,
    }[device]
    browser.clock.advance_s(DEVICE_LIFE_S if device == "old" else 86_401)
    guesser = Browser(
        desk=desk,
        http=TestClient(desk.client.app, base_url=HOST, follow_redirects=False),
        login=browser.login,
        name=browser.name,
    )
    for _ in range(NAME_FREE + 1):
        assert guesser.sign_in(WRONG).status_code == 401
    browser.http.cookies.clear()
    browser.http.cookies.set(DEVICE_COOKIE, given)

    answer = browser.sign_in()

    assert answer.status_code == (303 if device == "own" else 429)


class BusyHasher(ArgonHasher):
    """Works on every password until the test lets it end."""

    def __init__(self) -> None:
        super().__init__(PasswordCost(passes=1, memory_kib=8))
        self.inside = threading.Semaphore(0)
        self.may_end = threading.Event()

    def is_match(self, kept: str, password: str) -> bool:
        self.inside.release()
        assert self.may_end.wait(20)
        return super().is_match(kept, password)


def test_a_crowd_of_sign_ins_is_told_to_come_again_and_pages_are_shown(desk: Desk) -> None:
    hasher = BusyHasher()
    accounts = build_accounts(
        desk.node.local.settings,
        database=desk.node.local.database,
        clock=desk.node.local.clock,
        random_bytes=CountingBytes(77),
        hasher=hasher,
    )
    node = replace(desk.node, local=replace(desk.node.local, accounts=accounts))
    crowd = replace(desk, node=node)
    signed_in(desk, Role.SALES)  # So that there is a password to compare with.

    def sign_in(number: int) -> Response:
        # Each from a house of its own: else the address would wait first.
        app = Starlette(routes=build_console_routes(crowd.node))
        http = TestClient(
            app, base_url=HOST, follow_redirects=False, client=(f"198.51.100.{number}", 1)
        )
        form = {"login": f"crowd{number}", "password": WRONG}
        return http.post("/console/login?lang=en", data=form, headers=ORIGIN)

    with ThreadPoolExecutor(PLACES) as pool:
        waiting = [pool.submit(sign_in, number) for number in range(PLACES)]
        for _ in range(PLACES):
            assert hasher.inside.acquire(timeout=20)
        refused = sign_in(100)
        page = desk.client.get("/console/login")
        hasher.may_end.set()
        answers = [one.result(20).status_code for one in waiting]

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert "Too many sign in at this moment" in refused.text
    assert page.status_code in {200, 303}
    assert answers == [401] * PLACES


def test_every_address_that_changes_something_refuses_another_sites_form(desk: Desk) -> None:
    desk.sign_in(Role.OPERATOR)
    routes = [one for one in build_console_routes(desk.node) if isinstance(one, Route)]
    changing = [one.path for one in routes if "POST" in (one.methods or set())]
    assert {"/console/login", "/console/login/code", "/console/logout"} <= set(changing)
    for path in changing:
        for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {}):
            answer = desk.client.post(re.sub(r"\{[^}]+\}", "1", path), headers=headers)
            assert answer.status_code == 403, (path, headers)
            assert "set-cookie" not in answer.headers, path
    assert desk.client.get("/console/").status_code == 200


def test_every_answer_of_the_console_forbids_scripts_frames_sniffing_and_keeping(
    desk: Desk,
) -> None:
    desk.sign_in(Role.OPERATOR)
    routes = [one for one in build_console_routes(desk.node) if isinstance(one, Route)]
    read = [one.path for one in routes if "GET" in (one.methods or set())]
    for path in read:
        answer = desk.client.get(re.sub(r"\{[^}]+\}", "999", path))
        policy = dict(
            part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
        )
        assert policy["default-src"] == "'none'", path
        scripts = policy.get("script-src")
        # The node's own files, on the pages that cannot do without: no word of a page ever runs.
        assert scripts is None or (scripts == "'self'" and path.startswith("/subject")), path
        assert "unsafe" not in str(policy), path
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'", path
        assert policy["form-action"] == "'self'", path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert answer.headers["x-frame-options"] == "DENY", path
        assert answer.headers["referrer-policy"] == "same-origin", path
        assert answer.headers["cross-origin-opener-policy"] == "same-origin", path
        assert answer.headers["cross-origin-resource-policy"] == "same-origin", path
        assert answer.headers["cache-control"] == "no-store", path


def test_no_template_holds_an_inline_script_a_style_or_a_handler() -> None:
    folder = Path(build_console_routes.__code__.co_filename).parent / "templates"
    inline = re.compile(
        r'<script(?! src="/)|<style|\sstyle=|\son[a-z]+=|javascript:', re.IGNORECASE
    )
    for template in folder.glob("*.html"):
        if template.name == "report.html":
            continue  # A file to be opened by itself: it is shown on no page of the console.
        found = inline.search(template.read_text(encoding="utf-8"))
        assert found is None, (template.name, found)


def test_the_name_of_a_person_and_of_a_customer_is_words_on_every_page(desk: Desk) -> None:
    accounts, local = desk.node.local.accounts, desk.node.local
    made = accounts.admin.invite(login="script.er", name=SCRIPT, roles=[Role.CREDIT_MANAGER])
    accounts.own.accept(made.code, PASSWORD)
    customer_id = local.records.add_customer(
        scheme="sim", value="XSS1", name=SCRIPT, country="DE"
    ).customer_id
    browser = Browser(
        desk=desk,
        http=TestClient(desk.client.app, base_url=HOST, follow_redirects=False),
        login="script.er",
        name=SCRIPT,
    )
    assert browser.sign_in().status_code == 303
    desk.sign_in(Role.OPERATOR)
    routes = [one for one in build_console_routes(desk.node) if isinstance(one, Route)]
    read = [one.path for one in routes if "GET" in (one.methods or set())]
    shown = 0
    for client in (browser.http, desk.client):
        for path in read:
            asked = re.sub(r"\{[^}]+\}", "1", path.replace("{customer_id}", str(customer_id)))
            answer = client.get(asked)
            text = answer.text if "html" in answer.headers.get("content-type", "") else ""
            assert "<script" not in text.replace('<script src="/subject/static/', ""), path
            assert "onload=alert(1)>" not in text, path
            shown += "&lt;script&gt;" in text

    assert shown > 20


def test_an_address_that_fails_too_often_is_told_when_to_come_again(desk: Desk) -> None:
    app = Starlette(routes=build_console_routes(desk.node))
    http = TestClient(app, base_url=HOST, follow_redirects=False, client=("203.0.113.200", 1))
    for number in range(ADDRESS_FREE + 1):
        form = {"login": f"spray{number}", "password": WRONG}
        assert http.post("/console/login", data=form, headers=ORIGIN).status_code == 401

    answer = http.post(
        "/console/login", data={"login": "one.more", "password": WRONG}, headers=ORIGIN
    )

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
