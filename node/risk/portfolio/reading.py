"""Reading the portfolio as of a day: every customer's exposure by the one function, and its grade.

The grade is that of own records, or what a person gave in its place where no peer's word is in it:
whoever reads the portfolio may not see what peers have said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from node.assessment.service import COLLECTIVE_KIND
from node.core.database import UnitOfWork
from node.core.errors import RejectedError
from node.core.policies.source import PolicySource
from node.rating.rules_loss import expected_loss_minor
from node.rating.scale import Scale, ScaleBody
from node.records.horizon import check_not_gone
from node.records.store import CustomerRecord, RecordsStore
from node.records.store.rows import chunk_values
from node.risk.exposure.reading import (
    FindExposureRules,
    ReadBasis,
    read_exposed,
    read_exposed_of,
)
from node.risk.exposure.rules_exposure import compute_exposure
from node.risk.facts.reading import read_groups
from node.risk.facts.store import FactStore
from node.risk.portfolio.policy import PortfolioPolicy
from node.risk.portfolio.rules_concentration import Holding, find_pd
from node.risk.portfolio.store import PortfolioStore

CUSTOMERS_MAX = 20_000

ListOverridden = Callable[[UnitOfWork, date], Mapping[int, str]]
"""The grades that persons gave and that hold on a day, by rating."""


class PortfolioTooLargeError(RejectedError):
    """More customers may owe something than are added up in one report."""

    code = "portfolio-too-large"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotConverted:
    """What of a customer's exposure has no dated rate, and is in no sum."""

    customer_id: int
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """Every customer with an exposure on a day, in minor units of one currency."""

    as_of: date
    currency: str
    policy: PortfolioPolicy
    scale: Scale
    customers: Mapping[int, CustomerRecord]
    holdings: tuple[Holding, ...]
    not_converted: tuple[NotConverted, ...]

    def leave_out(self, customer_ids: Collection[int]) -> Portfolio:
        """Return it without some customers."""
        return replace(
            self,
            customers={key: one for key, one in self.customers.items() if key not in customer_ids},
            holdings=tuple(one for one in self.holdings if one.customer_id not in customer_ids),
            not_converted=tuple(
                one for one in self.not_converted if one.customer_id not in customer_ids
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioReader:
    """Reads the portfolio within the caller's transaction."""

    policies: PolicySource[PortfolioPolicy]
    scales: PolicySource[Scale]
    find_rules: FindExposureRules
    list_overridden: ListOverridden

    def read(self, uow: UnitOfWork, *, as_of: date) -> Portfolio:
        """Return the portfolio of a day, collective accounts not.

        Raises:
            PortfolioTooLargeError: There are too many customers.
            RecordsGoneError: Records or papers of then have expired.
            PolicyNoneActiveError: No policy of the portfolio, or no scale, is active.
        """
        policy, scale = self.policies.read_active(uow), self.scales.read_active(uow)
        check_not_gone(uow, None, as_of=as_of, known_at_ms=None)
        customers = _list_customers(uow, as_of=as_of)
        rules, currency = self.find_rules(uow), policy.body.currency
        exposures: dict[int, int] = {}
        not_converted: list[NotConverted] = []
        for key, own in _read_exposed(uow, list(customers), as_of=as_of):
            found = compute_exposure(
                [own.basis], currency=currency, as_of=as_of, rules=rules, rates=own.rates
            )
            not_converted += [
                NotConverted(customer_id=key, currency=one.currency, amount_minor=one.amount_minor)
                for one in found.not_computable
            ]
            if found.total_minor > 0:
                exposures[key] = found.total_minor
        kept = {key: customers[key] for key in exposures}
        grades = self._read_grades(uow, list(kept), as_of=as_of)
        owners = _list_owners(uow, list(kept))
        industries = PortfolioStore(uow.connection).read_industries(owners)
        heads = _find_heads(uow, list(kept))
        return Portfolio(
            as_of=as_of,
            currency=currency,
            policy=policy,
            scale=scale,
            customers=kept,
            holdings=tuple(
                build_holding(
                    one,
                    industry=industries.get(key),
                    group_id=heads.get(key, key),
                    grade=grades.get(key),
                    exposure_minor=exposures[key],
                    scale=scale.body,
                    lgd_ppm=policy.body.lgd_ppm,
                )
                for key, one in kept.items()
            ),
            not_converted=tuple(not_converted),
        )

    def _read_grades(self, uow: UnitOfWork, keys: Sequence[int], *, as_of: date) -> dict[int, str]:
        owners = _list_owners(uow, keys)
        overridden = self.list_overridden(uow, as_of)
        return {
            key: overridden.get(one.rating_id, one.grade_own)
            if one.grade == one.grade_own
            else one.grade_own
            for key, one in FactStore(uow).read_ratings(owners, as_of=as_of).items()
        }


def build_holding(
    customer: CustomerRecord,
    *,
    industry: str | None,
    group_id: int,
    grade: str | None,
    exposure_minor: int,
    scale: ScaleBody,
    lgd_ppm: int,
) -> Holding:
    """Return what one customer is of the portfolio; a grade that is none is not known."""
    is_grade = grade == scale.default.grade or any(one.grade == grade for one in scale.grades)
    pd_ppm = find_pd(scale, grade)
    return Holding(
        customer_id=customer.customer_id,
        country=customer.country,
        industry=industry,
        group_id=group_id,
        grade=grade if is_grade else None,
        pd_ppm=pd_ppm,
        exposure_minor=exposure_minor,
        expected_loss_minor=None
        if pd_ppm is None
        else expected_loss_minor(pd_ppm=pd_ppm, lgd_ppm=lgd_ppm, ead_minor=exposure_minor),
    )


def _list_customers(uow: UnitOfWork, *, as_of: date) -> dict[int, CustomerRecord]:
    records, found = RecordsStore(uow.connection), dict[int, CustomerRecord]()
    candidates = PortfolioStore(uow.connection).list_candidates(as_of=as_of)
    if len(candidates) > CUSTOMERS_MAX:
        raise PortfolioTooLargeError(f"{len(candidates)} customers, at most {CUSTOMERS_MAX}")
    for key in candidates:
        one = records.find_customer_by_id(key)
        if one is not None and one.kind != COLLECTIVE_KIND:
            found[one.customer_id] = one
    return dict(sorted(found.items()))


def _read_exposed(
    uow: UnitOfWork, keys: Sequence[int], *, as_of: date
) -> Iterator[tuple[int, ReadBasis]]:
    """Yield what each exposure is made of; whose papers have expired raises as it does alone."""
    for part in chunk_values(keys):
        owners = RecordsStore(uow.connection).list_ids_of(part)
        found = read_exposed_of(uow, owners, as_of=as_of)
        for key in part:
            yield key, found[key] if key in found else read_exposed(uow, key, as_of=as_of)


def _list_owners(uow: UnitOfWork, keys: Sequence[int]) -> dict[int, int]:
    merged = RecordsStore(uow.connection).list_ids_of(keys)
    return {one: key for key, ids in merged.items() for one in ids}


def _find_heads(uow: UnitOfWork, keys: Sequence[int]) -> dict[int, int]:
    """Return the head of each customer's group: the one who is below nobody."""
    groups = read_groups(uow, keys)
    every = sorted({one for group in groups.values() for one in group})
    children = {child for child, _ in FactStore(uow).list_related(every)}
    return {key: min(group - children, default=min(group)) for key, group in groups.items()}
