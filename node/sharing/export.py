"""Writes the bundle that this node hands to an auditor (docs/protocol/bundle.md).

One consistent snapshot of the database, up to the newest head that the hub has cosigned: what was
logged after it belongs to the next bundle. A redacted one holds no body but receipts (which list
hashes), no subject id and no salt; every signature and proof in it still verifies.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from node.core.database import UnitOfWork
from node.core.errors import ConflictError, UnavailableError
from node.core.log import LogStore
from node.sharing.store import SnapshotStore
from node.sharing.store.exporting import ExportedMessage, ExportStore
from node.sharing.store.stamps import StampStore
from protocol.bundle import (
    ANCHORS_FILE,
    CHECKPOINT_FILE,
    CONSENTS_FILE,
    HEADS_FILE,
    MANIFEST_FILE,
    MESSAGES_FILE,
    POLICY_FILE,
    REGISTRY_FILE,
    STATUSES_FILE,
    Manifest,
    MessageCopy,
    build_log_files,
    build_policy,
    format_anchor,
    format_consent,
    format_head,
    format_manifest,
    format_message_record,
    format_snapshot,
    format_status,
)
from protocol.checkpoint import Checkpoint, parse_checkpoint
from protocol.log_policy import format_log_policy
from protocol.note import SignatureKind, VerifierKey, parse_note, parse_vkey
from protocol.registry import Registry

FOLDER_MODE = 0o700
_UNREDACTED_OPERATION = (
    "receipt"  # its body is hashes of answers, without which a receipt proves nothing
)


class NotCosignedError(UnavailableError):
    """The hub has cosigned no head of this log yet."""

    code = "log-not-cosigned"


class ExportTargetError(ConflictError):
    """The folder exists: a bundle is written whole or not at all, and never over another."""

    code = "export-target"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedBundle:
    """What was written."""

    folder: Path
    size: int
    messages: int
    redacted: bool


def export_bundle(
    uow: UnitOfWork,
    *,
    member_id: str,
    registry: Registry,
    exported_at_s: int,
    out: Path,
    redacted: bool,
) -> ExportedBundle:
    """Write the bundle of this node into a new folder.

    Args:
        uow: A reading unit of work: all files are of its one snapshot.
        member_id: This node.
        registry: The newest snapshot, which names the log's key and the hub's witness.
        exported_at_s: The present.
        out: The folder to make.
        redacted: Leave out bodies, salts and subject ids.

    Raises:
        ExportTargetError: The folder exists.
        NotCosignedError: The hub has cosigned nothing yet.
        UnknownKeyError: The registry does not know this log.
    """
    log = LogStore(uow.connection)
    witnessed = log.find_witnessed()
    if witnessed is None:
        raise NotCosignedError("the hub has cosigned no head of this log yet")
    note = witnessed[1]
    head = parse_checkpoint(parse_note(note).text)
    partial = out.with_name(f"{out.name}.partial")
    if out.exists() or partial.exists():
        raise ExportTargetError(f"{out} or {partial.name} exists")
    partial.mkdir(parents=True, mode=FOLDER_MODE)
    try:
        manifest = Manifest(
            member=member_id,
            origin=head.origin,
            exported_at_s=exported_at_s,
            size=head.size,
            root=head.root,
            redacted=redacted,
        )
        (partial / MANIFEST_FILE).write_bytes(format_manifest(manifest))
        (partial / CHECKPOINT_FILE).write_text(note, encoding="utf-8")
        (partial / POLICY_FILE).write_bytes(_format_policy(registry, member_id=member_id))
        _write_log(log, head, folder=partial)
        messages = _write_records(uow, head, folder=partial, redacted=redacted)
        partial.rename(out)
    except BaseException:
        shutil.rmtree(partial)
        raise
    return ExportedBundle(folder=out, size=head.size, messages=messages, redacted=redacted)


def _format_policy(registry: Registry, *, member_id: str) -> bytes:
    origin, key = registry.get_log_key(member_id)
    log = VerifierKey(name=origin, kind=SignatureKind.ED25519, public=key)
    witness = parse_vkey(registry.witness_vkey)
    return format_log_policy(build_policy(log=log, witnesses=[witness]))


def _write_log(log: LogStore, head: Checkpoint, *, folder: Path) -> None:
    files = build_log_files(
        head.size,
        read_tile=log.read_tile,
        list_entries=lambda first, count: log.list_entries(first=first, count=count),
    )
    for path, content in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        (folder / path).write_bytes(content)


def _write_records(uow: UnitOfWork, head: Checkpoint, *, folder: Path, redacted: bool) -> int:
    """Write the files of one record a line; return the number of messages."""
    store = ExportStore(uow.connection)
    tokens = SnapshotStore(uow.connection).list_tokens()
    _write_lines(
        folder / REGISTRY_FILE,
        (format_snapshot(seq=seq, tokens=one) for seq, one in enumerate(tokens, start=1)),
    )
    _write_lines(
        folder / CONSENTS_FILE,
        (
            format_consent(token=one.token)
            if redacted or not one.subject
            else format_consent(token=one.token, subject=one.subject, salt=one.salt)
            for one in store.list_consents()
        ),
    )
    _write_lines(folder / STATUSES_FILE, map(format_status, store.list_statuses()))
    _write_lines(
        folder / HEADS_FILE,
        (format_head(peer=peer, checkpoint=note) for peer, note in store.list_heads()),
    )
    _write_anchors(uow, head, path=folder / ANCHORS_FILE)
    return _write_lines(
        folder / MESSAGES_FILE, _format_messages(store, size=head.size, redacted=redacted)
    )


def _write_anchors(uow: UnitOfWork, head: Checkpoint, *, path: Path) -> None:
    stamps = StampStore(uow.connection).list(size=head.size)
    lines = (format_anchor(entry=one.seq, token=one.token) for one in stamps)
    if not _write_lines(path, lines):
        path.unlink()  # Optional: most nodes have none.


def _format_messages(store: ExportStore, *, size: int, redacted: bool) -> Iterator[bytes]:
    for one in store.list_incoming(size=size):
        yield _format_message(one, side="in", redacted=redacted)
    for one in store.list_outgoing(size=size):
        yield _format_message(one, side="out", redacted=redacted)


def _format_message(one: ExportedMessage, *, side: str, redacted: bool) -> bytes:
    request, answer = one.request, one.answer
    if redacted and one.op != _UNREDACTED_OPERATION:
        request = _redact(request)
        answer = None if answer is None else _redact(answer)
    return format_message_record(side=side, request=request, answer=answer)


def _redact(copy: MessageCopy) -> MessageCopy:
    return replace(copy, body=None, salt=None)


def _write_lines(path: Path, lines: Iterable[bytes]) -> int:
    count = 0
    with path.open("wb") as file:
        for line in lines:
            file.write(line)
            count += 1
    return count
