"""JSON Schema 2020-12 of every body, written from the models: ``python -m schemas.generate``.

A schema says what a body may look like. What holds between members (a mix that adds up to 100, the
sections of a tier) is said in the descriptions and enforced by the models.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.exchange import (
    AcceptedBody,
    ConsentHeldBody,
    ConsentPutBody,
    PollBody,
    ProblemBody,
    QueryBatchBody,
    QueryBody,
    ReceiptHeldBody,
    SummaryBatchBody,
)
from schemas.notices import AckBody, CorrectBody, EraseBody, PushBody
from schemas.summary import Summary
from schemas.wire import WireModel

FOLDER: Final = Path(__file__).parent / "json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
BODIES: MappingProxyType[str, type[WireModel]] = MappingProxyType(
    {
        "ack": AckBody,
        "accepted": AcceptedBody,
        "consent-held": ConsentHeldBody,
        "consent-put": ConsentPutBody,
        "correct": CorrectBody,
        "erase": EraseBody,
        "poll": PollBody,
        "problem": ProblemBody,
        "push": PushBody,
        "query": QueryBody,
        "query-batch": QueryBatchBody,
        "receipt-held": ReceiptHeldBody,
        "summary": Summary,
        "summary-batch": SummaryBatchBody,
    }
)


class _AbsentNeverNull(GenerateJsonSchema):
    """An optional member is left out of a body, never null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def build_schema(name: str) -> str:
    """Return the text of one body's schema; the same models give the same text."""
    schema = BODIES[name].model_json_schema(schema_generator=_AbsentNeverNull)
    document = {"$schema": DIALECT, "$id": f"urn:chengxin:schema:{name}:1", **schema}
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def schema_path(folder: Path, name: str) -> Path:
    """Return where a body's schema is kept."""
    return folder / f"{name}.schema.json"


def write_schemas(folder: Path) -> None:
    """Write every schema."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in BODIES:
        schema_path(folder, name).write_text(build_schema(name), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(FOLDER)
