"""The bundle: what one node hands to an auditor (docs/protocol/bundle.md).

``manifest.json``   whose log, how far, when, whether redacted
``policy``          tlog-policy: the log and the hub's witness
``checkpoint``      the newest cosigned head
``tile/…``          tlog-tiles of exactly that size, entries among them
``registry.jsonl``  the snapshots, from number 1
``consents.jsonl``  artefacts, with subject id and salt unless redacted
``statuses.jsonl``  signed changes of a consent's state
``messages.jsonl``  envelopes with proofs; bodies and salts unless redacted or erased
``heads.jsonl``     peers' checkpoints held

Another verifier of tlog-tiles reads the same folder. Nothing here is trusted: what cannot be read
becomes a fault of its file and line, and the rest is judged without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import MalformedError, ProtocolError, SchemaError, TooLargeError
from protocol.limits import (
    ANSWER_BYTES_MAX,
    ENVELOPE_BYTES_MAX,
    INCLUSION_BYTES_MAX,
    MEMBER_ID_CHARACTERS_MAX,
    NOTE_BYTES_MAX,
    REGISTRY_BYTES_MAX,
    SALT_BYTES,
    STATEMENT_BYTES_MAX,
    STATEMENT_SIGNATURES_MAX,
    SUBJECT_ID_CHARACTERS_MAX,
)
from protocol.log_policy import LogPolicy, PolicyGroup, PolicyLog, PolicyWitness
from protocol.note import VerifierKey, decode_text
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, canonical_json, parse_object
from protocol.tile import encode_bundle, list_tiles, tile_path

MANIFEST_FILE = "manifest.json"
POLICY_FILE = "policy"
CHECKPOINT_FILE = "checkpoint"
REGISTRY_FILE = "registry.jsonl"
CONSENTS_FILE = "consents.jsonl"
STATUSES_FILE = "statuses.jsonl"
MESSAGES_FILE = "messages.jsonl"
HEADS_FILE = "heads.jsonl"
TILE_FOLDER = "tile/"

BUNDLE_VERSION = 1
BUNDLES_MAX = 1_000  # given to one audit
BUNDLE_FILES_MAX = 100_000
BUNDLE_BYTES_MAX = 2**32
BUNDLE_LINES_MAX = 2_000_000  # of one file
BUNDLE_LINE_BYTES_MAX = 2 * REGISTRY_BYTES_MAX

_FILES = frozenset(
    {
        MANIFEST_FILE,
        POLICY_FILE,
        CHECKPOINT_FILE,
        REGISTRY_FILE,
        CONSENTS_FILE,
        STATUSES_FILE,
        MESSAGES_FILE,
        HEADS_FILE,
    }
)
_ENTRY_LEVEL = 0  # the hash tiles that have a bundle of entries beneath them
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the bundle says of itself; size and root repeat the checkpoint for people."""

    member: str
    origin: str
    exported_at_s: int
    size: int
    root: bytes
    redacted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRecord:
    """One registry snapshot; ``line`` counts from 1, as it does in every record."""

    line: int
    seq: int
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """One artefact; subject id and salt are absent where redacted or erased."""

    line: int
    token: str
    subject: str | None = None
    salt: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRecord:
    """One signed change of a consent's state."""

    line: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCopy:
    """One message as this node keeps it; body and salt are absent where redacted or erased."""

    env: str
    inclusion: str
    body: bytes | None = None
    salt: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """A request with its answer: ``in`` was answered by this node, ``out`` was asked by it."""

    line: int
    side: str
    request: MessageCopy
    answer: MessageCopy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRecord:
    """A peer's checkpoint that this node holds."""

    line: int
    peer: str
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something in a bundle that cannot be read."""

    file: str
    line: int | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle taken apart; nothing in it is verified."""

    name: str
    manifest: Manifest | None
    policy: bytes
    checkpoint: str
    tiles: Mapping[str, bytes]
    snapshots: tuple[SnapshotRecord, ...]
    consents: tuple[ConsentRecord, ...]
    statuses: tuple[StatusRecord, ...]
    messages: tuple[MessageRecord, ...]
    heads: tuple[HeadRecord, ...]
    faults: tuple[Fault, ...]


def parse_bundle_files(files: Mapping[str, bytes], *, name: str) -> Bundle:
    """Read a bundle from its files, path to content; what cannot be read becomes a fault."""
    faults = [
        Fault(file=path, line=None, detail="no file of a bundle")
        for path in sorted(files)
        if path not in _FILES and not path.startswith(TILE_FOLDER)
    ]
    reader = _FileReader(files=files, faults=faults)
    return Bundle(
        name=name,
        manifest=reader.whole(MANIFEST_FILE, parse_manifest),
        policy=reader.whole(POLICY_FILE, bytes) or b"",
        checkpoint=reader.whole(CHECKPOINT_FILE, decode_text) or "",
        tiles={path: data for path, data in files.items() if path.startswith(TILE_FOLDER)},
        snapshots=reader.lines(REGISTRY_FILE, _parse_snapshot),
        consents=reader.lines(CONSENTS_FILE, _parse_consent),
        statuses=reader.lines(STATUSES_FILE, _parse_status),
        messages=reader.lines(MESSAGES_FILE, _parse_message),
        heads=reader.lines(HEADS_FILE, _parse_head),
        faults=tuple(faults),
    )


