"""How charges end: by what they are paid, waived, and what is left when records go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from node.records.archiving import CustomerArchivedError
from node.records.ledger import Correction
from node.records.lifecycle import LifecycleService
from node.records.retention_policy import read_retention_policy
from node.records.rules_ledger import ItemKind
from node.risk.dunning.charging import ChargePayment, ChargeService
from node.risk.dunning.errors import (
    ChargeInvalidError,
    ChargeNotFoundError,
    ChargeSettledError,
)
from node.risk.dunning.rules_charges import ItemState
from node.risk.dunning.store import ChargePlace
from tests.support.ledgers import HASHER, OLDEST, TODAY
from tests.support.reminding import Reminding, later

PER_MILLE_A_DAY = 365_000
DUE = date(2026, 3, 2)  # 29 days before


@pytest.fixture
def reminding(tmp_path: Path) -> Iterator[Reminding]:
    found = Reminding(tmp_path)
    yield found
    found.tower.close()


def test_charges_are_as_they_were_on_a_past_day(reminding: Reminding) -> None:
    reminding.charge(ppm=PER_MILLE_A_DAY)
    reminding.house.invoice("A1", (DUE, 100_000))
    reminding.send()
    (charge,) = reminding.list_charges()
    reminding.open_charges(later(2)).waive(charge.charge_id, reason="goodwill", by="chen")

    assert reminding.list_charges(later(9), as_of=TODAY - timedelta(days=1)) == []
    (before,) = reminding.list_charges(later(9), as_of=later(1))
    (after,) = reminding.list_charges(later(9), as_of=later(2))
    assert (before.open_minor, after.open_minor) == (2_900, 0)
    assert reminding.open_charges(later(9)).get_charge(charge.charge_id, as_of=later(1)) != (
        reminding.open_charges(later(9)).get_charge(charge.charge_id)
    )
    reminders = reminding.open_charges(later(9)).list_reminders(
        reminding.house.customer_id, as_of=TODAY - timedelta(days=1)
    )
    assert reminders == []


def test_money_that_paid_a_charge_is_taken_off_no_letter_and_pays_no_second_charge(
    reminding: Reminding,
) -> None:
    reminding.charge(fee_minor=4_000)
    reminding.house.invoice("A1", (DUE, 100_000))
    reminding.send()
    money = reminding.house.credit("P1", 5_000, on=TODAY)
    (fee,) = reminding.list_charges()
    charges = reminding.open_charges(TODAY)

    charges.pay(fee.charge_id, ChargePayment(item_id=money), by="wang")

    second = reminding.send(later(14))
    (total,) = second.content.sums
    assert (total.unapplied_minor, total.charges_minor) == (1_000, 0)
    new = reminding.list_charges(later(14))[0]
    with pytest.raises(ChargeSettledError):
        reminding.open_charges(later(14)).pay(
            new.charge_id, ChargePayment(item_id=money, amount_minor=1_001), by="wang"
        )
    corrected = reminding.house.ledger.correct_item(
        money, Correction(reason="bank", amount_minor=6_000), by="li"
    )
    view = reminding.open_charges(later(14)).pay(
        new.charge_id, ChargePayment(item_id=corrected, amount_minor=2_000), by="wang"
    )
    assert view.charge.open_minor == 2_000


def test_an_item_that_bills_a_charge_settles_it(reminding: Reminding) -> None:
    reminding.charge(fee_minor=4_000)
    reminding.house.invoice("A1", (DUE, 100_000))
    reminding.send()
    (fee,) = reminding.list_charges()
    (bill,) = reminding.house.invoice("F1", (later(30), 4_000), on=later(1))

    view = reminding.open_charges(later(1)).pay(
        fee.charge_id, ChargePayment(item_id=bill), by="wang"
    )

    assert (view.charge.open_minor, view.settlements[0].item_id) == (0, bill)


Act = Callable[[ChargeService, int, dict[str, int]], object]


def pay(charges: ChargeService, charge: int, item: int, **more: object) -> object:
    payment = ChargePayment(item_id=item, **more)  # type: ignore[arg-type]  # of each its own
    return charges.pay(charge, payment, by="wang")


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda one, key, _: one.waive(key, amount_minor=4_001, reason="x", by="a"), "more"),
        (lambda one, key, _: one.waive(key, amount_minor=0, reason="x", by="a"), "wrong"),
        (lambda one, key, item: pay(one, key, item["money"], amount_minor=4_001), "more"),
        (lambda one, key, item: pay(one, key, item["money"], on=later(1)), "wrong"),
        (lambda one, key, item: pay(one, key, item["money"], on=DUE), "wrong"),
        (lambda one, key, item: pay(one, key, item["dear"]), "wrong"),
        (lambda one, key, item: pay(one, key, item["other"]), "wrong"),
        (lambda one, key, item: pay(one, key, item["owed"]), "wrong"),
        (lambda one, key, item: pay(one, key, item["note"]), "wrong"),
        (lambda one, key, item: pay(one, key, item["applied"], amount_minor=1), "more"),
        (lambda one, key, _: pay(one, key, 99), "wrong"),
        (lambda one, _, __: one.waive(99, reason="x", by="a"), "none"),
    ],
    ids=[
        "waived-more", "waived-nothing", "paid-more", "to-come", "before-it", "currency",
        "another's", "owed", "credit-note", "applied", "no-item", "no-charge",
    ],
)  # fmt: skip
def test_a_charge_is_settled_by_what_can_and_never_more_than_is_open(
    reminding: Reminding, act: Act, error: str
) -> None:
    house = reminding.house
    reminding.charge(fee_minor=4_000)
    other = house.add_customer("C2")
    (owed,) = house.invoice("A1", (DUE, 100_000))
    items = {
        "owed": owed,
        "applied": house.credit("P0", 10_000, on=TODAY, allocate=OLDEST),
        "money": house.credit("P1", 9_000, on=TODAY),
        "dear": house.credit("P2", 9_000, on=TODAY, currency="EUR"),
        "other": house.credit("P3", 9_000, on=TODAY, customer_id=other),
        "note": house.credit("N1", 9_000, on=TODAY, kind=ItemKind.CREDIT_NOTE),
    }
    reminding.send()
    (fee,) = reminding.list_charges()
    errors = {"more": ChargeSettledError, "wrong": ChargeInvalidError, "none": ChargeNotFoundError}

    with pytest.raises(errors[error]):
        act(reminding.open_charges(TODAY), fee.charge_id, items)

    assert reminding.list_charges() == [fee]


def test_charges_stay_when_the_records_behind_them_are_gone(reminding: Reminding) -> None:
    reminding.charge(ppm=PER_MILLE_A_DAY)
    reminding.house.invoice("A1", (DUE, 100_000))
    sent = reminding.send()
    reminding.house.credit("P1", 100_000, on=TODAY, allocate=OLDEST)
    day = date(2046, 1, 1)
    life = LifecycleService(
        database=reminding.house.database,
        clock=reminding.house.clock,
        policy=read_retention_policy(),
        hasher=HASHER,
        business_date=day,
    )
    assert life.expire(by="li").items == 2

    (charge,) = reminding.list_charges(day)

    assert (charge.item_state, charge.document_no, charge.open_minor) == (
        ItemState.GONE, "A1", 2_900,
    )  # fmt: skip
    assert not reminding.open_charges(day).read_letter(sent.letter_id).is_resolved
    reminding.open_charges(day).waive(charge.charge_id, reason="long ago", by="chen")
    assert reminding.open_charges(day).read_letter(sent.letter_id).is_resolved


def test_nothing_is_settled_of_a_closed_relation(reminding: Reminding) -> None:
    reminding.charge(fee_minor=4_000)
    reminding.house.invoice("A1", (DUE, 100_000))
    reminding.send()
    (fee,) = reminding.list_charges()
    reminding.house.lifecycle.archive(reminding.house.customer_id, reason="sold", by="li")

    with pytest.raises(CustomerArchivedError):
        reminding.open_charges(TODAY).waive(fee.charge_id, reason="goodwill", by="chen")


def test_open_charges_come_first_page_by_page(reminding: Reminding) -> None:
    reminding.charge(fee_minor=4_000, ppm=PER_MILLE_A_DAY)
    reminding.house.invoice("A1", (DUE, 100_000), (DUE, 50_000))
    reminding.send()
    first, second, third = reminding.list_charges()
    reminding.open_charges(TODAY).waive(first.charge_id, reason="goodwill", by="chen")

    page = reminding.list_charges(limit=2)
    rest = reminding.list_charges(
        limit=2, after=ChargePlace(is_settled=False, charge_id=page[-1].charge_id)
    )

    assert [one.charge_id for one in (*page, *rest)] == [
        second.charge_id, third.charge_id, first.charge_id,
    ]  # fmt: skip
    assert reminding.list_charges(after=ChargePlace(is_settled=True, charge_id=9)) == []


@pytest.mark.parametrize("step", ["append", "take_back"])
def test_a_letter_whose_charges_fail_has_not_moved(
    reminding: Reminding, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    reminding.charge(fee_minor=4_000)
    reminding.house.invoice("A1", (DUE, 100_000))
    if step == "append":
        reminding.run()
    else:
        reminding.send()
    (before,), charges = reminding.list(), reminding.list_charges()

    def fail(*_: object, **__: object) -> None:
        raise LookupError

    monkeypatch.setattr(f"node.risk.dunning.store.ChargeStore.{step}", fail)
    act = reminding.service.release if step == "append" else reminding.service.withdraw
    reason = {} if step == "append" else {"reason": "x"}
    with pytest.raises(LookupError):
        act(before.letter_id, by="wang", **reason)

    assert (reminding.list(), reminding.list_charges()) == ([before], charges)
