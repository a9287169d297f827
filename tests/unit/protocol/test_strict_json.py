import json

import pytest

from protocol.errors import MalformedError
from protocol.strict_json import (
    JsonValue,
    canonical_json,
    parse_canonical,
    parse_json,
    parse_object,
)

INTEGER_MAX = 2**53 - 1


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b"[]", []),
        (b"true", True),
        (b"0", 0),
        (b'""', ""),
        (b' { "b" : [ 1 , -2 ] , "a" : false } ', {"a": False, "b": [1, -2]}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        ('"诚信"'.encode(), "诚信"),
        (b"9007199254740991", INTEGER_MAX),
        (b"-9007199254740991", -INTEGER_MAX),
    ],
    ids=lambda value: repr(value) if isinstance(value, bytes) else "",
)
def test_a_document_of_the_subset_is_read(raw: bytes, value: object) -> None:
    assert parse_json(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"{} {}", id="two documents"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(b"\xef\xbb\xbf{}", id="a byte order mark"),
        pytest.param(b"\xed\xa0\x80", id="a surrogate in UTF-8"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"a":null}', id="null inside"),
        pytest.param(b"1.0", id="a fraction"),
        pytest.param(b"1e2", id="an exponent"),
        pytest.param(b"NaN", id="not a number"),
        pytest.param(b"-Infinity", id="infinity"),
        pytest.param(b"-0", id="minus zero"),
        pytest.param(b"01", id="a leading zero"),
        pytest.param(b"9007199254740992", id="an integer too large"),
        pytest.param(b"-9007199254740992", id="an integer too small"),
        pytest.param(b"1" * 5000, id="an integer of 5,000 digits"),
        pytest.param(b'{"a":1,"a":1}', id="a member twice"),
        pytest.param(b'{"a":1,"\\u0061":2}', id="a member twice in two spellings"),
        pytest.param(b'[{"b":{"a":1,"a":1}}]', id="a member twice further in"),
        pytest.param('{"é":1}'.encode(), id="a member name that is not ASCII"),
        pytest.param(b'{"\\ud800":1}', id="a member name that is a lone surrogate"),
        pytest.param(b'"\\ud800"', id="a lone surrogate"),
        pytest.param(b'["\\udc00\\ud800"]', id="surrogates in the wrong order"),
        pytest.param(b'"\x01"', id="a control character"),
        pytest.param(b"{'a':1}", id="other quotation marks"),
        pytest.param(b"[1,]", id="a comma too many"),
        pytest.param(b"/**/1", id="a comment"),
    ],
)
def test_a_document_outside_the_subset_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_json(raw)


@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"]
)
def test_sixteen_levels_are_read_and_seventeen_refused(opening: str, closing: str) -> None:
    def nest(depth: int) -> bytes:
        return (opening * depth + "1" + closing * depth).encode()

    assert parse_json(nest(16))
    with pytest.raises(MalformedError, match="nested deeper than 16"):
        parse_json(nest(17))


def test_levels_of_lists_and_objects_in_turn_are_counted_together() -> None:
    raw = b'[{"a":' * 8 + b"[]" + b"}]" * 8

    with pytest.raises(MalformedError, match="nested deeper than 16"):
        parse_json(raw)


def test_a_depth_that_would_exhaust_the_parser_is_refused_before_it() -> None:
    with pytest.raises(MalformedError, match="nested deeper than 16"):
        parse_json(b"[" * 100_000 + b"]" * 100_000)


@pytest.mark.parametrize(
    "text",
    ["[" * 40, "}" * 40, '"' + "[" * 40, '\\"' + "[" * 40, "\\" * 3 + "[" * 40],
    ids=["opening", "closing", "after a quotation mark", "after two", "after backslashes"],
)
def test_brackets_inside_a_string_do_not_count_as_levels(text: str) -> None:
    assert parse_json(json.dumps([text, [], {}]).encode()) == [text, [], {}]


def test_many_brackets_side_by_side_are_no_depth() -> None:
    assert parse_json(b"[" + b"[],{}," * 1000 + b"1]")


@pytest.mark.parametrize("raw", [b"[" * 17, b"[" * 20 + b'"', b'"\\', b"[" * 17 + b"}" * 17])
def test_brackets_that_do_not_match_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_json(raw)


def test_an_object_is_read_as_an_object() -> None:
    assert parse_object(b'{"a":1}') == {"a": 1}


@pytest.mark.parametrize("raw", [b"[]", b"1", b'"a"', b"true"])
def test_another_root_than_an_object_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedError, match="not an object"):
        parse_object(raw)


def test_the_canonical_spelling_is_read() -> None:
    assert parse_canonical(b'{"A":[1,"\\n"],"b":true}') == {"A": [1, "\n"], "b": True}


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b'{"a": 1}', id="white space"),
        pytest.param(b'{"a":1}\n', id="a line break after it"),
        pytest.param(b'{"b":1,"a":1}', id="members in another order"),
        pytest.param(b'{"a":"\\u0062"}', id="a needless escape"),
        pytest.param(b'{"a":"\\/"}', id="an escaped slash"),
        pytest.param(b'{"a":"\\u001F"}', id="an escape in capitals"),
    ],
)
def test_another_spelling_of_the_same_document_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedError, match="not in canonical form"):
        parse_canonical(raw)


def test_canonical_text_sorts_members_and_escapes_only_what_it_must() -> None:
    value: JsonValue = {"b": "é\u2028\x7f\t/", "a": [True, -1, {}], "B": "", "": 0}

    raw = canonical_json(value)

    assert raw == '{"":0,"B":"","a":[true,-1,{}],"b":"é\u2028\x7f\\t/"}'.encode()


def _nested(depth: int) -> JsonValue:
    value: JsonValue = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="null"),
        pytest.param(1.0, id="a float"),
        pytest.param((1,), id="a tuple"),
        pytest.param(b"a", id="bytes"),
        pytest.param([None], id="null inside"),
        pytest.param(INTEGER_MAX + 1, id="an integer too large"),
        pytest.param({"é": 1}, id="a member name that is not ASCII"),
        pytest.param({1: 1}, id="a member name that is no text"),
        pytest.param("\ud800", id="a lone surrogate"),
        pytest.param(_nested(17), id="seventeen levels"),
    ],
)
def test_a_value_outside_the_subset_is_not_written(value: object) -> None:
    with pytest.raises(MalformedError):
        canonical_json(value)  # type: ignore[arg-type]  # what a mistake of ours would pass


def test_a_value_that_holds_itself_is_not_written() -> None:
    value: list[JsonValue] = []
    value.append(value)

    with pytest.raises(MalformedError, match="nested deeper"):
        canonical_json(value)


def test_sixteen_levels_are_written() -> None:
    assert canonical_json(_nested(16)) == b"[" * 16 + b"]" * 16
