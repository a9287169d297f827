"""Pictures for the README: the demonstration's federation, as a credit officer sees it.

The nodes are those of ``chengxin demo --keep``, the browser is Debian's Chromium without a window.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright import sync_api

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu"]
MEMBER = "alpha.example"
READY = "Ctrl-C ends the nodes."
WIDTH, HEIGHT = 1_280, 820
LOOKS_MAX, LOOK_MS = 60, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Where a node's console is, and what opens it."""

    url: str
    token: str


def main() -> None:
    """Write the pictures into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with run_demo() as console, sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        try:
            for language, suffix in (("en-GB", "en"), ("zh-CN", "zh")):
                take(browser, console, language=language, out=out, suffix=suffix)
        finally:
            browser.close()


@contextmanager
def run_demo() -> Iterator[Console]:
    """Run the demonstration until its nodes are up; end them afterwards.

    Raises:
        RuntimeError: It ended before.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "demo"
        command = [sys.executable, "-m", "node", "demo", "--keep", "--home", str(home)]
        with subprocess.Popen(  # noqa: S603  our own program, fixed arguments
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as demo:
            try:
                yield read_console(demo, home=home)
            finally:
                demo.send_signal(signal.SIGTERM)


def read_console(demo: subprocess.Popen[str], *, home: Path) -> Console:
    """Read what the demonstration prints, up to where the console is."""
    url = ""
    for line in demo.stdout or ():
        if line.startswith(f"{MEMBER}: console "):
            url = line.split()[2].removesuffix("/console/")
        if line.strip() == READY and url:
            (path,) = home.rglob(f"{MEMBER.partition('.')[0]}*/api_token")
            return Console(url=url, token=path.read_text("ascii").strip())
    raise RuntimeError("the demonstration ended before its nodes were up")


def take(
    browser: sync_api.Browser, console: Console, *, language: str, out: Path, suffix: str
) -> None:
    """Take the pictures in one language."""
    context = browser.new_context(
        base_url=console.url, locale=language, viewport={"width": WIDTH, "height": HEIGHT}
    )
    page = context.new_page()
    page.goto("/console/login")
    page.locator("summary").click()
    page.locator("#token").fill(console.token)
    page.locator("#token").press("Enter")
    page.wait_for_url("**/console/")

    def keep(name: str) -> None:
        page.screenshot(path=out / f"{name}.{suffix}.png")

    customer = find_changed(page)
    page.goto("/console/portfolio")
    keep("portfolio")
    page.goto(customer)
    keep("customer")
    page.goto(f"{customer}/ask")
    page.locator("form button[type=submit]").last.click()
    page.wait_for_url("**/console/inquiries/*")
    for _ in range(LOOKS_MAX):  # The script is on the page as long as answers are to come.
        if not page.locator("script").count():
            break
        page.wait_for_timeout(LOOK_MS)
        page.reload()
    keep("answers")
    context.close()


def find_changed(page: sync_api.Page) -> str:
    """Return the address of a customer whose grade peers have changed, and whom we sell to."""
    row = page.locator("tbody tr", has_text="≠").filter(has_text="CNY").first
    address = row.locator("th a").get_attribute("href")
    if address is None:
        raise RuntimeError("peers have changed no grade")
    return address


if __name__ == "__main__":
    main()
