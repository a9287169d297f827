"""Versions of policies, their differences and previews as plain values, for JSON and pages."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from node.assessment.policy_file import Language
from node.core.policies.records import (
    PolicyEvent,
    PolicyPlan,
    PolicyPreview,
    PolicyRecord,
    PolicyText,
)
from node.core.policies.rules_states import Origin, PolicyState
from node.core.policies.service import PolicyService
from node.governance.policies.rules_diff import list_changes
from node.governance.policies.wording import say_change
from protocol.strict_json import JsonObject, parse_object

_OF_DEFAULTS = ("default_gained", "default_lost")


def read_document(policies: PolicyService, record: PolicyRecord) -> JsonObject:
    """Return what a version says."""
    return parse_object(policies.get_content(record.text.text_id))


def build_summary_object(record: PolicyRecord) -> dict[str, Any]:
    """Return a version as it is listed."""
    text = record.text
    return {
        "id": record.version_id,
        "kind": record.name.kind,
        "policy": record.name.policy_id,
        "version": record.name.version,
        "label": record.name.label,
        "origin": record.origin.value,
        "base": record.base_id,
        "state": record.state.value,
        "sha256": text.sha256_b64u,
        "revision": text.revision,
        "by": text.actor.name,
        "at_ms": text.entered_at_ms,
        "reason": text.reason,
        "planned": None if record.plan is None else _show_plan(record.plan),
    }


def _show_plan(plan: PolicyPlan) -> dict[str, Any]:
    return {
        "effective_from": plan.effective_from.isoformat(),
        "by": plan.actor.name,
        "at_ms": plan.entered_at_ms,
        "reason": plan.reason,
    }


def build_policy_object(
    record: PolicyRecord, *, document: JsonObject, preview: PolicyPreview | None
) -> dict[str, Any]:
    """Return a version whole: what it says, who did what, and of when its newest preview is."""
    return {
        **build_summary_object(record),
        "texts": [_show_text(one) for one in record.texts],
        "events": [_show_event(one) for one in record.events],
        "preview": None if preview is None else _name_preview(preview),
        "document": document,
    }


def list_named(preview: PolicyPreview) -> list[int]:
    """Return the customers of whom a preview tells one by one."""
    summary = json.loads(preview.summary_json)
    moved = {one["customer"] for one in summary["moves"]}
    return sorted(moved.union(*(summary[one]["customers"] for one in _OF_DEFAULTS)))


def list_of_peers(preview: PolicyPreview) -> frozenset[int]:
    """Return those of the named of whom peers have told; of a preview of before, all of them."""
    found = json.loads(preview.summary_json).get("of_peers")
    return frozenset(list_named(preview) if found is None else found)


def build_preview_object(
    preview: PolicyPreview, *, hidden: Collection[int] = frozenset()
) -> dict[str, Any]:
    """Return a preview: what would change, and of when it is. It tells of customers' grades.

    Of those who are hidden it is told how many of the largest moves are theirs.
    """
    summary = json.loads(preview.summary_json)
    summary.pop("of_peers", None)
    for one in _OF_DEFAULTS:
        named = [key for key in summary[one]["customers"] if key not in hidden]
        summary[one] = {**summary[one], "customers": named}
    moves = [one for one in summary["moves"] if one["customer"] not in hidden]
    left_out = len(summary["moves"]) - len(moves)
    return {
        **_name_preview(preview),
        "summary": {**summary, "moves": moves},
        "hidden": left_out,
    }


def build_difference(
    policies: PolicyService, base: PolicyRecord, record: PolicyRecord, *, language: Language
) -> dict[str, Any]:
    """Return what two versions say differently, each difference in words."""
    sides = (read_document(policies, one) for one in (base, record))
    return {
        "before": base.name.label,
        "after": record.name.label,
        "changes": [
            {
                "path": one.path,
                "before": one.before,
                "after": one.after,
                "text": say_change(one, language),
            }
            for one in list_changes(*sides)
        ],
    }


def find_base(policies: PolicyService, record: PolicyRecord) -> PolicyRecord:
    """Return what a version is compared with: what it was made from, else what is active."""
    if record.base_id is not None:
        return policies.get(record.base_id)
    return policies.get_active(record.name.kind)


def list_newer_shipped(records: Sequence[PolicyRecord]) -> list[PolicyRecord]:
    """Return what a release has brought and nobody has activated: newer than what is in use.

    In use is an active version that ships, or the one that ships from which an active one of our
    own was made.
    """
    by_key = {one.version_id: one for one in records}
    roots = {
        (root.name.kind, root.name.policy_id): root.name.version
        for one in records
        if one.state is PolicyState.ACTIVE
        for root in [_find_root(one, by_key)]
    }
    return [
        one
        for one in records
        if one.origin is Origin.SHIPPED
        and one.state is PolicyState.APPROVED
        and one.name.version > roots.get((one.name.kind, one.name.policy_id), one.name.version)
    ]


def _find_root(record: PolicyRecord, by_key: dict[int, PolicyRecord]) -> PolicyRecord:
    # A base has a smaller key than what was made from it, so that this ends.
    while record.base_id is not None and record.base_id in by_key:
        record = by_key[record.base_id]
    return record


def _name_preview(preview: PolicyPreview) -> dict[str, Any]:
    return {
        "id": preview.preview_id,
        "as_of": preview.as_of.isoformat(),
        "by": preview.actor.name,
        "at_ms": preview.entered_at_ms,
    }


def _show_text(text: PolicyText) -> dict[str, Any]:
    return {
        "revision": text.revision,
        "sha256": text.sha256_b64u,
        "by": text.actor.name,
        "at_ms": text.entered_at_ms,
        "reason": text.reason,
    }


def _show_event(event: PolicyEvent) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "state": event.state.value,
        "by": event.actor.name,
        "at_ms": event.entered_at_ms,
        "reason": event.reason,
    }
    if event.effective_from is not None:
        shown["effective_from"] = event.effective_from.isoformat()
    return shown
