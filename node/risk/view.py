"""What is shown of orders, held orders, limits and stops: plain objects of codes and figures."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from node.risk.checks.answer import build_limit_object
from node.risk.checks.releasing import HeldOrder
from node.risk.checks.store import ReleaseRecord
from node.risk.checks.view import show_answer
from node.risk.limits.rules_limits import DecidedLimit, EndApproval, LimitEntry, LimitView, Stop
from node.risk.orders.rules_order import SalesOrder


def build_order_object(order: SalesOrder) -> dict[str, Any]:
    """Return an order in one version."""
    content = order.content
    return {
        "id": order.order_id,
        "source": order.source,
        "number": order.number,
        "version": order.version,
        "event": order.event.value,
        "state": order.state.value,
        "customer": content.customer_id,
        "currency": content.currency,
        "amount_minor": content.amount_minor,
        "prepaid_minor": content.prepaid_minor,
        "deliver_on": _write(content.deliver_on),
        "copied_from": order.copied_from,
        "happened_on": order.happened_on.isoformat(),
        "reason": order.reason,
        "entered_by": order.entered_by,
        "entered_at_ms": order.entered_at_ms,
        "takings": [
            {
                "id": one.taking_id,
                "delivery": one.paper_id,
                "item": one.item_id,
                "amount_minor": one.amount_minor,
            }
            for one in order.takings
        ],
        "let_through": [
            {
                "delivery": one.delivery,
                "amount_minor": one.amount_minor,
                "reason": one.reason,
                "entered_by": one.entered_by,
                "entered_at_ms": one.at_ms,
            }
            for one in order.passed
        ],
    }


def build_held_object(
    held: HeldOrder,
    *,
    has_figures: bool,
    hidden: Collection[int] = frozenset(),
    blurred: Collection[int] = frozenset(),
) -> dict[str, Any]:
    """Return an order that waits, with its newest check and who has done what.

    ``hidden`` are customers who are not named, ``blurred`` heads of groups whose sums are withheld.
    """
    shown = build_order_object(held.order) | {
        "customer": held.customer_id,
        "customer_name": held.customer_name,
        "requests": [
            {
                "reason": one.reason,
                "entered_by": one.entered_by,
                "entered_at_ms": one.entered_at_ms,
            }
            for one in held.requests
        ],
        "releases": [_build_release(one) for one in held.releases],
        "check": None,
    }
    if has_figures:  # The tier tells between which amounts the customer would owe.
        shown["tier"] = {
            "roles": [one.value for one in held.tier.roles],
            "required": [one.value for one in held.tier.required],
            "persons": held.tier.persons,
            "given": 0 if held.waiting is None else len(held.waiting.approvals),
        }
    if held.check is None:
        return shown
    answer = show_answer(held.answer, has_figures=has_figures, hidden=hidden, blurred=blurred)
    return shown | {"check": answer | {"check": held.check.check_id}}


def _build_release(one: ReleaseRecord) -> dict[str, Any]:
    return {
        "id": one.release_id,
        "version": one.version,
        "currency": one.currency,
        "amount_minor": one.amount_minor,
        "rules": list(one.rules),
        "reason_code": one.reason_code,
        "reason": one.reason,
        "expires_on": one.expires_on.isoformat(),
        "released_on": _write(one.released_on),
        "approvals": [
            {"name": name, "role": approval.role.value} for approval, name in one.approvals
        ],
    }


def build_limits_object(
    view: LimitView, *, hidden: Collection[int] = frozenset()
) -> dict[str, Any]:
    """Return what bounds a customer on a day, and every limit that it had.

    A head of its group that is one of ``hidden`` is not named.
    """
    day = view.as_of
    return {
        "customer": view.customer_id,
        "as_of": day.isoformat(),
        "is_assessed": view.holding is not None,
        "is_prepay": view.holding is not None and view.holding.limit_minor == 0,
        "limit": None if view.holding is None else build_limit_object(view.holding),
        "caps": [
            build_entry_object(one, on=day)
            | ({"customer": None} if one.customer_id in hidden else {})
            for one in view.caps
        ],
        "stop": None if view.stop is None else build_stop_object(view.stop),
        "is_stopped": view.stop is not None or view.is_stopped_by_decision,
        "decided": [_build_decided(one, on=day) for one in view.history],
        "entries": [build_entry_object(one, on=day) for one in view.entries],
    }


def _build_decided(one: DecidedLimit, *, on: date) -> dict[str, Any]:
    return {
        "decision": one.decision_id,
        "outcome": one.outcome.value,
        "currency": one.currency,
        "limit_minor": one.limit_minor,
        "first_on": one.first_on.isoformat(),
        "valid_until": _write(one.valid_until),
        "ended_on": _write(one.ended_on),
        "decided_by": one.decided_by,
        "holds": one.holds_on(on) and not one.is_past(on),
    }


def build_entry_object(one: LimitEntry, *, on: date) -> dict[str, Any]:
    """Return an entry of the limit ledger as it stands on a day."""
    return {
        "id": one.entry_id,
        "kind": one.kind.value,
        "customer": one.customer_id,
        "currency": one.currency,
        "amount_minor": one.amount_minor,
        "first_on": one.first_on.isoformat(),
        "last_on": _write(one.last_on),
        "state": one.state_on(on).value,
        "reason": one.reason,
        "requested_by": one.requested_by,
        "approved_by": one.approved_by,
        "approved_on": _write(one.approved_on),
        "ended_by": one.ended_by,
        "ended_on": _write(one.ended_on),
        "end_reason": one.end_reason,
        "ending": [_build_end_approval(it) for it in one.ending],
    }


def build_stop_object(one: Stop) -> dict[str, Any]:
    """Return a stop."""
    return {
        "id": one.stop_id,
        "customer": one.customer_id,
        "reason": one.reason,
        "first_on": one.first_on.isoformat(),
        "entered_by": one.entered_by,
        "ended_by": one.ended_by,
        "ended_on": _write(one.ended_on),
        "end_reason": one.end_reason,
        "ending": [_build_end_approval(it) for it in one.ending],
    }


def _build_end_approval(one: EndApproval) -> dict[str, Any]:
    return {
        "name": one.name,
        "role": one.approval.role.value,
        "reason": one.reason,
        "at_ms": one.approved_at_ms,
    }


def _write(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
