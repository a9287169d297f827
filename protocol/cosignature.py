"""C2SP tlog-cosignature and tlog-witness: what a log asks of a witness, and what that decides.

A cosignature says: at this time, this was the largest head that I have seen of this log, and it
only appended to what I had seen before. The decision is a pure function; the witness keeps the
state, and must check, update and persist in one transaction before it answers, or two requests
that race could roll its record back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from protocol.checkpoint import (
    Checkpoint,
    check_log_signed,
    format_hash_lines,
    parse_checkpoint,
    parse_decimal,
    parse_hash_lines,
)
from protocol.errors import EvidenceError, MalformedError, ProtocolError
from protocol.keys import SigningKey
from protocol.limits import WITNESS_REQUEST_BYTES_MAX
from protocol.merkle import EMPTY_ROOT, ConsistencyProofError, verify_consistency
from protocol.note import (
    NoteSignature,
    VerifiedSignature,
    VerifierKey,
    add_signatures,
    cosign_text,
    decode_text,
    parse_note,
    parse_signature_lines,
    verify_note,
)

SIZE_CONTENT_TYPE = "text/x.tlog.size"  # of the 409 answer


class WitnessRefusalError(EvidenceError):
    """The witness does not cosign; ``status`` is the HTTP status of tlog-witness."""

    code = "witness-refused"
    status: ClassVar[int] = 400


class WitnessRequestError(WitnessRefusalError):
    """The request has not the specified form, or its old size exceeds the new one."""

    code = "witness-request-malformed"
    status = 400


class UnknownOriginError(WitnessRefusalError):
    """The witness does not watch this log."""

    code = "witness-unknown-origin"
    status = 404


class LogUnsignedError(WitnessRefusalError):
    """The log's signature is missing or wrong."""

    code = "witness-log-unsigned"
    status = 403


class StaleSizeError(WitnessRefusalError):
    """The request does not start at the size that the witness cosigned last."""

    code = "witness-stale-size"
    status = 409

    def __init__(self, *, known_size: int) -> None:
        super().__init__(f"the last cosigned size is {known_size}")
        self.known_size = known_size

    @property
    def body(self) -> str:
        """Return the body of the answer, of type ``SIZE_CONTENT_TYPE``."""
        return f"{self.known_size}\n"


class WitnessProofError(WitnessRefusalError):
    """The checkpoint does not provably append to the one that the witness cosigned last."""

    code = "witness-proof-invalid"
    status = 422


class ForkedRootError(WitnessRefusalError):
    """The log shows another root at the size that the witness cosigned last: it has forked."""

    code = "witness-forked-root"
    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpointRequest:
    """The body of ``add-checkpoint``; nothing in it is verified yet."""

    old_size: int
    proof: tuple[bytes, ...]
    note: str
    claimed: Checkpoint

    @property
    def text(self) -> str:
        """Return the body as it goes over the wire."""
        return f"old {self.old_size}\n{format_hash_lines(self.proof)}\n{self.note}"


def build_add_checkpoint(
    *, old_size: int, proof: Sequence[bytes], note: str
) -> AddCheckpointRequest:
    """Build the request that a log sends.

    Raises:
        WitnessRequestError: The parts make no request.
    """
    return parse_add_checkpoint(f"old {old_size}\n{format_hash_lines(proof)}\n{note}".encode())


def parse_add_checkpoint(raw: bytes) -> AddCheckpointRequest:
    """Read the body of ``add-checkpoint``.

    Raises:
        WitnessRequestError: Another form.
    """
    try:
        return _parse_request(decode_text(raw, bytes_max=WITNESS_REQUEST_BYTES_MAX))
    except MalformedError as err:
        raise WitnessRequestError(err.detail) from err


def decide_cosign(
    request: AddCheckpointRequest,
    *,
    log_keys: Sequence[VerifierKey],
    known_size: int,
    known_root: bytes,
) -> Checkpoint:
    """Decide on one request and return the checkpoint to record and cosign.

    Args:
        request: What the log asks.
        log_keys: The keys that the witness trusts for the origin; none if it does not watch it.
        known_size: The size that the witness cosigned last for the origin, or 0.
        known_root: The root at that size.

    Raises:
        WitnessRefusalError: Its leaf has the status; the first failing check wins, in the order
            unknown origin, signature, old size over new, stale size, empty root, proof, and the
            root where the size is the one known.
    """
    checkpoint = request.claimed
    trusted = [key for key in log_keys if key.name == checkpoint.origin]
    if not trusted:
        raise UnknownOriginError("this log is not watched here")
    try:
        signatures = verify_note(parse_note(request.note), trusted)
        check_log_signed(checkpoint, [signature.key for signature in signatures])
    except ProtocolError as err:
        raise LogUnsignedError(err.detail) from err
    if request.old_size > checkpoint.size:
        raise WitnessRequestError("the old size exceeds the new one")
    if request.old_size != known_size:
        raise StaleSizeError(known_size=known_size)
    _check_appended(request, known_root=known_root)
    return checkpoint


def cosign_checkpoint(
    checkpoint: Checkpoint, *, name: str, key: SigningKey, now_s: int
) -> NoteSignature:
    """Cosign a checkpoint that ``decide_cosign`` returned; its ``line`` is the answer's body."""
    return cosign_text(checkpoint.text, name=name, key=key, at_s=now_s)


def adopt_cosignatures(
    note: str, *, answer: bytes, keys: Sequence[VerifierKey]
) -> tuple[str, tuple[VerifiedSignature, ...]]:
    """Take the cosignatures of trusted witnesses from an answer into a checkpoint note.

    Lines of unknown keys are dropped, so that a witness cannot make the log carry foreign bytes.

    Raises:
        MalformedError: The answer is no signature lines.
        SignatureInvalidError: A trusted key's line does not verify, or there is none.
    """
    known = {(key.name, key.key_id) for key in keys}
    lines = parse_signature_lines(decode_text(answer))
    ours = [line for line in lines if (line.name, line.key_id) in known]
    cosigned = add_signatures(note, ours)
    return cosigned, verify_note(parse_note(cosigned), keys)


def _parse_request(text: str) -> AddCheckpointRequest:
    head, _, note = text.partition("\n\n")
    old, *lines = head.split("\n")
    if not old.startswith("old "):
        raise MalformedError("no line with the old size")
    return AddCheckpointRequest(
        old_size=parse_decimal(old.removeprefix("old ")),
        proof=parse_hash_lines(lines),
        note=note,
        claimed=parse_checkpoint(parse_note(note).text),
    )


def _check_appended(request: AddCheckpointRequest, *, known_root: bytes) -> None:
    new = request.claimed
    if new.size == 0 and new.root != EMPTY_ROOT:
        raise WitnessProofError("the root of an empty tree is the hash of nothing")
    if (
        request.old_size == 0
    ):  # The empty tree is consistent with any, so there is nothing to prove.
        if request.proof:
            raise WitnessProofError("a proof from size 0 is empty")
        return
    if request.old_size == new.size and not request.proof and new.root != known_root:
        raise ForkedRootError("the root at the last cosigned size is another")
    try:
        verify_consistency(
            old_size=request.old_size,
            new_size=new.size,
            old_root=known_root,
            new_root=new.root,
            proof=request.proof,
        )
    except ConsistencyProofError as err:
        raise WitnessProofError(err.detail) from err
