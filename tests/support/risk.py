"""A risk room over the records of a house, with limits of any amount and people of any role."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from node.core.people.service import OPERATOR_PRINCIPAL, PeopleService, Principal, Role
from node.decision.policy import DecisionPolicy, read_preset_decision_policy
from node.decision.rules_proposal import Outcome
from node.decision.tables import (
    credit_decision,
    decision_event,
    decision_policy,
    decision_version,
)
from node.records.rules_conversion import ExchangeRate
from node.records.store import RateStore
from node.risk.api import RiskFaces
from node.risk.checks.evaluating import FindAgainst, find_nothing
from node.risk.checks.parameters import CheckRules, HeldRules
from node.risk.checks.releasing import HeldOrder, ReleaseWish
from node.risk.checks.request import CheckRequest
from node.risk.checks.rules_check import CheckPoint
from node.risk.exposure.rules_exposure import Exposure
from node.risk.orders.service import Taking
from node.risk.wiring import build_risk
from tests.support.ledgers import TODAY, House
from tests.support.nodes import CountingBytes
from tests.support.papers import Desk

DAY_S = 86_400
VALID_UNTIL = date(2026, 12, 31)
OWED_ON = date(2026, 6, 1)


@dataclass(slots=True, kw_only=True)
class Watch:
    """The services of the risk room; ``rules`` are those that hold, and may be changed."""

    house: House
    desk: Desk
    rules: list[CheckRules]
    risk: RiskFaces
    people: PeopleService
    policy: DecisionPolicy
    principals: dict[str, Principal] = field(default_factory=dict)
    count: int = 0

    def be(self, name: str, role: Role) -> Principal:
        """Return a person with a token of a role, made when first asked for."""
        if role is Role.OPERATOR:
            return OPERATOR_PRINCIPAL
        key = f"{name} {role}"
        if key not in self.principals:
            token = self.people.create_token(role=role, name=name, life_s=300 * DAY_S)
            self.principals[key] = self.people.get_principal(token.token)
        return self.principals[key]

    def give_limit(
        self,
        limit_minor: int | None,
        *,
        customer_id: int | None = None,
        currency: str = "CNY",
        on: date = date(2026, 1, 1),
        valid_until: date | None = VALID_UNTIL,
        outcome: Outcome = Outcome.CREDIT,
    ) -> int:
        """Let a decision hold from a day on, in the place of the one before."""
        key = customer_id or self.house.customer_id
        self.count += 1
        with self.house.database.write() as uow:
            return enter_limit(
                uow.connection,
                key,
                policy=self.policy,
                limit_minor=limit_minor,
                currency=currency,
                on=on,
                valid_until=valid_until,
                outcome=outcome,
                at_ms=self.house.clock.now_ms() + self.count,
            )

    def ask(
        self,
        number: str,
        amount_minor: int,
        *,
        point: CheckPoint = CheckPoint.ORDER,
        key: str | None = None,
        customer_id: int | None = None,
        by: str = "erp",
        **more: Any,  # noqa: ANN401  the members of a request
    ) -> dict[str, Any]:
        """Check an order and return the answer."""
        self.count += 1
        request = CheckRequest(
            point=point,
            customer_id=customer_id or self.house.customer_id,
            number=number,
            amount_minor=amount_minor,
            **{"currency": "CNY"} | more,
        )
        return self.risk.checks.check(request, key=key or f"key {self.count}", by=by)

    def deliver(self, number: str, order_id: int, minor: int, *, on: date = TODAY) -> int:
        """Enter a delivery of an order and return the key of the paper."""
        paper_id = self.desk.deliver(number, minor, on=on)
        self.risk.orders.take(order_id, Taking(amount_minor=minor, paper_id=paper_id), by="erp")
        return paper_id

    def release(
        self,
        order_id: int,
        actor: Principal,
        *,
        code: str = "one-off",
        days: int = 14,
    ) -> HeldOrder:
        """Release an order."""
        wish = ReleaseWish(reason_code=code, reason="agreed", days=days)
        return self.risk.releases.release(order_id, wish=wish, actor=actor)

    def expose(self, *, as_of: date = TODAY, **more: Any) -> Exposure:  # noqa: ANN401  as ``read``
        """Return the exposure to the customer of the house."""
        customer_id = more.pop("customer_id", self.house.customer_id)
        return self.risk.exposures.read(customer_id, as_of=as_of, **more)


def enter_limit(
    connection: Any,  # noqa: ANN401  tests do not import the store's own type for one argument
    customer_id: int,
    *,
    policy: DecisionPolicy,
    limit_minor: int | None,
    currency: str,
    on: date,
    valid_until: date | None,
    outcome: Outcome,
    at_ms: int,
) -> int:
    """Enter a decision with its last event, as the decision room leaves it."""
    policies, rows = decision_policy, credit_decision
    known = connection.execute(policies.select()).first()
    if known is None:
        connection.execute(
            insert(policies).values(
                sha256_b64u=policy.sha256_b64u, id=policy.body.id, version=1, json="{}"
            )
        )
    former = connection.execute(
        rows.select().where(rows.c.customer_id == customer_id, rows.c.state == "active")
    ).first()
    if former is not None:
        connection.execute(
            rows.update()
            .where(rows.c.id == former.id)
            .values(state="superseded", last_seq=former.last_seq + 1)
        )
        _append_event(connection, former.id, former.last_seq + 1, "superseded", on=on, at_ms=at_ms)
    decision_id = connection.execute(
        insert(rows)
        .values(
            customer_id=customer_id,
            as_of=on,
            created_at_ms=at_ms,
            proposed_by="Zhang",
            policy_sha256_b64u=policy.sha256_b64u,
            is_person=False,
            proposal_json="{}",
            state="active",
            last_seq=1,
            approved_by="Wang",
            valid_until=valid_until,
        )
        .returning(rows.c.id)
    ).scalar_one()
    connection.execute(
        insert(decision_version).values(
            decision_id=decision_id,
            version=1,
            outcome=outcome,
            grade="A",
            currency=currency,
            limit_minor=limit_minor,
            terms_days=30,
            security="none",
            monitoring="normal",
            valid_until=valid_until,
            review_on=valid_until,
            entered_by="Zhang",
            entered_at_ms=at_ms,
        )
    )
    _append_event(connection, decision_id, 1, "active", on=on, at_ms=at_ms)
    return int(decision_id)


def _append_event(
    connection: Any,  # noqa: ANN401  as above
    decision_id: int,
    seq: int,
    kind: str,
    *,
    on: date,
    at_ms: int,
) -> None:
    connection.execute(
        insert(decision_event).values(
            decision_id=decision_id,
            seq=seq,
            kind=kind,
            happened_on=on,
            entered_by="Wang",
            entered_at_ms=at_ms,
        )
    )


def build_watch(
    folder: Path,
    *,
    rules: CheckRules | None = None,
    find_against: FindAgainst = find_nothing,
) -> Watch:
    """Build the rooms; the caller disposes of the house's database."""
    house = House(folder)
    return open_watch(house, rules=rules, find_against=find_against)


