"""RFC 8785 vectors: inside our subset byte for byte the same, outside it refused."""

import json
from pathlib import Path

import pytest

from protocol.errors import MalformedError
from protocol.strict_json import canonical_json, parse_canonical, parse_json

INSIDE = ("unicode",)
OUTSIDE = {
    "arrays": "a value of type NoneType",
    "french": "a member name that is not ASCII",
    "structures": "a number that is no integer",
    "values": "a number that is no integer",
    "weird": "a member name that is not ASCII",
}


@pytest.fixture(scope="module")
def jcs(shared_dir: Path) -> Path:
    return shared_dir / "vectors/jcs"


def read_output(jcs: Path, name: str) -> bytes:
    return bytes.fromhex((jcs / f"outhex/{name}.txt").read_text())


def test_every_vector_is_placed_inside_or_outside(jcs: Path) -> None:
    assert {path.stem for path in (jcs / "input").glob("*.json")} == {*INSIDE, *OUTSIDE}


@pytest.mark.parametrize("name", INSIDE)
def test_a_vector_inside_the_subset_is_written_as_the_vector_says(jcs: Path, name: str) -> None:
    value = parse_json((jcs / f"input/{name}.json").read_bytes())

    assert canonical_json(value) == read_output(jcs, name)
    assert parse_canonical(read_output(jcs, name)) == value


@pytest.mark.parametrize("name", sorted({*INSIDE, *OUTSIDE}))
def test_both_outputs_of_a_vector_are_the_same_bytes(jcs: Path, name: str) -> None:
    assert (jcs / f"output/{name}.json").read_bytes() == read_output(jcs, name)


@pytest.mark.parametrize("name", INSIDE)
def test_the_other_spelling_of_a_vector_is_not_canonical(jcs: Path, name: str) -> None:
    with pytest.raises(MalformedError, match="not in canonical form"):
        parse_canonical((jcs / f"input/{name}.json").read_bytes())


@pytest.mark.parametrize("name", sorted(OUTSIDE))
def test_a_vector_outside_the_subset_is_refused(jcs: Path, name: str) -> None:
    with pytest.raises(MalformedError, match=OUTSIDE[name]):
        parse_json((jcs / f"input/{name}.json").read_bytes())


@pytest.mark.parametrize("name", sorted(OUTSIDE.keys() - {"structures"}))
def test_the_canonical_form_of_a_vector_outside_the_subset_is_refused(jcs: Path, name: str) -> None:
    with pytest.raises(MalformedError):
        parse_canonical(read_output(jcs, name))


def test_a_fraction_that_rfc_8785_writes_as_an_integer_is_inside_once_written(jcs: Path) -> None:
    output = read_output(jcs, "structures")

    assert canonical_json(parse_canonical(output)) == output


@pytest.mark.parametrize("name", sorted({*INSIDE, *OUTSIDE}))
def test_every_string_of_a_vector_is_written_as_in_its_output(jcs: Path, name: str) -> None:
    pending = [json.loads((jcs / f"input/{name}.json").read_bytes())]
    output = read_output(jcs, name)

    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, str):
            assert canonical_json(value) in output
