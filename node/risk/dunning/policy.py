"""How one is reminded, as data: levels by days overdue, waiting times, smallest amounts, words.

Integers only: days, minor units, interest in millionths a year. Fees and interest are asked for
only where a policy says so. A segment is who is reminded alike; the first one that fits holds, and
the last one fits everybody. Meaning of each member: docs/formulas.md, dunning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from node.assessment.policy_file import Identifier, LocalText, parse_strictly
from node.core.money import AMOUNT_MINOR_MAX
from node.risk.dunning.letters import TEMPLATES
from protocol.encoding import encode_b64u, sha256
from schemas.wire import WireModel

PPM = 1_000_000
DAYS_MAX = 3_660
LEVELS_MAX = 9
SEGMENTS_MAX = 20
MATCHED_MAX = 250

Days = Annotated[int, Field(ge=0, le=DAYS_MAX)]
Code = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Grade = Annotated[str, Field(min_length=1, max_length=16)]


class CurrencyAmount(WireModel):
    """An amount of one currency, in minor units."""

    currency: Code
    amount_minor: Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]


Amounts = Annotated[tuple[CurrencyAmount, ...], Field(max_length=MATCHED_MAX)]


class LevelWords(WireModel):
    """What a letter of a level says above and below the items."""

    subject: LocalText
    opening: LocalText
    closing: LocalText


class DunningLevel(WireModel):
    """A level: reached so many days past due, and left at the earliest ``wait_days`` after it."""

    after_days: Days
    wait_days: Annotated[int, Field(ge=1, le=DAYS_MAX)]
    pay_days: Annotated[int, Field(ge=0, le=365)]
    fees: Amounts = ()
    """A sum a letter, by currency; none without a row."""
    interest_ppm: Annotated[int, Field(ge=0, le=PPM)] = 0
    """A year, of what is asked for, from the due date on; in millionths."""
    words: LevelWords


class DunningSegment(WireModel):
    """Whoever is of these countries, kinds and grades; an empty list asks for nothing."""

    id: Identifier
    names: LocalText
    countries: Annotated[tuple[Country, ...], Field(max_length=MATCHED_MAX)] = ()
    customer_kinds: Annotated[tuple[Literal["company", "person"], ...], Field(max_length=2)] = ()
    dunned_grades: Annotated[tuple[Grade, ...], Field(max_length=32)] = ()
    grace_days: Days
    gap_days: Days
    """So long after a letter no other one goes to the same customer; a broken promise does."""
    small_amounts: Amounts
    """What is due must be as much in its currency, or nobody writes."""
    levels: Annotated[tuple[DunningLevel, ...], Field(min_length=1, max_length=LEVELS_MAX)]

    @property
    def fits_all(self) -> bool:
        """Whether nobody is left out of it."""
        return not (self.countries or self.customer_kinds or self.dunned_grades)

    def get_level(self, level: int) -> DunningLevel:
        """Return a level by its number, from 1; above the last one it is the last one."""
        return self.levels[max(0, min(level, len(self.levels)) - 1)]

    def fits(self, *, country: str, kind: str, grade: str | None) -> bool:
        """Tell whether a customer is of it."""
        return (
            (not self.countries or country in self.countries)
            and (not self.customer_kinds or kind in self.customer_kinds)
            and (not self.dunned_grades or grade in self.dunned_grades)
        )

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        days = [one.after_days for one in self.levels]
        if any(left >= right for left, right in pairwise(days)):
            raise ValueError("the days of the levels do not rise")
        for rows in (self.small_amounts, *(one.fees for one in self.levels)):
            if len({one.currency for one in rows}) != len(rows):
                raise ValueError("a currency stands twice")
        return self


class DunningPolicyBody(WireModel):
    """The policy file."""

    kind: Literal["dunning-policy"]
    id: Identifier
    version: Annotated[int, Field(ge=1, le=10_000)]
    names: LocalText
    template: Identifier
    """Which of the templates that ship a letter is laid out by."""
    asks_undisputed_part: bool
    """Whether what is not disputed of an item in dispute is asked for; else all of it rests."""
    asks_charges_alone: bool = False
    """Whether a letter is due where open charges of earlier letters are all that is asked for."""
    segments: Annotated[tuple[DunningSegment, ...], Field(min_length=1, max_length=SEGMENTS_MAX)]

    @model_validator(mode="after")
    def _check_segments(self) -> Self:
        if len({one.id for one in self.segments}) != len(self.segments):
            raise ValueError("two segments have one name")
        if not self.segments[-1].fits_all:
            raise ValueError("the last segment fits everybody")
        if self.template not in TEMPLATES:
            raise ValueError("there is no such template")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningPolicy:
    """A policy with the name of its bytes."""

    body: DunningPolicyBody
    sha256_b64u: str

    PRESET: ClassVar[str] = "dunning-2"

    @property
    def has_interest(self) -> bool:
        """Whether any level asks for interest."""
        return any(rule.interest_ppm for one in self.body.segments for rule in one.levels)

    @property
    def label(self) -> str:
        """Name it as people do: ``dunning-1``."""
        return f"{self.body.id}-{self.body.version}"

    def get_segment(self, *, country: str, kind: str, grade: str | None) -> DunningSegment:
        """Return the first segment that fits."""
        for one in self.body.segments:
            if one.fits(country=country, kind=kind, grade=grade):
                return one
        return self.body.segments[-1]

    def get_level(self, segment: str, level: int) -> DunningLevel:
        """Return a level of a segment; above the last one it is the last one."""
        return next(one for one in self.body.segments if one.id == segment).get_level(level)


def find_amount(rows: Sequence[CurrencyAmount], currency: str) -> int:
    """Return the amount of a currency, 0 without a row."""
    return next((one.amount_minor for one in rows if one.currency == currency), 0)


def parse_dunning_policy(raw: bytes) -> DunningPolicy:
    """Read a policy file.

    Raises:
        PolicyInvalidError: Too large, not strict JSON, or a member is missing, unknown or wrong.
    """
    body = parse_strictly(DunningPolicyBody, raw)
    return DunningPolicy(body=body, sha256_b64u=encode_b64u(sha256(raw)))
