"""C2SP tlog-proof: index, inclusion proof and checkpoint in one text, to be checked offline.

Together with the entry's bytes this is the receipt that parties hand each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.checkpoint import (
    Checkpoint,
    format_hash_lines,
    open_checkpoint,
    parse_decimal,
    parse_hash_lines,
)
from protocol.errors import MalformedError, TooLargeError
from protocol.limits import LOG_PROOF_BYTES_MAX
from protocol.log_policy import LogPolicy, open_witnessed
from protocol.merkle import leaf_hash, verify_inclusion
from protocol.note import VerifierKey, decode_base64, encode_base64, encode_text

HEADER = "c2sp.org/tlog-proof@v1"


class LogProofError(MalformedError):
    """The text is no tlog-proof in its one canonical form."""

    code = "log-proof-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """A parsed proof; nothing in it is verified yet, and ``extra`` never is."""

    index: int
    hashes: tuple[bytes, ...]
    note: str
    extra: bytes | None = None

    @property
    def text(self) -> str:
        """Return the proof as a text."""
        extra = "" if self.extra is None else f"extra {encode_base64(self.extra)}\n"
        hashes = format_hash_lines(self.hashes)
        return f"{HEADER}\n{extra}index {self.index}\n{hashes}\n{self.note}"


def format_log_proof(
    *, index: int, hashes: Sequence[bytes], note: str, extra: bytes | None = None
) -> str:
    """Write a proof; ``note`` is the signed checkpoint, verbatim.

    Raises:
        LogProofError: The parts make no proof.
    """
    text = LogProof(index=index, hashes=tuple(hashes), note=note, extra=extra).text
    parse_log_proof(text)  # What a reader would refuse is not written.
    return text


def parse_log_proof(text: str) -> LogProof:
    """Split a proof into its parts; the checkpoint stays a text.

    Raises:
        TooLargeError: More bytes than the limit.
        LogProofError: Another form.
    """
    if len(encode_text(text)) > LOG_PROOF_BYTES_MAX:
        raise TooLargeError(f"a proof has at most {LOG_PROOF_BYTES_MAX} bytes")
    head, gap, note = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != HEADER or not gap:
        raise LogProofError("no header, or no empty line before the checkpoint")
    has_extra = len(lines) > 1 and lines[1].startswith("extra ")
    index, *hashes = lines[2 if has_extra else 1 :] or [""]
    if not index.startswith("index "):
        raise LogProofError("no index line")
    try:
        return LogProof(
            index=parse_decimal(index.removeprefix("index ")),
            hashes=parse_hash_lines(hashes),
            note=note,
            extra=decode_base64(lines[1].removeprefix("extra ")) if has_extra else None,
        )
    except MalformedError as err:
        raise LogProofError(err.detail) from err


def verify_log_proof(
    text: str, *, entry: bytes, trust: VerifierKey | LogPolicy
) -> tuple[int, Checkpoint]:
    """Verify that a log holds the entry; return where, and under which head.

    Args:
        text: The tlog-proof.
        entry: The exact bytes of the entry.
        trust: The log's key, or a policy, which then also asks for its quorum of witnesses.

    Raises:
        MalformedError: The text is no proof of a checkpoint.
        SignatureInvalidError: A known key's signature is wrong or missing.
        EvidenceError: The origin, the quorum or the inclusion does not hold.
    """
    proof = parse_log_proof(text)
    if isinstance(trust, VerifierKey):
        checkpoint = open_checkpoint(proof.note, vkey=trust)
    else:
        checkpoint = open_witnessed(proof.note, policy=trust).checkpoint
    verify_inclusion(
        index=proof.index,
        size=checkpoint.size,
        leaf=leaf_hash(entry),
        proof=proof.hashes,
        root=checkpoint.root,
    )
    return proof.index, checkpoint
