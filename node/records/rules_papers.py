"""Contracts, deliveries, guarantees and credit insurance, and what they say on a day. Pure.

A delivery moves a stage when it is invoiced and is never in two: what is left of it is what was
delivered less what was returned and less what documents have invoiced, on every day, in minor
units (docs/formulas.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from node.core.errors import InvariantError, RejectedError

CENTIPERCENT = 10_000  # hundredths of a percent in the whole
DAYS_MAX = 3_650
RANK_MAX = 99
DEDUCTIBLE_MINOR_MAX = 10**13


class PaperInvalidError(RejectedError):
    """A paper, or what happened to it, cannot be entered as described."""

    code = "paper-invalid"


class PaperKind(StrEnum):
    """What a paper is."""

    CONTRACT = "contract"
    DELIVERY = "delivery"
    GUARANTEE = "guarantee"
    INSURANCE = "insurance"


class ContractForm(StrEnum):
    """Whether a contract is for many orders or for one."""

    FRAME = "frame"
    SINGLE = "single"


class GuaranteeForm(StrEnum):
    """Who stands in, and with what."""

    BANK_GUARANTEE = "bank-guarantee"
    PARENT_GUARANTEE = "parent-guarantee"
    SURETYSHIP = "suretyship"
    DEPOSIT = "deposit"  # retained or paid in
    PLEDGE = "pledge"


class EventKind(StrEnum):
    """What happened to a paper."""

    INVOICED = "invoiced"  # a document is for a delivery, or under a contract
    RETURNED = "returned"
    ENDED = "ended"  # a contract, a guarantee or a cover before its time
    RELEASED = "released"
    CALLED = "called"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTerms:
    """What a contract agrees on. A discount is for paying within so many days."""

    form: ContractForm
    signed_on: date
    days_net: int
    discount_days: int | None = None
    discount_centipercent: int | None = None
    retains_title: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GuaranteeTerms:
    """Who guarantees, how, and which in the order of covers it is."""

    form: GuaranteeForm
    guarantor: str
    rank: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InsuranceTerms:
    """What a policy pays of a customer's debts within its limit, and what it leaves out.

    ``waiting_days`` run from an item's due date until its loss can be claimed. What was overdue
    when the cover began is left out under ``excludes_overdue``.
    """

    insurer: str
    share_centipercent: int
    rank: int = 1
    waiting_days: int = 0
    deductible_minor: int = 0
    excludes_disputed: bool = True
    excludes_overdue: bool = True


Terms = ContractTerms | GuaranteeTerms | InsuranceTerms | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperContent:
    """What a paper says. The amount is in minor units of the currency."""

    customer_id: int
    currency: str
    begins_on: date
    ends_on: date | None = None
    amount_minor: int | None = None
    document_sha256_hex: str | None = None
    contract_id: int | None = None
    terms: Terms = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperEvent:
    """Something that happened to a paper, or a document that names it."""

    event_id: int
    paper_id: int
    kind: EventKind
    happened_on: date | None
    amount_minor: int | None
    item_id: int | None
    reason: str | None
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper in the version that stands, with what happened to it as far as it is known."""

    paper_id: int
    kind: PaperKind
    source: str
    number: str
    version: int
    content: PaperContent
    entered_by: str
    entered_at_ms: int
    events: tuple[PaperEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """A line of a document that counts."""

    due_on: date | None
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of the ledger in the lines that count, all of one customer and currency."""

    source: str
    document_no: str
    customer_id: int
    currency: str
    happened_on: date
    lines: tuple[DocumentLine, ...]

    @property
    def amount_minor(self) -> int:
        """What its lines come to."""
        return sum(line.amount_minor for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicedPart:
    """What a document has invoiced of a delivery, from a day on."""

    event_id: int
    document_no: str
    invoiced_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryState:
    """A delivery on a day: what is left of it is delivered and not invoiced."""

    delivery: Paper
    delivered_minor: int
    returned_minor: int
    invoiced_minor: int
    left_minor: int
    parts: tuple[InvoicedPart, ...]


_ALLOWED: Mapping[PaperKind, frozenset[EventKind]] = {
    PaperKind.CONTRACT: frozenset({EventKind.INVOICED, EventKind.ENDED}),
    PaperKind.DELIVERY: frozenset({EventKind.INVOICED, EventKind.RETURNED}),
    PaperKind.GUARANTEE: frozenset({EventKind.RELEASED, EventKind.CALLED, EventKind.ENDED}),
    PaperKind.INSURANCE: frozenset({EventKind.ENDED}),
}
REDUCTIONS = frozenset({EventKind.RELEASED, EventKind.CALLED})


def check_event_kind(paper: PaperKind, event: EventKind) -> None:
    """Check that such a thing happens to such a paper.

    Raises:
        PaperInvalidError: It does not.
    """
    if event not in _ALLOWED[paper]:
        raise PaperInvalidError(f"no {paper} is {event}")


def check_content(kind: PaperKind, content: PaperContent) -> None:
    """Check that a paper says what one of its kind says.

    Raises:
        PaperInvalidError: Something is missing, or makes no sense.
    """
    if content.ends_on is not None and content.ends_on < content.begins_on:
        raise PaperInvalidError("it ends before it begins")
    if content.contract_id is not None and kind is not PaperKind.DELIVERY:
        raise PaperInvalidError("a delivery is under a contract, no other paper")
    match kind, content.terms:
        case PaperKind.CONTRACT, ContractTerms() as terms:
            _need(content.document_sha256_hex, "the hash of the contract")
            _check_contract(terms)
        case PaperKind.DELIVERY, None:
            _need(content.amount_minor, "the amount that is to be invoiced")
            if content.ends_on is not None:
                raise PaperInvalidError("a delivery is of one day")
        case PaperKind.GUARANTEE, GuaranteeTerms() as terms:
            _need(content.amount_minor, "the amount guaranteed")
            _need(content.document_sha256_hex, "the hash of the guarantee")
            _check_number(terms.rank, "a rank", least=1, most=RANK_MAX)
        case PaperKind.INSURANCE, InsuranceTerms() as terms:
            _need(content.amount_minor, "the insured limit")
            _check_insurance(terms)
        case _:
            raise PaperInvalidError(f"no {kind} has such terms")


def _check_contract(terms: ContractTerms) -> None:
    _check_number(terms.days_net, "days net", least=0, most=DAYS_MAX)
    if (terms.discount_days is None) != (terms.discount_centipercent is None):
        raise PaperInvalidError("a discount has days and a percentage")
    if terms.discount_days is not None and terms.discount_centipercent is not None:
        _check_number(terms.discount_days, "days of a discount", least=0, most=terms.days_net)
        _check_number(terms.discount_centipercent, "a discount", least=1, most=CENTIPERCENT - 1)


def _check_insurance(terms: InsuranceTerms) -> None:
    _check_number(terms.rank, "a rank", least=1, most=RANK_MAX)
    _check_number(terms.share_centipercent, "an insured share", least=1, most=CENTIPERCENT)
    _check_number(terms.waiting_days, "a waiting period", least=0, most=DAYS_MAX)
    _check_number(terms.deductible_minor, "a deductible", least=0, most=DEDUCTIBLE_MINOR_MAX)


def _need(value: object, what: str) -> None:
    if value is None:
        raise PaperInvalidError(f"it has no {what.removeprefix('the ')}")


def _check_number(value: int, what: str, *, least: int, most: int) -> None:
    if not least <= value <= most:
        raise PaperInvalidError(f"{what}: {least} to {most}")


def find_ended(paper: Paper) -> date | None:
    """Return the first day on which a paper was ended before its time."""
    days = [one.happened_on for one in paper.events if one.kind is EventKind.ENDED]
    return min((day for day in days if day is not None), default=None)


def is_in_force(paper: Paper, *, on: date) -> bool:
    """Tell whether a paper holds on a day: from its first day to its last, and before its end."""
    ended_on = find_ended(paper)
    content = paper.content
    begun = content.begins_on <= on and (ended_on is None or on < ended_on)
    return begun and (content.ends_on is None or on <= content.ends_on)


def sum_reductions(paper: Paper, *, as_of: date) -> int:
    """Return what of a guarantee was released or called by a day, in minor units."""
    return sum(
        one.amount_minor or 0
        for one in paper.events
        if one.kind in REDUCTIONS and one.happened_on is not None and one.happened_on <= as_of
    )


def count_left(paper: Paper, counting: Collection[int]) -> int:
    """Return what is neither invoiced, returned, released nor called, on whatever day.

    Args:
        paper: A paper with its events.
        counting: The items that its events name and whose documents count, whosever they are: one
            that went to another customer may come back.
    """
    gone_minor = sum(one.amount_minor or 0 for one in paper.events if _takes(one, counting))
    return (paper.content.amount_minor or 0) - gone_minor


def _takes(event: PaperEvent, counting: Collection[int]) -> bool:
    if event.item_id is not None:
        return event.item_id in counting
    return event.kind is EventKind.RETURNED or event.kind in REDUCTIONS


def find_end(paper: Paper, *, left_minor: int) -> date | None:
    """Return the last day of what a paper says, all that happened to it included; None before.

    A delivery is over once nothing is left of it, a guarantee too; a contract, a guarantee and an
    insurance once they hold no longer.
    """
    days = [one.happened_on for one in paper.events if one.happened_on is not None]
    ends = [day for day in (find_ended(paper), paper.content.ends_on) if day is not None]
    is_used_up = paper.kind in {PaperKind.DELIVERY, PaperKind.GUARANTEE} and left_minor <= 0
    if not ends and not is_used_up:
        return None
    return max([paper.content.begins_on, *days, *([] if is_used_up else [min(ends)])])


def judge_delivery(
    delivery: Paper, documents: Mapping[int, Document], *, owners: Iterable[int], as_of: date
) -> DeliveryState | None:
    """Say what of a delivery was invoiced by a day; None before it was delivered.

    A part is invoiced from the day of its document on, not before it was delivered, while the
    document counts and is the same customer's. What is returned is returned once delivered.

    Args:
        delivery: The delivery with its events.
        documents: The documents that count, by the items that the events name.
        owners: The keys of the customer and of those that turned out to be it.
        as_of: The day.
    """
    content = delivery.content
    if as_of < content.begins_on:
        return None
    delivered_minor, own = content.amount_minor or 0, set(owners)
    parts, returned_minor = [], 0
    for event in delivery.events:
        if event.kind is EventKind.RETURNED and event.happened_on is not None:
            returned_minor += (event.amount_minor or 0) if event.happened_on <= as_of else 0
            continue
        document = None if event.item_id is None else documents.get(event.item_id)
        if document is None or document.customer_id not in own:
            continue
        invoiced_on = max(document.happened_on, content.begins_on)
        if invoiced_on <= as_of:
            parts.append(
                InvoicedPart(
                    event_id=event.event_id,
                    document_no=document.document_no,
                    invoiced_on=invoiced_on,
                    amount_minor=event.amount_minor or 0,
                )
            )
    invoiced_minor = sum(part.amount_minor for part in parts)
    left_minor = delivered_minor - returned_minor - invoiced_minor
    if left_minor < 0:
        raise InvariantError(f"more of delivery {delivery.paper_id} is gone than was delivered")
    return DeliveryState(
        delivery=delivery,
        delivered_minor=delivered_minor,
        returned_minor=returned_minor,
        invoiced_minor=invoiced_minor,
        left_minor=left_minor,
        parts=tuple(parts),
    )


class DeviationKind(StrEnum):
    """In what an invoice differs from the contract that it is under."""

    DAYS = "days"  # a line falls due on another day than agreed
    CURRENCY = "currency"
    NOT_IN_FORCE = "not-in-force"
    OVER = "over"  # it is for less than was invoiced of deliveries by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One way in which a document is not as agreed, with what was agreed and what it says."""

    kind: DeviationKind
    contract_id: int | None
    contract_no: str | None
    document_no: str
    currency: str
    happened_on: date
    agreed: str
    found: str


def compare_terms(contract: Paper, document: Document) -> list[Deviation]:
    """Return in what a document differs from its contract; nothing where it is as agreed."""
    terms, content = contract.content.terms, contract.content
    if not isinstance(terms, ContractTerms):
        raise InvariantError("the paper is no contract")
    found: list[tuple[DeviationKind, str, str]] = []
    agreed_on = document.happened_on + timedelta(days=terms.days_net)
    for line in document.lines:
        if line.due_on is not None and line.due_on != agreed_on:
            days = (line.due_on - document.happened_on).days
            found.append(
                (DeviationKind.DAYS, f"{terms.days_net} ({agreed_on})", f"{days} ({line.due_on})")
            )
    if document.currency != content.currency:
        found.append((DeviationKind.CURRENCY, content.currency, document.currency))
    if not is_in_force(contract, on=document.happened_on):
        ended_on = find_ended(contract) or content.ends_on or ".."
        span = f"{content.begins_on}/{ended_on}"  # as ISO 8601 writes it
        found.append((DeviationKind.NOT_IN_FORCE, span, str(document.happened_on)))
    return [
        Deviation(
            kind=kind,
            contract_id=contract.paper_id,
            contract_no=contract.number,
            document_no=document.document_no,
            currency=document.currency,
            happened_on=document.happened_on,
            agreed=agreed,
            found=said,
        )
        for kind, agreed, said in found
    ]
