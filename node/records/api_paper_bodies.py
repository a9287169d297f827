"""What the routes of papers take: contracts, deliveries, guarantees, insurances, what happened."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from node.core.http.models import ApiModel
from node.records.api import Currency, Day, Entry, Key, Minor, Reason, Reference, Sha256Hex
from node.records.rules_papers import (
    CENTIPERCENT,
    DAYS_MAX,
    DEDUCTIBLE_MINOR_MAX,
    RANK_MAX,
    ContractForm,
    ContractTerms,
    GuaranteeForm,
    GuaranteeTerms,
    InsuranceTerms,
    PaperContent,
    Terms,
)
from node.records.tables import NAME_CHARS_MAX

Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
Days = Annotated[int, Field(strict=True, ge=0, le=DAYS_MAX)]
Share = Annotated[int, Field(strict=True, ge=1, le=CENTIPERCENT)]
Rank = Annotated[int, Field(strict=True, ge=1, le=RANK_MAX)]


class ContractFields(ApiModel):
    """What a contract says; the amount is the agreed credit sum, if there is one."""

    currency: Currency
    begins_on: Day
    ends_on: Day | None = None
    amount_minor: Minor | None = None
    document_sha256_hex: Sha256Hex
    form: ContractForm
    signed_on: Day
    days_net: Days
    discount_days: Days | None = None
    discount_centipercent: Share | None = None
    retains_title: bool = False

    def build(self, customer_id: int) -> PaperContent:
        """Return what the service takes."""
        terms = ContractTerms(
            form=self.form,
            signed_on=self.signed_on,
            days_net=self.days_net,
            discount_days=self.discount_days,
            discount_centipercent=self.discount_centipercent,
            retains_title=self.retains_title,
        )
        return _build(customer_id, self, terms)


class DeliveryFields(ApiModel):
    """What was delivered, at the amount that is to be invoiced for it."""

    currency: Currency
    delivered_on: Day
    amount_minor: Minor
    contract: Key | None = None
    document_sha256_hex: Sha256Hex | None = None

    def build(self, customer_id: int) -> PaperContent:
        """Return what the service takes."""
        return PaperContent(
            customer_id=customer_id,
            currency=self.currency,
            begins_on=self.delivered_on,
            amount_minor=self.amount_minor,
            document_sha256_hex=self.document_sha256_hex,
            contract_id=self.contract,
        )


class GuaranteeFields(ApiModel):
    """Who guarantees what, from when to when."""

    currency: Currency
    begins_on: Day
    ends_on: Day | None = None
    amount_minor: Minor
    document_sha256_hex: Sha256Hex
    form: GuaranteeForm
    guarantor: Name
    rank: Rank = 1

    def build(self, customer_id: int) -> PaperContent:
        """Return what the service takes."""
        terms = GuaranteeTerms(form=self.form, guarantor=self.guarantor, rank=self.rank)
        return _build(customer_id, self, terms)


class InsuranceFields(ApiModel):
    """What an insurer covers of a customer's debts; the amount is the insured limit."""

    currency: Currency
    begins_on: Day
    ends_on: Day | None = None
    amount_minor: Minor
    document_sha256_hex: Sha256Hex | None = None
    insurer: Name
    share_centipercent: Share
    waiting_days: Days = 0
    deductible_minor: Annotated[int, Field(strict=True, ge=0, le=DEDUCTIBLE_MINOR_MAX)] = 0
    excludes_disputed: bool = True
    excludes_overdue: bool = True
    rank: Rank = 1

    def build(self, customer_id: int) -> PaperContent:
        """Return what the service takes."""
        terms = InsuranceTerms(
            insurer=self.insurer,
            share_centipercent=self.share_centipercent,
            rank=self.rank,
            waiting_days=self.waiting_days,
            deductible_minor=self.deductible_minor,
            excludes_disputed=self.excludes_disputed,
            excludes_overdue=self.excludes_overdue,
        )
        return _build(customer_id, self, terms)


class NumberedEntry(Entry):
    """By whom a paper is entered, and its number."""

    number: Reference


class ContractBody(NumberedEntry, ContractFields):
    """A contract."""


class DeliveryBody(NumberedEntry, DeliveryFields):
    """A delivery."""


class GuaranteeBody(NumberedEntry, GuaranteeFields):
    """A guarantee."""


class InsuranceBody(NumberedEntry, InsuranceFields):
    """A cover of a credit insurance."""


class CorrectionEntry(Entry):
    """By whom and why a paper is corrected, and whose it is."""

    reason: Reason
    customer: Key


class ContractCorrection(CorrectionEntry, ContractFields):
    """What a contract should have said."""


class DeliveryCorrection(CorrectionEntry, DeliveryFields):
    """What a delivery should have said."""


class GuaranteeCorrection(CorrectionEntry, GuaranteeFields):
    """What a guarantee should have said."""


class InsuranceCorrection(CorrectionEntry, InsuranceFields):
    """What a cover should have said."""


class WithdrawnBody(Entry):
    """Why something should not be here."""

    reason: Reason


class InvoiceBody(Entry):
    """An invoice, by the key of a line; without an amount it is for all that is left."""

    item: Key
    amount_minor: Minor | None = None


class NamedBody(Entry):
    """An invoice that is under a contract, by the key of a line."""

    item: Key


class PartBody(Entry):
    """What came back, was released or called; without an amount all that is left."""

    on: Day
    amount_minor: Minor | None = None


class EndBody(Entry):
    """The first day on which something holds no longer, and why."""

    on: Day
    reason: Reason


NewBody = ContractBody | DeliveryBody | GuaranteeBody | InsuranceBody
CorrectionBody = ContractCorrection | DeliveryCorrection | GuaranteeCorrection | InsuranceCorrection


def _build(
    customer_id: int,
    fields: ContractFields | GuaranteeFields | InsuranceFields,
    terms: Terms,
) -> PaperContent:
    return PaperContent(
        customer_id=customer_id,
        currency=fields.currency,
        begins_on=fields.begins_on,
        ends_on=fields.ends_on,
        amount_minor=fields.amount_minor,
        document_sha256_hex=fields.document_sha256_hex,
        terms=terms,
    )
