"""What follows from consents by itself: brakes and ends, erasure, pushes, corrections."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from node.sharing.consents import ConsentNotHeldError, StaleStatusError
from node.sharing.correcting import CorrectionReasonError
from node.sharing.erasing import GrantNotHeldError, LegalHoldError
from node.sharing.notices import TRIES_MAX, find_back_off_s
from node.sharing.outgoing import Ask
from node.sharing.store import HeldConsent
from node.sharing.store.grants import GrantStore
from protocol.consent import Consent, ConsentState, Span
from protocol.encoding import encode_b64u
from protocol.entry import (
    ConsentEntry,
    ErasedEntry,
    ExchangeEntry,
    KnownKind,
    RequestEntry,
    parse_entry,
)
from protocol.problems import WrongProviderError
from schemas.notices import EraseBody
from schemas.summary import Section
from tests.support.exchanges import Scene, build_scene, observe, write_invoices
from tests.support.forging import change_purpose, sign_state
from tests.support.nodes import BUSINESS_DATE, SUBJECT, SUBJECT_KEY, TestNode

EntryT = TypeVar("EntryT", bound=KnownKind)
DAY_S = 86_400
METRICS = tuple(Section)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = build_scene(tmp_path)
    yield made
    made.federation.close()


def hold_on_both_sides(scene: Scene, consent: Consent) -> HeldConsent:
    """Have the consumer hold a consent and the provider too, as after a delivery."""
    held, _ = scene.hold_at_consumer(consent)
    outcome = asyncio.run(scene.consumer.asking.deliver(held))
    assert outcome.status == "200"
    return held


def ask(scene: Scene, held: HeldConsent, *, metrics: tuple[Section, ...] = METRICS) -> bytes:
    """Have the consumer ask under a consent; return the answer's name."""
    outcome = asyncio.run(
        scene.consumer.asking.ask(
            Ask(consent=held.hash, purpose="P1", metrics=metrics, last_months=12)
        )
    )
    assert (outcome.status, outcome.ans is None) == ("200", False)
    assert outcome.ans is not None
    return outcome.ans


def watch(consent: Consent) -> Consent:
    """Return the consent as a standing one."""
    return replace(change_purpose(consent, code="P3"), ops=("query", "push"))


def carry(node: TestNode) -> int:
    return asyncio.run(node.grants.carry())


def entries(node: TestNode, kind: type[EntryT]) -> list[EntryT]:
    return [one for raw in observe(node).entries if isinstance(one := parse_entry(raw), kind)]


def bodies(node: TestNode) -> set[bytes]:
    return {row[0] for row in observe(node).tables["payload"]}


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

    read = {line.ref for line in pair.with_peers.assessment.evidence}
    assert (encode_b64u(ans) in read) is is_used
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
    assert (erased.basis, erased.msgs, erased.peer) == ("data-life", (ans,), "beta.example")
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
    assert [one.basis for one in entries(scene.consumer, ErasedEntry)] == ["revoked"]


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
        store = GrantStore(uow.connection)
        known = store.add_attested(
            [ans, bytes(32)], peer="alpha.example", msg=bytes(32), basis=body.basis, at_ms=1
        )
        of_another = store.add_attested(
            [ans], peer="gamma.example", msg=bytes(32), basis=body.basis, at_ms=1
        )

    assert (known, of_another) == (1, 0)


