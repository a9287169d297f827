"""Bodies are read strictly, written in one spelling, and described by the schemas beside them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has no stubs

from protocol.encoding import encode_b64u
from protocol.errors import MalformedError, ProtocolError, SchemaError
from protocol.purpose import METRICS
from protocol.strict_json import JsonValue, canonical_json
from schemas.generate import BODIES, DIALECT, FOLDER, build_schema, schema_path, write_schemas
from schemas.summary import DELAY_CLASSES, Section, Summary
from schemas.wire import WireModel

HASH = encode_b64u(b"\x11" * 32)
MIX = {kind.value: 0 for kind in DELAY_CLASSES} | {"in_terms": 60, "1-15": 40}
WINDOW = {"first": "2025-06", "last": "2026-05", "as_of": "2026-06-05"}
HEAD = {
    "v": 1,
    "kind": "payment-behaviour-summary",
    "formula": "pbs-1",
    "subject": "sim:S000001",
    "window": WINDOW,
    "contributors": 1,
}
SECTIONS: dict[str, Any] = {
    "relation": {"years": "1-3", "last_sale": "<=3m"},
    "volume": {"n_invoices": "10-19"},
    "index": {"value": 75, "weighting": "count"},
    "delay": {"mix": MIX, "dbt_days": 5, "dbt_weighting": "count", "worst": "1-15"},
    "trend": {"direction": "same"},
    "disputes": {"count": "0", "share": "0"},
    "adverse": {"facts": [{"kind": "legal", "quarter": "2026-Q1", "settled": False}]},
    "overdue_now": {"as_of": "2026-06-30", "oldest": "<=30"},
}
MONEY = {"currency": "CNY", "amount_paid": "100k-200k", "owing": "<10k", "past_due": "0"}

EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "query": [
        {
            "v": 1,
            "kind": "query",
            "consent": HASH,
            "purpose": "P1",
            "metrics": ["delay", "money"],
            "last_months": 12,
        }
    ],
    "consent-put": [
        {
            "v": 1,
            "kind": "consent-put",
            "consents": [{"token": "aa.bb.cc", "subject": "sim:S000001", "salt": HASH}],
        }
    ],
    "consent-held": [
        {
            "v": 1,
            "kind": "consent-held",
            "consents": [{"consent": HASH, "state": "active", "seq": 0}],
        },
        {"v": 1, "kind": "consent-held", "consents": []},
    ],
    "receipt-held": [{"v": 1, "kind": "receipt-held", "answers": 0}],
    "problem": [
        {
            "type": "urn:chengxin:problem:quota",
            "title": "Too many messages",
            "status": 429,
            "detail": "",
            "code": "quota",
            "source": "consumer-node",
            "retry_after": 1,
        }
    ],
    "summary": [
        {**HEAD, "tier": "full", **SECTIONS, "money": MONEY},
        {**HEAD, "tier": "mix", **SECTIONS},
        {**HEAD, "tier": "class", "lateness": {"seen": "<=30"}},
    ],
}
CASES = [
    pytest.param(name, example, id=f"{name} {index}")
    for name, examples in EXAMPLES.items()
    for index, example in enumerate(examples)
]


def validate(name: str, value: object) -> bool:
    return bool(Draft202012Validator(json.loads(build_schema(name))).is_valid(value))


def read(name: str, value: JsonValue) -> WireModel:
    return BODIES[name].from_bytes(canonical_json(value))


def list_places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401  any JSON
    """Return the way to every member and item."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in members:
        yield (*path, name)
        if isinstance(inner, dict | list):
            yield from list_places(inner, (*path, name))


