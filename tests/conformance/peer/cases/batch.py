"""A query of several questions: each is decided by itself, one entry tells of all."""

from __future__ import annotations

from dataclasses import replace

from protocol.consent import ConsentState
from protocol.encoding import encode_b64u
from protocol.strict_json import JsonObject, JsonValue, canonical_json
from tests.conformance.peer.case import CaseList, Failed, expect, expect_equal
from tests.conformance.peer.cases.common import refuse_signed
from tests.conformance.peer.customers import Granted
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.material import read_summary
from tests.conformance.peer.messages import BATCH_TYPE, SECTIONS, Draft
from tests.conformance.peer.node import Reply

CASES = CaseList("batch")


def write_batch(*granted: Granted, **changes: JsonValue) -> Draft:
    """Return one query that asks everything under each of these consents."""
    items: list[JsonValue] = [
        {"consent": encode_b64u(one.hash), "metrics": list(SECTIONS), "last_months": 12}
        for one in granted
    ]
    body: JsonObject = {"v": 1, "kind": "query-batch", "purpose": "P1", "items": items}
    return Draft(
        body=canonical_json({**body, **changes}),
        content_type=BATCH_TYPE,
        consents=tuple(one.hash for one in granted),
    )


def read_items(reply: Reply) -> list[JsonObject]:
    """Return the items of an answer."""
    items = reply.body.get("items")
    if not isinstance(items, list):
        raise Failed("the answer has no items")
    return [item for item in items if isinstance(item, dict)]


@CASES.case("EXC-72", "EXC-73", "EXC-74")
def each_question_has_its_own_code_summary_and_use(kit: Kit) -> None:
    one_use = kit.hold(lambda one: replace(one, max_uses=1))
    withdrawn = kit.hold()
    kit.set_state(withdrawn, ConsentState.REVOKED)
    nobody = kit.hold(customer=kit.unknown)
    missing = kit.grant()
    asked = (one_use, withdrawn, nobody, missing)
    codes = ("full", "consent-revoked", "no-answer", "consent-missing")

    sealed = kit.seal(write_batch(*asked))
    reply = kit.send(sealed)

    expect_equal(reply.code, "200", "the state of the answer")
    items = read_items(reply)
    names = [(item.get("consent"), item.get("code")) for item in items]
    due = [(encode_b64u(one.hash), code) for one, code in zip(asked, codes, strict=True)]
    expect_equal(names, due, "consents and codes of the items, in order")
    summaries = [item.get("summary") for item in items]
    expect_equal(summaries, [read_summary(), None, None, None], "the summaries")
    entry = reply.entry
    if entry is None:
        raise Failed("the reply is in no log")
    logged = (entry.code, entry.use, entry.codes, entry.consents)
    expect_equal(logged, ("batch", 2, codes, sealed.envelope.consents), "what is logged")
    refuse_signed(kit, kit.write_query(one_use), code="consent-exhausted")


@CASES.case("EXC-72")
def a_batch_names_each_consent_once(kit: Kit) -> None:
    granted = kit.hold()
    draft = write_batch(granted, granted)

    refuse_signed(kit, replace(draft, consents=(granted.hash,)), code="schema")


@CASES.case("EXC-31")
def a_batch_names_its_consents_in_order(kit: Kit) -> None:
    draft = write_batch(kit.hold(), kit.hold())

    refuse_signed(kit, replace(draft, consents=tuple(reversed(draft.consents))), code="schema")


@CASES.case("EXC-29", "LIM-1")
def a_batch_without_a_question_breaks_the_schema(kit: Kit) -> None:
    refuse_signed(kit, write_batch(items=[]), code="schema")


@CASES.case("EXC-21")
def a_batch_again_has_the_same_answer_counted_once(kit: Kit) -> None:
    granted = kit.hold(lambda one: replace(one, max_uses=1))
    sealed = kit.seal(write_batch(granted))

    first, again = kit.send(sealed), kit.send(sealed)

    expect_equal(again.http.body, first.http.body, "the bytes of the repeated answer")
    expect([item.get("code") for item in read_items(first)] == ["full"], "it is not answered")
    refuse_signed(kit, kit.write_query(granted), code="consent-exhausted")
