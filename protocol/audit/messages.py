"""Reads the messages of ordinary exchanges: what is the same in many of them is looked at once.

Everything here says yes or nothing: why a message does not hold is for ``examining`` to say.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass

from protocol.audit.examining import TYP_TO_OPERATION
from protocol.audit.proofs import PROOF_END, HeadProofs
from protocol.audit.queries import parse_query
from protocol.audit.reading import ReadLog
from protocol.audit.texts import find_octets, write_hash
from protocol.audit.uses import UsedTerms
from protocol.audit.world import World
from protocol.checkpoint import parse_checkpoint
from protocol.errors import ProtocolError, SignatureInvalidError
from protocol.jws import split_compact
from protocol.limits import ENVELOPE_BYTES_MAX, INCLUSION_BYTES_MAX, SALT_BYTES
from protocol.message import digest_body
from protocol.note import parse_note
from protocol.quick_message import (
    ClaimFrame,
    OwnTexts,
    build_claim_frame,
    find_claim_texts,
    read_reference_text,
)
from protocol.registry import KeyEntry
from protocol.strict_json import parse_json

HEADS_HELD_MAX = 64  # messages stand under the newest head of a log, or one of the last
FRAMES_HELD_MAX = 4_096
_SIGNATURE_CHARACTERS = 86
_PARTS_OF_TOKEN = 3


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs messages of one operation under one header."""

    member: str
    name: bytes
    op: bytes
    key: KeyEntry

    def counts_at(self, at_s: int) -> bool:
        """Tell whether a signature made at that time counts, whoever may have the key since."""
        is_stolen = self.key.reason == "compromised" and self.key.revoked_at is not None
        return not is_stolen and self.key.is_valid_at(at_s)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Frame:
    """What many messages have in common: signer, addressee, time, and how their claims are written.

    ``counts`` says of all of them whether key and snapshot counted at ``iat_s``.
    """

    signer: Signer
    aud: bytes
    iat_s: int
    exp_s: int
    counts: bool
    claims: ClaimFrame


