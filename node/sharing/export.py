"""Writes the bundle that this node hands to an auditor (docs/protocol/bundle.md).

One consistent snapshot of the database, up to the newest head that the hub has cosigned: what was
logged after it belongs to the next bundle. A redacted one holds no body but those that list hashes
(receipts, acks, polls, erasures), no subject id and no other salt; every signature and proof in it
still verifies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from node.core.bundle_folder import Watch, new_folder, watch_nothing, write_lines, write_log
from node.core.database import UnitOfWork
from node.core.errors import UnavailableError
from node.core.log import LogStore
from node.sharing.store import OwnKeyStore, SnapshotStore
from node.sharing.store.exporting import ExportedMessage, ExportStore
from node.sharing.store.stamps import StampStore
from protocol.bundle import (
    ANCHORS_FILE,
    CHECKPOINT_FILE,
    CONSENTS_FILE,
    HEADS_FILE,
    KEY_CHANGES_FILE,
    MANIFEST_FILE,
    MESSAGES_FILE,
    POLICY_FILE,
    REGISTRY_FILE,
    STATUSES_FILE,
    WITNESSED_FILE,
    Manifest,
    MessageCopy,
    MessageFilter,
    build_policy,
    format_anchor,
    format_consent,
    format_head,
    format_key_change,
    format_manifest,
    format_message_record,
    format_snapshot,
    format_status,
    format_witnessed,
)
from protocol.checkpoint import Checkpoint, parse_checkpoint
from protocol.log_policy import format_log_policy
from protocol.note import SignatureKind, VerifierKey, parse_note, parse_vkey
from protocol.registry import Registry

WITNESSED_EVERY_S = 3_600
COMPROMISED = "compromised"  # the reason of a revocation after which no time in a message counts
MESSAGES_PER_STEP = 1_000
# Their bodies are hashes of messages, without which they prove nothing.
_BARE_REQUESTS = frozenset({"receipt", "erase", "poll"})
_BARE_ANSWERS = frozenset({"receipt", "erase", "push", "correct"})


class NotCosignedError(UnavailableError):
    """The hub has cosigned no head of this log yet."""

    code = "log-not-cosigned"


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
    chosen: MessageFilter | None = None,
    watch: Watch = watch_nothing,
) -> ExportedBundle:
    """Write the bundle of this node into a new folder.

    Args:
        uow: A reading unit of work: all files are of its one snapshot.
        member_id: This node.
        registry: The newest snapshot, which names the log's key and the hub's witness.
        exported_at_s: The present.
        out: The folder to make.
        redacted: Leave out bodies, salts and subject ids.
        chosen: Which messages to write; the log is always whole, since its tree needs it.
        watch: Told of each step how much of it is done, of how much.

    Raises:
        ExportTargetError: The folder exists, or cannot be made.
        NotCosignedError: The hub has cosigned nothing yet.
        UnknownKeyError: The registry does not know this log.
    """
    log = LogStore(uow.connection)
    witnessed = log.find_witnessed()
    if witnessed is None:
        raise NotCosignedError("the hub has cosigned no head of this log yet")
    note = witnessed[1]
    head = parse_checkpoint(parse_note(note).text)
    with new_folder(out) as folder:
        manifest = Manifest(
            member=member_id,
            origin=head.origin,
            exported_at_s=exported_at_s,
            size=head.size,
            root=head.root,
            redacted=redacted,
            filter=chosen,
        )
        (folder / MANIFEST_FILE).write_bytes(format_manifest(manifest))
        (folder / CHECKPOINT_FILE).write_text(note, encoding="utf-8")
        (folder / POLICY_FILE).write_bytes(_format_policy(registry, member_id=member_id))
        write_log(log, size=head.size, folder=folder, watch=watch)
        _write_witnessed(log, head, registry, member_id=member_id, path=folder / WITNESSED_FILE)
        _write_records(uow, head, folder=folder, redacted=redacted)
        lines = _format_messages(
            ExportStore(uow.connection), size=head.size, redacted=redacted, chosen=chosen
        )
        messages = write_lines(folder / MESSAGES_FILE, _watch_lines(lines, watch))
    return ExportedBundle(folder=out, size=head.size, messages=messages, redacted=redacted)


def _format_policy(registry: Registry, *, member_id: str) -> bytes:
    origin, key = registry.get_log_key(member_id)
    log = VerifierKey(name=origin, kind=SignatureKind.ED25519, public=key)
    witness = parse_vkey(registry.witness_vkey)
    return format_log_policy(build_policy(log=log, witnesses=[witness]))


def _write_witnessed(
    log: LogStore, head: Checkpoint, registry: Registry, *, member_id: str, path: Path
) -> None:
    """Write the history of cosigned heads, thinned to what it proves.

    That is one an hour, and the last before each of this member's keys was compromised: what lies
    below it keeps counting.
    """
    member = registry.find_member(member_id)
    ends = sorted(
        key.revoked_at
        for key in (() if member is None else member.keys)
        if key.reason == COMPROMISED and key.revoked_at is not None
    )
    heads = log.list_witnessed(size=head.size)
    write_lines(path, map(format_witnessed, thin_heads(heads, ends_s=ends)))


def thin_heads(heads: Iterable[tuple[int, str, int]], *, ends_s: Sequence[int]) -> Iterator[str]:
    """Yield the notes to keep, of heads as size, note and time in order."""
    kept_at_s: int | None = None
    waiting: tuple[str, int] | None = None
    for _, note, at_s in heads:
        is_last_before = waiting is not None and any(waiting[1] < end_s <= at_s for end_s in ends_s)
        if waiting is not None and is_last_before:
            yield waiting[0]
        waiting = note, at_s
        if kept_at_s is None or at_s >= kept_at_s + WITNESSED_EVERY_S:
            kept_at_s, waiting = at_s, None
            yield note
    if waiting is not None:
        yield waiting[0]  # The newest, which also is the last before whatever comes later.


def _write_records(uow: UnitOfWork, head: Checkpoint, *, folder: Path, redacted: bool) -> None:
    """Write the files of one record a line, all but the messages."""
    store = ExportStore(uow.connection)
    tokens = SnapshotStore(uow.connection).list_tokens()
    write_lines(
        folder / REGISTRY_FILE,
        (format_snapshot(seq=seq, tokens=one) for seq, one in enumerate(tokens, start=1)),
    )
    write_lines(
        folder / CONSENTS_FILE,
        (
            format_consent(token=one.token)
            if redacted or not one.subject
            else format_consent(token=one.token, subject=one.subject, salt=one.salt)
            for one in store.list_consents()
        ),
    )
    write_lines(folder / STATUSES_FILE, map(format_status, store.list_statuses()))
    write_lines(
        folder / HEADS_FILE,
        (format_head(peer=peer, checkpoint=note) for peer, note in store.list_heads()),
    )
    _write_anchors(uow, head, path=folder / ANCHORS_FILE)
    _write_key_changes(uow, path=folder / KEY_CHANGES_FILE)


def _write_anchors(uow: UnitOfWork, head: Checkpoint, *, path: Path) -> None:
    stamps = StampStore(uow.connection).list(size=head.size)
    lines = (format_anchor(entry=one.seq, token=one.token) for one in stamps)
    if not write_lines(path, lines):
        path.unlink()  # Optional: most nodes have none.


def _write_key_changes(uow: UnitOfWork, *, path: Path) -> None:
    lines = map(format_key_change, OwnKeyStore(uow.connection).list_tokens())
    if not write_lines(path, lines):
        path.unlink()  # Optional: most nodes have their first keys.


def _format_messages(
    store: ExportStore, *, size: int, redacted: bool, chosen: MessageFilter | None
) -> Iterator[bytes]:
    for one in store.list_incoming(size=size, chosen=chosen):
        yield _format_message(one, side="in", redacted=redacted)
    for one in store.list_outgoing(size=size, chosen=chosen):
        yield _format_message(one, side="out", redacted=redacted)


def _watch_lines(lines: Iterable[bytes], watch: Watch) -> Iterator[bytes]:
    for number, line in enumerate(lines, start=1):
        if number % MESSAGES_PER_STEP == 0:
            watch("messages", number, 0)
        yield line


def _format_message(one: ExportedMessage, *, side: str, redacted: bool) -> bytes:
    request, answer = one.request, one.answer
    if redacted and one.op not in _BARE_REQUESTS:
        request = _redact(request)
    if redacted and answer is not None and one.op not in _BARE_ANSWERS:
        answer = _redact(answer)
    return format_message_record(side=side, request=request, answer=answer)


def _redact(copy: MessageCopy) -> MessageCopy:
    return replace(copy, body=None, salt=None)
