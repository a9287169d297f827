"""The check order is one table in code; here is one test a code, and one a pair of neighbours.

A case says how a message, or the world around it, is wrong in exactly one way. The table says what
must come of it. A pair applies two cases to one message: the earlier check must win.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from pathlib import Path
from typing import TypeVar

import pytest

from node.core.http.problems import status_of
from protocol.consent import Consent, ConsentState, Span
from protocol.encoding import encode_b64u, sha256
from protocol.entry import ExchangeEntry
from protocol.errors import ProtocolError
from protocol.exchange import CHECKS, POLL_CODES, Check
from protocol.keys import SigningKey
from protocol.limits import JTI_BYTES, MESSAGE_BYTES_MAX
from protocol.problems import PROBLEMS, TYPE_PREFIX
from protocol.purpose import WATCHED_METRICS
from protocol.registry import KeyEntry, MemberEntry, Registry, SubjectEntry
from protocol.strict_json import JsonValue
from schemas.exchange import ProblemBody
from tests.support.exchanges import Scene, build_scene, observe, query_body, shift
from tests.support.forging import Forgery, change_purpose
from tests.support.nodes import HUB_KEY, NOW_S, OTHER_SUBJECT_KEY, SUBJECT_KEY

T = TypeVar("T")
CONSUMER_KEY = SigningKey(bytes([16]) * 32)
UNKEYED = SubjectEntry(
    commitment=sha256(b"unkeyed"), verified="document", keys=(), document=bytes(32)
)
STRANGER = SigningKey(b"\x77" * 32)
JTI = b"\x2a" * JTI_BYTES
REGISTRY_LIFE_S = 86_400
WRITTEN_BY_AN_EXCHANGE = {
    "log_batch",
    "log_head",
    "log_tile",
    "exchange_in",
    "payload",
    "peer_counter",
    "peer_head",
}
WRITTEN_BY_A_USE = {"consent", "release", "overdue_day"}


@dataclass(kw_only=True)
class Story:
    """Consent, world and message of one exchange: right in everything, until cases change it."""

    consent: list[Callable[[Consent], Consent]] = field(default_factory=list)
    signer: SigningKey = SUBJECT_KEY
    is_held: bool = True
    uses_before: int = 0
    state: ConsentState | None = None
    is_subject_known: bool = True
    is_id_used: bool = False
    registry: list[Callable[[Registry], Registry]] = field(default_factory=list)
    is_registry_expired: bool = False
    is_drained: bool = False
    question: dict[str, JsonValue] = field(default_factory=dict)
    claims: dict[str, JsonValue] = field(default_factory=dict)
    message: dict[str, object] = field(default_factory=dict)
    """Fields of the forgery."""


Case = Callable[[Story], None]


def set_story(**fields: object) -> Case:
    def apply(story: Story) -> None:
        for name, value in fields.items():
            assert hasattr(story, name)
            setattr(story, name, value)

    return apply


def set_claims(**claims: JsonValue) -> Case:
    return lambda story: story.claims.update(claims)


def set_message(**fields: object) -> Case:
    return lambda story: story.message.update(fields)


def set_question(**members: JsonValue) -> Case:
    return lambda story: story.question.update(members)


def change_consent(change: Callable[[Consent], Consent]) -> Case:
    return lambda story: story.consent.append(change)


def change_sender(change: Callable[[MemberEntry], MemberEntry]) -> Case:
    def alter(registry: Registry) -> Registry:
        first, *others = registry.members
        return replace(registry, members=(change(first), *others))

    return lambda story: story.registry.append(alter)


def revoke_message_keys(member: MemberEntry) -> MemberEntry:
    def revoke(entry: KeyEntry) -> KeyEntry:
        return replace(entry, revoked_at=NOW_S, reason="compromised")

    return replace(
        member,
        keys=tuple(revoke(entry) if entry.use == "message" else entry for entry in member.keys),
    )


def allow_pushes_only(story: Story) -> None:
    def allow(consent: Consent) -> Consent:
        watching = change_purpose(consent, code="P3")
        return replace(watching, ops=("push",), metrics=("index", "delay"))

    story.consent.append(allow)
    story.question.setdefault("purpose", "P3")


def vouch(story: Story) -> None:
    """Have the consumer vouch for a paper of a subject that has no key."""

    def bring(consent: Consent) -> Consent:
        return replace(
            consent, subject=UNKEYED.commitment, metrics=WATCHED_METRICS, evidence=bytes(32)
        )

    def enter(registry: Registry) -> Registry:
        return replace(registry, subjects=(*registry.subjects, UNKEYED))

    story.consent.append(bring)
    story.signer = CONSUMER_KEY
    story.registry.append(enter)
    story.question.setdefault("metrics", ["index"])


def use_up(story: Story) -> None:
    story.uses_before = 1
    story.consent.append(lambda consent: replace(consent, max_uses=1))


def use_up_the_year(story: Story) -> None:
    story.uses_before = 1
    story.consent.append(lambda consent: replace(consent, frequency=Span(unit="year", n=1)))


CASES: dict[str, Case] = {
    "malformed": set_message(outer={"unknown": "x"}),
    "too-large": set_message(body=b" " * MESSAGE_BYTES_MAX),
    "unsupported-version": set_claims(v=2),
    "unknown-key": set_message(key=STRANGER),
    "key-revoked": change_sender(revoke_message_keys),
    "not-a-member": change_sender(lambda member: replace(member, status="suspended")),
    "bad-signature": set_message(is_signature_broken=True),
    "wrong-type": set_message(typ="cx-consent+jws"),
    "wrong-issuer": set_claims(iss="beta.example"),
    "wrong-audience": set_claims(aud="gamma.example"),
    "replay-mismatch": set_story(is_id_used=True),
    "quota": set_story(is_drained=True),
    "life-too-long": set_message(life_s=301),
    "clock-skew": set_message(iat_offset_s=11),
    "expired": set_message(iat_offset_s=-300),
    "registry-unknown": set_claims(reg={"seq": 99, "hash": encode_b64u(bytes(32))}),
    "registry-expired": set_story(is_registry_expired=True),
    "body-mismatch": set_message(sent_body=b"{}"),
    "bad-inclusion": set_message(inclusion="c2sp.org/tlog-proof@v1\n"),
    "schema": set_question(unknown=1),
    "consent-missing": set_story(is_held=False),
    "consent-signature": set_story(signer=OTHER_SUBJECT_KEY),
    "wrong-consumer": change_consent(lambda consent: replace(consent, consumer="gamma.example")),
    "wrong-provider": change_consent(lambda consent: replace(consent, provider="gamma.example")),
    "consent-unkeyed": vouch,
    "consent-revoked": set_story(state=ConsentState.REVOKED),
    "consent-paused": set_story(state=ConsentState.PAUSED),
    "consent-replaced": set_story(state=ConsentState.REPLACED),
    "consent-not-yet-valid": change_consent(
        lambda consent: shift(consent, nbf=NOW_S + 1, exp=NOW_S + 500)
    ),
    "consent-expired": change_consent(lambda consent: shift(consent, nbf=NOW_S - 500, exp=NOW_S)),
    "consent-exhausted": use_up,
    "purpose-mismatch": set_question(purpose="P2"),
    "operation-not-allowed": allow_pushes_only,
    "metric-not-allowed": change_consent(lambda consent: replace(consent, metrics=("index",))),
    "over-ceiling": change_consent(lambda consent: replace(consent, last_months=3)),
    "frequency-exceeded": use_up_the_year,
    "no-answer": set_story(is_subject_known=False),
}
CHECK_OF = {code: check for check in CHECKS for code in check.codes}

# What cannot be wrong at the same time: one key has one owner and one validity, one message one
# beginning and one snapshot, one consent one state and one time.
EXCLUSIVE = {
    frozenset(pair)
    for pair in (
        ("unknown-key", "key-revoked"),
        ("clock-skew", "expired"),
        ("registry-unknown", "registry-expired"),
        ("consent-revoked", "consent-paused"),
        ("consent-paused", "consent-replaced"),
        ("consent-not-yet-valid", "consent-expired"),
    )
}


def list_pairs() -> list[tuple[str, str]]:
    """Return each code with each of the next check's, and with its neighbour in its own."""
    between = [pair for one, two in pairwise(CHECKS) for pair in product(one.codes, two.codes)]
    within = [pair for check in CHECKS for pair in pairwise(check.codes)]
    return [pair for pair in between + within if frozenset(pair) not in EXCLUSIVE]


