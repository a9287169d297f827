"""Provisions from the ledger: pool and customers apart, runs that stay, the movement by command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.assessment.policy_file import Language
from node.core.database import UnitOfWork
from node.records.customers import CustomerService
from node.records.ledger import NewDebit, Term
from node.records.portfolio import PortfolioService
from node.records.rules_conversion import RateMissingError
from node.records.rules_default import DecisionOutcome, EvidenceClass
from node.records.rules_ledger import ItemKind
from node.records.undertakings import DefaultService
from node.risk.losses.view_provision import build_movement_object, format_movement_csv
from node.risk.provisions.policy import ProvisionPolicy, parse_provision_policy
from node.risk.provisions.policy_kind import build_provision_kind
from node.risk.provisions.rules_provision import FlowNotComputableError
from node.risk.provisions.service import (
    AlreadyApartError,
    ProvisionInvalidError,
    ProvisionNotFoundError,
    ProvisionService,
)
from tests.support.ledgers import OLDEST, TODAY, House

SHIPPED = json.loads(build_provision_kind().presets[0])
FEBRUARY, MARCH = date(2026, 2, 28), date(2026, 3, 31)


class FixedPolicy:
    """The one policy of a test, whatever is asked."""

    def __init__(self, **changed: object) -> None:
        self.policy = parse_provision_policy(json.dumps({**SHIPPED, **changed}).encode())

    def read_active(self, uow: UnitOfWork) -> ProvisionPolicy:
        assert uow.connection is not None
        return self.policy

    def get_active(self) -> ProvisionPolicy:
        return self.policy

    def find(self, sha256_b64u: str) -> ProvisionPolicy | None:
        return self.policy if sha256_b64u == self.policy.sha256_b64u else None


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


def provide(house: House, **changed: object) -> ProvisionService:
    return ProvisionService(
        database=house.database,
        clock=house.clock,
        policies=FixedPolicy(**changed),
        business_date=TODAY,
    )


def fill(house: House) -> int:
    """Open by 31 March: 1,000 not due, 2,000 to 30 days, 5,000 over 90; return the last's key."""
    house.invoice("A1", (date(2026, 3, 31), 100_000))
    house.invoice("A2", (date(2026, 3, 1), 200_000))
    return house.invoice("A3", (date(2025, 12, 30), 500_000), on=date(2025, 12, 1))[0]


def test_each_bucket_is_provided_for_by_its_rate(house: House) -> None:
    fill(house)

    (run,) = provide(house).run(by="zhang")

    assert [one.balance_minor for one in run.content.lines] == [100_000, 200_000, 0, 0, 500_000]
    assert [one.allowance_minor for one in run.content.lines] == [300, 3_200, 0, 0, 53_000]
    assert run.content.allowance_minor == 56_500


def test_a_run_stays_and_a_second_one_with_nothing_new_is_the_first(house: House) -> None:
    fill(house)
    service = provide(house)
    (first,) = service.run(by="zhang")
    house.clock.advance_s(1)
    (again,) = service.run(by="li")
    house.clock.advance_s(1)
    house.invoice("A4", (date(2026, 3, 31), 1_000))
    (later,) = service.run(by="li")

    assert again == first
    assert later.run_id != first.run_id
    assert service.get_run(first.run_id) == first
    assert [one.run_id for one in service.list_runs()] == [later.run_id, first.run_id]


def test_insolvency_takes_a_customer_out_of_the_pool_once_it_is_confirmed(house: House) -> None:
    fill(house)
    other = house.add_customer("C2")
    house.invoice("B1", (date(2026, 3, 31), 70_000), customer_id=other)
    defaults = DefaultService(database=house.database, clock=house.clock, business_date=TODAY)
    proposed = defaults.propose(
        other,
        evidence_class=EvidenceClass.INSOLVENCY,
        on=date(2026, 3, 20),
        document_sha256_hex="ab" * 32,
        by="zhang",
    )
    service = provide(house)
    (before,) = service.run(by="zhang")
    house.clock.advance_s(1)
    defaults.decide(proposed, outcome=DecisionOutcome.CONFIRMED, reason="seen", by="li")
    house.clock.advance_s(1)
    (after,) = service.run(by="zhang")

    assert before.content.lines[0].balance_minor == 170_000
    assert after.content.lines[0].balance_minor == 100_000
    assert (after.content.lines[-1].customer_id, after.content.lines[-1].allowance_minor) == (
        other,
        70_000,
    )


def test_a_person_takes_a_customer_apart_and_puts_it_back(house: House) -> None:
    fill(house)
    service = provide(house)
    entry = service.set_apart(
        house.customer_id, rate_ppm=400_000, reason="plant closed", by="zhang", from_on=MARCH
    )
    with pytest.raises(AlreadyApartError):
        service.set_apart(house.customer_id, rate_ppm=1, reason="again", by="zhang")
    (run,) = service.run(by="zhang")
    service.end_apart(entry, reason="plant opened", by="li")
    (back,) = service.run(by="zhang")

    assert run.content.lines[-1].allowance_minor == 320_000
    assert back.content.lines[-1].customer_id is None
    with pytest.raises(ProvisionNotFoundError):
        service.end_apart(entry, reason="again", by="li")


