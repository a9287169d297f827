"""A person's browser at the console, with an account of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from itertools import count

from httpx2 import Response
from starlette.testclient import TestClient

from node.core.clock import ManualClock
from node.core.http.access import SESSION_COOKIE
from node.core.people.accounts.totp import STEP_S, compute_code
from node.core.people.service import Role
from tests.support.accounts import PASSWORD, read_base32
from tests.support.console_people import HOST, ORIGIN, Desk

NUMBERS = count(1)
CSRF = re.compile(r"csrf=([A-Za-z0-9_-]+)")


@dataclass(slots=True, kw_only=True)
class Browser:
    """A person's browser at the console: it sends what the forms of a page hold."""

    desk: Desk
    http: TestClient
    login: str
    name: str
    secret: bytes = field(default=b"", repr=False)

    @property
    def clock(self) -> ManualClock:
        clock = self.desk.node.local.clock
        assert isinstance(clock, ManualClock)
        return clock

    @property
    def cookie(self) -> str:
        return self.http.cookies.get(SESSION_COOKIE) or ""

    def get(self, path: str) -> Response:
        return self.http.get(f"{path}{'&' if '?' in path else '?'}lang=en")

    def press(self, page: str, path: str, **form: str) -> Response:
        """Send the form of a page that goes to a path, with the sign that it carries."""
        found = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', self.get(page).text)
        (action,) = {unescape(one) for one in found if one.partition("?")[0] == path}
        return self.http.post(action, data=form, headers=ORIGIN)

    def sign_in(self, password: str = PASSWORD, *, next_path: str = "") -> Response:
        form = {"login": self.login, "password": password, "next": next_path}
        return self.http.post("/console/login", data=form, headers=ORIGIN)

    def add_factor(self) -> str:
        """Add a second factor; return the page of the recovery codes."""
        page = self.press("/console/account", "/console/account/factor", password=PASSWORD).text
        (secret,) = re.findall(r'<code class="secret">([^<]+)<', page)
        self.secret = read_base32(secret)
        (action,) = re.findall(r'action="(/console/account/factor/confirm[^"]*)"', page)
        done = self.http.post(unescape(action), data={"code": self.code()}, headers=ORIGIN)
        assert done.status_code == 200, done.text
        return str(done.text)

    def code(self) -> str:
        return compute_code(self.secret, step=self.clock.now_ms() // 1000 // STEP_S)

    def next_code(self) -> str:
        self.clock.advance_s(STEP_S)
        return self.code()

    def give_code(self, next_path: str = "") -> Response:
        code = self.next_code()
        return self.press("/console/login/code", "/console/login/code", code=code, next=next_path)


def open_browser(desk: Desk, *roles: Role) -> Browser:
    number = next(NUMBERS)
    browser = Browser(
        desk=desk,
        http=TestClient(desk.client.app, base_url=HOST, follow_redirects=False),
        login=f"person{number}",
        name=f"Person {'abcdefghijklmnopqrstuvwxyz'[number % 26]} {number}",
    )
    accounts = desk.node.local.accounts
    made = accounts.admin.invite(login=browser.login, name=browser.name, roles=roles)
    accounts.own.accept(made.code, PASSWORD)
    return browser


def signed_in(desk: Desk, *roles: Role) -> Browser:
    browser = open_browser(desk, *roles)
    assert browser.sign_in().status_code == 303
    return browser
