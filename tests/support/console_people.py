"""A console with one customer that has open items, signed in as any role."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from pathlib import Path

from httpx2 import Response
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.people.service import Role
from node.records.ledger import ItemStory, NewDebit, Term
from node.records.rules_ledger import ItemKind
from node.web.console import build_console_routes
from tests.support.console_node import API_TOKEN, build_empty_node

HOST = "http://testserver"
ORIGIN = {"origin": HOST}
ISSUED = date(2026, 5, 1)


@dataclass(slots=True, kw_only=True)
class Desk:
    """A node with a customer, and a browser."""

    node: Node
    client: TestClient
    customer_id: int
    names: dict[Role, str] = field(default_factory=dict)

    @property
    def home(self) -> str:
        return f"/console/customers/{self.customer_id}"

    def sign_in(self, role: Role, name: str = "Li Wei") -> None:
        token = API_TOKEN
        if role is not Role.OPERATOR:
            token = self.node.local.people.create_token(role=role, name=name, life_s=3_600).token
        self.client.cookies.clear()
        answer = self.client.post("/console/login", data={"token": token}, headers=ORIGIN)
        assert answer.status_code == 303

    def invoice(self, number: str, *terms: tuple[date, int], currency: str = "EUR") -> list[int]:
        debit = NewDebit(
            customer_id=self.customer_id,
            kind=ItemKind.INVOICE,
            document_no=number,
            happened_on=ISSUED,
            currency=currency,
            terms=tuple(Term(due_on=day, amount_minor=minor) for day, minor in terms),
        )
        return self.node.local.ledger.enter_debit(debit, by="erp")

    def open_form(self, path: str) -> dict[str, str]:
        """Return what a browser would send of a form that is shown, untouched."""
        answer = self.client.get(path, params={"lang": "en"})
        assert answer.status_code == 200, answer.text
        return read_form(answer.text)

    def send(self, path: str, form: dict[str, str | list[str]] | dict[str, str]) -> Response:
        return self.client.post(path, data=form, headers=ORIGIN)

    def enter(self, path: str, **typed: str | list[str]) -> str:
        """Fill a form in and send it; return the page of what was entered."""
        form: dict[str, str | list[str]] = {**self.open_form(path)}
        answer = self.send(path, form | typed)
        assert answer.status_code == 303, answer.text
        return str(self.client.get(answer.headers["location"], params={"lang": "en"}).text)

    def tell(self, item_id: int) -> ItemStory:
        return self.node.local.ledger.tell_item(item_id)


def read(desk: Desk, path: str, language: str = "en", **query: str) -> str:
    """Return a page that is there."""
    answer = desk.client.get(path, params={"lang": language} | query)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def make_home(folder: Path) -> Path:
    """Return the home of a node that is closed: keys take longer to make than to copy."""
    node = build_empty_node(folder)
    node.writer.close()
    node.local.close()
    return folder


def open_desk(home: Path, *, like: Path | None = None) -> Desk:
    """Return a desk at which nobody is signed in, in a home of its own, perhaps a copy."""
    if like is not None:
        shutil.copytree(like, home)
    node = build_empty_node(home)
    app = Starlette(routes=build_console_routes(node))
    client = TestClient(app, base_url=HOST, follow_redirects=False)
    customer_id = node.local.records.add_customer(
        scheme="sim", value="C1", name="Hongda", country="DE"
    ).customer_id
    return Desk(node=node, client=client, customer_id=customer_id)


def close_desk(desk: Desk) -> None:
    """Close its node."""
    desk.node.writer.close()
    desk.node.local.close()


def read_form(page: str) -> dict[str, str]:
    """Return the fields of a page's form with their values; of boxes, those that are ticked."""
    form: dict[str, str] = {}
    _, _, body = page.partition('<form class="card entry"')
    for tag in re.findall(r"<input[^>]*>", body):
        name, value = (_read_attribute(tag, one) for one in ("name", "value"))
        if 'type="checkbox"' not in tag or " checked" in tag:
            form[name] = value
    for name, inner in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', body):
        chosen = re.search(r'value="([^"]*)" selected', inner) or re.search(r'value="(.*?)"', inner)
        form[name] = "" if chosen is None else chosen[1]
    return form


def _read_attribute(tag: str, name: str) -> str:
    found = re.search(rf' {name}="([^"]*)"', tag)
    return "" if found is None else unescape(found[1])
