"""The asker's side: what it sends, what it believes of a reply, and what stays open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from node.core.errors import RejectedError
from node.sharing.outgoing import Ask, Outcome
from node.sharing.peers import HttpReply, PeerRefusedError, PeerUnreachableError
from node.sharing.sending import AskNotFoundError, PeerNotMemberError
from node.sharing.store import CODE_OPEN, HeldConsent
from protocol.consent import ConsentState
from protocol.entry import ExchangeEntry, RequestEntry, ResponseEntry, parse_entry
from protocol.keys import SigningKey
from protocol.message import parse_message
from protocol.problems import (
    ConsentMissingError,
    ConsentRevokedError,
    MetricNotAllowedError,
    PurposeMismatchError,
)
from protocol.strict_json import canonical_json
from schemas.summary import Section, Summary
from tests.support.exchanges import Scene, build_scene, observe
from tests.support.forging import break_signature, outer_members, sign_state
from tests.support.nodes import OTHER_SUBJECT, SUBJECT_KEY, TestNode

ENDPOINT = "https://beta.example"
REPLY_BYTES_MAX = 2**21


@pytest.fixture
def held(scene: Scene) -> HeldConsent:
    found, _ = scene.hold_at_consumer(scene.grant())
    outcome = asyncio.run(scene.consumer.asking.deliver(found))

    assert outcome.status == "200"

    return found


def ask(scene: Scene, held: HeldConsent) -> Outcome:
    return asyncio.run(scene.consumer.asking.ask(build_ask(held)))


def build_ask(held: HeldConsent) -> Ask:
    return Ask(consent=held.hash, purpose="P1", metrics=tuple(Section), last_months=12)


def list_codes(node: TestNode) -> list[str]:
    return [row.code for row in node.consents.list_outgoing()]


def alter_replies(scene: Scene, alter: Callable[[HttpReply], HttpReply]) -> None:
    """Put somebody between the two nodes who changes what comes back."""
    peers = scene.federation.peers
    send = peers.send_message

    async def send_altered(endpoint: str, raw: bytes) -> HttpReply:
        return alter(await send(endpoint, raw))

    peers.send_message = send_altered  # type: ignore[method-assign]  # a man in the middle


def alter_member(name: str, change: Callable[[str], str]) -> Callable[[HttpReply], HttpReply]:
    def alter(reply: HttpReply) -> HttpReply:
        outer = outer_members(parse_message(reply.body, bytes_max=REPLY_BYTES_MAX))
        return replace(reply, body=canonical_json({**outer, name: change(outer[name])}))

    return alter


def test_an_answer_is_verified_logged_on_both_sides_and_kept(
    scene: Scene, held: HeldConsent
) -> None:
    outcome = ask(scene, held)

    assert (outcome.status, outcome.peer) == ("200", "beta.example")
    assert outcome.summary is not None
    assert outcome.summary.subject == held.subject
    [received] = scene.consumer.consents.list_received(held.subject)
    assert (received.provider, received.summary) == ("beta.example", outcome.summary)
    request, response = (parse_entry(raw) for raw in observe(scene.consumer).entries[-2:])
    exchange = observe(scene.provider).last
    assert isinstance(request, RequestEntry)
    assert isinstance(response, ResponseEntry)
    assert isinstance(exchange, ExchangeEntry)
    assert request.msg == exchange.msg == response.msg == outcome.msg
    assert exchange.ans == response.ans == outcome.ans
    assert (exchange.peer_n, response.peer_n) == (request.n, exchange.n)
    assert (exchange.code, response.code, exchange.use) == ("full", "200", 1)


def test_the_second_checker_sends_nothing_that_the_consent_does_not_cover(
    scene: Scene, held: HeldConsent
) -> None:
    scene.federation.peers.sent.clear()
    good = build_ask(held)
    refused = [
        (replace(good, consent=b"\x99" * 32), ConsentMissingError),
        (replace(good, purpose="P2"), PurposeMismatchError),
    ]
    before = observe(scene.consumer)

    for wrong, error in refused:
        with pytest.raises(error):
            asyncio.run(scene.consumer.asking.ask(wrong))

    assert scene.federation.peers.sent == []
    assert observe(scene.consumer) == before


def test_a_section_that_the_consent_does_not_name_is_not_asked_for(scene: Scene) -> None:
    narrow, _ = scene.hold_at_consumer(
        scene.grant(lambda given: replace(given, metrics=("relation",)))
    )

    with pytest.raises(MetricNotAllowedError):
        ask(scene, narrow)


def test_a_consent_withdrawn_here_is_not_asked_under(scene: Scene, held: HeldConsent) -> None:
    token = sign_state(
        held.hash, state=ConsentState.REVOKED, seq=1, key=SUBJECT_KEY, now_s=scene.now_s
    )
    scene.consumer.consents.submit_status(token).result(timeout=10)

    with pytest.raises(ConsentRevokedError):
        ask(scene, held)


def test_a_refusal_is_an_answer_too(scene: Scene, held: HeldConsent) -> None:
    scene.change_state(held.hash, ConsentState.REVOKED)

    outcome = ask(scene, held)

    assert (outcome.status, outcome.summary) == ("consent-revoked", None)
    assert outcome.detail == "the consent is revoked"
    entry = observe(scene.consumer).last
    assert isinstance(entry, ResponseEntry)
    assert entry.code == "consent-revoked"


def test_an_ask_in_doubt_is_settled_with_the_same_bytes_and_counted_once(
    scene: Scene, held: HeldConsent
) -> None:
    lost: list[HttpReply] = []

    def lose(reply: HttpReply) -> HttpReply:
        if lost:
            return reply
        lost.append(reply)
        raise PeerUnreachableError("cut")

    alter_replies(scene, lose)
    with pytest.raises(PeerUnreachableError):
        ask(scene, held)
    asked = scene.consumer.consents.list_outgoing()[0]
    assert asked.code == CODE_OPEN

    settled = asyncio.run(scene.consumer.asking.settle(asked.jti))
    again = asyncio.run(scene.consumer.asking.settle(asked.jti))

    assert settled.status == "200"
    assert again == replace(settled, repeated=True)
    assert scene.federation.peers.sent[-1] == scene.federation.peers.sent[-2]
    assert scene.find(held.hash).uses == 1
    assert list_codes(scene.consumer)[0] == "200"


def test_an_ask_that_never_arrived_is_decided_when_it_does(scene: Scene, held: HeldConsent) -> None:
    scene.federation.peers.unreachable.add(ENDPOINT)
    with pytest.raises(PeerUnreachableError):
        ask(scene, held)
    scene.federation.peers.unreachable.clear()
    asked = scene.consumer.consents.list_outgoing()[0]

    scene.federation.clock.advance_s(300)

    assert asyncio.run(scene.consumer.asking.settle(asked.jti)).status == "expired"


def test_nothing_can_be_settled_that_was_not_sent(scene: Scene) -> None:
    with pytest.raises(AskNotFoundError):
        asyncio.run(scene.consumer.asking.settle(b"\x00" * 16))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("env", break_signature),
        ("body", lambda body: body[:-4]),
        ("salt", lambda salt: "A" * len(salt)),
        ("inclusion", lambda _inclusion: ""),
        ("inclusion", lambda inclusion: inclusion.replace("index 2", "index 1")),
    ],
    ids=["signature", "body", "salt", "no proof", "other place"],
)
def test_a_reply_that_does_not_hold_is_dropped_and_the_ask_stays_open(
    scene: Scene, held: HeldConsent, name: str, change: Callable[[str], str]
) -> None:
    alter_replies(scene, alter_member(name, change))

    with pytest.raises(PeerRefusedError):
        ask(scene, held)

    assert list_codes(scene.consumer)[0] == CODE_OPEN
    assert isinstance(observe(scene.consumer).last, RequestEntry)
    assert scene.consumer.consents.list_received(held.subject) == []


def test_the_reply_to_another_question_is_dropped(scene: Scene, held: HeldConsent) -> None:
    first: list[HttpReply] = []

    def repeat_first(reply: HttpReply) -> HttpReply:
        first.append(reply)
        return first[0]

    alter_replies(scene, repeat_first)
    assert ask(scene, held).status == "200"

    with pytest.raises(PeerRefusedError):
        ask(scene, held)

    assert list_codes(scene.consumer)[0] == CODE_OPEN


def test_what_is_no_message_is_reported_with_its_status(scene: Scene, held: HeldConsent) -> None:
    alter_replies(scene, lambda reply: replace(reply, status=502, body=b"<html>"))

    with pytest.raises(PeerRefusedError, match="502"):
        ask(scene, held)


def test_an_unsigned_refusal_is_reported_with_its_code(scene: Scene, held: HeldConsent) -> None:
    sealer = scene.consumer.sealer
    sealer._key = SigningKey(b"\x77" * 32)

    with pytest.raises(PeerRefusedError, match="unknown-key"):
        ask(scene, held)

    assert list_codes(scene.consumer)[0] == CODE_OPEN


def test_a_summary_on_somebody_else_is_dropped(scene: Scene, held: HeldConsent) -> None:
    disclosures = scene.provider.answering._ports.disclosures
    disclose = disclosures.disclose

    def disclose_other(*args: object, **named: object) -> object:
        made = disclose(*args, **named)  # type: ignore[arg-type]  # handed on as they came
        assert made is not None
        other = Summary.from_bytes(made.body).model_copy(update={"subject": str(OTHER_SUBJECT)})
        return replace(made, body=other.to_bytes())

    disclosures.disclose = disclose_other  # type: ignore[method-assign,assignment]  # a liar

    with pytest.raises(PeerRefusedError):
        ask(scene, held)

    assert scene.consumer.consents.list_received(held.subject) == []


def test_haste_leaves_the_ask_open_and_it_is_answered_later(
    scene: Scene, held: HeldConsent
) -> None:
    scene.drain()
    logged, unlogged = ask(scene, held), ask(scene, held)

    assert (logged.status, unlogged.status) == ("quota", "quota")
    assert list_codes(scene.consumer)[:2] == [CODE_OPEN, CODE_OPEN]
    scene.federation.clock.advance_s(1)
    assert asyncio.run(scene.consumer.asking.settle(unlogged.jti)).status == "200"


def test_a_clock_that_is_ahead_is_told_so(scene: Scene, held: HeldConsent) -> None:
    # The provider's clock is the one that is late; to the asker it looks the same.
    late = replace(scene.federation.clock)
    scene.provider.answering._clock = late
    scene.provider.writer._log._clock = late
    scene.federation.clock.advance_s(60)

    outcome = ask(scene, held)

    assert outcome.status == "clock-skew"


def test_several_providers_are_asked_at_once(tmp_path: Path) -> None:
    scene = build_scene(tmp_path, member_count=4)
    asks = []
    for node in scene.federation.nodes[1:]:
        consent = replace(scene.grant(), provider=node.member_id)
        found, _ = scene.hold_at_consumer(consent)
        if node.member_id != "delta.example":
            asyncio.run(scene.consumer.asking.deliver(found))
        asks.append(build_ask(found))
    scene.federation.peers.unreachable.add("https://gamma.example")

    made = asyncio.run(scene.consumer.fan_out.ask_all(asks, deadline_s=30))

    scene.federation.close()
    statuses = ["200", "peer-unreachable", "consent-missing"]
    assert [outcome.status for outcome in made.outcomes] == statuses
    assert [item.outcome for item in made.manifest.items] == statuses


def test_who_has_not_answered_by_the_deadline_is_a_timeout(scene: Scene, held: HeldConsent) -> None:
    async def never(endpoint: str, raw: bytes) -> HttpReply:
        await asyncio.Event().wait()
        raise AssertionError(endpoint, raw)

    scene.federation.peers.send_message = never  # type: ignore[method-assign]  # a silent peer

    made = asyncio.run(scene.consumer.fan_out.ask_all([build_ask(held)], deadline_s=0.05))

    [outcome], [item] = made.outcomes, made.manifest.items
    assert (outcome.status, item.outcome, item.ans) == ("timeout", "timeout", None)
    assert item.msg == outcome.msg == scene.consumer.settling.list_doubts()[0].ask.msg


@pytest.mark.parametrize("count", [0, 2, 101])
def test_no_questions_too_many_or_two_under_one_consent_are_refused(
    scene: Scene, held: HeldConsent, count: int
) -> None:
    with pytest.raises(RejectedError):
        asyncio.run(scene.consumer.fan_out.ask_all([build_ask(held)] * count, deadline_s=1))


def test_a_provider_that_is_no_member_is_not_asked(scene: Scene) -> None:
    consent = scene.grant(lambda given: replace(given, provider="nobody.example"))
    found, _ = scene.hold_at_consumer(consent)

    with pytest.raises(PeerNotMemberError):
        ask(scene, found)


def test_one_receipt_covers_what_has_none_and_is_sent_once(scene: Scene, held: HeldConsent) -> None:
    outcomes = [ask(scene, held) for _ in range(2)]

    assert scene.consumer.asking.list_peers_to_acknowledge() == ["beta.example"]
    receipt = asyncio.run(scene.consumer.asking.acknowledge("beta.example"))
    again = asyncio.run(scene.consumer.asking.acknowledge("beta.example"))

    assert receipt is not None
    assert (receipt.status, again) == ("200", None)
    acknowledged = {row[0] for row in observe(scene.provider).tables["receipt_in"]}
    assert {outcome.ans for outcome in outcomes} <= acknowledged
    assert scene.consumer.asking.list_peers_to_acknowledge() == []


def test_delivery_is_noted_at_the_consumer(scene: Scene) -> None:
    found, _ = scene.hold_at_consumer(scene.grant())

    asyncio.run(scene.consumer.asking.deliver(found))

    noted = scene.consumer.consents.find(found.hash)
    assert (found.delivered, noted is not None and noted.delivered) == (False, True)
