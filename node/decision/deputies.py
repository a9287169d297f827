"""Use cases of deputies: the holder of a role names who approves for him, for some days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database
from node.core.people.names import fold_name
from node.core.people.service import Principal
from node.decision.duties import check_person, read_roll
from node.decision.errors import DeputyInvalidError, DeputyNotFoundError, NoAuthorityError
from node.decision.policy import APPROVING, DecisionPolicy
from node.decision.rules_state import Deputy
from node.decision.store import DeputyStore
from node.records.ledger.posting import check_by

DEPUTIES_LISTED_MAX = 200


class DeputyService:
    """One public method, one transaction."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        find_policy: Callable[[], DecisionPolicy],
        business_date: date | None = None,
    ) -> None:
        """Take the ports; the business date is the clock's without a fixed one."""
        self._database = database
        self._clock = clock
        self._find_policy = find_policy
        self._business_date = business_date

    def name(self, *, deputy: str, first_on: date, last_on: date, actor: Principal) -> Deputy:
        """Name a deputy for one's own role; nobody else does, and a deputy names none.

        Raises:
            DutyConflictError: It is the operator's token, or a role stands against it.
            NoAuthorityError: The role approves nothing.
            DeputyInvalidError: The deputy is the holder, holds no role that approves or one that
                stands against it; or the days are past, in no order or too many.
        """
        check_by(deputy)
        policy, now_ms = self._find_policy(), self._clock.now_ms()
        if actor.role not in APPROVING:
            raise NoAuthorityError(f"the role {actor.role} approves nothing that could be lent")
        days = (last_on - first_on).days + 1
        if not 0 < days <= policy.body.deputy_days_max or last_on < self.today():
            raise DeputyInvalidError(
                f"1 to {policy.body.deputy_days_max} days, the last of them not past"
            )
        with self._database.write() as uow:
            roll = read_roll(uow, now_ms=now_ms)
            holder_person = check_person(roll, actor, policy=policy)
            deputy_person = fold_name(deputy)
            against = policy.body.conflicting_roles
            if deputy_person == holder_person or not roll.is_known(deputy_person):
                raise DeputyInvalidError("another person, who holds a role that approves")
            if roll.holds(deputy_person, *against):
                raise DeputyInvalidError(f"the deputy is {' or '.join(against)} too")
            store = DeputyStore(uow.connection)
            deputy_id = store.append(
                role=actor.role,
                holder=(actor.name, holder_person),
                deputy=(deputy, deputy_person),
                first_on=first_on,
                last_on=last_on,
                at_ms=now_ms,
            )
            return _get(store, deputy_id)

    def end(self, deputy_id: int, *, actor: Principal) -> Deputy:
        """End what one has named oneself.

        Raises:
            DeputyNotFoundError: There is no such deputy of the person's that still stands.
        """
        with self._database.write() as uow:
            store = DeputyStore(uow.connection)
            found = _get(store, deputy_id)
            if found.ended_at_ms is not None or found.holder_person != fold_name(actor.name):
                raise DeputyNotFoundError(f"you have named no deputy {deputy_id} who still stands")
            store.end(deputy_id, by=actor.name, at_ms=self._clock.now_ms())
            return _get(store, deputy_id)

    def list_deputies(self) -> list[Deputy]:
        """Return who stands or stood in for whom, the newest first."""
        with self._database.read() as uow:
            return DeputyStore(uow.connection).list_newest(limit=DEPUTIES_LISTED_MAX)

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)


def _get(store: DeputyStore, deputy_id: int) -> Deputy:
    found = store.find(deputy_id)
    if found is None:
        raise DeputyNotFoundError(f"there is no deputy {deputy_id}")
    return found
