"""The records of one node with one customer, and short ways to enter into its ledger."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from node.core.clock import ManualClock
from node.core.database import Database
from node.core.field_keys import FieldCipher
from node.core.fields import set_cipher
from node.core.keystore import draw_bytes
from node.records.customers import CustomerService
from node.records.ledger import (
    Allocate,
    LedgerService,
    NewBill,
    NewCredit,
    NewDebit,
    Term,
)
from node.records.lifecycle import LifecycleService
from node.records.retention_policy import read_retention_policy
from node.records.rules_ageing import Bucket
from node.records.rules_ledger import AllocationMethod, ItemKind
from node.records.service import RecordsService
from node.records.tombstones import NameHasher
from tests.support.field_secrets import FixedSecrets
from tests.support.stores import migrated_url

TODAY = date(2026, 3, 31)
HASHER = NameHasher(b"a secret of the tests")
OLDEST = AllocationMethod.OLDEST_FIRST


class House:
    """The services of one node with one customer."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(url=migrated_url(folder / "node.sqlite"))
        set_cipher(self.database, FieldCipher(secrets=FixedSecrets(), random_bytes=draw_bytes))
        self.clock = ManualClock(1_782_800_000_000)
        self.records = RecordsService(
            database=self.database, clock=self.clock, business_date=TODAY, hasher=HASHER
        )
        self.ledger = LedgerService(
            database=self.database, clock=self.clock, business_date=TODAY, hasher=HASHER
        )
        self.lifecycle = LifecycleService(
            database=self.database,
            clock=self.clock,
            policy=read_retention_policy(),
            hasher=HASHER,
            business_date=TODAY,
        )
        self.customers = CustomerService(
            database=self.database, clock=self.clock, business_date=TODAY
        )
        self.customer_id = self.add_customer("C1")

    def add_customer(self, value: str) -> int:
        return self.records.add_customer(
            scheme="sim", value=value, name="示例", country="CN"
        ).customer_id

    def invoice(
        self,
        number: str,
        *terms: tuple[date, int],
        on: date = date(2026, 1, 1),
        customer_id: int | None = None,
    ) -> list[int]:
        return self.ledger.enter_debit(
            NewDebit(
                customer_id=customer_id or self.customer_id,
                kind=ItemKind.INVOICE,
                document_no=number,
                happened_on=on,
                currency="CNY",
                terms=tuple(Term(due_on=due, amount_minor=minor) for due, minor in terms),
            ),
            by="zhang",
        )

    def credit(
        self,
        number: str,
        amount_minor: int,
        *,
        on: date,
        kind: ItemKind = ItemKind.PAYMENT,
        allocate: Allocate | None = None,
        currency: str = "CNY",
        customer_id: int | None = None,
    ) -> int:
        return self.ledger.enter_credit(
            NewCredit(
                customer_id=customer_id or self.customer_id,
                kind=kind,
                document_no=number,
                happened_on=on,
                currency=currency,
                amount_minor=amount_minor,
            ),
            by="zhang",
            allocate=allocate,
        )

    def bill(self, number: str, amount_minor: int, *, on: date, matures_on: date) -> int:
        return self.ledger.receive_bill(
            NewBill(
                customer_id=self.customer_id,
                number=number,
                received_on=on,
                matures_on=matures_on,
                currency="CNY",
                amount_minor=amount_minor,
            ),
            by="wang",
        )

    def age(self, as_of: date = TODAY, *, known_at_ms: int | None = None) -> dict[str, int]:
        """Return what is open by bucket, and what is unapplied and disputed, without the zeros."""
        ageings = self.records.ageing(self.customer_id, as_of=as_of, known_at_ms=known_at_ms)
        if not ageings:
            return {}
        (ageing,) = ageings
        figures = {bucket.value: ageing.buckets[bucket] for bucket in Bucket}
        figures |= {"unapplied": ageing.unapplied_minor, "disputed": ageing.disputed_minor}
        return {name: minor for name, minor in figures.items() if minor}
