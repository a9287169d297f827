"""What a risk of the register is, by type; what it may cost; and how a computed one moves. Pure.

Money at risk is the expected loss, by the one formula (node/rating/rules_loss.py): likelihood
within twelve months · what is lost then · what is exposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.rating.rules_loss import expected_loss_minor
from node.risk.portfolio.rules_concentration import Breach, Concentration, Dimension

UNRATED = "unrated"
INDEX = "index"


class RiskType(StrEnum):
    """Of which kind a risk is."""

    CREDIT = "credit"
    CONCENTRATION = "concentration"
    DISPUTE = "dispute"
    COUNTRY = "country"
    CURRENCY = "currency"
    FRAUD = "fraud"
    OPERATIONAL = "operational"
    LEGAL = "legal"


class EntryState(StrEnum):
    """What is done about a risk."""

    OPEN = "open"
    TREATED = "treated"  # controls are in place and it is watched
    ACCEPTED = "accepted"
    CLOSED = "closed"


class EntryEvent(StrEnum):
    """What happened to an entry."""

    ENTERED = "entered"
    CHANGED = "changed"
    REVIEWED = "reviewed"
    COMPUTED = "computed"
    UPDATED = "updated"
    WORSENED = "worsened"
    REOPENED = "reopened"
    CEASED = "ceased"


UNJUDGED = frozenset({EntryEvent.UPDATED, EntryEvent.CEASED})
"""After these nobody is asked to look: what counts as judged are the figures of before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How likely, how much; in minor units of the currency, shares in millionths.

    The expected loss of a computed entry is the sum over its customers who have a grade; None is
    not computable.
    ``value`` is held against ``limit``: per mille of a share, or an index up to 10,000.
    """

    currency: str
    exposure_minor: int
    likelihood_ppm: int | None = None
    lgd_ppm: int | None = None
    expected_loss_minor: int | None = None
    value: int | None = None
    limit: int | None = None

    def is_worse_than(self, judged: Figures) -> bool:
        """Whether it has become worse by enough to be told: docs/formulas.md, register.

        By whole tenths of the limit where both have one, else by an expected loss that has at
        least doubled; without one it counts as 0.
        """
        tenths, before = self._tenths, judged._tenths
        if tenths is not None and before is not None:
            return tenths > before
        loss, loss_before = self.expected_loss_minor or 0, judged.expected_loss_minor or 0
        return loss > 0 and loss >= 2 * loss_before

    @property
    def _tenths(self) -> int | None:
        return self.value * 10 // self.limit if self.value is not None and self.limit else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedRisk:
    """A risk that the portfolio shows: its cause is its name."""

    cause: str
    risk_type: RiskType
    customer_id: int | None
    figures: Figures


def estimate(*, currency: str, exposure_minor: int, likelihood_ppm: int, lgd_ppm: int) -> Figures:
    """Return the figures of a risk that a person enters.

    Raises:
        LossInvalidError: A share is not within 0 and 1, or the exposure below 0.
    """
    return Figures(
        currency=currency,
        exposure_minor=exposure_minor,
        likelihood_ppm=likelihood_ppm,
        lgd_ppm=lgd_ppm,
        expected_loss_minor=expected_loss_minor(
            pd_ppm=likelihood_ppm, lgd_ppm=lgd_ppm, ead_minor=exposure_minor
        ),
    )


def list_computed(
    dimensions: Sequence[Concentration],
    breaches: Sequence[Breach],
    *,
    currency: str,
    lgd_ppm: int,
    pd_by_grade: Sequence[tuple[str, int | None]],
) -> list[ComputedRisk]:
    """Return what a portfolio shows: limits not kept, and the expected loss of each grade."""
    by_dimension = {one.dimension: one for one in dimensions}
    found = [_of_breach(one, by_dimension[one.dimension], currency=currency) for one in breaches]
    probabilities = dict(pd_by_grade)
    for part in by_dimension[Dimension.GRADE].parts:
        pd_ppm = None if part.key is None else probabilities.get(part.key)
        figures = Figures(
            currency=currency,
            exposure_minor=part.exposure_minor,
            likelihood_ppm=pd_ppm,
            lgd_ppm=None if pd_ppm is None else lgd_ppm,
            expected_loss_minor=None if pd_ppm is None else part.expected_loss_minor,
        )
        found.append(
            ComputedRisk(
                cause=f"expected-loss:{part.key or UNRATED}",
                risk_type=RiskType.CREDIT,
                customer_id=None,
                figures=figures,
            )
        )
    return found


def _of_breach(one: Breach, divided: Concentration, *, currency: str) -> ComputedRisk:
    losses = [
        part.expected_loss_minor
        for part in divided.parts
        if (one.key is None or part.key == one.key) and part.expected_loss_minor is not None
    ]
    is_numbered = one.key is not None and one.dimension in {Dimension.CUSTOMER, Dimension.GROUP}
    return ComputedRisk(
        cause=f"concentration:{one.dimension}:{one.key or INDEX}",
        risk_type=RiskType.CONCENTRATION,
        customer_id=int(one.key) if is_numbered and one.key is not None else None,
        figures=Figures(
            currency=currency,
            exposure_minor=one.exposure_minor,
            expected_loss_minor=sum(losses) if losses else None,
            value=one.value,
            limit=one.limit,
        ),
    )


def judge_change(
    held: Figures, found: Figures, *, judged: Figures, state: EntryState
) -> EntryEvent | None:
    """Say what a newer look makes of a computed entry; None where nothing is new.

    ``judged`` are the figures when it was last told or looked at: what grows slowly is told too.
    """
    if state is EntryState.CLOSED:
        return EntryEvent.REOPENED
    if held == found:
        return None
    return EntryEvent.WORSENED if found.is_worse_than(judged) else EntryEvent.UPDATED
