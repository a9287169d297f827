"""What is asked of an order: its form, the hash that tells two apart, and the same once more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from node.core.money import AMOUNT_MINOR_MAX, CURRENCY_FORM
from node.records.ledger.entries import BY_HAND
from node.records.tables import REFERENCE_CHARS_MAX, SOURCE_CHARS_MAX
from node.risk.checks.rules_check import CheckPoint
from node.risk.checks.store import KeptCheck
from node.risk.errors import RiskInvalidError
from node.risk.orders.rules_order import OrderContent, OrderState, SalesOrder
from protocol.encoding import encode_b64u, sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What an ERP asks of an order, in minor units.

    At a quote and an order the amount is the whole of it; at a delivery and an invoice what is
    delivered or invoiced now. ``copied_from`` is the number of the order that it is a copy of.
    ``delivery`` is a delivery's number, under which it counts once, however often it is checked;
    without one the key of the check stands for it. 0 says that a delivery did not go after all.
    """

    point: CheckPoint
    customer_id: int
    number: str
    currency: str
    amount_minor: int
    prepaid_minor: int = 0
    deliver_on: date | None = None
    copied_from: str | None = None
    delivery: str | None = None
    source: str = BY_HAND

    @property
    def content(self) -> OrderContent:
        """What is ordered."""
        return OrderContent(
            customer_id=self.customer_id,
            currency=self.currency,
            amount_minor=self.amount_minor,
            prepaid_minor=self.prepaid_minor,
            deliver_on=self.deliver_on,
        )

    @property
    def sha256_b64u(self) -> str:
        """The hash by which two requests are told apart."""
        members = [
            self.point, self.customer_id, self.number, self.currency, self.amount_minor,
            self.prepaid_minor, str(self.deliver_on), self.copied_from, self.source,
        ]  # fmt: skip
        if self.delivery is not None:  # Without one the hash is that of requests before there was.
            members.append(self.delivery)
        return encode_b64u(sha256(json.dumps(members).encode()))


def ask_again(order: SalesOrder, newest: KeptCheck | None) -> CheckRequest:
    """Return what was asked last of an order that stands."""
    content = order.content
    is_delivery = (
        newest is not None
        and newest.delivery is not None
        and order.state is OrderState.OPEN
        and newest.answer["point"] == CheckPoint.DELIVERY
    )
    gone = newest if is_delivery else None
    return CheckRequest(
        point=CheckPoint.ORDER if gone is None else CheckPoint.DELIVERY,
        customer_id=content.customer_id,
        number=order.number,
        currency=content.currency,
        amount_minor=content.amount_minor if gone is None else gone.delivered_minor or 0,
        prepaid_minor=content.prepaid_minor if gone is None else 0,
        deliver_on=content.deliver_on if gone is None else None,
        delivery=None if gone is None else gone.delivery,
        source=order.source,
    )


def check_request(request: CheckRequest) -> None:
    """Check that a request makes sense by itself.

    Raises:
        RiskInvalidError: It does not.
    """
    if not CURRENCY_FORM.fullmatch(request.currency):
        raise RiskInvalidError("a currency is a code of three capitals")
    has_delivery = request.delivery is not None
    if has_delivery and request.point is not CheckPoint.DELIVERY:
        raise RiskInvalidError("only a delivery has the number of one")
    if not (0 if has_delivery else 1) <= request.amount_minor <= AMOUNT_MINOR_MAX:
        raise RiskInvalidError(
            "an amount is positive, and at most 10^15 minor units; 0 of a delivery with a number"
            " says that it did not go"
        )
    if not 0 <= request.prepaid_minor <= request.amount_minor:
        raise RiskInvalidError("the prepaid part is a part of the amount")
    _check_names(request)


def _check_names(request: CheckRequest) -> None:
    given = ("number", request.number), ("delivery's number", request.delivery)
    for what, text in given:
        if text is not None and not 0 < len(text) <= REFERENCE_CHARS_MAX:
            raise RiskInvalidError(f"a {what} has 1 to {REFERENCE_CHARS_MAX} characters")
    if not 0 < len(request.source) <= SOURCE_CHARS_MAX:
        raise RiskInvalidError(f"a source has 1 to {SOURCE_CHARS_MAX} characters")
    names = (request.number, request.source, request.copied_from or "", request.delivery or "")
    if not all(one.isprintable() for one in names):  # Databases refuse a part of what is not.
        raise RiskInvalidError("a number or source is of printable characters")
