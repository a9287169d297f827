"""Use case of stress: a scenario over the portfolio of a day, beside what is. Nothing is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.errors import RejectedError
from node.core.policies.source import PolicySource
from node.records.behaviour import AdverseEvent
from node.records.errors import CustomerNotFoundError, check_report_day
from node.records.rules_default import EvidenceClass
from node.records.store import RecordsStore
from node.risk.daily.judging import ChangeFacts, CustomerJudge, Judgement, leave_as_is
from node.risk.facts.records import CustomerFacts
from node.risk.policies.policy import RiskPolicy
from node.risk.portfolio.reading import Portfolio, PortfolioReader
from node.risk.portfolio.rules_concentration import Holding
from node.risk.provisions.rules_provision import FlowNotComputableError
from node.risk.provisions.service import ProvisionService
from node.risk.rules.judged import list_counting
from node.risk.rules_finding import RiskStatus
from node.risk.stress.rules_stress import (
    NAMED_MAX,
    NOTCHES_MAX,
    Scenario,
    Totals,
    apply_scenario,
    count_unmoved,
    sum_up,
)

STRETCH_CUSTOMERS = 500
HELD = frozenset({RiskStatus.HOLD, RiskStatus.STOP})


class StressInvalidError(RejectedError):
    """The scenario is none, or its day is to come."""

    code = "stress-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A customer before or after; ``status`` and ``rules`` without what peers have said."""

    grade: str | None
    exposure_minor: int
    expected_loss_minor: int | None
    status: RiskStatus
    rules: tuple[str, ...]
    """What leads to a hold, by the names of the rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A customer of whom the scenario changes anything."""

    customer_id: int
    before: Stand
    after: Stand


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionSums:
    """What is and would be provided for in one currency, in minor units."""

    currency: str
    balance_minor: int
    allowance_before_minor: int
    allowance_after_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StressReport:
    """What is, and what would be.

    ``provisions`` is None where none can be worked out; ``unmoved`` have no grade to fall from.
    """

    portfolio: Portfolio
    scenario: Scenario
    risk_policy: RiskPolicy
    before: Totals
    after: Totals
    held_before: int
    held_after: int
    held_before_minor: int
    held_after_minor: int
    provisions: tuple[ProvisionSums, ...] | None
    changed: tuple[Changed, ...]
    unmoved: int
    holdings: tuple[Holding, ...]
    """Those of the portfolio under the scenario."""
    held: tuple[frozenset[int], frozenset[int]]
    """Who is held before and after."""

    def leave_out(self, customer_ids: Collection[int]) -> StressReport:
        """Return it without some customers; provisions are of the whole ledger and stay."""
        return _build_report(
            self.portfolio.leave_out(customer_ids),
            self.scenario,
            self.risk_policy,
            after=[one for one in self.holdings if one.customer_id not in customer_ids],
            held=(self.held[0] - set(customer_ids), self.held[1] - set(customer_ids)),
            provisions=self.provisions,
            changed=[one for one in self.changed if one.customer_id not in customer_ids],
        )


