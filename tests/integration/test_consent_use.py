"""Consents at the provider: delivered, used, counted, paused, withdrawn and replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from node.sharing.answering import Reply
from node.sharing.consents import ConsentNotHeldError, StaleStatusError
from protocol.consent import CONSENT_TYP, Consent, ConsentState, Span, hash_consent
from protocol.encoding import encode_b64u
from protocol.entry import ConsentEntry, ExchangeEntry
from protocol.errors import SignatureInvalidError
from protocol.jws import sign_compact
from protocol.keys import SigningKey
from protocol.limits import CONSENTS_PER_MESSAGE_MAX
from protocol.problems import ConsentSignatureError
from protocol.strict_json import canonical_json
from schemas.exchange import ConsentHeldBody, DeliveredConsent
from tests.support.exchanges import Scene, deliver, observe, shift, write_put
from tests.support.forging import DAY_S, break_signature, sign_state
from tests.support.nodes import (
    HUB_KEY,
    NOW_S,
    OTHER_SUBJECT,
    OTHER_SUBJECT_KEY,
    SUBJECT_KEY,
    WITNESS_KEY,
)

STRANGER = SigningKey(b"\x77" * 32)


@pytest.fixture
def consent(scene: Scene) -> bytes:
    return scene.hold(scene.grant())


def test_a_delivered_consent_is_held_answered_and_logged(scene: Scene) -> None:
    delivered = deliver(scene.grant())
    name = hash_consent(delivered.token)

    reply = scene.send(write_put(delivered))

    body = ConsentHeldBody.from_bytes(reply.message.body)
    assert [(one.consent, one.state, one.seq) for one in body.consents] == [
        (encode_b64u(name), "active", 0)
    ]
    held = scene.find(name)
    assert (held.subject, held.token, held.uses) == ("sim:S000001", delivered.token, 0)
    entry = observe(scene.provider).last
    assert isinstance(entry, ExchangeEntry)
    assert (entry.code, entry.use, entry.consents) == ("held", 0, (name,))
    assert scene.send(scene.query(name)).code == "full"


def test_delivering_again_changes_neither_uses_nor_state(scene: Scene) -> None:
    delivered = deliver(scene.grant())
    name = hash_consent(delivered.token)
    scene.send(write_put(delivered))
    scene.send(scene.query(name))
    scene.change_state(name, ConsentState.REVOKED)

    reply = scene.send(write_put(delivered))

    assert ConsentHeldBody.from_bytes(reply.message.body).consents[0].state == "revoked"
    assert (scene.find(name).uses, scene.find(name).state) == (1, ConsentState.REVOKED)
    assert scene.send(scene.query(name)).code == "consent-revoked"


def deliver_as(change: Callable[[Consent], Consent]) -> Callable[[Scene], DeliveredConsent]:
    return lambda scene: deliver(scene.grant(change))


def deliver_with_other_template(scene: Scene) -> DeliveredConsent:
    delivered = deliver(scene.grant())
    payload = canonical_json({"v": 1})
    token = sign_compact(payload, key=SUBJECT_KEY, typ=CONSENT_TYP)
    return delivered.model_copy(update={"token": token})


def deliver_of_another_kind(scene: Scene) -> DeliveredConsent:
    delivered = deliver(scene.grant())
    status = sign_state(
        bytes(32), state=ConsentState.ACTIVE, seq=1, key=SUBJECT_KEY, now_s=scene.now_s
    )
    return delivered.model_copy(update={"token": status})


REFUSED_DELIVERIES: dict[str, tuple[str, Callable[[Scene], DeliveredConsent]]] = {
    "a stranger's signature": (
        "consent-signature",
        lambda scene: deliver(scene.grant(), key=STRANGER),
    ),
    "another subject's signature": (
        "consent-signature",
        lambda scene: deliver(scene.grant(), key=OTHER_SUBJECT_KEY),
    ),
    "a member's signature": (
        "consent-signature",
        lambda scene: deliver(scene.grant(), key=scene.consumer.keys.message),
    ),
    "a broken signature": (
        "consent-signature",
        lambda scene: deliver(scene.grant()).model_copy(
            update={"token": break_signature(deliver(scene.grant()).token)}
        ),
    ),
    "another subject id": (
        "consent-signature",
        lambda scene: deliver(scene.grant(), subject=OTHER_SUBJECT),
    ),
    "another salt": (
        "consent-signature",
        lambda scene: deliver(scene.grant(), salt=b"\x0b" * 32),
    ),
    "another consumer": (
        "wrong-consumer",
        deliver_as(lambda consent: replace(consent, consumer="gamma.example")),
    ),
    "another provider": (
        "wrong-provider",
        deliver_as(lambda consent: replace(consent, provider="gamma.example")),
    ),
    "signed before the key was valid": (
        "consent-signature",
        deliver_as(lambda consent: replace(consent, iat=2**40)),
    ),
    "claims that are no consent": ("schema", deliver_with_other_template),
    "a statement of another kind": ("schema", deliver_of_another_kind),
    "no statement": (
        "schema",
        lambda scene: deliver(scene.grant()).model_copy(update={"token": "a.b.c"}),
    ),
    "no ASCII": (
        "schema",
        lambda scene: deliver(scene.grant()).model_copy(update={"subject": "sim:\u00e9"}),
    ),
    "no subject id": (
        "schema",
        lambda scene: deliver(scene.grant()).model_copy(update={"subject": "xx:1"}),
    ),
}


@pytest.mark.parametrize("what", REFUSED_DELIVERIES)
def test_a_delivery_that_does_not_hold_is_refused_whole(scene: Scene, what: str) -> None:
    code, make = REFUSED_DELIVERIES[what]
    good = deliver(scene.grant(lambda consent: replace(consent, id="another")))
    raw = scene.forge(write_put(good, make(scene)))
    before = observe(scene.provider)

    reply = scene.provider.answer(raw)

    assert (reply.code, scene.open(reply, raw).st) == (code, code)
    after = observe(scene.provider)
    assert after.tables["consent"] == before.tables["consent"] == []
    assert len(after.entries) == len(before.entries) + 1


def test_a_hundred_consents_are_delivered_in_one_message(scene: Scene) -> None:
    many = [
        deliver(replace(scene.grant(), id=f"consent-{index}"))
        for index in range(CONSENTS_PER_MESSAGE_MAX)
    ]

    reply = scene.send(write_put(*many))

    assert reply.code == "held"
    assert len(scene.provider.consents.list_consents()) == CONSENTS_PER_MESSAGE_MAX


def test_a_consent_replaces_the_one_that_it_names(scene: Scene, consent: bytes) -> None:
    newer = deliver(scene.grant(lambda given: replace(given, id="newer", replaces=consent)))

    scene.send(write_put(newer))

    assert scene.send(scene.query(consent)).code == "consent-replaced"
    assert scene.send(scene.query(hash_consent(newer.token))).code == "full"


def test_uses_counted_in_the_turn_in_which_a_consent_is_replaced_are_kept(
    scene: Scene, consent: bytes
) -> None:
    newer = deliver(replace(scene.grant(), id="newer", replaces=consent))
    raws = [
        scene.forge(forgery)
        for forgery in (scene.query(consent), write_put(newer), scene.query(consent))
    ]

    async def send_all() -> list[Reply]:
        return await asyncio.gather(*(scene.provider.answering.answer(raw) for raw in raws))

    codes = [reply.code for reply in asyncio.run(send_all())]

    assert codes == ["full", "held", "consent-replaced"]
    assert (scene.find(consent).uses, scene.find(consent).state) == (1, ConsentState.REPLACED)


def test_a_consent_of_another_subject_replaces_nothing(scene: Scene, consent: bytes) -> None:
    commitment = scene.federation.registry.subjects[1].commitment
    other = scene.grant(lambda given: replace(given, subject=commitment, replaces=consent))

    reply = scene.send(write_put(deliver(other, key=OTHER_SUBJECT_KEY, subject=OTHER_SUBJECT)))

    assert reply.code == "held"
    assert scene.send(scene.query(consent)).code == "full"


def test_a_consent_replaced_before_it_arrives_is_replaced(scene: Scene) -> None:
    older = deliver(scene.grant())
    name = hash_consent(older.token)
    newer = deliver(scene.grant(lambda given: replace(given, id="newer", replaces=name)))

    scene.send(write_put(newer))
    reply = scene.send(write_put(older))

    assert ConsentHeldBody.from_bytes(reply.message.body).consents[0].state == "replaced"
    assert scene.send(scene.query(name)).code == "consent-replaced"


def test_a_revocation_takes_effect_with_its_log_entry(scene: Scene, consent: bytes) -> None:
    assert scene.send(scene.query(consent)).code == "full"

    held = scene.change_state(consent, ConsentState.REVOKED)

    entry = observe(scene.provider).last
    assert isinstance(entry, ConsentEntry)
    assert (entry.consent, entry.state, entry.seq) == (consent, "revoked", 1)
    assert (held.state, held.seq, held.uses) == (ConsentState.REVOKED, 1, 1)
    assert scene.send(scene.query(consent)).code == "consent-revoked"


def test_the_same_status_again_changes_nothing(scene: Scene, consent: bytes) -> None:
    scene.change_state(consent, ConsentState.REVOKED)
    before = observe(scene.provider)

    assert scene.change_state(consent, ConsentState.REVOKED).state is ConsentState.REVOKED

    assert observe(scene.provider) == before


def test_a_paused_consent_can_be_taken_up_again(scene: Scene, consent: bytes) -> None:
    scene.change_state(consent, ConsentState.PAUSED, seq=1)
    paused = scene.send(scene.query(consent)).code
    scene.change_state(consent, ConsentState.ACTIVE, seq=2)

    assert (paused, scene.send(scene.query(consent)).code) == ("consent-paused", "full")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ((5, ConsentState.PAUSED), (4, ConsentState.ACTIVE)),
        ((5, ConsentState.PAUSED), (5, ConsentState.ACTIVE)),
        ((5, ConsentState.PAUSED), (6, ConsentState.PAUSED)),
        ((1, ConsentState.REVOKED), (2, ConsentState.ACTIVE)),
        ((1, ConsentState.EXPIRED), (2, ConsentState.ACTIVE)),
        ((1, ConsentState.EXHAUSTED), (2, ConsentState.PAUSED)),
        ((1, ConsentState.REPLACED), (2, ConsentState.REVOKED)),
    ],
)
def test_a_lower_number_or_a_change_of_a_final_state_never_wins(
    scene: Scene,
    consent: bytes,
    first: tuple[int, ConsentState],
    then: tuple[int, ConsentState],
) -> None:
    scene.change_state(consent, first[1], seq=first[0])
    before = observe(scene.provider)

    with pytest.raises(StaleStatusError):
        scene.change_state(consent, then[1], seq=then[0])

    assert observe(scene.provider) == before


def revoke(scene: Scene, consent: bytes, *, key: SigningKey, by: str = "subject") -> None:
    token = sign_state(
        consent, state=ConsentState.REVOKED, seq=1, key=key, now_s=scene.now_s, by=by
    )
    scene.provider.consents.submit_status(token).result(timeout=10)


@pytest.mark.parametrize(
    ("key", "by"),
    [
        (STRANGER, "subject"),
        (OTHER_SUBJECT_KEY, "subject"),
        (WITNESS_KEY, "hub"),
        (SUBJECT_KEY, "hub"),
        (SUBJECT_KEY, "provider"),
        (HUB_KEY, "subject"),
    ],
    ids=["stranger", "other subject", "witness", "as hub", "as provider", "hub as subject"],
)
def test_who_may_not_revoke_is_refused(
    scene: Scene, consent: bytes, key: SigningKey, by: str
) -> None:
    before = observe(scene.provider)

    with pytest.raises(ConsentSignatureError):
        revoke(scene, consent, key=key, by=by)

    assert observe(scene.provider) == before
    assert scene.send(scene.query(consent)).code == "full"


def test_the_consumer_cannot_sign_a_status_of_its_own_consent(scene: Scene, consent: bytes) -> None:
    with pytest.raises(ConsentSignatureError):
        revoke(scene, consent, key=scene.consumer.keys.message)


def test_the_hub_may_revoke(scene: Scene, consent: bytes) -> None:
    revoke(scene, consent, key=HUB_KEY, by="hub")

    assert scene.send(scene.query(consent)).code == "consent-revoked"


def test_a_subjects_key_signs_no_status_after_its_revocation(scene: Scene, consent: bytes) -> None:
    scene.change_state(consent, ConsentState.PAUSED)
    scene.federation.clock.advance_s(60)
    subject, *others = scene.federation.registry.subjects
    ended = replace(subject.keys[0], revoked_at=scene.now_s, reason="lost")
    changed = replace(
        scene.federation.registry, subjects=(replace(subject, keys=(ended,)), *others)
    )
    scene.federation.publish(changed)

    with pytest.raises(ConsentSignatureError):
        scene.change_state(consent, ConsentState.ACTIVE, seq=2)

    assert scene.send(scene.query(consent)).code == "consent-paused"


def test_a_withdrawal_signed_before_its_key_was_revoked_counts_when_it_comes_later(
    scene: Scene, consent: bytes
) -> None:
    token = sign_state(
        consent, state=ConsentState.REVOKED, seq=1, key=SUBJECT_KEY, now_s=scene.now_s
    )
    scene.federation.clock.advance_s(60)
    subject, *others = scene.federation.registry.subjects
    ended = replace(subject.keys[0], revoked_at=scene.now_s, reason="lost")
    scene.federation.publish(
        replace(scene.federation.registry, subjects=(replace(subject, keys=(ended,)), *others))
    )

    scene.provider.consents.submit_status(token).result(timeout=10)

    assert scene.send(scene.query(consent)).code == "consent-revoked"


def test_a_broken_status_and_one_of_an_unknown_consent_are_refused(
    scene: Scene, consent: bytes
) -> None:
    token = sign_state(
        consent, state=ConsentState.REVOKED, seq=1, key=SUBJECT_KEY, now_s=scene.now_s
    )

    with pytest.raises(SignatureInvalidError):
        scene.provider.consents.submit_status(break_signature(token))
    with pytest.raises(ConsentNotHeldError):
        scene.change_state(b"\x99" * 32, ConsentState.REVOKED)


def ask_at_once(scene: Scene, consent: bytes, *, count: int) -> list[str]:
    raws = [scene.forge(scene.query(consent)) for _ in range(count)]

    async def ask() -> list[Reply]:
        return await asyncio.gather(*(scene.provider.answering.answer(raw) for raw in raws))

    return [reply.code for reply in asyncio.run(ask())]


def test_of_queries_racing_for_the_last_use_exactly_one_gets_it(scene: Scene) -> None:
    consent = scene.hold(scene.grant(lambda given: replace(given, max_uses=3)))
    for _ in range(2):
        scene.send(scene.query(consent))

    codes = ask_at_once(scene, consent, count=8)

    assert sorted(codes) == ["consent-exhausted"] * 7 + ["full"]
    assert scene.find(consent).uses == 3


def test_a_revocation_and_queries_at_once_leave_no_answer_behind_the_revocation(
    scene: Scene, consent: bytes
) -> None:
    raws = [scene.forge(scene.query(consent)) for _ in range(6)]
    token = sign_state(
        consent, state=ConsentState.REVOKED, seq=1, key=SUBJECT_KEY, now_s=scene.now_s
    )

    async def race() -> None:
        asked = [asyncio.ensure_future(scene.provider.answering.answer(raw)) for raw in raws[:3]]
        await asyncio.sleep(0)
        revoked = asyncio.wrap_future(scene.provider.consents.submit_status(token))
        asked += [asyncio.ensure_future(scene.provider.answering.answer(raw)) for raw in raws[3:]]
        await asyncio.gather(revoked, *asked)

    asyncio.run(race())

    entries = scene.provider_entries()
    revoked_at = next(at for at, entry in enumerate(entries) if isinstance(entry, ConsentEntry))
    answered = [
        at
        for at, entry in enumerate(entries)
        if isinstance(entry, ExchangeEntry) and entry.use == 1
    ]
    assert all(at < revoked_at for at in answered)
    assert scene.find(consent).uses == len(answered)
    assert len(entries) == 2 + len(raws)


def test_a_window_of_the_calendar_opens_again(scene: Scene) -> None:
    change = Span(unit="hour", n=2)
    consent = scene.hold(scene.grant(lambda given: replace(given, frequency=change)))

    codes = ask_at_once(scene, consent, count=3)
    scene.federation.clock.advance_s(3_600)
    codes += ask_at_once(scene, consent, count=1)

    assert sorted(codes[:3]) == ["frequency-exceeded", "full", "full"]
    assert codes[3] == "full"
    assert (scene.find(consent).uses, scene.find(consent).window_uses) == (3, 1)


def test_a_refusal_counts_in_no_window(scene: Scene, consent: bytes) -> None:
    scene.send(scene.query(consent, purpose="P2"))

    assert (scene.find(consent).uses, scene.find(consent).window_uses) == (0, 0)


def test_a_consent_begins_and_ends_with_its_second(scene: Scene) -> None:
    consent = scene.hold(scene.grant(lambda given: shift(given, nbf=NOW_S + 1, exp=NOW_S + 2)))
    codes = []
    for _ in range(3):
        codes.append(scene.send(scene.query(consent)).code)
        scene.federation.clock.advance_s(1)

    assert codes == ["consent-not-yet-valid", "full", "consent-expired"]


def test_a_consent_outlives_the_key_that_signed_it(scene: Scene, consent: bytes) -> None:
    scene.federation.clock.advance_s(DAY_S // 2)
    subject, *others = scene.federation.registry.subjects
    ended = replace(subject.keys[0], revoked_at=scene.now_s, reason="officer-left")
    scene.federation.publish(
        replace(scene.federation.registry, subjects=(replace(subject, keys=(ended,)), *others))
    )

    assert scene.send(scene.query(consent)).code == "full"
