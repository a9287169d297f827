"""Entries of the exchange log, in canonical JSON (docs/protocol/log.md §1).

They hold hashes and codes, never a subject, never a figure. An auditor joins two logs by equality
of ``msg`` and ``ans``. Unknown types and versions hash like any other and are reported as "not
understood".
"""

from protocol.entry.form import (
    ABORT_REASONS,
    END_REASONS,
    ENTRY_VERSION,
    ERASURE_BASES,
    KEY_USES,
    EntryError,
    format_entry,
    get_entry_type,
    parse_entry,
)
from protocol.entry.kinds import (
    AbortedEntry,
    AnchorEntry,
    ConsentEntry,
    Entry,
    ErasedEntry,
    ExchangeEntry,
    GenesisEntry,
    HeadEntry,
    KeyChangeEntry,
    KnownKind,
    PreviousLog,
    RequestEntry,
    ResponseEntry,
    StartEntry,
    StopEntry,
    UnackedEntry,
    UnknownEntry,
)
from protocol.entry.quick import (
    EntryTexts,
    ExchangeTexts,
    RequestTexts,
    ResponseTexts,
    find_entry_texts,
    find_quick,
    read_head_text,
)

__all__ = [
    "ABORT_REASONS",
    "END_REASONS",
    "ENTRY_VERSION",
    "ERASURE_BASES",
    "KEY_USES",
    "AbortedEntry",
    "AnchorEntry",
    "ConsentEntry",
    "Entry",
    "EntryError",
    "EntryTexts",
    "ErasedEntry",
    "ExchangeEntry",
    "ExchangeTexts",
    "GenesisEntry",
    "HeadEntry",
    "KeyChangeEntry",
    "KnownKind",
    "PreviousLog",
    "RequestEntry",
    "RequestTexts",
    "ResponseEntry",
    "ResponseTexts",
    "StartEntry",
    "StopEntry",
    "UnackedEntry",
    "UnknownEntry",
    "find_entry_texts",
    "find_quick",
    "format_entry",
    "get_entry_type",
    "parse_entry",
    "read_head_text",
]
