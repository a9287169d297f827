"""How concentrated a portfolio is: parts by dimension, the largest, the index, limits. Pure.

Herfindahl-Hirschman index: the sum of the squares of the shares, from nearly 0 to 10,000 where all
is in one part (US horizontal merger guidelines, 2010, 5.3: above 1,500 moderately, above
2,500 highly concentrated). Exact integers; only the index and shown shares are rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.core.money import divide_half_even
from node.rating.scale import ScaleBody

HHI_MAX = 10_000
PERMILLE = 1_000


class Dimension(StrEnum):
    """By what a portfolio is divided."""

    CUSTOMER = "customer"
    GROUP = "group"
    INDUSTRY = "industry"
    COUNTRY = "country"
    GRADE = "grade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one customer owes or will owe, in minor units of the portfolio's currency.

    ``pd_ppm`` and the expected loss are None where there is no grade, or none with a probability.
    """

    customer_id: int
    country: str
    industry: str | None
    group_id: int
    grade: str | None
    pd_ppm: int | None
    exposure_minor: int
    expected_loss_minor: int | None

    def find_key(self, dimension: Dimension) -> str | None:
        """Return the part to which it belongs; None where that is not known."""
        match dimension:
            case Dimension.CUSTOMER:
                return str(self.customer_id)
            case Dimension.GROUP:
                return str(self.group_id)
            case Dimension.INDUSTRY:
                return self.industry
            case Dimension.COUNTRY:
                return self.country
            case Dimension.GRADE:
                return self.grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What belongs together; ``key`` is None for what is not known where it belongs."""

    key: str | None
    customer_ids: tuple[int, ...]
    exposure_minor: int
    expected_loss_minor: int | None
    """Of what has a probability of default; None where nothing has."""
    unrated_minor: int
    """Of the exposure: of customers without a probability of default, in no expected loss."""
    share_permille: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TopShare:
    """What the largest so many are of the whole."""

    count: int
    share_permille: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration:
    """A portfolio by one dimension, the largest part first; ``hhi`` is None of an empty one.

    What is not known where it belongs is one part in the index, the unfavourable side.
    """

    dimension: Dimension
    total_minor: int
    parts: tuple[Part, ...]
    top: tuple[TopShare, ...]
    hhi: int | None

    @property
    def unknown_minor(self) -> int:
        """What is not known where it belongs."""
        return sum(one.exposure_minor for one in self.parts if one.key is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A limit that is not kept: of a part's share, or (``key`` None) of the index."""

    dimension: Dimension
    key: str | None
    exposure_minor: int
    value: int
    limit: int
    """Per mille of a share; of the index from 0 to 10,000."""


def find_pd(scale: ScaleBody, grade: str | None) -> int | None:
    """Return the probability of default of a grade in millionths; None where there is none."""
    if grade == scale.default.grade:
        return scale.default.pd_ppm
    return next((one.pd_ppm for one in scale.grades if one.grade == grade), None)


def concentrate(
    holdings: Iterable[Holding], dimension: Dimension, *, top: Sequence[int]
) -> Concentration:
    """Divide a portfolio; holdings without an exposure are in no part."""
    found: dict[str | None, list[Holding]] = {}
    for one in holdings:
        if one.exposure_minor > 0:
            found.setdefault(one.find_key(dimension), []).append(one)
    total = sum(one.exposure_minor for some in found.values() for one in some)
    parts = sorted(
        (_build_part(key, some, total=total) for key, some in found.items()),
        key=lambda one: (-one.exposure_minor, one.key is None, one.key or ""),
    )
    squares = sum(one.exposure_minor**2 for one in parts)
    return Concentration(
        dimension=dimension,
        total_minor=total,
        parts=tuple(parts),
        top=tuple(
            TopShare(
                count=count,
                share_permille=_share(
                    sum(one.exposure_minor for one in parts[:count]), total=total
                ),
            )
            for count in top
        ),
        hhi=divide_half_even(squares * HHI_MAX, total**2) if total else None,
    )


def find_share_breaches(
    one: Concentration,
    *,
    limit_permille: int,
    only: Sequence[str] = (),
    exempt: Sequence[str] = (),
) -> list[Breach]:
    """Return the parts whose share is above a limit; what is not known has none."""
    return [
        Breach(
            dimension=one.dimension,
            key=part.key,
            exposure_minor=part.exposure_minor,
            value=part.share_permille,
            limit=limit_permille,
        )
        for part in one.parts
        if part.key is not None
        and (part.key in only if only else part.key not in exempt)
        and part.exposure_minor * PERMILLE > one.total_minor * limit_permille
    ]


def find_index_breach(one: Concentration, *, limit: int) -> Breach | None:
    """Return that the index is above a limit."""
    if one.hhi is None or one.hhi <= limit:
        return None
    return Breach(
        dimension=one.dimension,
        key=None,
        exposure_minor=one.total_minor,
        value=one.hhi,
        limit=limit,
    )


def _build_part(key: str | None, some: Sequence[Holding], *, total: int) -> Part:
    exposure = sum(one.exposure_minor for one in some)
    losses = [one.expected_loss_minor for one in some if one.expected_loss_minor is not None]
    return Part(
        key=key,
        customer_ids=tuple(sorted(one.customer_id for one in some)),
        exposure_minor=exposure,
        expected_loss_minor=sum(losses) if losses else None,
        unrated_minor=sum(one.exposure_minor for one in some if one.expected_loss_minor is None),
        share_permille=_share(exposure, total=total),
    )


def _share(part: int, *, total: int) -> int:
    return divide_half_even(part * PERMILLE, total) if total else 0
