"""The kit's hub: registry chain, enrolment, status list and witness, as docs/protocol has them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from protocol.cosignature import cosign_checkpoint, decide_cosign, parse_add_checkpoint
from protocol.encoding import sha256
from protocol.enrolment import MemberEnrolment, open_member_enrolment
from protocol.limits import REGISTRY_LIFE_S
from protocol.merkle import EMPTY_ROOT
from protocol.note import SignatureKind, VerifierKey, add_signatures, format_vkey
from protocol.registry import (
    FIRST_PREVIOUS,
    KeyEntry,
    MemberEntry,
    Registry,
    SubjectEntry,
    hash_registry_payload,
    sign_registry,
)
from protocol.status_list import sign_status_list
from tests.conformance.peer.parts import FOREVER_S, key_entry, make_key, read_clock_s

HUB = "hub.kit.example"
HUB_KEY = make_key("hub")
WITNESS_KEY = make_key("witness")
WITNESS = VerifierKey(
    name=f"{HUB}/chengxin/witness/1", kind=SignatureKind.COSIGNATURE_V1, public=WITNESS_KEY.public
)
Change = Callable[[Registry], Registry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The head of a log that was cosigned last."""

    size: int
    root: bytes
    note: str


class Hub:
    """What the hub of a federation does, without a database."""

    def __init__(self, *, subjects: tuple[SubjectEntry, ...]) -> None:
        """Publish a snapshot that has ended, then the one in force."""
        self.lock = threading.RLock()
        self.snapshots: list[tuple[Registry, tuple[str, ...]]] = []
        self.statuses: list[str] = []
        self.list_age_s = 0
        self.list_key = HUB_KEY
        self.lists_given = 0
        self.watched: dict[str, Watched] = {}
        self.enrolled = threading.Event()
        self.enrolment: MemberEnrolment | None = None
        self.is_witnessing = True
        self._draft = Registry(
            seq=0,
            prev=FIRST_PREVIOUS,
            hash=bytes(32),
            iat=0,
            exp=1,
            hub=HUB,
            simulated=True,
            threshold=1,
            witness_vkey=format_vkey(WITNESS),
            hub_keys=(key_entry(HUB_KEY, "hub"),),
            members=(),
            subjects=subjects,
        )
        self.publish(age_s=2 * REGISTRY_LIFE_S)
        self.publish()

    @property
    def newest(self) -> Registry:
        """Return the newest snapshot."""
        return self.snapshots[-1][0]

    def publish(
        self,
        change: Change = lambda registry: registry,
        *,
        age_s: int = 0,
        life_s: int = REGISTRY_LIFE_S,
    ) -> Registry:
        """Sign the next snapshot."""
        with self.lock:
            base = self.newest if self.snapshots else self._draft
            iat = read_clock_s() - age_s
            prev = self.newest.hash if self.snapshots else FIRST_PREVIOUS
            changed = replace(change(base), seq=base.seq + 1, prev=prev, iat=iat, exp=iat + life_s)
            registry = replace(changed, hash=hash_registry_payload(changed))
            self.snapshots.append((registry, sign_registry(registry, keys=[HUB_KEY])))
            return registry

    def find_snapshot(self, seq: int) -> tuple[bytes, int, int] | None:
        """Return hash, ``iat`` and ``exp`` of a snapshot."""
        if not 0 < seq <= len(self.snapshots):
            return None
        registry = self.snapshots[seq - 1][0]
        return registry.hash, registry.iat, registry.exp

    def enrol(self, tokens: list[str]) -> Registry:
        """Enter the node under test; entering it again changes nothing.

        Raises:
            ProtocolError: The enrolment does not hold.
        """
        enrolment = open_member_enrolment(tokens, hub=HUB, now_s=read_clock_s())
        with self.lock:
            if self.newest.find_member(enrolment.member) is not None:
                return self.newest
            self.enrolment = enrolment
            published = self.publish(
                lambda registry: replace(registry, members=(*registry.members, _enter(enrolment)))
            )
            self.enrolled.set()
            return published

    def list_statuses(self) -> str:
        """Return the status list, of now unless a case makes it another."""
        with self.lock:
            self.lists_given += 1
            iat = read_clock_s() - self.list_age_s
            return sign_status_list(self.statuses, hub=HUB, iat=iat, key=self.list_key)

    def cosign(self, raw: bytes) -> str:
        """Cosign a head that appends to what was seen before.

        Raises:
            WitnessRefusalError: It does not; the leaf has the status.
        """
        request = parse_add_checkpoint(raw)
        with self.lock:
            known = self.watched.get(request.claimed.origin)
            head = decide_cosign(
                request,
                log_keys=self._log_keys(),
                known_size=0 if known is None else known.size,
                known_root=EMPTY_ROOT if known is None else known.root,
            )
            signature = cosign_checkpoint(
                head, name=WITNESS.name, key=WITNESS_KEY, now_s=read_clock_s()
            )
            note = add_signatures(request.note, [signature])
            self.watched[head.origin] = Watched(size=head.size, root=head.root, note=note)
            return signature.line

    def find_checkpoint(self, origin_sha256_hex: str) -> str | None:
        """Return the newest cosigned head of a log, by the hash of its origin."""
        for origin, watched in self.watched.items():
            if sha256(origin.encode()).hex() == origin_sha256_hex:
                return watched.note
        return None

    def _log_keys(self) -> list[VerifierKey]:
        return [
            VerifierKey(name=member.log_origin, kind=SignatureKind.ED25519, public=entry.key)
            for member in self.newest.members
            for entry in member.keys
            if entry.use == "log"
        ]


def _enter(enrolment: MemberEnrolment) -> MemberEntry:
    return MemberEntry(
        member=enrolment.member,
        name=enrolment.name,
        endpoints={"v1": enrolment.endpoint},
        roles=("consumer", "provider"),
        status="active",
        log_origin=enrolment.log_origin,
        keys=tuple(
            KeyEntry(key=key, use=use, nbf=0, exp=FOREVER_S) for use, key in enrolment.keys.items()
        ),
    )
