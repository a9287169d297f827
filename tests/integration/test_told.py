"""What a provider tells unasked: changes under standing consents, and corrections."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from node.sharing.correcting import CorrectionReasonError
from node.sharing.outgoing import Ask
from node.sharing.store.grants import TOLD_A_PAGE
from protocol.consent import ConsentState, Span
from protocol.entry import (
    ErasedEntry,
    ExchangeEntry,
    RequestEntry,
)
from schemas.summary import Section
from tests.support.exchanges import Scene, write_invoices
from tests.support.forging import sign_state
from tests.support.grants import (
    METRICS,
    ask,
    bodies,
    carry,
    correct,
    correct_an_invoice,
    entries,
    hold_on_both_sides,
    watch,
)
from tests.support.nodes import SUBJECT, SUBJECT_KEY

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


def test_an_answer_is_corrected_however_many_of_another_window_came_after_it(
    scene: Scene,
) -> None:
    held = hold_on_both_sides(scene, replace(scene.grant(), max_uses=100))
    year = ask(scene, held)
    for _ in range(TOLD_A_PAGE + 1):
        ask(scene, held, last_months=3)
    correct_an_invoice(scene)

    assert correct(scene) == 2

    due = scene.provider.grants.notices.list_notices(op="correct")
    assert year in {one.about for one in due}


def test_a_change_is_judged_by_the_newest_of_its_window_however_long_ago(scene: Scene) -> None:
    held = hold_on_both_sides(scene, replace(watch(scene.grant()), max_uses=100))
    metrics = tuple(map(Section, watch(scene.grant()).metrics))
    ask(scene, held, metrics=metrics, purpose="P3")
    for _ in range(TOLD_A_PAGE + 1):
        ask(scene, held, metrics=metrics, purpose="P3", last_months=3)

    assert asyncio.run(scene.provider.grants.standing.push_changes()) == 0


def test_an_answer_in_a_batch_is_corrected_too(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    question = Ask(consent=held.hash, purpose="P1", metrics=METRICS, last_months=12)
    asyncio.run(scene.consumer.asking.ask_batch([question]))
    correct_an_invoice(scene)

    assert correct(scene) == 1
    assert carry(scene.provider) == 1

    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    assert received.summary is not None
    assert received.summary.volume is not None
    assert received.summary.volume.n_invoices == "20-49"


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


def test_under_a_key_found_stolen_the_wrong_answer_is_taken_back_and_nothing_told(
    scene: Scene,
) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    answer = ask(scene, held)
    correct_an_invoice(scene)
    assert correct(scene) == 1
    void_the_subjects_key(scene)

    assert carry(scene.provider) == 1

    assert scene.consumer.consents.list_received(str(SUBJECT)) == []
    taken = entries(scene.consumer, ExchangeEntry)[-1]
    assert (taken.op, taken.code) == ("correct", "correct")
    asyncio.run(scene.consumer.grants.erasure.erase_due())
    assert answer not in bodies(scene.consumer)


def void_the_subjects_key(scene: Scene) -> None:
    """Have the hub say that the key was a thief's when the consent was signed."""
    subject, *others = scene.federation.registry.subjects
    stolen = replace(subject.keys[0], revoked_at=scene.now_s - 1, reason="compromised")
    subjects = (replace(subject, keys=(stolen,)), *others)
    scene.federation.publish(replace(scene.federation.registry, subjects=subjects))


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
