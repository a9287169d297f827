"""Writes the bundles that this node hands to an auditor (docs/protocol/bundle.md), one a log.

One consistent snapshot of the database, up to the newest head that the hub has cosigned: what was
logged after it belongs to the next bundle. Several logs make a folder of bundles. A redacted bundle
holds no body but those that list hashes (receipts, acks, polls, erasures), no subject id and no
other salt; every signature and proof in it still verifies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from node.core.bundle_folder import (
    FOLDER_MODE,
    Watch,
    new_folder,
    watch_nothing,
    write_lines,
    write_log,
)
from node.core.database import UnitOfWork
from node.core.errors import UnavailableError
from node.core.log import LogStore
from node.core.log_list import LogList, read_begin_ms
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
    """How many entries, of all logs that were written."""
    messages: int
    redacted: bool
    bundles: tuple[Path, ...]
    """``folder``, or where there are several logs, the folders in it."""


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
    """Write a bundle of each log that the chosen time touches into a new folder.

    One log makes the folder a bundle, several make it a folder of bundles.

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
        NotCosignedError: The hub has cosigned no head of these logs yet.
        UnknownKeyError: The registry does not know a log.
    """
    logs = list(_choose_logs(uow, chosen))
    if not logs:
        raise NotCosignedError("the hub has cosigned no head of this log yet")
    names = [f"{out.name}-{log.store.place.number}" for log in logs] if len(logs) > 1 else [""]
    messages = 0
    with new_folder(out) as folder:
        for log, name in zip(logs, names, strict=True):
            (folder / name).mkdir(exist_ok=True, mode=FOLDER_MODE)
            manifest = Manifest(
                member=member_id,
                origin=log.head.origin,
                exported_at_s=exported_at_s,
                size=log.head.size,
                root=log.head.root,
                redacted=redacted,
                filter=chosen,
            )
            messages += _write_bundle(
                uow, log, registry, manifest=manifest, folder=folder / name, watch=watch
            )
    return ExportedBundle(
        folder=out,
        size=sum(log.head.size for log in logs),
        messages=messages,
        redacted=redacted,
        bundles=tuple(out / name for name in names),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _CosignedLog:
    """A log up to the newest head that is cosigned."""

    store: LogStore
    head: Checkpoint
    note: str

    @property
    def span(self) -> range:
        """Return the positions of its entries."""
        first = self.store.place.first
        return range(first, first + self.head.size)


def _choose_logs(uow: UnitOfWork, chosen: MessageFilter | None) -> Iterator[_CosignedLog]:
    """Yield the logs that were written in the chosen time and have a cosigned head.

    What is before the first log counts as its time.
    """
    logs = LogList(uow.connection).list_all()
    changes_s = [read_begin_ms(uow.connection, log.place) / 1000 for log in logs[1:]]
    for log, first_s, end_s in zip(logs, [-inf, *changes_s], [*changes_s, inf], strict=False):
        is_before = chosen is not None and chosen.from_s is not None and end_s < chosen.from_s
        is_after = chosen is not None and chosen.until_s is not None and first_s >= chosen.until_s
        store = LogStore(uow.connection, log.place)
        witnessed = store.find_witnessed()
        if is_before or is_after or witnessed is None:
            continue
        head = parse_checkpoint(parse_note(witnessed[1]).text)
        yield _CosignedLog(store=store, head=head, note=witnessed[1])


def _write_bundle(
    uow: UnitOfWork,
    log: _CosignedLog,
    registry: Registry,
    *,
    manifest: Manifest,
    folder: Path,
    watch: Watch,
) -> int:
    """Write one log's bundle and return how many messages are in it."""
    redacted, member_id = manifest.redacted, manifest.member
    (folder / MANIFEST_FILE).write_bytes(format_manifest(manifest))
    (folder / CHECKPOINT_FILE).write_text(log.note, encoding="utf-8")
    policy = _format_policy(registry, member_id=member_id, origin=log.head.origin)
    (folder / POLICY_FILE).write_bytes(policy)
    write_log(log.store, size=log.head.size, folder=folder, watch=watch)
    _write_witnessed(
        log.store, log.head, registry, member_id=member_id, path=folder / WITNESSED_FILE
    )
    _write_records(uow, folder=folder, redacted=redacted)
    _write_anchors(uow, log.span, path=folder / ANCHORS_FILE)
    store = ExportStore(uow.connection)
    lines = _format_messages(store, span=log.span, redacted=redacted, chosen=manifest.filter)
    return write_lines(folder / MESSAGES_FILE, _watch_lines(lines, watch))


def _format_policy(registry: Registry, *, member_id: str, origin: str) -> bytes:
    origin, key = registry.get_log_key(member_id, origin=origin)
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


def _write_records(uow: UnitOfWork, *, folder: Path, redacted: bool) -> None:
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
    _write_key_changes(uow, path=folder / KEY_CHANGES_FILE)


def _write_anchors(uow: UnitOfWork, span: range, *, path: Path) -> None:
    stamps = StampStore(uow.connection).list(span=span)
    lines = (format_anchor(entry=one.seq - span.start, token=one.token) for one in stamps)
    if not write_lines(path, lines):
        path.unlink()  # Optional: most nodes have none.


def _write_key_changes(uow: UnitOfWork, *, path: Path) -> None:
    lines = map(format_key_change, OwnKeyStore(uow.connection).list_tokens())
    if not write_lines(path, lines):
        path.unlink()  # Optional: most nodes have their first keys.


def _format_messages(
    store: ExportStore, *, span: range, redacted: bool, chosen: MessageFilter | None
) -> Iterator[bytes]:
    for one in store.list_incoming(span=span, chosen=chosen):
        yield _format_message(one, side="in", redacted=redacted)
    for one in store.list_outgoing(span=span, chosen=chosen):
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
