"""Bundles changed anywhere: what is judged where it stands comes to what a full look comes to."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.bundle import parse_bundle_files
from protocol.consent import Span
from tests.support.auditing import ALPHA, BETA, compare_sweeps
from tests.support.federation import HUB_KEY, Federation


def build_files() -> dict[str, dict[str, bytes]]:
    federation = Federation(ALPHA, BETA)
    span = Span(unit="day", n=100)
    consent = federation.consent(ALPHA, BETA, lambda one: replace(one, frequency=span))
    asked = [federation.ask(ALPHA, BETA, consent) for _ in range(3)]
    federation.acknowledge(ALPHA, BETA, *asked)
    return {name: federation.export(name) for name in (ALPHA, BETA)}


FILES = build_files()
# One octet anywhere; messages and entries are most of a bundle, and where this looks.
CHANGES = st.tuples(
    st.sampled_from([ALPHA, BETA]),
    st.sampled_from(["messages.jsonl", "messages.jsonl", "tile/entries/000.p", "checkpoint"]),
    st.integers(min_value=0, max_value=2**20),
    st.sampled_from([*b'"{}:,\\_-+/=.A0 \n\x00\xff']),
)


@settings(max_examples=150)
@given(changes=st.lists(CHANGES, min_size=1, max_size=3))
def test_a_changed_octet_comes_to_the_same(changes: list[tuple[str, str, int, int]]) -> None:
    files = {name: dict(held) for name, held in FILES.items()}
    for name, start, position, octet in changes:
        path = next(path for path in files[name] if path.startswith(start))
        content = bytearray(files[name][path])
        content[position % len(content)] = octet
        files[name][path] = bytes(content)

    bundles = [parse_bundle_files(held, name=name) for name, held in files.items()]

    compare_sweeps(bundles, anchor=HUB_KEY.public)


@settings(max_examples=150)
@given(
    line=st.integers(min_value=0, max_value=3),
    position=st.integers(min_value=0, max_value=2**13),
    octets=st.binary(min_size=1, max_size=2),
    width=st.integers(min_value=0, max_value=2),
    copied=st.integers(min_value=0, max_value=3),
)
def test_what_both_copies_have_changed_alike_comes_to_the_same(
    line: int, position: int, octets: bytes, width: int, copied: int
) -> None:
    files = {name: dict(held) for name, held in FILES.items()}
    for name in (ALPHA, BETA):
        lines = files[name]["messages.jsonl"].splitlines(keepends=True)
        whole = lines[line]
        at = position % (len(whole) - len(b'"side":"out"}\n'))
        changed = whole[:at] + octets + whole[at + width :]
        files[name]["messages.jsonl"] = b"".join(
            [*lines[:line], changed, *lines[line + 1 :], lines[copied]]
        )

    bundles = [parse_bundle_files(held, name=name) for name, held in files.items()]

    compare_sweeps(bundles, anchor=HUB_KEY.public)


@settings(max_examples=50)
@given(order=st.permutations(range(8)), count=st.integers(min_value=1, max_value=8))
def test_lines_in_any_order_and_number_come_to_the_same(order: list[int], count: int) -> None:
    files = {name: dict(held) for name, held in FILES.items()}
    lines = [
        line
        for name in (ALPHA, BETA)
        for line in files[name]["messages.jsonl"].splitlines(keepends=True)
    ]
    for name in (ALPHA, BETA):
        files[name]["messages.jsonl"] = b"".join(lines[number] for number in order[:count])

    bundles = [parse_bundle_files(held, name=name) for name, held in files.items()]

    compare_sweeps(bundles, anchor=HUB_KEY.public)
