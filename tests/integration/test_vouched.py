"""Consents of customers without a key, from the consumer's word to the last use."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.sharing.braking import VoucherOnlyEndsError
from node.sharing.outgoing import Ask
from node.sharing.store import HeldConsent, SharingStore
from protocol.consent import CONSENT_TYP, ConsentState, hash_consent
from protocol.entry import ConsentEntry
from protocol.jws import sign_compact, split_compact
from protocol.limits import STATEMENT_BYTES_MAX
from protocol.problems import ConsentRevokedError, ConsentSignatureError, WrongProviderError
from protocol.strict_json import JsonValue, canonical_json, parse_object
from schemas.exchange import DeliveredConsent
from schemas.summary import Section
from tests.support.exchanges import Scene, build_scene, shift, write_put
from tests.support.forging import sign_state
from tests.support.grants import ask, carry, correct, correct_an_invoice, entries
from tests.support.nodes import HUB_KEY, NOW_S, OTHER_SUBJECT, SUBJECT_KEY
from tests.support.vouching import OWN_KEY, PAPER, enter_unkeyed, own_key, vouch

METRICS = (Section.INDEX, Section.DELAY)
QUESTION: dict[str, JsonValue] = {"metrics": [one.value for one in METRICS]}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    built = build_scene(tmp_path, accepts_unkeyed=True)
    enter_unkeyed(built.federation)
    yield built
    built.federation.close()


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Scene]:
    """A provider whose policy is the one that nodes come with."""
    built = build_scene(tmp_path)
    enter_unkeyed(built.federation)
    yield built
    built.federation.close()


def put(scene: Scene, *delivered: DeliveredConsent) -> str:
    return scene.send(write_put(*delivered)).code


def query(scene: Scene, delivered: DeliveredConsent) -> str:
    return scene.send(scene.query(hash_consent(delivered.token), **QUESTION)).code


def hold(scene: Scene) -> HeldConsent:
    """Have both hold one vouched consent, as after a delivery."""
    (held,) = scene.consumer.consents.hold([vouch(scene)])
    assert asyncio.run(scene.consumer.asking.deliver(held)).status == "200"
    return held


# --- taken in and used


def test_a_vouched_consent_is_held_answered_and_counted_as_any_other(scene: Scene) -> None:
    held = hold(scene)

    ask(scene, held, metrics=METRICS)

    provider = scene.find(held.hash)
    assert (provider.uses, provider.evidence, held.evidence) == (1, PAPER, PAPER)


def test_every_use_counts_to_the_last(scene: Scene) -> None:
    delivered = vouch(scene, lambda one: replace(one, max_uses=2))
    put(scene, delivered)

    assert [query(scene, delivered) for _ in range(3)] == ["full", "full", "consent-exhausted"]


def test_a_vouched_consent_ends(scene: Scene) -> None:
    delivered = vouch(scene, lambda one: shift(one, nbf=NOW_S - 100, exp=NOW_S))

    assert put(scene, delivered) == "held"
    assert query(scene, delivered) == "consent-expired"


# --- policy


def test_a_provider_takes_none_unless_its_operator_says_so(strict: Scene) -> None:
    delivered = vouch(strict)

    assert put(strict, delivered) == "consent-unkeyed"
    assert query(strict, delivered) == "consent-missing"
    assert strict.provider.consents.find(hash_consent(delivered.token)) is None


def test_a_policy_switched_off_again_holds_for_what_is_held(strict: Scene) -> None:
    delivered = vouch(strict)
    held = strict.consumer.consents.hold([delivered])[0]
    with strict.provider.local.database.write() as uow:
        SharingStore(uow.connection).add_consent(held, at_ms=NOW_S * 1000)

    assert query(strict, delivered) == "consent-unkeyed"
    assert strict.find(held.hash).uses == 0


# --- what is no vouched consent


def other_claims(delivered: DeliveredConsent, scene: Scene, **changes: object) -> DeliveredConsent:
    """Sign the claims anew as the consumer, without our own checks."""
    payload = split_compact(delivered.token, bytes_max=STATEMENT_BYTES_MAX).payload
    claims = parse_object(payload)
    for name, value in changes.items():
        if value is None:
            del claims[name]
        else:
            claims[name] = value  # type: ignore[assignment]  # any JSON
    token = sign_compact(canonical_json(claims), key=scene.consumer.keys.message, typ=CONSENT_TYP)
    return delivered.model_copy(update={"token": token})


def test_without_the_papers_hash_a_members_signature_is_nothing(scene: Scene) -> None:
    assert put(scene, other_claims(vouch(scene), scene, evidence=None)) == "consent-signature"


@pytest.mark.parametrize("evidence", ["", "AAAA", 7], ids=["empty", "short", "number"])
def test_evidence_that_is_no_hash_is_refused(scene: Scene, evidence: object) -> None:
    assert put(scene, other_claims(vouch(scene), scene, evidence=evidence)) == "schema"


@pytest.mark.parametrize(
    "changes",
    [{"max_uses": 13}, {"exp": NOW_S + 93 * 86_400}, {"metrics": ["volume"]}, {"basis": "legal"}],
    ids=["uses", "life", "volume", "law"],
)
def test_a_paper_that_allows_too_much_is_refused_on_arrival(
    scene: Scene, changes: dict[str, object]
) -> None:
    assert put(scene, other_claims(vouch(scene), scene, **changes)) == "over-ceiling"


def test_nobody_vouches_with_the_subjects_or_another_members_key(scene: Scene) -> None:
    provider_key = scene.provider.keys.message

    assert put(scene, vouch(scene, key=SUBJECT_KEY)) == "consent-signature"
    assert put(scene, vouch(scene, key=provider_key)) == "consent-signature"


def test_a_customer_that_the_hub_never_saw_is_not_vouched_for(scene: Scene) -> None:
    assert put(scene, vouch(scene, salt=bytes(32))) == "consent-signature"


def test_one_paper_speaks_for_one_customer(scene: Scene) -> None:
    enter_unkeyed(scene.federation, subject=OTHER_SUBJECT)
    other = vouch(scene, subject=OTHER_SUBJECT)
    assert put(scene, vouch(scene)) == "held"

    assert put(scene, other) == "consent-signature"
    with pytest.raises(ConsentSignatureError):
        scene.consumer.consents.hold([vouch(scene), other])


def test_two_customers_under_one_paper_are_refused_together(scene: Scene) -> None:
    enter_unkeyed(scene.federation, subject=OTHER_SUBJECT)

    assert put(scene, vouch(scene), vouch(scene, subject=OTHER_SUBJECT)) == "consent-signature"
    assert scene.provider.consents.list_consents() == []


def test_one_paper_may_stand_behind_several_consents_of_its_customer(scene: Scene) -> None:
    again = vouch(scene, lambda one: replace(one, id="consent-2"))

    assert put(scene, vouch(scene), again) == "held"


# --- withdrawal


def test_the_consumer_carries_a_withdrawal_to_provider_and_hub(scene: Scene) -> None:
    held = hold(scene)

    stated = asyncio.run(
        scene.consumer.grants.brake.state(
            held.hash, ConsentState.REVOKED, reason="the customer called"
        )
    )
    carry(scene.consumer)

    assert (stated.state, scene.find(held.hash).state) == (ConsentState.REVOKED,) * 2
    assert {where for where, _ in scene.federation.peers.statuses} == {
        "https://beta.example",
        "https://hub.example",
    }
    (entry,) = entries(scene.provider, ConsentEntry)
    assert (entry.state, entry.seq) == ("revoked", 1)
    assert query(scene, vouch(scene)) == "consent-revoked"
    with pytest.raises(ConsentRevokedError):
        asyncio.run(
            scene.consumer.asking.ask(
                Ask(consent=held.hash, purpose="P1", metrics=METRICS, last_months=12)
            )
        )


def test_the_hubs_officer_withdraws_it_too(scene: Scene) -> None:
    held = hold(scene)
    token = sign_state(
        held.hash, state=ConsentState.REVOKED, seq=1, key=HUB_KEY, now_s=NOW_S, by="hub"
    )

    scene.provider.consents.submit_status(token).result(timeout=10)

    assert query(scene, vouch(scene)) == "consent-revoked"


@pytest.mark.parametrize("state", [ConsentState.PAUSED, ConsentState.ACTIVE])
def test_the_consumer_neither_pauses_nor_resumes(scene: Scene, state: ConsentState) -> None:
    held = hold(scene)

    with pytest.raises(VoucherOnlyEndsError):
        asyncio.run(scene.consumer.grants.brake.state(held.hash, state, reason="-"))
    refuse_state_of_consumer(scene, held.hash, state)


def test_a_consumer_withdraws_nothing_that_its_customer_has_signed(scene: Scene) -> None:
    held, delivered = scene.hold_at_consumer(scene.grant())
    put(scene, delivered)

    with pytest.raises(WrongProviderError):
        asyncio.run(scene.consumer.grants.brake.state(held.hash, ConsentState.REVOKED, reason="-"))
    refuse_state_of_consumer(scene, held.hash, ConsentState.REVOKED)


# --- a key later


def test_a_customer_with_a_key_signs_and_withdraws_for_itself(scene: Scene) -> None:
    held = hold(scene)
    enter_unkeyed(scene.federation, keys=(own_key(nbf=NOW_S + 5),))
    scene.federation.clock.advance_s(10)

    assert query(scene, vouch(scene)) == "full"  # What stood before stays good.
    signed = vouch(scene, lambda one: replace(one, iat=NOW_S + 5, evidence=None), key=OWN_KEY)
    assert put(scene, signed) == "held"
    token = sign_state(held.hash, state=ConsentState.REVOKED, seq=1, key=OWN_KEY, now_s=NOW_S + 10)
    scene.provider.consents.submit_status(token).result(timeout=10)
    assert query(scene, vouch(scene)) == "consent-revoked"


def test_a_consumer_does_not_date_its_word_back_before_the_customers_key(scene: Scene) -> None:
    enter_unkeyed(scene.federation, keys=(own_key(nbf=NOW_S),))
    back_dated = vouch(scene, lambda one: replace(one, iat=NOW_S - 10))

    assert put(scene, back_dated) == "consent-signature"
    with pytest.raises(ConsentSignatureError):
        scene.consumer.consents.hold([back_dated])


# --- what is shown of it


def test_the_record_for_regulators_names_who_vouched_and_the_paper(scene: Scene) -> None:
    held = hold(scene)

    plain = scene.provider.consents.build_record(held.hash, as_json_ld=False)
    linked = scene.provider.consents.build_record(held.hash, as_json_ld=True)

    assert plain["indication"] == {
        "method": "paper",
        "by": "alpha.example",
        "sha256": PAPER.hex(),
    }
    assert (linked["dpv:isIndicatedBy"], linked["cx:evidence_sha256"]) == (
        "alpha.example",
        PAPER.hex(),
    )


def test_a_correction_under_a_policy_that_takes_no_papers_only_takes_back(scene: Scene) -> None:
    held = hold(scene)
    ask(scene, held, metrics=METRICS)
    correct_an_invoice(scene)
    assert correct(scene) == 1
    scene.federation.accepts_unkeyed = False
    provider, _ = scene.federation.back_up(scene.provider)

    carry(provider)

    assert not [one for one in scene.consumer.consents.list_received(held.subject) if one.summary]


def refuse_state_of_consumer(scene: Scene, consent: bytes, state: ConsentState) -> None:
    token = sign_state(
        consent,
        state=state,
        seq=1,
        key=scene.consumer.keys.message,
        now_s=NOW_S,
        by="consumer",
    )
    with pytest.raises(ConsentSignatureError):
        scene.provider.consents.submit_status(token)
