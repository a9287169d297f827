"""A request to a subject: opened by a code, signed as asked, asked under, withdrawn by the key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from node.core.people.accounts.errors import SignInTooSoonError
from node.sharing.outgoing import Ask
from node.sharing.subjects.errors import (
    OtherTermsError,
    RequestCodeError,
    RequestEndedError,
    RequestInvalidError,
    SubjectProofError,
    SubjectSessionError,
)
from node.sharing.subjects.possession import POSSESSION_TYP, Challenge, Proof
from node.sharing.subjects.record import RequestState, SubjectSession
from node.sharing.subjects.requests import CODE_FREE, DAY_MS
from node.sharing.subjects.room import Subjects
from node.sharing.subjects.rules_terms import ConsentTerms, parse_consents
from protocol.consent import (
    CONSENT_TYP,
    ConsentState,
    ConsentStatus,
    encode_consent,
    open_consent,
    sign_consent,
    sign_status,
)
from protocol.encoding import encode_b64u
from protocol.errors import MalformedError, ProtocolError
from protocol.jws import sign_compact
from protocol.keys import SigningKey
from protocol.problems import ConsentSignatureError
from protocol.strict_json import JsonObject, canonical_json
from schemas.exchange import DeliveredConsent
from schemas.summary import Section
from tests.support.exchanges import Scene, build_scene
from tests.support.nodes import (
    OTHER_SUBJECT,
    OTHER_SUBJECT_KEY,
    SUBJECT,
    SUBJECT_KEY,
    SUBJECT_SALT,
)
from tests.support.subjects import TERMS, build_test_subjects

ADDRESS = "192.0.2.7"
ORIGIN = "https://alpha.example"


@pytest.fixture
def subjects(scene: Scene) -> Subjects:
    return build_test_subjects(scene.consumer)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subjects]:
    """A node for what is refused, of three members."""
    built = build_scene(tmp_path_factory.mktemp("shared"), member_count=3, invoices=0)
    yield build_test_subjects(built.consumer)
    built.federation.close()


def ask(subjects: Subjects, terms: ConsentTerms = TERMS) -> int:
    return subjects.requests.ask(terms, open_days=14, by="Li Wei").request.request_id


def deliver(token: str, *, salt: bytes = SUBJECT_SALT) -> DeliveredConsent:
    return DeliveredConsent(token=token, subject=str(SUBJECT), salt=encode_b64u(salt))


def sign(
    subjects: Subjects, number: int, *, key: SigningKey = SUBJECT_KEY, language: str = "zh"
) -> list[DeliveredConsent]:
    """Sign what the node gives, as the browser does: the bytes as they are."""
    payloads = subjects.requests.list_payloads(number, salt=SUBJECT_SALT, language=language)
    return [deliver(sign_compact(one, key=key, typ=CONSENT_TYP)) for _, one in payloads]


def prove(subjects: Subjects, **changes: object) -> Proof:
    made = subjects.possession.challenge(address=ADDRESS)
    key = changes.pop("key", SUBJECT_KEY)
    assert isinstance(key, SigningKey)
    typ = str(changes.pop("typ", POSSESSION_TYP))
    subject = str(changes.pop("subject", SUBJECT))
    claims = {**_claim(made), **changes}
    return Proof(
        token=sign_compact(canonical_json(claims), key=key, typ=typ),  # type: ignore[arg-type]  # some are wrong on purpose
        subject=subject,
        salt=encode_b64u(SUBJECT_SALT),
    )


def _claim(made: Challenge) -> JsonObject:
    return {"v": 1, "aud": made.node, "origin": ORIGIN, "nonce": made.nonce, "exp": made.exp}


def enter(subjects: Subjects, proof: Proof) -> SubjectSession:
    cookie = subjects.possession.enter(proof, origin=ORIGIN, address=ADDRESS)
    found = subjects.sessions.find(cookie)
    assert found is not None
    return found


def test_what_is_signed_on_a_request_is_asked_under_and_withdrawn_everywhere(
    scene: Scene, subjects: Subjects
) -> None:
    made = subjects.requests.ask(TERMS, open_days=14, by="Li Wei")
    session = subjects.sessions.find(
        subjects.requests.open(made.code.upper().replace("-", " "), address=ADDRESS)
    )
    assert session is not None
    assert (session.request_id, session.kid) == (made.request.request_id, None)

    (held,) = subjects.requests.sign(
        session.request_id or 0, sign(subjects, made.request.request_id)
    )
    asyncio.run(subjects.delivery.deliver([held.hash]))
    question = Ask(consent=held.hash, purpose="P1", metrics=tuple(Section), last_months=12)
    answered = asyncio.run(scene.consumer.asking.ask(question))

    assert answered.status == "200"
    assert subjects.requests.get(made.request.request_id).consents == (held.hash,)
    own = enter(subjects, prove(subjects))
    assert own.subject == str(SUBJECT)
    status = ConsentStatus(
        consent=held.hash,
        seq=1,
        state=ConsentState.REVOKED,
        iat=scene.now_s,
        by="subject",
        reason="by the subject",
    )
    token = sign_status(status, key=SUBJECT_KEY)
    assert asyncio.run(subjects.statuses.take(own, token)).state is ConsentState.REVOKED
    asyncio.run(scene.consumer.grants.carry())
    brought = [one for one, sent in scene.federation.peers.statuses if sent == token]
    assert sorted(brought) == ["https://beta.example", "https://hub.example"]
    there = scene.provider.consents.find(held.hash)
    assert there is not None
    assert there.state is ConsentState.REVOKED


def test_a_code_opens_once_and_not_after_its_time_nor_after_another(
    scene: Scene, subjects: Subjects
) -> None:
    requests = subjects.requests
    first = requests.ask(TERMS, open_days=1, by="Li Wei")
    cookie = requests.open(first.code, address=ADDRESS)
    with pytest.raises(RequestCodeError):
        requests.open(first.code, address=ADDRESS)

    second = requests.renew_code(first.request.request_id)
    assert subjects.sessions.find(cookie) is None  # what the former one has opened
    scene.federation.clock.advance_s(DAY_MS // 1_000 - 1)
    assert sign(subjects, first.request.request_id)
    scene.federation.clock.advance_s(1)
    with pytest.raises(RequestCodeError):
        requests.open(second.code, address=ADDRESS)
    with pytest.raises(RequestEndedError):
        sign(subjects, first.request.request_id)


def test_guessing_codes_is_slowed_down_for_an_address(subjects: Subjects) -> None:
    for _ in range(CODE_FREE + 1):
        with pytest.raises(RequestCodeError):
            subjects.requests.open("aaaa-bbbb-cccc-dddd", address=ADDRESS)
    made = subjects.requests.ask(TERMS, open_days=1, by="Li Wei")

    with pytest.raises(SignInTooSoonError):
        subjects.requests.open(made.code, address=ADDRESS)
    assert subjects.requests.open(made.code, address="198.51.100.4")


@pytest.mark.parametrize(
    "change",
    [
        {"max_uses": 100},
        {"last_months": 24},
        {"days": 91},
        {"data_life_months": 12},
        {"providers": ("gamma.example",)},
        {"purpose": "P2"},
        {"metrics": ("delay",)},
    ],
    ids=lambda one: next(iter(one)),
)
def test_what_was_not_asked_for_is_not_taken(shared: Subjects, change: dict[str, object]) -> None:
    number, other = ask(shared), ask(shared, replace(TERMS, **change))  # type: ignore[arg-type]  # of a table

    with pytest.raises(OtherTermsError):
        shared.requests.sign(number, sign(shared, other))
    assert shared.requests.get(number).state is RequestState.OPEN


@pytest.mark.parametrize(
    "change",
    [
        {"derive": ("rating", "model")},
        {"jurisdiction": "US"},
        {"withdraw": "never"},
        {"notice_language": "en"},
        {"notice_language": "fr"},
        {"nbf": 1},
        {"iat": 1, "nbf": 1},
    ],
    ids=str,
)
def test_no_claim_can_be_changed_unseen(shared: Subjects, change: dict[str, object]) -> None:
    number = ask(shared)
    (one,) = sign(shared, number)
    consent = open_consent(one.token, find_key=lambda _kid: SUBJECT_KEY.public)
    life = consent.exp - consent.nbf
    altered = replace(consent, **change)  # type: ignore[arg-type]  # of a table
    altered = replace(altered, exp=altered.nbf + life)

    with pytest.raises((OtherTermsError, ConsentSignatureError)):
        shared.requests.sign(number, [deliver(sign_consent(altered, key=SUBJECT_KEY))])
    assert shared.requests.get(number).state is RequestState.OPEN


def test_another_key_signs_nothing_and_the_request_stays_open(shared: Subjects) -> None:
    number = ask(shared)

    with pytest.raises(ConsentSignatureError):
        shared.requests.sign(number, sign(shared, number, key=OTHER_SUBJECT_KEY))
    assert shared.requests.get(number).state is RequestState.OPEN


def test_a_subject_may_leave_providers_out_and_sign_once(shared: Subjects) -> None:
    terms = replace(TERMS, providers=("beta.example", "gamma.example"))
    number = ask(shared, terms)
    signed = sign(shared, number)

    (held,) = shared.requests.sign(number, signed[:1])
    (again,) = shared.requests.sign(number, signed[:1])  # the answer had got lost
    assert again.hash == held.hash
    with pytest.raises(RequestEndedError):
        shared.requests.sign(number, signed)
    assert shared.requests.get(number).consents == (held.hash,)


def test_what_the_command_writes_is_what_is_taken_as_a_file(subjects: Subjects) -> None:
    number = ask(subjects)
    bundle = {"consents": [one.model_dump(mode="json") for one in sign(subjects, number)]}
    file = json.dumps(bundle, indent=1).encode()

    assert subjects.requests.sign(number, parse_consents(file))
    with pytest.raises(ProtocolError):
        parse_consents(b'{"consents":[{"token":"x"}]}')


@pytest.mark.parametrize(
    "change",
    [
        {"providers": ()},
        {"providers": ("beta.example", "beta.example")},
        {"providers": ("alpha.example",)},
        {"providers": ("stranger.example",)},
        {"consumer": "beta.example", "providers": ("gamma.example",)},
        {"purpose": "P9"},
        {"max_uses": 101},
        {"last_months": 25},
        {"days": 367},
        {"metrics": ()},
        {"may_push": True},
    ],
    ids=str,
)
def test_a_request_above_its_purpose_is_not_made(
    shared: Subjects, change: dict[str, object]
) -> None:
    before = len(shared.requests.list_of(str(SUBJECT)))

    with pytest.raises(RequestInvalidError):
        ask(shared, replace(TERMS, **change))  # type: ignore[arg-type]  # of a table
    assert len(shared.requests.list_of(str(SUBJECT))) == before


def test_a_refused_or_withdrawn_request_is_over(shared: Subjects) -> None:
    refused, withdrawn = ask(shared), ask(shared)
    signed = sign(shared, refused)
    shared.requests.refuse(refused)
    shared.requests.withdraw(withdrawn)

    for number in (refused, withdrawn):
        with pytest.raises(RequestEndedError):
            shared.requests.sign(number, signed)
        with pytest.raises(RequestEndedError):
            shared.requests.renew_code(number)


def test_a_proof_opens_once(subjects: Subjects) -> None:
    proof = prove(subjects)
    enter(subjects, proof)

    with pytest.raises(SubjectProofError):
        enter(subjects, proof)


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "beta.example"},
        {"origin": "https://alpha.example.evil.test"},
        {"nonce": encode_b64u(bytes(32))},
        {"exp": 1},
        {"v": 2},
        {"more": "x"},
        {"key": OTHER_SUBJECT_KEY},
        {"key": SigningKey(b"\x77" * 32)},
        {"subject": str(OTHER_SUBJECT)},
        {"typ": CONSENT_TYP},
    ],
    ids=str,
)
def test_a_proof_for_elsewhere_or_by_another_opens_nothing(
    shared: Subjects, change: dict[str, object]
) -> None:
    with pytest.raises(SubjectProofError, match="was not shown"):
        enter(shared, prove(shared, **change))


def test_a_proof_comes_too_late_after_two_minutes(scene: Scene, subjects: Subjects) -> None:
    proof = prove(subjects)
    scene.federation.clock.advance_s(120)

    with pytest.raises(SubjectProofError):
        enter(subjects, proof)


def test_a_proof_is_no_consent_and_a_consent_no_proof(shared: Subjects) -> None:
    (_, payload), *_ = shared.requests.list_payloads(ask(shared), salt=SUBJECT_SALT, language="en")
    as_proof = sign_compact(payload, key=SUBJECT_KEY, typ=POSSESSION_TYP)

    with pytest.raises(MalformedError, match="typ is"):
        open_consent(as_proof, find_key=lambda _kid: SUBJECT_KEY.public)
    assert (
        encode_consent(
            open_consent(
                sign_compact(payload, key=SUBJECT_KEY, typ=CONSENT_TYP),
                find_key=lambda _kid: SUBJECT_KEY.public,
            )
        )
        == payload
    )


def test_a_subject_speaks_for_its_own_consents_alone(scene: Scene, subjects: Subjects) -> None:
    number = ask(subjects)
    (held,) = subjects.requests.sign(number, sign(subjects, number))
    other = SubjectSession(
        subject=str(OTHER_SUBJECT), request_id=None, kid="k", expires_at_ms=2**53
    )
    status = ConsentStatus(
        consent=held.hash,
        seq=1,
        state=ConsentState.REVOKED,
        iat=scene.now_s,
        by="subject",
        reason="not mine",
    )

    with pytest.raises(SubjectSessionError):
        asyncio.run(subjects.statuses.take(other, sign_status(status, key=SUBJECT_KEY)))
    own = replace(other, subject=str(SUBJECT))
    with pytest.raises(ConsentSignatureError):
        asyncio.run(subjects.statuses.take(own, sign_status(status, key=OTHER_SUBJECT_KEY)))
