"""The RFC 6962 Merkle tree with SHA-256: hashes, proofs, and the incremental root.

A verifier here refuses what one or another package lets through: an index outside the tree, a
hash that has not 32 bytes, a proof with a hash too many or too few, unequal roots at equal sizes.
Size and root must come from ONE verified checkpoint, since an inclusion path fits a band of sizes.
Size 0 has no proof: only a witness meets it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from protocol.errors import EvidenceError
from protocol.limits import HASH_BYTES, TREE_SIZE_MAX

EMPTY_ROOT = hashlib.sha256(b"").digest()

ReadNode = Callable[[int, int], bytes]
"""``read_node(level, index)``: the hash of the complete subtree whose first leaf is
``index * 2**level`` and which has ``2**level`` leaves."""


class TreeShapeError(EvidenceError):
    """A tree of this size has no such node, leaf or frontier."""

    code = "tree-shape"


class InclusionProofError(EvidenceError):
    """The path does not lead from the leaf to the root."""

    code = "inclusion-proof-invalid"


class ConsistencyProofError(EvidenceError):
    """The proof does not show that the old tree is a prefix of the new one."""

    code = "consistency-proof-invalid"


def leaf_hash(entry: bytes) -> bytes:
    """Hash one log entry (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Hash entries of the log, in one pass."""
    sha256 = hashlib.sha256
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The least that a tree needs to grow: its size and the roots of its complete subtrees.

    The largest subtree comes first. A value: ``extend`` leaves the old frontier as it was, so a
    batch counts only once its caller adopts the new one.
    """

    size: int
    roots: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Check that the roots are those of a tree of this size.

        Raises:
            TreeShapeError: A size outside the range, or roots of another number or length.
        """
        if not 0 <= self.size <= TREE_SIZE_MAX:
            raise TreeShapeError(f"no tree has {self.size} leaves")
        if len(self.roots) != self.size.bit_count():
            raise TreeShapeError(f"{len(self.roots)} subtree roots at size {self.size}")
        if any(len(root) != HASH_BYTES for root in self.roots):
            raise TreeShapeError(f"a subtree root has {HASH_BYTES} bytes")

    def extend(self, leaf_hashes: Iterable[bytes]) -> Frontier:
        """Return the frontier after these leaves."""
        roots = list(self.roots)
        size = self.size
        for leaf in leaf_hashes:
            subtree = leaf
            merges = size
            while merges & 1:
                subtree = node_hash(roots.pop(), subtree)
                merges >>= 1
            roots.append(subtree)
            size += 1
        return Frontier(size=size, roots=tuple(roots))

    @property
    def root(self) -> bytes:
        """Return the root hash of the tree."""
        return join_subtrees(self.roots)


EMPTY_FRONTIER = Frontier(size=0, roots=())


def verify_inclusion(
    *, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Verify that the leaf hash stands at the index of the tree (RFC 9162 §2.1.3.2).

    Raises:
        InclusionProofError: It does not, or not by this proof.
    """
    if not 0 <= index < size <= TREE_SIZE_MAX:
        raise InclusionProofError(f"no leaf {index} in a tree of {size}")
    if any(len(value) != HASH_BYTES for value in (leaf, root, *proof)):
        raise InclusionProofError(f"a hash has {HASH_BYTES} bytes")
    node, last, subtree = index, size - 1, leaf
    sha256 = hashlib.sha256  # A local name: this loop is most of what a proof costs.
    for sibling in proof:
        if last == 0:
            raise InclusionProofError("the proof has hashes left over")
        if node & 1 or node == last:
            subtree = sha256(b"\x01" + sibling + subtree).digest()
            # A node without a right neighbour rises unhashed until it is a right child.
            rise = (node & -node).bit_length() - 1
            node, last = node >> rise, last >> rise
        else:
            subtree = sha256(b"\x01" + subtree + sibling).digest()
        node, last = node >> 1, last >> 1
    if last != 0:
        raise InclusionProofError("the proof ends below the root")
    if subtree != root:
        raise InclusionProofError("the path leads to another root")


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Verify that the new tree only appended to the old one (RFC 9162 §2.1.4.2).

    Raises:
        ConsistencyProofError: It did not, or not by this proof; size 0 proves nothing.
    """
    if not 0 < old_size <= new_size <= TREE_SIZE_MAX:
        raise ConsistencyProofError(f"no proof leads from size {old_size} to {new_size}")
    if any(len(value) != HASH_BYTES for value in (old_root, new_root, *proof)):
        raise ConsistencyProofError(f"a hash has {HASH_BYTES} bytes")
    if old_size == new_size:
        if proof or old_root != new_root:
            raise ConsistencyProofError("equal sizes ask for equal roots and an empty proof")
        return
    if not proof:
        raise ConsistencyProofError("the proof is empty")
    _replay_consistency(
        old_size=old_size, new_size=new_size, old_root=old_root, new_root=new_root, proof=proof
    )


def build_inclusion(index: int, size: int, read_node: ReadNode) -> list[bytes]:
    """Build the inclusion proof of one leaf (RFC 6962 §2.1.1).

    Raises:
        TreeShapeError: The tree has no such leaf.
    """
    if not 0 <= index < size <= TREE_SIZE_MAX:
        raise TreeShapeError(f"no leaf {index} in a tree of {size}")
    return _climb(0, index, size, read_node)


def build_consistency(old_size: int, new_size: int, read_node: ReadNode) -> list[bytes]:
    """Build the consistency proof between two sizes (RFC 6962 §2.1.2).

    Raises:
        TreeShapeError: The sizes are not in order, or the old one is 0.
    """
    if not 0 < old_size <= new_size <= TREE_SIZE_MAX:
        raise TreeShapeError(f"no proof leads from size {old_size} to {new_size}")
    if old_size == new_size:
        return []
    # The proof starts at the largest complete subtree that ends where the old tree ends.
    level = (old_size & -old_size).bit_length() - 1
    node = (old_size - 1) >> level
    # Where that is the whole old tree, the verifier has it already: the old root.
    start = [read_node(level, node)] if node else []
    return start + _climb(level, node, new_size, read_node)


def root_from_nodes(size: int, read_node: ReadNode) -> bytes:
    """Return the root of the first ``size`` leaves.

    Raises:
        TreeShapeError: The size is outside the range.
    """
    if not 0 <= size <= TREE_SIZE_MAX:
        raise TreeShapeError(f"no tree has {size} leaves")
    return _range_root(0, size, read_node)


def join_subtrees(roots: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees that stand side by side, the largest first."""
    if not roots:
        return EMPTY_ROOT
    joined = roots[-1]
    for root in roots[-2::-1]:
        joined = node_hash(root, joined)
    return joined


def _replay_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    rise = (old_size & -old_size).bit_length() - 1
    node, last = (old_size - 1) >> rise, (new_size - 1) >> rise
    # A complete old tree is its own first hash, which the proof therefore leaves out.
    first, *rest = proof if node else (old_root, *proof)
    old = new = first
    for sibling in rest:
        if last == 0:
            raise ConsistencyProofError("the proof has hashes left over")
        if node & 1 or node == last:
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            rise = (node & -node).bit_length() - 1
            node, last = node >> rise, last >> rise
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ConsistencyProofError("the proof ends below the root")
    if old != old_root:
        raise ConsistencyProofError("the proof leads to another old root")
    if new != new_root:
        raise ConsistencyProofError("the proof leads to another new root")


def find_sibling(level: int, node: int, size: int, read_node: ReadNode) -> bytes | None:
    """Return what a subtree is hashed with on its way to the root, or None where it just rises."""
    last = (size - 1) >> level
    sibling = node ^ 1
    if sibling < last or (sibling == last and (last + 1) << level == size):
        return read_node(level, sibling)
    if sibling == last:  # The right edge: a subtree that is not complete.
        return _range_root(last << level, size, read_node)
    return None


def _climb(level: int, node: int, size: int, read_node: ReadNode) -> list[bytes]:
    """Collect the siblings on the way from a complete subtree up to the root."""
    path: list[bytes] = []
    while (size - 1) >> level > 0:
        sibling = find_sibling(level, node, size, read_node)
        if sibling is not None:
            path.append(sibling)
        level, node = level + 1, node >> 1
    return path


def _range_root(start: int, end: int, read_node: ReadNode) -> bytes:
    """Return the root of a range; its start is a multiple of the largest power of 2 in it."""
    subtrees: list[bytes] = []
    position = start
    for level in range((end - start).bit_length() - 1, -1, -1):
        if (end - start) >> level & 1:
            subtrees.append(read_node(level, position >> level))
            position += 1 << level
    return join_subtrees(subtrees)
