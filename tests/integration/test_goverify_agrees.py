"""Forged proofs and requests: goverify and our own verifiers refuse and admit the same ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from protocol.checkpoint import Checkpoint, format_hash_lines, parse_hash_lines, sign_checkpoint
from protocol.cosignature import (
    build_add_checkpoint,
    cosign_checkpoint,
    decide_cosign,
    parse_add_checkpoint,
)
from protocol.encoding import sha256
from protocol.errors import ProtocolError
from protocol.keys import SigningKey
from protocol.log_policy import (
    LogPolicy,
    PolicyLog,
    PolicyWitness,
    format_log_policy,
    open_witnessed,
)
from protocol.log_proof import format_log_proof, verify_log_proof
from protocol.merkle import build_consistency, build_inclusion, leaf_hash, verify_consistency
from protocol.note import SignatureKind, VerifierKey, add_signatures
from protocol.tile import EMPTY_EDGE, TileCache, TileNodes
from tests.support.second_opinion import GoverifyAbsentError, ask_goverify, build_goverify

ORIGIN = "alpha.example/chengxin/log/1"
SIZES = (1, 2, 3, 7, 8, 300)
ENTRIES = [f'{{"n":{number}}}'.encode() for number in range(SIZES[-1])]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
LOG = SigningKey(sha256(b"agreement: log"))
WITNESS = SigningKey(sha256(b"agreement: witness"))
VKEY = VerifierKey(name=ORIGIN, kind=SignatureKind.ED25519, public=LOG.public)
WITNESS_VKEY = VerifierKey(
    name="hub.example/w/1", kind=SignatureKind.COSIGNATURE_V1, public=WITNESS.public
)
POLICY = LogPolicy(
    logs=(PolicyLog(key=VKEY),),
    witnesses=(PolicyWitness(name="hub", key=WITNESS_VKEY),),
    groups=(),
    quorum="hub",
)


@pytest.fixture(scope="module", autouse=True)
def _verifier() -> None:
    try:
        build_goverify()
    except GoverifyAbsentError as err:
        pytest.skip(str(err))


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


Written = Callable[[str, str | bytes], Path]


def nodes_at(size: int) -> TileNodes:
    edge, full = EMPTY_EDGE.extend(LEAVES[:size])
    tiles = {(tile.level, tile.index): tile.data for tile in full}
    return TileNodes(edge=edge, cache=TileCache(lambda level, index, _: tiles[level, index]))


def head(size: int, *, root: bytes | None = None, is_witnessed: bool = True) -> str:
    root = root or EMPTY_EDGE.extend(LEAVES[:size])[0].root
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=root)
    signed = sign_checkpoint(checkpoint, key=LOG)
    if not is_witnessed:
        return signed
    cosignature = cosign_checkpoint(
        checkpoint, name=WITNESS_VKEY.name, key=WITNESS, now_s=1_790_000_000
    )
    return add_signatures(signed, [cosignature])


def mutate(text: str, *, step: int) -> Iterator[str]:
    """Yield the text, and it with a character changed, a line gone, doubled, or swapped."""
    yield text
    for index in range(0, len(text), step):
        other = "B" if text[index] != "B" else "C"
        yield f"{text[:index]}{other}{text[index + 1 :]}"
    lines = text.split("\n")
    for index in range(len(lines)):
        yield "\n".join(lines[:index] + lines[index + 1 :])
        yield "\n".join([*lines[: index + 1], *lines[index:]])
        yield "\n".join([*lines[:index], *reversed(lines[index : index + 2]), *lines[index + 2 :]])


def compare(
    texts: Iterator[str], *, ask: Callable[[str], str], check: Callable[[str], object]
) -> tuple[list[tuple[str, str, bool]], set[bool]]:
    """Return the texts that are not judged alike, and which judgements there were."""
    disagree, judgements = [], set()
    for text in texts:
        told, ours = ask(text), admits(text, check)
        judgements.add(ours)
        if told.startswith("OK: ") != ours:
            disagree.append((text, told, ours))
    return disagree, judgements


def admits(text: str, check: Callable[[str], object]) -> bool:
    try:
        check(text)
    except ProtocolError:
        return False
    return True


@pytest.mark.parametrize(("size", "index"), [(1, 0), (2, 1), (3, 2), (7, 3), (300, 256)])
def test_forged_inclusion_proofs_are_judged_alike(written: Written, size: int, index: int) -> None:
    proof = format_log_proof(
        index=index,
        hashes=build_inclusion(index, size, nodes_at(size).read_node),
        note=head(size),
    )
    policy, entry = written("policy", format_log_policy(POLICY)), written("entry", ENTRIES[index])

    disagree, judgements = compare(
        mutate(proof, step=23),
        ask=lambda text: ask_goverify("proof", policy, entry, written("proof", text)),
        check=lambda text: verify_log_proof(text, entry=ENTRIES[index], trust=POLICY),
    )

    assert (disagree, judgements) == ([], {True, False})


@pytest.mark.parametrize(("old_size", "size"), [(1, 2), (2, 3), (3, 7), (7, 8), (8, 300)])
def test_forged_consistency_proofs_are_judged_alike(
    written: Written, old_size: int, size: int
) -> None:
    hashes = build_consistency(old_size, size, nodes_at(size).read_node)
    old, new = head(old_size), head(size)
    policy = written("policy", format_log_policy(POLICY))
    heads = written("old", old), written("new", new)

    disagree, judgements = compare(
        mutate(format_hash_lines(hashes), step=11),
        ask=lambda text: ask_goverify("consistency", policy, *heads, written("lines", text)),
        check=lambda text: check_consistency(old, new, text),
    )

    assert (disagree, judgements) == ([], {True, False})


def check_consistency(old: str, new: str, lines: str) -> None:
    before = open_witnessed(old, policy=POLICY).checkpoint
    after = open_witnessed(new, policy=POLICY).checkpoint
    verify_consistency(
        old_size=before.size,
        new_size=after.size,
        old_root=before.root,
        new_root=after.root,
        proof=list(parse_hash_lines(lines.split())),
    )


@pytest.mark.parametrize(("old_size", "size"), [(1, 2), (3, 7), (8, 300), (7, 7)])
def test_forged_witness_requests_are_judged_alike(
    written: Written, old_size: int, size: int
) -> None:
    request = build_add_checkpoint(
        old_size=old_size,
        proof=build_consistency(old_size, size, nodes_at(size).read_node),
        note=head(size, is_witnessed=False),
    )
    policy = written("policy", format_log_policy(POLICY))
    old = written("old", head(old_size))
    root = EMPTY_EDGE.extend(LEAVES[:old_size])[0].root

    disagree, judgements = compare(
        mutate(request.text, step=19),
        ask=lambda text: ask_goverify("witnessreq", policy, old, written("body", text)),
        check=lambda text: decide_cosign(
            parse_add_checkpoint(text.encode()),
            log_keys=[VKEY],
            known_size=old_size,
            known_root=root,
        ),
    )

    assert (disagree, judgements) == ([], {True, False})
