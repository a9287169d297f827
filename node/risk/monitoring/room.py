"""What watches risk, wired together: the daily run, alerts, signals, the watch list, actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock
from node.core.database import Database
from node.core.policies.source import PolicySource
from node.risk.alerts.service import AlertService
from node.risk.daily.judging import CustomerJudge
from node.risk.daily.service import RiskRunService
from node.risk.daily.verdicts import OpenJudges, open_inline
from node.risk.facts.reading import FactReader
from node.risk.overview.service import OverviewService
from node.risk.plans.service import ActionService
from node.risk.policies.policy import RiskPolicy
from node.risk.signals.service import SignalService
from node.risk.watch.service import WatchService


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """The use cases."""

    runs: RiskRunService
    alerts: AlertService
    signals: SignalService
    watch: WatchService
    actions: ActionService
    overview: OverviewService

    @property
    def owners(self) -> Mapping[str, Callable[[int], int | None]]:
        """By the names in addresses: whose an alert, a signal, a stay on the list, an action is."""
        return {
            "alert_id": self.alerts.find_customer_id,
            "signal_id": self.signals.find_customer_id,
            "watch_id": self.watch.find_customer_id,
            "action_id": self.actions.find_customer_id,
        }


def build_monitoring(
    *,
    database: Database,
    clock: Clock,
    policies: PolicySource[RiskPolicy],
    reader: FactReader,
    random_bytes: Callable[[int], bytes],
    business_date: date | None,
    open_judges: OpenJudges = open_inline,
) -> Monitoring:
    """Wire the use cases; limits, exposure and peers come through the reader's ports.

    ``open_judges`` decides where the customers of a run are judged.
    """
    return Monitoring(
        runs=RiskRunService(
            database=database,
            clock=clock,
            policies=policies,
            judge=CustomerJudge(reader=reader),
            random_bytes=random_bytes,
            business_date=business_date,
            open_judges=open_judges,
        ),
        alerts=AlertService(database=database, clock=clock, business_date=business_date),
        signals=SignalService(
            database=database, clock=clock, policies=policies, business_date=business_date
        ),
        watch=WatchService(
            database=database, clock=clock, policies=policies, business_date=business_date
        ),
        actions=ActionService(
            database=database, clock=clock, policies=policies, business_date=business_date
        ),
        overview=OverviewService(database=database, clock=clock, business_date=business_date),
    )