def test_nothing_of_an_erased_body_is_left_in_the_files(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ans = ask(scene, held)
    body = {row[0]: row[1] for row in observe(scene.consumer).tables["payload"]}[ans]
    folder = scene.federation.folder / "alpha.example"
    assert any(body in path.read_bytes() for path in folder.glob("node.sqlite*"))

    asyncio.run(scene.consumer.grants.erasure.erase_consent(held.hash))

    left = [path.name for path in folder.glob("node.sqlite*") if body in path.read_bytes()]
    assert left == []


# --- pushes


def test_a_first_push_tells_what_the_consent_names(scene: Scene) -> None:
    held = hold_on_both_sides(scene, watch(scene.grant()))

    assert asyncio.run(scene.provider.grants.standing.push_changes()) == 1
    assert carry(scene.provider) == 1

    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    assert received.summary is not None
    assert received.summary.volume is None  # watching does not name it
    assert received.summary.delay is not None
    assert scene.find(held.hash).uses == 1
    (request,) = [one for one in entries(scene.provider, RequestEntry) if one.op == "push"]
    assert (request.consents, request.purpose) == ((held.hash,), "P3")
    taken = entries(scene.consumer, ExchangeEntry)[-1]
    assert (taken.op, taken.code, taken.use, taken.msg) == ("push", "push", 0, request.msg)


def test_nothing_is_pushed_while_nothing_has_changed(scene: Scene) -> None:
    held = hold_on_both_sides(scene, watch(scene.grant()))
    standing = scene.provider.grants.standing
    assert asyncio.run(standing.push_changes()) == 1
    assert asyncio.run(standing.push_changes()) == 0  # the first one is still on its way
    carry(scene.provider)

    assert asyncio.run(standing.push_changes()) == 0
    assert scene.find(held.hash).uses == 1


def test_a_consent_without_push_is_left_alone(scene: Scene) -> None:
    hold_on_both_sides(scene, scene.grant())

    assert asyncio.run(scene.provider.grants.standing.push_changes()) == 0


@pytest.mark.parametrize("state", [ConsentState.PAUSED, ConsentState.REVOKED])
def test_no_push_leaves_after_a_withdrawal(scene: Scene, state: ConsentState) -> None:
    held = hold_on_both_sides(scene, watch(scene.grant()))
    scene.change_state(held.hash, state)

    assert asyncio.run(scene.provider.grants.standing.push_changes()) == 0
    assert scene.find(held.hash).uses == 0


def test_the_window_of_uses_holds_for_pushes(scene: Scene) -> None:
    hold_on_both_sides(scene, replace(watch(scene.grant()), frequency=Span(unit="day", n=1)))
    asyncio.run(scene.provider.grants.standing.push_changes())
    carry(scene.provider)
    correct_an_invoice(scene)
    asyncio.run(
        scene.provider.grants.correction.correct_release(SUBJECT, reason="records-corrected")
    )

    assert asyncio.run(scene.provider.grants.standing.push_changes()) == 0


def test_a_consumer_refuses_a_push_that_its_own_copy_does_not_cover(scene: Scene) -> None:
    held = hold_on_both_sides(scene, watch(scene.grant()))
    token = sign_state(
        held.hash, state=ConsentState.REVOKED, seq=1, key=SUBJECT_KEY, now_s=scene.now_s
    )
    scene.consumer.consents.submit_status(token).result(timeout=10)
    asyncio.run(scene.provider.grants.standing.push_changes())

    assert carry(scene.provider) == 0

    assert [one.state for one in scene.provider.grants.notices.list_notices(op="push")] == [
        "refused"
    ]
    assert scene.consumer.consents.list_received(str(SUBJECT)) == []


# --- corrections


def correct_an_invoice(scene: Scene) -> None:
    """Enter enough late invoices into the window to change it."""
    text = write_invoices(SUBJECT, count=12).replace(f"{SUBJECT.value}-", f"{SUBJECT.value}-late-")
    late = text.replace("-28,1000.00,", "-10,1000.00,")
    scene.provider.local.records.import_file(late.encode(), file_name="late.csv")


def correct(scene: Scene) -> int:
    corrected = asyncio.run(
        scene.provider.grants.correction.correct_release(SUBJECT, reason="records-corrected")
    )
    return corrected.answers


def test_past_receivers_get_the_right_answer_in_the_place_of_the_wrong_one(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ans = ask(scene, held)
    correct_an_invoice(scene)

    assert correct(scene) == 1
    assert carry(scene.provider) == 1

    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    assert received.msg != ans
    assert received.summary is not None
    assert received.summary.volume is not None
    assert received.summary.volume.n_invoices == "20-49"
    assert scene.find(held.hash).uses == 1
    carry(scene.consumer)
    assert ans not in bodies(scene.consumer)
    assert [one.basis for one in entries(scene.consumer, ErasedEntry)] == ["corrected"]


def test_records_that_bear_the_answer_out_correct_nothing(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)

    assert correct(scene) == 0
    assert scene.provider.grants.notices.list_notices() == []


def test_a_correction_that_would_give_an_invoice_away_only_takes_back(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    text = write_invoices(SUBJECT, count=1).replace(f"{SUBJECT.value}-0", f"{SUBJECT.value}-99")
    late = text.replace("2025-06-28,1000.00,", ",,")
    scene.provider.local.records.import_file(late.encode(), file_name="one.csv")

    assert correct(scene) == 1
    assert carry(scene.provider) == 1

    assert scene.consumer.consents.list_received(str(SUBJECT)) == []
    assert scene.send(scene.query(held.hash)).code == "no-answer"


def test_after_a_withdrawal_the_wrong_answer_is_taken_back_and_nothing_told(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    correct_an_invoice(scene)
    scene.change_state(held.hash, ConsentState.REVOKED)

    assert correct(scene) == 1
    assert carry(scene.provider) == 1

    assert scene.consumer.consents.list_received(str(SUBJECT)) == []


def test_a_receiver_that_has_erased_the_answer_needs_no_correction(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    asyncio.run(scene.consumer.grants.erasure.erase_consent(held.hash))
    carry(scene.consumer)
    correct_an_invoice(scene)

    assert correct(scene) == 0


def test_a_correction_of_what_was_never_told_is_refused(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    correct_an_invoice(scene)
    correct(scene)
    with scene.consumer.local.database.write() as uow:
        uow.connection.exec_driver_sql("DELETE FROM received_summary")

    assert carry(scene.provider) == 0

    assert [one.state for one in scene.provider.grants.notices.list_notices(op="correct")] == [
        "refused"
    ]


def test_a_correction_names_one_of_the_reasons(scene: Scene) -> None:
    with pytest.raises(CorrectionReasonError, match="one of"):
        asyncio.run(scene.provider.grants.correction.correct_release(SUBJECT, reason="whim"))


# --- trying again


def test_waiting_grows_is_bounded_and_ends_after_about_a_week() -> None:
    waits = [find_back_off_s(b"\x00" * 16, tries=tries) for tries in range(TRIES_MAX)]

    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (5, 3_600)
    assert 6.5 * DAY_S < sum(waits) < 7.5 * DAY_S
    assert find_back_off_s(b"\xff" * 16, tries=0) == 6
