"""In a real browser: answers that arrive while a page is open, and pages that no link leads to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from node.core.clock import now_s
from node.hub.overview import HubOverview
from node.sharing.peers import HttpReply
from node.web.console import build_console_routes
from node.web.hub_console import HUB_PATH, TABS, HubFaces, build_hub_pages
from tests.support.browser import CHROMIUM, FLAGS
from tests.support.hubs import ALPHA, enrol_subject, make_status, open_test_hub
from tests.support.inquiries import open_asking_site
from tests.support.scene_console import OPERATOR_TOKEN

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"Chromium is not at {CHROMIUM}"),
]
STARTUP_S_MAX = 20
WAIT_MS = 20_000


@contextmanager
def serve(routes: Sequence[BaseRoute]) -> Iterator[str]:
    """Serve pages on loopback."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(Starlette(routes=list(routes)), log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(STARTUP_S_MAX)
        listener.close()


@contextmanager
def open_browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


def judge(page: Page) -> list[tuple[str, str]]:
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        run: dict[str, Any] = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response
        found += [(page.url, one["id"]) for one in run["violations"]]
    return found


def test_answers_arrive_on_the_open_page_without_loading_it_again(tmp_path: Path) -> None:
    with open_asking_site(tmp_path) as site:
        for provider in ("beta.example", "gamma.example"):
            site.hold(provider)
        peers = site.node.scene.federation.peers
        released, send = threading.Event(), peers.send_message

        async def hold_gamma_back(endpoint: str, raw: bytes) -> HttpReply:
            if "gamma" in endpoint:
                await asyncio.to_thread(released.wait)
            return await send(endpoint, raw)

        peers.send_message = hold_gamma_back  # type: ignore[method-assign]
        with serve(build_console_routes(site.node)) as url, open_browser() as browser:
            page = browser.new_context(base_url=url, locale="en-GB").new_page()
            page.goto("/console/")
            page.locator("summary").click()
            page.locator("#token").fill(OPERATOR_TOKEN)
            page.locator("#token").press("Enter")
            page.wait_for_url("**/console/")
            page.goto(site.ask_path)
            page.get_by_role("button", name="Ask them").click()
            page.wait_for_url("**/inquiries/*")
            page.evaluate("window.stays = true")
            status = page.get_by_role("status")
            sync_api.expect(status).to_contain_text("1 of 2", timeout=WAIT_MS)
            found = judge(page)
            released.set()
            sync_api.expect(status).to_contain_text("Ended at", timeout=WAIT_MS)
            was_not_loaded_again = page.evaluate("window.stays === true")
            found += judge(page)

    assert was_not_loaded_again
    assert found == []


def test_no_page_of_the_hub_hinders_who_cannot_see_or_point(tmp_path: Path) -> None:
    hub = open_test_hub(tmp_path)
    hub.service.enrol_member(ALPHA.enrol())
    hub.service.enrol_subject(enrol_subject())
    hub.service.report_status(make_status())
    faces = HubFaces(
        service=hub.service,
        overview=HubOverview(database=hub.database, clock=hub.clock),
        now_s=lambda: now_s(hub.clock),
    )
    found: list[tuple[str, str]] = []
    with serve(build_hub_pages(faces, token=OPERATOR_TOKEN)) as url, open_browser() as browser:
        page = browser.new_context(base_url=url, locale="en-GB").new_page()
        page.goto(f"{HUB_PATH}/login")
        found += judge(page)
        page.locator("#token").fill(OPERATOR_TOKEN)
        page.locator("#token").press("Enter")
        page.wait_for_url(f"**{HUB_PATH}/")
        for tab in TABS:
            answer = page.goto(f"{HUB_PATH}/{tab}")
            assert answer is not None
            assert answer.ok
            found += judge(page)
    hub.database.dispose()

    assert found == []
