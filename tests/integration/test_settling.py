"""Messages in doubt, questions asked once under a key, and the manifest of a fan-out."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from node.sharing.fan_out import KeyReusedError, ManifestNotFoundError
from node.sharing.outgoing import Ask
from node.sharing.peers import PeerUnreachableError
from node.sharing.sending import AskNotFoundError
from node.sharing.settling import AskSettledError, WouldBe
from node.sharing.store import CODE_GIVEN_UP, HeldConsent, SharingStore
from protocol.entry import AbortedEntry, RequestEntry, ResponseEntry, parse_entry
from protocol.manifest import open_manifest
from schemas.summary import Section
from tests.support.exchanges import Scene, observe

ENDPOINT = "https://beta.example"


@pytest.fixture
def held(scene: Scene) -> HeldConsent:
    found, _ = scene.hold_at_consumer(scene.grant())
    asyncio.run(scene.consumer.asking.deliver(found))
    return found


def build_ask(held: HeldConsent) -> Ask:
    return Ask(consent=held.hash, purpose="P1", metrics=(Section.VOLUME,), last_months=12)


def lose(scene: Scene, held: HeldConsent) -> bytes:
    """Ask while replies get lost; return the message's id."""
    scene.federation.peers.loses_replies = True
    with pytest.raises(PeerUnreachableError):
        asyncio.run(scene.consumer.asking.ask(build_ask(held)))
    scene.federation.peers.loses_replies = False
    [doubt] = scene.consumer.settling.list_doubts()
    return doubt.ask.jti


def list_entries(scene: Scene, kind: type[object]) -> list[object]:
    entries = map(parse_entry, observe(scene.consumer).entries)
    return [one for one in entries if isinstance(one, kind)]


def uses(scene: Scene, held: HeldConsent) -> int:
    return scene.find(held.hash).uses


def test_a_message_without_a_reply_is_in_doubt_and_says_what_it_would_do(
    scene: Scene, held: HeldConsent
) -> None:
    jti = lose(scene, held)
    young = scene.consumer.settling.list_doubts()
    scene.federation.clock.advance_s(300)
    old = scene.consumer.settling.list_doubts()
    with scene.consumer.local.database.write() as uow:
        SharingStore(uow.connection).erase_payload(young[0].ask.msg)

    erased = scene.consumer.settling.list_doubts()

    assert [doubt.ask.jti for doubt in young] == [jti]
    assert [doubts[0].would_be for doubts in (young, old, erased)] == [
        WouldBe.DECIDED,
        WouldBe.STORED,
        WouldBe.NOTHING,
    ]
    assert asyncio.run(scene.consumer.settling.settle_all()) == []


def test_settling_takes_the_stored_answer_and_counts_no_second_use(
    scene: Scene, held: HeldConsent
) -> None:
    lose(scene, held)

    [(_, outcome)] = asyncio.run(scene.consumer.settling.settle_all())

    assert (outcome.status, uses(scene, held)) == ("200", 1)
    assert scene.consumer.settling.list_doubts() == []


def test_what_cannot_be_settled_stays_in_doubt(scene: Scene, held: HeldConsent) -> None:
    lose(scene, held)
    scene.federation.peers.unreachable = {ENDPOINT}

    [(_, outcome)] = asyncio.run(scene.consumer.settling.settle_all())

    assert outcome.status == "peer-unreachable"
    assert len(scene.consumer.settling.list_doubts()) == 1


def test_giving_up_is_logged_once_and_ends_the_waiting(scene: Scene, held: HeldConsent) -> None:
    jti = lose(scene, held)

    asyncio.run(scene.consumer.settling.give_up(jti))

    [entry] = list_entries(scene, AbortedEntry)
    request = list_entries(scene, RequestEntry)[-1]
    assert isinstance(entry, AbortedEntry)
    assert isinstance(request, RequestEntry)
    assert (entry.n, entry.xid, entry.reason) == (request.n, jti, CODE_GIVEN_UP)
    assert scene.consumer.settling.list_doubts() == []
    with pytest.raises(AskSettledError):
        asyncio.run(scene.consumer.settling.give_up(jti))


