"""The subject's pages in Chromium: a key made there signs, enters its own page, and withdraws."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from node.core.keystore import save_key
from node.sharing.outgoing import Ask
from node.sharing.subjects.record import RequestState
from protocol.consent import ConsentState, commit_subject, open_consent
from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.enrolment import open_subject_enrolment
from protocol.jws import split_compact
from protocol.registry import SubjectEntry
from schemas.summary import Section
from tests.support.browser import CHROMIUM, FLAGS, serve
from tests.support.nodes import NOW_S, SUBJECT, SUBJECT_KEY, SUBJECT_SALT, build_key_entry
from tests.support.scene_console import SceneConsole
from tests.support.subject_site import build_subject_site
from tests.support.subjects import TERMS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"Chromium is not at {CHROMIUM}"),
]
PROVIDERS = ("beta.example", "gamma.example")
PASSPHRASE = "a passphrase of these tests"


T = TypeVar("T")


def run_apart(awaited: Coroutine[Any, Any, T]) -> T:
    """Run what the node does by itself: the browser's driver has this thread's loop."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, awaited).result()


@dataclass(kw_only=True)
class Visit:
    """A browser at a site, what its console complained of, and what its requests said."""

    site: SceneConsole
    page: Page
    complaints: list[str]
    addresses: list[str]

    def ask(self) -> int:
        """Prepare a request and open the address that its subject is given."""
        terms = replace(TERMS, providers=PROVIDERS)
        made = self.site.subjects.requests.ask(terms, open_days=14, by="Li Wei")
        self.page.goto(f"/subject?lang=en#code={made.code}")
        self.page.get_by_role("button", name="Open the request").click()
        self.page.wait_for_url("**/subject/request")
        assert not any(made.code in one for one in self.addresses)  # in no address that is sent
        return made.request.request_id

    def make_key(self) -> None:
        """Make a key in the browser and have the hub enter it."""
        self.page.get_by_role("button", name="Make a key on this device").click()
        with self.page.expect_download() as waiting:
            self.page.get_by_role("button", name="Save the enrolment file").click()
        path = waiting.value.path()
        (token,) = json.loads(Path(path).read_text(encoding="utf-8"))["tokens"]
        federation = self.site.scene.federation
        enrolment = open_subject_enrolment([token], hub="hub.example", now_s=NOW_S)
        assert enrolment.subject == SUBJECT
        assert self.page.locator("#fingerprint").inner_text() == enrolment.key.kid
        entry = SubjectEntry(
            commitment=commit_subject(SUBJECT, salt=enrolment.salt),
            verified="test",
            keys=(replace(build_key_entry(SUBJECT_KEY, use="consent"), key=enrolment.key),),
        )
        known = federation.registry
        federation.publish(replace(known, subjects=(*known.subjects, entry)))
        self.page.reload()

    def use_file(self, folder: Path) -> None:
        """Open the key file that the command writes."""
        key, salt = folder / "subject.pem", folder / "subject.salt"
        save_key(SUBJECT_KEY, path=key, passphrase=PASSPHRASE)
        salt.write_text(encode_b64u(SUBJECT_SALT), encoding="ascii")
        self.page.get_by_text("I have a key file").click()
        form = self.page.locator("#open-file")
        form.locator("[name=key]").set_input_files(key)
        form.locator("[name=salt]").set_input_files(salt)
        form.locator("[name=passphrase]").fill(PASSPHRASE)
        form.get_by_role("button", name="Open the key file").click()

    def sign(self) -> None:
        """Read, agree and sign."""
        self.page.get_by_label("I have read this and agree").check()
        self.page.get_by_role("button", name="Sign", exact=True).click()
        self.page.get_by_text("You have signed").wait_for()

    def judge(self) -> list[str]:
        """Return what hinders who cannot see or point, light and dark."""
        found: list[str] = []
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            found += [one["id"] for one in axe.Axe().run(self.page).response["violations"]]
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SceneConsole]:
    built = build_subject_site(tmp_path_factory.mktemp("subjects"))
    yield built
    built.scene.federation.close()


