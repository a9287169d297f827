"""The tree against the recursive definition of RFC 6962, and proofs under mutation."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.merkle import (
    EMPTY_FRONTIER,
    ConsistencyProofError,
    InclusionProofError,
    build_consistency,
    build_inclusion,
    leaf_hash,
    root_from_nodes,
    verify_consistency,
    verify_inclusion,
)
from protocol.tile import EMPTY_EDGE, RightEdge, TileCache, TileNodes, parse_bundle

LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(1200)]

sizes = st.integers(min_value=1, max_value=len(LEAVES))


def split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def tree_hash(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + tree_hash(leaves[:k]) + tree_hash(leaves[k:])).digest()


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), tree_hash(leaves[k:])]
    return [*path(index - k, leaves[k:]), tree_hash(leaves[:k])]


def subproof(old_size: int, leaves: list[bytes], *, known: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2, word for word."""
    if old_size == len(leaves):
        return [] if known else [tree_hash(leaves)]
    k = split(len(leaves))
    if old_size <= k:
        return [*subproof(old_size, leaves[:k], known=known), tree_hash(leaves[k:])]
    return [*subproof(old_size - k, leaves[k:], known=False), tree_hash(leaves[:k])]


def nodes_of(size: int) -> tuple[RightEdge, TileNodes]:
    edge, full = EMPTY_EDGE.extend(LEAVES[:size])
    tiles = {(tile.level, tile.index): tile.data for tile in full}
    return edge, TileNodes(edge=edge, cache=TileCache(lambda level, index, _: tiles[level, index]))


@given(sizes, st.data())
def test_roots_and_proofs_are_those_of_the_rfc(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    old_size = data.draw(st.integers(1, size))
    edge, nodes = nodes_of(size)
    leaves = LEAVES[:size]

    assert edge.root == EMPTY_FRONTIER.extend(leaves).root == tree_hash(leaves)
    assert root_from_nodes(old_size, nodes.read_node) == tree_hash(leaves[:old_size])
    assert build_inclusion(index, size, nodes.read_node) == path(index, leaves)
    assert build_consistency(old_size, size, nodes.read_node) == subproof(
        old_size, leaves, known=True
    )


@given(sizes, st.data())
def test_built_proofs_verify_and_their_mutants_do_not(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    edge, nodes = nodes_of(size)
    proof = build_inclusion(index, size, nodes.read_node)
    leaf, root = LEAVES[index], edge.root

    verify_inclusion(index=index, size=size, leaf=leaf, proof=proof, root=root)

    with pytest.raises(InclusionProofError):
        verify_inclusion(index=index, size=size, leaf=leaf, proof=[*proof, leaf], root=root)
    if proof:
        bad = mutate(proof, data)
        with pytest.raises(InclusionProofError):
            verify_inclusion(index=index, size=size, leaf=leaf, proof=bad, root=root)
    other = data.draw(st.integers(-2, size + 2).filter(lambda value: value != index))
    with pytest.raises(InclusionProofError):
        verify_inclusion(index=other, size=size, leaf=leaf, proof=proof, root=root)


@given(sizes, st.data())
def test_built_consistency_verifies_and_its_mutants_do_not(size: int, data: st.DataObject) -> None:
    old_size = data.draw(st.integers(1, size))
    edge, nodes = nodes_of(size)
    proof = build_consistency(old_size, size, nodes.read_node)
    old_root, root = tree_hash(LEAVES[:old_size]), edge.root

    def verify(hashes: list[bytes]) -> None:
        verify_consistency(
            old_size=old_size, new_size=size, old_root=old_root, new_root=root, proof=hashes
        )

    verify(proof)

    with pytest.raises(ConsistencyProofError):
        verify([*proof, root])
    if proof:
        with pytest.raises(ConsistencyProofError):
            verify(mutate(proof, data))
        with pytest.raises(ConsistencyProofError):
            verify(proof[1:])


@given(st.lists(st.integers(0, 400), max_size=6))
def test_edge_does_not_depend_on_how_leaves_are_batched(batches: list[int]) -> None:
    edge, stored = EMPTY_EDGE, []
    position = 0
    for batch in batches:
        leaves = LEAVES[position : position + batch]
        edge, full = edge.extend(leaves)
        stored += full
        position += len(leaves)

    assert (edge, sorted(stored, key=lambda tile: (tile.level, tile.index))) == (
        (at_once := EMPTY_EDGE.extend(LEAVES[:position]))[0],
        at_once[1],
    )


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256), st.data())
def test_bundle_with_one_byte_more_or_less_is_refused(
    entries: list[bytes], data: st.DataObject
) -> None:
    bundle = b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
    cut = data.draw(st.integers(0, len(bundle) - 1))

    assert parse_bundle(bundle, width=len(entries)) == entries
    for broken in (bundle + b"\0", bundle[:cut]):
        with pytest.raises(Exception, match="entry bundle"):
            parse_bundle(broken, width=len(entries))


def mutate(proof: list[bytes], data: st.DataObject) -> list[bytes]:
    """Flip one bit of one hash."""
    position = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    value = int.from_bytes(proof[position], "big") ^ (1 << bit)
    return [*proof[:position], value.to_bytes(32, "big"), *proof[position + 1 :]]
