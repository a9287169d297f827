"""The check order: a case for each code that a peer can bring about, and one for each pair.

A fault makes a message, or the world around it, wrong in exactly one way. Of two faults in one
message the one of the earlier check must win.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise, product

from protocol.consent import Consent, ConsentState, Span
from protocol.encoding import encode_b64u
from protocol.exchange import CHECKS
from protocol.limits import JTI_BYTES, MESSAGE_BYTES_MAX
from protocol.strict_json import JsonObject, JsonValue
from tests.conformance.peer.case import CaseList, Run, expect_equal
from tests.conformance.peer.cases.common import get_answered, refuse_signed, refuse_unsigned
from tests.conformance.peer.customers import Customer, Granted
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.messages import Draft, write_query
from tests.conformance.peer.parts import Party, draw_bytes, make_key

CASES = CaseList("check order")
STRANGER = make_key("a stranger")
FAR_S = 120  # beyond what any clock may be tolerated to be ahead
HOUR_S = 3_600
SHORT_MONTHS = 3


@dataclass(kw_only=True)
class Story:
    """Consent, world and message of one query: right in everything, until faults change it."""

    consent: list[Callable[[Consent], Consent]] = field(default_factory=list)
    purpose: str = "P1"
    is_held: bool = True
    is_subject_known: bool = True
    is_id_used: bool = False
    is_spent_key: bool = False
    is_sender_idle: bool = False
    names_other_consumer: bool = False
    uses_before: int = 0
    metrics_before: tuple[str, ...] | None = None
    state: ConsentState | None = None
    is_replaced: bool = False
    question: JsonObject = field(default_factory=dict)
    claims: JsonObject = field(default_factory=dict)
    names_ended_snapshot: bool = False
    message: dict[str, object] = field(default_factory=dict)
    """Fields of the draft."""


Fault = Callable[[Story], None]


def set_story(**fields: object) -> Fault:
    def apply(story: Story) -> None:
        for name, value in fields.items():
            setattr(story, name, value)

    return apply


def set_claims(**claims: JsonValue) -> Fault:
    return lambda story: story.claims.update(claims)


def set_message(**fields: object) -> Fault:
    return lambda story: story.message.update(fields)


def set_question(**members: JsonValue) -> Fault:
    return lambda story: story.question.update(members)


def change_consent(change: Callable[[Consent], Consent]) -> Fault:
    return lambda story: story.consent.append(change)


def allow_pushes_only(story: Story) -> None:
    story.purpose = "P3"
    story.consent.append(lambda consent: replace(consent, ops=("push",)))
    story.question.setdefault("purpose", "P3")


def allow_one_section(story: Story) -> None:
    story.metrics_before = ("index",)
    story.consent.append(lambda consent: replace(consent, metrics=("index",)))


def use_up(story: Story) -> None:
    story.uses_before = 1
    story.consent.append(lambda consent: replace(consent, max_uses=1))


def use_up_the_year(story: Story) -> None:
    story.uses_before = 1
    story.consent.append(lambda consent: replace(consent, frequency=Span(unit="year", n=1)))


def begin_later(consent: Consent) -> Consent:
    return replace(consent, nbf=consent.iat + HOUR_S, exp=consent.iat + 2 * HOUR_S)


def end_earlier(consent: Consent) -> Consent:
    return replace(consent, nbf=consent.iat - 2 * HOUR_S, exp=consent.iat - HOUR_S)


FAULTS: dict[str, tuple[str, Fault]] = {
    "malformed": ("EXC-12", set_message(outer={"unknown": "x"})),
    "too-large": ("EXC-9", set_message(body=b" " * MESSAGE_BYTES_MAX)),
    "unsupported-version": ("EXC-12", set_claims(v=2)),
    "unknown-key": ("EXC-13", set_message(key=STRANGER)),
    "key-revoked": ("EXC-14", set_story(is_spent_key=True)),
    "not-a-member": ("EXC-15", set_story(is_sender_idle=True)),
    "bad-signature": ("EXC-17", set_message(is_signature_broken=True)),
    "wrong-type": ("EXC-18", set_message(typ="cx-consent+jws")),
    "wrong-issuer": ("EXC-19", set_claims(iss="other.kit.example")),
    "wrong-audience": ("EXC-20", set_claims(aud="other.kit.example")),
    "replay-mismatch": ("EXC-22", set_story(is_id_used=True)),
    "life-too-long": ("MSG-16", set_message(life_s=301)),
    "clock-skew": ("MSG-17", set_message(iat_offset_s=FAR_S)),
    "expired": ("MSG-18", set_message(iat_offset_s=-301)),
    "registry-unknown": ("EXC-25", set_claims(reg={"seq": 9_999, "hash": encode_b64u(bytes(32))})),
    "registry-expired": ("EXC-26", set_story(names_ended_snapshot=True)),
    "body-mismatch": ("EXC-27", set_message(sent_body=b"{}")),
    "bad-inclusion": ("EXC-28", set_message(inclusion=lambda _text: "c2sp.org/tlog-proof@v1\n")),
    "schema": ("EXC-29", set_question(unknown=1)),
    "consent-missing": ("CON-22", set_story(is_held=False)),
    "wrong-consumer": ("CON-24", set_story(names_other_consumer=True)),
    "consent-revoked": ("CON-26", set_story(state=ConsentState.REVOKED)),
    "consent-paused": ("CON-26", set_story(state=ConsentState.PAUSED)),
    "consent-replaced": ("CON-26", set_story(is_replaced=True)),
    "consent-not-yet-valid": ("CON-27", change_consent(begin_later)),
    "consent-expired": ("CON-28", change_consent(end_earlier)),
    "consent-exhausted": ("CON-29", use_up),
    "purpose-mismatch": ("CON-30", set_question(purpose="P2")),
    "operation-not-allowed": ("CON-31", allow_pushes_only),
    "metric-not-allowed": ("CON-32", allow_one_section),
    "over-ceiling": ("CON-33", change_consent(lambda one: replace(one, last_months=SHORT_MONTHS))),
    "frequency-exceeded": ("CON-34", use_up_the_year),
    "no-answer": ("EXC-36", set_story(is_subject_known=False)),
}
CHECK_OF = {code: check for check in CHECKS for code in check.codes}
NOT_HERE = {
    "quota": "cases/haste.py: it takes many messages",
    "consent-signature": "cases/registry.py and cases/consent_put.py: a customer's key has to go",
    "consent-unkeyed": "cases/consent_put.py: it is refused before it is held",
    "wrong-provider": "cases/consent_put.py: a consent of another provider is never held",
}

# What cannot be wrong at the same time: one key has one owner and one validity, one message one
# beginning and one snapshot, one consent one state and one time; and what was never covered was
# never used before.
NOT_BEFORE = ("consent-not-yet-valid", "consent-expired", "operation-not-allowed")
EXCLUSIVE = {
    frozenset(pair)
    for pair in (
        ("unknown-key", "key-revoked"),
        ("clock-skew", "expired"),
        ("registry-unknown", "registry-expired"),
        ("consent-missing", "wrong-consumer"),
        ("consent-revoked", "consent-paused"),
        ("consent-paused", "consent-replaced"),
        ("consent-not-yet-valid", "consent-expired"),
        *product(("consent-exhausted", "frequency-exceeded"), NOT_BEFORE),
    )
}


def list_pairs() -> list[tuple[str, str]]:
    """Return each code with each of the next check's here, and with its neighbour in its own."""
    codes = [[code for code in check.codes if code in FAULTS] for check in CHECKS]
    steps = [step for step in codes if step]
    between = [pair for one, two in pairwise(steps) for pair in product(one, two)]
    within = [pair for step in steps for pair in pairwise(step)]
    return [pair for pair in between + within if frozenset(pair) not in EXCLUSIVE]


