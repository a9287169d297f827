"""The node under test asks several questions at once; the member asked answers with a bad list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from protocol.encoding import encode_b64u
from protocol.strict_json import JsonObject, JsonValue, parse_object
from tests.conformance.peer.answerer import (
    Answerer,
    Incoming,
    Script,
    accept,
    build_batch_draft,
    build_items,
    build_summary_draft,
    forge_body,
)
from tests.conformance.peer.case import CaseList, Role, Run, expect, expect_equal
from tests.conformance.peer.cases.common import check_not_taken, grant_to_node, read_list
from tests.conformance.peer.customers import Granted
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.material import read_summary
from tests.conformance.peer.messages import BATCH_TYPE, SECTIONS
from tests.conformance.peer.server import Answer

CASES = CaseList("asking a batch", role=Role.ASKER)
Change = Callable[[list[JsonObject]], list[JsonObject]]


def grant_two(kit: Kit) -> tuple[Granted, Granted]:
    """Give the node consents of two customers to ask the kit's provider."""
    return grant_to_node(kit), grant_to_node(kit)


def change_items(change: Change) -> Script:
    """Return a script that gives the honest items but for a change."""

    def script(provider: Answerer, incoming: Incoming) -> Answer:
        return provider.reply(incoming, build_batch_draft(incoming, change(build_items(incoming))))

    return script


def set_second(**members: JsonValue) -> Script:
    """Return a script that changes members of the second item."""
    return change_items(lambda items: [items[0], {**items[1], **members}])


def refuse_second(code: str) -> Script:
    """Return a script that has a code and no summary in the second item."""
    return change_items(lambda items: [items[0], {"consent": items[1]["consent"], "code": code}])


def forge_the_digest(provider: Answerer, incoming: Incoming) -> Answer:
    """Send other bytes than those that were signed."""
    return provider.reply(incoming, forge_body(build_batch_draft(incoming, build_items(incoming))))


def answer_one(provider: Answerer, incoming: Incoming) -> Answer:
    """Give one summary, as to a single question."""
    return provider.reply(incoming, build_summary_draft())


OTHER: JsonObject = {**read_summary(), "subject": "sim:KITTHIN1"}
BAD: dict[str, tuple[tuple[str, ...], Script]] = {
    "items in another order": ((), change_items(lambda items: items[::-1])),
    "an item missing": ((), change_items(lambda items: items[:1])),
    "no items": ((), change_items(lambda _items: [])),
    "an item more": (
        (),
        change_items(lambda items: [*items, {**items[0], "consent": encode_b64u(bytes(32))}]),
    ),
    "an item twice": ((), change_items(lambda items: [*items, items[0]])),
    "one item in the other's place": ((), change_items(lambda items: [items[0], items[0]])),
    "an item under a consent that was not asked about": (
        (),
        set_second(consent=encode_b64u(bytes(32))),
    ),
    "a summary on another subject": ((), set_second(summary=OTHER)),
    "a code that is not its summary's tier": ((), set_second(code="class")),
    "a tier without a summary": ((), refuse_second("full")),
    "a refusal with a summary": ((), set_second(code="consent-revoked")),
    "a code that nobody knows": ((), refuse_second("whim")),
    "a code of another check": ((), refuse_second("quota")),
    "an item with one member more": (("EXC-59",), set_second(limit=1)),
    "items that nobody signed": (("EXC-58",), forge_the_digest),
    "one summary for all": (("EXC-59",), answer_one),
    "a deferred answer": (("EXC-78",), accept()),
}  # fmt: skip


def _do_not_take(name: str, script: Script) -> Run:
    def run(kit: Kit) -> None:
        granted = grant_two(kit)
        consents = [one.hash for one in granted]

        check_not_taken(
            kit, name, *granted, script=script, put=lambda adapter: adapter.ask_batch(consents)
        )

    return run


for _name, (_rules, _script) in BAD.items():
    CASES.add(f"{_name}: not taken", ("EXC-75", "EXC-60", *_rules), _do_not_take(_name, _script))


@CASES.case("EXC-31", "EXC-72", "EXC-75", "EXC-52")
def a_batch_names_its_consents_in_the_order_asked(kit: Kit) -> None:
    granted = grant_two(kit)
    consents = [one.hash for one in granted]

    asked = kit.get_adapter().ask_batch(consents)

    (sent,) = kit.provider.list_received("query", *consents)
    expect_equal((asked, sent.envelope.bct), ("200", BATCH_TYPE), "the ask and its body type")
    body = parse_object(sent.body)
    questions = [
        (
            one.get("consent"),
            set(SECTIONS) ^ set(map(str, read_list(one, "metrics"))),
            one.get("last_months"),
        )
        for one in read_list(body, "items")
        if isinstance(one, dict)
    ]
    due = [(encode_b64u(one), set[str](), 12) for one in consents]
    expect_equal(questions, due, "consents, sections beside all, and months of the questions")
    expect_equal(set(body), {"v", "kind", "purpose", "items"}, "the members of the batch")
    kit.provider.good["an honest batch"] = kit.provider.answered[sent.msg_hash][-1]


@CASES.case("EXC-73", "EXC-75")
def refusals_of_single_questions_are_taken(kit: Kit) -> None:
    granted = grant_two(kit)
    consents = [one.hash for one in granted]
    kit.provider.scripts["query", consents[0]] = [refuse_second("consent-revoked")]

    expect_equal(kit.get_adapter().ask_batch(consents), "200", "the ask")


@CASES.case("EXC-75", "EXC-51")
def nothing_is_sent_where_one_consent_does_not_cover_its_question(kit: Kit) -> None:
    covered = grant_to_node(kit)
    narrow = grant_to_node(kit, lambda one: replace(one, last_months=3))
    consents = [covered.hash, narrow.hash]

    asked = kit.get_adapter().ask_batch(consents)

    expect(asked not in {"200", "202"}, "the node says that it was answered")
    expect_equal(kit.provider.list_received("query", *consents), [], "what the node has sent")
    single = kit.provider.list_received("query", covered.hash)
    expect_equal(single, [], "what the node has asked alone")
