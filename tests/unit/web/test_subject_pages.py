"""The subject's pages over HTTP: sessions, headers, forms without a script; the officer's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from node.cli.signing import format_bundle, sign_bundle
from node.core.people.service import Role
from node.sharing.subjects.possession import POSSESSION_TYP
from node.sharing.subjects.record import RequestState
from node.sharing.subjects.rules_terms import parse_terms
from node.web.console import build_console_routes
from node.web.subject_desk import SUBJECT_COOKIE, SUBJECT_PATH
from protocol.encoding import encode_b64u
from protocol.jws import sign_compact
from protocol.strict_json import canonical_json
from tests.support.nodes import NOW_S, SUBJECT, SUBJECT_KEY, SUBJECT_SALT
from tests.support.scene_console import OPERATOR_TOKEN, SceneConsole
from tests.support.subject_site import build_subject_site
from tests.support.subjects import TERMS

HOST = "http://testserver"
ORIGIN = {"origin": HOST}


@dataclass(kw_only=True)
class Visit:
    """A browser at the site."""

    site: SceneConsole
    client: TestClient

    def open(self) -> int:
        """Prepare a request and open it by its code."""
        made = self.site.subjects.requests.ask(TERMS, open_days=3, by="Li Wei")
        answer = self.client.post("/subject/open", data={"code": made.code}, headers=ORIGIN)
        assert (answer.status_code, answer.headers["location"]) == (303, "/subject/request")
        return made.request.request_id

    def enter(self) -> None:
        """Open the subject's own page with its key."""
        asked = self.client.post("/subject/challenge", json={}, headers=ORIGIN).json()
        claims = {
            "v": 1,
            "aud": asked["node"],
            "origin": HOST,
            "nonce": asked["nonce"],
            "exp": asked["exp"],
        }
        proof = sign_compact(canonical_json(claims), key=SUBJECT_KEY, typ=POSSESSION_TYP)
        body = {"proof": proof, "subject": str(SUBJECT), "salt": encode_b64u(SUBJECT_SALT)}
        assert self.client.post("/subject/enter", json=body, headers=ORIGIN).status_code == 200

    def read(self, path: str) -> str:
        answer = self.client.get(path, params={"lang": "en"})
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    def find_csrf(self, path: str) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.read(path))
        assert found is not None
        return found[1]

    def sign_offline(self) -> bytes:
        """Take the request as a file and sign it as the command does."""
        terms = parse_terms(self.client.get("/subject/request/file").content)
        grant = terms.build_grant(salt=SUBJECT_SALT, language="en")
        signed = sign_bundle(grant, key=SUBJECT_KEY, now_s=NOW_S)
        return json.dumps(format_bundle(signed), indent=1).encode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SceneConsole]:
    built = build_subject_site(tmp_path_factory.mktemp("site"), member_count=2)
    yield built
    built.scene.federation.close()


@pytest.fixture
def visit(site: SceneConsole) -> Visit:
    app = Starlette(routes=build_console_routes(site))
    return Visit(site=site, client=TestClient(app, base_url=HOST, follow_redirects=False))


def list_routes(site: SceneConsole, method: str) -> list[str]:
    return [
        one.path
        for one in build_console_routes(site)
        if isinstance(one, Route)
        and method in (one.methods or set())
        and one.path.startswith((f"{SUBJECT_PATH}/request", f"{SUBJECT_PATH}/own"))
    ]


def test_without_a_session_every_page_leads_to_the_start_and_no_form_is_taken(
    visit: Visit,
) -> None:
    for path in list_routes(visit.site, "GET"):
        answer = visit.client.get(path)
        assert (answer.status_code, answer.headers.get("location")) == (303, SUBJECT_PATH), path
    for path in list_routes(visit.site, "POST"):
        assert visit.client.post(path, json={}, headers=ORIGIN).status_code == 401, path


def test_a_session_of_a_request_opens_nobodys_own_page_and_the_reverse(visit: Visit) -> None:
    visit.open()
    assert visit.client.get("/subject/own").status_code == 303
    visit.enter()

    assert visit.client.get("/subject/own").status_code == 200
    assert visit.client.get("/subject/request").status_code == 303