def tell(kit: Kit, story: Story) -> tuple[Draft, Party]:
    """Set up consent and world; return the message to send now and who sends it."""
    party = kit.idle if story.is_sender_idle else kit.asker
    customer = kit.known if story.is_subject_known else kit.unknown
    granted = grant(kit, story, customer)
    if story.is_held:
        kit.deliver(granted, party=kit.other if story.names_other_consumer else None)
    for _ in range(story.uses_before):
        use_once(kit, story, granted)
    jti = draw_bytes(JTI_BYTES)
    if story.is_id_used and not story.is_sender_idle:
        missing = draw_bytes(32)
        kit.exchange(Draft(body=write_query(missing), consents=(missing,), jti=jti))
    if story.state is not None:
        kit.set_state(granted, story.state)
    if story.is_replaced:
        kit.deliver(kit.grant(lambda one: replace(one, replaces=granted.hash), customer=customer))
    if story.names_ended_snapshot:
        first = kit.hub.snapshots[0][0]
        story.claims["reg"] = {"seq": first.seq, "hash": encode_b64u(first.hash)}
    draft = replace(
        kit.write_query(granted, **story.question),
        claims=story.claims,
        jti=jti,
        key=party.spent_key if story.is_spent_key else None,
    )
    return replace(draft, **story.message), party  # type: ignore[arg-type]  # the field's own kind


