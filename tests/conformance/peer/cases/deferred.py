"""Questions whose answer comes later, ``202``, and the operation ``poll``: the node answers."""

from __future__ import annotations

from dataclasses import replace

from protocol.consent import ConsentState
from protocol.encoding import encode_b64u
from protocol.strict_json import JsonObject, JsonValue, canonical_json
from tests.conformance.peer.case import CaseList, NotApplicable, expect, expect_equal
from tests.conformance.peer.cases.batch import write_batch
from tests.conformance.peer.cases.common import check_entry, get_answered, refuse_signed
from tests.conformance.peer.cases.told import write
from tests.conformance.peer.customers import Customer, Granted
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.material import read_summary
from tests.conformance.peer.messages import ACCEPTED_TYPE, POLL_TYPE, SUMMARY_TYPE, Draft, Sealed
from tests.conformance.peer.node import Reply

CASES = CaseList("deferred")
POLL_AFTER_S_MAX = 86_400
LATE_S = 301


def write_poll(request: bytes, /, **changes: JsonValue) -> Draft:
    """Return a poll for a question, by the name of its message."""
    body: JsonObject = {"v": 1, "kind": "poll", "request": encode_b64u(request)}
    return Draft(op="poll", content_type=POLL_TYPE, body=canonical_json({**body, **changes}))


def put(kit: Kit, granted: Granted) -> tuple[Sealed, Reply]:
    """Put a question whose answer may come later, and check that it is accepted.

    Raises:
        NotApplicable: The node answers it at once.
    """
    sealed = kit.seal(kit.write_query(granted, deferred=True))
    reply = kit.send(sealed)
    if reply.code == "200":
        raise NotApplicable("the node answers at once, as it may")
    expect_equal(reply.code, "202", "the state of the answer")
    check_entry(reply, sealed, code="accepted", uses=1)
    check_accepted(reply)
    return sealed, reply


def check_accepted(reply: Reply) -> None:
    """Check the body of a reply that puts the answer off."""
    body = reply.body
    after_s = body.pop("poll_after_s", None)
    expect_equal(
        (reply.envelope.op, reply.envelope.bct), ("answer", ACCEPTED_TYPE), "operation and type"
    )
    expect_equal(body, {"v": 1, "kind": "accepted"}, "the body but for its time")
    holds = isinstance(after_s, int) and 1 <= after_s <= POLL_AFTER_S_MAX
    expect(holds, f"poll_after_s is {after_s!r}")


def poll(kit: Kit, request: bytes) -> tuple[Sealed, Reply]:
    """Poll until the answer is there; the kit does not wait as an asker has to."""
    replies: list[tuple[Sealed, Reply]] = []

    def is_there() -> bool:
        sealed = kit.seal(write_poll(request))
        replies.append((sealed, kit.send(sealed)))
        reply = replies[-1][1]
        if reply.code == "202":
            check_entry(reply, sealed, code="accepted", uses=0)
            check_accepted(reply)
        return reply.code != "202"

    kit.wait(is_there, "the answer does not come")
    return replies[-1]


@CASES.case("EXC-76", "EXC-80", "EXC-6")
def an_accepted_question_is_counted_at_once_and_answered_by_a_poll(kit: Kit) -> None:
    granted = kit.hold(lambda one: replace(one, max_uses=1))
    sealed, _ = put(kit, granted)
    refuse_signed(kit, kit.write_query(granted), code="consent-exhausted")

    asked, reply = poll(kit, sealed.msg_hash)

    expect_equal((reply.code, reply.envelope.bct), ("200", SUMMARY_TYPE), "state and type")
    expect_equal(reply.body, read_summary(), "the summary")
    check_entry(reply, asked, code="full", uses=0)


@CASES.case("EXC-21", "EXC-76")
def an_accepted_question_again_has_the_same_answer_counted_once(kit: Kit) -> None:
    granted = kit.hold(lambda one: replace(one, max_uses=2))
    sealed, first = put(kit, granted)

    again = kit.send(sealed)

    expect_equal(again.http.body, first.http.body, "the bytes of the repeated answer")
    get_answered(kit, kit.write_query(granted))


@CASES.case("EXC-21", "EXC-80")
def a_poll_again_has_the_same_answer(kit: Kit) -> None:
    sealed, _ = put(kit, kit.hold())
    asked, reply = poll(kit, sealed.msg_hash)

    again = kit.send(asked)

    expect_equal(again.http.body, reply.http.body, "the bytes of the repeated answer")


@CASES.case("EXC-80", "EXC-34")
def nothing_to_tell_is_said_by_poll_as_well(kit: Kit) -> None:
    replies = [_poll_for(kit, customer) for customer in (kit.unknown, kit.thin)]

    expect_equal(replies[0].code, "no-answer", "the state of the answer")
    expect(replies[1].code in {"200", "no-answer"}, f"the state of the answer: {replies[1].code}")


