"""The operations ``push``, ``correct`` and ``erase``: what is told without being asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from protocol.consent import Consent, ConsentState
from protocol.encoding import encode_b64u
from protocol.limits import JTI_BYTES
from protocol.strict_json import JsonObject, JsonValue, canonical_json
from tests.conformance.peer.case import CaseList, Role, Run, expect_equal
from tests.conformance.peer.cases.common import (
    check_entry,
    get_answered,
    grant_to_node,
    refuse_signed,
)
from tests.conformance.peer.customers import Granted
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.material import read_summary
from tests.conformance.peer.messages import Draft
from tests.conformance.peer.parts import Party, draw_bytes

CASES = CaseList("told", role=Role.ASKER)
TYPE = "application/vnd.chengxin.{}+json"
WATCHED = "index"
HOUR_S = 3_600


def write(op: str, body: JsonObject, *, consents: tuple[bytes, ...] = ()) -> Draft:
    """Return a message that tells something."""
    return Draft(
        op=op,
        content_type=TYPE.format(op),
        body=canonical_json({"v": 1, "kind": op, **body}),
        consents=consents,
    )


def write_push(granted: Granted, **changes: JsonValue) -> Draft:
    """Return a push of what the consent's purpose lets be watched."""
    body: JsonObject = {
        "consent": encode_b64u(granted.hash),
        "changed": [WATCHED],
        "summary": read_watched(),
    }
    return write("push", {**body, **changes}, consents=(granted.hash,))


def read_watched() -> JsonObject:
    """Return the summary without what may not be watched."""
    unwatched = {"relation", "volume", "money"}
    return {name: value for name, value in read_summary().items() if name not in unwatched}


def grant_standing(
    kit: Kit, change: Callable[[Consent], Consent] = lambda consent: consent
) -> Granted:
    """Give the node a consent under which the kit's provider may push."""
    return grant_to_node(kit, lambda one: change(replace(one, ops=("push",))), purpose="P3")


def get_acknowledged(kit: Kit, draft: Draft, *, party: Party) -> None:
    """Send a message and check that it is acknowledged by its own hash."""
    sealed = kit.seal(draft, party=party)
    reply = kit.send(sealed, party=party)
    expect_equal((reply.envelope.op, reply.code), ("ack", "200"), "operation and state")
    due = {"v": 1, "kind": "ack", "of": encode_b64u(sealed.msg_hash)}
    expect_equal(reply.body, due, "what is acknowledged")
    check_entry(reply, sealed, code=draft.op, uses=0)


@CASES.case("TLD-3", "TLD-10")
def a_push_under_a_standing_consent_is_acknowledged(kit: Kit) -> None:
    get_acknowledged(kit, write_push(grant_standing(kit)), party=kit.liar)


@CASES.case("TLD-1")
def a_push_names_sections_that_it_has_and_each_once(kit: Kit) -> None:
    granted = grant_standing(kit)

    for changed in (["relation"], [WATCHED, WATCHED], []):
        draft = write_push(granted, changed=list(changed))
        refuse_signed(kit, draft, code="schema", party=kit.liar)


@CASES.case("TLD-2")
def a_push_names_its_one_consent(kit: Kit) -> None:
    draft = write_push(grant_standing(kit))

    refuse_signed(kit, replace(draft, consents=()), code="schema", party=kit.liar)


@CASES.case("TLD-10")
def a_push_without_a_consent_is_refused(kit: Kit) -> None:
    granted = kit.grant(lambda one: replace(one, consumer=kit.member, provider=kit.liar.member))
    kit.get_adapter()

    refuse_signed(kit, write_push(granted), code="consent-missing", party=kit.liar)


@CASES.case("TLD-10", "CON-31")
def a_push_under_a_consent_to_questions_is_refused(kit: Kit) -> None:
    granted = grant_to_node(kit)

    refuse_signed(kit, write_push(granted), code="operation-not-allowed", party=kit.liar)


@CASES.case("TLD-10", "CON-26")
def a_push_after_a_withdrawal_is_refused(kit: Kit) -> None:
    granted = grant_standing(kit)
    kit.set_state(granted, ConsentState.REVOKED)

    refuse_signed(kit, write_push(granted), code="consent-revoked", party=kit.liar)


@CASES.case("TLD-10", "CON-25")
def a_push_of_another_member_than_the_provider_is_refused(kit: Kit) -> None:
    granted = grant_standing(kit)

    refuse_signed(kit, write_push(granted), code="wrong-provider")


@CASES.case("TLD-11")
def a_push_on_another_subject_is_refused(kit: Kit) -> None:
    granted = grant_standing(kit)
    summary: JsonObject = {**read_watched(), "subject": "sim:KITTHIN1"}

    refuse_signed(kit, write_push(granted, summary=summary), code="schema", party=kit.liar)


BEYOND: dict[str, tuple[str, str, Callable[[Consent], Consent]]] = {
    "that has not begun": (
        "CON-27",
        "consent-not-yet-valid",
        lambda one: replace(one, nbf=one.iat + HOUR_S),
    ),
    "that has ended": (
        "CON-28",
        "consent-expired",
        lambda one: replace(one, nbf=one.iat - 2 * HOUR_S, exp=one.iat - HOUR_S),
    ),
    "that names fewer sections": (
        "CON-32",
        "metric-not-allowed",
        lambda one: replace(one, metrics=(WATCHED,)),
    ),
    "that reaches less far": ("CON-33", "over-ceiling", lambda one: replace(one, last_months=3)),
}


