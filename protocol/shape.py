"""Read an object's members one by one: each once, each of its kind, nothing left over."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from protocol.encoding import decode_b64u
from protocol.errors import SchemaError
from protocol.limits import HASH_BYTES, JSON_INTEGER_MAX
from protocol.strict_json import JsonObject, JsonValue

TEXT_CHARACTERS_MAX = 512
_PRINTABLE: Final = re.compile(r"[^\x00-\x1f\x7f]*")


class ShapeReader:
    """Takes members out of one object; ``finish`` refuses what nobody took."""

    def __init__(self, value: JsonValue, *, what: str) -> None:
        """Start on an object.

        Raises:
            SchemaError: The value is no object.
        """
        if not isinstance(value, dict):
            raise SchemaError(f"{what}: not an object")
        self._rest: JsonObject = dict(value)
        self._what = what

    def has(self, name: str) -> bool:
        """Tell whether an optional member is there."""
        return name in self._rest

    def take(self, name: str) -> JsonValue:
        """Take a member of any kind.

        Raises:
            SchemaError: It is missing.
        """
        if name not in self._rest:
            raise SchemaError(f"{self._what}.{name}: missing")
        return self._rest.pop(name)

    def text(self, name: str, *, characters_max: int = TEXT_CHARACTERS_MAX) -> str:
        """Take a string without control characters.

        Raises:
            SchemaError: Missing, of another kind, empty or too long.
        """
        value = self.take(name)
        if (
            not isinstance(value, str)
            or not 0 < len(value) <= characters_max
            or not _PRINTABLE.fullmatch(value)
        ):
            raise SchemaError(
                f"{self._what}.{name}: not a text of 1 to {characters_max} characters"
            )
        return value

    def choice(self, name: str, allowed: Collection[str]) -> str:
        """Take a string out of a closed set.

        Raises:
            SchemaError: Missing or another one.
        """
        value = self.take(name)
        if not isinstance(value, str) or value not in allowed:
            raise SchemaError(f"{self._what}.{name}: not one of {', '.join(sorted(allowed))}")
        return value

    def integer(self, name: str, *, low: int = 0, high: int = JSON_INTEGER_MAX) -> int:
        """Take an integer within inclusive bounds.

        Raises:
            SchemaError: Missing, of another kind or out of bounds.
        """
        value = self.take(name)
        if type(value) is not int or not low <= value <= high:  # bool is an int to isinstance
            raise SchemaError(f"{self._what}.{name}: not an integer from {low} to {high}")
        return value

    def boolean(self, name: str) -> bool:
        """Take a boolean.

        Raises:
            SchemaError: Missing or of another kind.
        """
        value = self.take(name)
        if not isinstance(value, bool):
            raise SchemaError(f"{self._what}.{name}: not a boolean")
        return value

    def octets(self, name: str, *, bytes_exact: int = HASH_BYTES) -> bytes:
        """Take base64url of an exact length, a hash unless told otherwise.

        Raises:
            SchemaError: Missing or of another kind.
            MalformedError: Not canonical base64url of that length.
        """
        value = self.take(name)
        if not isinstance(value, str):
            raise SchemaError(f"{self._what}.{name}: not base64url")
        return decode_b64u(value, bytes_exact=bytes_exact)

    def items(self, name: str, *, count_max: int) -> list[JsonValue]:
        """Take a list.

        Raises:
            SchemaError: Missing, of another kind or too long.
        """
        value = self.take(name)
        if not isinstance(value, list) or len(value) > count_max:
            raise SchemaError(f"{self._what}.{name}: not a list of at most {count_max}")
        return value

    def texts(
        self, name: str, *, count_max: int, allowed: Collection[str] | None = None
    ) -> tuple[str, ...]:
        """Take a list of distinct strings.

        Raises:
            SchemaError: As ``items``; or an item is no string, not allowed or repeated.
        """
        values = self.items(name, count_max=count_max)
        texts = tuple(
            value
            for value in values
            if isinstance(value, str) and (allowed is None or value in allowed)
        )
        if len(texts) != len(values) or len(set(texts)) != len(texts):
            raise SchemaError(f"{self._what}.{name}: not a list of distinct known texts")
        return texts

    def inner(self, name: str) -> ShapeReader:
        """Take an object and read it in turn.

        Raises:
            SchemaError: Missing or no object.
        """
        return ShapeReader(self.take(name), what=f"{self._what}.{name}")

    def finish(self) -> None:
        """Refuse members that nobody took.

        Raises:
            SchemaError: There is one.
        """
        if self._rest:
            raise SchemaError(f"{self._what}.{min(self._rest)}: unknown member")
