"""A member of a federation without a hub goes on in its next log."""

from __future__ import annotations

from dataclasses import replace

from node.core.log import LogStore
from node.core.log_list import LogList
from node.core.log_transactions import Succession
from node.sharing.store import SharingStore
from protocol.checkpoint import parse_checkpoint
from protocol.cosignature import cosign_checkpoint
from protocol.encoding import sha256
from protocol.entry import KeyChangeEntry, StopEntry, format_entry
from protocol.keys import SigningKey
from protocol.note import add_signatures, parse_note, parse_vkey
from protocol.registry import KeyEntry, MemberEntry
from tests.support.nodes import NOW_S, WITNESS_KEY, TestFederation, TestNode, build_key_entry


def name_log(node: TestNode, number: int) -> str:
    return f"{node.member_id}/chengxin/log/{number}"


def move_log(member: MemberEntry, *, origin: str, key: SigningKey) -> MemberEntry:
    """Return the registry's entry after the member's log has moved."""

    def name(entry: KeyEntry) -> KeyEntry:
        is_newest = entry.use == "log" and entry.origin is None
        return replace(entry, origin=member.log_origin) if is_newest else entry

    keys = (*map(name, member.keys), build_key_entry(key, use="log"))
    return replace(member, log_origin=origin, keys=keys)


def begin_next_log(
    federation: TestFederation, node: TestNode, *, reason: str = "year", skipped: int = 0
) -> str:
    """Publish a member's next log and have its node change to it; return the origin.

    ``skipped`` is how many numbers for each peer are passed over.
    """
    number = node.writer.state.place.number + 1
    origin, key = name_log(node, number), SigningKey(sha256(f"{node.member_id} {number}".encode()))
    members = tuple(
        move_log(one, origin=origin, key=key) if one.member == node.member_id else one
        for one in federation.registry.members
    )
    federation.publish(replace(federation.registry, members=members))
    at_ms = federation.clock.now_ms()
    change = KeyChangeEntry(at_ms=at_ms, use="log", kid=key.kid, statement=sha256(b"statement"))
    is_orderly = reason != "rolled-back"
    entries = (format_entry(change),)
    node.writer.change_log(
        Succession(
            origin=origin,
            key=key,
            reason=reason,
            last=(*entries, format_entry(StopEntry(at_ms=at_ms))) if is_orderly else (),
            first=() if is_orderly else entries,
            write=lambda uow: SharingStore(uow.connection).skip_counters(
                [one for one in federation.keys if one != node.member_id], count=skipped
            ),
        )
    )
    return origin


def cosign(federation: TestFederation, node: TestNode) -> None:
    """Have the hub's witness cosign the newest head of each log of a node."""
    name = parse_vkey(federation.registry.witness_vkey).name
    with node.local.database.write() as uow:
        for log in LogList(uow.connection).list_all():
            head = parse_checkpoint(parse_note(log.checkpoint).text)
            signature = cosign_checkpoint(head, name=name, key=WITNESS_KEY, now_s=NOW_S)
            LogStore(uow.connection, log.place).store_witnessed(
                size=head.size, checkpoint=add_signatures(log.checkpoint, [signature]), at_s=NOW_S
            )
