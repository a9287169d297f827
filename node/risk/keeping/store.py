"""What of the room has ended and goes with the records' terms, and what goes out in an export.

Runs over the portfolio and their sums are of no customer, and provisions are accounts: they stay.
An order is what documents of the ledger are taken off, so those wait until it has gone. A letter
that was sent goes once nothing that it asked for is in the ledger, for its level counts until then,
no charge of it is open, and no later letter lists one.
What peers have told does not go out, nor does what was found by their word alone.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, select

from node.records.rules_retention import EndReason
from node.records.store.export import ExportSource, RewrittenTable
from node.records.store.keeping import FindRows, KeptKind
from node.records.store.rows import chunk_values
from node.records.store.visibility import stands
from node.records.tables import ledger_item
from node.risk.alerts.rules_alert import AlertState
from node.risk.alerts.tables import risk_alert, risk_alert_event
from node.risk.checks.tables import order_check, order_release, release_approval, release_request
from node.risk.daily.tables import risk_change, risk_run
from node.risk.dunning.rules_letter import LetterState
from node.risk.dunning.tables import (
    DUNNING_TABLES,
    dunning_charge,
    dunning_event,
    dunning_hold,
    dunning_letter,
    dunning_letter_charge,
    dunning_line,
    dunning_settlement,
    dunning_sum,
)
from node.risk.limits.tables import (
    customer_stop,
    limit_approval,
    limit_ending,
    limit_entry,
)
from node.risk.orders.rules_order import ENDED
from node.risk.orders.tables import (
    sales_order,
    sales_order_delivery,
    sales_order_taking,
    sales_order_version,
)
from node.risk.plans.tables import risk_action, risk_action_event, risk_action_promise
from node.risk.portfolio.tables import risk_industry
from node.risk.provisions.tables import PROVISION_TABLES, provision_specific
from node.risk.register.rules_register import EntryState
from node.risk.register.tables import REGISTER_TABLES, risk_entry, risk_entry_version
from node.risk.rules.judged import Source
from node.risk.signals.tables import risk_signal
from node.risk.watch.tables import risk_watch, risk_watch_event

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Table


def _build(
    name: str,
    table: Table,
    ended_on: ColumnElement[Any],
    *conditions: ColumnElement[bool],
    rows: tuple[tuple[Table, FindRows], ...] = (),
    reason: EndReason = EndReason.LAPSED,
) -> KeptKind:
    return KeptKind(
        name=name,
        reason=reason,
        ended=select(
            table.c.id.label("key"),
            table.c.customer_id,
            ended_on.label("ended_on"),
            table.c.id.label("label"),
        ).where(*conditions),
        customer_id=table.c.customer_id,
        ended_on=ended_on,
        rows=(*rows, (table, table.c.id.in_)),
    )


def _build_order() -> KeptKind:
    version, later = sales_order_version, sales_order_version.alias("later")
    passed, newer = sales_order_delivery, sales_order_delivery.alias("newer")
    let_through = (
        select(func.coalesce(func.sum(passed.c.amount_minor), 0))
        .where(
            passed.c.order_id == version.c.order_id,
            ~exists().where(
                newer.c.order_id == passed.c.order_id,
                newer.c.delivery == passed.c.delivery,
                newer.c.id > passed.c.id,
            ),
        )
        .scalar_subquery()
    )
    taken = (
        select(func.coalesce(func.sum(sales_order_taking.c.amount_minor), 0))
        .where(
            sales_order_taking.c.order_id == version.c.order_id, stands(None, sales_order_taking)
        )
        .scalar_subquery()
    )
    releases = order_release.c.order_id
    return KeptKind(
        name="order",
        reason=EndReason.SETTLED,
        ended=select(
            version.c.order_id.label("key"),
            version.c.customer_id,
            version.c.happened_on.label("ended_on"),
            sales_order.c.number.label("label"),
        )
        .join(sales_order, sales_order.c.id == version.c.order_id)
        .where(
            version.c.state.in_([one.value for one in ENDED]),
            ~exists().where(
                later.c.order_id == version.c.order_id, later.c.version > version.c.version
            ),
            # What was let through and never entered is on its way still.
            let_through <= taken,
            # Its copies go first.
            ~exists().where(later.c.copied_from == version.c.order_id),
        ),
        customer_id=version.c.customer_id,
        ended_on=version.c.happened_on,
        rows=(
            (
                release_approval,
                lambda keys: release_approval.c.release_id.in_(
                    select(order_release.c.id).where(releases.in_(keys))
                ),
            ),
            (order_release, releases.in_),
            (release_request, release_request.c.order_id.in_),
            (order_check, order_check.c.order_id.in_),
            (sales_order_delivery, sales_order_delivery.c.order_id.in_),
            (sales_order_taking, sales_order_taking.c.order_id.in_),
            (sales_order_version, sales_order_version.c.order_id.in_),
            (sales_order, sales_order.c.id.in_),
        ),
    )


def _build_letter() -> KeptKind:
    last = (
        select(func.max(dunning_event.c.happened_on))
        .where(dunning_event.c.letter_id == dunning_letter.c.id)
        .scalar_subquery()
    )
    is_here = (
        exists()
        .where(
            dunning_line.c.letter_id == dunning_letter.c.id,
            ledger_item.c.id == dunning_line.c.item_id,
        )
        .correlate(dunning_letter)
    )
    is_withdrawn = dunning_letter.c.state == LetterState.WITHDRAWN.value
    was_sent = and_(dunning_letter.c.sent_on.is_not(None), ~is_here)
    return _build(
        "letter",
        dunning_letter,
        last,
        is_withdrawn | was_sent,
        ~_has_open_charge(),
        ~_is_listed_later(),
        rows=(
            (dunning_letter_charge, dunning_letter_charge.c.letter_id.in_),
            (dunning_settlement, _find_settlements),
            (dunning_charge, dunning_charge.c.letter_id.in_),
            (dunning_event, dunning_event.c.letter_id.in_),
            (dunning_sum, dunning_sum.c.letter_id.in_),
            (dunning_line, dunning_line.c.letter_id.in_),
        ),
    )


def _has_open_charge() -> ColumnElement[bool]:
    settled = (
        select(func.coalesce(func.sum(dunning_settlement.c.amount_minor), 0))
        .where(dunning_settlement.c.charge_id == dunning_charge.c.id)
        .scalar_subquery()
    )
    return (
        exists()
        .where(
            dunning_charge.c.letter_id == dunning_letter.c.id,
            dunning_charge.c.amount_minor > settled,
        )
        .correlate(dunning_letter)
    )


def _is_listed_later() -> ColumnElement[bool]:
    """Tell whether another letter lists a charge of this one: it goes before."""
    return (
        exists()
        .where(
            dunning_charge.c.letter_id == dunning_letter.c.id,
            dunning_letter_charge.c.charge_id == dunning_charge.c.id,
            dunning_letter_charge.c.letter_id != dunning_letter.c.id,
        )
        .correlate(dunning_letter)
    )


def _find_settlements(letters: Collection[int]) -> ColumnElement[bool]:
    charges = select(dunning_charge.c.id).where(dunning_charge.c.letter_id.in_(letters))
    return dunning_settlement.c.charge_id.in_(charges)


def _build_alert() -> KeptKind:
    last = (
        select(func.max(risk_alert_event.c.happened_on))
        .where(risk_alert_event.c.alert_id == risk_alert.c.id)
        .scalar_subquery()
    )
    return _build(
        "alert",
        risk_alert,
        last,
        risk_alert.c.state == AlertState.CLOSED.value,
        risk_alert.c.is_standing.is_(False),
        ~exists().where(risk_action.c.alert_id == risk_alert.c.id),
        rows=((risk_alert_event, risk_alert_event.c.alert_id.in_),),
    )


def _build_entry() -> KeptKind:
    last = (
        select(risk_entry_version.c.happened_on)
        .where(
            risk_entry_version.c.entry_id == risk_entry.c.id,
            risk_entry_version.c.seq == risk_entry.c.last_seq,
        )
        .scalar_subquery()
    )
    return _build(
        "risk",
        risk_entry,
        last,
        risk_entry.c.state == EntryState.CLOSED.value,
        rows=((risk_entry_version, risk_entry_version.c.entry_id.in_),),
    )


def _build_change() -> KeptKind:
    as_of = select(risk_run.c.as_of).where(risk_run.c.id == risk_change.c.run_id).scalar_subquery()
    return _build("change", risk_change, as_of)


KEPT: tuple[KeptKind, ...] = (
    _build_order(),
    _build("check", order_check, order_check.c.as_of, order_check.c.order_id.is_(None)),
    _build(
        "limit",
        limit_entry,
        func.coalesce(limit_entry.c.ended_on, limit_entry.c.last_on),
        rows=(
            (limit_approval, limit_approval.c.entry_id.in_),
            (limit_ending, limit_ending.c.entry_id.in_),
        ),
    ),
    _build(
        "stop",
        customer_stop,
        customer_stop.c.ended_on,
        rows=((limit_ending, limit_ending.c.stop_id.in_),),
    ),
    _build_letter(),
    _build(
        "dunning-hold",
        dunning_hold,
        func.coalesce(dunning_hold.c.ended_on, dunning_hold.c.until_on),
    ),
    _build(
        "action",
        risk_action,
        risk_action.c.closed_on,
        rows=(
            (risk_action_event, risk_action_event.c.action_id.in_),
            (risk_action_promise, risk_action_promise.c.action_id.in_),
        ),
    ),
    _build_alert(),
    _build(
        "watch",
        risk_watch,
        risk_watch.c.left_on,
        rows=((risk_watch_event, risk_watch_event.c.watch_id.in_),),
    ),
    _build("signal", risk_signal, risk_signal.c.happened_on),
    _build_change(),
    _build_entry(),
    _build("apart", provision_specific, provision_specific.c.ended_on),
)
"""By what ends; an action goes before the alert that it is about."""

_own_alerts = select(risk_alert.c.id).where(risk_alert.c.source != Source.PEERS.value)
_own_actions = select(risk_action.c.id).where(
    risk_action.c.alert_id.is_(None) | risk_action.c.alert_id.in_(_own_alerts)
)
_own_watches = select(risk_watch.c.id).where(risk_watch.c.is_of_peers.is_(False))

EXPORTED: tuple[ExportSource, ...] = (
    *PROVISION_TABLES,
    *DUNNING_TABLES,
    risk_industry,
    *REGISTER_TABLES,
    limit_entry,
    limit_approval,
    customer_stop,
    limit_ending,
    sales_order,
    sales_order_version,
    sales_order_taking,
    sales_order_delivery,
    order_check,
    release_request,
    order_release,
    release_approval,
    risk_run,
    risk_signal,
    RewrittenTable(table=risk_alert, where=risk_alert.c.id.in_(_own_alerts)),
    RewrittenTable(table=risk_alert_event, where=risk_alert_event.c.alert_id.in_(_own_alerts)),
    RewrittenTable(table=risk_watch, where=risk_watch.c.id.in_(_own_watches)),
    RewrittenTable(table=risk_watch_event, where=risk_watch_event.c.watch_id.in_(_own_watches)),
    RewrittenTable(table=risk_action, where=risk_action.c.id.in_(_own_actions)),
    RewrittenTable(table=risk_action_event, where=risk_action_event.c.action_id.in_(_own_actions)),
    RewrittenTable(
        table=risk_action_promise, where=risk_action_promise.c.action_id.in_(_own_actions)
    ),
    RewrittenTable(table=risk_change, where=risk_change.c.is_of_peers.is_(False)),
)


def list_named(
    connection: Connection, item_ids: Collection[int], paper_ids: Collection[int]
) -> tuple[frozenset[int], frozenset[int]]:
    """Return which items and papers an order that is here names: they wait until it has gone."""
    items, papers = set[int](), set[int]()
    taking = sales_order_taking.c
    for column, keys, found in (
        (taking.item_id, item_ids, items),
        (taking.paper_id, paper_ids, papers),
    ):
        for part in chunk_values(sorted(keys)):
            found.update(connection.execute(select(column).where(column.in_(part))).scalars())
    return frozenset(items), frozenset(papers)
