"""How far a token reaches: which entries, messages and subjects it may see."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

from node.core.database import UnitOfWork
from node.core.people.service import Principal
from node.sharing.auditing.views import CopyNotFoundError, EntryView
from node.sharing.store.auditing import AuditStore, ConsentRow, ExchangeCopies, Reach
from protocol.bundle import MessageCopy
from protocol.entry import (
    AbortedEntry,
    ConsentEntry,
    Entry,
    EntryError,
    ErasedEntry,
    ExchangeEntry,
    HeadEntry,
    RequestEntry,
    ResponseEntry,
    UnackedEntry,
    UnknownEntry,
    parse_entry,
)
from protocol.merkle import leaf_hash

_OF_A_PEER = (
    RequestEntry | ExchangeEntry | ResponseEntry | UnackedEntry | AbortedEntry | ErasedEntry
)


def build_reach(viewer: Principal) -> Reach:
    """Return the limits of a token as the store reads them."""
    return Reach(peer=viewer.peer, from_ms=viewer.from_ms, to_ms=viewer.to_ms)


def understand_entry(raw: bytes) -> Entry | None:
    """Return an entry, or None where its bytes are no entry."""
    try:
        return parse_entry(raw)
    except EntryError:
        return None


def view_entry(viewer: Principal, store: AuditStore, *, index: int, raw: bytes) -> EntryView:
    """Return an entry as far as the token reaches; its leaf is shown in any case."""
    entry = understand_entry(raw)
    is_shown = not viewer.is_limited or (
        entry is not None and _is_reached(viewer, store, entry=entry)
    )
    return EntryView(
        index=index,
        leaf=leaf_hash(raw),
        raw=raw if is_shown else None,
        entry=entry if is_shown else None,
    )


def _is_reached(viewer: Principal, store: AuditStore, *, entry: Entry) -> bool:
    """Tell whether a limited token may see an entry; what is not understood it may not."""
    if isinstance(entry, UnknownEntry) or not viewer.reaches_time(entry.at_ms):
        return False
    if isinstance(entry, _OF_A_PEER):
        return viewer.reaches_peer(entry.peer)
    if isinstance(entry, HeadEntry):
        return viewer.reaches_peer(entry.origin.partition("/")[0])
    if isinstance(entry, ConsentEntry) and viewer.peer:
        held = store.find_consent(entry.consent)
        return held is not None and viewer.reaches_peer(held.consumer, held.provider)
    return True


def get_copies(uow: UnitOfWork, entry: Entry | None) -> ExchangeCopies:
    """Return the messages of the exchange that an entry belongs to.

    Raises:
        CopyNotFoundError: It is of none, or no copy is kept.
    """
    store = AuditStore(uow.connection)
    found: ExchangeCopies | None = None
    match entry:
        case ExchangeEntry() | UnackedEntry():
            found = store.find_incoming(entry.peer, entry.xid)
        case RequestEntry() | ResponseEntry():
            found = store.find_outgoing(entry.xid)
        case ErasedEntry():
            found = store.find_outgoing(entry.xid) or store.find_incoming(entry.peer, entry.xid)
        case _:
            raise CopyNotFoundError("this entry is of no exchange")
    if found is None:
        raise CopyNotFoundError("no copy of this exchange's messages is kept here")
    return found


def close_bodies(found: ExchangeCopies) -> ExchangeCopies:
    """Return the copies without bodies and salts."""
    answer = found.answer
    return replace(
        found,
        request=_close(found.request),
        answer=None if answer is None else _close(answer),
    )


def _close(copy: MessageCopy) -> MessageCopy:
    return replace(copy, body=None, salt=None)


def close_subject(row: ConsentRow) -> ConsentRow:
    """Return a consent without what names its subject."""
    return replace(row, subject="", salt=b"")


def pack_folder(folder: Path, path: Path) -> None:
    """Write a folder as a tar file that says nothing of this machine: no owner, no times."""

    def clean(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = 0
        return member

    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(folder, arcname=folder.name, filter=clean)
