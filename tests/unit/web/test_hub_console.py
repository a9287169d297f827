"""The pages of a hub's operator: who comes in, what they say, what the witness found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from node.core.clock import now_s
from node.hub.overview import HubOverview
from node.web.headers import SECURITY_HEADERS
from node.web.hub_console import HUB_PATH, SESSION_LIFE_S, HubFaces, build_hub_pages
from protocol.cosignature import StaleSizeError, WitnessRefusalError
from protocol.encoding import encode_b64u, sha256
from protocol.registry import open_registry
from tests.support.hubs import (
    ALPHA,
    BETA,
    HUB_KEY,
    LEAVES,
    LEGAL_BASIS,
    TestHub,
    enrol_subject,
    make_status,
    open_test_hub,
)

OPERATOR = "the-token-of-the-hub-s-operator"
HOST = "http://testserver"
ORIGIN = {"origin": HOST}
CONSENT = sha256(b"consent")
OPEN = {HUB_PATH, f"{HUB_PATH}/login", f"{HUB_PATH}/static/{{name}}"}


@dataclass(frozen=True, kw_only=True)
class Site:
    hub: TestHub
    client: TestClient
    routes: list[Route]

    def sign_in(self) -> None:
        answer = self.client.post(f"{HUB_PATH}/login", data={"token": OPERATOR}, headers=ORIGIN)
        assert answer.status_code == 303

    def show(self, path: str, language: str = "en") -> str:
        answer = self.client.get(f"{HUB_PATH}{path}", params={"lang": language})
        assert answer.status_code == 200, answer.text
        return str(answer.text)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    hub = open_test_hub(tmp_path)
    faces = HubFaces(
        service=hub.service,
        overview=HubOverview(database=hub.database, clock=hub.clock),
        now_s=lambda: now_s(hub.clock),
    )
    routes = [one for one in build_hub_pages(faces, token=OPERATOR) if isinstance(one, Route)]
    client = TestClient(Starlette(routes=routes), base_url=HOST, follow_redirects=False)
    yield Site(hub=hub, client=client, routes=routes)
    hub.database.dispose()


@pytest.fixture
def signed_in(site: Site) -> Site:
    site.sign_in()
    return site


def test_every_page_but_the_sign_in_asks_for_the_session(site: Site) -> None:
    asked = {
        (method, one.path)
        for one in site.routes
        for method in (one.methods or set()) - {"HEAD"}
        if one.path not in OPEN
    }

    for method, path in asked:
        answer = site.client.request(method, re.sub(r"\{.*?\}", "1", path), headers=ORIGIN)
        assert answer.headers.get("location") == f"{HUB_PATH}/login", path
        policy = answer.headers["content-security-policy"]
        assert policy == SECURITY_HEADERS["content-security-policy"]
    assert len(asked) == 9


@pytest.mark.parametrize("cookie", ["", "1.x", "9999999999.AAAA", "x.y", "9" * 40 + ".x"], ids=str)
def test_cookie_that_the_hub_did_not_seal_opens_nothing(site: Site, cookie: str) -> None:
    site.client.cookies.set("chengxin_hub_session", cookie, path=HUB_PATH)

    assert site.client.get(f"{HUB_PATH}/").status_code == 303


def test_wrong_token_form_of_another_site_and_old_session_are_refused(site: Site) -> None:
    wrong = site.client.post(f"{HUB_PATH}/login", data={"token": "guess"}, headers=ORIGIN)
    foreign = site.client.post(
        f"{HUB_PATH}/login", data={"token": OPERATOR}, headers={"origin": "http://evil.example"}
    )
    site.sign_in()
    site.hub.clock.advance_s(SESSION_LIFE_S)
    old = site.client.get(f"{HUB_PATH}/")

    assert (wrong.status_code, foreign.status_code, old.status_code) == (401, 403, 303)


def test_members_customers_and_keys_are_shown_with_their_dates(signed_in: Site) -> None:
    service = signed_in.hub.service
    service.enrol_member(ALPHA.enrol(name="Alpha <b>"))
    commitment = service.enrol_subject(enrol_subject())
    service.suspend_member(ALPHA.member)

    members, customers = signed_in.show("/members"), signed_in.show("/customers", "zh")

    assert "Alpha &lt;b&gt;" in members
    assert "suspended" in members
    assert all(key.public.kid in members for key in (ALPHA.message_key, ALPHA.log_key, HUB_KEY))
    assert encode_b64u(commitment) in customers
    assert "0200756072" not in customers
    assert "客户签名" in customers


def test_a_snapshot_is_named_with_its_signer_and_verifies_as_downloaded(signed_in: Site) -> None:
    signed_in.hub.service.enrol_member(ALPHA.enrol())
    newest = signed_in.hub.open_newest()

    page = signed_in.show("/registry")
    sent = signed_in.client.get(f"{HUB_PATH}/registry/{newest.seq}.json")
    gone = signed_in.client.get(f"{HUB_PATH}/registry/999.json")

    assert page.count(HUB_KEY.public.kid) == newest.seq
    opened = open_registry(json.loads(sent.text)["tokens"], anchors=[HUB_KEY.public])
    assert opened.hash == newest.hash
    assert gone.status_code == 404


def test_logs_stand_in_the_map_by_age_and_by_what_speaks_against_them(signed_in: Site) -> None:
    service, hub = signed_in.hub.service, signed_in.hub
    service.enrol_member(ALPHA.enrol())
    service.enrol_member(BETA.enrol(endpoint="https://beta.example"))
    service.add_checkpoint(ALPHA.ask_witness(0, 5))
    fresh = signed_in.show("/witness")
    hub.clock.advance_s(7_200)
    late = signed_in.show("/witness")
    overview = signed_in.show("/")

    assert ("fresh" in fresh, "not cosigned yet" in fresh, "No fork" in fresh) == (True,) * 3
    assert ">late<" in late
    assert "2 hours" in late
    assert "contradict" not in overview


@pytest.mark.parametrize(
    ("request_of", "words"),
    [
        pytest.param(
            lambda: ALPHA.ask_witness(5, 5, note=ALPHA.head(5, root=LEAVES[0])),
            "forked: two roots at one size",
            id="another root at the size",
        ),
        pytest.param(
            lambda: ALPHA.ask_witness(3, 3),
            "rolled back: less than cosigned",
            id="smaller",
        ),
        pytest.param(
            lambda: ALPHA.ask_witness(3, 5, note=ALPHA.head(5, root=LEAVES[0])),
            "forked: two roots at one size",
            id="another root under an old size",
        ),
        pytest.param(
            lambda: ALPHA.ask_witness(5, 7, note=ALPHA.head(7, root=LEAVES[0])),
            "does not provably append",
            id="no proof",
        ),
    ],
)
def test_signed_contradiction_is_kept_once_as_evidence(
    signed_in: Site, request_of: object, words: str
) -> None:
    assert callable(request_of)
    service = signed_in.hub.service
    service.enrol_member(ALPHA.enrol())
    service.add_checkpoint(ALPHA.ask_witness(0, 5))

    for _ in range(2):
        with pytest.raises(WitnessRefusalError):
            service.add_checkpoint(request_of())

    page = signed_in.show("/witness")
    assert page.count("/witness/1.txt") == 1
    assert "/witness/2.txt" not in page
    assert words in page
    evidence = signed_in.client.get(f"{HUB_PATH}/witness/1.txt")
    assert evidence.text.startswith(f"{ALPHA.log_origin}\n")
    assert "1 logs contradict" in signed_in.show("/")


def test_unsigned_heads_and_lost_answers_speak_against_nobody(signed_in: Site) -> None:
    service = signed_in.hub.service
    service.enrol_member(ALPHA.enrol())
    service.add_checkpoint(ALPHA.ask_witness(0, 5))
    forged = ALPHA.ask_witness(5, 5, note=ALPHA.head(5, root=LEAVES[0], key=BETA.log_key))

    with pytest.raises(WitnessRefusalError):
        service.add_checkpoint(forged)
    with pytest.raises(StaleSizeError):
        service.add_checkpoint(ALPHA.ask_witness(3, 7))

    assert "No fork and no rollback was found" in signed_in.show("/witness")


def test_log_that_was_behind_and_has_caught_up_is_fresh_again(signed_in: Site) -> None:
    service = signed_in.hub.service
    service.enrol_member(ALPHA.enrol())
    service.add_checkpoint(ALPHA.ask_witness(0, 5))
    with pytest.raises(StaleSizeError):
        service.add_checkpoint(ALPHA.ask_witness(3, 3))
    service.add_checkpoint(ALPHA.ask_witness(5, 7))

    page = signed_in.show("/witness")

    assert ">fresh<" in page
    assert "/witness/1.txt" in page


def test_status_list_tells_fill_and_revocations_by_hash(signed_in: Site) -> None:
    service = signed_in.hub.service
    service.enrol_subject(enrol_subject())
    service.report_status(make_status())

    page = signed_in.show("/statuses")

    assert encode_b64u(CONSENT) in page
    assert "revoked" in page
    assert "0 %" in page
    assert LEGAL_BASIS in signed_in.show("/")


def test_pages_are_in_chinese_too_and_signing_out_ends_the_session(signed_in: Site) -> None:
    pages = [signed_in.show(one, "zh") for one in ("/", "/members", "/registry", "/witness")]

    answer = signed_in.client.post(f"{HUB_PATH}/logout", headers=ORIGIN)

    assert all('<html lang="zh-CN">' in one and "枢纽" in one for one in pages)
    assert answer.headers["location"] == f"{HUB_PATH}/login"
    assert signed_in.client.get(f"{HUB_PATH}/").status_code == 303
