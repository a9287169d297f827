"""The node under test tells by itself under standing consents; who is told acknowledges badly.

All consents are handed over in one message, so that what is not pushed under one of them was looked
at when others were. Of records that stay as they are each is pushed under once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from protocol.consent import Consent, ConsentState
from protocol.encoding import encode_b64u
from protocol.strict_json import JsonObject, canonical_json, parse_object
from tests.conformance.peer.answerer import (
    Answerer,
    Incoming,
    Script,
    build_ack_draft,
    build_problem,
    build_summary_draft,
    forge_body,
    refuse,
)
from tests.conformance.peer.case import CaseList, NotApplicable, Run, expect, expect_equal
from tests.conformance.peer.cases.common import read_list, refuse_signed
from tests.conformance.peer.cases.told import read_watched
from tests.conformance.peer.customers import Granted
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.messages import PROBLEM_TYPE
from tests.conformance.peer.parts import make_key, read_clock_s
from tests.conformance.peer.server import Answer

CASES = CaseList("pushing")
PUSH_S_MAX = 30
AGAIN_S_MAX = 30  # 5 s, doubling, and a node's own spreading
QUIET_S = 8
LATER_S = 4
HOUR_S = 3_600
TYPE = "application/vnd.chengxin.push+json"


def change_ack(**fields: object) -> Script:
    """Return a script that acknowledges rightly but for some parts."""

    def script(consumer: Answerer, incoming: Incoming) -> Answer:
        draft = replace(build_ack_draft(incoming), **fields)  # type: ignore[arg-type]  # its own kind
        return consumer.reply(incoming, draft)

    return script


def forge_the_body(consumer: Answerer, incoming: Incoming) -> Answer:
    return consumer.reply(incoming, forge_body(build_ack_draft(incoming)))


def acknowledge_another(consumer: Answerer, incoming: Incoming) -> Answer:
    body: JsonObject = {"v": 1, "kind": "ack", "of": encode_b64u(bytes(32))}
    return consumer.reply(incoming, replace(build_ack_draft(incoming), body=canonical_json(body)))


def acknowledge_for_another_member(consumer: Answerer, incoming: Incoming) -> Answer:
    key = make_key("other.kit.example: messages")
    draft = replace(build_ack_draft(incoming), key=key, claims={"iss": "other.kit.example"})
    return consumer.reply(incoming, draft)


def answer_with_a_summary(consumer: Answerer, incoming: Incoming) -> Answer:
    return consumer.reply(incoming, replace(build_summary_draft(), code="push", use=0))


def refuse_unsigned(_consumer: Answerer, _incoming: Incoming) -> Answer:
    body = canonical_json(build_problem("consent-revoked"))
    return Answer(status=403, content_type=PROBLEM_TYPE, body=body)


def drop(_consumer: Answerer, _incoming: Incoming) -> Answer:
    return Answer(status=502)


BAD: dict[str, tuple[tuple[str, ...], Script]] = {
    "no reply": (("EXC-62",), drop),
    "an acknowledgement of another message": (("TLD-4",), acknowledge_another),
    "an acknowledgement by another member": (("EXC-55",), acknowledge_for_another_member),
    "an acknowledgement to another request": (
        ("EXC-56",),
        change_ack(claims={"req": encode_b64u(bytes(32))}),
    ),
    "an acknowledgement with a broken signature": (
        ("EXC-54",),
        change_ack(is_signature_broken=True),
    ),
    "an acknowledgement in no log": (("EXC-58",), change_ack(inclusion=lambda _text: "")),
    "an acknowledgement of another body": (("EXC-58",), forge_the_body),
    "an acknowledgement that comes later": (("EXC-59",), change_ack(st="202")),
    "a summary": (("EXC-59",), answer_with_a_summary),
    "an unsigned refusal": (("EXC-54",), refuse_unsigned),
    "a refusal for haste": (("EXC-61",), refuse("quota", retry_after=1)),
}
ENDS: dict[str, tuple[tuple[str, ...], Script | None]] = {
    "an acknowledgement": (("TLD-8",), None),
    "a refusal": (("TLD-8",), refuse("consent-revoked")),
    "a refusal as expired": (("TLD-6",), refuse("expired")),
}


def begin_later(consent: Consent) -> Consent:
    return replace(consent, nbf=consent.iat + LATER_S)


@dataclass(frozen=True, kw_only=True)
class Silent:
    """A consent under which nothing may be pushed."""

    rules: tuple[str, ...]
    change: Callable[[Consent], Consent] = field(default=lambda consent: consent)
    is_on_nobody: bool = False
    state: ConsentState | None = None


SILENT: dict[str, Silent] = {
    "to questions only": Silent(rules=("CON-31",), change=lambda one: replace(one, ops=("query",))),
    "that has not begun": Silent(
        rules=("CON-27",), change=lambda one: replace(one, nbf=one.iat + HOUR_S)
    ),
    "that has ended": Silent(
        rules=("CON-28",),
        change=lambda one: replace(one, nbf=one.iat - 2 * HOUR_S, exp=one.iat - HOUR_S),
    ),
    "that asks for more invoices": Silent(
        rules=("CON-43",), change=lambda one: replace(one, k_min=1_000)
    ),
    "of a customer that is not known": Silent(rules=("EXC-34",), is_on_nobody=True),
    "that was withdrawn": Silent(rules=("CON-26",), change=begin_later, state=ConsentState.REVOKED),
    "that was paused": Silent(rules=("CON-26",), change=begin_later, state=ConsentState.PAUSED),
}


def get_standing(kit: Kit, name: str) -> Granted:
    """Return the consent under which something is tried; the first call hands all of them over.

    Raises:
        NotApplicable: The node pushes nothing at all.
    """
    if not kit.standing:
        begin(kit)
    if not any(one.envelope.op == "push" for one in kit.consumer.received):
        raise NotApplicable(f"nothing was pushed within {PUSH_S_MAX} s")
    return kit.standing[name]


def begin(kit: Kit) -> None:
    granted = {name: grant(kit) for name in (*BAD, *ENDS)}
    granted["one use"] = grant(kit, lambda one: replace(one, max_uses=1))
    for name, (_, script) in {**BAD, **ENDS}.items():
        kit.consumer.scripts["push", granted[name].hash] = [script] if script else []
    for name, silent in SILENT.items():
        granted[name] = grant(kit, silent.change, is_on_nobody=silent.is_on_nobody)
    kit.deliver(*granted.values())
    for name, silent in SILENT.items():
        if silent.state is not None:
            kit.set_state(granted[name], silent.state)
    kit.standing = granted
    expected = [granted[name] for name in (*BAD, *ENDS, "one use")]
    deadline_s = read_clock_s() + PUSH_S_MAX
    while read_clock_s() < deadline_s and not all(list_pushes(kit, one) for one in expected):
        kit.pause(1)
    kit.pause(QUIET_S)  # for what must not come


def grant(
    kit: Kit,
    change: Callable[[Consent], Consent] = lambda consent: consent,
    *,
    is_on_nobody: bool = False,
) -> Granted:
    """Have a customer let the node tell the kit's asker what changes."""
    customer = kit.unknown if is_on_nobody else kit.known
    return kit.grant(
        lambda one: change(replace(one, ops=("query", "push"))), customer=customer, purpose="P3"
    )


