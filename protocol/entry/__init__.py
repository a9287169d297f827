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
    MemberKeyEntry,
    MemberStandingEntry,
    PreviousLog,
    RegistryEntry,
    RequestEntry,
    ResponseEntry,
    StartEntry,
    StatusListEntry,
    StopEntry,
    UnackedEntry,
    UnknownEntry,
)
from protocol.entry.quick import find_quick

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
    "ErasedEntry",
    "ExchangeEntry",
    "GenesisEntry",
    "HeadEntry",
    "KeyChangeEntry",
    "KnownKind",
    "MemberKeyEntry",
    "MemberStandingEntry",
    "PreviousLog",
    "RegistryEntry",
    "RequestEntry",
    "ResponseEntry",
    "StartEntry",
    "StatusListEntry",
    "StopEntry",
    "UnackedEntry",
    "UnknownEntry",
    "find_quick",
    "format_entry",
    "get_entry_type",
    "parse_entry",
]
