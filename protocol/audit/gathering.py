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
    """The entries and lines of a window, as far as they are in their usual spelling.

    ``asked`` are its own; of the rest there is somewhat more, so that both sides of an exchange are
    found together.
    """

    def __init__(self, world: World, window: Window) -> None:
        """Read them."""
        self._world = world
        self.parties = {party.bundle: party for party in list_parties(world)}
        self.asked: dict[bytes, tuple[RequestTexts, HeldEntry]] = {}
        self.decided: dict[bytes, tuple[ExchangeTexts, HeldEntry]] = {}
        self.received: dict[bytes, tuple[ResponseTexts, HeldEntry]] = {}
        self.out: list[HeldLine] = []
        self._in: dict[bytes, HeldLine] = {}
        for span in window.spans:
            if span.bundle in self.parties:
                self._gather_entries(span, self.parties[span.bundle])
        for stretch in window.stretches:
            if stretch.bundle in self.parties:
                self._gather_lines(stretch)

    def find_other(self, out: HeldLine) -> HeldLine | None:
        """Return the line that has the same record on the answerer's side."""
        other = self._in.get(out.content[_OUT_KEY])
        if other is None or other.content[: -len(IN_END)] != out.content[: -len(OUT_END)]:
            return None
        return other

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

    def _gather_lines(self, stretch: Stretch) -> None:
        bundle, offset, number = stretch.bundle, stretch.start, stretch.lines
        files = self._world.bundles[bundle].files
        data = files.read(MESSAGES_FILE, offset=offset, count=stretch.end - offset)
        *whole, _ = data.split(b"\n")
        for content in whole:
            number += 1
            line = HeldLine(bundle, number, offset, content)
            if content.endswith(OUT_END):
                self.out.append(line)
            elif content.endswith(IN_END):
                self._in[content[_IN_KEY]] = line
            offset += len(content) + 1


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