class MessageReader:
    """Reads messages of one window."""

    def __init__(self, world: World) -> None:
        """Start with nothing known."""
        self._world = world
        self._signers: dict[bytes, Signer] = {}
        self._frames: dict[tuple[bytes, bytes, bytes], Frame] = {}
        self._heads: dict[tuple[str, bytes], HeadProofs | None] = {}
        self._newest: dict[str, HeadProofs] = {}
        self._signed: dict[tuple[str, str], bool] = {}
        self._ends: dict[bytes, int] = {}
        self._terms: dict[tuple[bytes, ...], UsedTerms | None] = {}

    def find_frame(self, env: bytes, own: OwnTexts, *, peer: bytes, op: bytes) -> Frame | None:
        """Return the frame of an envelope that says just this, or None where another look is due.

        The claims are not taken apart but written, in the frame of the last message of this kind,
        and compared. Only where that is not the one, the envelope is read for its frame.

        Args:
            env: The envelope; its signature is still to be verified.
            own: What the claims must be that no frame has, in their usual spelling.
            peer: With whom the exchange is; this and ``op`` say where a frame may be known.
            op: The operation of the exchange.
        """
        name = env[: env.find(b".") + 1], peer, op
        frame = self._frames.get(name)
        if frame is None or not _is_written(env, name[0], frame, own):
            frame = self._read_frame(env, name)
            if frame is None or not _is_written(env, name[0], frame, own):
                return None
        return frame

    def verify(self, env: bytes, frame: Frame) -> bool:
        """Tell whether the signature of an envelope that is written in a frame verifies."""
        signature = find_octets(env[-_SIGNATURE_CHARACTERS:])
        if signature is None:
            return False
        try:
            frame.signer.key.key.verify(env[: -_SIGNATURE_CHARACTERS - 1], signature)
        except SignatureInvalidError:
            return False
        return True

    def find_body(self, body_text: bytes, salt_text: bytes) -> tuple[bytes, int] | None:
        """Return the hash that a message with this body must state, and the body's length."""
        body, salt = find_octets(body_text), find_octets(salt_text)
        if body is None or salt is None or len(salt) != SALT_BYTES:
            return None
        return write_hash(digest_body(body, salt=salt)), len(body)

    def find_head(self, proof: bytes, log: ReadLog, index: int, raw: bytes) -> HeadProofs | None:
        """Return the head under which a proof is the one for this entry, not yet verified."""
        newest = self._newest.get(log.origin)
        if newest is None or not newest.is_proof(proof, index, raw):
            _, _, note = proof.partition(PROOF_END)
            newest = self._find_noted(note, log)
            if newest is None or not newest.is_proof(proof, index, raw):
                return None
            self._newest[log.origin] = newest  # The next message stands under the same mostly.
        return newest if len(proof) <= INCLUSION_BYTES_MAX else None

    def is_signed(self, head: HeadProofs) -> bool:
        """Tell whether a head's log has signed it."""
        name = head.log.member, head.text
        known = self._signed.get(name)
        if known is None:
            known = self._signed[name] = self._verify_head(head)
        return known

    def find_terms(
        self, body_text: bytes, *, purpose: bytes, consumer: bytes, provider: bytes, consents: bytes
    ) -> UsedTerms | None:
        """Return on which terms a question uses its consent, if the consent holds."""
        name = body_text, purpose, consumer, provider, consents
        if name not in self._terms:
            self._terms[name] = self._read_terms(*name)
        return self._terms[name]

    def _read_frame(self, env: bytes, name: tuple[bytes, bytes, bytes]) -> Frame | None:
        """Read the frame of an envelope in its usual form, of whom header and claims name."""
        parts = env.split(b".")
        if len(parts) != _PARTS_OF_TOKEN or len(env) > ENVELOPE_BYTES_MAX:
            return None
        signer = self._signers.get(parts[0]) or self._find_signer(parts[0], env)
        texts = find_claim_texts(find_octets(parts[1]) or b"")
        if signer is None or texts is None:
            return None
        if texts.iss != signer.name or texts.op != signer.op:
            return None
        iat_s = int(texts.iat)
        frame = Frame(
            signer=signer,
            aud=texts.aud,
            iat_s=iat_s,
            exp_s=int(texts.exp),
            counts=signer.counts_at(iat_s) and self._is_reference_valid(texts.reg, at_s=iat_s),
            claims=build_claim_frame(texts),
        )
        if len(self._frames) >= FRAMES_HELD_MAX:
            self._frames.clear()
        self._frames[name] = frame
        return frame

    def _is_reference_valid(self, text: bytes, *, at_s: int) -> bool:
        """Tell whether the snapshot that a message names is here and had not ended."""
        end_s = self._ends.get(text)
        if end_s is None:
            reference = read_reference_text(text)
            held = self._world.chain.find_reference(reference.seq)
            is_held = held is not None and held[0] == reference.hash
            end_s = self._ends[text] = held[2] if held is not None and is_held else 0
        return at_s < end_s

    def _find_signer(self, header: bytes, env: bytes) -> Signer | None:
        try:
            split = split_compact(env.decode("ascii"))
        except (ProtocolError, UnicodeDecodeError):
            return None
        op = TYP_TO_OPERATION.get(split.header.typ)
        found = self._world.chain.newest.find_message_key(split.header.kid)
        if op is None or found is None:
            return None
        owner, key = found
        name = owner.member.encode("utf-8")
        signer = self._signers[header] = Signer(owner.member, name, op.encode("ascii"), key)
        return signer

    def _find_noted(self, note: bytes, log: ReadLog) -> HeadProofs | None:
        name = log.origin, note
        if name not in self._heads:
            if len(self._heads) >= HEADS_HELD_MAX:
                self._heads.pop(next(iter(self._heads)))
            self._heads[name] = _read_head(note, log)
        return self._heads[name]

    def _verify_head(self, head: HeadProofs) -> bool:
        try:
            self._world.examiner.open_head(head.text, member=head.log.member)
        except ProtocolError:
            return False
        return True

    def _read_terms(
        self, body_text: bytes, purpose: bytes, consumer: bytes, provider: bytes, consents: bytes
    ) -> UsedTerms | None:
        name = find_octets(consents[1:-1]) or b""
        judged = self._world.artefacts.consents.get(name)
        body = find_octets(body_text)
        if judged is None or judged.verified is None or body is None:
            return None
        asked, months = purpose.decode("ascii"), judged.verified.last_months
        try:
            shown = parse_query(body, name=name, last_months=months, purpose=asked)
        except ProtocolError:
            return None
        if shown.purpose != asked:
            return None
        return UsedTerms(
            consent=name,
            consumer=consumer.decode("ascii"),
            provider=provider.decode("ascii"),
            purpose=asked,
            op="query",
            metrics=tuple(shown.metrics),
            last_months=shown.last_months,
        )


def _is_written(env: bytes, header: bytes, frame: Frame, own: OwnTexts) -> bool:
    """Tell whether an envelope, but for its signature, is written in a frame."""
    # Base64 makes neither of the two characters that differ in base64url of what claims are of.
    encoded = binascii.b2a_base64(frame.claims.write(own), newline=False).rstrip(b"=")
    return b"%b%b." % (header, encoded) == env[:-_SIGNATURE_CHARACTERS]


def _read_head(note: bytes, log: ReadLog) -> HeadProofs | None:
    """Return the proofs below the head that a note states, if the export has its root."""
    try:
        text = str(parse_json(b'"%b"' % note))
        head = parse_checkpoint(parse_note(text).text)
    except ProtocolError:
        return None
    if head.origin != log.origin or not 0 < head.size <= log.tree.size:
        return None
    if log.tree.root(head.size) != head.root:
        return None
    return HeadProofs(log, head, note=note, text=text)
