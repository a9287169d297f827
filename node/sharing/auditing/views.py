"""What the auditor's use cases return, and how they refuse."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from node.core.errors import NotFoundError, UnavailableError
from node.sharing.store.auditing import ConsentRow, ExchangeRow, StatusRow
from protocol.entry import Entry


class EntryNotFoundError(NotFoundError):
    """The log has no entry of this index."""

    code = "entry-not-found"


class LogNotFoundError(NotFoundError):
    """This node has no log of this number."""

    code = "log-not-found"


class CopyNotFoundError(NotFoundError):
    """No message of this entry is kept here."""

    code = "copy-not-found"


class ConsentUnknownError(NotFoundError):
    """No consent of this hash is held here."""

    code = "consent-not-found"


class ExportBusyError(UnavailableError):
    """A bundle is being made: one at a time."""

    code = "export-busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadView:
    """A log's head, and the newest that the hub has cosigned; ``end_reason`` of an ended one."""

    log: int
    origin: str
    end_reason: str | None
    size: int
    root: bytes
    checkpoint: str
    witnessed_size: int
    witnessed_checkpoint: str
    witnessed_at_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """One entry; ``raw`` is None where the token does not reach it: its leaf still proves it."""

    index: int
    leaf: bytes
    raw: bytes | None
    entry: Entry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenEntry:
    """One entry with its tlog-proof under the log's present head."""

    view: EntryView
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView:
    """A consent, its signed changes and the answers given under it."""

    row: ConsentRow
    statuses: tuple[StatusRow, ...]
    uses: tuple[ExchangeRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFile:
    """A bundle as one tar file."""

    path: Path
    size: int
    redacted: bool