def test_who_is_apart_stays_so_under_the_key_of_whom_it_turned_out_to_be(house: House) -> None:
    other = house.add_customer("C2")
    house.invoice("B1", (date(2026, 3, 31), 70_000), customer_id=other)
    service = provide(house)
    service.set_apart(other, rate_ppm=500_000, reason="plant closed", by="zhang")
    house.clock.advance_s(1)
    CustomerService(database=house.database, clock=house.clock, business_date=TODAY).merge(
        other, into_id=house.customer_id, reason="one", by="zhang"
    )
    house.clock.advance_s(1)

    (run,) = service.run(by="zhang")

    last = run.content.lines[-1]
    assert (last.customer_id, last.allowance_minor) == (house.customer_id, 35_000)


def test_the_movement_says_what_write_offs_have_used(house: House) -> None:
    old = fill(house)
    service = provide(house)
    (opening,) = service.run(by="zhang", as_of=FEBRUARY)
    house.clock.advance_s(1)
    house.ledger.write_off((old,), reference="W1", on=date(2026, 3, 15), by="wang")
    house.clock.advance_s(1)
    (closing,) = service.run(by="zhang")

    report = service.report_movement(closing.run_id)

    assert report.opening == opening
    moved = report.movement
    assert moved.opening_minor == opening.content.allowance_minor == 900 + 18_000
    assert (moved.used_minor, moved.unprovided_minor) == (18_900, 500_000 - 18_900)
    assert (moved.added_minor, moved.closing_minor) == (3_500, 3_500)
    lines = format_movement_csv(report).splitlines()
    assert lines[4] == "used,CNY,-189.00,1,2,2026-02-28,2026-03-31"
    shown = build_movement_object(report, language=Language.ZH)
    assert [one["text"] for one in shown["lines"]][3] == "核销使用"


def test_rates_of_own_flow_come_from_what_became_of_the_invoices(house: House) -> None:
    # Of 1,000 due 600 were paid at once, 300 within 60 days, 100 never: half of it was written off.
    day = date(2025, 10, 1)
    keys = [house.invoice(f"F{n}", (day, 10_000), on=day)[0] for n in range(10)]
    house.credit("P1", 60_000, on=day, allocate=OLDEST)
    house.credit("P2", 30_000, on=date(2025, 11, 15), allocate=OLDEST)
    house.ledger.write_off(keys[9:], reference="W1", on=date(2026, 2, 1), by="wang")
    house.invoice("N1", (date(2026, 4, 30), 100_000), on=MARCH)

    (run,) = provide(house, method="flow", flow_invoices_min=10).run(by="zhang")

    rates = [(one.rate.numerator, one.rate.denominator) for one in run.content.lines]
    assert rates == [
        (10_000, 100_000),
        (10_000, 40_000),
        (10_000, 40_000),
        (10_000, 10_000),
        (10_000, 10_000),
    ]
    assert run.content.allowance_minor == 10_000
    with pytest.raises(FlowNotComputableError, match="11 are needed"):
        provide(house, method="flow", flow_invoices_min=11).run(by="zhang")


def test_currencies_stand_apart_and_a_movement_is_told_in_another_by_dated_rates(
    house: House,
) -> None:
    house.ledger.enter_debit(
        NewDebit(
            customer_id=house.customer_id,
            kind=ItemKind.INVOICE,
            document_no="E1",
            happened_on=date(2026, 1, 1),
            currency="EUR",
            terms=(Term(due_on=date(2026, 5, 1), amount_minor=1_000_000),),
        ),
        by="zhang",
    )
    fill(house)
    service = provide(house)
    service.run(by="zhang", as_of=FEBRUARY)
    cny, eur = service.run(by="zhang")
    portfolio = PortfolioService(database=house.database, clock=house.clock)
    with pytest.raises(RateMissingError):
        service.report_movement(eur.run_id, currency="CNY")
    for rate, on in (("7", FEBRUARY), ("8", MARCH)):
        portfolio.add_rate(base="EUR", quote="CNY", rate=rate, on=on, source="bank", by="zhang")

    moved = service.report_movement(eur.run_id, currency="CNY").movement

    assert (cny.content.currency, eur.content.allowance_minor) == ("CNY", 3_000)
    assert (moved.opening_minor, moved.currency_effect_minor, moved.closing_minor) == (
        21_000,
        3_000,
        24_000,
    )
    with pytest.raises(ProvisionInvalidError, match="two currencies"):
        service.report_movement(eur.run_id, opening_id=cny.run_id)


def test_what_is_wrong_is_refused(house: House) -> None:
    service = provide(house)
    with pytest.raises(ProvisionInvalidError, match="to come"):
        service.run(by="zhang", as_of=date(2026, 4, 1))
    with pytest.raises(ProvisionInvalidError):
        service.set_apart(house.customer_id, rate_ppm=1_000_001, reason="x", by="zhang")
    with pytest.raises(ProvisionInvalidError):
        service.set_apart(house.customer_id, rate_ppm=1, reason=" ", by="zhang")
    with pytest.raises(ProvisionNotFoundError):
        service.get_run(99)
