"""A member of a federation without a hub goes on in its next log."""

from __future__ import annotations

from dataclasses import replace

from node.core.database import UnitOfWork
from node.core.log import LogStore
from node.core.log_key import get_signing_key
from node.core.log_list import LogList
from node.core.log_transactions import Succession
from node.sharing.store import OwnKeyStore, SharingStore
from protocol.checkpoint import parse_checkpoint
from protocol.cosignature import cosign_checkpoint
from protocol.encoding import sha256
from protocol.entry import KeyChangeEntry, StopEntry, format_entry
from protocol.jws import split_compact
from protocol.keychange import KeyChange, sign_key_change
from protocol.keys import SigningKey
from protocol.limits import STATEMENT_BYTES_MAX
from protocol.note import add_signatures, parse_note, parse_vkey
from protocol.registry import KeyEntry, MemberEntry
from tests.support.nodes import NOW_S, WITNESS_KEY, TestFederation, TestNode, build_key_entry


def name_log(node: TestNode, number: int) -> str:
    return f"{node.member_id}/chengxin/log/{number}"


def get_log_key(node: TestNode, number: int) -> SigningKey:
    if number == 1:
        return get_signing_key(node.keys.log)
    return SigningKey(sha256(f"{node.member_id} {number}".encode()))


def move_log(member: MemberEntry, change: KeyChange, *, key: SigningKey) -> MemberEntry:
    """Return the registry's entry after a key change has moved the member's log."""

    def retire(entry: KeyEntry) -> KeyEntry:
        if entry.use != "log" or entry.origin is not None:
            return entry
        return replace(
            entry, origin=member.log_origin, revoked_at=change.old_ends_at, reason="superseded"
        )

    fresh = replace(build_key_entry(key, use="log"), nbf=change.nbf)
    assert change.origin is not None

    return replace(member, log_origin=change.origin, keys=(*map(retire, member.keys), fresh))


def begin_next_log(
    federation: TestFederation, node: TestNode, *, reason: str = "year", skipped: int = 0
) -> str:
    """Publish a member's next log and have its node change to it; return the origin.

    ``skipped`` is how many numbers for each peer are passed over.
    """
    number = node.writer.state.place.number + 1
    origin, key, old = (
        name_log(node, number),
        get_log_key(node, number),
        get_log_key(node, number - 1),
    )
    at_ms = federation.clock.now_ms()
    change = KeyChange(
        member=node.member_id,
        use="log",
        old=old.kid,
        new=key.public,
        iat=at_ms // 1000,
        nbf=at_ms // 1000,
        reason=reason,
        origin=origin,
    )
    tokens = sign_key_change(change, old=old, new=key)
    statement = sha256(split_compact(tokens[0], bytes_max=STATEMENT_BYTES_MAX).payload)
    members = tuple(
        move_log(one, change, key=key) if one.member == node.member_id else one
        for one in federation.registry.members
    )
    federation.publish(replace(federation.registry, members=members))
    entry = KeyChangeEntry(at_ms=at_ms, use="log", kid=key.kid, statement=statement)
    is_orderly = reason != "rolled-back"
    entries = (format_entry(entry),)

    def write(uow: UnitOfWork) -> None:
        OwnKeyStore(uow.connection).add(
            key.kid, use="log", statement=statement, tokens=tokens, at_s=at_ms // 1000
        )
        SharingStore(uow.connection).skip_counters(
            [one for one in federation.keys if one != node.member_id], count=skipped
        )

    node.writer.change_log(
        Succession(
            origin=origin,
            key=key,
            reason=reason,
            last=(*entries, format_entry(StopEntry(at_ms=at_ms))) if is_orderly else (),
            first=() if is_orderly else entries,
            write=write,
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