def fold(value: T, changes: Iterable[Callable[[T], T]]) -> T:
    for change in changes:
        value = change(value)
    return value


@dataclass(kw_only=True)
class Told:
    """A scene in which a story has been set up, and the message to send now."""

    scene: Scene
    consent: bytes
    raw: bytes


@pytest.fixture
def tell(tmp_path: Path) -> Iterator[Callable[[Story], Told]]:
    scenes: list[Scene] = []

    def run(story: Story) -> Told:
        scene = build_scene(tmp_path, invoices=12 if story.is_subject_known else 0)
        scenes.append(scene)
        return tell_in(scene, story)

    yield run
    for scene in scenes:
        scene.federation.close()


def tell_in(scene: Scene, story: Story) -> Told:
    """Set up consent and world, then make the message."""
    held = scene.hold(fold(scene.grant(), story.consent), key=story.signer)
    for _ in range(story.uses_before):
        scene.count_use(held)
    if story.is_id_used:
        scene.send(Forgery(body=query_body(held), consents=(held,), jti=JTI))
    if story.registry:
        scene.federation.publish(fold(scene.federation.registry, story.registry))
    if story.state is not None:
        # Who has no key says it to the hub's officer.
        by, key = ("hub", HUB_KEY) if story.signer == CONSUMER_KEY else ("subject", SUBJECT_KEY)
        scene.change_state(held, story.state, key=key, by=by)
    if story.is_registry_expired:
        name_an_expired_snapshot(scene, story)
    raw = scene.forge(write(story, consent=held if story.is_held else b"\x99" * 32))
    if story.is_drained:
        scene.drain()
    return Told(scene=scene, consent=held, raw=raw)