def parse_manifest(raw: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        MalformedError: Not JSON of the subset.
        SchemaError: A member is missing, unknown or wrong.
    """
    reader = ShapeReader(parse_object(raw), what="manifest")
    reader.integer("v", low=BUNDLE_VERSION, high=BUNDLE_VERSION)
    manifest = Manifest(
        member=reader.text("member", characters_max=MEMBER_ID_CHARACTERS_MAX),
        origin=reader.text("origin"),
        exported_at_s=reader.integer("exported_at_s"),
        size=reader.integer("size"),
        root=reader.octets("root"),
        redacted=reader.boolean("redacted"),
    )
    reader.finish()
    return manifest


def format_manifest(manifest: Manifest) -> bytes:
    """Write a manifest."""
    return _format_line(
        {
            "v": BUNDLE_VERSION,
            "member": manifest.member,
            "origin": manifest.origin,
            "exported_at_s": manifest.exported_at_s,
            "size": manifest.size,
            "root": encode_b64u(manifest.root),
            "redacted": manifest.redacted,
        }
    )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileReader:
    """Reads files one by one and collects what cannot be read."""

    files: Mapping[str, bytes]
    faults: list[Fault]

    def whole(self, file: str, parse: Callable[[bytes], T]) -> T | None:
        """Read a file in one piece."""
        raw = self.files.get(file)
        if raw is None:
            self._add(file, "the file is missing")
            return None
        try:
            return parse(raw)
        except ProtocolError as err:
            self._add(file, err.detail)
            return None

    def lines(self, file: str, parse: Callable[[ShapeReader, int], T]) -> tuple[T, ...]:
        """Read a file line by line."""
        raw = self.files.get(file)
        if raw is None:
            self._add(file, "the file is missing")
            return ()
        return tuple(self._records(file, raw, parse))

    def _records(
        self, file: str, raw: bytes, parse: Callable[[ShapeReader, int], T]
    ) -> Iterable[T]:
        lines = raw.split(b"\n", BUNDLE_LINES_MAX)
        if lines.pop():
            self._add(file, "does not end with a newline, or has too many lines")
        for number, line in enumerate(lines, start=1):
            try:
                if len(line) > BUNDLE_LINE_BYTES_MAX:
                    raise TooLargeError(f"more than {BUNDLE_LINE_BYTES_MAX} bytes")
                reader = ShapeReader(parse_object(line), what=file)
                record = parse(reader, number)
                reader.finish()
                yield record
            except ProtocolError as err:
                self._add(file, err.detail, line=number)

    def _add(self, file: str, detail: str, *, line: int | None = None) -> None:
        self.faults.append(Fault(file=file, line=line, detail=detail))


def _format_line(value: JsonObject) -> bytes:
    return canonical_json(value) + b"\n"


def _format_copy(name: str, copy: MessageCopy) -> JsonObject:
    line: JsonObject = {name: copy.env, f"{name}_inclusion": copy.inclusion}
    if copy.body is not None and copy.salt is not None:
        line |= {f"{name}_body": encode_b64u(copy.body), f"{name}_salt": encode_b64u(copy.salt)}
    return line


def _parse_snapshot(reader: ShapeReader, line: int) -> SnapshotRecord:
    return SnapshotRecord(
        line=line,
        seq=reader.integer("seq", low=1),
        tokens=reader.texts("tokens", count_max=STATEMENT_SIGNATURES_MAX),
    )


def _parse_consent(reader: ShapeReader, line: int) -> ConsentRecord:
    token = _take_text(reader, "token", characters_max=STATEMENT_BYTES_MAX)
    if not reader.has("subject"):
        return ConsentRecord(line=line, token=token)
    return ConsentRecord(
        line=line,
        token=token,
        subject=reader.text("subject", characters_max=SUBJECT_ID_CHARACTERS_MAX),
        salt=reader.octets("salt", bytes_exact=SALT_BYTES),
    )


def _parse_status(reader: ShapeReader, line: int) -> StatusRecord:
    token = _take_text(reader, "token", characters_max=STATEMENT_BYTES_MAX)
    return StatusRecord(line=line, token=token)


def _parse_message(reader: ShapeReader, line: int) -> MessageRecord:
    return MessageRecord(
        line=line,
        side=reader.choice("side", {"in", "out"}),
        request=_parse_copy(reader, "request"),
        answer=_parse_copy(reader, "answer") if reader.has("answer") else None,
    )


def _parse_copy(reader: ShapeReader, name: str) -> MessageCopy:
    env = _take_text(reader, name, characters_max=ENVELOPE_BYTES_MAX)
    inclusion = _take_text(
        reader, f"{name}_inclusion", characters_max=INCLUSION_BYTES_MAX, ascii_only=False
    )
    if not reader.has(f"{name}_body"):
        return MessageCopy(env=env, inclusion=inclusion)
    body_b64u = _take_text(reader, f"{name}_body", characters_max=2 * ANSWER_BYTES_MAX)
    salt = reader.octets(f"{name}_salt", bytes_exact=SALT_BYTES)
    return MessageCopy(env=env, inclusion=inclusion, body=decode_b64u(body_b64u), salt=salt)


def _parse_head(reader: ShapeReader, line: int) -> HeadRecord:
    return HeadRecord(
        line=line,
        peer=reader.text("peer", characters_max=MEMBER_ID_CHARACTERS_MAX),
        checkpoint=_take_text(
            reader, "checkpoint", characters_max=NOTE_BYTES_MAX, ascii_only=False
        ),
    )


def _take_text(
    reader: ShapeReader, name: str, *, characters_max: int, ascii_only: bool = True
) -> str:
    # Notes and proofs have line breaks, which the reader's own texts may not have.
    value = reader.take(name)
    if not isinstance(value, str) or len(value) > characters_max:
        raise SchemaError(f"{name}: not a text of at most {characters_max} characters")
    if ascii_only and not value.isascii():
        raise MalformedError(f"{name}: not ASCII")
    return value
