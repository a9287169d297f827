"""Which documents belong to an application: a versioned file, read strictly."""

from __future__ import annotations

from importlib import resources
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from node.assessment.policy_file import Identifier, LocalText, parse_strictly
from node.assessment.policy_parts import Days
from schemas.wire import WireModel

PRESET = "checklist-1"
STATEMENTS = "financial-statement"
DOCUMENTS_MAX = 32


class WantedDocument(WireModel):
    """A kind of document: how many of different days, and how old the newest may be."""

    id: Identifier
    names: LocalText
    is_required: bool
    count: Annotated[int, Field(ge=1, le=12)]
    age_days_max: Days


class Checklist(WireModel):
    """The file."""

    kind: Literal["document-checklist"]
    id: Identifier
    version: Annotated[int, Field(ge=1, le=10_000)]
    names: LocalText
    documents: Annotated[tuple[WantedDocument, ...], Field(min_length=1, max_length=DOCUMENTS_MAX)]

    @property
    def label(self) -> str:
        """Name it as people do: ``checklist-1``."""
        return f"{self.id}-{self.version}"

    @model_validator(mode="after")
    def _check_documents(self) -> Self:
        if len({one.id for one in self.documents}) != len(self.documents):
            raise ValueError("two documents have one id")
        return self

    def find(self, kind: str) -> WantedDocument | None:
        """Return what is wanted of a kind."""
        return next((one for one in self.documents if one.id == kind), None)


def parse_checklist(raw: bytes) -> Checklist:
    """Read a checklist.

    Raises:
        PolicyInvalidError: Too large, not strict JSON, or a member is missing, unknown or wrong.
    """
    return parse_strictly(Checklist, raw)


def read_preset_checklist() -> Checklist:
    """Read the checklist that ships with the node.

    Raises:
        PolicyInvalidError: The file breaks its rules.
    """
    preset = resources.files(__package__) / "policies" / f"{PRESET}.json"
    return parse_checklist(preset.read_bytes())
