from datetime import date

import pytest

from node.records.formats.statement import NamedDocument, Payment
from node.records.rules_ledger import ItemKind, OpenDebit
from node.records.rules_matching import (
    Match,
    MatchMethod,
    find_customers,
    is_wrong_reference,
    list_tokens,
    match_payment,
)


def owed(
    item_id: int,
    number: str,
    open_minor: int = 100,
    *,
    due: date = date(2026, 2, 1),
    on: date = date(2026, 1, 1),
) -> OpenDebit:
    return OpenDebit(
        item_id=item_id,
        kind=ItemKind.INVOICE,
        document_no=number,
        happened_on=on,
        due_on=due,
        open_minor=open_minor,
    )


def paid(
    amount_minor: int = 100,
    *documents: str | tuple[str, int],
    text: str = "",
    references: tuple[str, ...] = (),
    credits_named: bool = False,
) -> Payment:
    named = [(one, None) if isinstance(one, str) else one for one in documents]
    return Payment(
        line=0,
        amount_minor=amount_minor,
        documents=tuple(NamedDocument(number=n, amount_minor=minor) for n, minor in named),
        text=text,
        creditor_references=references,
        credits_named=credits_named,
    )


def show(match: Match) -> tuple[str, dict[int, int]]:
    return match.method.value, {one.debit_id: one.amount_minor for one in match.applications}


A, B, C = owed(1, "RE-2026-17", 100), owed(2, "RE-2026-18", 50), owed(3, "4711", 50)
OPEN = (A, B, C)
LATER = owed(4, "RE-2026-17", 30, due=date(2026, 3, 1))
TWIN = owed(5, "RE-2026-17", 30, on=date(2025, 1, 1))
CASES = {
    "one-in-full": (paid(100, "RE-2026-17"), OPEN, ("named", {1: 100})),
    "case-and-space": (paid(100, " re-2026-17"), OPEN, ("named", {1: 100})),
    "one-in-part": (paid(40, "RE-2026-17"), OPEN, ("named", {1: 40})),
    "one-overpaid": (paid(120, "RE-2026-17"), OPEN, ("named", {1: 100})),
    "two-in-full": (paid(150, "RE-2026-17", "4711"), OPEN, ("named", {1: 100, 3: 50})),
    "two-in-part": (paid(149, "RE-2026-17", "4711"), OPEN, ("unapplied", {})),
    "two-with-amounts": (
        paid(60, ("RE-2026-17", 40), ("4711", 20)),
        OPEN,
        ("named", {1: 40, 3: 20}),
    ),
    "amount-above-open": (paid(200, ("RE-2026-17", 101)), OPEN, ("unapplied", {})),
    "amounts-above-paid": (paid(50, ("RE-2026-17", 51)), OPEN, ("unapplied", {})),
    "one-missing": (paid(120, "RE-2026-17", "X9999"), OPEN, ("unapplied", {})),
    "one-missing-but-exact": (paid(100, "RE-2026-17", "X9999"), OPEN, ("named", {1: 100})),
    "credit-note-deducted": (
        paid(100, "RE-2026-17", credits_named=True),
        OPEN,
        ("unapplied", {}),
    ),
    "instalments-oldest-first": (
        paid(110, "RE-2026-17"),
        (LATER, A),
        ("named", {1: 100, 4: 10}),
    ),
    "number-used-twice": (paid(100, "RE-2026-17"), (A, TWIN), ("unapplied", {})),
    "number-used-twice-in-text": (paid(130, text="RE-2026-17"), (A, TWIN), ("unapplied", {})),
    "reference-is-the-number": (paid(50, references=("4711",)), OPEN, ("named", {3: 50})),
    "rf-is-the-number": (paid(50, references=("RF71 4711",)), OPEN, ("named", {3: 50})),
    "rf-with-zeros": (paid(50, references=("RF7100004711",)), OPEN, ("named", {3: 50})),
    "rf-wrong": (paid(51, references=("RF724711",)), OPEN, ("unapplied", {})),
    "text-exact": (
        paid(150, text="RE-2026-17, RE-2026-18"),
        OPEN,
        ("named-in-text", {1: 100, 2: 50}),
    ),
    "text-list": (paid(150, text="4711/RE-2026-17"), OPEN, ("named-in-text", {1: 100, 3: 50})),
    "text-chinese": (paid(50, text="货款4711号"), OPEN, ("named-in-text", {3: 50})),
    "text-another-sum": (paid(50, text="RE-2026-17"), OPEN, ("unapplied", {})),
    "text-inside-longer": (
        paid(50, text="14711 47110 4711-1 1/4711 X4711 4711a ä4711"),
        OPEN,
        ("unapplied", {}),
    ),
    "text-too-short": (paid(7, text="17"), (owed(1, "17", 7), owed(2, "18", 7)), ("unapplied", {})),
    "exact": (paid(100), OPEN, ("exact-amount", {1: 100})),
    "exact-twice": (paid(50), OPEN, ("unapplied", {})),
    "exact-of-none": (paid(49), OPEN, ("unapplied", {})),
    "nothing-open": (paid(49, "A", text="B"), (), ("unapplied", {})),
}  # fmt: skip


@pytest.mark.parametrize(("payment", "debits", "expected"), CASES.values(), ids=CASES)
def test_a_payment_is_matched_the_most_certain_way(
    payment: Payment, debits: tuple[OpenDebit, ...], expected: tuple[str, dict[int, int]]
) -> None:
    match = match_payment(payment, debits)

    assert show(match) == expected
    assert match.reason


def test_what_stays_unapplied_says_what_to_do() -> None:
    for payment, debits, (method, _) in CASES.values():
        if method == "unapplied":
            assert match_payment(payment, debits).reason.endswith("apply it by hand")


def test_a_customer_is_told_by_what_is_named_before_what_is_in_the_text() -> None:
    both = {1: [A], 2: [owed(2, "RE-2026-18")]}
    named = find_customers(paid(100, "RE-2026-18", text="RE-2026-17"), both)

    assert named == {2: MatchMethod.NAMED}
    assert find_customers(paid(100, text="RE-2026-17"), both) == {1: MatchMethod.TEXT}
    assert find_customers(paid(100, text="RE-2026-17 RE-2026-18"), both).keys() == {1, 2}
    assert find_customers(paid(100, text="4711"), {3: [C]}) == {}


def test_words_that_may_be_numbers_are_found_whole() -> None:
    assert list_tokens(paid(text="Zahlung RE-2026-17/RE-2026-18. vom 5.1. 4711, Kd 10202")) == [
        "RE-2026-17/RE-2026-18", "RE-2026-17", "RE-2026-18",
    ]  # fmt: skip


def test_a_wrong_reference_is_told_from_one_of_another_kind() -> None:
    assert is_wrong_reference("RF19 5390 0754 7034")
    assert not is_wrong_reference("RF18 5390 0754 7034")
    assert not is_wrong_reference("4711")