def grant(kit: Kit, story: Story, customer: Customer) -> Granted:
    """Have the customer sign the consent of a story."""

    def change(consent: Consent) -> Consent:
        for one in story.consent:
            consent = one(consent)
        if story.names_other_consumer:
            consent = replace(consent, consumer=kit.other.member)
        return consent

    return kit.grant(change, customer=customer, purpose=story.purpose)


def use_once(kit: Kit, story: Story, granted: Granted) -> None:
    """Ask what the consent covers."""
    question: JsonObject = {"last_months": granted.consent.last_months}
    if story.metrics_before is not None:
        question["metrics"] = list(story.metrics_before)
    party = kit.other if story.names_other_consumer else None
    code = "200" if story.is_subject_known else "no-answer"
    reply = kit.exchange(kit.write_query(granted, **question), party=party)
    expect_equal(reply.code, code, "an earlier query under the same consent")


def _try(*codes: str) -> Run:
    """Return the run of a message with these faults, of which the first must win."""

    def run(kit: Kit) -> None:
        story, check = Story(), CHECK_OF[codes[0]]
        for code in codes:
            FAULTS[code][1](story)
        draft, party = tell(kit, story)
        if check.signed:
            refuse_signed(kit, draft, code=codes[0], uses=check.uses, party=party)
        else:
            refuse_unsigned(kit, draft, code=codes[0], party=party)

    return run


def _list_rules(code: str) -> list[str]:
    check = CHECK_OF[code]
    rules = [FAULTS[code][0], "EXC-6", "PRB-1"]
    rules += ["PRB-3", "EXC-2", "EXC-39", "EXC-40"] if check.signed else ["EXC-7"]
    if check.number == 6:
        rules += ["EXC-24", "MSG-15"]
    if 6 <= check.number <= 9:
        rules += ["CON-36"]
    if check.number == 9:
        rules += ["EXC-33", "CON-21"]
    return rules


for _code in FAULTS:
    CASES.add(f"{_code} is refused as its row says", _list_rules(_code), _try(_code))
for _earlier, _later in list_pairs():
    CASES.add(f"{_earlier} wins over {_later}", ("EXC-11", "GEN-1"), _try(_earlier, _later))


@CASES.case("EXC-35", "CON-35")
def a_query_without_a_fault_is_answered(kit: Kit) -> None:
    granted = kit.hold()

    get_answered(kit, kit.write_query(granted))


@CASES.case("EXC-16")
def an_old_snapshot_named_in_the_message_does_not_revive_a_revoked_key(kit: Kit) -> None:
    granted = kit.hold()
    first = kit.hub.snapshots[0][0]

    reference: JsonObject = {"seq": first.seq, "hash": encode_b64u(first.hash)}
    draft = replace(kit.write_query(granted), key=kit.asker.spent_key, claims={"reg": reference})
    refuse_unsigned(kit, draft, code="key-revoked")


@CASES.case("MSG-6")
def a_message_whose_operation_is_not_its_typ_is_refused(kit: Kit) -> None:
    granted = kit.hold()

    refuse_unsigned(
        kit, replace(kit.write_query(granted), claims={"op": "receipt"}), code="wrong-type"
    )


@CASES.case("MSG-17")
def a_message_a_few_seconds_ahead_is_answered(kit: Kit) -> None:
    granted = kit.hold()

    get_answered(kit, replace(kit.write_query(granted), iat_offset_s=5))


@CASES.case("MSG-16")
def a_message_that_ends_before_it_begins_is_refused(kit: Kit) -> None:
    granted = kit.hold()

    refuse_signed(kit, replace(kit.write_query(granted), life_s=0), code="life-too-long")


@CASES.case("MSG-13")
def the_order_of_a_peers_numbers_decides_nothing(kit: Kit) -> None:
    granted = kit.hold()
    later, earlier = kit.seal(kit.write_query(granted)), kit.seal(kit.write_query(granted))

    for sealed in (earlier, later):
        expect_equal(kit.send(sealed).code, "200", "the state of the answer")
