"""The node under test asks; the member asked is honest once and malicious before that.

Every case scripts one bad reply and then the honest one. The node must not take the bad one: the
ask stays open, the same bytes come again, and only the honest reply is ever acknowledged.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from protocol.consent import Consent
from protocol.encoding import encode_b64u
from protocol.message import MEDIA_TYPE
from protocol.strict_json import JsonObject, canonical_json
from tests.conformance.peer.answerer import (
    Answerer,
    Incoming,
    Script,
    accept,
    build_problem,
    build_summary_draft,
    forge_body,
    read_consent_of,
    refuse,
)
from tests.conformance.peer.case import CaseList, Role, Run, expect, expect_equal
from tests.conformance.peer.cases.common import check_not_taken, grant_to_node
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.material import read_summary
from tests.conformance.peer.messages import PROBLEM_TYPE, ReplyDraft
from tests.conformance.peer.parts import make_key
from tests.conformance.peer.server import Answer

CASES = CaseList("asking", role=Role.ASKER)
ENDLESS_BYTES_MAX = 64 * 1_048_576
CHUNK = b" " * 65_536
DRIP_S, DRIPS_MAX = 0.5, 240
RECEIPT_S_MAX = 60
HOUR_S = 3_600


def change_reply(**fields: object) -> Script:
    """Return a script that gives the honest reply but for some of its parts."""

    def script(provider: Answerer, incoming: Incoming) -> Answer:
        draft = replace(build_summary_draft(), **fields)  # type: ignore[arg-type]  # its own kind
        return provider.reply(incoming, draft)

    return script


def forge_the_body(provider: Answerer, incoming: Incoming) -> Answer:
    return provider.reply(incoming, forge_body(build_summary_draft()))


def set_claims(**claims: object) -> Script:
    return change_reply(claims=claims)


def flip_proof(text: str) -> str:
    """Change a hash of an inclusion proof, or its place where the tree has one entry."""
    head, _, rest = text.partition("index ")
    return f"{head}index 1{rest}"


def answer_in_anothers_name(provider: Answerer, incoming: Incoming) -> Answer:
    """Have another member sign: its key is in the registry, but nobody asked it."""
    key = make_key("other.kit.example: messages")
    draft = replace(build_summary_draft(), key=key, claims={"iss": "other.kit.example"})
    return provider.reply(incoming, draft)


def answer_about_another(provider: Answerer, incoming: Incoming) -> Answer:
    body: JsonObject = {**read_summary(), "subject": "sim:KITTHIN1"}
    return provider.reply(incoming, ReplyDraft(body=canonical_json(body)))


def answer_with_more(provider: Answerer, incoming: Incoming) -> Answer:
    body: JsonObject = {**read_summary(), "limit": 1}
    return provider.reply(incoming, ReplyDraft(body=canonical_json(body)))


def answer_another_request(provider: Answerer, incoming: Incoming) -> Answer:
    other = replace(incoming, envelope=replace(incoming.envelope, jti=bytes(16)))
    return provider.reply(other, build_summary_draft())


def redirect(_provider: Answerer, _incoming: Incoming) -> Answer:
    """Send the node to an address where the honest reply would be."""
    return Answer(status=307, headers={"location": "/member/liar.kit.example/elsewhere"})


def pack(provider: Answerer, incoming: Incoming) -> Answer:
    """Give the honest reply in a packing that nobody asked for."""
    raw = provider.seal(incoming, build_summary_draft())
    return Answer(
        content_type=MEDIA_TYPE, body=gzip.compress(raw), headers={"content-encoding": "gzip"}
    )


def send_a_bomb(_provider: Answerer, _incoming: Incoming) -> Answer:
    return Answer(
        content_type=MEDIA_TYPE,
        body=gzip.compress(b" " * (16 * 1_048_576)),
        headers={"content-encoding": "gzip"},
    )


def send_without_end(_provider: Answerer, _incoming: Incoming) -> Answer:
    def flood() -> Iterator[bytes]:
        for _ in range(ENDLESS_BYTES_MAX // len(CHUNK)):
            yield CHUNK

    return Answer(content_type=MEDIA_TYPE, chunks=flood())


def drip(provider: Answerer, incoming: Incoming) -> Answer:
    """Give the honest reply byte by byte, over two minutes and more."""
    raw = provider.seal(incoming, build_summary_draft())

    def drops() -> Iterator[bytes]:
        for index in range(DRIPS_MAX):
            time.sleep(DRIP_S)
            yield raw[index : index + 1]
        yield raw[DRIPS_MAX:]

    return Answer(content_type=MEDIA_TYPE, chunks=drops())


def refuse_unsigned(_provider: Answerer, _incoming: Incoming) -> Answer:
    body = canonical_json(build_problem("no-answer"))
    return Answer(status=404, content_type=PROBLEM_TYPE, body=body)


BAD: dict[str, tuple[tuple[str, ...], Script]] = {
    "a broken signature": (("EXC-54",), change_reply(is_signature_broken=True)),
    "an unknown key": (("EXC-54",), change_reply(key=make_key("nobody"))),
    "a revoked key": (
        ("EXC-54",),
        change_reply(key=make_key("liar.kit.example: spent messages")),
    ),
    "another kind": (("EXC-54",), change_reply(typ="cx-problem+jws")),
    "another version": (("EXC-54",), set_claims(v=2)),
    "an unknown claim": (("EXC-54",), set_claims(extra=1)),
    "a fifth member": (("EXC-54",), change_reply(outer={"extra": "x"})),
    "another audience": (("EXC-54",), set_claims(aud="other.kit.example")),
    "another issuer": (("EXC-54",), set_claims(iss="other.kit.example")),
    "an answer by another member": (("EXC-55",), answer_in_anothers_name),
    "another message id": (("EXC-55",), answer_another_request),
    "another request": (("EXC-56",), set_claims(req=encode_b64u(bytes(32)))),
    "no request": (("EXC-56", "MSG-7"), set_claims(req="…")),
    "a life of 301 s": (("EXC-57",), change_reply(life_s=301)),
    "an answer from before the question": (("EXC-57",), change_reply(iat_offset_s=-HOUR_S)),
    "an answer from the future": (("EXC-57",), change_reply(iat_offset_s=HOUR_S)),
    "an unknown snapshot": (
        ("EXC-58",),
        set_claims(reg={"seq": 9_999, "hash": encode_b64u(bytes(32))}),
    ),
    "another body": (("EXC-58",), forge_the_body),
    "no inclusion": (("EXC-58", "MSG-4"), change_reply(inclusion=lambda _text: "")),
    "an inclusion at another place": (("EXC-58",), change_reply(inclusion=flip_proof)),
    "an inclusion cut short": (("EXC-58",), change_reply(inclusion=lambda text: text[:-40])),
    "a body with one member more": (("EXC-59",), answer_with_more),
    "a summary on another subject": (("EXC-59",), answer_about_another),
    "a body that is no JSON": (("EXC-59",), change_reply(body=b"{")),
    "a redirect": (("EXC-4",), redirect),
    "a packed reply": (("EXC-5",), pack),
    "a packed bomb": (("EXC-5",), send_a_bomb),
    "a reply without end": (("MSG-2", "LIM-1"), send_without_end),
    "a reply that drips in": (("EXC-62",), drip),
    "a deferred answer that nobody asked for": (
        ("EXC-78",),
        accept(),
    ),
    "an unsigned refusal": (("EXC-54", "EXC-53"), refuse_unsigned),
    "a refusal for haste": (("EXC-61",), refuse("quota", retry_after=1)),
}


def _do_not_take(name: str, script: Script) -> Run:
    def run(kit: Kit) -> None:
        granted = grant_to_node(kit)

        check_not_taken(
            kit, name, granted, script=script, put=lambda adapter: adapter.ask(granted.hash)
        )

    return run


for _name, (_rules, _script) in BAD.items():
    CASES.add(f"{_name} is not taken", (*_rules, "EXC-60", "EXC-62"), _do_not_take(_name, _script))


@CASES.case("EXC-52", "EXC-53", "MSG-9", "MSG-12", "EXC-3")
def a_question_is_logged_before_it_is_sent_and_its_answer_taken(kit: Kit) -> None:
    granted = grant_to_node(kit)

    asked = kit.get_adapter().ask(granted.hash)

    # What arrives here has passed every check of a receiver, its proof in the node's log too.
    expect_equal(kit.provider.refused, [], "what of the node did not hold")
    (query,) = kit.provider.list_received("query", granted.hash)
    expect_equal(asked, "200", "the ask")
    expect_equal(read_consent_of(query), granted.hash, "the consent in the query")
    expect(str(granted.customer.subject).encode() not in query.raw, "the query names the customer")
    kit.provider.good["an honest answer"] = kit.provider.answered[query.msg_hash][-1]


@CASES.case("EXC-53", "EXC-58")
def a_signed_refusal_is_taken(kit: Kit) -> None:
    granted = grant_to_node(kit)
    kit.provider.scripts["query", granted.hash] = [refuse("consent-revoked")]

    asked = kit.get_adapter().ask(granted.hash)

    expect_equal(asked, "consent-revoked", "the ask")


@CASES.case("EXC-4")
def nothing_was_fetched_where_a_redirect_led(kit: Kit) -> None:
    kit.get_adapter()
    led = [path for path in kit.provider.fetched if "elsewhere" in path]

    expect_equal(led, [], "what was fetched")


BEYOND: dict[str, tuple[tuple[str, ...], Callable[[Consent], Consent]]] = {
    "has ended": (
        ("EXC-51", "CON-28"),
        lambda one: replace(one, nbf=one.iat - 2 * HOUR_S, exp=one.iat - HOUR_S),
    ),
    "has not begun": (
        ("EXC-51", "CON-27"),
        lambda one: replace(one, nbf=one.iat + HOUR_S, exp=one.iat + 2 * HOUR_S),
    ),
    "names fewer sections": (("EXC-51", "CON-32"), lambda one: replace(one, metrics=("relation",))),
    "reaches less far": (("EXC-51", "CON-33"), lambda one: replace(one, last_months=3)),
}


def _do_not_ask(change: Callable[[Consent], Consent]) -> Run:
    def run(kit: Kit) -> None:
        granted = grant_to_node(kit, change)

        asked = kit.get_adapter().ask(granted.hash)

        expect(asked != "200", "the node says that it was answered")
        expect_equal(
            kit.provider.list_received("query", granted.hash), [], "what the node has sent"
        )

    return run


for _name, (_rules, _change) in BEYOND.items():
    CASES.add(f"nothing is sent under a consent that {_name}", _rules, _do_not_ask(_change))


@CASES.case("CON-10", "EXC-31")
def a_consent_is_handed_to_its_provider_before_or_when_asked(kit: Kit) -> None:
    granted = grant_to_node(kit)

    kit.get_adapter().deliver(granted.hash)

    delivered = [one for one in kit.provider.received if one.envelope.op == "consent.put"]
    expect(any(granted.hash in one.envelope.consents for one in delivered), "nothing is delivered")


@CASES.case("EXC-60", "RCP-3", "RCP-5", "RCP-7")
def only_the_honest_replies_are_acknowledged(kit: Kit) -> None:
    kit.get_adapter()
    good = set(kit.provider.good.values())

    kit.wait(
        lambda: good <= kit.provider.acknowledged,
        "an honest reply is not acknowledged",
        s_max=RECEIPT_S_MAX,
    )

    taken = sorted(
        name for name, ans in kit.provider.bad.items() if ans in kit.provider.acknowledged - good
    )
    expect_equal(taken, [], "bad replies that the node acknowledged")
    receipts = {
        ans
        for one in kit.provider.received
        if one.envelope.op == "receipt"
        for ans in kit.provider.answered.get(one.msg_hash, [])
    }
    expect_equal(receipts & kit.provider.acknowledged, set(), "receipts that were acknowledged")
