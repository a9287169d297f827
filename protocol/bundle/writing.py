"""Writes the files of a bundle (docs/protocol/bundle.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from protocol.bundle.reading import BUNDLE_VERSION
from protocol.bundle.records import Manifest, MessageCopy, MessageFilter
from protocol.encoding import encode_b64u
from protocol.log_policy import LogPolicy, PolicyGroup, PolicyLog, PolicyWitness
from protocol.note import VerifierKey
from protocol.strict_json import JsonObject, canonical_json
from protocol.tile import encode_bundle, list_tiles, tile_path

_ENTRY_LEVEL = 0  # the hash tiles that have a bundle of entries beneath them


def format_manifest(manifest: Manifest) -> bytes:
    """Write a manifest."""
    value: JsonObject = {
        "v": BUNDLE_VERSION,
        "member": manifest.member,
        "origin": manifest.origin,
        "exported_at_s": manifest.exported_at_s,
        "size": manifest.size,
        "root": encode_b64u(manifest.root),
        "redacted": manifest.redacted,
    }
    if manifest.filter is not None:
        value["filter"] = _format_filter(manifest.filter)
    return _format_line(value)


def format_snapshot(*, seq: int, tokens: Sequence[str]) -> bytes:
    """Write a line of ``registry.jsonl``."""
    return _format_line({"seq": seq, "tokens": list(tokens)})


def format_consent(*, token: str, subject: str | None = None, salt: bytes | None = None) -> bytes:
    """Write a line of ``consents.jsonl``; without subject id and salt it is redacted."""
    line: JsonObject = {"token": token}
    if subject is not None and salt is not None:
        line |= {"subject": subject, "salt": encode_b64u(salt)}
    return _format_line(line)


def format_status(token: str) -> bytes:
    """Write a line of ``statuses.jsonl``."""
    return _format_line({"token": token})


def format_message_record(*, side: str, request: MessageCopy, answer: MessageCopy | None) -> bytes:
    """Write a line of ``messages.jsonl``."""
    line: JsonObject = {"side": side} | _format_copy("request", request)
    if answer is not None:
        line |= _format_copy("answer", answer)
    return _format_line(line)


def format_head(*, peer: str, checkpoint: str) -> bytes:
    """Write a line of ``heads.jsonl``."""
    return _format_line({"peer": peer, "checkpoint": checkpoint})


def format_witnessed(checkpoint: str) -> bytes:
    """Write a line of ``witnessed.jsonl``."""
    return _format_line({"checkpoint": checkpoint})


def format_anchor(*, entry: int, token: bytes) -> bytes:
    """Write a line of ``anchors.jsonl``."""
    return _format_line({"entry": entry, "token": encode_b64u(token)})


def format_key_change(tokens: Sequence[str]) -> bytes:
    """Write a line of ``keychanges.jsonl``."""
    return _format_line({"tokens": list(tokens)})


def build_log_files(
    size: int,
    *,
    read_tile: Callable[[int, int, int], bytes],
    list_entries: Callable[[int, int], Sequence[bytes]],
) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every tile and entry bundle of a log of this size.

    Args:
        size: The size of the checkpoint beside them.
        read_tile: Returns a tile by level, index and width.
        list_entries: Returns entries by the first one's index and their number.
    """
    for tile in list_tiles(size):
        level = tile.level or 0
        yield tile.path, read_tile(level, tile.index, tile.width)
        if level == _ENTRY_LEVEL:
            entries = list_entries(tile.index << 8, tile.width)
            yield tile_path(None, tile.index, tile.width), encode_bundle(entries)


def build_policy(*, log: VerifierKey, witnesses: Sequence[VerifierKey]) -> LogPolicy:
    """Return the policy for a member's log: its key, and any one key of the hub's witness."""
    named = tuple(
        PolicyWitness(name=f"hub{number}", key=key)
        for number, key in enumerate(dict.fromkeys(witnesses), start=1)
    )
    group = PolicyGroup(name="hub", threshold=1, members=tuple(one.name for one in named))
    return LogPolicy(logs=(PolicyLog(key=log),), witnesses=named, groups=(group,), quorum="hub")


def _format_line(value: JsonObject) -> bytes:
    return canonical_json(value) + b"\n"


def _format_copy(name: str, copy: MessageCopy) -> JsonObject:
    line: JsonObject = {name: copy.env, f"{name}_inclusion": copy.inclusion}
    if copy.body is not None and copy.salt is not None:
        line |= {f"{name}_body": encode_b64u(copy.body), f"{name}_salt": encode_b64u(copy.salt)}
    return line


def _format_filter(chosen: MessageFilter) -> JsonObject:
    value: JsonObject = {}
    if chosen.from_s is not None:
        value["from_s"] = chosen.from_s
    if chosen.until_s is not None:
        value["until_s"] = chosen.until_s
    if chosen.peers:
        value["peers"] = list(chosen.peers)
    return value
