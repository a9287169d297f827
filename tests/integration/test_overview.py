"""The overview: a line a customer, brought up by what is entered, listed by the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from node.bootstrap.local import LocalNode
from node.records.customers import CustomerKind, NameKind
from node.records.ledger import NewCredit, NewDebit, Term
from node.records.rules_ledger import AllocationMethod, DisputeCause, DisputeOutcome, ItemKind
from node.records.undertakings.promises import NewPromise
from node.risk.overview import service as overview_service
from node.risk.overview.rules_listing import Moved, Narrowing, Sort
from node.risk.overview.rules_search import split_query
from node.risk.overview.service import Listing
from node.risk.overview.store.listing import Paging, Sights
from tests.support.console_node import BUSINESS_DATE, build_console_node, build_empty_node

ALL = Sights(as_of=BUSINESS_DATE, has_peers=True, has_persons=True)
FEW = replace(ALL, has_persons=False)
SIZE = 7


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNode]:
    node = build_console_node(tmp_path_factory.mktemp("full") / "home")
    node.local.records.import_file(
        b"customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
        b"currency,amount,paid_on,paid_amount,disputed\r\n"
        b"sim,E1,Muster,DE,E1,1,2026-01-05,2026-02-04,EUR,100.00,,,\r\n"
        b"sim,E2,Muster,DE,E2,1,2026-01-05,2026-02-04,EUR,200.00,,,\r\n",
        file_name="x.csv",
    )
    for number in range(3):  # without a sale
        node.local.records.add_customer(scheme="sim", value=f"N{number}", name=f"Neu {number}")
    yield node.local
    node.writer.close()
    node.local.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalNode]:
    node = build_empty_node(tmp_path / "home")
    yield node.local
    node.writer.close()
    node.local.close()


def _list(local: LocalNode, narrowing: Narrowing | None = None, *, sights: Sights = ALL) -> Listing:
    return local.monitoring.overview.list_customers(
        narrowing or Narrowing(), Paging(sort=Sort.PAST_DUE, size=500), sights=sights
    )


def _ids(found: Listing) -> list[int]:
    return [one.customer.customer_id for one in found.lines]


def _find(local: LocalNode, query: str, sights: Sights = ALL) -> list[int]:
    number = int(query) if query.isdigit() else None
    narrowing = Narrowing(words=split_query(query), number=number)
    return sorted(_ids(_list(local, narrowing, sights=sights)))


def _add(local: LocalNode, value: str, name: str) -> int:
    return local.records.add_customer(scheme="sim", value=value, name=name).customer_id


def _invoice(local: LocalNode, customer_id: int, number: str, due_on: date) -> int:
    debit = NewDebit(
        customer_id=customer_id,
        kind=ItemKind.INVOICE,
        document_no=number,
        happened_on=due_on - timedelta(days=30),
        currency="CNY",
        terms=(Term(due_on=due_on, amount_minor=100_00),),
    )
    return local.ledger.enter_debit(debit, by="erp")[0]


def test_every_line_says_what_the_records_say_of_the_customer(full: LocalNode) -> None:
    wanted = {
        row.customer.customer_id: (
            row.currency,
            row.owing_minor,
            row.past_due_minor,
            row.oldest_overdue_days,
            row.index_deci,
            row.late_days_deci,
        )
        for row in full.records.list_portfolio(as_of=BUSINESS_DATE, limit=500)
    }

    found = {
        one.customer.customer_id: (
            one.line.currency,
            one.line.owing_minor,
            one.line.past_due_minor,
            one.line.oldest_overdue_days,
            one.line.index_deci,
            one.line.late_days_deci,
        )
        for one in _list(full).lines
    }

    assert {key: line for key, line in found.items() if line[0]} == wanted
    assert len(found) == full.records.count_customers()


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("sights", [ALL, replace(ALL, has_peers=False)], ids=["peers", "own"])
def test_pages_forward_and_back_are_the_whole_list_once(
    full: LocalNode, sort: Sort, sights: Sights
) -> None:
    def read(**cursor: str) -> Listing:
        return full.monitoring.overview.list_customers(
            Narrowing(), Paging(sort=sort, size=SIZE, **cursor), sights=sights
        )

    whole = _ids(
        full.monitoring.overview.list_customers(
            Narrowing(), Paging(sort=sort, size=500), sights=sights
        )
    )
    forward, page = [], read()
    assert page.cut.before == ""
    while True:
        forward.append(_ids(page))
        if not page.cut.after:
            break
        page = read(after=page.cut.after)
    back = [forward[-1]]
    while page.cut.before:
        page = read(before=page.cut.before)
        back.append(_ids(page))

    assert [key for ids in forward for key in ids] == whole
    assert len(set(whole)) == len(whole) == full.records.count_customers()
    assert sorted(key for ids in back for key in ids) == sorted(whole)
    assert len(back) == -(-len(whole) // SIZE)


def test_totals_are_those_of_the_records(full: LocalNode) -> None:
    totals = _list(full).totals
    ageings = {one.currency: one for one in full.portfolio.ageing(as_of=BUSINESS_DATE)}

    assert {one.currency: one.buckets for one in totals.ageings} == {
        currency: tuple(one.buckets.values()) for currency, one in ageings.items()
    }
    assert {one.currency: one.balance_minor for one in totals.ageings} == {
        currency: one.balance_minor for currency, one in ageings.items()
    }
    for grade in {one.grade for one in totals.grades if one.grade}:
        counted = sum(one.customers for one in totals.grades if one.grade == grade)
        assert len(_ids(_list(full, Narrowing(grade=grade)))) == counted
    unrated = sum(one.customers for one in totals.grades if not one.grade)
    assert len(_ids(_list(full, Narrowing(is_unrated=True)))) == unrated > 0


def test_what_is_entered_is_in_the_next_look(local: LocalNode) -> None:
    key, other = _add(local, "C1", "Hongda"), _add(local, "C2", "Huatai")
    assert _list(local).totals.sums == ()
    item = _invoice(local, key, "R1", date(2026, 1, 31))

    def overdue() -> list[int]:
        return _ids(_list(local, Narrowing(is_late=True)))

    assert overdue() == [key]
    dispute = local.ledger.open_dispute(
        item, amount_minor=100_00, cause=DisputeCause.PRICE, on=date(2026, 2, 1), by="li"
    )
    assert overdue() == []
    local.ledger.close_dispute(
        dispute, outcome=DisputeOutcome.REJECTED, reason="no", on=date(2026, 3, 1), by="li"
    )
    assert overdue() == [key]
    local.customers.merge(key, into_id=other, reason="one", by="li")
    assert overdue() == [other]
    assert _ids(_list(local)) == [other]
    local.customers.unmerge(key, reason="not one", by="li")
    assert overdue() == [key]
    local.rating.rate_customer(key, as_of=BUSINESS_DATE)
    assert _ids(_list(local, Narrowing(is_unrated=True))) == [other]
    payment = NewCredit(
        customer_id=key,
        kind=ItemKind.PAYMENT,
        document_no="P1",
        happened_on=date(2026, 6, 1),
        currency="CNY",
        amount_minor=100_00,
    )
    local.ledger.enter_credit(payment, by="li", allocate=AllocationMethod.OLDEST_FIRST)
    assert overdue() == []


def test_customers_are_found_in_both_scripts_and_by_any_number(local: LocalNode) -> None:
    hongda = _add(local, "C1", "宏达机械有限公司")
    grosse = _add(local, "C2", "Große Straße 100% Ltd")
    merged = _add(local, "C3", "Huatai Trade")
    local.customers.add_name(hongda, kind=NameKind.FOREIGN, name="Hongda Machinery", by="li")
    local.customers.add_identifier(hongda, scheme="erp", value="K-77", by="li")
    local.customers.merge(merged, into_id=grosse, reason="one", by="li")

    assert _find(local, "达机") == [hongda]
    assert _find(local, "\uff28\uff2f\uff2e\uff27\uff24\uff21 machinery") == [hongda]
    assert _find(local, "machinery hongda") == [hongda]
    assert _find(local, "erp:k-77") == [hongda]
    assert _find(local, "GROSSE") == [grosse]
    assert _find(local, "huatai") == [grosse]
    assert _find(local, "100%") == [grosse]
    assert _find(local, "1_0") == []
    assert _find(local, str(grosse)) == [grosse]
    assert _find(local, "nobody") == []


def test_a_person_is_found_but_lies_encrypted_and_is_hidden_from_who_may_not_see(
    local: LocalNode,
) -> None:
    person, company = _add(local, "C1", "王小明"), _add(local, "C2", "王府井百货")
    _invoice(local, person, "R1", date(2026, 1, 31))
    assert _find(local, "王") == sorted((person, company))
    with local.database.read() as uow:
        sealed = text("SELECT search_text FROM overview_line WHERE customer_id = :key")
        before = uow.connection.execute(sealed, {"key": person}).scalar_one()

    local.customers.set_kind(person, kind=CustomerKind.PERSON, reason="told", by="li")

    with local.database.read() as uow:
        after = uow.connection.execute(sealed, {"key": person}).scalar_one()
    assert "王小明" in before
    assert "王" not in after
    assert _find(local, "王") == sorted((person, company))
    assert _find(local, "王", FEW) == _find(local, str(company), FEW) == [company]
    assert _find(local, str(person), FEW) == []
    seen, hidden = _list(local), _list(local, sights=FEW)
    assert (seen.totals.customers, seen.totals.hidden) == (2, 0)
    assert (hidden.totals.customers, hidden.totals.hidden) == (1, 1)
    assert not hidden.totals.sums
    assert not hidden.totals.ageings
    by_name = local.monitoring.overview.list_customers(
        Narrowing(), Paging(sort=Sort.NAME, size=1), sights=ALL
    )
    assert _ids(by_name) == [company]  # persons stand last, whatever their names


def test_names_are_in_the_order_of_pinyin_after_latin_ones(local: LocalNode) -> None:
    names = ("中国", "北京", "Zeta", "安徽", "alpha")
    keys = {name: _add(local, f"C{number}", name) for number, name in enumerate(names)}

    found = local.monitoring.overview.list_customers(
        Narrowing(), Paging(sort=Sort.NAME, size=9), sights=ALL
    )

    assert _ids(found) == [keys[name] for name in ("alpha", "Zeta", "安徽", "北京", "中国")]


def test_a_page_says_as_of_when_it_is_where_much_is_behind(
    local: LocalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(local, "C1", "Hongda")
    monkeypatch.setattr(overview_service, "INLINE_CUSTOMERS_MAX", 0)
    new = _list(local)
    assert (new.freshness, new.lines) == (None, ())

    assert local.monitoring.overview.bring_up()
    now = _list(local)
    _add(local, "C2", "Huatai")
    behind = _list(local)

    assert now.freshness is not None
    assert not now.freshness.is_behind
    assert behind.freshness is not None
    assert behind.freshness.is_behind
    assert _ids(behind) == _ids(now)


def test_a_bringing_up_that_is_stopped_begins_again(local: LocalNode) -> None:
    _add(local, "C1", "Hongda")

    assert not local.monitoring.overview.bring_up(should_stop=lambda: True)
    assert local.monitoring.overview.look(sights=ALL, since=BUSINESS_DATE).totals.customers == 1


def test_each_change_counts_as_many_customers_as_its_list_has(local: LocalNode) -> None:
    key = _add(local, "C1", "Hongda")
    local.rating.rate_customer(key, as_of=date(2026, 6, 20))  # of nothing
    item = _invoice(local, key, "R1", date(2026, 4, 30))
    local.rating.rate_customer(key, as_of=date(2026, 6, 25))
    local.promises.enter(
        NewPromise(
            customer_id=key,
            item_ids=(item,),
            amount_minor=100_00,
            promised_on=date(2026, 6, 1),
            due_on=date(2026, 6, 25),
        ),
        by="li",
    )
    local.monitoring.runs.run(by="li")
    since = date(2026, 6, 20)

    glance = local.monitoring.overview.look(sights=ALL, since=since)

    for moved, count in glance.moved.items():
        assert len(_ids(_list(local, Narrowing(moved=moved, since=since)))) == count, moved
    assert glance.moved[Moved.PROMISE] == 1
    assert glance.moved[Moved.ALERT] == 1
    assert glance.moved[Moved.STATUS] == 1
    assert glance.moved[Moved.GRADE] == 1
    later = local.monitoring.overview.look(sights=ALL, since=date(2026, 6, 26))
    assert (later.moved[Moved.PROMISE], later.moved[Moved.GRADE]) == (0, 0)
