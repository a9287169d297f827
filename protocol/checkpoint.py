"""C2SP tlog-checkpoint: origin, size and root of a log, three lines, signed as a note.

Extension lines are refused: no monitor could audit them. The signature that counts is the one whose
key is named as the origin; one origin, one key, one log for ever.
"""

from __future__ import annotations

import hashlib
import re
from binascii import a2b_base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from protocol.errors import EvidenceError, MalformedError
from protocol.keys import SigningKey
from protocol.limits import HASH_BYTES, PROOF_HASHES_MAX, TREE_SIZE_MAX
from protocol.note import (
    SIGNATURE_LINE_START,
    SignatureKind,
    VerifierKey,
    check_key_name,
    decode_base64,
    encode_base64,
    parse_note,
    verify_note,
)

CHECKPOINT_LINES = 3

_HASH_LINE = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", re.ASCII)
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class CheckpointMalformedError(MalformedError):
    """The note's text is no checkpoint of three lines."""

    code = "checkpoint-malformed"


class CheckpointOriginError(EvidenceError):
    """The checkpoint is not signed by a key of the log that it names."""

    code = "checkpoint-origin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The head of a log: what a signature binds."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Return the three lines that log and witnesses sign."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint, without any signature.

    Raises:
        MalformedError: Not exactly three lines in their canonical form.
    """
    lines = text.split("\n")
    if len(lines) != CHECKPOINT_LINES + 1 or lines[-1]:
        raise CheckpointMalformedError("a checkpoint has three lines and no extension")
    origin, size, root_b64, _ = lines
    return Checkpoint(
        origin=check_key_name(origin),
        size=parse_decimal(size),
        root=decode_base64(root_b64, bytes_exact=HASH_BYTES),
    )


class CheckpointSigner:
    """Signs the heads of one log; what is the same in all of them is checked once."""

    def __init__(self, *, origin: str, key: SigningKey) -> None:
        """Take the log's origin and key.

        Raises:
            MalformedError: No log has this origin.
        """
        vkey = VerifierKey(name=origin, kind=SignatureKind.ED25519, public=key.public)
        self.origin = origin
        self._key = key
        self._key_id = vkey.key_id
        self._line_start = f"{SIGNATURE_LINE_START}{origin} "

    def sign(self, *, size: int, root: bytes) -> str:
        """Return the note of one head.

        Raises:
            CheckpointMalformedError: A reader would refuse it.
        """
        if not 0 <= size <= TREE_SIZE_MAX or len(root) != HASH_BYTES:
            raise CheckpointMalformedError("no head has this size and root")
        # What Checkpoint.text and NoteSignature.line write, without making either.
        text = f"{self.origin}\n{size}\n{encode_base64(root)}\n"
        value = self._key.sign(text.encode("utf-8"))
        return f"{text}\n{self._line_start}{encode_base64(self._key_id + value)}\n"


def sign_checkpoint(checkpoint: Checkpoint, *, key: SigningKey) -> str:
    """Sign a checkpoint as its log and return the note.

    Raises:
        MalformedError: The values make no checkpoint.
    """
    signer = CheckpointSigner(origin=checkpoint.origin, key=key)
    return signer.sign(size=checkpoint.size, root=checkpoint.root)


def open_checkpoint(note: str, *, vkey: VerifierKey) -> Checkpoint:
    """Verify a checkpoint under the log's key and return it; witnesses are not looked at.

    Raises:
        MalformedError: No note, or no checkpoint in it.
        SignatureInvalidError: The log's signature is missing or wrong.
        CheckpointOriginError: The key is not one of the log that the checkpoint names.
    """
    parsed = parse_note(note)
    verify_note(parsed, [vkey])
    checkpoint = parse_checkpoint(parsed.text)
    check_log_signed(checkpoint, [vkey])
    return checkpoint


def check_log_signed(checkpoint: Checkpoint, signers: Iterable[VerifierKey]) -> None:
    """Check that a log key named as the origin is among the keys that verifiably signed.

    Raises:
        CheckpointOriginError: None is.
    """
    for key in signers:
        if key.kind is SignatureKind.ED25519 and key.name == checkpoint.origin:
            return
    raise CheckpointOriginError(f"no key of {checkpoint.origin} has signed")


def hash_origin(origin: str) -> str:
    """Return how a log is named in a path: SHA-256 of its origin in hexadecimal (tlog-witness)."""
    return hashlib.sha256(origin.encode("utf-8")).hexdigest()


def parse_decimal(text: str) -> int:
    """Read a size or index: ASCII digits, no sign, no leading zero.

    Raises:
        CheckpointMalformedError: Another form, or more than 63 bits.
    """
    if _DECIMAL.fullmatch(text) is None or int(text) > TREE_SIZE_MAX:
        raise CheckpointMalformedError("not a canonical decimal number of 63 bits")
    return int(text)


def format_hash_lines(hashes: Iterable[bytes]) -> str:
    """Write the hashes of a proof, one a line."""
    return "".join(f"{encode_base64(value)}\n" for value in hashes)


def parse_hash_lines(lines: Sequence[str]) -> tuple[bytes, ...]:
    """Read the hashes of a proof.

    Raises:
        MalformedError: Too many, or one that is not 32 bytes of canonical base64.
    """
    if len(lines) > PROOF_HASHES_MAX:
        raise CheckpointMalformedError(f"a proof has at most {PROOF_HASHES_MAX} hashes")
    return tuple(
        a2b_base64(line)
        if _HASH_LINE.fullmatch(line)  # the one spelling of 32 bytes: nothing to compare
        else decode_base64(line, bytes_exact=HASH_BYTES)
        for line in lines
    )
