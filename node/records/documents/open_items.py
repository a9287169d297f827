"""What is open while a file is entered: read once a customer, and kept up with what is applied."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from node.records.rules_ledger import Application, OpenDebit
from node.records.store import LedgerStore


@dataclass(kw_only=True)
class OpenItems:
    """The open items of the customers that a file is about, within one transaction."""

    ledger: LedgerStore
    _debits: dict[tuple[int, str], list[OpenDebit]] = field(default_factory=dict)
    _customers: dict[tuple[str, str], set[int]] = field(default_factory=dict)  # by number

    def find_holders(self, numbers: Iterable[str], *, currency: str) -> None:
        """Remember whose open documents have these numbers, in few queries for a whole file."""
        wanted = [one for one in dict.fromkeys(numbers) if (one, currency) not in self._customers]
        for number in wanted:
            self._customers[number, currency] = set()
        found = self.ledger.list_open_documents(
            wanted, sources=self.ledger.list_sources(), currency=currency
        )
        for customer_id, debits in found.items():
            for debit in debits:
                self._customers[debit.document_no, currency].add(customer_id)

    def list_by_customer(
        self, numbers: Iterable[str], *, currency: str
    ) -> dict[int, Sequence[OpenDebit]]:
        """Return all that is open of the customers who had a document of one of these numbers."""
        customer_ids: set[int] = set()
        for number in numbers:
            customer_ids |= self._customers.get((number, currency), set())
        return {one: self.list_debits(one, currency=currency) for one in sorted(customer_ids)}

    def list_debits(self, customer_id: int, *, currency: str) -> Sequence[OpenDebit]:
        """Return what is open of a customer now."""
        key = (customer_id, currency)
        if key not in self._debits:
            self._debits[key] = self.ledger.list_open_debits(customer_id, currency=currency)
        return self._debits[key]

    def take(self, customer_id: int, applications: Iterable[Application], *, currency: str) -> None:
        """Keep up with what was applied."""
        applied = {one.debit_id: one.amount_minor for one in applications}
        left = (
            dataclasses.replace(one, open_minor=one.open_minor - applied.get(one.item_id, 0))
            for one in self.list_debits(customer_id, currency=currency)
        )
        self._debits[customer_id, currency] = [one for one in left if one.open_minor > 0]
