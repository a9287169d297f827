"""How many passwords are worked on, or wait for it, at once: whoever comes beyond is sent away.

A password takes a tenth of a second and its memory; whoever waits for his turn holds one of the
threads that every page needs. So a crowd of sign-ins would stop the node. Strangers and those whose
device is known have places of their own: the ones do not fill the others'.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from node.core.people.accounts.errors import SignInBusyError

PLACES = 6  # of each kind: with both, less than a third of a process's forty threads


class Admission:
    """Counts who is inside; of each process its own."""

    def __init__(self) -> None:
        """Begin empty."""
        self._strangers = threading.BoundedSemaphore(PLACES)
        self._known = threading.BoundedSemaphore(PLACES)

    @contextmanager
    def enter(self, *, is_known: bool) -> Iterator[None]:
        """Hold a place while a password is worked on.

        Raises:
            SignInBusyError: There is none left; nothing was counted against anybody.
        """
        places = self._known if is_known else self._strangers
        if not places.acquire(blocking=False):
            raise SignInBusyError("too many passwords are worked on at this moment: try again")
        try:
            yield
        finally:
            places.release()
