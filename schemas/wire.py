"""The one base of every body, and the texts that recur in them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from protocol.errors import SchemaError
from protocol.limits import STATEMENT_BYTES_MAX
from protocol.strict_json import JsonObject, canonical_json, parse_object


class WireModel(BaseModel):
    """A body: immutable, no coercion, no unknown member, written in canonical JSON."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    def to_bytes(self) -> bytes:
        """Write the body; members that are absent are left out, never null."""
        return canonical_json(self.model_dump(mode="json", by_alias=True, exclude_none=True))

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read a body.

        Raises:
            SchemaError: A member is missing, unknown or wrong; the text names it, not its value.
            MalformedError: The bytes are not JSON of the protocol's subset.
        """
        parse_object(raw)  # The protocol's subset first: pydantic would take duplicates and floats.
        return cls._validate(raw)

    @classmethod
    def from_object(cls, value: JsonObject) -> Self:
        """Read a body that the protocol has parsed already.

        Raises:
            SchemaError: A member is missing, unknown or wrong.
        """
        return cls._validate(canonical_json(value))

    @classmethod
    def from_parsed(cls, raw: bytes) -> Self:
        """Read a body whose bytes the protocol has parsed already, so that they are of its subset.

        Raises:
            SchemaError: A member is missing, unknown or wrong.
        """
        return cls._validate(raw)

    @classmethod
    def _validate(cls, raw: bytes) -> Self:
        # In strict mode enums and tuples are read from JSON, not from Python's own values.
        try:
            return cls.model_validate_json(raw)
        except ValidationError as err:
            first = err.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "body"
            raise SchemaError(f"{place}: {first['msg']}") from err


def _check_date(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError("not YYYY-MM-DD")
    return text


def _refuse_boolean(value: object) -> object:
    if isinstance(value, bool):  # true equals 1
        raise ValueError("not an integer")  # noqa: TRY004  what pydantic reports as a wrong value
    return value


def refuse_number(value: object) -> object:
    """Refuse what equals true without being it."""
    if value is not None and not isinstance(value, bool):
        raise ValueError("not a boolean")
    return value


One = Annotated[Literal[1], BeforeValidator(_refuse_boolean)]
Hash = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$", description="SHA-256, base64url")]
Salt = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{43}$", description="32 random bytes, base64url")
]
Month = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="YYYY-MM")]
IsoDate = Annotated[
    str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_check_date)
]
MemberId = Annotated[str, Field(min_length=3, max_length=253, pattern=r"^[a-z0-9.-]+$")]
CompactJws = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
        max_length=STATEMENT_BYTES_MAX,
        description="a statement as it was signed",
    ),
]
SubjectId = Annotated[
    str, Field(min_length=3, max_length=128, pattern=r"^[a-z0-9.]+:[A-Za-z0-9./_-]+$")
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]