def name_an_expired_snapshot(scene: Scene, story: Story) -> None:
    """Let the snapshot of the beginning end, with a later one in its place."""
    first = scene.provider.registry.reference
    scene.federation.clock.advance_s(REGISTRY_LIFE_S - 1_000)
    scene.federation.publish(scene.federation.registry)
    scene.federation.clock.advance_s(2_000)
    story.claims["reg"] = {"seq": first.seq, "hash": encode_b64u(first.hash)}


def write(story: Story, *, consent: bytes) -> Forgery:
    forgery = Forgery(
        body=query_body(consent, **story.question),
        consents=(consent,),
        claims=lambda claims: claims.update(story.claims),
        jti=JTI if story.is_id_used else None,
    )
    for name, value in story.message.items():
        assert hasattr(forgery, name)
        setattr(forgery, name, value)
    return forgery


def refuse_unsigned(told: Told, *, code: str) -> None:
    """Send and check that an unsigned problem is all that comes of it."""
    before = observe(told.scene.provider)

    with pytest.raises(ProtocolError) as refusal:
        told.scene.provider.answer(told.raw)

    assert refusal.value.code == code
    assert status_of(refusal.value) == PROBLEMS[code].status
    assert observe(told.scene.provider) == before


def refuse_signed(told: Told, *, code: str, check: Check) -> None:
    """Send and check the signed problem, its log entry and what is left untouched."""
    scene, provider = told.scene, told.scene.provider
    before, uses_before = observe(provider), scene.find(told.consent).uses

    reply = provider.answer(told.raw)

    envelope = scene.open(reply, told.raw)
    body = ProblemBody.from_bytes(reply.message.body)
    assert (reply.code, envelope.st, body.code) == (code, code, code)
    assert (reply.status, body.status) == (PROBLEMS[code].status, PROBLEMS[code].status)
    assert (body.type, body.source) == (f"{TYPE_PREFIX}{code}", PROBLEMS[code].hop.value)
    after = observe(provider)
    assert after.entries[:-1] == before.entries
    entry = after.last
    assert isinstance(entry, ExchangeEntry)
    assert (entry.code, entry.use, entry.op) == (code, check.uses, "query")
    assert (entry.peer, entry.msg, entry.ans) == (
        scene.consumer.member_id,
        envelope.req,
        reply.message.msg_hash,
    )
    assert scene.find(told.consent).uses == uses_before + check.uses
    written = WRITTEN_BY_AN_EXCHANGE | (WRITTEN_BY_A_USE if check.uses else set())
    assert after.without(*written) == before.without(*written)


def test_every_code_of_the_table_has_a_case_and_a_problem() -> None:
    assert set(CASES) == set(CHECK_OF)
    assert sum(len(check.codes) for check in CHECKS) == len(CHECK_OF)
    assert set(PROBLEMS) - set(CHECK_OF) == {
        "log-unavailable",
        "unavailable",
        *POLL_CODES,  # tests/integration/test_later_answers.py
    }


def test_the_table_says_what_was_decided() -> None:
    assert [check.number for check in CHECKS] == list(range(1, 11))
    assert [check.number for check in CHECKS if not check.signed] == [1, 2, 3]
    assert {check.number: check.logged for check in CHECKS} == {
        **dict.fromkeys((1, 2, 3), "metrics"),
        **dict.fromkeys((4, 6, 7, 8, 9, 10), "exchange"),
        5: "minute",
    }
    assert {check.number: check.uses for check in CHECKS if check.uses} == {10: 1}


def test_a_story_without_a_case_is_answered(tell: Callable[[Story], Told]) -> None:
    told = tell(Story())

    reply = told.scene.provider.answer(told.raw)

    assert (reply.code, reply.status) == ("full", 200)
    assert told.scene.find(told.consent).uses == 1


@pytest.mark.parametrize("code", CASES)
def test_each_code_is_refused_as_its_row_says(code: str, tell: Callable[[Story], Told]) -> None:
    story, check = Story(), CHECK_OF[code]
    CASES[code](story)

    told = tell(story)

    if check.signed:
        refuse_signed(told, code=code, check=check)
    else:
        refuse_unsigned(told, code=code)


@pytest.mark.parametrize(("earlier", "later"), list_pairs())
def test_the_earlier_check_wins(earlier: str, later: str, tell: Callable[[Story], Told]) -> None:
    story = Story()
    CASES[earlier](story)
    CASES[later](story)

    told = tell(story)

    if CHECK_OF[earlier].signed:
        assert told.scene.provider.answer(told.raw).code == earlier
    else:
        refuse_unsigned(told, code=earlier)
