"""The operation ``receipt``."""

from __future__ import annotations

from protocol.encoding import encode_b64u
from protocol.receipt import ANSWERS_PER_RECEIPT_MAX, RECEIPT_CONTENT_TYPE, format_receipt
from protocol.strict_json import JsonValue, canonical_json
from tests.conformance.peer.case import CaseList, expect_equal
from tests.conformance.peer.cases.common import get_answered, refuse_signed
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.messages import Draft

CASES = CaseList("receipt")


def write_receipt(*answers: bytes) -> Draft:
    return Draft(op="receipt", content_type=RECEIPT_CONTENT_TYPE, body=format_receipt(answers))


def write_answers(answers: list[JsonValue]) -> Draft:
    body = canonical_json({"v": 1, "kind": "receipt", "answers": answers})
    return Draft(op="receipt", content_type=RECEIPT_CONTENT_TYPE, body=body)


@CASES.case("RCP-4", "EXC-35", "RCP-5")
def answers_given_to_the_sender_are_acknowledged_and_others_ignored(kit: Kit) -> None:
    granted = kit.hold()
    answer = get_answered(kit, kit.write_query(granted))
    refusal = refuse_signed(kit, kit.write_query(granted, purpose="P2"), code="purpose-mismatch")
    foreign = kit.exchange(kit.write_query(granted), party=kit.other)

    hashes = [reply.message.msg_hash for reply in (answer, refusal, foreign)]
    reply = get_answered(kit, write_receipt(*hashes, bytes(32)), code="receipt", uses=0)

    expect_equal(reply.body, {"v": 1, "kind": "receipt-held", "answers": 2}, "what is held")


@CASES.case("RCP-5")
def a_receipt_again_has_the_same_answer(kit: Kit) -> None:
    answer = get_answered(kit, kit.write_query(kit.hold()))
    sealed = kit.seal(write_receipt(answer.message.msg_hash))

    first, again = kit.send(sealed), kit.send(sealed)

    expect_equal(again.http.body, first.http.body, "the bytes of the repeated answer")


@CASES.case("RCP-1", "LIM-1")
def more_than_a_thousand_answers_break_the_schema(kit: Kit) -> None:
    answers = [index.to_bytes(32, "big") for index in range(ANSWERS_PER_RECEIPT_MAX + 1)]

    refuse_signed(kit, write_receipt(*answers), code="schema")


@CASES.case("RCP-1")
def an_answer_named_twice_breaks_the_schema(kit: Kit) -> None:
    refuse_signed(kit, write_receipt(bytes(32), bytes(32)), code="schema")


@CASES.case("RCP-2")
def what_is_no_hash_is_refused(kit: Kit) -> None:
    # In a signed refusal a body that is malformed is a body that breaks its schema.
    refuse_signed(kit, write_answers([encode_b64u(bytes(31))]), code="schema")


@CASES.case("EXC-31")
def a_receipt_names_no_consent(kit: Kit) -> None:
    granted = kit.hold()
    draft = write_receipt(bytes(32))
    draft.consents = (granted.hash,)

    refuse_signed(kit, draft, code="schema")
