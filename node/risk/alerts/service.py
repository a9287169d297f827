"""Use cases of alerts: read, and closed by a person with an outcome."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database
from node.records.ledger.posting import check_by, check_reason
from node.risk.alerts.errors import AlertClosedError, AlertNotFoundError
from node.risk.alerts.rules_alert import AlertOutcome, AlertState
from node.risk.alerts.store import AlertEvent, AlertRecord, AlertStore
from node.risk.rules_finding import RiskStatus

ALERTS_PAGE_MAX = 500
ALL_STATUSES = frozenset(RiskStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSelection:
    """Which alerts are asked for."""

    states: Collection[AlertState] = frozenset({AlertState.OPEN})
    statuses: Collection[RiskStatus] = ALL_STATUSES
    limit: int = 100
    after: int = 0


class AlertService:
    """Alerts of all customers."""

    def __init__(
        self, *, database: Database, clock: Clock, business_date: date | None = None
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._business_date = business_date

    def list_alerts(
        self, selection: AlertSelection | None = None, *, shows_peers: bool
    ) -> list[AlertRecord]:
        """Return alerts; of those that rest on peers only who may see them hears."""
        selection = selection or AlertSelection()
        with self._database.read() as uow:
            return AlertStore(uow.connection).list_alerts(
                states=selection.states,
                statuses=selection.statuses,
                shows_peers=shows_peers,
                limit=max(1, min(selection.limit, ALERTS_PAGE_MAX)),
                after=selection.after,
            )

    def list_of(self, customer_id: int, *, shows_peers: bool) -> list[AlertRecord]:
        """Return every alert of one customer, closed ones too."""
        with self._database.read() as uow:
            found = AlertStore(uow.connection).list_of([customer_id])
        return [one for one in found if shows_peers or not one.is_of_peers]

    def list_events(self, alert_id: int, *, shows_peers: bool) -> list[AlertEvent]:
        """Return what happened to an alert.

        Raises:
            AlertNotFoundError: There is none with this key that may be seen.
        """
        with self._database.read() as uow:
            store = AlertStore(uow.connection)
            record = store.find(alert_id)
            if record is None or (record.is_of_peers and not shows_peers):
                raise AlertNotFoundError(f"there is no alert {alert_id}")
            return store.list_events(alert_id)

    def find_customer_id(self, alert_id: int) -> int | None:
        """Return whom an alert is about."""
        with self._database.read() as uow:
            found = AlertStore(uow.connection).find(alert_id)
        return None if found is None else found.customer_id

    def close(
        self, alert_id: int, *, outcome: AlertOutcome, reason: str, by: str, shows_peers: bool
    ) -> AlertRecord:
        """Close an alert: somebody has looked at it. It opens again where its cause gets worse.

        Raises:
            AlertNotFoundError: There is none with this key that may be seen.
            AlertClosedError: It is closed, or something happened to it meanwhile.
            ItemInvalidError: Who or why cannot be kept.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            store = AlertStore(uow.connection)
            record = store.find(alert_id)
            if record is None or (record.is_of_peers and not shows_peers):
                raise AlertNotFoundError(f"there is no alert {alert_id}")
            is_closed = record.told.state is AlertState.CLOSED or not store.close(
                record,
                outcome=outcome,
                reason=reason,
                by=by,
                on=current_business_date(self._clock, fixed=self._business_date),
                at_ms=self._clock.now_ms(),
            )
            closed = store.find(alert_id)
            if is_closed or closed is None:
                raise AlertClosedError(f"alert {alert_id} is closed")
            return closed
