"""How policies and scales are read from their files, and the words they carry in two languages."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from node.core.errors import RejectedError
from node.core.policies.errors import PolicyFault, PolicyFaultyError
from protocol.errors import ProtocolError
from protocol.strict_json import parse_object
from schemas.wire import WireModel

POLICY_BYTES_MAX = 262_144
FAULTS_MAX = 50  # told at once

Model = TypeVar("Model", bound=WireModel)
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]


class PolicyInvalidError(PolicyFaultyError):
    """A policy file is not what it must be; the text names the first wrong member."""


class UnknownTextError(RejectedError):
    """A code has no text in this policy."""

    code = "text-unknown"


class Language(StrEnum):
    """What the faces speak."""

    ZH = "zh"
    EN = "en"


class LocalText(WireModel):
    """One text in both languages."""

    zh: Annotated[str, Field(min_length=1, max_length=200)]
    en: Annotated[str, Field(min_length=1, max_length=200)]

    def render(self, language: Language) -> str:
        """Return the text in a language."""
        return self.zh if language is Language.ZH else self.en


def parse_strictly(model: type[Model], raw: bytes, *, bytes_max: int = POLICY_BYTES_MAX) -> Model:
    """Read a policy file: duplicates, floats and null are refused before the model sees it.

    Raises:
        PolicyInvalidError: Too large, not strict JSON, or a member is missing, unknown or wrong.
    """
    if len(raw) > bytes_max:
        raise PolicyInvalidError(f"larger than {bytes_max} bytes")
    try:
        parse_object(raw)
        return model.model_validate_json(raw)
    except ProtocolError as err:
        raise PolicyInvalidError(str(err)) from err
    except ValidationError as err:
        found = err.errors(include_url=False, include_input=False)[:FAULTS_MAX]
        faults = [PolicyFault(place=one["loc"], message=one["msg"]) for one in found]
        first = faults[0]
        raise PolicyInvalidError(f"{first.path or 'file'}: {first.message}", faults=faults) from err
