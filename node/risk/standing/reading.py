"""What stands against a customer when an order is checked: as of today, found by the run or anew.

What the daily run of today has found holds while nothing was entered of the customer since, and the
policy is the same. Else the customer is judged where it stands: who has paid at noon is not held in
the afternoon by what was found at night. Of the other companies of its group what was entered since
the run counts only then, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from node.core.database import UnitOfWork
from node.core.errors import InvariantError
from node.records.ledger.posting import get_customer
from node.risk.alerts.rules_alert import list_causes
from node.risk.alerts.store import AlertStore
from node.risk.checks.parameters import HeldRules
from node.risk.daily.judging import CustomerJudge
from node.risk.daily.store import DailyStore
from node.risk.rules_finding import Against, Finding, RiskStatus
from node.risk.standing.store import has_news

CHECKED_ANEW = frozenset({"R1", "R2", "R6", "R8"})
"""Rules that an order check judges itself, by what holds at its moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingReader:
    """Reads or judges; ``judge`` reads nothing that peers have said.

    What rests on peers' words is left out: whoever checks orders may not see them.
    """

    judge: CustomerJudge

    def find(self, uow: UnitOfWork, keys: Sequence[int], as_of: date, held: HeldRules) -> Against:
        """Return what stands against a customer, from watch on, within the caller's transaction.

        ``keys`` are all those of the customer, its own first. That a person has closed an alert
        lifts nothing while its cause is there: for that there are releases, and exclusions of the
        policy.

        Raises:
            InvariantError: The check's rules are of no policy.
        """
        policy, customer_id = held.source, keys[0]
        if policy is None:
            raise InvariantError("an order is checked by rules of no policy")
        run = DailyStore(uow.connection).find_behind(
            customer_id, as_of=as_of, policy_sha256_b64u=policy.sha256_b64u
        )
        if run is not None and not has_news(uow, keys, since_ms=run.started_at_ms):
            return Against(findings=_list_alerts(uow, keys), as_of=as_of, run_id=run.run_id)
        judged = self.judge.judge(uow, [get_customer(uow, customer_id)], policy=policy, as_of=as_of)
        findings = (
            Finding(rule=one.rule, status=one.status, values=one.values)
            for found in judged
            for one in list_causes(found.judged, found.signals)
            if not one.is_of_peers
        )
        return Against(findings=_choose(findings), as_of=as_of)


def _list_alerts(uow: UnitOfWork, keys: Sequence[int]) -> tuple[Finding, ...]:
    # A merge carries no alerts over: those of all keys count.
    return _choose(
        Finding(rule=one.rule, status=one.told.status, values=one.values)
        for one in AlertStore(uow.connection).list_of(keys)
        if one.told.is_standing and not one.is_of_peers
    )


def _choose(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(
        one
        for one in findings
        if one.rule not in CHECKED_ANEW and one.status.severity >= RiskStatus.WATCH.severity
    )
