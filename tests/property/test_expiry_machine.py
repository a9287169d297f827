"""Any history of the ledger in which what is over is deleted: what is left says the same."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, rule

from node.records.horizon import RecordsGoneError
from node.records.ledger import ItemNotFoundError
from node.records.lifecycle import LifecycleService
from node.records.retention_policy import read_retention_policy
from node.records.tombstones import NameHasher
from tests.property.test_ledger_machine import BEGIN, LedgerMachine, Report

HASHER = NameHasher(b"of the tests")
LATER = date(2030, 7, 1)  # what had ended by July 2025 is due
pytestmark = pytest.mark.timeout(600)  # many histories, and a busy machine is no defect


class ExpiryMachine(LedgerMachine):
    """The ledger's machine, whose records go once they are due."""

    @initialize()
    def begin(self) -> None:
        super().begin()
        # What is entered after a deletion is compared with the names of what is gone.
        self.records._hasher = self.ledger._hasher = HASHER
        self.lifecycle = LifecycleService(
            database=self.database,
            clock=self.clock,
            policy=read_retention_policy(),
            hasher=HASHER,
            business_date=LATER,
        )

    @rule()
    def expire(self) -> None:
        """Delete what is due; no day from its end on says anything else."""
        days = [BEGIN + timedelta(days=number) for number in (190, 300, 500)]
        before = [self.report_if_here(day) for day in days]
        self.clock.advance_s(1)
        self.lifecycle.expire(by="zhou")
        for day, report in zip(days, before, strict=True):
            assert self.report_if_here(day) in {report, None}
        assert self.report_if_here(days[-1]) == before[-1]
        assert list(self.lifecycle.iterate_due(as_of=LATER)) == []
        for items in (self.debits, self.credits, self.bills):
            items[:] = [one for one in items if self.is_here(one[0])]
        self.write_offs = [key for key in self.write_offs if self.is_here(key)]

    def is_here(self, key: int) -> bool:
        try:
            self.ledger.tell_item(key)
        except ItemNotFoundError:
            return False
        return True

    def report_if_here(self, as_of: date) -> Report | None:
        """Return a report without the currencies of which nothing is left, or None: it is gone."""
        try:
            return tuple(one for one in self.report(as_of) if one[1:4] != (0, 0, 0) or any(one[4]))
        except RecordsGoneError:
            return None


ExpiryMachine.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow],
)
test_any_history_in_which_records_expire = ExpiryMachine.TestCase
