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
_INDEX = _NEWLINE + b"index "


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
        self.text = text
        self._size = size = head.size
        self._read_node = log.tree.read_node
        self._held = {((size - 1).bit_length(), 0): PROOF_END + note}

    def write(self, index: int, raw: bytes) -> bytes:
        """Return the proof of an entry below the head, as a record has it."""
        entry = binascii.b2a_base64(raw, newline=False)
        return b"%b%b%b%d%b" % (_START, entry, _INDEX, index, self._find_lines(index))

    def is_proof(self, proof: bytes, index: int, raw: bytes) -> bool:
        """Tell whether a proof is the one of this entry."""
        return index < self._size and proof == self.write(index, raw)

    def _find_lines(self, index: int) -> bytes:
        """Return the lines from a leaf up to the root, each behind its newline, and the note."""
        held, node = self._held, (0, index)
        missing: list[tuple[int, int]] = []
        while (lines := held.get(node)) is None:
            missing.append(node)
            node = node[0] + 1, node[1] >> 1
        for node in reversed(missing):
            sibling = find_sibling(*node, self._size, self._read_node)
            if sibling is not None:
                lines = _NEWLINE + binascii.b2a_base64(sibling, newline=False) + lines
            held[node] = lines
        return lines