def test_what_another_site_sends_is_refused(visit: Visit) -> None:
    visit.open()
    for path in (*list_routes(visit.site, "POST"), "/subject/open", "/subject/challenge"):
        for headers in ({}, {"origin": "https://evil.test"}):
            assert visit.client.post(path, json={}, headers=headers).status_code == 403, path


def test_headers_let_our_own_script_run_and_nothing_else(visit: Visit) -> None:
    visit.open()
    for path in (SUBJECT_PATH, "/subject/request", "/subject/static/subject.js"):
        answer = visit.client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
    for path in (SUBJECT_PATH, "/subject/request"):
        page = visit.client.get(path).text
        assert re.findall(r"<script(?![^>]* src=)|<style| on[a-z]+=|javascript:", page) == []
        assert set(re.findall(r'src="([^"?]+)', page)) == {
            "/subject/static/subject-key.js",
            "/subject/static/subject.js",
        }


def test_the_session_is_in_a_cookie_of_these_pages_alone(visit: Visit) -> None:
    made = visit.site.subjects.requests.ask(TERMS, open_days=3, by="Li Wei")
    answer = visit.client.post("/subject/open", data={"code": made.code}, headers=ORIGIN)

    cookie = next(one for one in answer.headers.get_list("set-cookie") if SUBJECT_COOKIE in one)
    assert {"HttpOnly", "Path=/subject", "SameSite=strict"} <= set(cookie.split("; "))
    assert visit.client.get("/console/").status_code == 303  # it is none of the console's


def test_without_a_script_the_request_is_read_signed_elsewhere_and_brought(visit: Visit) -> None:
    number = visit.open()
    page = visit.read("/subject/request")
    for words in ("beta.example", "90 days from the signature", "10 times in all", "6 months"):
        assert words in page
    bundle = visit.sign_offline()
    csrf = visit.find_csrf("/subject/request")
    requests = visit.site.subjects.requests

    files = {"file": ("consents.json", bundle, "application/json")}
    forged = visit.client.post(
        "/subject/request/upload", data={"csrf": "x"}, files=files, headers=ORIGIN
    )
    assert forged.status_code == 401
    assert requests.get(number).state is RequestState.OPEN
    taken = visit.client.post(
        "/subject/request/upload", data={"csrf": csrf}, files=files, headers=ORIGIN
    )
    assert taken.status_code == 303, taken.text
    assert requests.get(number).state is RequestState.SIGNED
    assert "You have signed" in visit.read("/subject/request")


def test_a_refusal_needs_the_sign_of_the_session_and_ends_the_request(visit: Visit) -> None:
    number = visit.open()
    csrf = visit.find_csrf("/subject/request")
    refuse = "/subject/request/refuse"

    assert visit.client.post(refuse, data={"csrf": ""}, headers=ORIGIN).status_code == 401
    assert visit.client.post(refuse, data={"csrf": csrf}, headers=ORIGIN).status_code == 303
    assert visit.site.subjects.requests.get(number).state is RequestState.REFUSED
    again = visit.client.post(refuse, data={"csrf": csrf}, headers=ORIGIN)
    assert (again.status_code, "The request is over" in again.text) == (409, True)


def test_a_wrong_code_says_so_in_plain_words_of_either_language(visit: Visit) -> None:
    for language, words in (("en", "This code opens nothing"), ("zh", "此代码无效")):
        answer = visit.client.post(
            "/subject/open", params={"lang": language}, data={"code": "no"}, headers=ORIGIN
        )
        assert (answer.status_code, words in answer.text) == (401, True)


def test_prepare_says_whether_the_key_is_entered_for_this_salt(visit: Visit) -> None:
    visit.open()

    def prepare(salt: bytes, kid: str) -> bool:
        body = {"kid": kid, "salt": encode_b64u(salt), "language": "zh"}
        answer = visit.client.post("/subject/request/prepare", json=body, headers=ORIGIN)
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["is_entered"])

    kid = SUBJECT_KEY.public.kid
    assert prepare(SUBJECT_SALT, kid)
    assert not prepare(bytes(32), kid)
    assert not prepare(SUBJECT_SALT, encode_b64u(bytes(32)))


