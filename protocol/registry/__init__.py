"""The registry: numbered, hash-linked, hub-signed snapshots of members, subjects and their keys.

A snapshot never drops a key: a signature of long ago is judged by the key's own validity, and a
revocation never destroys old evidence. A member's log key belongs to one log for ever; a new log
comes with a new key, and the old ones stay. Subjects appear as commitments only, so that nobody can
enumerate anyone's customers. A snapshot with ``simulated`` set is the only one that admits subjects
of the scheme ``sim``.
"""

from protocol.registry.chain import (
    COMPROMISED,
    ORDERLY_ENDS,
    REGISTRY_TYP,
    RegistryChainError,
    check_succession,
    hash_registry_payload,
    open_registry,
    sign_registry,
)
from protocol.registry.form import format_registry, parse_registry
from protocol.registry.model import (
    FIRST_PREVIOUS,
    MEMBERS_MAX,
    SUBJECTS_MAX,
    KeyEntry,
    MemberEntry,
    Registry,
    SubjectEntry,
)

__all__ = [
    "COMPROMISED",
    "FIRST_PREVIOUS",
    "MEMBERS_MAX",
    "ORDERLY_ENDS",
    "REGISTRY_TYP",
    "SUBJECTS_MAX",
    "KeyEntry",
    "MemberEntry",
    "Registry",
    "RegistryChainError",
    "SubjectEntry",
    "check_succession",
    "format_registry",
    "hash_registry_payload",
    "open_registry",
    "parse_registry",
    "sign_registry",
]