class StressService:
    """Reads, and writes nothing."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        reader: PortfolioReader,
        judge: CustomerJudge,
        risk_policies: PolicySource[RiskPolicy],
        provisions: ProvisionService,
        business_date: date | None = None,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._reader = reader
        self._judge = judge
        self._risk_policies = risk_policies
        self._provisions = provisions
        self._business_date = business_date

    def run(self, scenario: Scenario, *, as_of: date | None = None) -> StressReport:
        """Return what would be under a scenario, beside what is.

        Grades that fall change expected losses and the days past due that are borne (R3); who fails
        is looked at apart in the provision and is insolvent to the rules (R11), with its group
        (R13). Exposures, limits and ages stay. Customers, grades and rules are read in one
        transaction; the provision is worked out in two more, before and after, so that what is
        entered meanwhile can be in it and not in the rest.

        Raises:
            StressInvalidError: Nothing would change, too many are named, or the day is to come.
            CustomerNotFoundError: A customer who is named is not there.
            ReportInvalidError: Records are not of such a day.
            PortfolioTooLargeError: There are too many customers.
            RecordsGoneError: Records of then have expired.
            PolicyNoneActiveError: A policy that is needed is not active.
        """
        today = current_business_date(self._clock, fixed=self._business_date)
        day = as_of or today
        check_report_day(day)
        if day > today:
            raise StressInvalidError("nothing is owed on a day to come yet")
        _check(scenario)
        with self._database.read() as uow:
            scenario = _resolve(uow, scenario)
            portfolio = self._reader.read(uow, as_of=day)
            policy = self._risk_policies.read_active(uow)
            scale = portfolio.scale.body
            after = apply_scenario(
                portfolio.holdings, scenario, scale=scale, lgd_ppm=portfolio.policy.body.lgd_ppm
            )
            judged = self._judge_all(uow, portfolio, policy, change=leave_as_is)
            change = _build_change(portfolio.holdings, after, scenario, as_of=day)
            stressed = self._judge_all(uow, portfolio, policy, change=change)
        changed = [
            _compare(one, other, judged.get(one.customer_id), stressed.get(one.customer_id))
            for one, other in zip(portfolio.holdings, after, strict=True)
        ]
        return _build_report(
            portfolio,
            scenario,
            policy,
            after=after,
            held=(_list_held(judged), _list_held(stressed)),
            provisions=self._provide(scenario, portfolio.policy.body.lgd_ppm, as_of=day),
            changed=[one for one in changed if one.before != one.after],
        )

    def _judge_all(
        self, uow: UnitOfWork, portfolio: Portfolio, policy: RiskPolicy, *, change: ChangeFacts
    ) -> dict[int, Judgement]:
        customers = list(portfolio.customers.values())
        return {
            one.customer_id: one
            for first in range(0, len(customers), STRETCH_CUSTOMERS)
            for one in self._judge.judge(
                uow,
                customers[first : first + STRETCH_CUSTOMERS],
                policy=policy,
                as_of=portfolio.as_of,
                change=change,
            )
        }

    def _provide(
        self, scenario: Scenario, lgd_ppm: int, *, as_of: date
    ) -> tuple[ProvisionSums, ...] | None:
        try:
            before = self._provisions.propose(as_of=as_of)
            after = self._provisions.propose(
                as_of=as_of, more_apart=dict.fromkeys(scenario.defaults, lgd_ppm)
            )
        except FlowNotComputableError:
            return None
        allowances = {one.currency: one.allowance_minor for one in after}
        return tuple(
            ProvisionSums(
                currency=one.currency,
                balance_minor=one.balance_minor,
                allowance_before_minor=one.allowance_minor,
                allowance_after_minor=allowances[one.currency],
            )
            for one in before
        )


def _check(scenario: Scenario) -> None:
    if not 0 <= scenario.notches <= NOTCHES_MAX:
        raise StressInvalidError(f"grades fall by at most {NOTCHES_MAX} notches")
    if not scenario.notches and not scenario.defaults:
        raise StressInvalidError("grades fall, or somebody fails")
    named = (scenario.customers, scenario.industries, scenario.countries, scenario.grades)
    if not scenario.notches and any(named):
        raise StressInvalidError("whose grades fall is named, and by how many notches is not")
    if len(scenario.customers | scenario.defaults) > NAMED_MAX:
        raise StressInvalidError(f"at most {NAMED_MAX} customers are named")


def _resolve(uow: UnitOfWork, scenario: Scenario) -> Scenario:
    """Put in the place of each key the customer that it turned out to be."""
    records = RecordsStore(uow.connection)

    def find(key: int) -> int:
        found = records.find_customer_by_id(key)
        if found is None:
            raise CustomerNotFoundError(f"there is no customer {key}")
        return found.customer_id

    return replace(
        scenario,
        customers=frozenset(find(key) for key in scenario.customers),
        defaults=frozenset(find(key) for key in scenario.defaults),
    )


def _build_change(
    before: Sequence[Holding], after: Sequence[Holding], scenario: Scenario, *, as_of: date
) -> ChangeFacts:
    grades = {
        new.customer_id: new.grade
        for old, new in zip(before, after, strict=True)
        if old.grade != new.grade and new.grade is not None
    }
    failed = AdverseEvent(kind=EvidenceClass.INSOLVENCY.value, happened_on=as_of, settled=False)

    def change(facts: CustomerFacts) -> CustomerFacts:
        grade = grades.get(facts.customer_id)
        if grade is not None and facts.rating is not None:
            rating = replace(facts.rating, grade_own=grade, grade=grade)
            facts = replace(facts, rating=rating)
        if facts.customer_id in scenario.defaults:
            facts = replace(facts, adverse=(*(facts.adverse or ()), failed))
        return facts

    return change


def _compare(
    before: Holding, after: Holding, judged: Judgement | None, stressed: Judgement | None
) -> Changed:
    return Changed(
        customer_id=before.customer_id,
        before=_stand(before, judged),
        after=_stand(after, stressed),
    )


def _stand(one: Holding, judged: Judgement | None) -> Stand:
    found = [] if judged is None else list_counting(judged.judged, with_peers=False)
    return Stand(
        grade=one.grade,
        exposure_minor=one.exposure_minor,
        expected_loss_minor=one.expected_loss_minor,
        status=RiskStatus.OK if judged is None else judged.status_own,
        rules=tuple(
            dict.fromkeys(each.finding.rule for each in found if each.finding.status in HELD)
        ),
    )


def _list_held(judged: Mapping[int, Judgement]) -> frozenset[int]:
    return frozenset(key for key, one in judged.items() if one.status_own in HELD)


def _build_report(
    portfolio: Portfolio,
    scenario: Scenario,
    policy: RiskPolicy,
    *,
    after: Sequence[Holding],
    held: tuple[frozenset[int], frozenset[int]],
    provisions: tuple[ProvisionSums, ...] | None,
    changed: Sequence[Changed],
) -> StressReport:
    scale = portfolio.scale.body
    exposures = {one.customer_id: one.exposure_minor for one in after}
    return StressReport(
        portfolio=portfolio,
        scenario=scenario,
        risk_policy=policy,
        before=sum_up(portfolio.holdings, scale=scale),
        after=sum_up(after, scale=scale),
        held_before=len(held[0]),
        held_after=len(held[1]),
        held_before_minor=sum(exposures[key] for key in held[0]),
        held_after_minor=sum(exposures[key] for key in held[1]),
        provisions=provisions,
        changed=tuple(changed),
        unmoved=count_unmoved(portfolio.holdings, scenario),
        holdings=tuple(after),
        held=held,
    )
