"""The operation ``query``: what is answered, what is counted, what is repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from protocol.consent import Consent, ConsentState, Span
from protocol.limits import JTI_BYTES
from protocol.message import MEDIA_TYPE
from protocol.strict_json import JsonObject
from tests.conformance.peer.case import CaseList, expect, expect_equal
from tests.conformance.peer.cases.common import get_answered, refuse_signed
from tests.conformance.peer.customers import Granted
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.material import read_summary
from tests.conformance.peer.messages import SECTIONS
from tests.conformance.peer.node import MESSAGES_PATH, Reply
from tests.conformance.peer.parts import draw_bytes

CASES = CaseList("query")
AT_ONCE = 6


def allow_uses(count: int) -> Callable[[Consent], Consent]:
    return lambda consent: replace(consent, max_uses=count)


@CASES.case("EXC-35", "EXC-2")
def the_answer_is_the_canonical_summary(kit: Kit) -> None:
    reply = get_answered(kit, kit.write_query(kit.hold()))

    expect_equal(reply.body, read_summary(), "the summary on the kit's twelve invoices")
    expect_equal(
        reply.envelope.bct, "application/vnd.chengxin.summary+json", "the type of the body"
    )


@CASES.case("EXC-35")
def a_consent_only_drops_whole_sections(kit: Kit) -> None:
    reply = get_answered(kit, kit.write_query(kit.hold(), metrics=["relation", "index"]))

    whole = read_summary()
    kept = {name: value for name, value in whole.items() if name not in SECTIONS}
    kept |= {name: whole[name] for name in ("relation", "index")}
    expect_equal(reply.body, kept, "the summary of two sections")


@CASES.case("EXC-35")
def two_invoices_are_told_of_as_a_class(kit: Kit) -> None:
    reply = get_answered(kit, kit.write_query(kit.hold(customer=kit.thin)), code="class")

    expect("money" not in reply.body, "money is told of two invoices")
    expect("volume" not in reply.body, "a number of two invoices is told")


@CASES.case("EXC-34", "PRB-5")
def nothing_to_tell_and_nothing_that_may_be_told_look_the_same(kit: Kit) -> None:
    nobody = kit.hold(customer=kit.unknown)
    withheld = kit.hold(customer=kit.thin)

    first, second = [
        refuse_signed(kit, kit.write_query(granted, metrics=["money"]), code="no-answer", uses=1)
        for granted in (nobody, withheld)
    ]

    expect_equal(first.message.body, second.message.body, "the body of the refusals")
    expect_equal(describe(first), describe(second), "what else the refusals show")


def describe(reply: Reply) -> dict[str, object]:
    """Return what tells one refusal from another, but for ids and numbers."""
    return {
        "status": reply.http.status,
        "st": reply.envelope.st,
        "bct": reply.envelope.bct,
        "salt": len(reply.message.salt),
    }


@CASES.case("EXC-36", "CON-35")
def a_no_answer_counts_a_use(kit: Kit) -> None:
    granted = kit.hold(allow_uses(1), customer=kit.unknown)

    refuse_signed(kit, kit.write_query(granted), code="no-answer", uses=1)
    refuse_signed(kit, kit.write_query(granted), code="consent-exhausted")


@CASES.case("EXC-38", "CON-29", "CON-35", "CON-36")
def only_what_is_answered_counts_and_the_last_use_is_the_last(kit: Kit) -> None:
    granted = kit.hold(allow_uses(2))

    changes: tuple[JsonObject, ...] = ({"purpose": "P2"}, {"unknown": 1}, {"kind": "x"})
    for change in changes:
        kit.exchange(kit.write_query(granted, **change))
    kit.exchange(replace(kit.write_query(granted), sent_body=b"{}"))
    for _ in range(2):
        get_answered(kit, kit.write_query(granted))
    refuse_signed(kit, kit.write_query(granted), code="consent-exhausted")


@CASES.case("CON-34", "CON-35")
def uses_count_in_the_calendar_window_too(kit: Kit) -> None:
    granted = kit.hold(lambda one: replace(one, frequency=Span(unit="year", n=2)))

    for _ in range(2):
        get_answered(kit, kit.write_query(granted))
    refuse_signed(kit, kit.write_query(granted), code="frequency-exceeded")


@CASES.case("EXC-21")
def the_same_bytes_have_the_same_answer_counted_once(kit: Kit) -> None:
    granted = kit.hold(allow_uses(2))
    sealed = kit.seal(kit.write_query(granted))

    first = kit.send(sealed)
    again = [kit.send(sealed) for _ in range(3)]

    expect_equal(first.code, "200", "the state of the answer")
    for reply in again:
        expect_equal(reply.http.body, first.http.body, "the bytes of the repeated answer")
    get_answered(kit, kit.write_query(granted))
    refuse_signed(kit, kit.write_query(granted), code="consent-exhausted")


@CASES.case("EXC-21", "EXC-44")
def a_stored_answer_is_repeated_after_a_withdrawal_and_nothing_new_is_answered(kit: Kit) -> None:
    granted = kit.hold()
    sealed = kit.seal(kit.write_query(granted))

    first = kit.send(sealed)
    kit.set_state(granted, ConsentState.REVOKED)
    again = kit.send(sealed)

    expect_equal(again.http.body, first.http.body, "the bytes of the repeated answer")
    refuse_signed(kit, kit.write_query(granted), code="consent-revoked")


@CASES.case("EXC-21")
def a_stored_refusal_is_repeated_too(kit: Kit) -> None:
    granted = kit.hold()
    kit.set_state(granted, ConsentState.PAUSED)
    sealed = kit.seal(kit.write_query(granted))

    first = kit.send(sealed)
    kit.set_state(granted, ConsentState.ACTIVE, seq=2)
    again = kit.send(sealed)

    expect_equal(first.code, "consent-paused", "the code of the refusal")
    expect_equal(again.http.body, first.http.body, "the bytes of the repeated refusal")
    get_answered(kit, kit.write_query(granted))


@CASES.case("EXC-22")
def a_mismatch_does_not_take_the_place_of_the_stored_answer(kit: Kit) -> None:
    granted = kit.hold()
    jti = draw_bytes(JTI_BYTES)
    sealed = kit.seal(replace(kit.write_query(granted), jti=jti))

    first = kit.send(sealed)
    refuse_signed(
        kit,
        replace(kit.write_query(granted, last_months=3), jti=jti),
        code="replay-mismatch",
    )
    again = kit.send(sealed)

    expect_equal(again.http.body, first.http.body, "the bytes of the repeated answer")


def hold_for_racer(kit: Kit, *, uses: int = 50) -> Granted:
    """Have the racer hand over a consent of its own."""
    granted = kit.grant(lambda one: replace(one, consumer=kit.racer.member, max_uses=uses))
    kit.deliver(granted, party=kit.racer)
    return granted


@CASES.case("EXC-45", "EXC-38")
def of_several_queries_for_the_last_use_one_has_it(kit: Kit) -> None:
    granted = hold_for_racer(kit, uses=1)

    replies = kit.race(
        [kit.seal(kit.write_query(granted), party=kit.racer) for _ in range(AT_ONCE)]
    )

    codes = sorted(reply.code for reply in replies)
    due = ["200", *["consent-exhausted"] * (AT_ONCE - 1)]
    expect_equal(codes, due, "what queries for one use hear at once")


@CASES.case("EXC-46", "EXC-21")
def the_same_message_several_times_at_once_has_one_answer(kit: Kit) -> None:
    granted = hold_for_racer(kit, uses=1)
    sealed = kit.seal(kit.write_query(granted), party=kit.racer)

    replies = kit.race([sealed] * AT_ONCE)

    answers = {reply.http.body for reply in replies}
    expect_equal(len(answers), 1, "how many different answers one message has")
    expect_equal(replies[0].code, "200", "the state of the answer")


@CASES.case("EXC-47", "EXC-22")
def of_two_messages_under_one_id_the_first_decided_is_answered(kit: Kit) -> None:
    granted = hold_for_racer(kit)
    jti = draw_bytes(JTI_BYTES)
    drafts = [replace(kit.write_query(granted, last_months=months), jti=jti) for months in (3, 12)]

    replies = kit.race([kit.seal(draft, party=kit.racer) for draft in drafts])

    codes = sorted(reply.code for reply in replies)
    expect_equal(codes, ["200", "replay-mismatch"], "what two messages under one id hear")


@CASES.case("EXC-8")
def another_media_type_is_malformed(kit: Kit) -> None:
    sealed = kit.seal(kit.write_query(kit.grant()))

    http = kit.node.post(MESSAGES_PATH, sealed.raw, content_type="application/json")

    expect_equal(http.read_problem().get("code"), "malformed", "the code")


@CASES.case("EXC-8")
def another_version_in_the_media_type_is_not_spoken(kit: Kit) -> None:
    sealed = kit.seal(kit.write_query(kit.grant()))
    other = MEDIA_TYPE.replace("v=1", "v=2")

    http = kit.node.post(MESSAGES_PATH, sealed.raw, content_type=other)

    expect_equal(http.read_problem().get("code"), "unsupported-version", "the code")


@CASES.case("EXC-8")
def spaces_in_the_media_type_are_no_fault(kit: Kit) -> None:
    sealed = kit.seal(kit.write_query(hold_for_racer(kit)), party=kit.racer)

    spaced = MEDIA_TYPE.replace(";", "; ")
    http = kit.node.post(MESSAGES_PATH, sealed.raw, content_type=spaced)

    expect_equal(kit.open(http, sealed, party=kit.racer).code, "200", "the state of the answer")
