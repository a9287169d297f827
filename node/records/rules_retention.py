"""How long records stay: from the end of their event on, never from their entry.

Pure. A story is what is deleted together or not at all: items that were ever applied to each other,
all their versions, and the lines of one document. It has ended once nothing of it is owed,
unapplied, in dispute, or written off and still pursued; what is unpaid has not started its clock.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from protocol.identifiers import SCHEMES
from protocol.identifiers.cn_uscc import is_resident_number

MONTHS_PER_YEAR = 12
TRADE_MONTHS_MIN = 48  # what is shared looks back two years, and is corrected for two more
MONTHS_MAX = 1_200
PERSON_MONTHS_MAX = 60  # 征信业管理条例, article 16
SHARED_MONTHS_MAX = 36
DAYS_MAX = 365
PERSON_KIND = "person"
SOLE_TRADER_START = "92"  # of a unified social credit code


class RecordClass(StrEnum):
    """What a record is, as far as its term goes."""

    ENTERPRISE_TRADE = "enterprise-trade"
    ENTERPRISE_ADVERSE = "enterprise-adverse"
    PERSON_TRADE = "person-trade"
    PERSON_ADVERSE = "person-adverse"


class EndReason(StrEnum):
    """Why an event has ended, or why not."""

    SETTLED = "settled"
    CANCELLED = "cancelled"
    GIVEN_UP = "given-up"  # written off, and not pursued any more
    OPEN = "open"
    UNAPPLIED = "unapplied"
    DISPUTED = "disputed"
    DELIVERED = "delivered"  # and not invoiced whole
    LAPSED = "lapsed"  # a contract, guarantee or cover that holds no longer
    PURSUED = "pursued"  # written off, and neither recovered nor given up

    @property
    def is_end(self) -> bool:
        """Tell whether the clock has started."""
        return self in {
            EndReason.SETTLED,
            EndReason.CANCELLED,
            EndReason.GIVEN_UP,
            EndReason.LAPSED,
        }


class GoneReason(StrEnum):
    """Why a record is here no longer."""

    EXPIRED = "expired"
    ERASED = "erased"  # by a person, before its time


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingTerms:
    """What stands before and after the time in which others may be told of an adverse fact."""

    notice_days: int = 15
    """From the notice to the subject on."""
    shared_months: int = 24
    """From the end of the fact on; what has not ended may be told as long as it lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """Terms in months from the end of an event, and the days of notices and objections.

    Raises:
        ValueError: A term is shorter than what is shared looks back, or longer than the law lets.
    """

    version: str
    enterprise_trade_months: int
    enterprise_adverse_months: int
    person_trade_months: int
    person_adverse_months: int
    shared_months: int
    accounting_months: int
    accounting_is_here: bool
    notice_days: int
    objection_days: int

    def __post_init__(self) -> None:
        self._check("enterprise_trade_months", TRADE_MONTHS_MIN, MONTHS_MAX)
        self._check("enterprise_adverse_months", self.shared_months, MONTHS_MAX)
        self._check("person_trade_months", 1, PERSON_MONTHS_MAX)
        self._check("person_adverse_months", 1, PERSON_MONTHS_MAX)
        self._check("shared_months", 1, SHARED_MONTHS_MAX)
        self._check("accounting_months", 1, MONTHS_MAX)
        self._check("notice_days", 1, DAYS_MAX)
        self._check("objection_days", 1, DAYS_MAX)

    def _check(self, name: str, least: int, most: int) -> None:
        if not least <= getattr(self, name) <= most:
            raise ValueError(f"{name} is {least} to {most}")

    def months_of(self, record_class: RecordClass) -> int:
        """Return the term of a class in months; of what is accounts too, the longer one."""
        match record_class:
            case RecordClass.ENTERPRISE_TRADE:
                return self._with_accounts(self.enterprise_trade_months)
            case RecordClass.PERSON_TRADE:
                return self._with_accounts(self.person_trade_months)
            case RecordClass.ENTERPRISE_ADVERSE:
                return self.enterprise_adverse_months
            case RecordClass.PERSON_ADVERSE:
                return self.person_adverse_months

    @property
    def sharing_terms(self) -> SharingTerms:
        """What of the policy bears on sharing."""
        return SharingTerms(notice_days=self.notice_days, shared_months=self.shared_months)

    def _with_accounts(self, months: int) -> int:
        return max(months, self.accounting_months) if self.accounting_is_here else months


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryItem:
    """One version of one item. Amounts in minor units: positive is owed, negative a credit."""

    item_id: int
    happened_on: date
    amount_minor: int
    applied_minor: int  # of its amount, taken-back parts taken off; not negative
    counts: bool = True
    cancelled_on: date | None = None  # it counts no longer, and nothing does instead
    pursued_minor: int = 0  # of a write-off: neither recovered nor given up


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is deleted together; ``days`` are those of all that happened to its items."""

    items: Sequence[StoryItem]
    days: Sequence[date] = ()  # applied, taken back, disputed, a dispute closed, given up
    is_disputed: bool = False
    is_given_up: bool = False
    is_part_invoiced: bool = False
    """Of what was delivered for it, a part is neither invoiced nor returned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """When a story has ended, or why not: then without a day."""

    reason: EndReason
    ended_on: date | None = None