def open_watch(
    house: House,
    *,
    rules: CheckRules | None = None,
    find_against: FindAgainst = find_nothing,
) -> Watch:
    """Build the room over the records of a house."""
    held = [rules or CheckRules()]
    policy = read_preset_decision_policy()
    return Watch(
        house=house,
        desk=Desk(house),
        rules=held,
        risk=build_risk(
            database=house.database,
            clock=house.clock,
            find_policy=lambda: policy,
            find_rules=lambda _uow: hold_rules(held[0]),
            find_against=find_against,
            business_date=TODAY,
        ),
        people=PeopleService(
            database=house.database, clock=house.clock, random_bytes=CountingBytes(6)
        ),
        policy=policy,
    )


def hold_rules(rules: CheckRules) -> HeldRules:
    """Return parameters as if a policy said so."""
    return HeldRules(checks=rules, policy="test-1", policy_sha256_b64u="x" * 43)


def pass_days(watch: Watch, day: date) -> None:
    """Let a business date come."""
    risk = watch.risk
    for service in (risk.checks, risk.releases, risk.orders, risk.limits):
        service._business_date = day


def rules_of(answer: dict[str, Any]) -> dict[str, str]:
    """Return the status of each reason of an answer, by its rule."""
    return {one["rule"]: one["status"] for one in answer["reasons"]}


def owe(watch: Watch) -> None:
    """Let 650 000 of 800 000 be used: 80 000 delivered, 420 000 invoiced, 150 000 of bills."""
    watch.give_limit(800_000_00)
    watch.desk.deliver("D1", 80_000_00)
    watch.house.invoice("R1", (OWED_ON, 420_000_00))
    watch.house.invoice("R2", (OWED_ON, 150_000_00))
    watch.house.bill("B1", 150_000_00, on=date(2026, 3, 1), matures_on=date(2026, 9, 1))


def add_rate(watch: Watch, rate_nano: int, *, on: date = TODAY) -> None:
    """Enter what one euro is in billionths of a yuan."""
    rate = ExchangeRate(base="EUR", quote="CNY", on=on, rate_nano=rate_nano, source="test")
    with watch.house.database.write() as uow:
        RateStore(uow.connection).append(rate, by="li", at_ms=watch.house.clock.now_ms())
