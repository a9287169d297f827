"""The node under test waits for an answer that comes later; the member asked lies to its polls."""

from __future__ import annotations

import time
from dataclasses import replace

from protocol.encoding import encode_b64u
from protocol.strict_json import JsonObject, canonical_json, parse_object
from tests.conformance.peer.answerer import (
    Answerer,
    Incoming,
    Script,
    accept,
    build_batch_draft,
    build_summary_draft,
    forge_body,
    refuse,
)
from tests.conformance.peer.case import CaseList, Role, Run, expect, expect_equal
from tests.conformance.peer.cases.common import grant_to_node
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.material import read_summary
from tests.conformance.peer.messages import POLL_TYPE
from tests.conformance.peer.parts import make_key
from tests.conformance.peer.server import Answer

CASES = CaseList("polling", role=Role.ASKER)
POLL_S_MAX = 90
POLL_AFTER_S = 4
QUIET_S = 3


def put_off(kit: Kit, *scripts: Script, poll_after_s: int = 1) -> Incoming:
    """Have the node ask, put the answer off, and return the question.

    The scripts answer the polls for it, before the honest answer.
    """
    granted = grant_to_node(kit)
    kit.provider.scripts["query", granted.hash] = [accept(poll_after_s=poll_after_s)]
    kit.provider.scripts["poll", granted.hash] = list(scripts)
    asked = kit.get_adapter().ask_later(granted.hash)
    expect_equal(asked, "202", "a question whose answer comes later")
    (query,) = kit.provider.list_received("query", granted.hash)
    expect(parse_object(query.body).get("deferred") is True, "the query takes no deferred answer")
    return query


def await_polls(kit: Kit, query: Incoming, count: int = 1) -> list[Incoming]:
    """Wait until the node has polled so often, and return its polls."""
    kit.wait(
        lambda: len(kit.provider.list_polls(query.msg_hash)) >= count,
        "the node does not poll",
        s_max=POLL_S_MAX,
    )
    return kit.provider.list_polls(query.msg_hash)


def change_answer(**fields: object) -> Script:
    """Return a script that gives the honest answer but for some of its parts."""

    def script(provider: Answerer, incoming: Incoming) -> Answer:
        draft = replace(build_summary_draft(), use=0, **fields)  # type: ignore[arg-type]  # its own kind
        return provider.reply(incoming, draft)

    return script


def forge_the_body(provider: Answerer, incoming: Incoming) -> Answer:
    return provider.reply(incoming, forge_body(replace(build_summary_draft(), use=0)))


def answer_the_question(provider: Answerer, incoming: Incoming) -> Answer:
    """Answer the question that is polled for, and not the poll."""
    name = parse_object(incoming.body)["request"]
    return provider.reply(incoming, replace(build_summary_draft(), claims={"req": name}))


def answer_a_batch(provider: Answerer, incoming: Incoming) -> Answer:
    items: list[JsonObject] = [
        {"consent": encode_b64u(bytes(32)), "code": "full", "summary": read_summary()}
    ]
    draft = build_batch_draft(incoming, items)
    return provider.reply(incoming, replace(draft, code="full", use=0))


def drop(_provider: Answerer, _incoming: Incoming) -> Answer:
    return Answer(status=502)


BAD: dict[str, tuple[tuple[str, ...], Script]] = {
    "no reply": (("EXC-62",), drop),
    "a broken signature": (("EXC-54",), change_answer(is_signature_broken=True)),
    "another member's key": (
        ("EXC-54",),
        change_answer(key=make_key("other.kit.example: messages")),
    ),
    "an answer to the question itself": (("EXC-56",), answer_the_question),
    "another body": (("EXC-58",), forge_the_body),
    "no inclusion": (("EXC-58",), change_answer(inclusion=lambda _text: "")),
    "a summary on another subject": (
        ("EXC-59",),
        change_answer(body=canonical_json({**read_summary(), "subject": "sim:KITTHIN1"})),
    ),
    "a batch": (("EXC-59",), answer_a_batch),
    "a summary that says it comes later": (("EXC-59",), change_answer(st="202")),
    "an acceptance without a time": (("EXC-59", "LIM-1"), accept(poll_after_s=0)),
    "an acceptance beyond a day": (("EXC-59", "LIM-1"), accept(poll_after_s=86_401)),
}


def _do_not_take(name: str, script: Script) -> Run:
    def run(kit: Kit) -> None:
        query = put_off(kit, script)
        (poll, *_) = await_polls(kit, query)

        settled = kit.get_adapter().settle(poll.envelope.jti)

        expect_equal(settled, "200", "the poll is settled with the honest answer")
        polls = kit.provider.list_polls(query.msg_hash)
        expect_equal(len({one.raw for one in polls}), 1, "how many different polls were sent")
        bad, *_, honest = [b"", *kit.provider.answered[poll.msg_hash]][-2:]
        kit.provider.good[f"a poll: {name}"] = honest
        kit.provider.bad[f"a poll: {name}"] = bad

    return run


for _name, (_rules, _script) in BAD.items():
    CASES.add(
        f"{_name} is not taken, and the same poll comes again",
        ("EXC-79", "EXC-60", *_rules),
        _do_not_take(_name, _script),
    )


@CASES.case("EXC-83", "EXC-31", "EXC-52")
def a_poll_waits_its_time_and_names_the_question_alone(kit: Kit) -> None:
    start_s = time.monotonic()
    query = put_off(kit, poll_after_s=POLL_AFTER_S)
    (poll,) = await_polls(kit, query)

    expect(time.monotonic() - start_s >= POLL_AFTER_S, "the node polls too early")
    expect_equal(poll.envelope.bct, POLL_TYPE, "the type of the body")
    expect_equal(poll.envelope.consents, (), "the consents in the envelope")
    due = {"v": 1, "kind": "poll", "request": encode_b64u(query.msg_hash)}
    expect_equal(parse_object(poll.body), due, "the body of the poll")
    accepted, answer = query.msg_hash, poll.msg_hash
    # A poll is seen here before its answer is sealed.
    kit.wait(lambda: answer in kit.provider.answered, "the kit does not answer", s_max=POLL_S_MAX)
    kit.provider.good["an accepted question"] = kit.provider.answered[accepted][-1]
    kit.provider.good["a polled answer"] = kit.provider.answered[answer][-1]


@CASES.case("EXC-83")
def a_second_acceptance_is_followed_by_a_new_poll_in_its_time(kit: Kit) -> None:
    start_s = time.monotonic()
    query = put_off(kit, accept(poll_after_s=POLL_AFTER_S))

    polls = await_polls(kit, query, 2)

    expect(time.monotonic() - start_s >= POLL_AFTER_S + 1, "the node polls too early")
    expect_equal(len({one.envelope.jti for one in polls}), 2, "how many polls there are")


def _poll_no_more(script: Script | None) -> Run:
    def run(kit: Kit) -> None:
        query = put_off(kit, *([script] if script else []))
        await_polls(kit, query)

        kit.pause(QUIET_S)

        expect_equal(len(kit.provider.list_polls(query.msg_hash)), 1, "how often was polled")

    return run


ENDS: dict[str, Script | None] = {
    "its answer": None,
    "a withdrawal": refuse("consent-revoked"),
    "no answer": refuse("no-answer"),
    "a question that the provider holds no longer": refuse("poll-unknown"),
}
for _name, _end in ENDS.items():
    CASES.add(f"after {_name} nothing is polled for", ("EXC-83",), _poll_no_more(_end))
