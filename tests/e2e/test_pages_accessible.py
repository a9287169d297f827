"""Every page of the console that links lead to, judged by axe in a real browser, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from starlette.routing import Route

from node.bootstrap.member import Node
from node.core.people.service import Role
from node.decision.asked import Asked
from node.decision.evidence import Wish
from node.governance.cases.entries import NewCase
from node.governance.cases.record import CaseChannel
from node.governance.cases.rules_case import CaseKind
from node.governance.reviews.rules_review import ReviewSubject
from node.governance.training.service import NewProcedure
from node.records.ledger import NewDebit, Term
from node.records.rules_ledger import ItemKind
from node.web.console import build_console_routes
from tests.support.browser import CHROMIUM, FLAGS, serve
from tests.support.console_node import (
    API_TOKEN,
    PEERS,
    adopt_registry,
    answer_peer,
    build_console_node,
    receive_summary,
)
from tests.support.risk_pages import furnish_risk

if TYPE_CHECKING:
    from playwright.sync_api import Page

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(400),  # some eighty pages, each judged twice
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"Chromium is not at {CHROMIUM}"),
]
ALL = {"resultTypes": ["violations"]}
DARK = {**ALL, "runOnly": ["color-contrast"]}
# A letter is no page of ours: its customer reads it, by a template that never changes.
NO_PAGES = re.compile(r"\.csv$|/static/|/logout$|/audit/export$|/letter$|^/console$")
OK, NOT_FOUND = 200, 404
# Reached by a form that was sent, with an account, or from a record that is not here; the pages
# of subjects stand apart (tests/e2e/test_subject_pages.py).
BEHIND_FORMS = {
    "/console/account",
    "/console/audit/drops/{drop_id}",
    "/console/audit/drops/{drop_id}/report",
    "/console/audit/drops/{drop_id}/report.html",
    "/console/audit/drops/{drop_id}/report.json",
    "/console/audit/exchanges/{index:int}",
    "/console/customers/{customer_id}/applications/{application_id}/document",
    "/console/customers/{customer_id}/applications/{application_id}/state",
    "/console/customers/{customer_id}/defaults/{default_id}/decision",
    "/console/customers/{customer_id}/defaults/{default_id}/end",
    "/console/customers/{customer_id}/statements/upload/{upload_id}",
    "/console/customers/{customer_id}/statements/{statement_id}/correction",
    "/console/customers/{customer_id}/statements/{statement_id}/withdrawal",
    "/console/entered/{nonce}",
    "/console/import/{upload_id}",
    "/console/import/{upload_id}/progress",
    "/console/inquiries/{inquiry_id}",
    "/console/inquiries/{inquiry_id}/events",
    "/console/invitation",
    "/console/items/{item_id}/disputes/{dispute_id}/end",
    "/console/items/{item_id}/enter/apply",
    "/console/items/{item_id}/enter/recovery",
    "/console/login/code",
    "/console/models/{model_id}",
    "/console/policies/{version_id}/edit",
    "/console/ratings/customers",
    "/console/ratings/overrides/{override_id}",
    "/subject",
    "/subject/own",
    "/subject/own/consents/{consent}/record",
    "/subject/own/copy.json",
    "/subject/request",
    "/subject/request/file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A node, and the pages of it that are opened before those that links lead to."""

    node: Node
    first: list[str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    node = build_console_node(tmp_path_factory.mktemp("accessible"))
    cold = node.local.records.find_customer(scheme="sim", value="S000001")
    assert cold is not None
    receive_summary(node, cold)
    receive_summary(node, cold, provider=PEERS[1], tier="class")
    answer_peer(node, cold)
    adopt_registry(node, simulated=True)
    yield Site(node=node, first=_furnish(node, cold.customer_id))
    node.writer.close()
    node.local.close()


def _furnish(node: Node, customer_id: int) -> list[str]:
    """Let there be an open item, a case, a procedure, a review and a decision; return pages."""
    local, governance = node.local, node.local.governance
    governance.cases.receive(
        NewCase(
            kind=CaseKind.SERVICE,
            complainant="Wu Ming",
            text="too slow",
            channel=CaseChannel.PHONE,
            received_on=local.business_date(),
            customer_id=customer_id,
        ),
        by="zhao",
    )
    governance.training.publish(
        NewProcedure(
            slug="order-check", title="Orders", text="Read.", roles=frozenset({Role.ANALYST})
        ),
        by="wang",
    )
    governance.reviews.plan(
        subject=ReviewSubject.POLICY, due_on=date(2026, 6, 1), months=3, by="wang"
    )
    decision = local.decisions.propose(
        customer_id, asked=Asked(wish=Wish(currency="CNY")), by="zhang"
    )
    (item_id,) = local.ledger.enter_debit(
        NewDebit(
            customer_id=customer_id,
            kind=ItemKind.INVOICE,
            document_no="OPEN-1",
            happened_on=local.business_date(),
            currency="CNY",
            terms=(Term(due_on=local.business_date(), amount_minor=100_000),),
        ),
        by="erp",
    )
    shown = furnish_risk(node, customer_id)
    return [
        f"/console/orders/{shown.order_id}",
        f"/console/dunning/{shown.letter_id}",
        f"/console/provisions/{shown.run_id}",
        f"/console/risk/register/{shown.risk_id}",
        "/console/risk/concentration?part=country:DE",
        "/console/risk/stress?notches=1",
        f"/console/items/{item_id}",
        f"/console/customers/{customer_id}/ledger",
        f"/console/decisions/{decision.decision_id}",
    ]


def test_no_page_hinders_who_cannot_see_or_point(site: Site) -> None:
    patterns = _list_patterns(site.node)
    seen: dict[str, str] = {}
    found: list[tuple[str, str, str]] = []
    with serve(site.node) as url, sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = browser.new_context(base_url=url, locale="en-GB").new_page()
        page.goto("/console/")
        found += _judge(page)
        page.locator("summary").click()  # where a token signs in
        page.locator("#token").fill(API_TOKEN)
        page.locator("#token").press("Enter")
        page.wait_for_url("**/console/")
        todo = [*site.first, "/console/"]
        while todo:
            path = todo.pop(0)
            pattern = _match(path, patterns)
            if pattern in seen or NO_PAGES.search(path.partition("?")[0]):
                continue
            answer = page.goto(path)
            assert answer is not None
            if answer.status == NOT_FOUND:  # a form of which this customer has nothing says so
                assert page.get_by_role("heading", level=1).is_visible(), path
                continue
            assert answer.status == OK, path
            seen[pattern] = path
            found += _judge(page)
            todo += _read_links(page)
        browser.close()

    assert found == []
    missed = {one for one in patterns if not NO_PAGES.search(one)} - set(seen) - {"/console/login"}
    assert missed == BEHIND_FORMS


def _list_patterns(node: Node) -> dict[str, re.Pattern[str]]:
    routes = [one for one in build_console_routes(node) if isinstance(one, Route)]
    return {
        one.path: re.compile(re.sub(r"\{[a-z_:]+\}", "[^/]+", one.path))
        for one in routes
        if "GET" in (one.methods or set())
    }


def _match(address: str, patterns: dict[str, re.Pattern[str]]) -> str:
    path = address.partition("?")[0]
    found = [one for one, pattern in patterns.items() if pattern.fullmatch(path)]
    return min(found, key=lambda one: one.count("{"))


def _read_links(page: Page) -> list[str]:
    links: list[str] = page.eval_on_selector_all(
        "a[href^='/console']", "found => found.map(one => one.getAttribute('href'))"
    )
    return [one.partition("#")[0] for one in links]


def _judge(page: Page) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for is_dark in (False, True):
        page.emulate_media(color_scheme="dark" if is_dark else "light")
        run = axe.Axe().run(page, options=DARK if is_dark else ALL)
        violations: list[dict[str, Any]] = run.response["violations"]
        found += [
            (page.url, one["id"], node["html"]) for one in violations for node in one["nodes"]
        ]
    return found
