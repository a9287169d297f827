"""Ageing and behaviour on any records: nothing is lost, later events change nothing."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from node.records.rules_ageing import AgeingBase, build_ageing, list_open_items, split_instalments
from node.records.rules_behaviour import (
    InvoiceItem,
    PaidPart,
    build_months,
    find_settled_date,
    index_deci,
    mean_index_deci,
)

FIRST = date(2025, 1, 1)
DAYS = st.integers(0, 500).map(lambda number: FIRST + timedelta(days=number))


@st.composite
def items(draw: st.DrawFn) -> InvoiceItem:
    amount = draw(st.integers(1, 10**9))
    issued_on = draw(DAYS)
    due_on = issued_on + timedelta(days=draw(st.integers(-10, 90)))
    left, paid = amount, []
    for day in sorted(draw(st.lists(DAYS, max_size=3, unique=True))):
        if left:
            part = draw(st.integers(1, left))
            paid.append(PaidPart(paid_on=max(day, issued_on), amount_minor=part))
            left -= part
    return InvoiceItem(
        issued_on=issued_on,
        due_on=due_on,
        due_business_on=due_on + timedelta(days=draw(st.integers(0, 8))),
        amount_minor=amount,
        disputed_minor=amount if draw(st.integers(0, 9)) == 0 else 0,
        paid=tuple(paid),
    )


LEDGERS = st.lists(items(), max_size=25)


@given(LEDGERS, DAYS, st.sampled_from(AgeingBase))
def test_not_due_and_buckets_are_the_ledger_balance_on_any_date(
    ledger: list[InvoiceItem], as_of: date, base: AgeingBase
) -> None:
    issued = sum(item.amount_minor for item in ledger if item.issued_on <= as_of)
    received = sum(
        part.amount_minor for item in ledger for part in item.paid if part.paid_on <= as_of
    )

    ageing = build_ageing(
        list_open_items(ledger, as_of=as_of, base=base),
        currency="CNY",
        as_of=as_of,
        unapplied_minor=0,
        ledger_balance_minor=issued - received,
    )

    assert ageing.balance_minor == issued - received
    assert 0 <= ageing.disputed_minor <= sum(ageing.buckets.values())


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
            disputed_minor=item.disputed_minor,
            paid=tuple(part for part in item.paid if part.paid_on <= as_of),
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


@given(st.lists(st.tuples(DAYS, st.integers(1, 1000)), min_size=1, max_size=6), st.data())
def test_instalments_keep_what_is_owed(terms: list[tuple[date, int]], data: st.DataObject) -> None:
    total = sum(minor for _, minor in terms)
    paid = data.draw(st.integers(0, total))

    assert (
        sum(item.open_minor for item in split_instalments(terms, paid_minor=paid)) == total - paid
    )