def _refuse_push(change: Callable[[Consent], Consent], *, code: str) -> Run:
    def run(kit: Kit) -> None:
        granted = grant_standing(kit, change)

        refuse_signed(kit, write_push(granted), code=code, party=kit.liar)

    return run


for _name, (_rule, _code, _change) in BEYOND.items():
    CASES.add(
        f"a push under a consent {_name} is refused",
        ("TLD-10", _rule),
        _refuse_push(_change, code=_code),
    )


@CASES.case("EXC-21", "TLD-3")
def a_push_again_has_the_same_acknowledgement(kit: Kit) -> None:
    sealed = kit.seal(write_push(grant_standing(kit)), party=kit.liar)

    first, again = kit.send(sealed, party=kit.liar), kit.send(sealed, party=kit.liar)

    expect_equal(again.http.body, first.http.body, "the bytes of the repeated acknowledgement")


@CASES.case("EXC-22")
def another_push_under_the_same_message_id_is_refused(kit: Kit) -> None:
    granted = grant_standing(kit)
    jti = draw_bytes(JTI_BYTES)
    get_acknowledged(kit, replace(write_push(granted), jti=jti), party=kit.liar)

    other = replace(write_push(granted, changed=["delay"]), jti=jti)

    refuse_signed(kit, other, code="replay-mismatch", party=kit.liar)


@CASES.case("MSG-13")
def a_push_with_a_number_that_was_used_is_taken_as_evidence(kit: Kit) -> None:
    granted = grant_standing(kit)
    get_acknowledged(kit, write_push(granted), party=kit.liar)
    kit.liar.counters[kit.member] -= 1

    # Two messages under one number accuse their sender: the auditor's affair, not the receiver's.
    get_acknowledged(kit, write_push(granted), party=kit.liar)


@CASES.case("MSG-18")
def a_push_that_has_expired_is_refused(kit: Kit) -> None:
    draft = replace(write_push(grant_standing(kit)), iat_offset_s=-301)

    refuse_signed(kit, draft, code="expired", party=kit.liar)


@CASES.case("EXC-27", "EXC-28")
def a_push_whose_body_or_proof_is_forged_is_refused(kit: Kit) -> None:
    draft = write_push(grant_standing(kit))
    cut = replace(draft, inclusion=lambda text: text[:-40])

    refuse_signed(kit, replace(draft, sent_body=b"{}"), code="body-mismatch", party=kit.liar)
    refuse_signed(kit, cut, code="bad-inclusion", party=kit.liar)


def write_correction(granted: Granted, answer: bytes, *, summary: bool = True) -> Draft:
    """Return a correction of an answer under a consent."""
    body: JsonObject = {
        "supersedes": encode_b64u(answer),
        "consent": encode_b64u(granted.hash),
        "reason": "records-corrected",
    }
    if summary:
        body["summary"] = read_summary()
    return write("correct", body, consents=(granted.hash,))


def ask_once(kit: Kit) -> tuple[Granted, bytes]:
    """Have the node ask the kit's provider, and return the consent and the answer's hash."""
    granted = grant_to_node(kit)
    kit.get_adapter().ask(granted.hash)
    (query,) = kit.provider.list_received("query", granted.hash)
    return granted, kit.provider.answered[query.msg_hash][-1]


@CASES.case("TLD-3", "TLD-15")
def a_correction_of_what_was_answered_is_acknowledged(kit: Kit) -> None:
    granted, answer = ask_once(kit)

    get_acknowledged(kit, write_correction(granted, answer), party=kit.liar)


@CASES.case("TLD-15")
def a_withdrawn_answer_is_acknowledged(kit: Kit) -> None:
    granted, answer = ask_once(kit)

    draft = write_correction(granted, answer, summary=False)
    get_acknowledged(kit, draft, party=kit.liar)


@CASES.case("TLD-15")
def a_correction_by_another_member_or_of_nothing_is_refused(kit: Kit) -> None:
    granted, answer = ask_once(kit)

    refuse_signed(kit, write_correction(granted, answer), code="wrong-provider")
    refuse_signed(
        kit, write_correction(granted, bytes(32)), code="operation-not-allowed", party=kit.liar
    )


@CASES.case("TLD-3", "TLD-19", role=Role.PROVIDER)
def the_word_that_answers_are_erased_is_acknowledged(kit: Kit) -> None:
    reply = get_answered(kit, kit.write_query(kit.hold()))
    answers: list[JsonValue] = [encode_b64u(reply.message.msg_hash), encode_b64u(bytes(32))]

    get_acknowledged(kit, write("erase", {"basis": "request", "answers": answers}), party=kit.asker)


@CASES.case("TLD-2", role=Role.PROVIDER)
def the_word_that_answers_are_erased_names_no_consent(kit: Kit) -> None:
    granted = kit.hold()
    reply = get_answered(kit, kit.write_query(granted))
    answers: list[JsonValue] = [encode_b64u(reply.message.msg_hash)]
    draft = write("erase", {"basis": "request", "answers": answers})

    refuse_signed(kit, replace(draft, consents=(granted.hash,)), code="schema")
