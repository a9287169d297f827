"""What letters charge: made when they go, taken back with them, paid or waived, never forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from node.records.ledger import Correction
from node.records.rules_ledger import DisputeCause, DisputeOutcome, ItemKind
from node.risk.dunning.charging import ChargePayment
from node.risk.dunning.errors import (
    LetterOutdatedError,
)
from node.risk.dunning.rules_charges import ItemState, ReminderState
from node.risk.dunning.rules_dunning import LineReason
from node.risk.dunning.rules_letter import LetterState
from tests.support.ledgers import OLDEST, TODAY
from tests.support.reminding import Reminding, later

PER_MILLE_A_DAY = 365_000
DUE = date(2026, 3, 2)  # 29 days before


@pytest.fixture
def reminding(tmp_path: Path) -> Iterator[Reminding]:
    found = Reminding(tmp_path)
    yield found
    found.tower.close()


def list_states(reminding: Reminding, day: date) -> list[ReminderState]:
    charges = reminding.open_charges(day)
    return [one.state for one in charges.list_reminders(reminding.house.customer_id)]


@pytest.mark.parametrize(
    ("paid_on", "interest_minor"),
    [
        (DUE - timedelta(days=1), 60 * 29),
        (DUE, 60 * 29),  # what came on the due day bore none
        (DUE + timedelta(days=1), 100 + 60 * 28),
        (TODAY - timedelta(days=1), 100 * 28 + 60),
        (TODAY, 100 * 29),  # today's payment ends it from today on
    ],
)
def test_a_part_payment_ends_interest_on_its_part_from_its_day_on(
    reminding: Reminding, paid_on: date, interest_minor: int
) -> None:
    """Interest is not from the last payment, and not of today's rest times all days."""
    reminding.charge(ppm=PER_MILLE_A_DAY)
    reminding.house.invoice("A1", (DUE, 100_000))
    reminding.house.credit("P1", 40_000, on=paid_on, allocate=OLDEST)

    sent = reminding.send()

    assert sent.content.sums[0].interest_minor == interest_minor
    (charge,) = reminding.list_charges()
    assert (charge.amount_minor, charge.from_on, charge.until_on, charge.charged_on) == (
        interest_minor, DUE, TODAY, TODAY,
    )  # fmt: skip


def test_a_reminder_is_not_resolved_while_interest_is_open(reminding: Reminding) -> None:
    reminding.charge(ppm=PER_MILLE_A_DAY)
    reminding.house.invoice("A1", (DUE, 100_000))
    sent = reminding.send()
    charges = reminding.open_charges(TODAY)
    (charge,) = reminding.list_charges()
    assert list_states(reminding, TODAY) == [ReminderState.OPEN]

    reminding.house.credit("P1", 100_000, on=TODAY, allocate=OLDEST)

    assert list_states(reminding, TODAY) == [ReminderState.CHARGES_OPEN]
    assert not charges.read_letter(sent.letter_id).is_resolved
    charges.waive(charge.charge_id, amount_minor=2_000, reason="goodwill", by="chen")
    assert list_states(reminding, TODAY) == [ReminderState.CHARGES_OPEN]
    charges.waive(charge.charge_id, reason="goodwill", by="chen")
    assert list_states(reminding, TODAY) == [ReminderState.RESOLVED]
    assert charges.read_letter(sent.letter_id).is_resolved


def test_a_fee_that_is_open_keeps_the_letter_from_being_resolved(reminding: Reminding) -> None:
    reminding.charge(fee_minor=4_000)
    reminding.house.invoice("A1", (DUE, 100_000))
    sent = reminding.send()
    reminding.house.credit("P1", 100_000, on=TODAY, allocate=OLDEST)

    assert not reminding.open_charges(TODAY).read_letter(sent.letter_id).is_resolved


def test_successive_letters_charge_what_they_add_and_list_what_is_open(
    reminding: Reminding,
) -> None:
    reminding.charge(ppm=PER_MILLE_A_DAY, fee_minor=4_000)
    reminding.house.invoice("A1", (DUE, 100_000))
    first = reminding.send()
    reminding.house.credit("P1", 40_000, on=later(4), allocate=OLDEST)

    second = reminding.send(later(14))

    assert first.content.sums[0].total_minor == 100_000 + 2_900 + 4_000
    (line,) = second.content.lines
    assert (line.charged_minor, line.interest_minor) == (2_900, 100 * 4 + 60 * 10)
    assert (line.interest_from_on, second.content.as_of) == (TODAY, later(14))
    (total,) = second.content.sums
    assert (total.charges_minor, total.total_minor) == (6_900, 60_000 + 1_000 + 4_000 + 6_900)
    listed = [(one.kind.value, one.open_minor) for one in second.content.charges]
    assert listed == [("fee", 4_000), ("interest", 2_900)]
    assert [one.amount_minor for one in reminding.list_charges(later(14))] == [
        4_000, 2_900, 4_000, 1_000,
    ]  # fmt: skip
    kept = reminding.service.get_letter(second.letter_id).letter.content
    assert (kept.sums, kept.lines) == (second.content.sums, second.content.lines)


