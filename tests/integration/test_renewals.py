"""Who is to be assessed anew, over the API and on the console, as far as each role may see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from markupsafe import escape
from starlette.testclient import TestClient

from node.assessment.policy_file import Language
from node.core.people.service import Role
from node.web.app import build_app
from node.web.texts import Texts
from protocol.encoding import encode_b64u
from tests.support.console_node import API_TOKEN, PEERS, adopt_registry, receive_summary
from tests.support.console_people import Desk, close_desk, open_desk

MESSAGES = "/api/v1/received-summaries"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A customer whose rating rests on two peers."""
    opened = open_desk(tmp_path / "home")
    opened.invoice("R1", (date(2026, 6, 1), 1_000))
    local = opened.node.local
    found = local.records.get_customer(opened.customer_id)
    adopt_registry(opened.node, simulated=True)
    receive_summary(opened.node, found)
    receive_summary(opened.node, found, provider=PEERS[1], tier="class")
    local.rating.rate_customer(opened.customer_id, as_of=local.business_date())
    yield opened
    close_desk(opened)


def object_to(desk: Desk, provider: str) -> str:
    """Object to what a peer has told; return the message."""
    local = desk.node.local
    subject = local.records.get_customer(desk.customer_id).subject_id
    found = {one.provider: one.msg for one in desk.node.consents.list_received(subject)}
    message = encode_b64u(found[provider])
    answer = desk.client.post(
        f"{MESSAGES}/{message}/objections",
        json={"by": "li", "raised_by": "subject"},
        headers=bearer(),
    )
    assert answer.status_code == 200, answer.text
    return message


def bearer(token: str = API_TOKEN) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def http(desk: Desk) -> Iterator[TestClient]:
    with TestClient(build_app(desk.node), follow_redirects=False) as client:
        desk.client = client
        yield client


def test_an_objection_queues_the_customer_and_is_decided_by_another(
    desk: Desk, http: TestClient
) -> None:
    message = object_to(desk, PEERS[0])

    (waiting,) = http.get("/api/v1/assessments/renewals", headers=bearer()).json()
    assert (waiting["customer"], waiting["cause"], waiting["message"], waiting["is_hidden"]) == (
        desk.customer_id,
        "disputed",
        message,
        False,
    )
    (objection,) = http.get("/api/v1/received-objections", headers=bearer()).json()
    end = f"/api/v1/received-objections/{objection['id']}/end"
    same = http.post(end, json={"by": "Li", "outcome": "rejected"}, headers=bearer())
    assert (same.status_code, same.json()["code"]) == (403, "own-objection")
    other = http.post(end, json={"by": "wang", "outcome": "rejected"}, headers=bearer())
    assert other.status_code == 200
    assert http.get("/api/v1/received-objections", headers=bearer()).json()[0]["outcome"] == (
        "rejected"
    )


def test_the_assessment_tells_what_each_peer_changes_to_whom_it_may(
    desk: Desk, http: TestClient
) -> None:
    path = f"/api/v1/customers/{desk.customer_id}/assessment"
    analyst = desk.node.local.people.create_token(role=Role.ANALYST, name="An", life_s=60).token

    seen = http.get(path, headers=bearer()).json()
    hidden = http.get(path, headers=bearer(analyst))

    assert {one["provider"] for one in seen["without_each_peer"]["peers"]} == set(PEERS)
    assert hidden.json()["without_each_peer"] is None
    assert all(peer not in hidden.text for peer in PEERS)


def test_an_analyst_hears_nothing_of_what_peers_did(desk: Desk, http: TestClient) -> None:
    object_to(desk, PEERS[0])
    analyst = desk.node.local.people.create_token(role=Role.ANALYST, name="An", life_s=60).token

    api = http.get("/api/v1/assessments/renewals", headers=bearer(analyst))
    desk.sign_in(Role.ANALYST)
    queue, customer = (desk.client.get(path) for path in ("/console/renewals", desk.home))

    assert (api.status_code, api.json()) == (200, [])
    assert (queue.status_code, customer.status_code) == (200, 200)
    for page in (queue, customer):
        assert "异议" not in page.text
        assert all(peer not in page.text for peer in PEERS)


@pytest.mark.parametrize("language", list(Language))
def test_pages_name_the_cause_and_after_a_new_rating_what_was_left_out(
    desk: Desk, http: TestClient, language: Language
) -> None:
    local, texts = desk.node.local, Texts(language)
    cause, mark = str(escape(texts("renewal.disputed"))), texts("renewals.mark")
    left_out = local.assessment.describe("left-out.disputed", language=language)
    message = object_to(desk, PEERS[0])
    desk.sign_in(Role.OPERATOR)
    asked = {"lang": language.value}

    queue = http.get("/console/renewals", params=asked).text
    customer = http.get(desk.home, params=asked).text

    assert cause in queue
    assert message in queue
    assert mark in customer
    assert left_out not in customer
    local.rating.rate_customer(desk.customer_id, as_of=local.business_date())
    assert cause not in http.get("/console/renewals", params=asked).text
    after = http.get(desk.home, params=asked).text
    assert mark not in after
    assert left_out in after


def test_each_peer_s_effect_stands_on_the_page(desk: Desk, http: TestClient) -> None:
    desk.sign_in(Role.OPERATOR)

    page = http.get(desk.home, params={"lang": "en"}).text

    effects = page.split("Without each peer")[1].split("</section>")[0]
    assert all(peer in effects for peer in PEERS)


def test_the_queue_goes_on_page_by_page(desk: Desk, http: TestClient) -> None:
    object_to(desk, PEERS[0])
    (first,) = http.get("/api/v1/assessments/renewals", headers=bearer()).json()

    rest = http.get(f"/api/v1/assessments/renewals?after={first['id']}", headers=bearer()).json()

    assert rest == []
