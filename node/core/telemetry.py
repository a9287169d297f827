"""Numbers for the operator's monitoring: codes and numbers, never a member's or subject's name."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

METRICS_MEDIA_TYPE = CONTENT_TYPE_LATEST


class Telemetry:
    """One node's counters, in a registry of their own."""

    def __init__(self) -> None:
        """Start every counter at zero."""
        self._registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        self._refused = Counter(
            "chengxin_messages_refused_unsigned_total",
            "Messages that failed checks 1 to 3, or came while the node does not exchange.",
            ["code"],
            registry=self._registry,
        )
        self._answered = Counter(
            "chengxin_messages_answered_total",
            "Messages that got a signed reply, by tier or problem code.",
            ["code"],
            registry=self._registry,
        )
        self._unacked = Counter(
            "chengxin_answers_unacked_total",
            "Answers that no receipt had come for after 60 s.",
            registry=self._registry,
        )

        self._key_age = Gauge(
            "chengxin_message_key_age_days",
            "Age of the message key in use, by the newest registry snapshot.",
            registry=self._registry,
        )
        self._registry_left = Gauge(
            "chengxin_registry_left_seconds",
            "How long the newest registry snapshot still lasts; 0 where it has ended or is absent.",
            registry=self._registry,
        )

    def tell_age(self, *, key_days: int, registry_left_s: int) -> None:
        """Say how old the message key is, and how long the registry still lasts."""
        self._key_age.set(key_days)
        self._registry_left.set(max(0, registry_left_s))

    def count_refusal(self, code: str) -> None:
        """Count an unsigned refusal: the only trace that checks 1 to 3 leave."""
        self._refused.labels(code).inc()

    def count_answer(self, code: str) -> None:
        """Count a signed reply."""
        self._answered.labels(code).inc()

    def count_unacked(self) -> None:
        """Count an answer whose receipt is overdue."""
        self._unacked.inc()

    def set_gauges(self, values: Mapping[str, int]) -> None:
        """Show what the health report says in numbers, by the same names."""
        for name, value in values.items():
            if name not in self._gauges:
                self._gauges[name] = Gauge(
                    f"chengxin_{name}", f"{name} of the health report.", registry=self._registry
                )
            self._gauges[name].set(value)

    def render(self) -> bytes:
        """Return every counter as text."""
        return generate_latest(self._registry)