def test_interest_rests_in_a_dispute_and_what_was_before_it_stays(reminding: Reminding) -> None:
    reminding.charge(ppm=PER_MILLE_A_DAY)
    (item,) = reminding.house.invoice("A1", (DUE, 100_000))
    ledger = reminding.house.ledger
    dispute = ledger.open_dispute(
        item, amount_minor=1_000, cause=DisputeCause.QUALITY, on=DUE + timedelta(days=9), by="li"
    )
    ledger.close_dispute(
        dispute,
        outcome=DisputeOutcome.REJECTED,
        reason="fine",
        on=DUE + timedelta(days=19),
        by="li",
    )

    assert reminding.send().content.sums[0].interest_minor == 100 * (9 + 10)


def test_a_policy_that_asks_for_the_undisputed_part_charges_it(reminding: Reminding) -> None:
    reminding.charge(ppm=PER_MILLE_A_DAY, asks_undisputed_part=True)
    (item,) = reminding.house.invoice("A1", (DUE, 100_000))
    reminding.house.ledger.open_dispute(
        item, amount_minor=30_000, cause=DisputeCause.PRICE, on=DUE + timedelta(days=9), by="li"
    )

    assert reminding.send().content.sums[0].interest_minor == 100 * 9 + 70 * 20


def test_a_credit_note_ends_interest_on_its_part_from_the_day_it_was_applied(
    reminding: Reminding,
) -> None:
    reminding.charge(ppm=PER_MILLE_A_DAY)
    reminding.house.invoice("A1", (DUE, 100_000))
    reminding.house.credit(
        "N1", 50_000, on=DUE + timedelta(days=9), kind=ItemKind.CREDIT_NOTE, allocate=OLDEST
    )

    assert reminding.send().content.sums[0].interest_minor == 100 * 9 + 50 * 20


def test_a_correction_counts_from_the_due_day_and_what_was_charged_too_much_is_made_up(
    reminding: Reminding,
) -> None:
    reminding.charge(ppm=PER_MILLE_A_DAY)
    (item,) = reminding.house.invoice("A1", (DUE, 100_000))
    reminding.send()
    reminding.house.ledger.correct_item(
        item, Correction(reason="price", amount_minor=80_000), by="li"
    )

    (line,) = reminding.send(later(14)).content.lines

    assert (line.charged_minor, line.interest_minor) == (2_900, 80 * 43 - 2_900)


def test_interest_of_a_cancelled_item_is_not_asked_for_and_waits_for_a_word(
    reminding: Reminding,
) -> None:
    reminding.charge(ppm=PER_MILLE_A_DAY)
    (item,) = reminding.house.invoice("A1", (DUE, 100_000))
    reminding.house.invoice("A2", (DUE, 50_000))
    reminding.send()
    reminding.house.ledger.cancel_item(item, reason="twice", by="li")

    second = reminding.send(later(14))

    assert [one.document_no for one in second.content.charges] == ["A2"]
    states = {one.document_no: one.item_state for one in reminding.list_charges(later(14))}
    assert states == {"A1": ItemState.CANCELLED, "A2": ItemState.OPEN}


def test_a_withdrawn_letter_takes_its_charges_back_and_the_next_one_charges_anew(
    reminding: Reminding,
) -> None:
    reminding.charge(ppm=PER_MILLE_A_DAY, fee_minor=4_000)
    reminding.house.invoice("A1", (DUE, 100_000))
    sent = reminding.send()
    money = reminding.house.credit("P1", 900, on=TODAY)
    fee, interest = reminding.list_charges()
    payment = ChargePayment(item_id=money, amount_minor=900)
    reminding.open_charges(TODAY).pay(interest.charge_id, payment, by="wang")
    service = reminding.service = reminding.open(later(2))

    service.withdraw(sent.letter_id, reason="wrong address", by="wang")

    charges = reminding.open_charges(later(2))
    assert [one.open_minor for one in reminding.list_charges(later(2))] == [0, 0]
    kinds = {
        one.charge_id: [
            (row.kind.value, row.amount_minor, row.settled_on)
            for row in charges.get_charge(one.charge_id).settlements
        ]
        for one in (fee, interest)
    }
    assert kinds[fee.charge_id] == [("withdrawn", 4_000, later(2))]
    assert kinds[interest.charge_id] == [("paid", 900, TODAY), ("withdrawn", 2_000, later(2))]
    again = reminding.send(later(3))
    (line,) = again.content.lines
    assert (line.charged_minor, line.interest_minor) == (900, 100 * 32 - 900)
    assert again.content.charges == ()


