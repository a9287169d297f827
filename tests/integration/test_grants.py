"""What follows from consents by itself: brakes and ends, erasure, pushes, corrections."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from node.core.errors import UnavailableError
from node.sharing.consents import ConsentNotHeldError, StaleStatusError
from node.sharing.erasing import GrantNotHeldError, LegalHoldError
from node.sharing.notices import TRIES_MAX, get_back_off_s
from node.sharing.outgoing import Ask
from node.sharing.store import HeldConsent
from node.sharing.store.attestations import AttestationStore
from protocol.consent import ConsentState, Span
from protocol.encoding import encode_b64u
from protocol.entry import (
    ConsentEntry,
    ErasedEntry,
)
from protocol.problems import WrongProviderError
from schemas.notices import EraseBody
from tests.support.exchanges import Scene, observe, write_invoices
from tests.support.forging import sign_state
from tests.support.grants import (
    METRICS,
    ask,
    bodies,
    carry,
    entries,
    hold_on_both_sides,
)
from tests.support.nodes import BUSINESS_DATE, SUBJECT, SUBJECT_KEY
from tests.support.stores import sqlite_only

DAY_S = 86_400


# --- brakes and ends


def test_a_providers_brake_halts_at_once_and_is_brought_to_consumer_and_hub(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())

    asyncio.run(
        scene.provider.grants.brake.state(held.hash, ConsentState.PAUSED, reason="under review")
    )

    assert scene.send(scene.query(held.hash)).code == "consent-paused"
    assert carry(scene.provider) == 2
    at_consumer = scene.consumer.consents.find(held.hash)
    assert at_consumer is not None
    assert at_consumer.state is ConsentState.PAUSED
    assert [where for where, _ in scene.federation.peers.statuses] == [
        "https://alpha.example",
        "https://hub.example",
    ]


def test_a_brake_that_nobody_took_is_brought_again_later(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    peers = scene.federation.peers
    peers.unreachable |= {"https://alpha.example", "https://hub.example"}
    asyncio.run(scene.provider.grants.brake.state(held.hash, ConsentState.REVOKED, reason="-"))
    assert carry(scene.provider) == 0
    peers.unreachable.clear()
    assert carry(scene.provider) == 0  # not before its time

    scene.federation.clock.advance_s(10)

    assert carry(scene.provider) == 2
    at_consumer = scene.consumer.consents.find(held.hash)
    assert at_consumer is not None
    assert at_consumer.state is ConsentState.REVOKED


def test_a_provider_lifts_its_own_brake_and_never_the_subjects(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    brake = scene.provider.grants.brake
    asyncio.run(brake.state(held.hash, ConsentState.PAUSED, reason="-"))
    scene.change_state(held.hash, ConsentState.PAUSED)

    asyncio.run(brake.state(held.hash, ConsentState.ACTIVE, reason="-"))

    assert scene.find(held.hash).state is ConsentState.PAUSED
    scene.change_state(held.hash, ConsentState.ACTIVE, seq=2)
    assert scene.find(held.hash).state is ConsentState.ACTIVE
    with pytest.raises(StaleStatusError):
        asyncio.run(brake.state(held.hash, ConsentState.ACTIVE, reason="-"))


def test_a_providers_number_never_stands_in_the_way_of_a_withdrawal(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    token = sign_state(
        held.hash,
        state=ConsentState.PAUSED,
        seq=2**53 - 1,
        key=scene.provider.keys.message,
        now_s=scene.now_s,
        by="provider",
    )
    scene.provider.consents.submit_status(token).result(timeout=10)

    assert scene.change_state(held.hash, ConsentState.REVOKED).state is ConsentState.REVOKED


def test_a_brake_on_what_is_not_ours_is_refused(scene: Scene) -> None:
    held, _ = scene.hold_at_consumer(scene.grant())

    with pytest.raises(WrongProviderError):
        asyncio.run(scene.consumer.grants.brake.state(held.hash, ConsentState.PAUSED, reason="-"))
    with pytest.raises(ConsentNotHeldError):
        asyncio.run(scene.provider.grants.brake.state(bytes(32), ConsentState.PAUSED, reason="-"))


def test_the_end_of_a_consent_is_stated_once_by_its_provider(scene: Scene) -> None:
    used_up = hold_on_both_sides(scene, replace(scene.grant(), max_uses=1))
    running = hold_on_both_sides(scene, replace(scene.grant(), id="consent-2"))
    short = replace(scene.grant(), id="consent-3", exp=scene.now_s + 60)
    expiring = hold_on_both_sides(scene, short)
    older = hold_on_both_sides(scene, replace(scene.grant(), id="consent-4"))
    hold_on_both_sides(scene, replace(scene.grant(), id="consent-5", replaces=older.hash))
    scene.send(scene.query(used_up.hash))
    scene.send(scene.query(running.hash))
    scene.federation.clock.advance_s(61)

    assert asyncio.run(scene.provider.grants.brake.state_ends()) == 3

    stated = {(one.consent, one.state) for one in entries(scene.provider, ConsentEntry)}
    assert stated == {
        (used_up.hash, "exhausted"),
        (expiring.hash, "expired"),
        (older.hash, "replaced"),
    }
    assert asyncio.run(scene.provider.grants.brake.state_ends()) == 0
    assert scene.send(scene.query(used_up.hash)).code == "consent-exhausted"


# --- k_min and derive


def test_fewer_invoices_than_the_consent_asks_for_are_no_answer(scene: Scene) -> None:
    few = scene.hold(replace(scene.grant(), k_min=13))
    enough = scene.hold(replace(scene.grant(), id="consent-2", k_min=12))

    assert scene.send(scene.query(few)).code == "no-answer"
    assert scene.send(scene.query(enough)).code == "full"


@pytest.mark.parametrize(
    ("derive", "is_used"), [(("rating",), True), (("model",), False), ((), False)], ids=str
)
def test_a_summary_feeds_a_rating_only_where_its_consent_says_so(
    scene: Scene, derive: tuple[str, ...], *, is_used: bool
) -> None:
    customer_row = write_invoices(SUBJECT, count=3).encode()
    scene.consumer.local.records.import_file(customer_row, file_name="own.csv")
    held = hold_on_both_sides(scene, replace(scene.grant(), derive=derive))
    ans = ask(scene, held)
    customer_id = scene.consumer.local.assessment.find_customer_id(str(SUBJECT))
    assert customer_id is not None

    pair = scene.consumer.local.assessment.assess_customer(customer_id, as_of=BUSINESS_DATE)

    codes = {line.ref: line.code for line in pair.with_peers.assessment.evidence}
    assert codes[encode_b64u(ans)] == ("used" if is_used else "left-out.not-for-rating")
    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    assert received.may_rate is is_used


def test_of_a_rating_hash_codes_and_points_stay_when_its_input_is_erased(scene: Scene) -> None:
    scene.consumer.local.records.import_file(
        write_invoices(SUBJECT, count=3).encode(), file_name="own.csv"
    )
    held = hold_on_both_sides(scene, scene.grant())
    ans = ask(scene, held)
    assessment = scene.consumer.local.assessment
    customer_id = assessment.find_customer_id(str(SUBJECT))
    assert customer_id is not None
    before = assessment.assess_customer(customer_id, as_of=BUSINESS_DATE).with_peers.assessment

    asyncio.run(scene.consumer.grants.erasure.erase_consent(held.hash))

    latest = assessment.find_latest(customer_id)
    assert latest is not None
    after = latest.with_peers.assessment
    assert after.score_deci == before.score_deci
    assert [one.code for one in after.factors] == [one.code for one in before.factors]
    assert {one.peers_value for one in after.factors} == {None}
    assert encode_b64u(ans) in {line.ref for line in after.evidence}


# --- erasure


def test_a_body_goes_at_the_end_of_its_data_life(scene: Scene) -> None:
    held = hold_on_both_sides(scene, replace(scene.grant(), data_life=Span(unit="day", n=2)))
    ans = ask(scene, held)
    carry(scene.consumer)
    scene.federation.clock.advance_s(2 * DAY_S - 1)
    scene.federation.publish(scene.federation.registry)
    carry(scene.consumer)
    assert ans in bodies(scene.consumer)
    scene.federation.clock.advance_s(1)

    carry(scene.consumer)

    assert ans not in bodies(scene.consumer)
    (erased,) = entries(scene.consumer, ErasedEntry)
    assert (erased.basis, erased.msgs[0], erased.peer) == ("data-life", ans, "beta.example")
    (told,) = observe(scene.provider).tables["erasure_in"]
    assert (told[0], told[1], told[3]) == (ans, "alpha.example", "data-life")
    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    assert (received.summary, received.is_erased, received.erase_basis) == (
        None,
        True,
        "data-life",
    )


def test_a_body_goes_within_a_day_of_the_withdrawal(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ans = ask(scene, held)
    carry(scene.consumer)
    token = sign_state(
        held.hash, state=ConsentState.REVOKED, seq=1, key=SUBJECT_KEY, now_s=scene.now_s
    )
    scene.consumer.consents.submit_status(token).result(timeout=10)
    carry(scene.consumer)
    assert ans in bodies(scene.consumer)
    scene.federation.clock.advance_s(DAY_S)
    scene.federation.publish(scene.federation.registry)

    carry(scene.consumer)

    assert ans not in bodies(scene.consumer)
    erased = entries(scene.consumer, ErasedEntry)
    assert [one.basis for one in erased if ans in one.msgs] == ["revoked"]


def list_sent(scene: Scene) -> set[bytes]:
    """Return the consumer's own questions and deliveries, whether or not their bodies are here."""
    rows = observe(scene.consumer).tables["exchange_out"]
    return {bytes(row[3]) for row in rows if row[2] in {"query", "consent.put"}}


