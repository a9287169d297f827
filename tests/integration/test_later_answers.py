"""Questions accepted with 202: counted then, answered when polled for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.sharing.outgoing import Ask, Outcome
from node.sharing.peers import PeerRefusedError
from node.sharing.sealing import Content, Draft, build_accepted
from node.sharing.store import CODE_GIVEN_UP, HeldConsent
from protocol.consent import ConsentState
from protocol.encoding import encode_b64u
from protocol.entry import ErasedEntry, ExchangeEntry, ResponseEntry, parse_entry
from protocol.strict_json import canonical_json
from schemas.exchange import POLL_CONTENT_TYPE
from schemas.summary import Section
from tests.support.exchanges import Scene, build_scene, observe
from tests.support.forging import Forgery

ENDPOINT = "https://beta.example"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    built = build_scene(tmp_path, defers=True)
    yield built
    built.federation.close()


@pytest.fixture
def held(scene: Scene) -> HeldConsent:
    found, _ = scene.hold_at_consumer(scene.grant())
    asyncio.run(scene.consumer.asking.deliver(found))
    return found


def ask(scene: Scene, held: HeldConsent, *, takes_deferred: bool = True) -> Outcome:
    question = Ask(
        consent=held.hash,
        purpose="P1",
        metrics=(Section.VOLUME,),
        last_months=12,
        takes_deferred=takes_deferred,
    )
    return asyncio.run(scene.consumer.asking.ask(question))


def make(scene: Scene) -> int:
    return asyncio.run(scene.provider.later.make_answers())


def poll(scene: Scene, *, after_s: int = 30) -> int:
    scene.federation.clock.advance_s(after_s)
    return asyncio.run(scene.consumer.later.poll())


def list_exchanges(scene: Scene) -> list[tuple[str, str, int]]:
    return [
        (one.op, one.code, one.use)
        for one in scene.provider_entries()
        if isinstance(one, ExchangeEntry) and one.op in {"query", "poll"}
    ]


def code_of(scene: Scene, outcome: Outcome) -> str:
    rows = scene.consumer.consents.list_outgoing()
    return next(row.code for row in rows if row.jti == outcome.jti)


def test_an_accepted_question_is_counted_once_and_answered_by_a_poll(
    scene: Scene, held: HeldConsent
) -> None:
    outcome = ask(scene, held)
    assert (outcome.status, outcome.items) == ("202", ())
    assert make(scene) == 1

    assert poll(scene) == 1

    assert list_exchanges(scene) == [("query", "accepted", 1), ("poll", "full", 0)]
    [received] = scene.consumer.consents.list_received(held.subject)
    assert received.summary is not None
    assert received.summary.subject == held.subject
    assert code_of(scene, outcome) == "200"
    assert poll(scene, after_s=600) == 0
    codes = [
        one.code
        for one in map(parse_entry, observe(scene.consumer).entries)
        if isinstance(one, ResponseEntry)
    ]
    assert codes == ["200", "202", "200"]


def test_an_asker_that_takes_no_deferred_answer_gets_it_at_once(
    scene: Scene, held: HeldConsent
) -> None:
    assert ask(scene, held, takes_deferred=False).status == "200"


def test_a_provider_that_defers_nothing_answers_at_once(tmp_path: Path) -> None:
    scene = build_scene(tmp_path)
    found, _ = scene.hold_at_consumer(scene.grant())
    asyncio.run(scene.consumer.asking.deliver(found))

    status = ask(scene, found).status

    scene.federation.close()
    assert status == "200"


def test_a_poll_before_the_answer_is_made_is_put_off(scene: Scene, held: HeldConsent) -> None:
    ask(scene, held)

    counts = [poll(scene, after_s=29), poll(scene, after_s=1), poll(scene, after_s=1)]
    make(scene)
    poll(scene)

    assert counts == [0, 1, 0]
    assert [code for _, code, _ in list_exchanges(scene)] == ["accepted", "accepted", "full"]


def test_a_poll_without_a_reply_is_sent_again_byte_for_byte(
    scene: Scene, held: HeldConsent
) -> None:
    peers, outcome = scene.federation.peers, ask(scene, held)
    make(scene)
    peers.loses_replies = True
    assert poll(scene) == 0
    peers.loses_replies = False

    assert poll(scene, after_s=60) == 1

    assert peers.sent[-1] == peers.sent[-2]
    assert code_of(scene, outcome) == "200"


def test_a_poll_that_has_expired_is_followed_by_another(scene: Scene, held: HeldConsent) -> None:
    outcome = ask(scene, held)
    make(scene)
    scene.federation.peers.unreachable = {ENDPOINT}
    poll(scene)
    scene.federation.peers.unreachable = set()

    poll(scene, after_s=400)
    poll(scene)

    assert code_of(scene, outcome) == "200"


def test_nothing_is_answered_after_the_consent_was_withdrawn(
    scene: Scene, held: HeldConsent
) -> None:
    outcome = ask(scene, held)
    make(scene)
    scene.change_state(held.hash, ConsentState.REVOKED)

    poll(scene)

    assert code_of(scene, outcome) == "consent-revoked"
    assert scene.consumer.consents.list_received(held.subject) == []


def test_the_answer_to_the_last_use_is_fetched_before_the_consent_ends(scene: Scene) -> None:
    held, _ = scene.hold_at_consumer(replace(scene.grant(), id="one use", max_uses=1))
    asyncio.run(scene.consumer.asking.deliver(held))
    outcome = ask(scene, held)
    make(scene)

    assert asyncio.run(scene.provider.grants.brake.state_ends()) == 0
    poll(scene)

    assert code_of(scene, outcome) == "200"


def test_a_withdrawal_after_the_last_use_stops_an_answer_that_waits(scene: Scene) -> None:
    held, _ = scene.hold_at_consumer(replace(scene.grant(), id="one use", max_uses=1))
    asyncio.run(scene.consumer.asking.deliver(held))
    outcome = ask(scene, held)
    make(scene)
    asyncio.run(scene.provider.grants.brake.state_ends())
    scene.change_state(held.hash, ConsentState.REVOKED)

    poll(scene)

    assert code_of(scene, outcome) == "consent-revoked"


def test_no_answer_comes_by_poll_as_well(tmp_path: Path) -> None:
    scene = build_scene(tmp_path, invoices=0, defers=True)
    found, _ = scene.hold_at_consumer(scene.grant())
    asyncio.run(scene.consumer.asking.deliver(found))
    outcome = ask(scene, found)
    make(scene)

    poll(scene)

    code, exchanges = code_of(scene, outcome), list_exchanges(scene)
    scene.federation.close()
    assert (code, exchanges[-1]) == ("no-answer", ("poll", "no-answer", 0))


def write_poll(name: bytes) -> Forgery:
    body = canonical_json({"v": 1, "kind": "poll", "request": encode_b64u(name)})
    return Forgery(op="poll", content_type=POLL_CONTENT_TYPE, body=body, consents=())


def test_a_poll_for_a_question_that_was_never_accepted_is_unknown(scene: Scene) -> None:
    reply = scene.send(write_poll(b"\x07" * 32))

    assert (reply.code, reply.status) == ("poll-unknown", 404)
    assert list_exchanges(scene) == [("poll", "poll-unknown", 0)]


def test_a_question_accepted_of_one_member_is_unknown_to_another(tmp_path: Path) -> None:
    scene = build_scene(tmp_path, member_count=3, defers=True)
    found, _ = scene.hold_at_consumer(scene.grant())
    asyncio.run(scene.consumer.asking.deliver(found))
    outcome = ask(scene, found)
    make(scene)
    stranger = replace(scene, consumer=scene.federation.nodes[2])

    reply = stranger.send(write_poll(outcome.msg))

    scene.federation.close()
    assert reply.code == "poll-unknown"


def test_an_acceptance_that_the_asker_did_not_offer_is_dropped(
    scene: Scene, held: HeldConsent
) -> None:
    seal = scene.provider.sealer.seal

    def put_off(content: Content, **named: object) -> Draft:
        other = build_accepted(poll_after_s=1, consents=content.consents)
        return seal(other, **named)  # type: ignore[arg-type]  # handed on as they came

    scene.provider.sealer.seal = put_off  # type: ignore[method-assign]  # a liar

    with pytest.raises(PeerRefusedError):
        ask(scene, held, takes_deferred=False)

    assert observe(scene.consumer).tables["awaited_answer"] == []


def test_a_question_that_waits_can_be_given_up(scene: Scene, held: HeldConsent) -> None:
    outcome = ask(scene, held)

    asyncio.run(scene.consumer.settling.give_up(outcome.jti))

    assert code_of(scene, outcome) == CODE_GIVEN_UP
    assert poll(scene) == 0


def test_exhausted_is_stated_once_the_answer_was_acknowledged(scene: Scene) -> None:
    held, _ = scene.hold_at_consumer(replace(scene.grant(), max_uses=1))
    asyncio.run(scene.consumer.asking.deliver(held))
    ask(scene, held)
    state_ends = scene.provider.grants.brake.state_ends
    poll(scene)  # put off: what a receipt says of that settles nothing
    asyncio.run(scene.consumer.asking.acknowledge("beta.example"))
    make(scene)
    poll(scene)
    waiting = asyncio.run(state_ends())

    asyncio.run(scene.consumer.asking.acknowledge("beta.example"))

    assert waiting == 0
    assert asyncio.run(state_ends()) == 1
    assert scene.find(held.hash).state is ConsentState.EXHAUSTED
    assert observe(scene.provider).tables["pending_answer"] == []


def test_a_receipt_of_no_answer_settles_its_question_too(scene: Scene) -> None:
    held, _ = scene.hold_at_consumer(replace(scene.grant(), max_uses=1, k_min=1_000))
    asyncio.run(scene.consumer.asking.deliver(held))
    ask(scene, held)
    make(scene)
    poll(scene)

    asyncio.run(scene.consumer.asking.acknowledge("beta.example"))

    assert list_exchanges(scene)[-1][1] == "no-answer"
    assert asyncio.run(scene.provider.grants.brake.state_ends()) == 1


def test_a_question_goes_with_the_answer_that_was_polled_for(
    scene: Scene, held: HeldConsent
) -> None:
    outcome = ask(scene, held)
    make(scene)
    poll(scene)
    before = {row[0] for row in observe(scene.consumer).tables["payload"]}

    asyncio.run(scene.consumer.grants.erasure.erase_consent(held.hash))

    left = {row[0] for row in observe(scene.consumer).tables["payload"]}
    assert outcome.msg in before - left
    entries = map(parse_entry, observe(scene.consumer).entries)
    erased = [one.msgs for one in entries if isinstance(one, ErasedEntry)]
    assert any(outcome.msg in msgs and len(msgs) == 2 for msgs in erased)
