"""Receipts: the asker's signed word that answers arrived and verify; delivery cannot be denied.

A receipt is a message (``op`` receipt) whose body lists ``ans`` hashes; it goes out within 60 s and
may cover many answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from protocol.encoding import decode_b64u, encode_b64u
from protocol.limits import HASH_BYTES
from protocol.shape import ShapeReader
from protocol.strict_json import canonical_json, parse_object

RECEIPT_CONTENT_TYPE = "application/vnd.chengxin.receipt+json"
ANSWERS_PER_RECEIPT_MAX = 1_000
# What is asked and answered; an ``ack`` and the answer to a receipt end an exchange by themselves.
ACKNOWLEDGED_OPERATIONS = ("query", "consent.put", "poll")


def format_receipt(answers: Sequence[bytes]) -> bytes:
    """Write the body that acknowledges these answers."""
    return canonical_json(
        {"v": 1, "kind": "receipt", "answers": [encode_b64u(answer) for answer in answers]}
    )


def parse_receipt(body: bytes) -> tuple[bytes, ...]:
    """Read the hashes of the answers acknowledged.

    Raises:
        SchemaError: A member is missing, unknown or wrong.
        MalformedError: Not JSON of the subset.
    """
    reader = ShapeReader(parse_object(body), what="receipt")
    reader.integer("v", low=1, high=1)
    reader.choice("kind", {"receipt"})
    answers = reader.texts("answers", count_max=ANSWERS_PER_RECEIPT_MAX)
    reader.finish()
    return tuple(decode_b64u(answer, bytes_exact=HASH_BYTES) for answer in answers)
