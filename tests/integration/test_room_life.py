"""Orders, limits, letters and what risk has found stay as long as records do, and no longer."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Table, delete, func, insert, select

from node.core.people.service import Role
from node.governance.cases.store import KEPT as CASES_KEPT
from node.governance.cases.tables import CASE_TABLES, governance_case
from node.records.due import DueStory
from node.records.exporting import ExportFormat
from node.records.lifecycle import LifecycleService
from node.records.portfolio import PortfolioService
from node.records.retention_policy import read_retention_policy
from node.records.room_life import RoomLife
from node.risk.alerts.rules_alert import AlertState
from node.risk.alerts.tables import risk_alert, risk_alert_event
from node.risk.checks.rules_check import CheckPoint
from node.risk.dunning.tables import dunning_line
from node.risk.keeping.store import EXPORTED, KEPT, list_named
from node.risk.limits.rules_limits import LimitKind
from node.risk.limits.service import NewLimit
from node.risk.orders.rules_order import OrderEvent
from node.risk.orders.service import Taking
from node.risk.rules.judged import Source
from tests.support.ledgers import HASHER, OLDEST, TODAY
from tests.support.reminding import Reminding, later
from tests.support.risk import Watch, build_watch

BEFORE, GONE_ON = date(2031, 3, 30), date(2036, 4, 1)
DELIVERY = CheckPoint.DELIVERY


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    watch = build_watch(tmp_path)
    yield watch
    watch.house.database.dispose()


def live(watch: Watch, day: date) -> LifecycleService:
    database, policy = watch.house.database, read_retention_policy()
    return LifecycleService(
        database=database,
        clock=watch.house.clock,
        policy=policy,
        hasher=HASHER,
        business_date=day,
        evidence=RoomLife(database=database, policy=policy, kinds=(*KEPT, CASES_KEPT)),
        list_named=lambda uow, items, papers: list_named(uow.connection, items, papers),
    )


def count(watch: Watch, *tables: Table) -> list[int]:
    with watch.house.database.read() as uow:
        return [
            uow.connection.execute(select(func.count()).select_from(one)).scalar_one()
            for one in tables
        ]


def fill(watch: Watch) -> None:
    """Enter something of each kind that has ended today, with an order that took an invoice."""
    key, house = watch.house.customer_id, watch.house
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 100_00)["order"]
    watch.ask("S1", 100_00, point=DELIVERY, delivery="D1")
    house.clock.advance_s(1)
    watch.deliver("D1", order_id, 100_00)
    watch.risk.orders.end(order_id, OrderEvent.CLOSED, reason="all of it", by="Sun")
    limits, li = watch.risk.limits, watch.be("Li", Role.CREDIT_MANAGER)
    new = NewLimit(
        kind=LimitKind.TEMPORARY,
        customer_id=key,
        currency="CNY",
        amount_minor=1_00,
        first_on=TODAY,
        last_on=TODAY,
        reason="x",
    )
    limits.approve(limits.request(new, by="Zhang").entry_id, actor=li)
    stop_id = limits.stop(key, reason="x", by="Zhang").stop_id
    limits.end_stop(stop_id, reason="x", actor=li)
    with house.database.write() as uow:
        for cause, source in (("R4", Source.LEDGER), ("peers", Source.PEERS)):
            alert_id = uow.connection.execute(
                insert(risk_alert)
                .values(
                    customer_id=key, cause=cause, rule="R4", source=source.value,
                    state=AlertState.CLOSED.value, is_standing=False, status="watch", level=1,
                    opened_on=TODAY, last_seq=0, said_json="{}", policy="risk-2",
                    policy_sha256_b64u="p" * 43,
                )
                .returning(risk_alert.c.id)
            ).scalar_one()  # fmt: skip
            uow.connection.execute(
                insert(risk_alert_event).values(
                    alert_id=alert_id, seq=0, kind="closed", happened_on=TODAY, status="watch",
                    level=1, outcome="paid", entered_by="Li", entered_at_ms=1,
                )
            )  # fmt: skip


KINDS = {one.name: [table for table, _ in one.rows] for one in (*KEPT, CASES_KEPT)}


def test_what_has_ended_goes_with_the_terms_and_nothing_before(watch: Watch) -> None:
    fill(watch)
    tables = [table for name in ("order", "limit", "stop", "alert") for table in KINDS[name]]
    full = count(watch, *tables)

    live(watch, BEFORE).expire(by="li")
    assert count(watch, *tables) == full
    due = [*live(watch, GONE_ON).iterate_due(as_of=GONE_ON)]
    gone = live(watch, GONE_ON).expire(by="li")

    assert {one.documents[0].split()[0] for one in due} >= {"order", "limit", "stop", "alert"}
    assert {one.documents[0] for one in due} >= {"order S1"}
    assert gone.evidence == len([one for one in due if is_of_room(one)])
    assert count(watch, *tables) == [0] * len(tables)


def is_of_room(story: DueStory) -> bool:
    return story.documents[0].split()[0] in KINDS


def test_a_hold_on_the_customer_keeps_it(watch: Watch) -> None:
    fill(watch)
    life = live(watch, GONE_ON)
    life.hold(watch.house.customer_id, basis="a trial", by="li")
    before = count(watch, *KINDS["order"])

    gone = life.expire(by="li")

    assert (gone.evidence, count(watch, *KINDS["order"])) == (0, before)
    assert gone.held > 0


def test_an_invoice_waits_for_the_order_that_it_was_taken_off(watch: Watch) -> None:
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 100_00)["order"]
    (item,) = watch.house.invoice("R1", (TODAY, 100_00), on=TODAY)
    watch.risk.orders.take(order_id, Taking(amount_minor=100_00, item_id=item), by="erp")
    watch.house.credit("P1", 100_00, on=TODAY, allocate=OLDEST)

    assert live(watch, GONE_ON).expire(by="li").items == 0  # the order is open
    watch.risk.orders.end(order_id, OrderEvent.CLOSED, reason="done", by="Sun")
    gone = live(watch, GONE_ON).expire(by="li")

    assert (gone.items, gone.evidence) == (2, 1)
    assert watch.risk.orders.list_of(watch.house.customer_id) == []


def test_an_order_with_something_on_its_way_stays(watch: Watch) -> None:
    watch.give_limit(100_00)
    order_id = watch.ask("S1", 100_00)["order"]
    watch.ask("S1", 60_00, point=DELIVERY, delivery="D1")
    watch.risk.orders.end(order_id, OrderEvent.CLOSED, reason="done", by="Sun")

    assert live(watch, GONE_ON).expire(by="li").evidence == 0
    assert watch.expose(as_of=TODAY + timedelta(days=1)).ordered_minor == 60_00


def list_ended_letters(reminding: Reminding) -> list[int]:
    (kind,) = (one for one in KEPT if one.name == "letter")
    with reminding.house.database.read() as uow:
        return sorted(row.key for row in uow.connection.execute(kind.ended))


@pytest.fixture
def reminding(tmp_path: Path) -> Iterator[Reminding]:
    found = Reminding(tmp_path)
    yield found
    found.tower.close()


def test_a_letter_stays_while_a_charge_of_it_is_open_or_listed(reminding: Reminding) -> None:
    reminding.charge(fee_minor=500)
    reminding.house.invoice("A1", (TODAY - timedelta(days=40), 40_000))
    first = reminding.send()
    second = reminding.send(later(14))
    with reminding.house.database.write() as uow:  # As if what they asked for had gone.
        uow.connection.execute(dunning_line.update().values(item_id=999))
    charges = reminding.list_charges(later(14))
    assert list_ended_letters(reminding) == []

    for one in charges:
        reminding.open_charges(later(14)).waive(one.charge_id, reason="goodwill", by="chen")

    assert list_ended_letters(reminding) == [second.letter_id]
    (kind,) = (one for one in KEPT if one.name == "letter")
    with reminding.house.database.write() as uow:
        for table, find in kind.rows:
            uow.connection.execute(delete(table).where(find([second.letter_id])))
    assert list_ended_letters(reminding) == [first.letter_id]


def test_each_kind_deletes_all_that_refers_to_it() -> None:
    """What refers to a row of a kind by a constraint is deleted before it, or goes first."""
    order = [table for one in (*KEPT, CASES_KEPT) for table, _ in one.rows]
    for kind in (*KEPT, CASES_KEPT):
        own = [table for table, _ in kind.rows]
        for place, table in enumerate(own):
            referring = {
                one
                for one in table.metadata.tables.values()
                for key in one.foreign_keys
                if key.column.table is table and one is not table
            }
            assert referring <= {*own[:place], *order[: order.index(own[-1])]}, table.name


def test_orders_limits_alerts_and_cases_go_out_but_what_peers_alone_told(
    watch: Watch, tmp_path: Path
) -> None:
    fill(watch)
    with watch.house.database.read() as uow:
        assert uow.connection.execute(select(func.count()).select_from(risk_alert)).scalar() == 2
    exporter = PortfolioService(
        database=watch.house.database,
        clock=watch.house.clock,
        more_tables=(*EXPORTED, *CASE_TABLES),
    )

    manifest = exporter.export(tmp_path / "out", form=ExportFormat.CSV)

    rows = {one.table: one.rows for one in manifest.files}
    assert {*(table.name for some in KINDS.values() for table in some)} <= rows.keys()
    assert (rows["sales_order"], rows["order_check"], rows["limit_entry"]) == (1, 2, 1)
    assert (rows["risk_alert"], rows["risk_alert_event"], rows[governance_case.name]) == (1, 1, 0)
    with (tmp_path / "out" / "risk_alert.csv").open(encoding="utf-8") as file:
        assert [one["cause"] for one in csv.DictReader(file)] == ["R4"]