def withdraw(scene: Scene, held: HeldConsent) -> None:
    """Have the consumer take in the subject's withdrawal, and let its day pass."""
    token = sign_state(
        held.hash, state=ConsentState.REVOKED, seq=1, key=SUBJECT_KEY, now_s=scene.now_s
    )
    scene.consumer.consents.submit_status(token).result(timeout=10)
    carry(scene.consumer)
    assert list_sent(scene) <= bodies(scene.consumer)
    scene.federation.clock.advance_s(DAY_S)
    scene.federation.publish(scene.federation.registry)
    carry(scene.consumer)


def test_a_question_goes_with_its_answer(scene: Scene) -> None:
    held = hold_on_both_sides(scene, replace(scene.grant(), data_life=Span(unit="day", n=2)))
    ans = ask(scene, held)
    row = next(row for row in observe(scene.consumer).tables["exchange_out"] if row[10] == ans)
    question = bytes(row[3])
    carry(scene.consumer)
    assert question in bodies(scene.consumer)
    scene.federation.clock.advance_s(2 * DAY_S)
    scene.federation.publish(scene.federation.registry)

    carry(scene.consumer)

    assert question not in bodies(scene.consumer)
    (entry,) = entries(scene.consumer, ErasedEntry)
    assert (entry.msgs, entry.basis) == ((ans, question), "data-life")


