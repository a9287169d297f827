"""Time-stamps of heads: each token is the one that an ``anchor`` entry of its log names.

What a token says, and who signed it, is for a tool that reads CMS; its hash in the log is enough to
tell that it is no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocol.audit.findings import Finding, Outcome, Place
from protocol.bundle import ANCHORS_FILE, AnchorRecord, Bundle, find_content
from protocol.encoding import sha256
from protocol.entry import AnchorEntry, parse_entry
from protocol.errors import ProtocolError
from protocol.tile import TILE_WIDTH, parse_bundle, tile_path


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAnchor:
    """A token with the entry that names it; None where the bundle shows no such entry."""

    record: AnchorRecord
    entry: AnchorEntry | None
    place: Place

    @property
    def is_named(self) -> bool:
        """Tell whether the entry names this very token."""
        return self.entry is not None and self.entry.token == sha256(self.record.token)


def list_anchors(bundle: Bundle) -> Iterator[NamedAnchor]:
    """Yield every token of a bundle with its entry, in the order of the file."""
    for record in bundle.anchors:
        place = Place(bundle=bundle.name, file=ANCHORS_FILE, line=record.line)
        yield NamedAnchor(record=record, entry=_find_entry(bundle, index=record.entry), place=place)


def judge_anchors(bundles: Sequence[Bundle]) -> Iterator[Finding]:
    """Yield a finding for every token that no entry names."""
    for bundle in bundles:
        for anchor in list_anchors(bundle):
            if anchor.is_named:
                continue
            index = anchor.record.entry
            text = f"entry {index} is no time-stamp's, or is not shown"
            if anchor.entry is not None:
                text = f"entry {index} names another token than this one"
            yield Finding(
                outcome=Outcome.FAILS, code="anchor-unfounded", text=text, place=anchor.place
            )


def _find_entry(bundle: Bundle, *, index: int) -> AnchorEntry | None:
    size = 0 if bundle.manifest is None else bundle.manifest.size
    if index >= size:
        return None
    first = index - index % TILE_WIDTH
    width = min(TILE_WIDTH, size - first)
    try:
        data = find_content(bundle.files, tile_path(None, index // TILE_WIDTH, width))
        if data is None:
            return None
        entry = parse_entry(parse_bundle(data, width=width)[index - first])
    except ProtocolError:
        return None
    return entry if isinstance(entry, AnchorEntry) else None