def _poll_for(kit: Kit, customer: Customer) -> Reply:
    sealed, _ = put(kit, kit.hold(customer=customer))
    asked, reply = poll(kit, sealed.msg_hash)
    entry = reply.entry
    expect(entry is not None and entry.use == 0, "uses of the poll")
    expect_equal(reply.envelope.consents, asked.envelope.consents, "the consents of the reply")
    return reply


@CASES.case("EXC-80")
def a_poll_for_what_was_never_accepted_is_unknown(kit: Kit) -> None:
    answered = kit.seal(kit.write_query(kit.hold()))
    kit.send(answered)

    for request in (bytes(32), answered.msg_hash):
        refuse_signed(kit, write_poll(request), code="poll-unknown")


@CASES.case("EXC-80")
def a_poll_by_another_member_is_unknown(kit: Kit) -> None:
    sealed, _ = put(kit, kit.hold())

    refuse_signed(kit, write_poll(sealed.msg_hash), code="poll-unknown", party=kit.other)
    expect_equal(poll(kit, sealed.msg_hash)[1].code, "200", "the asker's own poll")


STATES = {ConsentState.REVOKED: "consent-revoked", ConsentState.PAUSED: "consent-paused"}


@CASES.case("EXC-80", "CON-26", "EXC-44")
def a_poll_after_a_withdrawal_tells_nothing(kit: Kit) -> None:
    for state, code in STATES.items():
        granted = kit.hold()
        sealed, _ = put(kit, granted)
        _, reply = poll(kit, sealed.msg_hash)
        expect_equal(reply.code, "200", "the answer before")
        kit.set_state(granted, state)

        refuse_signed(kit, write_poll(sealed.msg_hash), code=code)


@CASES.case("EXC-80", "CON-26")
def an_answer_that_was_not_fetched_before_a_withdrawal_never_leaves(kit: Kit) -> None:
    granted = kit.hold()
    sealed, _ = put(kit, granted)
    kit.set_state(granted, ConsentState.REVOKED)

    refuse_signed(kit, write_poll(sealed.msg_hash), code="consent-revoked")


@CASES.case("EXC-80", "CON-28", "MSG-18")
def a_late_poll_is_refused_and_a_new_one_is_not(kit: Kit) -> None:
    sealed, _ = put(kit, kit.hold())
    late = replace(write_poll(sealed.msg_hash), iat_offset_s=-LATE_S)

    refuse_signed(kit, late, code="expired")
    expect_equal(poll(kit, sealed.msg_hash)[1].code, "200", "the new poll")


@CASES.case("EXC-80", "TLD-19")
def a_poll_after_the_word_of_erasure_counts_nothing(kit: Kit) -> None:
    granted = kit.hold(lambda one: replace(one, max_uses=2))
    sealed, _ = put(kit, granted)
    _, reply = poll(kit, sealed.msg_hash)
    answers: list[JsonValue] = [encode_b64u(reply.message.msg_hash)]
    kit.exchange(write("erase", {"basis": "request", "answers": answers}))

    again = kit.seal(write_poll(sealed.msg_hash))
    after = kit.send(again)

    expect(after.code in {"200", "poll-unknown"}, f"the state of the answer: {after.code}")
    check_entry(after, again, code="full" if after.code == "200" else after.code, uses=0)
    get_answered(kit, kit.write_query(granted))


@CASES.case("EXC-31")
def a_poll_names_no_consent(kit: Kit) -> None:
    granted = kit.hold()
    sealed, _ = put(kit, granted)
    draft = replace(write_poll(sealed.msg_hash), consents=(granted.hash,))

    refuse_signed(kit, draft, code="schema")


@CASES.case("EXC-29", "GEN-3")
def a_poll_of_another_form_breaks_the_schema(kit: Kit) -> None:
    for changes in ({"request": "short"}, {"extra": 1}, {"v": 2}, {"kind": "query"}):
        members: JsonObject = {**changes}
        refuse_signed(kit, write_poll(bytes(32), **members), code="schema")


@CASES.case("EXC-29")
def whoever_takes_a_deferred_answer_says_true(kit: Kit) -> None:
    granted = kit.hold()

    for value in (False, 1, "true"):
        refuse_signed(kit, kit.write_query(granted, deferred=value), code="schema")


@CASES.case("EXC-77")
def who_does_not_take_a_deferred_answer_gets_it_at_once(kit: Kit) -> None:
    get_answered(kit, kit.write_query(kit.hold()))


@CASES.case("EXC-77", "EXC-29")
def a_batch_is_answered_at_once(kit: Kit) -> None:
    granted = kit.hold()

    refuse_signed(kit, write_batch(granted, deferred=True), code="schema")
    get_answered(kit, write_batch(granted), code="batch")
