"""Token buckets, one a member: how fast a peer may ask."""

from __future__ import annotations

import threading
from dataclasses import dataclass

PEERS_MAX = 10_000
TOKEN_MILLI = 1_000
MINUTE_MS = 60_000
NEVER = -1


@dataclass(slots=True, kw_only=True)
class _Bucket:
    tokens_milli: int
    at_ms: int
    refused_minute: int


class TokenBuckets:
    """Refills at ``rate_per_s`` up to ``burst``; safe to share between threads."""

    def __init__(self, *, rate_per_s: int, burst: int) -> None:
        """Start every member with a full bucket."""
        self._rate_per_s = rate_per_s
        self._burst_milli = burst * TOKEN_MILLI
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def take_token(self, peer: str, *, now_ms: int) -> bool:
        """Take a token; False where the bucket is empty."""
        with self._lock:
            bucket = self._get(peer, now_ms)
            elapsed_ms = max(0, now_ms - bucket.at_ms)
            bucket.tokens_milli = min(
                self._burst_milli, bucket.tokens_milli + elapsed_ms * self._rate_per_s
            )
            bucket.at_ms = now_ms
            if bucket.tokens_milli < TOKEN_MILLI:
                return False
            bucket.tokens_milli -= TOKEN_MILLI
            return True

    def note_refusal(self, peer: str, *, now_ms: int) -> bool:
        """Tell whether this is the peer's first refusal of the minute, the one that is logged."""
        with self._lock:
            bucket = self._get(peer, now_ms)
            minute = now_ms // MINUTE_MS
            is_first = bucket.refused_minute != minute
            bucket.refused_minute = minute
            return is_first

    def _get(self, peer: str, now_ms: int) -> _Bucket:
        # Only members reach a bucket (check 2), so the table is as large as the registry at most.
        bucket = self._buckets.get(peer)
        if bucket is None:
            if len(self._buckets) >= PEERS_MAX:
                self._buckets.pop(next(iter(self._buckets)))
            bucket = self._buckets[peer] = _Bucket(
                tokens_milli=self._burst_milli, at_ms=now_ms, refused_minute=NEVER
            )
        return bucket