def test_the_copy_tells_consents_and_what_happened_and_no_name_of_staff(visit: Visit) -> None:
    visit.open()
    body = {"consents": json.loads(visit.sign_offline())["consents"]}
    signed = visit.client.post("/subject/request/sign", json=body, headers=ORIGIN)
    assert signed.status_code == 200, signed.text
    name = signed.json()["held"][0]["consent"]
    visit.enter()

    copy = visit.client.get("/subject/own/copy.json").json()
    record = visit.client.get(f"/subject/own/consents/{name}/record").json()

    assert name in [one["record_id"] for one in copy["consents"]]
    # The provider counts: that none is counted here does not say that none was used.
    assert {one["uses"] for one in copy["consents"]} == {None}
    assert record["record_id"] == name
    assert copy["subject"] == str(SUBJECT)
    assert "Li Wei" not in json.dumps(copy)
    other = encode_b64u(bytes(32))
    assert visit.client.get(f"/subject/own/consents/{other}/record").status_code == 401


def test_an_officer_asks_and_hands_a_code_over_that_is_shown_once(visit: Visit) -> None:
    customer = visit.site.local.records.find_customer(scheme="sim", value=SUBJECT.value)
    assert customer is not None
    path = f"/console/customers/{customer.customer_id}/consents"
    visit.client.post("/console/login", data={"token": OPERATOR_TOKEN}, headers=ORIGIN)
    form: dict[str, str | list[str]] = {
        "provider": ["beta.example"],
        "purpose": "P3",
        "metric": ["delay", "money"],
        "last_months": "12",
        "days": "90",
        "max_uses": "5",
        "data_life_months": "6",
        "k_min": "1",
        "open_days": "14",
        "push": "yes",
    }
    refused = visit.client.post(path, data=form, headers=ORIGIN)
    assert (refused.status_code, "consent-request-invalid" in refused.text) == (422, True)
    typed = visit.client.post(path, data={**form, "days": "soon"}, headers=ORIGIN)
    assert (typed.status_code, 'value="soon"' in typed.text) == (422, True)

    made = visit.client.post(path, data={**form, "metric": ["delay"]}, headers=ORIGIN)

    found = re.search(r"/subject#code=([a-z2-7-]{19})<", made.text)
    assert (made.status_code, found is not None) == (200, True)
    assert found is not None
    assert found[1] not in visit.client.get(path).text
    newest = visit.site.subjects.requests.list_of(str(SUBJECT))[0]
    assert (newest.terms.max_uses, newest.terms.uses_a_day, newest.terms.may_push) == (5, 5, True)
    again = visit.client.post(f"{path}/{newest.request_id}/code", headers=ORIGIN)
    assert "/subject#code=" in again.text
    assert visit.client.post(
        "/subject/open", data={"code": found[1]}, headers=ORIGIN
    ).status_code == (401)
    back = visit.client.post(f"{path}/{newest.request_id}/withdraw", headers=ORIGIN)
    assert back.status_code == 303
    assert visit.client.post(f"{path}/999/withdraw", headers=ORIGIN).status_code == 404
    assert visit.client.post(f"{path}/{newest.request_id}/burn", headers=ORIGIN).status_code == 404


def test_a_role_without_consents_neither_sees_nor_asks(visit: Visit) -> None:
    customer = visit.site.local.records.find_customer(scheme="sim", value=SUBJECT.value)
    assert customer is not None
    path = f"/console/customers/{customer.customer_id}/consents"
    made = visit.site.local.people.create_token(role=Role.SALES, name="Wu", life_s=3_600)
    visit.client.post("/console/login", data={"token": made.token}, headers=ORIGIN)

    assert visit.client.get(path).status_code == 403
    assert visit.client.post(path, data={}, headers=ORIGIN).status_code == 403
