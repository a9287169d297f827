"""Facts of one customer on one day, and short ways to build them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from node.records.rules_ledger import ItemKind
from node.records.rules_promise import JudgedPromise, Promise, PromiseState
from node.risk.facts.records import (
    Applied,
    ApprovalFacts,
    CustomerFacts,
    Disputed,
    LedgerFacts,
    LimitFacts,
    OwedItem,
    Payment,
    RatingFacts,
)
from node.risk.facts.rules_quarters import build_quarters
from node.risk.policies.policy import Exclusion, RiskPolicyBody, read_preset_risk_policy
from node.risk.rules.judged import Judged
from node.risk.rules.rules_thirteen import judge_all

AS_OF = date(2026, 6, 30)
POLICY = read_preset_risk_policy()
BODY = POLICY.body
_keys = iter(range(1, 1_000_000))


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def paid(minor: int, on: date, *, kind: ItemKind = ItemKind.PAYMENT, credit: int = 0) -> Applied:
    return Applied(
        credit_id=credit or next(_keys),
        kind=kind,
        paid_on=on,
        allocated_on=on,
        amount_minor=minor,
    )


def disputed(minor: int, on: date, closed_on: date | None = None) -> Disputed:
    return Disputed(dispute_id=next(_keys), amount_minor=minor, opened_on=on, closed_on=closed_on)


def owed(
    minor: int,
    due: date,
    *applied: Applied,
    on: date | None = None,
    kind: ItemKind = ItemKind.INVOICE,
    currency: str = "CNY",
    disputes: tuple[Disputed, ...] = (),
) -> OwedItem:
    return OwedItem(
        item_id=next(_keys),
        kind=kind,
        currency=currency,
        amount_minor=minor,
        happened_on=on or due - timedelta(days=30),
        due_on=due,
        due_business_on=due,
        applied=applied,
        disputes=disputes,
    )


def payment(minor: int, on: date, *, item_id: int = 0) -> Payment:
    return Payment(item_id=item_id or next(_keys), currency="CNY", paid_on=on, amount_minor=minor)


def ledger(*items: OwedItem, payments: tuple[Payment, ...] = ()) -> LedgerFacts:
    return LedgerFacts(items=items, payments=payments)


def facts(*items: OwedItem, **members: Any) -> CustomerFacts:  # noqa: ANN401  of any fact
    """A customer with a ledger of these items, and everything else not known."""
    owed = ledger(*items)
    quarters = build_quarters(owed, as_of=AS_OF)
    return CustomerFacts(customer_id=1, as_of=AS_OF, ledger=owed, quarters=quarters, **members)


def limit(limit_minor: int | None, exposure_minor: int | None, **members: Any) -> LimitFacts:  # noqa: ANN401  of any fact
    return LimitFacts(
        currency="CNY",
        is_assessed=members.pop("is_assessed", True),
        limit_minor=limit_minor,
        exposure_minor=exposure_minor,
        **members,
    )


def rating(grade: str, *, valid_until: date | None = date(2027, 1, 1)) -> RatingFacts:
    return RatingFacts(rating_id=5, grade_own=grade, grade=grade, valid_until=valid_until)


def approval(
    *, terms_days: int = 30, on: date = date(2026, 1, 31), until: date | None = None
) -> ApprovalFacts:
    return ApprovalFacts(decision_id=9, approved_on=on, terms_days=terms_days, valid_until=until)


def promise(due: date, state: PromiseState = PromiseState.BROKEN) -> JudgedPromise:
    return JudgedPromise(
        promise=Promise(
            promise_id=next(_keys),
            customer_id=1,
            currency="CNY",
            amount_minor=100,
            promised_on=due,
            due_on=due,
            due_business_on=due,
            item_ids=(1,),
            entered_by="li",
            entered_at_ms=0,
        ),
        kept_minor=0,
        state=state,
    )


def judge(found: CustomerFacts, body: RiskPolicyBody = BODY) -> dict[str, Judged]:
    """What came of each rule."""
    return {str(one.rule): one for one in judge_all(found, body, ())}


def exclude(*exclusions: Exclusion) -> RiskPolicyBody:
    return replace_body(exclusions=exclusions)


def replace_body(**members: Any) -> RiskPolicyBody:  # noqa: ANN401  of any fact
    return BODY.model_copy(update=members)
