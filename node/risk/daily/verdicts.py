"""What of a customer's judgement is written: causes, where it stands, and no facts.

It can be worked out wherever the customer is judged, and is small enough to be sent from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from node.core.database import Database
from node.core.policies.source import PolicySource
from node.records.store import RecordsStore
from node.risk.alerts.rules_alert import Cause, list_causes
from node.risk.daily.judging import CustomerJudge, Judgement
from node.risk.daily.rules_change import Standing
from node.risk.daily.store import StatusRow, write_found
from node.risk.policies.policy import RiskPolicy
from node.risk.rules.judged import list_counting
from node.risk.rules_finding import RiskStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A judged customer as it is written; ``worst`` names the first of the most severe causes."""

    row: StatusRow
    causes: tuple[Cause, ...]
    worst: str

    @property
    def customer_id(self) -> int:
        """The customer's key."""
        return self.row.customer_id

    @property
    def status(self) -> RiskStatus:
        """The status, with what peers have said."""
        return self.row.standing.status


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchOrder:
    """The customers behind one key up to another one, that one too, to be judged as of a day."""

    after: int
    until: int
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedStretch:
    """What came of a stretch, and by which policy."""

    until: int
    policy_sha256_b64u: str
    skipped: int
    verdicts: tuple[Verdict, ...]


class Judges(Protocol):
    """Whoever judges stretches, in their order, some of them ahead."""

    def judge(self, orders: Iterable[StretchOrder]) -> Iterator[JudgedStretch]:
        """Yield what comes of each order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchJudge:
    """Judges one stretch after another in this process, each in one snapshot of the store."""

    database: Database
    policies: PolicySource[RiskPolicy]
    customers: CustomerJudge

    def judge_one(self, order: StretchOrder) -> JudgedStretch:
        """Judge a stretch; collective accounts are skipped."""
        with self.database.read() as uow:
            policy = self.policies.read_active(uow)
            found = RecordsStore(uow.connection).list_customers_between(order.after, order.until)
            judged = self.customers.judge(uow, found, policy=policy, as_of=order.as_of)
        return JudgedStretch(
            until=order.until,
            policy_sha256_b64u=policy.sha256_b64u,
            skipped=len(found) - len(judged),
            verdicts=tuple(conclude_verdict(one) for one in judged),
        )

    def judge(self, orders: Iterable[StretchOrder]) -> Iterator[JudgedStretch]:
        """Yield what comes of each order."""
        return map(self.judge_one, orders)


OpenJudges = Callable[[StretchJudge, int], AbstractContextManager[Judges]]
"""Who judges so many customers; the judge of this process is given."""


def open_inline(judge: StretchJudge, _customers: int) -> AbstractContextManager[Judges]:
    """Judge in this process."""
    return nullcontext(judge)


def conclude_verdict(judgement: Judgement) -> Verdict:
    """Return what of a judgement is written."""
    counting = list_counting(judgement.judged)
    # The most severe of our own causes, else of the peers'; none where all is well.
    ranked = sorted(counting, key=lambda one: (one.is_of_peers, -one.finding.status.severity))
    return Verdict(
        row=StatusRow(
            customer_id=judgement.customer_id,
            standing=Standing(status=judgement.status, status_own=judgement.status_own),
            points_milli=judgement.points_milli,
            points_own_milli=judgement.points_own_milli,
            found_json=write_found(counting),
            policy=judgement.policy.label,
            policy_sha256_b64u=judgement.policy.sha256_b64u,
        ),
        causes=tuple(list_causes(judgement.judged, judgement.signals)),
        worst=ranked[0].cause if ranked else "",
    )
