"""Behaviour on any records: nothing is lost, later events change nothing."""

import dataclasses
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from node.records.rules_behaviour import (
    AppliedPart,
    DisputedPart,
    InvoiceItem,
    build_months,
    find_settled_date,
    index_deci,
    mean_index_deci,
)

FIRST = date(2025, 1, 1)
DAYS = st.integers(0, 500).map(lambda number: FIRST + timedelta(days=number))


@st.composite
def disputes(draw: st.DrawFn, amount_minor: int, issued_on: date) -> DisputedPart:
    opened_on = issued_on + timedelta(days=draw(st.integers(0, 60)))
    days = draw(st.none() | st.integers(0, 90))
    return DisputedPart(
        amount_minor=draw(st.integers(1, amount_minor)),
        opened_on=opened_on,
        closed_on=None if days is None else opened_on + timedelta(days=days),
    )


@st.composite
def items(draw: st.DrawFn) -> InvoiceItem:
    amount = draw(st.integers(1, 10**9))
    issued_on = draw(DAYS)
    due_on = issued_on + timedelta(days=draw(st.integers(-10, 90)))
    left = amount
    paid: list[AppliedPart] = []
    credited: list[AppliedPart] = []
    for day in sorted(draw(st.lists(DAYS, max_size=3, unique=True))):
        if left:
            part = AppliedPart(
                paid_on=max(day, issued_on),
                amount_minor=draw(st.integers(1, left)),
                applied_on=max(day, issued_on) + timedelta(days=draw(st.integers(0, 40))),
            )
            draw(st.sampled_from((paid, paid, credited))).append(part)
            left -= part.amount_minor
            if draw(st.integers(0, 5)) == 0:  # Taken back again: a bill dishonoured.
                paid_back = dataclasses.replace(
                    part,
                    amount_minor=-part.amount_minor,
                    applied_on=part.applied_on + timedelta(days=draw(st.integers(0, 90))),
                )
                (paid if part in paid else credited).append(paid_back)
                left += part.amount_minor
    return InvoiceItem(
        issued_on=issued_on,
        due_on=due_on,
        due_business_on=due_on + timedelta(days=draw(st.integers(0, 8))),
        amount_minor=amount,
        paid=tuple(paid),
        credited=tuple(credited),
        disputes=tuple(draw(st.lists(disputes(amount, issued_on), max_size=1))),
    )


LEDGERS = st.lists(items(), max_size=25)


@given(LEDGERS, DAYS)
def test_later_events_change_nothing_of_an_earlier_date(
    ledger: list[InvoiceItem], as_of: date
) -> None:
    known = [
        InvoiceItem(
            issued_on=item.issued_on,
            due_on=item.due_on,
            due_business_on=item.due_business_on,
            amount_minor=item.amount_minor,
            paid=tuple(part for part in item.paid if part.is_seen(as_of)),
            credited=tuple(part for part in item.credited if part.is_seen(as_of)),
            disputes=tuple(part for part in item.disputes if part.is_open(as_of)),
        )
        for item in ledger
        if item.issued_on <= as_of
    ]

    assert build_months(known, as_of=as_of) == build_months(ledger, as_of=as_of)


@given(LEDGERS, DAYS)
def test_the_order_of_invoices_does_not_matter(ledger: list[InvoiceItem], as_of: date) -> None:
    assert build_months(ledger[::-1], as_of=as_of) == build_months(ledger, as_of=as_of)


@given(LEDGERS, DAYS)
def test_every_rated_invoice_is_in_one_class_and_the_index_within_its_scale(
    ledger: list[InvoiceItem], as_of: date
) -> None:
    months = build_months(ledger, as_of=as_of)

    for month in months:
        assert sum(month.delay_counts) == month.invoice_count
        assert 0 <= month.paid_minor <= month.amount_minor
        assert month.second_minor <= month.largest_minor <= month.amount_minor
    for by_amount in (True, False):
        index = mean_index_deci(months, by_amount=by_amount)
        assert index is None or 10 <= index <= 1000


@given(LEDGERS, st.integers(0, 2000))
def test_settled_months_say_the_same_for_ever(ledger: list[InvoiceItem], days: int) -> None:
    settled_on = find_settled_date(ledger)

    if settled_on is not None and ledger:
        later = settled_on + timedelta(days=days)
        assert build_months(ledger, as_of=later) == build_months(ledger, as_of=settled_on)


@given(st.integers(-400, 400))
def test_paying_later_never_raises_the_index(days: int) -> None:
    assert index_deci(days + 1) <= index_deci(days)
