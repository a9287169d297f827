"""Receipts: the hashes of the answers that arrived."""

import pytest

from protocol.encoding import encode_b64u, sha256
from protocol.errors import MalformedError, SchemaError
from protocol.receipt import ANSWERS_PER_RECEIPT_MAX, format_receipt, parse_receipt
from protocol.strict_json import JsonObject, canonical_json

ANSWERS = tuple(sha256(bytes([number])) for number in range(3))


@pytest.mark.parametrize("answers", [(), ANSWERS], ids=["none", "three"])
def test_a_receipt_reads_back(answers: tuple[bytes, ...]) -> None:
    assert parse_receipt(format_receipt(answers)) == answers


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"kind": "answer"},
        {"answers": [encode_b64u(ANSWERS[0])] * 2},
        {"answers": [encode_b64u(bytes(16))]},
        {"answers": ["x"]},
        {"answers": "x"},
        {"more": 1},
    ],
    ids=["version", "kind", "twice", "length", "no-hash", "no-list", "unknown"],
)
def test_a_receipt_of_another_form_is_refused(change: JsonObject) -> None:
    good: JsonObject = {"v": 1, "kind": "receipt", "answers": [encode_b64u(ANSWERS[0])]}
    assert parse_receipt(canonical_json(good)) == ANSWERS[:1]

    with pytest.raises((SchemaError, MalformedError)):
        parse_receipt(canonical_json(good | change))


def test_a_receipt_has_a_limit() -> None:
    answers = [sha256(number.to_bytes(4, "big")) for number in range(ANSWERS_PER_RECEIPT_MAX + 1)]

    assert len(parse_receipt(format_receipt(answers[:-1]))) == ANSWERS_PER_RECEIPT_MAX
    with pytest.raises(SchemaError):
        parse_receipt(format_receipt(answers))
