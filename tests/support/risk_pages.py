"""What the pages of risk control show: limits, held orders, letters, promises, runs, risks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from node.bootstrap.member import Node
from node.core.people.service import Role
from node.decision.policy import read_preset_decision_policy
from node.decision.rules_proposal import Outcome
from node.records.ledger import NewDebit, Term
from node.records.rules_conversion import ExchangeRate
from node.records.rules_ledger import ItemKind
from node.records.store import RateStore
from node.records.undertakings.promises import NewPromise
from node.risk.checks.request import CheckRequest
from node.risk.checks.rules_check import CheckPoint
from node.risk.limits.rules_limits import LimitKind
from node.risk.limits.service import NewLimit
from node.risk.register.rules_register import RiskType
from node.risk.register.service import NewRisk
from tests.support.risk import enter_limit

KEY = re.compile(r'name="key" value="([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskDesk:
    """What was entered, by its keys."""

    order_id: int
    limit_id: int
    letter_id: int
    promise_id: int
    run_id: int
    risk_id: int


def find_key(page: str) -> str:
    """Return the key that the forms of a page carry."""
    found = KEY.search(page)
    assert found is not None
    return found[1]


def give_limit(node: Node, customer_id: int, limit_minor: int, *, currency: str = "EUR") -> int:
    """Let a decision hold."""
    policy = read_preset_decision_policy()
    with node.local.database.write() as uow:
        return enter_limit(
            uow.connection,
            customer_id,
            policy=policy,
            limit_minor=limit_minor,
            currency=currency,
            on=date(2026, 1, 1),
            valid_until=date(2026, 12, 31),
            outcome=Outcome.CREDIT,
            at_ms=1,
        )


def order(
    node: Node,
    customer_id: int,
    number: str,
    minor: int,
    *,
    currency: str = "EUR",
    key: str = "first",
) -> int:
    """Check an order; return its key."""
    request = CheckRequest(
        point=CheckPoint.ORDER,
        customer_id=customer_id,
        number=number,
        currency=currency,
        amount_minor=minor,
    )
    answer = node.local.risk.checks.check(request, key=f"{key} of {number}", by="erp")
    return int(answer["order"])


def invoice(node: Node, customer_id: int, number: str, minor: int, *, due_on: date) -> int:
    """Enter an invoice in euros; return its item."""
    (item_id,) = node.local.ledger.enter_debit(
        NewDebit(
            customer_id=customer_id,
            kind=ItemKind.INVOICE,
            document_no=number,
            happened_on=due_on - timedelta(days=30),
            currency="EUR",
            terms=(Term(due_on=due_on, amount_minor=minor),),
        ),
        by="erp",
    )
    return item_id


def ask_limit(node: Node, customer_id: int, minor: int, *, by: str = "Zhang") -> int:
    """Ask for a temporary limit; return its entry."""
    entry = node.local.risk.limits.request(
        NewLimit(
            kind=LimitKind.TEMPORARY,
            customer_id=customer_id,
            currency="EUR",
            amount_minor=minor,
            first_on=date(2026, 6, 1),
            last_on=date(2026, 8, 31),
            reason="summer season",
        ),
        by=by,
    )
    return entry.entry_id


def promise(node: Node, customer_id: int, item_id: int, minor: int, *, due_on: date) -> int:
    """Enter a promise made in May; return its key."""
    made = NewPromise(
        customer_id=customer_id,
        item_ids=(item_id,),
        amount_minor=minor,
        promised_on=date(2026, 5, 20),
        due_on=due_on,
    )
    return node.local.promises.enter(made, by="Wu")


def add_rate(node: Node) -> None:
    """Enter what a euro is in yuan on the business date."""
    local = node.local
    rate = ExchangeRate(
        base="EUR", quote="CNY", on=local.business_date(), rate_nano=7_800_000_000, source="test"
    )
    with local.database.write() as uow:
        RateStore(uow.connection).append(rate, by="Zhang", at_ms=local.clock.now_ms())


def furnish_risk(node: Node, customer_id: int) -> RiskDesk:
    """Let a customer be over its limit, late, reminded, provided for and in the register."""
    local = node.local
    held = ask_limit(node, customer_id, 500_000)
    for role, name in ((Role.CREDIT_MANAGER, "Wang"), (Role.CFO, "Qian")):
        token = local.people.create_token(role=role, name=name, life_s=3_600).token
        local.risk.limits.approve(held, actor=local.people.get_principal(token))
    late = invoice(node, customer_id, "LATE-1", 300_000, due_on=date(2026, 4, 15))
    owed = invoice(node, customer_id, "LATE-2", 150_000, due_on=date(2026, 6, 1))
    broken = promise(node, customer_id, late, 300_000, due_on=date(2026, 6, 15))
    promise(node, customer_id, owed, 150_000, due_on=local.business_date())
    order_id = order(node, customer_id, "SO-1", 200_000)
    limit_id = ask_limit(node, customer_id, 900_000)
    local.risk.releases.ask(order_id, reason="good customer", by="Sun")
    local.losses.dunning.run(by="Wu")
    letters = local.losses.dunning.list_letters()
    runs = local.losses.provisions.run(by="Zhang")
    add_rate(node)
    local.rating.rate_customer(customer_id, as_of=local.business_date())
    local.losses.register.refresh(by="Zhang")
    risk_id = local.losses.register.enter(
        NewRisk(
            risk_type=RiskType.FRAUD,
            title="bank details changed by mail",
            owner="Wu",
            controls="call back",
            review_on=date(2026, 9, 30),
            currency="EUR",
            exposure_minor=1_000_000,
            likelihood_ppm=50_000,
            lgd_ppm=1_000_000,
            customer_id=customer_id,
        ),
        by="Zhang",
    )
    return RiskDesk(
        order_id=order_id,
        limit_id=limit_id,
        letter_id=next(one.letter_id for one in letters if one.content.customer_id == customer_id),
        promise_id=broken,
        run_id=next(one.run_id for one in runs if one.content.currency == "EUR"),
        risk_id=risk_id,
    )
