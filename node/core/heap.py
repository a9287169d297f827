"""Keep what lives as long as the process out of the cyclic garbage collector's way."""

from __future__ import annotations

import gc

# Net allocations before a collection of the youngest. Each request leaves few cycles behind.
YOUNGEST_OBJECTS_MAX = 20_000


def settle_heap() -> None:
    """Set aside everything made so far; called once, when a process is ready to serve.

    A full collection walks the half million objects of the imported libraries: 80 ms in which the
    event loop stands still, several times a minute under load (docs/decisions/0011).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST_OBJECTS_MAX)
