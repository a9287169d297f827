import json
import string

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.errors import MalformedError
from protocol.limits import JSON_DEPTH_MAX, JSON_INTEGER_MAX
from protocol.strict_json import JsonValue, canonical_json, parse_canonical, parse_json

names = st.text(st.characters(codec="ascii"), max_size=8)
scalars = (
    st.booleans()
    | st.integers(-JSON_INTEGER_MAX, JSON_INTEGER_MAX)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
)
values: st.SearchStrategy[JsonValue] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)
objects = st.dictionaries(names, values, max_size=5)


def measure_depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((measure_depth(member) for member in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((measure_depth(member) for member in value), default=0)
    return 0


@given(values)
def test_what_is_written_is_read_back(value: JsonValue) -> None:
    assert parse_json(canonical_json(value)) == value


@given(values)
def test_our_canonical_form_is_that_of_rfc_8785(value: JsonValue) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@given(objects, st.booleans(), st.sampled_from([None, 1]))
def test_any_spelling_is_read_and_only_the_canonical_one_is_accepted_as_such(
    value: dict[str, JsonValue],
    ascii_only: bool,  # noqa: FBT001  drawn by Hypothesis
    indent: int | None,
) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()

    assert parse_json(raw) == value
    if raw == canonical_json(value):
        assert parse_canonical(raw) == value
    else:
        with pytest.raises(MalformedError):
            parse_canonical(raw)


@given(objects, st.data())
def test_a_canonical_document_with_one_byte_changed_is_another_document_or_none(
    value: dict[str, JsonValue], data: st.DataObject
) -> None:
    raw = bytearray(canonical_json(value))
    index = data.draw(st.integers(0, len(raw) - 1))
    raw[index] ^= data.draw(st.integers(1, 255))

    try:
        changed = parse_canonical(bytes(raw))
    except MalformedError:
        return
    assert changed != value
    assert canonical_json(changed) == bytes(raw)


@given(st.binary(max_size=64))
@example(b"\xef\xbb\xbf{}")
@example(b"1" * 5000)
def test_any_bytes_are_read_or_refused_with_our_error(raw: bytes) -> None:
    try:
        value = parse_json(raw)
    except MalformedError:
        return
    assert parse_json(canonical_json(value)) == value


@given(st.text(alphabet='[]{}",:\\1 ' + string.ascii_lowercase[:2], max_size=80))
def test_any_brackets_are_read_or_refused_as_the_standard_library_and_the_depth_say(
    text: str,
) -> None:
    try:
        expected = json.loads(text, object_pairs_hook=lambda pairs: [list(pair) for pair in pairs])
    except ValueError:
        expected = None

    try:
        value = parse_json(text.encode())
    except MalformedError:
        return
    assert expected is not None
    assert measure_depth(value) <= JSON_DEPTH_MAX


@given(st.lists(st.sampled_from(["[", '{"a":', '[" ]",']), min_size=1, max_size=40))
def test_the_depth_limit_is_exact(openings: list[str]) -> None:
    closings = "".join("}" if opening == '{"a":' else "]" for opening in reversed(openings))
    raw = ("".join(openings) + "1" + closings).encode()

    try:
        value = parse_json(raw)
    except MalformedError:
        assert len(openings) > JSON_DEPTH_MAX
    else:
        assert measure_depth(value) == len(openings) <= JSON_DEPTH_MAX
