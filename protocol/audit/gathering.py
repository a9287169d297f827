"""Gathers what lies in one window: entries by message id, and lines by the salt of the request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from protocol.audit.reading import ReadLog
from protocol.audit.texts import IN_END, OUT_END, SALT_CHARACTERS
from protocol.audit.windows import Span, Stretch, Window
from protocol.audit.world import World
from protocol.bundle import MESSAGES_FILE, find_content
from protocol.entry import ExchangeTexts, RequestTexts, ResponseTexts, find_entry_texts
from protocol.tile import TILE_WIDTH, parse_bundle, tile_path

BLOCK_BYTES = 2**20
_OUT_KEY = slice(-len(OUT_END) - SALT_CHARACTERS, -len(OUT_END))
_IN_KEY = slice(-len(IN_END) - SALT_CHARACTERS, -len(IN_END))


class Party(NamedTuple):
    """A member with its one bundle; ``position`` counts its logs as it opened them."""

    log: ReadLog
    name: bytes
    bundle: int
    bundle_name: str
    position: int
    anchored: int


class HeldEntry(NamedTuple):
    """An entry below a signed head, in the log of its member."""

    party: Party
    entry: int
    raw: bytes


class HeldLine(NamedTuple):
    """A line of messages."""

    bundle: int
    number: int
    offset: int
    content: bytes


class WindowContent:
    """The entries of a window by message id, and its lines in pairs, in their usual spelling.

    ``asked`` are its own; of the rest there is somewhat more, so that both sides of an exchange are
    found together.
    """

    def __init__(self, world: World, window: Window) -> None:
        """Read the entries; the lines are read as they are asked for."""
        self._world = world
        self._window = window
        self.parties = {party.bundle: party for party in list_parties(world)}
        self.asked: dict[bytes, tuple[RequestTexts, HeldEntry]] = {}
        self.decided: dict[bytes, tuple[ExchangeTexts, HeldEntry]] = {}
        self.received: dict[bytes, tuple[ResponseTexts, HeldEntry]] = {}
        for span in window.spans:
            if span.bundle in self.parties:
                self._gather_entries(span, self.parties[span.bundle])

    def list_pairs(self) -> Iterator[list[tuple[HeldLine, HeldLine]]]:
        """Yield the records that asker and answerer hold alike, some at a time.

        All files are read side by side, so that few lines wait for their like.
        """
        readers = [
            self._read_lines(stretch)
            for stretch in self._window.stretches
            if stretch.bundle in self.parties
        ]
        out: dict[bytes, HeldLine] = {}
        others: dict[bytes, HeldLine] = {}
        while readers:
            for reader in tuple(readers):
                lines = next(reader, None)
                if lines is None:
                    readers.remove(reader)
                    continue
                for line in lines:
                    content = line.content
                    if content.endswith(OUT_END):
                        out[content[_OUT_KEY]] = line
                    elif content.endswith(IN_END):
                        others[content[_IN_KEY]] = line
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
                texts = find_entry_texts(raw)
                match texts:
                    case None:
                        pass
                    case RequestTexts():
                        if span.first <= index < span.end:
                            self.asked[texts.xid] = texts, HeldEntry(party, index, raw)
                    case ExchangeTexts():
                        self.decided[texts.xid] = texts, HeldEntry(party, index, raw)
                    case _:
                        self.received[texts.xid] = texts, HeldEntry(party, index, raw)

    def _read_lines(self, stretch: Stretch) -> Iterator[list[HeldLine]]:
        bundle, offset, number = stretch.bundle, stretch.start, stretch.lines
        files = self._world.bundles[bundle].files
        rest, position = b"", stretch.start
        while position < stretch.end:
            count = min(BLOCK_BYTES, stretch.end - position)
            block = rest + files.read(MESSAGES_FILE, offset=position, count=count)
            *whole, rest = block.split(b"\n")
            position += count
            lines: list[HeldLine] = []
            for content in whole:
                number += 1
                lines.append(HeldLine(bundle, number, offset, content))
                offset += len(content) + 1
            yield lines


def _is_same(out: HeldLine, other: HeldLine) -> bool:
    """Tell whether two lines differ in the side alone."""
    return out.content[: -len(OUT_END)] == other.content[: -len(IN_END)]


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