def find_ending(story: Story) -> Ending:
    """Return when a story has ended; what keeps it from that where it has not."""
    counting = [item for item in story.items if item.counts]
    if story.is_disputed:
        return Ending(reason=EndReason.DISPUTED)
    for item in counting:
        if abs(item.amount_minor) != item.applied_minor:
            is_owed = item.amount_minor > 0
            return Ending(reason=EndReason.OPEN if is_owed else EndReason.UNAPPLIED)
    if story.is_part_invoiced:
        return Ending(reason=EndReason.DELIVERED)
    if any(item.pursued_minor for item in counting):
        return Ending(reason=EndReason.PURSUED)
    days = [*story.days, *(item.happened_on for item in story.items)]
    days += [item.cancelled_on for item in story.items if item.cancelled_on is not None]
    if not counting:
        return Ending(reason=EndReason.CANCELLED, ended_on=max(days))
    reason = EndReason.GIVEN_UP if story.is_given_up else EndReason.SETTLED
    return Ending(reason=reason, ended_on=max(days))


def find_expiry(ended_on: date, record_class: RecordClass, *, policy: RetentionPolicy) -> date:
    """Return the day on which a record is gone: so many months after its event has ended."""
    return add_months(ended_on, policy.months_of(record_class))


def choose_class(*, is_person: bool, is_adverse: bool = False) -> RecordClass:
    """Return the class of a record of a customer."""
    if is_adverse:
        return RecordClass.PERSON_ADVERSE if is_person else RecordClass.ENTERPRISE_ADVERSE
    return RecordClass.PERSON_TRADE if is_person else RecordClass.ENTERPRISE_TRADE


USCC_SCHEME = "cn.uscc"
# As consents write it, as an import may, and as a tax invoice that is read keeps a code of old.
USCC_SCHEMES = frozenset({USCC_SCHEME, "uscc", "cn.tax"})
VAT_SCHEME, VAT_CHINA = "vat", "CN"  # a tax number of no scheme, with its country before it


def is_natural_person(*, kind: str, identifiers: Iterable[tuple[str, str]]) -> bool:
    """Tell whether a customer is a person or a sole trader, of whom no one is told anything.

    Args:
        kind: What the customer's record says.
        identifiers: Scheme and value of each identifier it has.
    """
    return kind == PERSON_KIND or any(_is_personal(scheme, value) for scheme, value in identifiers)


def _is_personal(scheme: str, value: str) -> bool:
    if scheme == VAT_SCHEME and value.startswith(VAT_CHINA):
        return _is_personal(USCC_SCHEME, value.removeprefix(VAT_CHINA))
    if scheme in USCC_SCHEMES:
        return value.startswith(SOLE_TRADER_START) or SCHEMES[USCC_SCHEME].is_personal(value)
    known = SCHEMES.get(scheme)
    # An identity number is a person's under whatever name of a list it comes.
    return is_resident_number(value) if known is None else known.is_personal(value)


def add_months(day: date, months: int) -> date:
    """Return the day so many months later; the month's last where it has no such day."""
    month = day.year * MONTHS_PER_YEAR + day.month - 1 + months
    year, month = divmod(month, MONTHS_PER_YEAR)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def find_answer_day(filed_on: date, *, policy: RetentionPolicy) -> date:
    """Return the last day on which an objection is answered, in calendar days."""
    return filed_on + timedelta(days=policy.objection_days)


def is_past_sharing(settled_on: date | None, *, as_of: date, shared_months: int) -> bool:
    """Tell whether an adverse item ended so long ago that nobody is told of it any more."""
    return settled_on is not None and add_months(settled_on, shared_months) <= as_of
