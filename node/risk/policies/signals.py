"""Signals as data: what finds one, what it weighs, and how fast that decays."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from node.assessment.policy import PERMILLE
from node.assessment.policy_file import Identifier, LocalText
from node.core.money import AMOUNT_MINOR_MAX
from schemas.wire import WireModel

DAYS_MAX = 3_660
COUNT_MAX = 1_000

Days = Annotated[int, Field(ge=1, le=DAYS_MAX)]
Count = Annotated[int, Field(ge=1, le=COUNT_MAX)]
Permille = Annotated[int, Field(ge=0, le=PERMILLE)]


class DriftDetector(WireModel):
    """Paid early or in terms before, and late or merely on time now."""

    kind: Literal["drift"]
    invoices_min: Count
    """In the newest quarter, and in the two before it."""
    points: Annotated[int, Field(ge=1, le=100)]
    """So much the payment index of the newest quarter is below that of the two before."""
    early_permille: Permille
    """Or so many of the invoices were paid early, and ``early_now_permille`` are at most now."""
    early_now_permille: Permille


class PartsDetector(WireModel):
    """Invoices are paid in parts, and were not before."""

    kind: Literal["part-payments"]
    invoices: Count
    days: Days
    calm_days: Days
    """So long before there was none."""


class RoundDetector(WireModel):
    """Round sums are paid, which are the sum of no invoices."""

    kind: Literal["round-sums"]
    payments: Count
    days: Days
    round_minor: Annotated[int, Field(ge=1, le=AMOUNT_MINOR_MAX)]


class PromiseDetector(WireModel):
    """A promise to pay was broken."""

    kind: Literal["broken-promise"]
    days: Days


class DisputeDetector(WireModel):
    """A dispute was opened in the last days, early or only after the item was due."""

    kind: Literal["new-dispute", "late-dispute"]
    days: Days


class SmallPaidDetector(WireModel):
    """Small invoices are paid while a larger one that fell due before them waits."""

    kind: Literal["small-paid"]
    invoices: Count
    days: Days
    times: Annotated[int, Field(ge=2, le=COUNT_MAX)]
    """So many times larger is what waits."""


class VolumeDetector(WireModel):
    """What is sold in three months against the nine before: a spike or a collapse."""

    kind: Literal["volume"]
    spike_permille: Annotated[int, Field(ge=PERMILLE, le=100_000)]
    collapse_permille: Permille
    invoices_min: Count


class AccountsDetector(WireModel):
    """The newest year-end accounts are older than they should be."""

    kind: Literal["accounts-delayed"]
    days: Days
    """Since the end of their year."""


class PeerDetector(WireModel):
    """A peer's newest summary is worse than the one before it."""

    kind: Literal["peer-worse"]
    days: Days


class ListDetector(WireModel):
    """An entry in a public list."""

    kind: Literal["public-list"]
    days: Days


Detector = Annotated[
    DriftDetector
    | PartsDetector
    | RoundDetector
    | PromiseDetector
    | DisputeDetector
    | SmallPaidDetector
    | VolumeDetector
    | AccountsDetector
    | PeerDetector
    | ListDetector,
    Field(discriminator="kind"),
]


class SignalRule(WireModel):
    """One signal: ``points`` when it is new, half of them after ``half_life_days``, then none."""

    id: Identifier
    names: LocalText
    points: Annotated[int, Field(ge=1, le=20)]
    half_life_days: Days
    end_days: Days
    """From this age on it counts no longer."""
    is_manual: bool
    """Whether a person may enter it."""
    detector: Detector | None = None

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        if not self.is_manual and self.detector is None:
            raise ValueError("a signal is found by a detector or entered by a person")
        return self
