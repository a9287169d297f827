"""A sales order: how it stands after what happened to it, and what of it is still open. Pure.

An order is never changed: each thing that happens to it is its next version. What was delivered or
invoiced of it is taken off, once: an invoice for a delivery that was taken off takes nothing more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.core.money import AMOUNT_MINOR_MAX
from node.records.rules_papers import DeliveryState, Document


class OrderState(StrEnum):
    """Where an order stands."""

    OPEN = "open"  # what is not delivered of it counts
    HELD = "held"  # it waits for a release and counts for nothing
    CLOSED = "closed"  # nothing more of it is delivered
    CANCELLED = "cancelled"


class OrderEvent(StrEnum):
    """What happened to an order."""

    CREATED = "created"
    AMENDED = "amended"
    REOPENED = "reopened"
    CLEARED = "cleared"  # by a later check that found nothing to hold it for
    RELEASED = "released"
    CLOSED = "closed"
    CANCELLED = "cancelled"


ENDED = frozenset({OrderState.CLOSED, OrderState.CANCELLED})
ENDINGS: Mapping[OrderEvent, OrderState] = {
    OrderEvent.CLOSED: OrderState.CLOSED,
    OrderEvent.CANCELLED: OrderState.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderContent:
    """What is ordered, in minor units; ``prepaid_minor`` of it is to be paid before delivery."""

    customer_id: int
    currency: str
    amount_minor: int
    prepaid_minor: int = 0
    deliver_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTaking:
    """What a delivery, or a document of the ledger, takes off an order."""

    taking_id: int
    order_id: int
    amount_minor: int
    paper_id: int | None = None
    item_id: int | None = None
    entered_at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was taken off an order by a day: by a delivery of a number, or by an invoice."""

    amount_minor: int
    at_ms: int
    delivery: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedDelivery:
    """A delivery as it was let through last, in minor units; 0 where it did not go after all.

    ``delivery`` is its number, or the key of its check where it came without one; with a
    ``reason`` a person has said that it did not go.
    """

    delivery: str
    amount_minor: int
    at_ms: int
    reason: str | None = None
    entered_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesOrder:
    """An order in the version that stands, with what takes from it and what was let through."""

    order_id: int
    source: str
    number: str
    version: int
    event: OrderEvent
    state: OrderState
    content: OrderContent
    copied_from: int | None
    happened_on: date
    reason: str | None
    entered_by: str
    entered_at_ms: int
    takings: tuple[OrderTaking, ...] = ()
    passed: tuple[PassedDelivery, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """What of an order is neither delivered nor invoiced; ``prepaid_minor`` of it is prepaid.

    ``pending_minor`` was let through and is not taken off yet: it is on its way, and counts
    whatever the order says since. ``credit_minor`` is what is still to be sold on credit.
    """

    order: SalesOrder
    taken_minor: int
    open_minor: int
    prepaid_minor: int = 0
    pending_minor: int = 0
    taken: tuple[Taken, ...] = ()

    @property
    def credit_minor(self) -> int:
        """What of it is on credit."""
        return self.open_minor - self.prepaid_minor


def choose_event(former: SalesOrder | None, content: OrderContent) -> OrderEvent | None:
    """Return what it is that an order is sent with this content; None where nothing changed."""
    if former is None:
        return OrderEvent.CREATED
    if former.state in ENDED:
        return OrderEvent.REOPENED
    return None if former.content == content else OrderEvent.AMENDED


def takes_more(former: SalesOrder | None, content: OrderContent, *, money_minor: int) -> bool:
    """Tell whether an order asks for more credit than it was let through with.

    Another customer, another currency and a reopened order always do. A part that is to be paid in
    advance is none of the credit only as far as ``money_minor`` for it is here.
    """
    if former is None or former.state is not OrderState.OPEN:
        return True
    then = former.content
    if (then.customer_id, then.currency) != (content.customer_id, content.currency):
        return True
    return any(
        content.amount_minor - min(content.prepaid_minor, most_minor)
        > then.amount_minor - min(then.prepaid_minor, most_minor)
        for most_minor in (AMOUNT_MINOR_MAX, money_minor)
    )


def list_taken(
    order: SalesOrder,
    *,
    deliveries: Mapping[int, DeliveryState],
    documents: Mapping[int, Document],
    owners: Collection[int],
    as_of: date,
) -> tuple[Taken, ...]:
    """Return what deliveries and documents have taken off an order by a day, in minor units.

    Args:
        order: The order with its takings.
        deliveries: What was delivered by the day, by the key of the paper.
        documents: The documents that count, by the items that takings and deliveries name.
        owners: The keys of the customer and of those that turned out to be it.
        as_of: The day.
    """
    of_papers = {one.paper_id: one for one in order.takings if one.paper_id in deliveries}
    by_delivery: dict[Document, int] = {}
    for paper_id in of_papers:
        for event in deliveries[paper_id or 0].delivery.events:
            document = documents.get(event.item_id or 0)
            if document is not None:
                by_delivery[document] = by_delivery.get(document, 0) + (event.amount_minor or 0)
    taken = [
        Taken(
            amount_minor=one.amount_minor,
            at_ms=one.entered_at_ms,
            delivery=deliveries[paper_id or 0].delivery.number,
        )
        for paper_id, one in of_papers.items()
    ]
    for one in order.takings:
        document = documents.get(one.item_id or 0)
        if document is None or document.customer_id not in owners or document.happened_on > as_of:
            continue
        # What the document invoices of deliveries of this order left it when they were delivered.
        rest_minor = max(0, one.amount_minor - by_delivery.get(document, 0))
        taken.append(Taken(amount_minor=rest_minor, at_ms=one.entered_at_ms))
    return tuple(taken)


def leave_open(
    order: SalesOrder, *, taken: tuple[Taken, ...] = (), pending_minor: int = 0
) -> OpenOrder:
    """Return what of an order is open: of one that is held or has ended, what is on its way."""
    taken_minor = sum(one.amount_minor for one in taken)
    left_minor = max(0, order.content.amount_minor - taken_minor)
    is_open = order.state is OrderState.OPEN
    return OpenOrder(
        order=order,
        taken_minor=taken_minor,
        open_minor=max(left_minor if is_open else 0, pending_minor),
        pending_minor=pending_minor,
        taken=taken,
    )


def prepay(
    orders: Sequence[OpenOrder], unapplied: Mapping[str, int]
) -> tuple[list[OpenOrder], dict[str, int]]:
    """Let what was paid in advance pay for the prepaid parts of orders, the oldest first.

    A prepaid part counts only as far as money for it is here. Returns the orders, and what of the
    unapplied no order needs, by currency.
    """
    left = dict(unapplied)
    found = []
    for one in sorted(orders, key=lambda it: it.order.order_id):
        currency = one.order.content.currency
        wanted = min(one.order.content.prepaid_minor, one.open_minor)
        part = min(wanted, left.get(currency, 0))
        if part:
            left[currency] -= part
        found.append(dataclasses.replace(one, prepaid_minor=part))
    return found, left


def highest(amounts: Iterable[int | None]) -> int | None:
    """Return the largest of some amounts; None where there is none that is known."""
    return max((one for one in amounts if one is not None), default=None)
