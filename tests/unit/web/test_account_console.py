"""Signing in by an account, the second factor, my account, and the administration of accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from node.core.http.access import SESSION_COOKIE
from node.core.people.service import Role
from node.web.console import build_console_routes
from node.web.page_access import PAGES
from node.web.sessions import sign_forms
from tests.support.account_browser import CSRF, Browser, open_browser, signed_in
from tests.support.accounts import PASSWORD
from tests.support.console_people import HOST, ORIGIN, Desk, close_desk, open_desk

CODE = re.compile(r"cxi_[A-Za-z0-9_-]+")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = open_desk(tmp_path_factory.mktemp("accounts") / "home")
    yield desk
    close_desk(desk)


def test_an_administrator_invites_and_the_person_sets_a_password_and_signs_in(
    desk: Desk,
) -> None:
    desk.sign_in(Role.OPERATOR)
    form = {"login": "wu.ying", "name": "Wu Ying", "role": ["analyst", "sales"]}
    made = desk.client.post("/console/accounts?lang=en", data=form, headers=ORIGIN)
    (code,) = set(CODE.findall(made.text))
    browser = Browser(
        desk=desk,
        http=TestClient(desk.client.app, base_url=HOST, follow_redirects=False),
        login="wu.ying",
        name="Wu Ying",
    )
    page = browser.http.post("/console/invitation", data={"code": code}, headers=ORIGIN)
    assert 'value="wu.ying"' in page.text
    twice = {"code": code, "password": PASSWORD}
    wrong = browser.http.post(
        "/console/invitation", data=twice | {"again": "another one"}, headers=ORIGIN
    )
    assert wrong.status_code == 422
    done = browser.http.post(
        "/console/invitation", data=twice | {"again": PASSWORD}, headers=ORIGIN
    )

    assert done.headers["location"] == "/console/login?set=1"
    assert code not in desk.client.get("/console/accounts").text
    assert browser.sign_in().headers["location"] == "/console/"
    assert "Wu Ying" in browser.get("/console/").text


def test_the_cookie_of_an_account_is_strict_and_each_sign_in_has_another(desk: Desk) -> None:
    browser = open_browser(desk, Role.ANALYST)
    answer = browser.sign_in()
    first = browser.cookie

    browser.sign_in()

    flags = set(answer.headers["set-cookie"].split("; "))
    assert {"HttpOnly", "SameSite=strict", "Path=/console"} <= flags
    assert browser.cookie != first
    other = TestClient(desk.client.app, base_url=HOST, follow_redirects=False)
    other.cookies.set(SESSION_COOKIE, first)
    assert other.get("/console/").status_code == 303  # It ended when the next one began.


def test_a_session_that_was_planted_before_the_sign_in_opens_nothing_after_it(
    desk: Desk,
) -> None:
    planted = "s1." + "A" * 43
    browser = open_browser(desk, Role.ANALYST)
    browser.http.cookies.set(SESSION_COOKIE, planted)
    answer = browser.sign_in()
    assert planted not in answer.headers["set-cookie"]

    other = TestClient(desk.client.app, base_url=HOST, follow_redirects=False)
    other.cookies.set(SESSION_COOKIE, planted)

    assert other.get("/console/").status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/console/../api",
        "/console/\n",
        "/console/%0d%0aset-cookie:x",
        "\\evil.example",
        "/api",
    ],
)
def test_no_sign_in_leads_to_another_site_or_face(desk: Desk, target: str) -> None:
    browser = open_browser(desk, Role.ANALYST)

    plain = browser.sign_in(next_path=target)
    browser.add_factor()
    half = browser.sign_in(next_path=target)
    whole = browser.give_code(next_path=target)

    assert plain.headers["location"] == "/console/"
    assert half.headers["location"] == "/console/login/code"
    assert whole.headers["location"] == "/console/"
    browser.http.cookies.clear()
    asked = browser.http.get("/console/login", params={"next": target})
    assert asked.text.count('name="next" value=""') == 2


def test_the_sign_in_leads_on_to_the_page_that_was_asked_for(desk: Desk) -> None:
    browser = open_browser(desk, Role.ANALYST)

    assert browser.sign_in(next_path="/console/ratings").headers["location"] == "/console/ratings"


def test_a_name_that_is_none_and_a_wrong_password_are_one_page(desk: Desk) -> None:
    browser = open_browser(desk, Role.ANALYST)
    wrong = browser.sign_in("not the password at all")
    browser.login = "nobody.here"
    none = browser.sign_in("not the password at all")

    assert wrong.status_code == none.status_code == 401
    assert re.sub(r'value="[^"]*"', "", wrong.text) == re.sub(r'value="[^"]*"', "", none.text)
    assert SESSION_COOKIE not in wrong.cookies


def test_who_has_failed_too_often_is_told_how_long_to_wait(desk: Desk) -> None:
    browser = open_browser(desk, Role.ANALYST)
    for _ in range(4):
        browser.sign_in("not the password at all")
    form = {"login": browser.login, "password": PASSWORD}

    answer = browser.http.post("/console/login?lang=en", data=form, headers=ORIGIN)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert "try again in 1 s" in answer.text
    browser.clock.advance_s(1)
    assert browser.sign_in().status_code == 303


@pytest.mark.parametrize("sign", ["", "?csrf=", "?csrf=" + "A" * 43, "another's"])
def test_a_form_without_the_sign_of_its_session_is_refused(desk: Desk, sign: str) -> None:
    browser = signed_in(desk, Role.CREDIT_MANAGER)
    if sign == "another's":
        other = signed_in(desk, Role.CREDIT_MANAGER)
        sign = f"?csrf={CSRF.findall(other.get('/console/account').text)[0]}"
    paths = ["/console/account/sessions/others", desk.home + "/rate", "/console/logout"]

    answers = [browser.http.post(f"{path}{sign}", headers=ORIGIN) for path in paths]

    assert [one.status_code for one in answers] == [403] * 3
    assert browser.get("/console/").status_code == 200


def test_the_sign_of_a_session_is_another_after_a_rise_of_its_rights(desk: Desk) -> None:
    browser = signed_in(desk, Role.SALES, Role.ANALYST)
    before, cookie = CSRF.findall(browser.get("/console/account").text)[0], browser.cookie

    done = browser.press("/console/account", "/console/account/role", role="analyst")

    assert done.status_code == 303
    assert browser.cookie != cookie
    assert browser.get("/console/ratings").status_code == 200
    stale = browser.http.post(f"/console/account/sessions/others?csrf={before}", headers=ORIGIN)
    assert stale.status_code == 403
    refused = browser.press("/console/account", "/console/account/role", role="cfo")
    assert refused.status_code == 403


def test_every_form_of_every_template_gets_the_sign(desk: Desk) -> None:
    browser = signed_in(desk, Role.SALES)
    viewer = desk.node.local.accounts.sign_in.find(browser.cookie)
    folder = Path(build_console_routes.__code__.co_filename).parent / "templates"
    for template in folder.glob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert sign_forms(text, viewer).count("csrf=") == text.count('method="post"'), template
    assert sign_forms('<form method="post" action="/a?b=1">', viewer).count("?b=1&amp;csrf=") == 1
    assert sign_forms('<form method="post" action="/a">', None).count("csrf") == 0


def test_before_the_code_no_page_opens_and_nothing_of_the_node_is_shown(desk: Desk) -> None:
    browser = signed_in(desk, Role.CREDIT_MANAGER)
    assert "cxi_" not in browser.add_factor()
    browser.sign_in()
    routes = [one for one in build_console_routes(desk.node) if isinstance(one, Route)]
    asked = [one for one in routes if "GET" in (one.methods or set()) and "{" not in one.path]
    open_pages = {"/console", "/console/login", "/console/login/code", "/console/invitation"}
    for route in asked:
        answer = browser.get(route.path)
        if route.path not in open_pages and not route.path.startswith("/subject"):
            assert answer.headers["location"].startswith("/console/login/code"), route.path
    page = browser.get("/console/login/code").text
    assert "/console/customers" not in page
    assert browser.name not in page

    assert browser.give_code().headers["location"] == "/console/"

    assert browser.get("/console/").status_code == 200


def test_the_recovery_codes_are_shown_once_and_each_opens_once(desk: Desk) -> None:
    browser = signed_in(desk, Role.SALES)
    codes = re.findall(r"<li><code>([^<]+)</code></li>", browser.add_factor())
    assert len(codes) == 10
    assert codes[0] not in browser.get("/console/account").text
    answers = []
    for _ in range(2):
        browser.sign_in()
        answers.append(
            browser.press("/console/login/code", "/console/login/code", code=codes[0]).status_code
        )

    assert answers == [303, 401]


APPROVING = {path for (method, path), page in PAGES.items() if page.is_approval}


def test_an_account_without_a_factor_approves_nothing_and_is_told_what_to_do(desk: Desk) -> None:
    browser = signed_in(desk, Role.CREDIT_MANAGER)
    (csrf, *_others) = CSRF.findall(browser.get("/console/account").text)
    for path in APPROVING:
        target = re.sub(r"\{\w+\}", "1", path)
        answer = browser.http.post(f"{target}?csrf={csrf}&lang=en", headers=ORIGIN)

        assert answer.status_code == 403, path
        assert "factor-missing" in answer.text
        assert 'href="/console/account"' in answer.text


def test_an_approval_asks_for_a_code_that_is_fresh_and_leads_back(desk: Desk) -> None:
    browser = signed_in(desk, Role.CREDIT_MANAGER)
    browser.add_factor()
    target = "/console/policies/1/decision"

    def approve() -> Response:
        (csrf, *_others) = CSRF.findall(browser.get("/console/account").text)
        headers = ORIGIN | {"referer": f"{HOST}/console/policies/1"}
        return browser.http.post(f"{target}?csrf={csrf}&lang=en", headers=headers)

    fresh = approve()
    browser.clock.advance_s(desk.node.local.settings.approval_factor_minutes * 60)
    stale = approve()
    (lead,) = re.findall(r'href="(/console/login/code[^"]+)"', stale.text)
    assert lead == "/console/login/code?next=%2Fconsole%2Fpolicies%2F1"
    led = browser.give_code(next_path="/console/policies/1")
    again = approve()

    assert "factor-" not in fresh.text
    assert (stale.status_code, "factor-stale" in stale.text) == (403, True)
    assert led.headers["location"] == "/console/policies/1"
    assert "factor-" not in again.text
    outcomes = {
        row.outcome for row in desk.node.local.people.list_accesses() if row.target == target
    }
    assert "factor-stale" in outcomes


def test_an_account_that_ends_is_signed_out_at_once(desk: Desk) -> None:
    browser = signed_in(desk, Role.ANALYST)
    found = desk.node.local.accounts.admin.find_by_login(browser.login)
    assert found is not None
    desk.sign_in(Role.OPERATOR)
    done = desk.client.post(f"/console/accounts/{found.account_id}/end", headers=ORIGIN)

    assert done.status_code == 303
    assert browser.get("/console/").status_code == 303
    assert browser.sign_in().status_code == 401
    again = desk.client.post(f"/console/accounts/{found.account_id}/lock", headers=ORIGIN)
    assert again.status_code == 409


def test_signing_out_ends_the_session_and_not_the_cookie_alone(desk: Desk) -> None:
    browser = signed_in(desk, Role.ANALYST)
    cookie = browser.cookie
    browser.press("/console/account", "/console/logout")

    assert desk.node.local.accounts.sign_in.find(cookie) is None


def test_a_person_lists_and_ends_its_own_sessions(desk: Desk) -> None:
    browser = signed_in(desk, Role.ANALYST)
    elsewhere = Browser(
        desk=desk,
        http=TestClient(desk.client.app, base_url=HOST, follow_redirects=False),
        login=browser.login,
        name=browser.name,
    )
    elsewhere.sign_in()
    page = browser.get("/console/account").text
    (path,) = set(re.findall(r'action="(/console/account/sessions/[0-9]+)\?', page))

    browser.press("/console/account", path)

    assert elsewhere.get("/console/").status_code == 303
    assert browser.get("/console/").status_code == 200
    elsewhere.sign_in()
    browser.press("/console/account", "/console/account/sessions/others")
    assert elsewhere.get("/console/").status_code == 303


def test_a_password_is_changed_with_the_former_one(desk: Desk) -> None:
    browser = signed_in(desk, Role.ANALYST)
    new = "seven slow barges drift"
    path = "/console/account/password"
    wrong = browser.press(
        "/console/account", path, former="not the password", password=new, again=new
    )
    unlike = browser.press("/console/account", path, former=PASSWORD, password=new, again="x" * 12)

    done = browser.press("/console/account", path, former=PASSWORD, password=new, again=new)

    assert [wrong.status_code, unlike.status_code, done.status_code] == [401, 422, 303]
    assert browser.get("/console/").status_code == 200
    assert browser.sign_in(new).status_code == 303


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUDITOR])
def test_accounts_are_administered_by_the_operator_alone(desk: Desk, role: Role) -> None:
    desk.sign_in(role)
    is_operator = role is Role.OPERATOR
    shown = desk.client.get("/console/accounts")
    form = {"login": f"by.{role}", "name": f"By {role}", "role": "sales"}
    entered = desk.client.post("/console/accounts", data=form, headers=ORIGIN)

    assert (shown.status_code == 200) is is_operator
    assert (entered.status_code == 200) is is_operator
    made = desk.node.local.accounts.admin.find_by_login(f"by.{role}")
    assert (made is not None) is is_operator


@pytest.mark.parametrize(
    "form",
    [
        {"login": "x", "name": "X Y", "role": "sales"},
        {"login": "fine", "name": "X Y"},
        {"login": "fine", "name": "X Y", "role": "operator"},
        {"login": "fine", "name": "X Y", "role": "king"},
    ],
)
def test_an_account_that_is_none_is_refused_on_the_page(desk: Desk, form: dict[str, str]) -> None:
    desk.sign_in(Role.OPERATOR)
    answer = desk.client.post("/console/accounts", data=form, headers=ORIGIN)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_a_token_has_no_account_page(desk: Desk) -> None:
    desk.sign_in(Role.ANALYST)

    assert desk.client.get("/console/account").headers["location"] == "/console/"