@pytest.fixture(scope="module")
def browser(site: SceneConsole) -> Iterator[tuple[Browser, str]]:
    with serve(site) as url, sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started, url
        started.close()


@pytest.fixture
def visit(site: SceneConsole, browser: tuple[Browser, str]) -> Iterator[Visit]:
    started, url = browser
    with started.new_context(base_url=url, locale="en-GB") as context:
        page = context.new_page()
        page.clock.set_fixed_time(NOW_S)
        visit = Visit(site=site, page=page, complaints=[], addresses=[])
        page.on(
            "console",
            lambda line: visit.complaints.append(line.text) if line.type == "error" else None,
        )
        page.on("request", lambda one: visit.addresses.append(one.url))
        page.on("dialog", lambda one: one.accept())
        yield visit


def test_a_key_made_in_the_browser_signs_enters_and_withdraws(visit: Visit) -> None:
    site, page = visit.site, visit.page
    page.goto("/subject?lang=en")
    assert visit.judge() == []
    number = visit.ask()
    assert visit.judge() == []
    visit.make_key()
    shown = page.locator(".terms").inner_text()
    assert "beta.example" in shown
    assert "10 times in all" in shown
    assert visit.judge() == []
    page.get_by_label("gamma.example").uncheck()

    visit.sign()

    assert visit.judge() == []
    request = site.subjects.requests.get(number)
    assert request.state is RequestState.SIGNED
    (name,) = request.consents
    held = site.consents.find(name)
    assert held is not None
    assert (held.provider, held.state) == ("beta.example", ConsentState.ACTIVE)
    entered = site.registry.newest.find_subject_key(split_compact(held.token).header.kid)
    assert entered is not None
    consent = open_consent(held.token, find_key=lambda _kid: entered[1].key)  # strict, libsodium
    assert consent.max_uses == TERMS.max_uses
    run_apart(site.subjects.delivery.deliver([name]))
    question = Ask(consent=name, purpose="P1", metrics=tuple(Section), last_months=12)
    assert run_apart(site.scene.consumer.asking.ask(question)).status == "200"

    withdraw_on_own_page(visit, name)
    assert visit.complaints == []


def withdraw_on_own_page(visit: Visit, name: bytes) -> None:
    """Enter with the key, object, state and withdraw; the provider is told."""
    site, page = visit.site, visit.page
    page.goto("/subject")
    page.get_by_role("button", name="Enter", exact=True).click()
    page.wait_for_url("**/subject/own")
    assert "beta.example → alpha.example" in page.locator("#own").inner_text()
    page.get_by_text("Object to the summary of beta.example").click()
    assert visit.judge() == []
    page.get_by_label("What is wrong").first.fill("The invoice of May was paid in time.")
    page.get_by_role("button", name="Object", exact=True).first.click()
    page.get_by_text("it does not count").wait_for()
    page.get_by_text("Add a statement").first.click()
    page.get_by_label("In your own words").fill("We always pay.")
    page.get_by_role("button", name="Add a statement").click()
    page.get_by_text("Your statement: We always pay.").wait_for()
    one = page.locator(".consent", has_text=encode_b64u(name))
    one.get_by_role("button", name="Withdraw: beta.example").click()
    one.get_by_text("withdrawn").wait_for()
    after = site.consents.find(name)
    assert after is not None
    assert after.state is ConsentState.REVOKED
    run_apart(site.scene.consumer.grants.carry())
    there = site.scene.provider.consents.find(name)
    assert there is not None
    assert there.state is ConsentState.REVOKED


