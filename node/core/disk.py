"""How much room is left where the database stands: a node stops in good time, not in a commit."""

from __future__ import annotations

import shutil
from pathlib import Path

from node.core.clock import Clock
from node.core.errors import UnavailableError

CACHED_MS = 2_000


class DiskFullError(UnavailableError):
    """Less room is left than the floor that the operator set."""


class DiskWatch:
    """Knows the free room of one folder's file system, at most two seconds old."""

    def __init__(self, folder: Path, *, clock: Clock, free_bytes_min: int) -> None:
        """Look at nothing yet; a floor of 0 switches the check off."""
        self._folder = folder
        self._clock = clock
        self._free_bytes_min = free_bytes_min
        self._known: tuple[int, int] | None = None

    def read_free_bytes(self) -> int:
        """Return how many bytes are free."""
        now_ms = self._clock.now_ms()
        if self._known is None or not 0 <= now_ms - self._known[0] < CACHED_MS:
            self._known = (now_ms, shutil.disk_usage(self._folder).free)
        return self._known[1]

    def check(self) -> None:
        """Check that there is room to go on.

        Raises:
            DiskFullError: Less than the floor is free.
        """
        if self._free_bytes_min and self.read_free_bytes() < self._free_bytes_min:
            raise DiskFullError(f"less than {self._free_bytes_min} bytes are free on the disk")
