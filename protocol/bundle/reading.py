"""Reads the files of a bundle; what cannot be read becomes a fault of its file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from protocol.bundle.files import (
    ANCHORS_FILE,
    BUNDLE_LINE_BYTES_MAX,
    BUNDLE_LINES_MAX,
    CHECKPOINT_FILE,
    CONSENTS_FILE,
    FILES,
    HEADS_FILE,
    KEY_CHANGES_FILE,
    MANIFEST_FILE,
    MESSAGES_FILE,
    OPTIONAL_FILES,
    POLICY_FILE,
    REGISTRY_FILE,
    STATUSES_FILE,
    TILE_FOLDER,
    WITNESSED_FILE,
    BundleFiles,
    MemoryFiles,
    find_content,
)
from protocol.bundle.lines import Line, read_lines
from protocol.bundle.records import (
    AnchorRecord,
    ConsentRecord,
    Fault,
    HeadRecord,
    KeyChangeRecord,
    Manifest,
    MessageCopy,
    MessageFilter,
    MessageRecord,
    SnapshotRecord,
    StatusRecord,
    WitnessedRecord,
)
from protocol.encoding import decode_b64u
from protocol.errors import MalformedError, ProtocolError, SchemaError, TooLargeError
from protocol.limits import (
    ANSWER_BYTES_MAX,
    ENVELOPE_BYTES_MAX,
    INCLUSION_BYTES_MAX,
    MEMBER_ID_CHARACTERS_MAX,
    NOTE_BYTES_MAX,
    SALT_BYTES,
    STATEMENT_BYTES_MAX,
    STATEMENT_SIGNATURES_MAX,
    SUBJECT_ID_CHARACTERS_MAX,
    TREE_SIZE_MAX,
)
from protocol.note import decode_text
from protocol.shape import ShapeReader
from protocol.strict_json import parse_object

BUNDLE_VERSION = 1
FILTER_PEERS_MAX = 1_000
ANCHOR_CHARACTERS_MAX = 87_382  # a token of 65,536 bytes in base64url
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle taken apart; nothing in it is verified.

    Messages and tiles stay in their files: there may be millions. ``file_faults`` are of the rest.
    """

    name: str
    files: BundleFiles
    manifest: Manifest | None
    policy: bytes
    checkpoint: str
    snapshots: tuple[SnapshotRecord, ...]
    consents: tuple[ConsentRecord, ...]
    statuses: tuple[StatusRecord, ...]
    heads: tuple[HeadRecord, ...]
    witnessed: tuple[WitnessedRecord, ...]
    anchors: tuple[AnchorRecord, ...]
    key_changes: tuple[KeyChangeRecord, ...]
    file_faults: tuple[Fault, ...]

    @property
    def messages(self) -> tuple[MessageRecord, ...]:
        """Return all messages that can be read: for small bundles."""
        return _LineReader(self.files, []).lines(MESSAGES_FILE, parse_message_record)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Return the faults of all files, messages too: for small bundles."""
        faults = list(self.file_faults)
        _LineReader(self.files, faults).lines(MESSAGES_FILE, parse_message_record)
        return tuple(faults)

    @property
    def tiles(self) -> Mapping[str, bytes]:
        """Return the content of all tiles: for small bundles."""
        return {path: self.files.read(path) for path in self.list_tile_paths()}

    def list_tile_paths(self) -> list[str]:
        """Return the paths of all tiles and bundles of entries."""
        return [path for path in self.files.list_paths() if path.startswith(TILE_FOLDER)]


def parse_bundle_files(files: Mapping[str, bytes], *, name: str) -> Bundle:
    """Read a bundle from its files, path to content; what cannot be read becomes a fault."""
    return open_bundle(MemoryFiles(files), name=name)


def open_bundle(files: BundleFiles, *, name: str) -> Bundle:
    """Read everything of a bundle but messages and tiles, which stay where they are."""
    faults = [
        Fault(file=path, line=None, detail="no file of a bundle")
        for path in sorted(files.list_paths())
        if path not in FILES and not path.startswith(TILE_FOLDER)
    ]
    reader = _LineReader(files, faults)
    return Bundle(
        name=name,
        files=files,
        manifest=reader.whole(MANIFEST_FILE, parse_manifest),
        policy=reader.whole(POLICY_FILE, bytes) or b"",
        checkpoint=reader.whole(CHECKPOINT_FILE, decode_text) or "",
        snapshots=reader.lines(REGISTRY_FILE, _parse_snapshot),
        consents=reader.lines(CONSENTS_FILE, _parse_consent),
        statuses=reader.lines(STATUSES_FILE, _parse_status),
        heads=reader.lines(HEADS_FILE, _parse_head),
        witnessed=reader.lines(WITNESSED_FILE, _parse_witnessed),
        anchors=reader.lines(ANCHORS_FILE, _parse_anchor),
        key_changes=reader.lines(KEY_CHANGES_FILE, _parse_key_change),
        file_faults=tuple(faults),
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
        filter=_parse_filter(reader.inner("filter")) if reader.has("filter") else None,
    )
    reader.finish()
    return manifest


def parse_message_line(content: bytes, *, line: int) -> MessageRecord:
    """Read a line of ``messages.jsonl``.

    Raises:
        MalformedError: Not JSON of the subset.
        SchemaError: A member is missing, unknown or wrong.
    """
    return _parse_line(content, line, MESSAGES_FILE, parse_message_record)


def parse_message_record(reader: ShapeReader, line: int) -> MessageRecord:
    """Read the members of a message record."""
    return MessageRecord(
        line=line,
        side=reader.choice("side", {"in", "out"}),
        request=_parse_copy(reader, "request"),
        answer=_parse_copy(reader, "answer") if reader.has("answer") else None,
    )


@dataclass(frozen=True, slots=True)
class _LineReader:
    """Reads files one by one and collects what cannot be read."""

    files: BundleFiles
    faults: list[Fault]

    def whole(self, file: str, parse: Callable[[bytes], T]) -> T | None:
        """Read a file in one piece."""
        raw = find_content(self.files, file)
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
        if self.files.find_size(file) is None:
            if file not in OPTIONAL_FILES:
                self._add(file, "the file is missing")
            return ()
        return tuple(self._records(file, parse))

    def _records(self, file: str, parse: Callable[[ShapeReader, int], T]) -> Iterator[T]:
        for number, line in enumerate(read_lines(self.files, file), start=1):
            if not line.is_ended or number > BUNDLE_LINES_MAX:
                self._add(file, UNENDED)
                return
            try:
                yield _parse_line(take_content(line), number, file, parse)
            except ProtocolError as err:
                self._add(file, err.detail, line=number)

    def _add(self, file: str, detail: str, *, line: int | None = None) -> None:
        self.faults.append(Fault(file=file, line=line, detail=detail))


UNENDED = "does not end with a newline, or has too many lines"


def take_content(line: Line) -> bytes:
    """Return the content of a line.

    Raises:
        TooLargeError: It is over the limit.
    """
    if line.content is None:
        raise TooLargeError(f"more than {BUNDLE_LINE_BYTES_MAX} bytes")
    return line.content


def _parse_line(
    content: bytes, number: int, file: str, parse: Callable[[ShapeReader, int], T]
) -> T:
    reader = ShapeReader(parse_object(content), what=file)
    record = parse(reader, number)
    reader.finish()
    return record


def _parse_filter(reader: ShapeReader) -> MessageFilter:
    chosen = MessageFilter(
        from_s=reader.integer("from_s") if reader.has("from_s") else None,
        until_s=reader.integer("until_s") if reader.has("until_s") else None,
        peers=reader.texts("peers", count_max=FILTER_PEERS_MAX) if reader.has("peers") else (),
    )
    reader.finish()
    return chosen


def _parse_witnessed(reader: ShapeReader, line: int) -> WitnessedRecord:
    checkpoint = _take_text(reader, "checkpoint", characters_max=NOTE_BYTES_MAX, ascii_only=False)
    return WitnessedRecord(line=line, checkpoint=checkpoint)


def _parse_anchor(reader: ShapeReader, line: int) -> AnchorRecord:
    index = reader.integer("entry", high=TREE_SIZE_MAX)
    token = decode_b64u(_take_text(reader, "token", characters_max=ANCHOR_CHARACTERS_MAX))
    if not token:
        raise MalformedError("a token without bytes")
    return AnchorRecord(line=line, entry=index, token=token)


def _parse_key_change(reader: ShapeReader, line: int) -> KeyChangeRecord:
    return KeyChangeRecord(
        line=line, tokens=reader.texts("tokens", count_max=STATEMENT_SIGNATURES_MAX)
    )


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