def test_the_key_cannot_be_taken_out_of_the_browser(visit: Visit) -> None:
    visit.ask()
    visit.page.get_by_role("button", name="Make a key on this device").click()
    visit.page.locator("#fingerprint").wait_for()

    said = visit.page.evaluate(
        """async () => {
            const [subject] = await SubjectKey.list();
            const key = await SubjectKey.find(subject);
            const tries = ["pkcs8", "jwk", "raw"].map((form) =>
                crypto.subtle.exportKey(form, key.privateKey).then(() => "out", () => "kept"));
            return [key.privateKey.extractable, ...await Promise.all(tries)];
        }"""
    )

    assert said == [False, "kept", "kept", "kept"]


def test_a_key_file_of_the_command_signs(visit: Visit, tmp_path: Path) -> None:
    number = visit.ask()
    visit.use_file(tmp_path)

    visit.sign()

    assert len(visit.site.subjects.requests.get(number).consents) == len(PROVIDERS)
    assert visit.complaints == []


def test_a_wrong_passphrase_says_so_and_keeps_nothing(visit: Visit, tmp_path: Path) -> None:
    visit.ask()
    save_key(SUBJECT_KEY, path=tmp_path / "other.pem", passphrase="another")
    (tmp_path / "subject.pem").unlink(missing_ok=True)
    (tmp_path / "other.pem").rename(tmp_path / "wrong.pem")
    (tmp_path / "salt").write_text(encode_b64u(SUBJECT_SALT), encoding="ascii")
    visit.page.get_by_text("I have a key file").click()
    form = visit.page.locator("#open-file")
    form.locator("[name=key]").set_input_files(tmp_path / "wrong.pem")
    form.locator("[name=salt]").set_input_files(tmp_path / "salt")
    form.locator("[name=passphrase]").fill(PASSPHRASE)

    form.get_by_role("button", name="Open the key file").click()

    visit.page.locator("#alert", has_text="passphrase is not right").wait_for()
    assert visit.page.evaluate("SubjectKey.list()") == []


@pytest.mark.parametrize("what", ["uses", "digest", "subject", "unknown-claim"])
def test_content_that_was_put_in_the_place_of_the_request_is_not_signed(
    visit: Visit, tmp_path: Path, what: str
) -> None:
    """A server between gives other bytes than it says, or bytes that the page cannot show."""

    def alter(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        for item in said["items"]:
            claims = json.loads(decode_b64u(item["payload"]))
            if what == "uses" and item["provider"] == "gamma.example":
                claims["max_uses"] = 100  # of one alone: the page shows the other's
            if what == "subject":
                claims["subject"] = encode_b64u(bytes(32))
            if what == "unknown-claim":
                claims["also"] = "everything"
            spelled = json.dumps(claims, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            item["payload"] = encode_b64u(spelled.encode())
            if what != "digest":
                item["sha256"] = encode_b64u(sha256(spelled.encode()))
            else:
                item["sha256"] = encode_b64u(bytes(32))
        route.fulfill(response=answer, json=said)

    number = visit.ask()
    visit.page.route("**/subject/request/prepare", alter)
    visit.use_file(tmp_path)

    visit.page.locator("#alert", has_text="not what the request says").wait_for()
    assert not visit.page.locator("#boxes input").count()
    assert visit.site.subjects.requests.get(number).state is RequestState.OPEN


def test_a_browser_without_ed25519_says_so_and_offers_the_file(visit: Visit) -> None:
    visit.page.add_init_script(
        "SubtleCrypto.prototype.generateKey = () => Promise.reject(new Error('NotSupported'));"
    )
    visit.ask()

    visit.page.get_by_text("This browser cannot sign with Ed25519").wait_for()
    assert not visit.page.locator("#sign-here").is_visible()
    visit.page.get_by_text("Sign offline", exact=True).click()
    with visit.page.expect_download() as waiting:
        visit.page.get_by_role("link", name="Download the request").click()
    assert json.loads(Path(waiting.value.path()).read_text(encoding="utf-8"))["kind"] == (
        "consent-request"
    )
