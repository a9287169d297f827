"""Asking peers on the console: consents, an inquiry in the background, proof of each answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from node.core.people.service import Role
from node.sharing.retention import Retention
from node.sharing.tables import exchange_out
from node.web.headers import LIVE_POLICY, SECURITY_HEADERS
from protocol.encoding import encode_b64u
from tests.support.inquiries import ORIGIN, AskingSite, open_asking_site

BETA, GAMMA = "beta.example", "gamma.example"
GAMMA_URL = f"https://{GAMMA}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[AskingSite]:
    with open_asking_site(tmp_path) as site:
        site.sign_in()
        yield site


def run(site: AskingSite, work: Callable[[], Awaitable[object]]) -> None:
    """Have work done on the node's own event loop."""
    portal = site.client.portal
    assert portal is not None
    portal.call(work)


def count_messages(site: AskingSite) -> int:
    return len(site.node.scene.federation.peers.sent)


def test_each_provider_s_answer_is_shown_with_its_outcome_and_proof(site: AskingSite) -> None:
    beta, gamma = site.hold(BETA), site.hold(GAMMA)
    site.node.scene.federation.peers.unreachable = {GAMMA_URL}
    choices = site.show(site.ask_path)

    page = site.wait_for_end(site.begin(beta, gamma))

    assert all(encode_b64u(one.hash) in choices for one in (beta, gamma))
    first, second = page.split("<article")[1:]
    assert [words in first for words in (BETA, "answered", "verified", "Payment index")] == [
        True
    ] * 4
    assert [words in second for words in (GAMMA, "cannot be reached", "no reply to verify")] == [
        True
    ] * 3
    assert "signed manifest" in page
    assert '<script src="/console/static/live.js' not in page


def test_an_inquiry_that_a_stop_cut_short_goes_on_with_the_same_messages(site: AskingSite) -> None:
    beta = site.hold(BETA)
    peers, service = site.node.scene.federation.peers, site.node.inquiries
    inquiry_id = service.begin(beta.subject, purpose="P1", consents=[beta.hash], by="li")
    path, before = f"/console/inquiries/{inquiry_id}", count_messages(site)

    async def start_and_stop() -> None:
        peers.kept = asyncio.Event()
        site.node.inquiry_desk.start(inquiry_id)
        await peers.kept.wait()
        await site.node.inquiry_desk.stop()

    run(site, start_and_stop)
    interrupted = site.show(path)
    peers.kept = None
    run(site, site.node.inquiry_desk.resume)
    page = site.wait_for_end(path)

    assert "Interrupted: 0 of 1" in interrupted
    sent = peers.sent[before:]
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert "verified" in page
    assert site.node.scene.find(beta.hash).uses == 1
    customer = site.show(f"/console/customers/{site.customer_id}")
    assert "counted by the provider" in customer
    assert "At most" in site.show(site.ask_path)


def test_a_reply_whose_proof_was_changed_here_is_shown_as_not_verified(site: AskingSite) -> None:
    path = site.begin(site.hold(BETA))
    site.wait_for_end(path)
    with site.node.local.database.write() as uow:
        uow.connection.execute(
            update(exchange_out)
            .where(exchange_out.c.op == "query")
            .values(answer_inclusion=exchange_out.c.request_inclusion)
        )

    page = site.show(path)

    assert "does not verify" in page
    assert "bad-inclusion" in page


def test_consent_that_the_provider_was_never_handed_is_asked_and_refused(site: AskingSite) -> None:
    page = site.wait_for_end(site.begin(site.hold(BETA, is_delivered=False)))

    assert "refused: no consent held" in page
    assert "verified" in page


def test_events_tell_the_answers_and_the_end(site: AskingSite) -> None:
    path = site.begin(site.hold(BETA))
    site.wait_for_end(path)

    answer = site.client.get(f"{path}/events", params={"lang": "en"})

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.startswith("retry: ")
    state, end = answer.text.split("event: ")[1:]
    assert state.startswith("state\ndata: ")
    assert "verified" in state
    assert "<html" not in state
    assert end.startswith("end\n")


def test_only_the_page_of_an_open_inquiry_may_run_our_script(site: AskingSite) -> None:
    held = site.hold(BETA)
    inquiry_id = site.node.inquiries.begin(
        held.subject, purpose="P1", consents=[held.hash], by="li"
    )

    live = site.client.get(f"/console/inquiries/{inquiry_id}")
    still = site.client.get(site.ask_path)

    policy = "content-security-policy"
    assert live.headers[policy] == LIVE_POLICY
    assert '<noscript><meta http-equiv="refresh"' in live.text
    assert still.headers[policy] == SECURITY_HEADERS[policy]
    assert "<script" not in still.text
    script = site.client.get("/console/static/live.js")
    assert script.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    ("purpose", "consents"),
    [
        pytest.param("P1", [], id="none"),
        pytest.param("P2", ["beta"], id="another purpose"),
        pytest.param("P1", ["beta", "beta"], id="twice"),
        pytest.param("P1", [encode_b64u(bytes(32))], id="not held"),
        pytest.param("P1", ["?"], id="no name"),
    ],
)
def test_form_without_a_consent_that_covers_it_begins_nothing(
    site: AskingSite, purpose: str, consents: list[str]
) -> None:
    held = encode_b64u(site.hold(BETA).hash)
    before = count_messages(site)
    form = {"purpose": purpose, "consent": [held if one == "beta" else one for one in consents]}

    answer = site.client.post(site.ask_path, data=form, headers=ORIGIN)

    assert answer.status_code == 422
    assert site.node.inquiries.list_of("sim:S000001") == []
    assert count_messages(site) == before


def test_only_who_enters_for_peers_begins_and_only_who_reads_of_them_sees(site: AskingSite) -> None:
    held = site.hold(BETA)
    path = site.begin(held)
    site.wait_for_end(path)
    opened = {}

    for role in (Role.CREDIT_MANAGER, Role.CFO, Role.ANALYST, Role.SALES):
        site.sign_in(role)
        sent = site.client.post(site.ask_path, data={"purpose": "P1"}, headers=ORIGIN)
        opened[role] = [site.client.get(one).status_code for one in (site.ask_path, path)]
        opened[role].append(sent.status_code)

    assert opened == {
        Role.CREDIT_MANAGER: [200, 200, 422],
        Role.CFO: [200, 200, 403],
        Role.ANALYST: [403, 403, 403],
        Role.SALES: [403, 403, 403],
    }


def test_old_inquiries_go_with_the_bodies_that_they_brought(site: AskingSite) -> None:
    path = site.begin(site.hold(BETA))
    site.wait_for_end(path)
    consumer, clock = site.node.scene.consumer, site.node.scene.federation.clock
    retention = Retention(
        database=consumer.local.database, writer=consumer.writer, clock=clock, keep_days=30
    )
    clock.advance_s(31 * 86_400)

    run(site, retention.erase_old)

    site.sign_in()  # the session of before is over
    assert site.client.get(path).status_code == 404
