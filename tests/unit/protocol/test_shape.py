from collections.abc import Callable

import pytest

from protocol.encoding import encode_b64u
from protocol.errors import MalformedError, SchemaError
from protocol.shape import TEXT_CHARACTERS_MAX, ShapeReader
from protocol.strict_json import JsonValue

HASH = bytes(range(32))


def reader(value: JsonValue) -> ShapeReader:
    return ShapeReader({"a": value}, what="thing")


def test_members_are_taken_each_by_its_kind() -> None:
    shape = ShapeReader(
        {
            "text": "one",
            "choice": "yes",
            "integer": 3,
            "boolean": False,
            "octets": encode_b64u(HASH),
            "items": [1, "two"],
            "texts": ["x", "y"],
            "inner": {"deep": 1},
            "any": [True],
        },
        what="thing",
    )
    inner = shape.inner("inner")

    assert shape.text("text") == "one"
    assert shape.choice("choice", {"yes", "no"}) == "yes"
    assert shape.integer("integer", low=3, high=3) == 3
    assert shape.boolean("boolean") is False
    assert shape.octets("octets") == HASH
    assert shape.items("items", count_max=2) == [1, "two"]
    assert shape.texts("texts", count_max=2) == ("x", "y")
    assert inner.integer("deep") == 1
    assert shape.take("any") == [True]
    shape.finish()
    inner.finish()


def test_object_that_is_read_stays_as_it_is() -> None:
    value: JsonValue = {"a": 1}

    ShapeReader(value, what="thing").take("a")

    assert value == {"a": 1}


def test_optional_member_is_seen() -> None:
    assert reader(1).has("a")
    assert not reader(1).has("b")


READERS: dict[str, Callable[[ShapeReader], object]] = {
    "take": lambda shape: shape.take("b"),
    "text": lambda shape: shape.text("a"),
    "choice": lambda shape: shape.choice("a", {"yes"}),
    "integer": lambda shape: shape.integer("a", low=1, high=3),
    "boolean": lambda shape: shape.boolean("a"),
    "octets": lambda shape: shape.octets("a"),
    "items": lambda shape: shape.items("a", count_max=2),
    "texts": lambda shape: shape.texts("a", count_max=2),
    "known-texts": lambda shape: shape.texts("a", count_max=2, allowed={"yes"}),
    "inner": lambda shape: shape.inner("a"),
    "finish": lambda shape: shape.finish(),
}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("take", 1),
        ("text", 1),
        ("text", ""),
        ("text", "x" * (TEXT_CHARACTERS_MAX + 1)),
        ("text", "line\nbreak"),
        ("text", "\x7f"),
        ("choice", "no"),
        ("choice", ["yes"]),
        ("integer", 0),
        ("integer", 4),
        ("integer", True),
        ("integer", "1"),
        ("boolean", 1),
        ("octets", 1),
        ("items", {"x": 1}),
        ("items", [1, 2, 3]),
        ("texts", ["x", 1]),
        ("texts", ["x", "x"]),
        ("texts", "x"),
        ("known-texts", ["no"]),
        ("inner", []),
        ("finish", 1),
    ],
)
def test_member_that_is_missing_or_of_another_kind_is_refused(kind: str, value: JsonValue) -> None:
    with pytest.raises(SchemaError):
        READERS[kind](reader(value))


@pytest.mark.parametrize("value", [encode_b64u(HASH[1:]), encode_b64u(HASH) + "=", "é" * 43])
def test_hash_of_another_spelling_or_length_is_malformed(value: str) -> None:
    with pytest.raises(MalformedError):
        reader(value).octets("a")


@pytest.mark.parametrize("value", [[], "text", 1, True])
def test_shape_of_no_object_is_refused(value: JsonValue) -> None:
    with pytest.raises(SchemaError):
        ShapeReader(value, what="thing")
