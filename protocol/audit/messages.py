"""Reads the messages of ordinary exchanges: what is the same in many of them is looked at once.

Everything here says yes or nothing: why a message does not hold is for ``examining`` to say.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import NamedTuple

from protocol.audit.evidence import ExchangeKey
from protocol.audit.examining import TYP_TO_OPERATION
from protocol.audit.proofs import PROOF_END, HeadProofs
from protocol.audit.queries import parse_query
from protocol.audit.reading import ReadLog
from protocol.audit.texts import find_octets
from protocol.audit.uses import UsedTerms
from protocol.audit.world import World
from protocol.checkpoint import parse_checkpoint
from protocol.encoding import sha256
from protocol.entry import ExchangeTexts, RequestTexts
from protocol.errors import ProtocolError, SignatureInvalidError
from protocol.jws import split_compact
from protocol.limits import ENVELOPE_BYTES_MAX, INCLUSION_BYTES_MAX, SALT_BYTES
from protocol.message import digest_body
from protocol.note import parse_note
from protocol.quick_message import ClaimTexts, find_claim_texts, read_reference_text
from protocol.registry import KeyEntry
from protocol.strict_json import parse_json

_TO_URL = bytes.maketrans(b"+/", b"-_")
_HASH_CHARACTERS = 43
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


class ReadMessage(NamedTuple):
    """An envelope by a member's key, whose signature is still to be verified."""

    env: bytes
    claims: ClaimTexts
    msg: bytes
    msg_text: bytes
    signer: Signer
    signing_input: bytes
    signature: bytes

    def get_key(self, consumer: str, provider: str) -> ExchangeKey:
        """Return the name of the exchange that this message is of."""
        return ExchangeKey(consumer, provider, find_octets(self.claims.jti) or b"")


class MessageReader:
    """Reads messages of one window."""

    def __init__(self, world: World) -> None:
        """Start with nothing known."""
        self._world = world
        self._signers: dict[bytes, Signer] = {}
        self._heads: dict[tuple[str, bytes], HeadProofs | None] = {}
        self._newest: dict[str, HeadProofs] = {}
        self._signed: dict[HeadProofs, bool] = {}
        self._ends: dict[bytes, int] = {}
        self._terms: dict[tuple[bytes, ...], UsedTerms | None] = {}

    def read(self, env: bytes) -> ReadMessage | None:
        """Return an envelope in its usual form, of the one whom header and claims name."""
        parts = env.split(b".")
        if len(parts) != _PARTS_OF_TOKEN or len(env) > ENVELOPE_BYTES_MAX:
            return None
        header, payload, signature = parts
        signer = self._signers.get(header) or self._find_signer(header, env)
        claims = find_claim_texts(find_octets(payload) or b"")
        value = find_octets(signature)
        if signer is None or claims is None or value is None:
            return None
        if claims.iss != signer.name or claims.op != signer.op:
            return None
        msg = sha256(env)
        signing_input = env[: len(header) + 1 + len(payload)]
        return ReadMessage(env, claims, msg, _write(msg), signer, signing_input, value)

    def verify(self, message: ReadMessage) -> bool:
        """Tell whether the signature verifies."""
        try:
            message.signer.key.key.verify(message.signing_input, message.signature)
        except SignatureInvalidError:
            return False
        return True

    def has_body(self, message: ReadMessage, body_text: bytes, *, salt: bytes) -> bool:
        """Tell whether body and salt are the signed ones."""
        body, octets = find_octets(body_text), find_octets(salt)
        return (
            body is not None
            and octets is not None
            and len(octets) == SALT_BYTES
            and len(body) == int(message.claims.blen)
            and _write(digest_body(body, salt=octets)) == message.claims.bd
        )

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
        known = self._signed.get(head)
        if known is None:
            known = self._signed[head] = self._verify_head(head)
        return known

    def is_reference_valid(self, text: bytes, *, at_s: int) -> bool:
        """Tell whether the snapshot that a message names is here and had not ended."""
        end_s = self._ends.get(text)
        if end_s is None:
            reference = read_reference_text(text)
            held = self._world.chain.find_reference(reference.seq)
            is_held = held is not None and held[0] == reference.hash
            end_s = self._ends[text] = held[2] if held is not None and is_held else 0
        return at_s < end_s

    def find_terms(
        self, body_text: bytes, asked: RequestTexts, decided: ExchangeTexts
    ) -> UsedTerms | None:
        """Return on which terms a question uses its consent, if the consent holds."""
        name = body_text, asked.purpose, asked.peer, decided.peer, decided.consents
        if name not in self._terms:
            self._terms[name] = self._read_terms(body_text, asked, decided)
        return self._terms[name]

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
            self._heads[name] = _read_head(note, log)
        return self._heads[name]

    def _verify_head(self, head: HeadProofs) -> bool:
        try:
            self._world.examiner.open_head(head.text, member=head.log.member)
        except ProtocolError:
            return False
        return True

    def _read_terms(
        self, body_text: bytes, asked: RequestTexts, decided: ExchangeTexts
    ) -> UsedTerms | None:
        name = find_octets(decided.consents[1:-1]) or b""
        judged = self._world.artefacts.consents.get(name)
        body = find_octets(body_text)
        if judged is None or judged.verified is None or body is None:
            return None
        purpose, months = asked.purpose.decode("ascii"), judged.verified.last_months
        try:
            shown = parse_query(body, name=name, last_months=months, purpose=purpose)
        except ProtocolError:
            return None
        if shown.purpose != purpose:
            return None
        return UsedTerms(
            consent=name,
            consumer=decided.peer.decode("ascii"),
            provider=asked.peer.decode("ascii"),
            purpose=purpose,
            op=decided.op.decode("ascii"),
            metrics=tuple(shown.metrics),
            last_months=shown.last_months,
        )


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


def _write(digest: bytes) -> bytes:
    """Return a hash in base64url."""
    return binascii.b2a_base64(digest, newline=False).translate(_TO_URL)[:_HASH_CHARACTERS]