def test_a_reply_after_giving_up_is_still_evidence(scene: Scene, held: HeldConsent) -> None:
    jti = lose(scene, held)
    asyncio.run(scene.consumer.settling.give_up(jti))

    outcome = asyncio.run(scene.consumer.asking.settle(jti))

    last = parse_entry(observe(scene.consumer).entries[-1])
    assert outcome.status == "200"
    assert isinstance(last, ResponseEntry)
    assert last.xid == jti


def test_what_was_never_sent_cannot_be_given_up(scene: Scene) -> None:
    with pytest.raises(AskNotFoundError):
        asyncio.run(scene.consumer.settling.give_up(bytes(16)))


def test_answers_of_a_receipt_given_up_await_another(scene: Scene, held: HeldConsent) -> None:
    scene.federation.peers.unreachable = {ENDPOINT}
    with pytest.raises(PeerUnreachableError):
        asyncio.run(scene.consumer.asking.acknowledge("beta.example"))
    [doubt] = scene.consumer.settling.list_doubts()

    asyncio.run(scene.consumer.settling.give_up(doubt.ask.jti))

    assert held.delivered is False
    assert scene.consumer.asking.list_peers_to_acknowledge() == ["beta.example"]


def ask_all(scene: Scene, held: HeldConsent, *, key: str | None = None, **change: int) -> object:
    ask = replace(build_ask(held), last_months=change.get("last_months", 12))
    made = asyncio.run(scene.consumer.fan_out.ask_all([ask], deadline_s=10, key=key))
    return made.outcomes[0].jti, made.outcomes[0].status, made.outcomes[0].summary


def test_a_request_repeated_under_its_key_is_the_same_question(
    scene: Scene, held: HeldConsent
) -> None:
    first = ask_all(scene, held, key="k1")
    sent = len(scene.federation.peers.sent)

    again = ask_all(scene, held, key="k1")

    assert again == first
    assert len(scene.federation.peers.sent) == sent
    assert uses(scene, held) == 1


def test_an_open_question_repeated_under_its_key_is_settled(
    scene: Scene, held: HeldConsent
) -> None:
    scene.federation.peers.loses_replies = True
    lost = ask_all(scene, held, key="k1")
    scene.federation.peers.loses_replies = False

    again = ask_all(scene, held, key="k1")

    assert isinstance(lost, tuple)
    assert isinstance(again, tuple)
    assert (lost[0], lost[1], again[1]) == (again[0], "peer-unreachable", "200")
    assert uses(scene, held) == 1


def test_two_requests_at_once_under_one_key_ask_once(scene: Scene, held: HeldConsent) -> None:
    async def both() -> list[str]:
        made = await asyncio.gather(
            *(
                scene.consumer.fan_out.ask_all([build_ask(held)], deadline_s=10, key="k1")
                for _ in range(2)
            )
        )
        return [one.outcomes[0].status for one in made]

    assert asyncio.run(both()) == ["200", "200"]
    assert uses(scene, held) == 1


def test_another_request_under_the_same_key_is_refused(scene: Scene, held: HeldConsent) -> None:
    ask_all(scene, held, key="k1")

    with pytest.raises(KeyReusedError):
        ask_all(scene, held, key="k1", last_months=3)


def test_a_manifest_is_signed_and_kept(scene: Scene, held: HeldConsent) -> None:
    made = asyncio.run(scene.consumer.fan_out.ask_all([build_ask(held)], deadline_s=10))

    kept, token = scene.consumer.fan_out.get_manifest(made.manifest.id)

    opened = open_manifest(token, find_key=lambda _kid: scene.consumer.keys.message.public)
    assert kept == opened == made.manifest
    [item] = opened.items
    assert (item.peer, item.consent) == ("beta.example", held.hash)
    assert (item.msg, item.ans) == (made.outcomes[0].msg, made.outcomes[0].ans)
    with pytest.raises(ManifestNotFoundError):
        scene.consumer.fan_out.get_manifest(bytes(16))