def test_a_withdrawal_reaches_what_was_asked_and_handed_over(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    scene.federation.peers.unreachable.add("https://beta.example")
    question = Ask(consent=held.hash, purpose="P1", metrics=METRICS, last_months=12)
    with pytest.raises(UnavailableError):
        asyncio.run(scene.consumer.asking.ask(question))
    scene.federation.peers.unreachable.clear()
    assert len(list_sent(scene)) == 3

    withdraw(scene, held)

    assert not list_sent(scene) & bodies(scene.consumer)
    erased = {msg for one in entries(scene.consumer, ErasedEntry) for msg in one.msgs}
    assert list_sent(scene) <= erased
    count = len(entries(scene.consumer, ErasedEntry))
    carry(scene.consumer)
    assert len(entries(scene.consumer, ErasedEntry)) == count


def test_a_withdrawal_reaches_a_batch_that_brought_nothing(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    other = hold_on_both_sides(scene, replace(scene.grant(), id="another"))
    scene.federation.peers.unreachable.add("https://beta.example")
    asks = [
        Ask(consent=one.hash, purpose="P1", metrics=METRICS, last_months=12)
        for one in (held, other)
    ]
    with pytest.raises(UnavailableError):
        asyncio.run(scene.consumer.asking.ask_batch(asks))
    scene.federation.peers.unreachable.clear()

    withdraw(scene, held)

    kept = list_sent(scene) & bodies(scene.consumer)
    assert len(kept) == 1  # the delivery of the other consent


def test_a_legal_basis_keeps_what_was_asked_too(scene: Scene) -> None:
    held = hold_on_both_sides(scene, replace(scene.grant(), basis="legal", basis_ref="order 7"))
    ask(scene, held)

    withdraw(scene, held)

    assert list_sent(scene) <= bodies(scene.consumer)


def test_a_subjects_request_reaches_what_was_asked_and_handed_over(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)

    asyncio.run(scene.consumer.grants.erasure.erase_consent(held.hash))

    assert not list_sent(scene) & bodies(scene.consumer)
    assert {one.basis for one in entries(scene.consumer, ErasedEntry)} == {"request"}


def test_a_legal_basis_keeps_what_was_received_and_is_named(scene: Scene) -> None:
    held = hold_on_both_sides(
        scene,
        replace(
            scene.grant(), basis="legal", basis_ref="order 7", data_life=Span(unit="hour", n=1)
        ),
    )
    ans = ask(scene, held)
    scene.federation.clock.advance_s(7_200)

    carry(scene.consumer)

    assert ans in bodies(scene.consumer)
    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    assert (received.erase_basis, received.is_erased) == ("legal", False)
    with pytest.raises(LegalHoldError, match="order 7"):
        asyncio.run(scene.consumer.grants.erasure.erase_consent(held.hash))


def test_a_subjects_request_erases_at_once(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ans = ask(scene, held)

    assert asyncio.run(scene.consumer.grants.erasure.erase_consent(held.hash)) == 1
    assert asyncio.run(scene.consumer.grants.erasure.erase_consent(held.hash)) == 0

    carry(scene.consumer)
    assert ans not in bodies(scene.consumer)
    assert [row[3] for row in observe(scene.provider).tables["erasure_in"]] == ["request"]
    with pytest.raises(GrantNotHeldError):
        asyncio.run(scene.consumer.grants.erasure.erase_consent(bytes(32)))


def test_an_erasure_is_attested_until_it_is_acknowledged(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ans = ask(scene, held)
    scene.federation.peers.unreachable.add("https://beta.example")
    asyncio.run(scene.consumer.grants.erasure.erase_consent(held.hash))
    assert carry(scene.consumer) == 0
    scene.federation.clock.advance_s(301)  # its bytes have expired on the way
    scene.federation.peers.unreachable.clear()

    assert carry(scene.consumer) == 0
    assert carry(scene.consumer) == 1

    assert [row[0] for row in observe(scene.provider).tables["erasure_in"]] == [ans]
    states = sorted(one.state for one in scene.consumer.grants.notices.list_notices(op="erase"))
    assert states == ["done", "renewed"]


def test_an_attestation_names_only_answers_that_were_ours(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ans = ask(scene, held)
    body = EraseBody.from_object(
        {
            "v": 1,
            "kind": "erase",
            "basis": "request",
            "answers": [encode_b64u(ans), encode_b64u(bytes(32))],
        }
    )
    with scene.provider.local.database.write() as uow:
        store = AttestationStore(uow.connection)
        known = store.add_attested(
            [ans, bytes(32)], peer="alpha.example", msg=bytes(32), basis=body.basis, at_ms=1
        )
        of_another = store.add_attested(
            [ans], peer="gamma.example", msg=bytes(32), basis=body.basis, at_ms=1
        )

    assert (known, of_another) == (1, 0)


@sqlite_only
def test_nothing_of_an_erased_body_is_left_in_the_files(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ans = ask(scene, held)
    body = {row[0]: row[1] for row in observe(scene.consumer).tables["payload"]}[ans]
    with scene.consumer.local.database.read() as uow:
        stored: bytes = uow.connection.execute(
            text("SELECT body FROM payload WHERE msg = :msg"), {"msg": ans}
        ).scalar_one()
    folder = scene.federation.folder / "alpha.example"

    def find(sought: bytes) -> list[str]:
        return [path.name for path in folder.glob("node.sqlite*") if sought in path.read_bytes()]

    assert find(stored) != []
    assert find(body) == []  # It lies there encrypted alone.

    asyncio.run(scene.consumer.grants.erasure.erase_consent(held.hash))

    assert find(stored) == []


# --- trying again


def test_waiting_grows_is_bounded_and_ends_after_about_a_week() -> None:
    waits = [get_back_off_s(b"\x00" * 16, tries=tries) for tries in range(TRIES_MAX)]

    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (5, 3_600)
    assert 6.5 * DAY_S < sum(waits) < 7.5 * DAY_S
    assert get_back_off_s(b"\xff" * 16, tries=0) == 6
