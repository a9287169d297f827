"""What a node says of itself: whether it is ready, what needs a look, whom to talk to and how.

In-memory facts are read each time; what costs a look at database or disk is at most two seconds old
and read beside the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from node.bootstrap.member import Node
from node.core.errors import NodeError
from node.sharing.operations import OPERATIONS
from protocol import SPOKEN_VERSIONS, limits
from protocol.message import MEDIA_TYPES

CACHED_MS = 2_000
HEALTH_TIMEOUT_S = 2
T = TypeVar("T")


class Health:
    """Reports on one node."""

    def __init__(self, node: Node) -> None:
        """Look at nothing yet."""
        self._node = node
        self._held: dict[str, tuple[int, Any]] = {}

    def report(self) -> dict[str, object]:
        """Say what works.

        Records and ratings work without a hub; exchanging needs registry, log, witness and room.
        """
        node = self._node
        now_s = node.local.clock.now_ms() // 1000
        witnessed = node.upkeep.witnessed
        reason = ""
        try:
            node.upkeep.check_exchanging()
        except NodeError as err:
            reason = err.detail
        report: dict[str, object] = {
            "status": "degraded" if reason else "ready",
            "exchanging": not reason,
            "registry_seq": node.registry.newest_seq,
            "registry_age_s": node.registry.measure_age_s(now_s=now_s),
            "log": node.guard.state.value,
            "log_origin": node.own_logs.origin,
            "log_size": node.writer.state.edge.size,
            "log_check": node.log_check.state.value,
            "log_checked_size": node.log_check.checked_size,
            "witnessed_size": node.upkeep.witnessed_size,
            "witness_age_s": -1 if witnessed is None else now_s - witnessed.witnessed_at_s,
            "receipts_missing": self._count_missing(),
            "disk_free_bytes": node.disk.read_free_bytes(),
            "business_date": node.local.business_date().isoformat(),
        }
        if (offset_s := node.clock_watch.offset_s) is not None:
            report["clock_offset_s"] = offset_s
        if len(logs := self._describe_logs()) > 1:
            report["logs"] = logs
        if reason:
            report["reason"] = reason
        warnings = [
            *node.registry.list_warnings(now_s=now_s),
            *node.hub_log.list_warnings(),
            *node.own_keys.list_warnings(),
            *node.own_logs.list_warnings(),
            *node.log_check.list_warnings(),
            *node.clock_watch.list_warnings(),
        ]
        if warnings:
            report["warnings"] = warnings
        self._measure(report)
        return report

    def _measure(self, report: dict[str, object]) -> None:
        numbers = {name: value for name, value in report.items() if isinstance(value, int)}
        self._node.telemetry.set_gauges(numbers)

    def _count_missing(self) -> int:
        return self._recall("missing", self._node.receipts.count_missing)

    def _describe_logs(self) -> list[dict[str, object]]:
        return self._recall("logs", self._node.own_logs.describe)

    def _recall(self, name: str, look: Callable[[], T]) -> T:
        now_ms = self._node.local.clock.now_ms()
        held = self._held.get(name)
        if held is None or not 0 <= now_ms - held[0] < CACHED_MS:
            held = self._held[name] = (now_ms, look())
        found: T = held[1]
        return found


def describe_node(node: Node) -> dict[str, object]:
    """Return the discovery document: who this is, what it speaks, within which limits."""
    settings = node.local.settings
    operations: dict[str, list[str]] = {}
    for op, content_type in OPERATIONS:
        operations.setdefault(op, []).append(content_type)
    return {
        "member": settings.member_id,
        "role": "member",
        "versions": list(SPOKEN_VERSIONS),
        "media_types": list(MEDIA_TYPES),
        "operations": operations,
        "accept_unkeyed_consents": settings.accept_unkeyed_consents,
        "message_kid": node.own_keys.kid,
        "log_origin": node.own_logs.origin,
        "links": {
            "messages": "/chengxin/v1/messages",
            "health": "/readyz",
            "log_checkpoint": "/chengxin/v1/log/checkpoint",
        },
        "limits": {
            "message_bytes_max": limits.MESSAGE_BYTES_MAX,
            "answer_bytes_max": limits.ANSWER_BYTES_MAX,
            "message_life_s_max": limits.MESSAGE_LIFE_S_MAX,
            "consents_per_message_max": limits.CONSENTS_PER_MESSAGE_MAX,
            "clock_ahead_s": settings.clock_ahead_s,
            "rate_per_s": settings.rate_per_s,
            "rate_burst": settings.rate_burst,
        },
    }
