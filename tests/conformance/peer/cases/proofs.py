"""Proofs beside a message that do not show this very message in its sender's log."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from protocol.encoding import encode_b64u
from protocol.entry import ExchangeEntry, KnownKind, RequestEntry
from protocol.strict_json import JsonObject, canonical_json, parse_object
from tests.conformance.peer.answerer import (
    Answerer,
    Incoming,
    Script,
    build_summary_draft,
)
from tests.conformance.peer.case import CaseList, Role, Run
from tests.conformance.peer.cases.common import (
    check_not_taken,
    grant_to_node,
    log_as_exchange,
    refuse_signed,
)
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.parts import Log, make_key
from tests.conformance.peer.server import Answer

CASES = CaseList("proof")
OTHER_HASH = base64.b64encode(bytes(32)).decode()
FIRST_HASH = 3  # the line after the name, the entry and its index
NOBODY = "nobody.example"


def keep(entry: RequestEntry) -> KnownKind:
    return entry


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with a proof: its text, the entry that is logged, or the log."""

    rules: tuple[str, ...]
    text: Callable[[str], str] = str
    entry: Callable[[RequestEntry], KnownKind] = keep
    log: Callable[[Kit], Log | None] = field(default=lambda _kit: None)


def change_lines(change: Callable[[list[str]], list[str]]) -> Callable[[str], str]:
    """Return what changes the lines before the checkpoint."""

    def change_text(text: str) -> str:
        head, _, note = text.partition("\n\n")
        return "\n".join(change(head.split("\n"))) + f"\n\n{note}"

    return change_text


def tell_another_time(lines: list[str]) -> list[str]:
    """Put an entry of this very message in the place of the one that is in the log."""
    entry = parse_object(base64.b64decode(lines[1].removeprefix("extra ")))
    raw = canonical_json({**entry, "at": 1})
    return [lines[0], f"extra {base64.b64encode(raw).decode()}", *lines[2:]]


def fork(kit: Kit) -> Log:
    """Return a log of the asker's name that another key signs."""
    return Log(member=kit.asker.member, key=make_key("not the asker's log"))


FAULTS: dict[str, Fault] = {
    "with another hash": Fault(
        rules=("LOG-16",),
        text=change_lines(
            lambda lines: [*lines[:FIRST_HASH], OTHER_HASH, *lines[FIRST_HASH + 1 :]]
        ),
    ),
    "with a hash more": Fault(
        rules=("LOG-16",), text=change_lines(lambda lines: [*lines, OTHER_HASH])
    ),
    "with a hash less": Fault(rules=("LOG-16",), text=change_lines(lambda lines: lines[:-1])),
    "of an entry that is not in the log": Fault(
        rules=("LOG-16",), text=change_lines(tell_another_time)
    ),
    "of another message": Fault(
        rules=("LOG-17",), entry=lambda entry: replace(entry, msg=bytes(32))
    ),
    "with another message id": Fault(
        rules=("LOG-17",), entry=lambda entry: replace(entry, xid=bytes(16))
    ),
    "with another peer": Fault(
        rules=("LOG-17",), entry=lambda entry: replace(entry, peer=NOBODY)
    ),
    "with another number": Fault(
        rules=("LOG-17",), entry=lambda entry: replace(entry, n=entry.n + 1)
    ),
    "of an answer": Fault(rules=("LOG-17",), entry=log_as_exchange),
    "in a log of another key": Fault(rules=("LOG-15",), log=fork),
    "in another member's log": Fault(rules=("LOG-15",), log=lambda kit: kit.other.log),
    "in a log that nobody has": Fault(
        rules=("LOG-15",), log=lambda kit: Log(member=NOBODY, key=kit.asker.log.key)
    ),
}  # fmt: skip


def _refuse(fault: Fault) -> Run:
    def run(kit: Kit) -> None:
        draft = replace(
            kit.write_query(kit.hold()),
            entry=fault.entry,
            log=fault.log(kit),
            inclusion=fault.text,
        )

        refuse_signed(kit, draft, code="bad-inclusion")

    return run


for _name, _fault in FAULTS.items():
    CASES.add(f"one {_name} is refused", ("EXC-28", *_fault.rules), _refuse(_fault))


def change_reply_entry(change: Callable[[ExchangeEntry], KnownKind]) -> Script:
    """Return a script that answers rightly and logs something else."""

    def script(provider: Answerer, incoming: Incoming) -> Answer:
        return provider.reply(incoming, replace(build_summary_draft(), entry=change))

    return script


def log_as_request(entry: ExchangeEntry) -> KnownKind:
    """Log an answer as if it had been a question of this name."""
    return RequestEntry(
        at_ms=entry.at_ms,
        xid=entry.xid,
        peer=entry.peer,
        n=entry.n,
        op=entry.op,
        msg=entry.ans,
        purpose="-",
        consents=entry.consents,
    )


REPLIES: dict[str, Script] = {
    "another answer": change_reply_entry(lambda entry: replace(entry, ans=bytes(32))),
    "another message id": change_reply_entry(lambda entry: replace(entry, xid=bytes(16))),
    "another peer": change_reply_entry(lambda entry: replace(entry, peer=NOBODY)),
    "another number": change_reply_entry(lambda entry: replace(entry, n=entry.n + 1)),
    "a question": change_reply_entry(log_as_request),
}


def _do_not_take(name: str, script: Script) -> Run:
    def run(kit: Kit) -> None:
        granted = grant_to_node(kit)

        check_not_taken(
            kit,
            f"an answer logged as {name}",
            granted,
            script=script,
            put=lambda adapter: adapter.ask(granted.hash),
        )

    return run


for _name, _script in REPLIES.items():
    CASES.add(
        f"an answer that is logged as {_name} is not taken",
        ("EXC-58", "LOG-17"),
        _do_not_take(_name, _script),
        role=Role.ASKER,
    )


@CASES.case("EXC-25")
def another_snapshot_of_a_number_that_is_held_is_unknown(kit: Kit) -> None:
    reference: JsonObject = {"seq": kit.hub.newest.seq, "hash": encode_b64u(bytes(32))}
    draft = replace(kit.write_query(kit.hold()), claims={"reg": reference})

    refuse_signed(kit, draft, code="registry-unknown")