def list_objects(value: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401  any JSON
    """Return the way to every object."""

    def follow(place: tuple[Any, ...]) -> object:
        inner = value
        for step in place:
            inner = inner[step]
        return inner

    return [place for place in [(), *list_places(value)] if isinstance(follow(place), dict)]


def change(value: Any, place: tuple[Any, ...], act: Callable[[Any, Any], None]) -> Any:  # noqa: ANN401  any JSON
    """Return a copy in which something is done to one place."""
    changed = deepcopy(value)
    holder = changed
    for name in place[:-1]:
        holder = holder[name]
    act(holder, place[-1])
    return changed


# --- the files


@pytest.mark.parametrize("name", BODIES)
def test_the_schema_beside_the_models_is_the_one_that_they_give(name: str) -> None:
    path = schema_path(FOLDER, name)

    assert path.read_text(encoding="utf-8") == build_schema(name), "run python -m schemas.generate"


def test_there_is_a_file_for_every_body_and_no_other(tmp_path: Path) -> None:
    write_schemas(tmp_path)

    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == written


@pytest.mark.parametrize("name", BODIES)
def test_a_schema_is_one_of_2020_12_and_says_its_name(name: str) -> None:
    schema = json.loads(build_schema(name))

    Draft202012Validator.check_schema(schema)
    assert (schema["$schema"], schema["$id"]) == (DIALECT, f"urn:chengxin:schema:{name}:1")
    assert build_schema(name) == build_schema(name)


@pytest.mark.parametrize("name", BODIES)
def test_every_object_of_a_schema_is_closed_and_nothing_may_be_null(name: str) -> None:
    schema = json.loads(build_schema(name))
    objects = [schema, *schema.get("$defs", {}).values()]

    assert all(
        one["additionalProperties"] is False for one in objects if one.get("type") == "object"
    )
    assert '"null"' not in build_schema(name)
    assert '"default"' not in build_schema(name)


# --- schema and model say the same


@pytest.mark.parametrize(("name", "example"), CASES)
def test_a_right_body_is_taken_by_both_and_written_as_it_was(
    name: str, example: dict[str, Any]
) -> None:
    assert validate(name, example)
    assert read(name, example).to_bytes() == canonical_json(example)


@pytest.mark.parametrize(("name", "example"), CASES)
def test_an_unknown_member_anywhere_is_refused_by_both(name: str, example: dict[str, Any]) -> None:
    for place in list_objects(example):
        changed = change(example, (*place, "unknown"), lambda inner, last: inner.update({last: 1}))

        assert not validate(name, changed), place
        with pytest.raises(SchemaError):
            read(name, changed)


@pytest.mark.parametrize(("name", "example"), CASES)
def test_a_value_of_another_kind_anywhere_is_refused_by_both(
    name: str, example: dict[str, Any]
) -> None:
    for place in list_places(example):
        for wrong in ([["x"]], {"x": 1}, "\u00e9", -1, True):

            def put(holder: Any, last: Any, value: object = wrong) -> None:  # noqa: ANN401  any JSON
                holder[last] = value

            changed = change(example, place, put)
            if validate(name, changed):  # A free text, or a flag.
                read(name, changed)
                continue
            with pytest.raises(ProtocolError):
                read(name, changed)


@pytest.mark.parametrize(("name", "example"), CASES)
def test_a_member_left_out_is_judged_alike(name: str, example: dict[str, Any]) -> None:
    for place in list_places(example):

        def drop(holder: Any, last: Any) -> None:  # noqa: ANN401  any JSON
            del holder[last]

        changed = change(example, place, drop)
        is_told_by_the_model_alone = "mix" in place and place[-1] != "mix"
        if validate(name, changed) and not is_told_by_the_model_alone:
            read(name, changed)
        else:
            with pytest.raises(SchemaError):
                read(name, changed)


@pytest.mark.parametrize("name", EXAMPLES)
def test_null_is_no_body_and_no_member(name: str) -> None:
    example = EXAMPLES[name][0]
    for place in list_places(example):
        changed = change(example, place, lambda holder, last: holder.__setitem__(last, None))

        assert not validate(name, changed)
        with pytest.raises(MalformedError):
            BODIES[name].from_bytes(json.dumps(changed).encode())


# --- what the model alone knows


@pytest.mark.parametrize(
    "changed",
    [
        {**HEAD, "tier": "mix", "money": MONEY},
        {**HEAD, "tier": "class", "delay": SECTIONS["delay"]},
        {**HEAD, "tier": "full", "lateness": {"seen": "none"}},
        {**HEAD, "tier": "mix", "delay": {**SECTIONS["delay"], "mix": {**MIX, "1-15": 45}}},
        {**HEAD, "tier": "mix", "delay": {**SECTIONS["delay"], "mix": {"1-15": 100}}},
        {**HEAD, "tier": "mix", "window": {**WINDOW, "as_of": "2026-02-30"}},
        {**HEAD, "tier": "mix", "window": {**WINDOW, "as_of": "2026-W10"}},
    ],
)
def test_what_holds_between_members_is_checked_by_the_model(changed: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        read("summary", changed)


def test_the_sections_of_a_summary_are_the_metrics_of_a_consent() -> None:
    assert tuple(section.value for section in Section) == METRICS


# --- reading and writing


def test_an_error_names_the_place_and_not_the_value() -> None:
    example = {**EXAMPLES["query"][0], "purpose": "secret-and-too-long"}

    with pytest.raises(SchemaError) as refusal:
        read("query", example)

    assert refusal.value.detail.startswith("purpose:")
    assert "secret" not in refusal.value.detail


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"1", b'{"v":1,"v":1}', b'{"v":1.0}', b"\xff", b"[" * 10_000],
)
def test_bytes_outside_the_subset_are_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        BODIES["query"].from_bytes(raw)


def test_spelling_does_not_matter_when_a_body_is_read_and_is_one_when_it_is_written() -> None:
    example = EXAMPLES["query"][0]
    spelled = json.dumps(dict(reversed(example.items())), indent=3).encode()

    assert BODIES["query"].from_bytes(spelled).to_bytes() == canonical_json(example)


def test_a_body_cannot_be_changed() -> None:
    body = Summary.from_object(EXAMPLES["summary"][0])

    with pytest.raises(ValueError, match="frozen"):
        body.tier = "mix"  # type: ignore[assignment,misc]  # what must fail


@given(
    st.recursive(
        st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["v", "kind", "consent", "x"]), inner, max_size=4)
        ),
        max_leaves=10,
    )
)
def test_whatever_comes_is_read_or_refused_with_a_typed_error(value: Any) -> None:  # noqa: ANN401  any JSON
    for model in BODIES.values():
        try:
            written = canonical_json(value)
            assert model.from_bytes(written).to_bytes() == written
        except ProtocolError:
            continue
