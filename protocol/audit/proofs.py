"""Writes the proofs that a log should have given for its entries, to compare with those given.

Beside a batch of messages lie proofs under one head, which differ in their lowest lines only. So
the lines of a head's tree are written once each, from the exported entries; a proof that reads the
same needs no hash, no signature and no parser any more.
"""

from __future__ import annotations

import binascii

from protocol.audit.reading import ReadLog
from protocol.checkpoint import Checkpoint
from protocol.log_proof import HEADER
from protocol.merkle import find_sibling

_NEWLINE = rb"\n"  # as JSON has it in a text
PROOF_END = _NEWLINE + _NEWLINE  # of the lines of hashes; the head's note follows
_START = HEADER.encode("ascii") + _NEWLINE + b"extra "
_WRITTEN = _START + b"%b" + _NEWLINE + b"index %d%b%b"


class HeadProofs:
    """The proofs of the entries below one head, whose root is that of the exported entries."""

    def __init__(self, log: ReadLog, head: Checkpoint, *, note: bytes, text: str) -> None:
        """Start from the root: it needs no line, and below it stands the head's own note.

        Args:
            log: The log that the head is of.
            head: What the note says; that it is signed is for the caller to verify.
            note: The note as a record has it.
            text: The same as a text.
        """
        self.log = log
        self.head = head
        self.note = note
        self.text = text
        self._size = size = head.size
        self._read_node = log.tree.read_node
        # Of one leaf the parent is the root too: there is nothing beside it.
        self._held = {(max((size - 1).bit_length(), 1), 0): PROOF_END + note}

    def is_proof(self, proof: bytes, index: int, raw: bytes) -> bool:
        """Tell whether a proof, as a record has it, is the one of this entry."""
        if index >= self._size:
            return False
        node = 1, index >> 1
        lines = self._held.get(node) or self._write_lines(node)
        sibling = index ^ 1
        # The lowest line is no other leaf's: it is not kept.
        lowest = _write_line(self._read_node(0, sibling)) if sibling < self._size else b""
        entry = binascii.b2a_base64(raw, newline=False)
        return proof == _WRITTEN % (entry, index, lowest, lines)

    def _write_lines(self, node: tuple[int, int]) -> bytes:
        """Return the lines from a node up to the root, each behind its newline, and the note."""
        held = self._held
        missing: list[tuple[int, int]] = []
        while (lines := held.get(node)) is None:
            missing.append(node)
            node = node[0] + 1, node[1] >> 1
        for level, index in reversed(missing):
            sibling = find_sibling(level, index, self._size, self._read_node)
            if sibling is not None:
                lines = _write_line(sibling) + lines
            held[level, index] = lines
        return lines


def _write_line(digest: bytes) -> bytes:
    return _NEWLINE + binascii.b2a_base64(digest, newline=False)
