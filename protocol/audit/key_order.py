"""Whether messages were signed by a changed key before its owner's log named it (keys.md §4).

A member's first message key needs no entry. Of another one the entry comes first: who reads the log
must know of the key before the first message that it signs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from protocol.audit.blocks import read_block
from protocol.audit.evidence import KnownEntry
from protocol.audit.world import World
from protocol.encoding import encode_b64u
from protocol.entry import (
    Entry,
    ExchangeEntry,
    KeyChangeEntry,
    KnownKind,
    RequestEntry,
    UnknownEntry,
    parse_entry,
)
from protocol.errors import ProtocolError
from protocol.limits import MESSAGE_LIFE_S_MAX
from protocol.registry import KeyEntry
from protocol.tile import TILE_WIDTH

USE = "message"
IN_DOUBT_MAX = 10_000  # exchanges of one key: an honest node has those of a few minutes at most
KeyPlaces = Mapping[tuple[str, str], tuple[int, int]]


def list_key_places(others: Sequence[KnownEntry[Entry]]) -> KeyPlaces:
    """Return where the logs first name each changed message key, by member and thumbprint."""
    places: dict[tuple[str, str], tuple[int, int]] = {}
    for known in others:
        if isinstance(known.entry, KeyChangeEntry) and known.entry.use == USE:
            name = known.member, known.entry.kid
            places[name] = min(known.position, places.get(name, known.position))
    return places


def list_later_keys(world: World, member_id: str) -> Sequence[KeyEntry]:
    """Return a member's message keys but the first."""
    member = world.chain.newest.find_member(member_id)
    keys = () if member is None else tuple(one for one in member.keys if one.use == USE)
    return keys[1:]


def is_early(
    world: World, places: KeyPlaces, *, member: str, kid: str, position: tuple[int, int]
) -> bool:
    """Tell whether a member's log has a message before the entry of the key that signed it.

    A key without any entry is told only where all of the log before the message can be read.
    """
    if kid not in {one.key.kid for one in list_later_keys(world, member)}:
        return False
    named = places.get((member, kid))
    if named is not None:
        return position < named
    return world.shows_all_before(member, position)


def list_in_doubt(world: World, places: KeyPlaces) -> Iterator[bytes]:
    """Yield the message ids of exchanges that a changed key may have signed too early.

    Those are the member's own, of the time in which the key counted already and was not named yet,
    by the times of its log's entries. They are looked at one by one, however ordinary they are.
    """
    for member in sorted(world.members):
        for key in list_later_keys(world, member):
            named = places.get((member, key.key.kid))
            since_ms = (key.nbf - MESSAGE_LIFE_S_MAX) * 1000
            yield from _list_before(world, member, named, since_ms=since_ms)


def _list_before(
    world: World, member: str, named: tuple[int, int] | None, *, since_ms: int
) -> Iterator[bytes]:
    count = 0
    for entries in _read_backwards(world, member, named):
        recent = [one for one in entries if one.at_ms >= since_ms]
        own = [one.xid for one in recent if isinstance(one, (RequestEntry, ExchangeEntry))]
        for xid in own:
            yield encode_b64u(xid).encode("ascii")
        count += len(own)
        if count >= IN_DOUBT_MAX or (entries and not recent):
            return


def _read_backwards(
    world: World, member: str, end: tuple[int, int] | None
) -> Iterator[list[KnownKind]]:
    """Yield the entries of a member's logs before a position, a block at a time, the last first."""
    number, index = end or (len(world.list_origins(member)), 0)
    for at, origin in reversed(list(enumerate(world.list_origins(member)[: number + 1]))):
        log = world.logs.get(origin)
        if log is None:
            continue
        size = min(log.tree.size, index) if at == number else log.tree.size
        for block in reversed(range(-(-size // TILE_WIDTH))):
            found = read_block(log.exported.files, size=log.exported.size, index=block)
            read = map(_read, found.entries[: size - found.first])
            yield [one for one in read if one is not None]


def _read(raw: bytes | None) -> KnownKind | None:
    try:
        entry = parse_entry(raw or b"")
    except ProtocolError:
        return None
    return None if isinstance(entry, UnknownEntry) else entry
