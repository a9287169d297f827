"""Any history of deliveries: delivered less returned less invoiced is what is left, never below 0.

A plain model keeps the events. After each step the report is held against it on several days, and
every report that was made comes out again as it was known then; what happens later changes no day
of before.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.records.papers import PaperInvalidError
from node.records.rules_papers import EventKind, PaperKind
from tests.support.ledgers import House
from tests.support.papers import Desk

pytestmark = pytest.mark.timeout(600)
BEGIN = date(2026, 1, 1)
CHECKED = [BEGIN + timedelta(days=number) for number in (0, 15, 40, 80)]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ("deliver", "invoice", "invoice", "return", "cancel", "correct", "undo", "withdraw")
        ),
        st.integers(1, 900),
        st.integers(0, 80).map(lambda number: BEGIN + timedelta(days=number)),
        st.integers(0, 99),
    ),
    max_size=10,
)


@dataclass
class Delivered:
    key: int
    on: date
    minor: int
    takes: dict[int, tuple[date, int, str]] = field(default_factory=dict)  # by event

    def count(self, day: date, cancelled: set[str]) -> tuple[int, int]:
        """Return what was returned and invoiced by a day."""
        returned = invoiced = 0
        for on, minor, document in self.takes.values():
            if document in cancelled or max(on, self.on) > day:
                continue
            if document:
                invoiced += minor
            else:
                returned += minor if on <= day else 0
        return returned, invoiced


class Book:
    """One customer's deliveries, by the services and by a plain model."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.desk = Desk(self.house)
        self.model: dict[str, Delivered] = {}
        self.items: dict[str, tuple[int, date]] = {}
        self.cancelled: set[str] = set()
        self.number = 0

    def step(self, kind: str, minor: int, day: date, pick: int) -> None:
        self.house.clock.advance_s(1)
        self.number += 1
        if kind == "deliver":
            key = self.desk.deliver(f"L{self.number}", minor, on=day)
            self.model[f"L{self.number}"] = Delivered(key, day, minor)
        elif kind == "cancel" and self.items:
            name = sorted(self.items)[pick % len(self.items)]
            if name not in self.cancelled:
                self.house.ledger.cancel_item(self.items[name][0], reason="x", by="li")
                self.cancelled.add(name)
        elif self.model:
            name = sorted(self.model)[pick % len(self.model)]
            with suppress(PaperInvalidError):
                self.change(kind, name, minor, day)

    def change(self, kind: str, name: str, minor: int, day: date) -> None:
        one, papers = self.model[name], self.desk.papers
        if kind == "invoice":
            document = f"A{self.number}"
            (item,) = self.house.invoice(document, (day, minor), on=day)
            self.items[document] = item, day
            event = papers.add_invoice(one.key, item, amount_minor=minor, by="li")
            one.takes[event] = day, minor, document
        elif kind == "return":
            event = self.desk.happen(one.key, EventKind.RETURNED, on=day, minor=minor)
            one.takes[event] = day, minor, ""
        elif kind == "correct":
            content = self.desk.content(minor, on=day)
            papers.correct(one.key, PaperKind.DELIVERY, content, reason="x", by="li")
            one.minor, one.on = minor, day
        elif kind == "undo" and one.takes:
            event = min(one.takes)
            papers.withdraw_event(event, reason="x", by="li")
            del one.takes[event]
        elif kind == "withdraw":
            papers.withdraw(one.key, reason="x", by="li")
            del self.model[name]

    def report(self, known_at_ms: int | None = None) -> list[dict[str, tuple[int, int, int]]]:
        return [self.desk.left(as_of=day, known_at_ms=known_at_ms) for day in CHECKED]

    def check(self) -> None:
        for day, found in zip(CHECKED, self.report(), strict=True):
            expected = {}
            for name, one in self.model.items():
                if one.on <= day:
                    returned, invoiced = one.count(day, self.cancelled)
                    expected[name] = returned, invoiced, one.minor - returned - invoiced
            assert found == expected
            assert all(left >= 0 for _, _, left in found.values())
            summed = self.desk.reports.list_delivered(self.house.customer_id, as_of=day).sums
            assert sum(one.left_minor for one in summed) == sum(
                left for _, _, left in expected.values()
            )
            exposed = self.desk.reports.compute_cover(self.house.customer_id, as_of=day)
            assert exposed.delivered_minor == sum(left for _, _, left in expected.values())


@given(steps=STEPS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_is_left_adds_up_and_no_report_of_before_changes(
    steps: list[tuple[str, int, date, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        book = Book(Path(folder))
        noted = []
        for kind, minor, day, pick in steps:
            earlier = [one for one in CHECKED if one < day]
            before = book.report()[: len(earlier)]
            book.step(kind, minor, day, pick)
            if kind in {"deliver", "invoice", "return"}:  # of that day: none of before changes
                assert book.report()[: len(earlier)] == before
            book.check()
            noted.append((book.house.clock.now_ms(), book.report()))
        for at_ms, found in noted:
            assert book.report(at_ms) == found
        book.house.database.dispose()
