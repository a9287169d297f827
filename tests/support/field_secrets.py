"""Secrets of encrypted fields for tests, without files."""

from __future__ import annotations

from collections.abc import Sequence

SEED = bytes(32)


class FixedSecrets:
    """The same secrets always."""

    def __init__(self, *seeds: bytes) -> None:
        self._seeds = seeds or (SEED,)

    def load(self) -> Sequence[bytes]:
        return self._seeds

    def has_newer(self) -> bool:
        return False
