"""The RFC 6962 tree: hashes, proofs, frontier."""

import hashlib
from collections.abc import Callable

import pytest

from protocol.errors import EvidenceError
from protocol.merkle import (
    EMPTY_FRONTIER,
    EMPTY_ROOT,
    ConsistencyProofError,
    Frontier,
    InclusionProofError,
    TreeShapeError,
    build_consistency,
    build_inclusion,
    leaf_hash,
    node_hash,
    root_from_nodes,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(bytes([number])) for number in range(20)]


def reader(level: int, index: int) -> bytes:
    """Hash complete subtrees naively from the leaves."""
    if level == 0:
        return LEAVES[index]
    return node_hash(reader(level - 1, 2 * index), reader(level - 1, 2 * index + 1))


def root_at(size: int) -> bytes:
    return EMPTY_FRONTIER.extend(LEAVES[:size]).root


def test_hashes_carry_their_domain_prefix() -> None:
    assert leaf_hash(b"entry") == hashlib.sha256(b"\x00entry").digest()
    assert node_hash(b"left", b"right") == hashlib.sha256(b"\x01leftright").digest()


def test_empty_tree_has_the_hash_of_nothing() -> None:
    assert EMPTY_FRONTIER.root == EMPTY_ROOT == hashlib.sha256().digest()
    assert root_from_nodes(0, reader) == EMPTY_ROOT


def test_tree_of_three_is_the_one_of_the_rfc() -> None:
    a, b, c = LEAVES[:3]

    assert root_at(3) == node_hash(node_hash(a, b), c)
    assert root_from_nodes(3, reader) == root_at(3)


def test_extending_leaves_the_old_frontier_alone() -> None:
    old = EMPTY_FRONTIER.extend(LEAVES[:5])
    roots = old.roots

    new = old.extend(LEAVES[5:7])

    assert (old.size, old.roots) == (5, roots)
    assert new == EMPTY_FRONTIER.extend(LEAVES[:7])


@pytest.mark.parametrize(
    ("size", "roots"),
    [
        pytest.param(-1, (), id="negative"),
        pytest.param(2**63, (b"\0" * 32,), id="beyond-63-bits"),
        pytest.param(3, (b"\0" * 32,), id="too-few-roots"),
        pytest.param(1, (b"\0" * 31,), id="short-root"),
    ],
)
def test_frontier_of_no_tree_is_refused(size: int, roots: tuple[bytes, ...]) -> None:
    with pytest.raises(TreeShapeError):
        Frontier(size=size, roots=roots)


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: build_inclusion(-1, 4, reader), id="negative-index"),
        pytest.param(lambda: build_inclusion(4, 4, reader), id="index-is-size"),
        pytest.param(lambda: build_consistency(0, 4, reader), id="from-empty"),
        pytest.param(lambda: build_consistency(5, 4, reader), id="backwards"),
        pytest.param(lambda: root_from_nodes(-1, reader), id="negative-size"),
    ],
)
def test_no_proof_is_built_outside_the_tree(build: Callable[[], object]) -> None:
    with pytest.raises(TreeShapeError):
        build()


def inclusion(**changed: object) -> None:
    values: dict[str, object] = {
        "index": 5,
        "size": 7,
        "leaf": LEAVES[5],
        "proof": build_inclusion(5, 7, reader),
        "root": root_at(7),
    }
    verify_inclusion(**(values | changed))  # type: ignore[arg-type]


def test_inclusion_verifies() -> None:
    inclusion()


@pytest.mark.parametrize(
    ("changed", "fact"),
    [
        pytest.param({"index": -1}, "no leaf -1", id="negative-index"),
        pytest.param({"index": 7}, "no leaf 7", id="index-is-size"),
        pytest.param({"size": 2**63}, "no leaf 5", id="beyond-63-bits"),
        pytest.param({"leaf": LEAVES[4]}, "another root", id="other-leaf"),
        pytest.param({"index": 4}, "another root", id="other-index"),
        pytest.param({"leaf": b"short"}, "32 bytes", id="short-leaf"),
        pytest.param({"root": b"short"}, "32 bytes", id="short-root"),
        pytest.param({"proof": [b"short"] * 3}, "32 bytes", id="short-proof-hash"),
        pytest.param(
            {"proof": build_inclusion(5, 7, reader)[:-1]}, "below the root", id="proof-cut"
        ),
        pytest.param(
            {"proof": [*build_inclusion(5, 7, reader), LEAVES[0]]}, "left over", id="proof-long"
        ),
    ],
)
def test_wrong_inclusion_is_refused(changed: dict[str, object], fact: str) -> None:
    with pytest.raises(InclusionProofError, match=fact):
        inclusion(**changed)


def consistency(**changed: object) -> None:
    values: dict[str, object] = {
        "old_size": 5,
        "new_size": 7,
        "old_root": root_at(5),
        "new_root": root_at(7),
        "proof": build_consistency(5, 7, reader),
    }
    verify_consistency(**(values | changed))  # type: ignore[arg-type]


def test_consistency_verifies() -> None:
    consistency()


def test_equal_trees_are_consistent_without_a_proof() -> None:
    consistency(old_size=7, old_root=root_at(7), proof=[])


@pytest.mark.parametrize(
    ("changed", "fact"),
    [
        pytest.param({"old_size": 0}, "no proof leads", id="from-empty"),
        pytest.param({"old_size": 8}, "no proof leads", id="backwards"),
        pytest.param({"new_size": 2**63}, "no proof leads", id="beyond-63-bits"),
        pytest.param({"old_root": b"short"}, "32 bytes", id="short-old-root"),
        pytest.param({"new_root": b"short"}, "32 bytes", id="short-new-root"),
        pytest.param({"proof": [b"short"]}, "32 bytes", id="short-proof-hash"),
        pytest.param({"proof": []}, "empty", id="empty-proof"),
        pytest.param({"old_root": root_at(4)}, "another old root", id="other-old-root"),
        pytest.param({"new_root": root_at(8)}, "another new root", id="other-new-root"),
        pytest.param(
            {"proof": build_consistency(5, 7, reader)[:-1]}, "below the root", id="proof-cut"
        ),
        pytest.param(
            {"proof": [*build_consistency(5, 7, reader), LEAVES[0]]}, "left over", id="proof-long"
        ),
        pytest.param(
            {"old_size": 7, "old_root": root_at(7)}, "equal sizes", id="equal-sizes-with-proof"
        ),
        pytest.param({"old_size": 7, "proof": []}, "equal sizes", id="equal-sizes-two-roots"),
    ],
)
def test_wrong_consistency_is_refused(changed: dict[str, object], fact: str) -> None:
    with pytest.raises(ConsistencyProofError, match=fact):
        consistency(**changed)


def test_every_error_of_the_tree_is_evidence_with_a_code_of_its_own() -> None:
    kinds = [TreeShapeError, InclusionProofError, ConsistencyProofError]

    assert all(issubclass(kind, EvidenceError) for kind in kinds)
    assert len({kind.code for kind in kinds}) == len(kinds)
