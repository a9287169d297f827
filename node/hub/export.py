"""Writes the hub's own log for an auditor: what it signed, and the heads that it cosigned last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from node.core.bundle_folder import new_folder, write_lines, write_log
from node.core.clock import Clock, now_s
from node.core.database import Database
from node.hub.log import HubLog
from node.hub.store import HubStore
from protocol.bundle import (
    CHECKPOINT_FILE,
    CONSENTS_FILE,
    HEADS_FILE,
    MANIFEST_FILE,
    MESSAGES_FILE,
    POLICY_FILE,
    REGISTRY_FILE,
    STATUSES_FILE,
    Manifest,
    format_head,
    format_manifest,
    format_snapshot,
)
from protocol.log_policy import QUORUM_NONE, LogPolicy, PolicyLog, format_log_policy

NOTHING_FILES = (CONSENTS_FILE, STATUSES_FILE, MESSAGES_FILE)  # a hub has no part in exchanges


def export_hub_log(
    database: Database, *, log: HubLog, hub: str, clock: Clock, policy: LogPolicy | None, out: Path
) -> int:
    """Write the bundle of a hub into a new folder and return the size of its log.

    The checkpoint is the newest; the witnesses' cosignatures are on it where they have seen it.

    Args:
        database: The hub's.
        log: Its own log.
        hub: Its id.
        clock: Says when.
        policy: The witnesses of the log, if it has any.
        out: The folder to make.

    Raises:
        ExportTargetError: The folder exists.
        LogDamagedError: The stored log contradicts its head.
    """
    with database.read() as uow, new_folder(out) as folder:
        store = HubStore(uow.connection)
        state = log.read_state(store.log)
        witnessed = store.log.find_witnessed()
        note, size = state.checkpoint, state.edge.size
        if witnessed is not None and policy is not None:
            size, note, _ = witnessed
        manifest = Manifest(
            member=hub,
            origin=log.origin,
            exported_at_s=now_s(clock),
            size=size,
            root=log.compute_root(store.log, size=size),
            redacted=False,
        )
        alone = LogPolicy(
            logs=(PolicyLog(key=log.vkey),), witnesses=(), groups=(), quorum=QUORUM_NONE
        )
        (folder / MANIFEST_FILE).write_bytes(format_manifest(manifest))
        (folder / CHECKPOINT_FILE).write_text(note, encoding="utf-8")
        (folder / POLICY_FILE).write_bytes(format_log_policy(policy or alone))
        write_log(store.log, size=size, folder=folder)
        write_lines(folder / REGISTRY_FILE, _list_snapshots(store))
        write_lines(folder / HEADS_FILE, _list_heads(store))
        for name in NOTHING_FILES:
            write_lines(folder / name, ())
    return size


def _list_snapshots(store: HubStore) -> Iterator[bytes]:
    seq = 1
    while (snapshot := store.find_snapshot(seq)) is not None:
        yield format_snapshot(seq=seq, tokens=snapshot.tokens)
        seq += 1


def _list_heads(store: HubStore) -> Iterator[bytes]:
    """Yield the newest head of each member's log that was cosigned; other hubs' are not known."""
    members = {row.member for row in store.list_members()}
    for log in store.list_logs():
        owner = log.origin.partition("/")[0]
        if log.note and owner in members:
            yield format_head(peer=owner, checkpoint=log.note)
