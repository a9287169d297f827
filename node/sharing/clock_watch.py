"""How far this node's clock is from everybody else's, by the times that they sign.

One clock that differs is theirs; the middle of several is ours. It warns long before messages are
refused: the tolerance of check 6 is 10 s. What was said before our clock jumped tells nothing of it
now, so a time that is old by our clock, or still to come, is forgotten.
"""

from __future__ import annotations

from statistics import median_low

OFFSET_S_WARNED = 5
CONFIRMED_S = 120
KEPT_S = 600
SOURCES_MAX = 64


class ClockWatch:
    """Keeps the newest offset seen of each source."""

    def __init__(self) -> None:
        """Know nobody's clock yet."""
        self._seen: dict[str, tuple[int, int]] = {}  # by source: when, and how far ahead
        self._noted_at_s: int | None = None

    def note(self, source: str, *, signed_at_s: int, now_s: int) -> None:
        """Take the time of something that was signed just now."""
        kept = {
            name: seen
            for name, seen in self._seen.items()
            if name != source and 0 <= now_s - seen[0] <= KEPT_S
        }
        if len(kept) >= SOURCES_MAX:
            kept.pop(next(iter(kept)))
        self._seen = {**kept, source: (now_s, signed_at_s - now_s)}
        self._noted_at_s = now_s

    @property
    def offset_s(self) -> int | None:
        """Return how far the others are ahead of us, in the middle; None where nobody is known."""
        offsets_s = [offset_s for _, offset_s in self._seen.values()]
        return median_low(offsets_s) if offsets_s else None

    def is_confirmed(self, *, now_s: int) -> bool:
        """Tell whether others agreed with this clock, within the last minutes by its own measure.

        A clock that has jumped since is not confirmed, whatever they said before.
        """
        if self._noted_at_s is None or not 0 <= now_s - self._noted_at_s <= CONFIRMED_S:
            return False
        return not self.list_warnings()

    def list_warnings(self) -> list[str]:
        """Say that our clock is off, where it is."""
        offset_s = self.offset_s
        if offset_s is None or abs(offset_s) <= OFFSET_S_WARNED:
            return []
        return [f"hub and peers are {offset_s} s away from this clock: is it set by NTP?"]
