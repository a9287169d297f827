"""Overrides as plain values for JSON, and their words in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from node.assessment.policy_file import Language, LocalText
from node.rating.overrides.policy import OverridePolicy
from node.rating.overrides.reading import JudgedOverride
from node.rating.overrides.rules_override import OverrideState

STATES: Mapping[OverrideState, LocalText] = MappingProxyType(
    {
        OverrideState.WAITING: LocalText(zh="等待第二人批准", en="waits for a second person"),
        OverrideState.IN_FORCE: LocalText(zh="生效中", en="in force"),
        OverrideState.REJECTED: LocalText(zh="被否决", en="rejected"),
        OverrideState.WITHDRAWN: LocalText(zh="已撤回", en="withdrawn"),
        OverrideState.RERATED: LocalText(zh="已因重新评级而终止", en="ended by a new rating"),
        OverrideState.DEFAULTED: LocalText(zh="已因违约而终止", en="ended by a default"),
        OverrideState.EXPIRED: LocalText(zh="已到期", en="past its last day"),
    }
)

ENDED = "ended"
_ENDED_TEXT = LocalText(zh="已终止", en="ended")


def build_override_object(
    judged: JudgedOverride, *, policy: OverridePolicy, language: Language, has_peers: bool
) -> dict[str, Any]:
    """Return an override; grades that would tell what peers have said only for whom that is."""
    override = judged.override
    reason = policy.find_reason(override.reason_code)
    is_hidden = judged.is_by_peers and not has_peers
    # A default may be known from peers alone: that one has ended it is not for everybody.
    hides_default = judged.state is OverrideState.DEFAULTED and not has_peers
    return {
        "id": override.override_id,
        "customer": override.customer_id,
        "rating": override.rating_id,
        "state": ENDED if hides_default else judged.state.value,
        "state_text": (_ENDED_TEXT if hides_default else STATES[judged.state]).render(language),
        "direction": "up" if override.is_upward else "down",
        "grade_rated": None if is_hidden else override.grade_before,
        "grade": override.grade_after,
        "notches": None if is_hidden else override.notches,
        "reason_code": override.reason_code,
        "reason_text": override.reason_code if reason is None else reason.names.render(language),
        "made_on": override.made_on.isoformat(),
        "expires_on": override.expires_on.isoformat(),
        "waits_for": count_awaited(judged),
        "withdrawal": [
            {
                "on": one.happened_on.isoformat(),
                "by": one.entered_by,
                "role": one.role,
                "reason": one.reason,
                "at_ms": one.entered_at_ms,
            }
            for one in override.lifts
        ],
        "events": [
            {
                "kind": one.kind.value,
                "on": one.happened_on.isoformat(),
                "by": one.entered_by,
                "role": one.role,
                "reason": one.reason,
                "at_ms": one.entered_at_ms,
            }
            for one in override.events
        ],
    }


def count_awaited(judged: JudgedOverride) -> int:
    """Return for how many persons an override waits: to hold, or to be withdrawn."""
    waits = judged.state is OverrideState.WAITING
    asked = judged.state is OverrideState.IN_FORCE and bool(judged.override.lifts)
    return int(waits or asked)