def test_a_letter_is_outdated_once_a_charge_that_it_lists_is_paid(reminding: Reminding) -> None:
    reminding.charge(fee_minor=4_000)
    reminding.house.invoice("A1", (DUE, 100_000))
    reminding.send()
    (fee,) = reminding.list_charges()
    reminding.run(later(14))
    (letter,) = reminding.list(frozenset({LetterState.PROPOSED}))
    reminding.open_charges(later(14)).waive(fee.charge_id, reason="goodwill", by="chen")

    with pytest.raises(LetterOutdatedError):
        reminding.service.release(letter.letter_id, by="wang")

    assert reminding.send(later(14)).content.sums[0].charges_minor == 0


def test_a_letter_that_waits_keeps_its_interest_and_goes_with_it_on_a_later_day(
    reminding: Reminding,
) -> None:
    reminding.charge(ppm=PER_MILLE_A_DAY)
    reminding.house.invoice("A1", (DUE, 100_000))
    reminding.run()

    assert reminding.run(later(3)).proposed == 0
    (letter,) = reminding.list()
    reminding.service.release(letter.letter_id, by="wang")

    (charge,) = reminding.list_charges(later(3))
    assert (charge.amount_minor, charge.until_on, charge.charged_on) == (2_900, TODAY, later(3))


def test_a_letter_whose_days_were_paid_back_then_is_outdated(reminding: Reminding) -> None:
    """What is open today is the same; what was open since is not."""
    reminding.charge(ppm=PER_MILLE_A_DAY)
    reminding.house.invoice("A1", (DUE, 100_000))
    late = reminding.house.credit("P1", 40_000, on=TODAY, allocate=OLDEST)
    reminding.run()
    (letter,) = reminding.list()
    reminding.house.ledger.cancel_item(late, reason="the bank had it before", by="li")
    reminding.house.credit("P2", 40_000, on=DUE, allocate=OLDEST)

    with pytest.raises(LetterOutdatedError):
        reminding.service.release(letter.letter_id, by="wang")


def test_a_letter_is_due_for_charges_alone_where_the_policy_says_so(
    reminding: Reminding,
) -> None:
    reminding.charge(fee_minor=40_000)
    reminding.house.invoice("A1", (DUE, 100_000))
    reminding.send()
    reminding.house.credit("P1", 100_000, on=TODAY, allocate=OLDEST)
    assert reminding.run(later(14)).proposed == 0

    reminding.charge(fee_minor=40_000, asks_charges_alone=True)
    assert reminding.run(later(14)).proposed == 1
    (letter,) = reminding.list(frozenset({LetterState.PROPOSED}))
    sent = reminding.service.release(letter.letter_id, by="wang")

    assert (sent.content.lines, sent.content.level) == ((), 1)
    (total,) = sent.content.sums
    assert (total.asked_minor, total.fee_minor, total.total_minor) == (0, 0, 40_000)
    assert len(reminding.list_charges(later(14))) == 1
    assert reminding.run(later(27)).proposed == 0
    assert reminding.run(later(28)).proposed == 1


def test_charges_of_what_is_paid_stand_in_the_next_letter_and_of_what_rests_do_not(
    reminding: Reminding,
) -> None:
    reminding.charge(ppm=PER_MILLE_A_DAY)
    house = reminding.house
    items = [house.invoice(name, (DUE, 50_000))[0] for name in ("A1", "A2", "A3")]
    reminding.send()
    house.credit("P1", 50_000, on=TODAY, allocate=OLDEST)
    house.ledger.open_dispute(
        items[1], amount_minor=50_000, cause=DisputeCause.QUALITY, on=TODAY, by="li"
    )

    second = reminding.send(later(14)).content

    assert [one.reason for one in second.lines] == [LineReason.ROSE, LineReason.DISPUTED]
    assert [one.document_no for one in second.charges] == ["A1", "A3"]


def test_charges_follow_a_merge_and_are_not_charged_twice(reminding: Reminding) -> None:
    reminding.charge(ppm=PER_MILLE_A_DAY)
    house = reminding.house
    other = house.add_customer("C2")
    house.invoice("A1", (DUE, 100_000))
    reminding.send()

    house.customers.merge(house.customer_id, into_id=other, reason="the same", by="chen")

    sent = reminding.send(later(14))
    assert sent.content.customer_id == other
    assert sent.content.lines[0].interest_minor == 100 * 14
    assert [one.open_minor for one in sent.content.charges] == [2_900]
    assert len(reminding.list_charges(later(14), customer_id=other)) == 2
    money = house.credit("P1", 2_900, on=TODAY, customer_id=other)
    first = sent.content.charges[0].charge_id
    view = reminding.open_charges(later(14)).pay(first, ChargePayment(item_id=money), by="wang")
    assert view.charge.open_minor == 0
