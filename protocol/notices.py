"""Bodies that name other messages: ``poll``, ``correct``, ``erase``, ``ack``.

An auditor needs no more of them than what they name; a node reads them by their whole schema.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.encoding import decode_b64u
from protocol.limits import ERASED_MESSAGES_MAX, HASH_BYTES, SUBJECT_ID_CHARACTERS_MAX
from protocol.shape import ShapeReader
from protocol.strict_json import parse_object


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a correction supersedes, under which consent; ``subject`` where it has a summary."""

    supersedes: bytes
    consent: bytes
    subject: str | None


def parse_ack(body: bytes) -> bytes:
    """Return the hash of the message that an ``ack`` acknowledges.

    Raises:
        SchemaError: A member is missing, unknown or wrong.
        MalformedError: Not JSON of the subset.
    """
    reader = _open(body, kind="ack")
    of = reader.octets("of")
    reader.finish()
    return of


def parse_poll(body: bytes) -> bytes:
    """Return the hash of the question whose answer a ``poll`` asks for.

    Raises:
        SchemaError: A member is missing, unknown or wrong.
        MalformedError: Not JSON of the subset.
    """
    reader = _open(body, kind="poll")
    request = reader.octets("request")
    reader.finish()
    return request


def parse_correction(body: bytes) -> Correction:
    """Return what a ``correct`` names; its summary is read for the subject alone.

    Raises:
        SchemaError: A member is missing or wrong.
        MalformedError: Not JSON of the subset.
    """
    reader = _open(body, kind="correct")
    subject = None
    if reader.has("summary"):
        summary = reader.inner("summary")
        subject = summary.text("subject", characters_max=SUBJECT_ID_CHARACTERS_MAX)
    return Correction(
        supersedes=reader.octets("supersedes"), consent=reader.octets("consent"), subject=subject
    )


def parse_erasure(body: bytes) -> tuple[bytes, ...]:
    """Return the hashes of the answers that an ``erase`` says are gone.

    Raises:
        SchemaError: A member is missing, unknown or wrong.
        MalformedError: Not JSON of the subset.
    """
    reader = _open(body, kind="erase")
    reader.text("basis")
    answers = reader.texts("answers", count_max=ERASED_MESSAGES_MAX)
    reader.finish()
    return tuple(decode_b64u(answer, bytes_exact=HASH_BYTES) for answer in answers)


def _open(body: bytes, *, kind: str) -> ShapeReader:
    reader = ShapeReader(parse_object(body), what=kind)
    reader.integer("v", low=1, high=1)
    reader.choice("kind", {kind})
    return reader
