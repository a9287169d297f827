"""The auditor's pages: which token sees which, and what opening something leaves behind."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.core.http.access import SESSION_COOKIE
from node.core.people.service import Role, Scope
from node.sharing.store import SharingStore
from node.web.console import build_console_routes
from node.web.sessions import TOKEN_SESSION_LIFE_S
from protocol.encoding import encode_b64u
from tests.support.auditor import DAY_S, AuditedNode, build_audited_node
from tests.support.log_changes import begin_next_log
from tests.support.nodes import NOW_S, SUBJECT
from tests.support.scene_console import OPERATOR_TOKEN
from tests.support.vouching import PAPER, enter_unkeyed, vouch

HOST = "http://testserver"
PAGES = ("/", "/log", "/log/1", "/exchanges", "/exchanges?side=out", "/consents", "/access")
OTHERS = ("/console/", "/console/shared", "/console/customers/1")


@dataclass(frozen=True, kw_only=True)
class Site:
    node: AuditedNode
    client: TestClient

    def sign_in(self, token: str, *, next_path: str = "") -> str:
        self.client.cookies.clear()
        answer = self.client.post(
            "/console/login", data={"token": token, "next": next_path}, headers={"origin": HOST}
        )
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def show(self, path: str) -> str:
        answer = self.client.get(f"/console/audit{path}")
        assert answer.status_code == 200, answer.text
        return answer.text

    def find_answer(self) -> int:
        found = re.findall(r"/console/audit/exchanges/(\d+)", self.show("/exchanges"))
        return int(found[-2])  # the oldest is the consent's delivery


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditedNode]:
    node = build_audited_node(tmp_path_factory.mktemp("audited"))
    yield node
    node.scene.federation.close()


@pytest.fixture
def site(audited: AuditedNode) -> Site:
    return open_site(audited)


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    node = build_audited_node(tmp_path)
    yield open_site(node)
    node.scene.federation.close()


def open_site(node: AuditedNode) -> Site:
    routes = build_console_routes(node, health=lambda: {"exchanging": True})
    return Site(
        node=node,
        client=TestClient(Starlette(routes=routes), base_url=HOST, follow_redirects=False),
    )


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_the_auditor_sends_a_stranger_to_the_sign_in(site: Site, page: str) -> None:
    answer = site.client.get(f"/console/audit{page}")

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/login?next=%2Fconsole%2Faudit%2F")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_can_be_shown_in_both_languages(site: Site, page: str, language: str) -> None:
    site.sign_in(site.node.make_token())
    site.client.get("/console/audit/", params={"lang": language})

    assert 'aria-current="page"' in site.show(page)


@pytest.mark.parametrize("path", OTHERS)
def test_an_auditor_sees_the_auditors_pages_alone(site: Site, path: str) -> None:
    home = site.sign_in(site.node.make_token())

    answer = site.client.get(path)

    assert home == "/console/audit/"
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/audit/")
    assert 'href="/console/shared"' not in site.show("/")


def test_an_auditor_starts_no_rating(site: Site) -> None:
    site.sign_in(site.node.make_token())

    answer = site.client.post("/console/customers/1/rate", headers={"origin": HOST})

    assert answer.headers["location"] == "/console/audit/"


def test_a_credit_manager_sees_the_pages_of_credit_and_not_the_auditors(site: Site) -> None:
    manager = site.node.people.create_token(role=Role.CREDIT_MANAGER, name="Zhao Min", life_s=DAY_S)

    assert site.sign_in(manager.token) == "/console/"
    assert site.client.get("/console/").status_code == 200
    assert site.client.get("/console/audit/").headers["location"] == "/console/"


def test_a_seller_is_led_to_the_customers_and_from_the_auditors_pages_away(site: Site) -> None:
    seller = site.node.people.create_token(role=Role.SALES, name="Zhao Min", life_s=DAY_S)

    assert site.sign_in(seller.token) == "/console/"
    assert site.client.get("/console/audit/").headers["location"] == "/console/"
    assert 'href="/console/audit/"' not in site.client.get("/console/").text


def test_the_operator_sees_the_auditors_pages_too(site: Site) -> None:
    assert site.sign_in(OPERATOR_TOKEN) == "/console/"

    assert "alpha.example" in site.show("/")
    assert 'href="/console/shared"' in site.show("/")


def test_a_session_ends_with_its_token_and_its_time(own_site: Site) -> None:
    token = own_site.node.make_token()
    own_site.sign_in(token)
    own_site.show("/")
    own_site.node.people.revoke_token(1)

    assert own_site.client.get("/console/audit/").status_code == 303

    own_site.sign_in(own_site.node.make_token())
    own_site.node.scene.federation.clock.advance_s(TOKEN_SESSION_LIFE_S)
    assert own_site.client.get("/console/audit/").status_code == 303


@pytest.mark.parametrize(
    "change",
    [
        lambda cookie: cookie.replace("2.", "1.", 1),
        lambda cookie: re.sub(r"\.(\d+)\.", lambda found: f".{int(found[1]) + 9}.", cookie),
        lambda cookie: f"{cookie[:-2]}xx",
        lambda cookie: f"{cookie}.x",
        lambda _: "1.9999999999.x.é",
        lambda cookie: f"0.{cookie.partition('.')[2]}",
        lambda _: "9" * 40,
    ],
    ids=["token", "time", "mac", "parts", "text", "operator", "number"],
)
def test_a_forged_session_opens_nothing(own_site: Site, change: Callable[[str], str]) -> None:
    own_site.node.make_token()
    own_site.sign_in(own_site.node.make_token())
    cookie = own_site.client.cookies[SESSION_COOKIE]
    own_site.client.cookies.clear()
    forged = change(cookie)

    headers = {b"cookie": f"{SESSION_COOKIE}={forged}".encode()}
    assert own_site.client.get("/console/audit/", headers=headers).status_code == 303


def test_a_token_that_has_ended_is_told_so_at_the_sign_in(own_site: Site) -> None:
    token = own_site.node.make_token(life_s=60)
    own_site.node.scene.federation.clock.advance_s(60)

    answer = own_site.client.post("/console/login", data={"token": token}, headers={"origin": HOST})

    assert answer.status_code == 401
    assert "This token has expired or was revoked." in answer.text
    assert token not in answer.text
    assert SESSION_COOKIE not in answer.cookies


def test_both_messages_and_the_proof_of_an_exchange_are_shown_without_bodies(site: Site) -> None:
    site.sign_in(site.node.make_token())

    page = site.show(f"/exchanges/{site.find_answer()}")

    assert page.count("not opened") == 2
    assert "This token may not open bodies." in page
    assert page.count("c2sp.org/tlog-proof@v1") == 2
    assert "payment-behaviour-summary" not in page


def test_bodies_are_opened_with_their_scope_and_the_look_is_recorded(own_site: Site) -> None:
    own_site.sign_in(own_site.node.make_token(Scope.BODIES))
    index = own_site.find_answer()
    assert "Open the bodies" in own_site.show(f"/exchanges/{index}")

    page = own_site.show(f"/exchanges/{index}?bodies=1")

    assert "payment-behaviour-summary" in page
    assert own_site.node.list_looks()[0] == ("token-1", "exchange", "bodies", "ok")
    assert "one exchange" in own_site.show("/access")


def test_a_body_beyond_the_token_is_a_page_that_says_so(own_site: Site) -> None:
    own_site.sign_in(own_site.node.make_token())

    answer = own_site.client.get(f"/console/audit/exchanges/{own_site.find_answer()}?bodies=1")

    assert answer.status_code == 403
    assert "the attempt is recorded" in answer.text
    assert own_site.node.list_looks()[0] == ("token-1", "exchange", "bodies", "out-of-scope")


def test_a_consent_shows_its_uses_its_changes_and_no_subject(site: Site) -> None:
    site.sign_in(site.node.make_token(Scope.SUBJECTS))
    (name,) = set(re.findall(r"/console/audit/consents/([\w-]{43})", site.show("/consents")))

    closed = site.show(f"/consents/{name}")
    opened = site.show(f"/consents/{name}?subject=1")

    assert str(SUBJECT) not in closed
    assert str(SUBJECT) in opened
    assert closed.count("answered: full") == 2
    assert "revoked" in closed


@pytest.mark.parametrize(("language", "words"), [("en", "vouched for by"), ("zh", "担保")])
def test_operator_and_auditor_see_that_a_consent_rests_on_a_paper_and_whose_word(
    own_site: Site, language: str, words: str
) -> None:
    scene = own_site.node.scene
    enter_unkeyed(scene.federation)
    (held,) = scene.consumer.consents.hold([vouch(scene)])
    with own_site.node.local.database.write() as uow:
        SharingStore(uow.connection).add_consent(held, at_ms=NOW_S * 1000)
    own_site.sign_in(OPERATOR_TOKEN)
    own_site.client.get("/console/audit/", params={"lang": language})

    customer = own_site.client.get("/console/customers/1").text
    artefact = own_site.show(f"/consents/{encode_b64u(held.hash)}")

    for page in (customer, artefact):
        assert words in page
        assert "alpha.example" in page
        assert PAPER.hex() in page


def test_entries_beyond_the_token_show_their_leaf_alone(site: Site) -> None:
    site.sign_in(site.node.make_token(peer="gamma.example"))

    page = site.show("/log")

    assert "beyond this token" in page
    assert "alpha.example" not in page
    assert "cannot export a bundle" in site.show("/")


def test_the_bundle_is_downloaded_redacted(own_site: Site) -> None:
    own_site.node.cosign()
    own_site.sign_in(own_site.node.make_token())

    answer = own_site.client.get("/console/audit/export")

    assert answer.headers["content-type"] == "application/x-tar"
    assert str(SUBJECT).encode() not in answer.content
    assert own_site.client.get("/console/audit/export?whole=1").status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/log?first=x", 422),
        ("/log?first=-1", 422),
        ("/log/999", 404),
        ("/consents/x", 400),
        ("/exchanges/0", 404),
        ("/access?before=" + "9" * 30, 422),
    ],
)
def test_an_address_that_names_nothing_is_a_page_that_says_so(
    site: Site, path: str, status: int
) -> None:
    site.sign_in(site.node.make_token())

    assert site.client.get(f"/console/audit{path}").status_code == status


def test_the_log_is_paged_backwards_from_its_end(own_site: Site) -> None:
    own_site.sign_in(own_site.node.make_token())
    size = own_site.node.scene.provider.writer.state.edge.size

    newest = own_site.show("/log")
    indexes = [int(one) for one in re.findall(r"/console/audit/log/(\d+)", newest)]

    assert indexes == list(reversed(range(size)))


def test_an_ended_log_is_shown_beside_the_open_one(own_site: Site) -> None:
    own_site.sign_in(OPERATOR_TOKEN)
    assert "?log=" not in own_site.show("/log").split("<table")[0]
    begin_next_log(own_site.node.scene.federation, own_site.node.scene.provider)

    newest, ended = own_site.show("/log"), own_site.show("/log?log=1")

    for page in (newest, ended):
        assert "beta.example/chengxin/log/1</a> (" in page
        assert "beta.example/chengxin/log/2</a>" in page
    assert re.findall(r"/console/audit/log/(\d+)", newest) == ["0"]
    (link,) = set(re.findall(r"/console/audit/log/2\?log=1", ended))
    assert "beta.example/chengxin/log/1" in own_site.show(link.removeprefix("/console/audit"))
    row = re.findall(r"/console/audit(/exchanges/\d+\?log=1)", own_site.show("/exchanges"))[0]
    assert "/console/audit/log/" in own_site.show(row)


def test_what_the_health_warns_of_is_on_the_overview(audited: AuditedNode) -> None:
    health = {"exchanging": True, "warnings": ["the log of 2025 is still open: <b>"]}
    routes = build_console_routes(audited, health=lambda: health)
    client = TestClient(Starlette(routes=routes), base_url=HOST, follow_redirects=False)
    site = Site(node=audited, client=client)
    site.sign_in(OPERATOR_TOKEN)

    assert "<li>the log of 2025 is still open: &lt;b&gt;</li>" in site.show("/")
