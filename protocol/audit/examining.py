"""Opens envelopes, proofs and checkpoints under one registry chain; counts signatures.

Nothing raises: what does not hold carries its code and reason, and where it can still be read the
unverified claims, so that the auditor can say which exchange it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.audit.anchoring import Chain
from protocol.bundle import build_policy
from protocol.checkpoint import Checkpoint, open_checkpoint
from protocol.entry import Entry, find_quick, parse_entry
from protocol.errors import EvidenceError, ProtocolError, SchemaError
from protocol.jws import WrongTypeError, split_compact
from protocol.log_policy import (
    QUORUM_NONE,
    LogPolicy,
    PolicyLog,
    WitnessedCheckpoint,
    open_witnessed,
)
from protocol.log_proof import LogProof, parse_log_proof
from protocol.merkle import leaf_hash, verify_inclusion
from protocol.message import (
    OPERATIONS,
    Envelope,
    hash_envelope,
    message_typ,
    parse_envelope,
)
from protocol.note import VerifierKey
from protocol.problems import UnknownKeyProblemError, WrongIssuerError
from protocol.quick_message import find_quick_envelope
from protocol.registry import KeyEntry

HEADS_HELD_MAX = 65_536
TYP_TO_OPERATION = {message_typ(op): op for op in OPERATIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something does not hold."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedEnvelope:
    """An envelope: verified where ``failure`` is None, else with its claims if they can be read."""

    msg: bytes
    claims: Envelope | None
    key: KeyEntry | None
    failure: Failure | None

    @property
    def verified(self) -> Envelope | None:
        """Return the claims if they are signed by their issuer."""
        return self.claims if self.failure is None else None

    def is_key_valid_at(self, at_s: int) -> bool:
        """Tell whether the issuer's key counted at that time."""
        return self.key is not None and self.key.is_valid_at(at_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedProof:
    """A tlog-proof beside a message: where ``failure`` is None, the log's key has signed it."""

    member: str
    origin: str
    index: int
    raw: bytes
    entry: Entry | None
    head: Checkpoint | None
    note: str
    failure: Failure | None


class Examiner:
    """Opens signed texts by the keys of one registry chain.

    What two bundles hold alike is verified once, and so is the checkpoint of many proofs.
    """

    def __init__(self, chain: Chain) -> None:
        """Start with no text seen."""
        self.chain = chain
        self.signatures = 0
        self._envelopes: dict[str, OpenedEnvelope] = {}
        self._proofs: dict[tuple[str, str], OpenedProof] = {}
        self._entries: dict[bytes, Entry] = {}
        self._heads: dict[tuple[str, str], Checkpoint] = {}

    def forget(self) -> None:
        """Drop envelopes and proofs: the copies of one exchange have all been opened."""
        self._envelopes.clear()
        self._proofs.clear()
        self._entries.clear()

    def read_entry(self, raw: bytes) -> Entry:
        """Read an entry, from a log or a proof.

        Raises:
            EntryError: It is none.
        """
        known = self._entries.get(raw)
        if known is None:
            known = self._entries[raw] = find_quick(raw) or parse_entry(raw)
        return known

    def open_envelope(self, env: str) -> OpenedEnvelope:
        """Verify signature, form, kind and issuer of an envelope; time is the caller's matter."""
        known = self._envelopes.get(env)
        if known is None:
            known = self._envelopes[env] = self._read_envelope(env)
        return known

    def open_proof(self, text: str, *, member: str) -> OpenedProof:
        """Verify that a log of the member signed a head that holds the entry in the proof."""
        known = self._proofs.get((member, text))
        if known is None:
            known = self._proofs[member, text] = self._read_proof(text, member)
        return known

    def open_head(self, note: str, *, member: str) -> Checkpoint:
        """Verify a checkpoint of a log of a member.

        Raises:
            ProtocolError: The leaf that says what does not hold.
        """
        head = self._heads.get((member, note))
        if head is None:
            head = open_checkpoint(note, vkey=self._get_log_key(note, member))
            self.signatures += 1
            if len(self._heads) >= HEADS_HELD_MAX:
                self._heads.clear()
            self._heads[member, note] = head
        return head

    def open_witnessed(self, note: str, *, origin: str) -> WitnessedCheckpoint:
        """Verify a checkpoint of a log with the hub's cosignature; the hub's own needs none.

        Raises:
            ProtocolError: The leaf that says what does not hold.
        """
        key = self.chain.get_log_key(origin)
        policy = build_policy(log=key, witnesses=self.chain.witnesses)
        if self.chain.is_hub_log(origin):  # Whom its witnesses are, no registry says.
            policy = LogPolicy(
                logs=(PolicyLog(key=key),), witnesses=(), groups=(), quorum=QUORUM_NONE
            )
        witnessed = open_witnessed(note, policy=policy)
        self.signatures += 1 + len(witnessed.cosigners)
        return witnessed

    def _get_log_key(self, note: str, member: str) -> VerifierKey:
        """Return the key of the log that a note names, or of the member's newest where it is not.

        Raises:
            UnknownKeyError: The registry knows no log of this member.
        """
        origin = note.partition("\n")[0]
        if self.chain.find_owner(origin) == member:
            return self.chain.get_log_key(origin)
        return self.chain.get_log_key(next(iter(reversed(self.chain.list_origins(member))), origin))

    def _read_envelope(self, env: str) -> OpenedEnvelope:
        msg = hash_envelope(env)
        try:
            claims, key = self._verify_envelope(env)
        except ProtocolError as err:
            failure = Failure(code=err.code, detail=err.detail)
            return OpenedEnvelope(msg=msg, claims=find_claims(env), key=None, failure=failure)
        return OpenedEnvelope(msg=msg, claims=claims, key=key, failure=None)

    def _verify_envelope(self, env: str) -> tuple[Envelope, KeyEntry]:
        token = split_compact(env)
        op = TYP_TO_OPERATION.get(token.header.typ)
        if op is None:
            raise WrongTypeError("no message of this protocol")
        found = self.chain.newest.find_message_key(token.header.kid)
        if found is None:
            raise UnknownKeyProblemError("signed by a key that no member has")
        owner, key = found
        key.key.verify(token.signing_input, token.signature)
        self.signatures += 1
        claims = find_quick_envelope(token.payload) or parse_envelope(token.payload)
        if claims.op != op:
            raise SchemaError("env.op: not the operation of its typ")
        if claims.iss != owner.member:
            raise WrongIssuerError(f"says {claims.iss}, signed by {owner.member}")
        return claims, key

    def _read_proof(self, text: str, member: str) -> OpenedProof:
        proof: LogProof | None = None
        try:
            proof = parse_log_proof(text)
            if proof.extra is None:
                raise EvidenceError("the proof does not carry its entry")
            entry = self.read_entry(proof.extra)
            head = self.open_head(proof.note, member=member)
            verify_inclusion(
                index=proof.index,
                size=head.size,
                leaf=leaf_hash(proof.extra),
                proof=proof.hashes,
                root=head.root,
            )
        except ProtocolError as err:
            return OpenedProof(
                member=member,
                origin="",
                index=-1 if proof is None else proof.index,
                raw=b"",
                entry=None,
                head=None,
                note="",
                failure=Failure(code="bad-inclusion", detail=err.detail),
            )
        return OpenedProof(
            member=member,
            origin=head.origin,
            index=proof.index,
            raw=proof.extra,
            entry=entry,
            head=head,
            note=proof.note,
            failure=None,
        )


def find_claims(env: str) -> Envelope | None:
    """Return what an envelope says, unverified, if it can be read."""
    try:
        return parse_envelope(split_compact(env).payload)
    except ProtocolError:
        return None
