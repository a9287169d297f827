"""The limits that decisions gave, without what they rest on: read often, and for any day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, func, select

from node.decision.rules_proposal import Outcome
from node.decision.rules_state import EventKind
from node.decision.tables import credit_decision, decision_event, decision_version
from node.records.store.rows import is_among_param

_every = decision_version.alias("every")  # made once: an alias costs as much as a query
_ENDS = (EventKind.SUPERSEDED, EventKind.WITHDRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenLimit:
    """What a decision that became active gave; ``ended_on``: replaced or withdrawn.

    The amount is in minor units; None where nobody has assessed the customer.
    """

    decision_id: int
    customer_id: int
    outcome: Outcome
    currency: str
    limit_minor: int | None
    valid_until: date | None
    approved_by: str
    activated_on: date
    activated_at_ms: int
    ended_on: date | None


def list_given_limits(
    connection: Connection, customer_ids: Collection[int], *, known_at_ms: int | None = None
) -> list[GivenLimit]:
    """Return the limits that decisions on some customers gave, the oldest first."""
    rows = connection.execute(_select_given(), {"customer_ids": sorted(customer_ids)})
    found: dict[int, GivenLimit] = {}
    for row in rows:
        if known_at_ms is not None and row.entered_at_ms > known_at_ms:
            continue
        if row.kind == EventKind.ACTIVE:
            found[row.id] = GivenLimit(
                decision_id=row.id,
                customer_id=row.customer_id,
                outcome=Outcome(row.outcome),
                currency=row.currency,
                limit_minor=row.limit_minor,
                valid_until=row.valid_until,
                approved_by=row.approved_by,
                activated_on=row.happened_on,
                activated_at_ms=row.entered_at_ms,
                ended_on=None,
            )
        elif row.id in found:
            found[row.id] = replace(found[row.id], ended_on=row.happened_on)
    return list(found.values())


@cache
def _select_given() -> Select[Any]:
    """Return what selects the events of limits of ``customer_ids``; made once."""
    event, version = decision_event.c, decision_version.c
    newest = (
        select(func.max(_every.c.version))
        .where(_every.c.decision_id == credit_decision.c.id)
        .correlate(credit_decision)
        .scalar_subquery()
    )
    return (
        select(
            credit_decision.c.id,
            credit_decision.c.customer_id,
            credit_decision.c.approved_by,
            version.outcome,
            version.currency,
            version.limit_minor,
            version.valid_until,
            event.kind,
            event.happened_on,
            event.entered_at_ms,
        )
        .select_from(credit_decision)
        .join(decision_version, version.decision_id == credit_decision.c.id)
        .join(decision_event, event.decision_id == credit_decision.c.id)
        .where(
            is_among_param(credit_decision.c.customer_id, "customer_ids"),
            version.version == newest,
            event.kind.in_([EventKind.ACTIVE, *_ENDS]),
        )
        .order_by(credit_decision.c.id, event.seq)
    )