def list_pushes(kit: Kit, granted: Granted) -> list[Incoming]:
    """Return what was pushed under a consent."""
    return kit.consumer.list_received("push", granted.hash)


@CASES.case("TLD-1", "TLD-2", "TLD-9", "MSG-9", "MSG-12")
def a_first_push_tells_what_the_consent_names(kit: Kit) -> None:
    granted = get_standing(kit, "an acknowledgement")

    # What arrives here has passed every check of a receiver, its proof in the node's log too.
    push = list_pushes(kit, granted)[0]

    body = parse_object(push.body)
    summary = read_watched()
    sections = {name for name, value in summary.items() if isinstance(value, dict)} - {"window"}
    changed = [str(name) for name in read_list(body, "changed")]
    expect_equal(push.envelope.bct, TYPE, "the type of the body")
    due: JsonObject = {
        "v": 1,
        "kind": "push",
        "consent": encode_b64u(granted.hash),
        "changed": body["changed"],
        "summary": summary,
    }
    expect_equal(body, due, "the body")
    expect_equal(set(changed) - sections, set[str](), "changed sections that are not in it")
    expect_equal(len(changed), len(set(changed)), "how often a section is named")
    expect(bool(changed), "nothing has changed")


def _send_again(name: str) -> Run:
    def run(kit: Kit) -> None:
        granted = get_standing(kit, name)

        kit.wait(
            lambda: len(list_pushes(kit, granted)) > 1,
            "the push does not come again",
            s_max=AGAIN_S_MAX,
        )

        pushes = list_pushes(kit, granted)
        expect_equal(len({one.raw for one in pushes}), 1, "how many different pushes there are")

    return run


for _name, _bad in BAD.items():
    CASES.add(
        f"{_name} is not taken, and the same bytes come again",
        ("TLD-5", "EXC-60", *_bad[0]),
        _send_again(_name),
    )


@CASES.case("TLD-9")
def a_push_counts_a_use(kit: Kit) -> None:
    granted = get_standing(kit, "one use")
    expect_equal(len(list_pushes(kit, granted)), 1, "how often was pushed")

    draft = kit.write_query(granted, purpose="P3", metrics=["index"])
    refuse_signed(kit, draft, code="consent-exhausted")


def _end(name: str) -> Run:
    def run(kit: Kit) -> None:
        granted = get_standing(kit, name)

        expect_equal(len(list_pushes(kit, granted)), 1, "how often was pushed")

    return run


for _name, _last in ENDS.items():
    CASES.add(f"after {_name} nothing more is pushed", _last[0], _end(_name))


def _push_nothing(name: str) -> Run:
    def run(kit: Kit) -> None:
        granted = get_standing(kit, name)

        expect_equal(list_pushes(kit, granted), [], "what was pushed")

    return run


for _name, _silent in SILENT.items():
    CASES.add(
        f"nothing is pushed under a consent {_name}",
        ("TLD-9", *_silent.rules),
        _push_nothing(_name),
    )


@CASES.case("RCP-3")
def an_acknowledgement_has_no_receipt(kit: Kit) -> None:
    get_standing(kit, "an acknowledgement")

    receipts = [one for one in kit.consumer.received if one.envelope.op == "receipt"]

    expect_equal(receipts, [], "receipts for acknowledgements")
