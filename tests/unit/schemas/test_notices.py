"""Bodies that nobody asked for: each in its form, and nothing beside it."""

from __future__ import annotations

import pytest

from protocol.encoding import encode_b64u
from protocol.errors import SchemaError
from protocol.strict_json import JsonObject
from schemas.notices import AckBody, CorrectBody, EraseBody, PushBody
from schemas.wire import WireModel

NAME = encode_b64u(bytes(32))
SUMMARY: JsonObject = {
    "v": 1,
    "kind": "payment-behaviour-summary",
    "formula": "pbs-1",
    "tier": "full",
    "subject": "sim:S000001",
    "window": {"first": "2025-06", "last": "2026-05", "as_of": "2026-06-05"},
    "contributors": 1,
    "index": {"value": 80, "weighting": "amount"},
}
PUSH: JsonObject = {
    "v": 1, "kind": "push", "consent": NAME, "changed": ["index"], "summary": SUMMARY,
}  # fmt: skip
CORRECT: JsonObject = {
    "v": 1, "kind": "correct", "supersedes": NAME, "consent": NAME,
    "reason": "records-corrected", "summary": SUMMARY,
}  # fmt: skip
ERASE: JsonObject = {"v": 1, "kind": "erase", "basis": "revoked", "answers": [NAME]}
ACK: JsonObject = {"v": 1, "kind": "ack", "of": NAME}
BODIES = [(PushBody, PUSH), (CorrectBody, CORRECT), (EraseBody, ERASE), (AckBody, ACK)]


@pytest.mark.parametrize(("model", "body"), BODIES)
def test_a_body_reads_what_it_writes(model: type[WireModel], body: JsonObject) -> None:
    made = model.from_object(body)

    assert model.from_bytes(made.to_bytes()) == made


def test_a_correction_without_a_summary_takes_back() -> None:
    body = {name: value for name, value in CORRECT.items() if name != "summary"}

    assert CorrectBody.from_object(body).summary is None
    assert b"summary" not in CorrectBody.from_object(body).to_bytes()


@pytest.mark.parametrize(
    ("model", "body", "change"),
    [
        (PushBody, PUSH, {"changed": []}),
        (PushBody, PUSH, {"changed": ["index", "index"]}),
        (PushBody, PUSH, {"changed": ["money"]}),
        (PushBody, PUSH, {"kind": "correct"}),
        (CorrectBody, CORRECT, {"reason": "whim"}),
        (CorrectBody, CORRECT, {"supersedes": "x"}),
        (EraseBody, ERASE, {"answers": []}),
        (EraseBody, ERASE, {"answers": [NAME, NAME]}),
        (EraseBody, ERASE, {"answers": [NAME] * 101}),
        (EraseBody, ERASE, {"basis": "legal"}),
        (AckBody, ACK, {"of": "short"}),
        (AckBody, ACK, {"more": 1}),
    ],
)
def test_a_body_of_another_form_is_refused(
    model: type[WireModel], body: JsonObject, change: JsonObject
) -> None:
    with pytest.raises(SchemaError):
        model.from_object({**body, **change})
