"""Gathers what lies in one window: entries by what they name, lines by the request's salt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from protocol.audit.reading import ReadLog
from protocol.audit.texts import HASH_CHARACTERS, IN_END, OUT_END, SALT_CHARACTERS
from protocol.audit.windows import Span, Stretch, Window
from protocol.audit.world import World
from protocol.bundle import MESSAGES_FILE, find_content
from protocol.tile import TILE_WIDTH, parse_bundle, tile_path

BLOCK_BYTES = 2**17  # of one file: what is read of it stays in the cache till it is judged
_OUT_KEY = slice(-len(OUT_END) - SALT_CHARACTERS, -len(OUT_END))
_IN_KEY = slice(-len(IN_END) - SALT_CHARACTERS, -len(IN_END))
_REQUEST_START = b'{"at":'
_ANS = slice(len(b'{"ans":"'), len(b'{"ans":"') + HASH_CHARACTERS)
_XID = slice(-24, -2)
_BEFORE_USE = slice(-40, -39)  # of ``"use":0,"v":1,"xid":"…"}``


class Party(NamedTuple):
    """A member with its one bundle; ``position`` counts its logs as it opened them."""

    log: ReadLog
    name: bytes
    bundle: int
    bundle_name: str
    position: int
    anchored: int


# Plain tuples, since most are looked at once, and named ones take their time to make.
HeldEntry = tuple[bytes, int, Party]
"""An entry below a signed head: its bytes, its index in the log, and whose that is."""
HeldLine = tuple[bytes, int, int, int]
"""A line of messages: its content, its bundle, where it begins, and its number."""
PairedLines = tuple[HeldLine, HeldLine]


class WindowContent:
    """The entries of a window by what they name, and its lines in pairs.

    Nothing is parsed: where an entry is found says what it seems to be, and whoever takes it
    compares the whole of it. ``asked`` are the window's own, by message id; ``decided`` and
    ``received`` are by the hash of the answer, and somewhat more, so that both sides of an
    exchange are found together.
    """

    def __init__(self, world: World, window: Window) -> None:
        """Read the entries; the lines are read as they are asked for."""
        self._world = world
        self._window = window
        self.parties = {party.bundle: party for party in list_parties(world)}
        self.asked: dict[bytes, HeldEntry] = {}
        self.decided: dict[bytes, HeldEntry] = {}
        self.received: dict[bytes, HeldEntry] = {}
        for span in window.spans:
            if span.bundle in self.parties:
                self._gather_entries(span, self.parties[span.bundle])

    def list_pairs(self) -> Iterator[list[PairedLines]]:
        """Yield the records that asker and answerer hold alike, some at a time.

        All files are read side by side, so that few lines wait for their like.
        """
        out: dict[bytes, HeldLine] = {}
        others: dict[bytes, HeldLine] = {}
        readers = [
            self._read_lines(stretch, out, others)
            for stretch in self._window.stretches
            if stretch.bundle in self.parties
        ]
        while readers:
            readers = [reader for reader in readers if next(reader, False)]
            found = [salt for salt in out if salt in others]  # in the order of the file
            pairs = [(out.pop(salt), others.pop(salt)) for salt in found]
            yield [pair for pair in pairs if _is_same(*pair)]

    def _gather_entries(self, span: Span, party: Party) -> None:
        log = party.log
        for block in range(span.first_block, span.end_block):
            if block in log.tree.odd:
                continue
            first = block * TILE_WIDTH
            width = min(TILE_WIDTH, log.exported.size - first)
            data = find_content(log.exported.files, tile_path(None, block, width))
            entries = parse_bundle(data or b"", width=width)
            for index, raw in enumerate(entries[: max(party.anchored - first, 0)], start=first):
                if raw.startswith(_REQUEST_START):
                    if span.first <= index < span.end:
                        self.asked[raw[_XID]] = raw, index, party
                elif raw[_BEFORE_USE] == b":":
                    self.decided[raw[_ANS]] = raw, index, party
                else:
                    self.received[raw[_ANS]] = raw, index, party

    def _read_lines(
        self, stretch: Stretch, out: dict[bytes, HeldLine], others: dict[bytes, HeldLine]
    ) -> Iterator[bool]:
        """Sort the lines of a file by side and salt, a block of it at each turn."""
        bundle, offset, number = stretch.bundle, stretch.start, stretch.lines
        files = self._world.bundles[bundle].files
        rest, position = b"", stretch.start
        while position < stretch.end:
            count = min(BLOCK_BYTES, stretch.end - position)
            whole = files.read(MESSAGES_FILE, offset=position, count=count).split(b"\n")
            whole[0] = rest + whole[0]
            rest = whole.pop()
            position += count
            for content in whole:
                number += 1
                if content.endswith(OUT_END):
                    out[content[_OUT_KEY]] = content, bundle, offset, number
                elif content.endswith(IN_END):
                    others[content[_IN_KEY]] = content, bundle, offset, number
                offset += len(content) + 1
            yield True


def _is_same(out: HeldLine, other: HeldLine) -> bool:
    """Tell whether two lines differ in the side alone."""
    shared = out[0][: -len(OUT_END)]
    return len(other[0]) == len(shared) + len(IN_END) and other[0].startswith(shared)


def list_parties(world: World) -> Iterator[Party]:
    """Yield the members of whom exactly one bundle is here, and its log counts."""
    for bundle, log in world.primary.items():
        if list(world.holders.values()).count(log.member) == 1:
            yield Party(
                log=log,
                name=log.member.encode("ascii", errors="replace"),
                bundle=bundle,
                bundle_name=world.bundles[bundle].name,
                position=world.list_origins(log.member).index(log.origin),
                anchored=min(world.anchored[log.origin], log.tree.size),
            )
