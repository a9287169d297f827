"""A registry snapshot counts only where the hub's own log has it (docs/protocol/registry.md §2).

A hub that tells two members different things has to log both, in one log where anybody finds them,
or in two logs whose heads, each signed by its key, contradict each other.
"""

from __future__ import annotations

from collections.abc import Sequence

from protocol.checkpoint import Checkpoint
from protocol.entry import RegistryEntry, parse_entry
from protocol.errors import EvidenceError, ProtocolError
from protocol.log_proof import parse_log_proof, verify_log_proof
from protocol.merkle import verify_consistency
from protocol.note import SignatureKind, VerifierKey
from protocol.registry import Registry


class RegistryUnloggedError(EvidenceError):
    """The hub does not prove that its log has the snapshot."""

    code = "registry-unlogged"


class HubLogForkedError(EvidenceError):
    """A head of the hub's log does not append to an earlier one that its key has signed."""

    code = "hub-log-forked"


def get_hub_log_key(registry: Registry) -> VerifierKey:
    """Return the key of the log that the hub writes, as the snapshot names it.

    Raises:
        UnknownKeyError: The hub keeps no log.
    """
    origin, key = registry.get_log_key(registry.hub)
    return VerifierKey(name=origin, kind=SignatureKind.ED25519, public=key)


def verify_logged(
    registry: Registry, *, inclusion: str, consistency: Sequence[bytes], held: Checkpoint | None
) -> Checkpoint:
    """Verify that the hub's log has a snapshot; return the head that says so.

    Args:
        registry: A snapshot whose signatures hold and that names the hub's log.
        inclusion: The C2SP tlog-proof of its entry, with the entry in ``extra``.
        consistency: The proof from the head held to the one of the proof; empty without one.
        held: The newest head of this log that is known, if any.

    Raises:
        RegistryUnloggedError: The proof does not hold, or is of another entry.
        HubLogForkedError: The head does not append to the one held.
        UnknownKeyError: The snapshot names no log of the hub.
    """
    vkey = get_hub_log_key(registry)
    try:
        entry = parse_log_proof(inclusion).extra or b""
        logged = parse_entry(entry)
        _, head = verify_log_proof(inclusion, entry=entry, trust=vkey)
    except ProtocolError as err:
        raise RegistryUnloggedError(f"snapshot {registry.seq}: {err.detail}") from err
    named = (logged.seq, logged.hash) if isinstance(logged, RegistryEntry) else None
    if named != (registry.seq, registry.hash):
        raise RegistryUnloggedError(f"the proof is not of snapshot {registry.seq}")
    if held is not None:
        _check_appends(head, held=held, proof=consistency)
    return head


def _check_appends(head: Checkpoint, *, held: Checkpoint, proof: Sequence[bytes]) -> None:
    try:
        verify_consistency(
            old_size=held.size,
            new_size=head.size,
            old_root=held.root,
            new_root=head.root,
            proof=proof,
        )
    except ProtocolError as err:
        raise HubLogForkedError(
            f"the hub's log of {head.size} entries does not append to {held.size}: {err.detail}"
        ) from err
