"""Short ways to enter papers for the customer of a house."""

from __future__ import annotations

from datetime import date

from node.records.papers import NewEvent, PaperReports, PaperService
from node.records.rules_papers import (
    ContractForm,
    ContractTerms,
    EventKind,
    GuaranteeForm,
    GuaranteeTerms,
    InsuranceTerms,
    PaperContent,
    PaperKind,
)
from tests.support.ledgers import HASHER, TODAY, House

SHA = "ab" * 32
FROM = date(2026, 1, 1)


class Desk:
    """The services of papers over the records of a house."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.papers = PaperService(
            database=house.database, clock=house.clock, business_date=TODAY, hasher=HASHER
        )
        self.reports = PaperReports(database=house.database)

    def content(
        self,
        minor: int | None = None,
        *,
        on: date = FROM,
        ends_on: date | None = None,
        currency: str = "CNY",
        contract: int | None = None,
        customer_id: int | None = None,
        terms: ContractTerms | GuaranteeTerms | InsuranceTerms | None = None,
    ) -> PaperContent:
        return PaperContent(
            customer_id=customer_id or self.house.customer_id,
            currency=currency,
            begins_on=on,
            ends_on=ends_on,
            amount_minor=minor,
            document_sha256_hex=SHA,
            contract_id=contract,
            terms=terms,
        )

    def deliver(
        self, number: str, minor: int, *, on: date = FROM, contract: int | None = None
    ) -> int:
        content = self.content(minor, on=on, contract=contract)
        return self.papers.enter(PaperKind.DELIVERY, number, content, by="li")

    def contract(
        self, number: str, *, days_net: int = 30, on: date = FROM, ends_on: date | None = None
    ) -> int:
        terms = ContractTerms(form=ContractForm.FRAME, signed_on=FROM, days_net=days_net)
        content = self.content(on=on, ends_on=ends_on, terms=terms)
        return self.papers.enter(PaperKind.CONTRACT, number, content, by="li")

    def guarantee(
        self, number: str, minor: int, *, on: date = FROM, ends_on: date | None = None
    ) -> int:
        terms = GuaranteeTerms(form=GuaranteeForm.SURETYSHIP, guarantor="母公司")
        content = self.content(minor, on=on, ends_on=ends_on, terms=terms)
        return self.papers.enter(PaperKind.GUARANTEE, number, content, by="li")

    def insure(self, number: str, minor: int, *, share: int = 9_000, on: date = FROM) -> int:
        terms = InsuranceTerms(insurer="信保", share_centipercent=share)
        content = self.content(minor, on=on, terms=terms)
        return self.papers.enter(PaperKind.INSURANCE, number, content, by="li")

    def happen(
        self,
        paper_id: int,
        kind: EventKind,
        *,
        on: date = TODAY,
        minor: int | None = None,
        reason: str | None = None,
    ) -> int:
        event = NewEvent(kind=kind, on=on, amount_minor=minor, reason=reason)
        return self.papers.add_event(paper_id, event, by="li")

    def left(
        self,
        *,
        as_of: date = TODAY,
        known_at_ms: int | None = None,
        customer_id: int | None = None,
    ) -> dict[str, tuple[int, int, int]]:
        """Return what was returned, invoiced and is left of each delivery."""
        report = self.reports.list_delivered(
            customer_id or self.house.customer_id, as_of=as_of, known_at_ms=known_at_ms
        )
        return {
            one.delivery.number: (one.returned_minor, one.invoiced_minor, one.left_minor)
            for one in report.deliveries
        }
