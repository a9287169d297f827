"""R1 to R13: each worked case, each edge, and what users of other systems complain of."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from node.assessment.outside_evidence import ListFacts
from node.assessment.policy_outside import PublicList
from node.records.behaviour import AdverseEvent
from node.records.rules_ledger import ItemKind
from node.records.rules_promise import PromiseState
from node.risk.facts.records import (
    Applied,
    ContractFacts,
    CustomerFacts,
    GroupMember,
    LimitFacts,
    OrderFacts,
    OwedItem,
    PeerChange,
)
from node.risk.policies.policy import Exclusion, RuleId
from node.risk.rules.judged import Outcome, find_worst, list_counting
from node.risk.rules.rules_other import judge_group
from node.risk.rules.rules_thirteen import judge_all
from node.risk.rules_finding import RiskStatus
from tests.unit.risk.builders import (
    AS_OF,
    BODY,
    ago,
    approval,
    disputed,
    exclude,
    facts,
    judge,
    limit,
    owed,
    paid,
    promise,
    rating,
)

F, P, N, H = Outcome.FOUND, Outcome.PASSED, Outcome.NOT_COMPUTABLE, Outcome.PARTLY
NOTHING = CustomerFacts(customer_id=1, as_of=AS_OF)
K = 100_000  # a thousand yuan in fen


def test_of_somebody_of_whom_nothing_is_known_no_rule_has_passed() -> None:
    """erpnext #31597: what has no data is no good news."""
    judged = judge(NOTHING)

    outcomes = {name: one.outcome for name, one in judged.items() if name not in {"R13", "plan"}}
    assert set(outcomes.values()) == {Outcome.NOT_COMPUTABLE}
    assert all(judged[name].missing for name in outcomes)
    assert find_worst(list(judged.values())) is RiskStatus.OK


def test_the_rules_are_listed_in_their_order_and_the_most_severe_wins() -> None:
    """D365: rules ran in an order that nobody saw."""
    found = facts(owed(5 * K, ago(40)), limit=limit(4 * K, 5 * K), rating=rating("BBB"))
    judged = judge_all(found, BODY, ())

    assert [str(one.rule) for one in judged] == [*(f"R{n}" for n in range(1, 14)), "plan"]
    counting = list_counting(judged)
    assert [str(one.finding.rule) for one in counting] == ["R1", "R2", "R3", "R4"]
    assert [one.finding.status.value for one in counting] == ["hold", "watch", "hold", "watch"]
    assert find_worst(judged) is RiskStatus.HOLD


@pytest.mark.parametrize(
    ("found", "r1", "r2"),
    [
        pytest.param(limit(1_000, 1_000), P, F, id="just used up"),
        pytest.param(limit(1_000, 1_001), F, F, id="a fen over"),
        pytest.param(limit(1_000, 900), P, F, id="nine tenths"),
        pytest.param(limit(10_000, 8_999), P, P, id="just below nine tenths"),
        pytest.param(limit(0, 0), P, P, id="prepayment, nothing open"),
        pytest.param(limit(0, 1), F, P, id="prepayment, and something is open"),
        pytest.param(limit(None, 5, is_assessed=False), F, N, id="never assessed is no limit of 0"),
        pytest.param(limit(None, 0, is_assessed=False), P, N, id="never assessed and owes nothing"),
        pytest.param(
            limit(None, 0, is_assessed=False, without_rate=("EUR",)),
            F,
            N,
            id="never assessed and owes what has no rate",
        ),
        pytest.param(limit(1_000, 100, without_rate=("EUR",)), H, H, id="a part has no rate"),
        pytest.param(limit(1_000, 1_001, without_rate=("EUR",)), F, F, id="the rest is over"),
        pytest.param(limit(1_000, None), N, N, id="exposure not known"),
        pytest.param(None, N, N, id="limit not known"),
    ],
)
def test_r1_r2(found: LimitFacts | None, r1: Outcome, r2: Outcome) -> None:
    """erpnext takes 0 for no limit; here 0 is prepayment, and no decision is no credit."""
    judged = judge(facts(limit=found))

    assert (judged["R1"].outcome, judged["R2"].outcome) == (r1, r2)


@pytest.mark.parametrize(
    ("items", "grade", "is_found"),
    [
        pytest.param([owed(5 * K, ago(15))], "A", False, id="15 days are borne of an A"),
        pytest.param([owed(5 * K, ago(16))], "A", True, id="16 are not"),
        pytest.param([owed(5 * K, ago(30))], "AAA", False, id="30 of an AAA"),
        pytest.param([owed(5 * K, ago(31))], "AAA", True, id="31 are not"),
        pytest.param([owed(5 * K, ago(1))], "BBB", True, id="none of a BBB"),
        pytest.param([owed(5 * K, ago(1))], None, True, id="none without a grade"),
        pytest.param([owed(5 * K, AS_OF)], "BBB", False, id="due today is not late"),
        pytest.param([owed(K, ago(90))], "BBB", False, id="a small amount"),
        pytest.param([owed(K + 1, ago(90))], "BBB", True, id="a fen above it"),
        pytest.param([owed(K, ago(90)), owed(1, ago(80))], "BBB", True, id="small ones together"),
        pytest.param(
            [owed(K, ago(90)), owed(5 * K, ago(5))], "A", False, id="what is late enough is small"
        ),
        pytest.param(
            [owed(5 * K, ago(90), disputes=(disputed(5 * K, ago(20)),))], "BBB", False,
            id="in dispute",
        ),
        pytest.param(
            [owed(5 * K, ago(90), disputes=(disputed(5 * K, ago(20), ago(2)),))], "BBB", True,
            id="the dispute has ended",
        ),
        pytest.param([owed(5 * K, ago(90), paid(4 * K, ago(9)))], "BBB", False, id="nearly paid"),
        pytest.param(
            [owed(5 * K, ago(90), kind=ItemKind.OPENING)], "BBB", True, id="owed since before"
        ),
        pytest.param([owed(50_000, ago(90), currency="JPY")], "BBB", True, id="no small amount"),
    ],
)  # fmt: skip
def test_r3_age_amount_and_grade_decide_together(
    items: list[OwedItem],
    grade: str | None,
    is_found: bool,  # noqa: FBT001  a column of a table
) -> None:
    """erpnext #37326, #52960: a count of overdue invoices is a bad rule."""
    judged = judge(facts(*items, rating=None if grade is None else rating(grade)))

    assert (judged["R3"].outcome is F) is is_found


def test_100_a_day_late_is_not_20_000_since_last_year() -> None:
    small, large = owed(10_000, ago(1)), owed(2_000_000, ago(200))
    assert judge(facts(small))["R3"].outcome is P
    (found,) = judge(facts(small, large, rating=rating("A")))["R3"].found

    assert found.finding.values["overdue_minor"] == 2_000_000
    assert found.finding.values["days"] == 200
    assert found.evidence == (f"item:{large.item_id}",)


@pytest.mark.parametrize(
    ("items", "is_found"),
    [
        pytest.param([owed(2 * K, ago(3)), owed(8 * K, AS_OF)], False, id="exactly a fifth"),
        pytest.param([owed(2 * K + 1, ago(3)), owed(8 * K, AS_OF)], True, id="a fen more"),
        pytest.param([owed(K, ago(3))], False, id="all of it, but a small amount"),
        pytest.param(
            [owed(5 * K, ago(3), disputes=(disputed(5 * K, ago(1)),)), owed(5 * K, AS_OF)], False,
            id="what is in dispute is on neither side",
        ),
        pytest.param(
            [owed(9 * K, AS_OF), owed(2 * K, ago(3), currency="USD")], True,
            id="one currency does not cover another",
        ),
        pytest.param([], False, id="nothing is open"),
    ],
)  # fmt: skip
def test_r4(items: list[OwedItem], is_found: bool) -> None:  # noqa: FBT001
    """odoo #162770: amounts of two currencies are not added up."""
    assert (judge(facts(*items))["R4"].outcome is F) is is_found


@pytest.mark.parametrize(("level", "outcome"), [(None, N), (2, P), (3, F), (4, F)])
def test_r5(level: int | None, outcome: Outcome) -> None:
    assert judge(facts(dunning_level=level))["R5"].outcome is outcome


def test_r6_what_has_expired_is_named_and_what_is_not_known_too() -> None:
    fine = facts(
        limit=limit(9, 1, valid_until=AS_OF),
        approval=approval(until=AS_OF),
        rating=rating("A", valid_until=AS_OF),
    )
    assert judge(fine)["R6"].outcome is P  # each holds on its last day

    late = judge(facts(approval=approval(until=ago(1)), rating=rating("A", valid_until=ago(3))))
    causes = [one.cause for one in late["R6"].found]
    assert (causes, late["R6"].missing) == (["R6:decision", "R6:rating"], ("limit",))

    one = judge(facts(rating=rating("A")))["R6"]
    assert (one.outcome, one.missing) == (H, ("limit", "decision"))


@pytest.mark.parametrize(
    ("items", "contracts", "causes"),
    [
        pytest.param([owed(1, date(2026, 4, 30), on=date(2026, 3, 31))], (), [], id="as approved"),
        pytest.param(
            [owed(1, date(2026, 5, 1), on=date(2026, 3, 31))], (), ["R7:days"], id="a day more"
        ),
        pytest.param(
            [owed(1, date(2026, 6, 1), on=date(2026, 1, 31))], (), [],
            id="of the day on which it was approved",
        ),
        pytest.param(
            [], (ContractFacts(
                paper_id=4, signed_on=ago(9), days_net=45, discount_centipercent=0),),
            ["R7:days"], id="a contract since",
        ),
        pytest.param(
            [], (
                ContractFacts(
                    paper_id=3, signed_on=ago(400), days_net=90, discount_centipercent=100),
                ContractFacts(
                    paper_id=4, signed_on=ago(9), days_net=30, discount_centipercent=200),
            ), ["R7:discount"], id="a larger discount since",
        ),
    ],
)  # fmt: skip
def test_r7(items: list[OwedItem], contracts: tuple[ContractFacts, ...], causes: list[str]) -> None:
    found = judge(facts(*items, approval=approval(), contracts=contracts))["R7"]

    assert [one.cause for one in found.found] == causes


def order(amount_minor: int, highest_minor: int | None, order_id: int = 1) -> OrderFacts:
    return OrderFacts(
        order_id=order_id,
        currency="CNY",
        amount_minor=amount_minor,
        highest_minor=highest_minor,
    )


@pytest.mark.parametrize(
    ("orders", "outcome"),
    [
        pytest.param(None, N, id="orders not known"),
        pytest.param((), P, id="none open"),
        pytest.param((order(900, None),), N, id="nothing before it"),
        pytest.param((order(200, 100),), P, id="twice"),
        pytest.param((order(201, 100),), F, id="more than twice"),
        pytest.param((order(200, 100), order(900, None)), H, id="one of two cannot be compared"),
    ],
)
def test_r8(orders: tuple[OrderFacts, ...] | None, outcome: Outcome) -> None:
    assert judge(facts(limit=limit(1, 1, orders=orders)))["R8"].outcome is outcome


def test_each_order_that_is_too_large_is_a_cause_by_itself() -> None:
    orders = (order(201, 100, 4), order(9, 100, 5), order(300, 100, 6))

    found = judge(facts(limit=limit(1, 1, orders=orders)))["R8"].found

    assert [one.cause for one in found] == ["R8:4", "R8:6"]


def quarter(last: date, delay: int, *, count: int = 3) -> list[OwedItem]:
    return [
        owed(1_000, last - timedelta(days=n), paid(1_000, last + timedelta(days=delay - n)))
        for n in range(count)
    ]


NEWEST, BEFORE, FIRST = date(2026, 5, 20), date(2026, 2, 20), date(2025, 11, 20)


@pytest.mark.parametrize(
    ("items", "outcome"),
    [
        # Payment index 80 on the day, 70 fifteen days late: domain.md 2.1.
        pytest.param(quarter(NEWEST, 15) + quarter(BEFORE, 0), F, id="ten points in a quarter"),
        pytest.param(quarter(NEWEST, 15) + quarter(FIRST, 0), F, id="ten points in two"),
        pytest.param(quarter(NEWEST, 14) + quarter(BEFORE, 0), H, id="nine and a bit"),
        pytest.param(quarter(NEWEST, 15, count=2) + quarter(BEFORE, 0), N, id="too few invoices"),
        pytest.param(quarter(NEWEST, 15), N, id="nothing to compare with"),
        pytest.param(
            quarter(NEWEST, 15) + quarter(BEFORE, 15) + quarter(FIRST, 0), F, id="slow, but fell"
        ),
    ],
)
def test_r9_own(items: list[OwedItem], outcome: Outcome) -> None:
    assert judge(facts(*items))["R9"].outcome is outcome


def test_r9_of_peers_names_messages_and_no_figures() -> None:
    told = PeerChange(ref="abc", received_on=ago(4), is_worse=True, index_drop=10)
    judged = judge(facts(peers=(told,)))
    (found,) = judged["R9"].found

    assert found.is_of_peers
    assert found.finding.values == {"peers": 1}
    assert found.evidence == ("message:abc",)
    assert find_worst(list(judged.values())) is RiskStatus.WATCH
    assert find_worst(list(judged.values()), with_peers=False) is RiskStatus.OK
    less = PeerChange(ref="abc", received_on=ago(4), is_worse=True, index_drop=9)
    assert judge(facts(peers=(less,)))["R9"].outcome is H


def bill(due: date, *applied: Applied, kind: ItemKind = ItemKind.BILL) -> OwedItem:
    return owed(100, due, *applied, kind=kind)


def dishonoured(due: date) -> OwedItem:
    return bill(due, paid(100, due + timedelta(days=1), kind=ItemKind.BILL_RECEIVED))


@pytest.mark.parametrize(
    ("items", "case", "status"),
    [
        pytest.param([], None, None, id="none"),
        pytest.param([bill(ago(5), paid(100, ago(5)))], None, None, id="paid on its day"),
        pytest.param([bill(AS_OF + timedelta(days=9))], None, None, id="not mature"),
        pytest.param([bill(ago(5))], "dishonoured", "watch", id="overdue"),
        pytest.param([bill(ago(5), paid(100, ago(4)))], "dishonoured", "watch", id="paid late"),
        pytest.param([dishonoured(ago(9))], "dishonoured", "watch", id="dishonoured"),
        pytest.param(
            [bill(ago(9), kind=ItemKind.RECOURSE)], "dishonoured", "watch", id="came back"
        ),
        pytest.param([bill(ago(5), paid(100, ago(30), kind=ItemKind.BILL_ENDORSED))], None, None,
            id="passed on"),
        pytest.param(
            [dishonoured(ago(n)) for n in (3, 4, 5)], "overdue", "hold", id="three in a month"
        ),
        pytest.param(
            [dishonoured(ago(n)) for n in (3, 4, 190)], "dishonoured", "watch",
            id="two, and one too long ago",
        ),
        pytest.param(
            [dishonoured(date(2026, 4, n)) for n in (3, 4, 5)], "persistent", "hold",
            id="three since April: overdue in April, May and June",
        ),
        pytest.param(
            [dishonoured(date(2026, 5, n)) for n in (6, 7, 8)], "overdue", "hold",
            id="three since May: two months",
        ),
    ],
)  # fmt: skip
def test_r10_steps_of_the_commercial_paper_exchange(
    items: list[OwedItem], case: str | None, status: str | None
) -> None:
    found = judge(facts(*items))["R10"].found

    assert [(one.finding.values["case"], one.finding.status.value) for one in found] == (
        [] if case is None else [(case, status)]
    )


def look(name: PublicList, *entries: tuple[date, date | None], on: date = AS_OF) -> ListFacts:
    return ListFacts(list=name, check_id=3, checked_on=on, entries=entries)


def test_r11_an_entry_is_found_and_what_was_not_looked_into_is_not_clean() -> None:
    """OSINT-Framework #743: say what was checked."""
    dishonest = look(PublicList.DISHONEST_DEBTOR, (ago(40), None))
    removed = look(PublicList.SANCTIONS, (ago(40), ago(2)))
    stale = look(PublicList.TAX_ARREARS, on=ago(181))

    judged = judge(facts(lists=(dishonest, removed, stale), adverse=()))["R11"]

    assert [one.cause for one in judged.found] == ["R11:dishonest-debtor"]
    assert judged.found[0].evidence == ("list-check:3",)
    assert judged.missing == (
        "list.serious-violations",
        "list.tax-arrears",
        "list.abnormal-operations",
    )


def test_r11_passes_where_every_list_was_looked_into() -> None:
    lists = tuple(look(name) for name in PublicList)
    assert judge(facts(lists=lists, adverse=()))["R11"].outcome is P
    assert judge(facts(lists=lists))["R11"].outcome is H

    insolvent = AdverseEvent(kind="insolvency", happened_on=ago(3), settled=False)
    (found,) = judge(facts(lists=lists, adverse=(insolvent,)))["R11"].found
    assert (found.cause, found.finding.status) == ("R11:insolvency", RiskStatus.HOLD)


@pytest.mark.parametrize(
    ("promises", "outcome"),
    [
        pytest.param(None, N, id="not known"),
        pytest.param((), P, id="none"),
        pytest.param((promise(ago(9)),), P, id="one broken"),
        pytest.param((promise(ago(9)), promise(ago(3))), F, id="two"),
        pytest.param((promise(ago(366)), promise(ago(3))), P, id="one too long ago"),
        pytest.param((promise(ago(365)), promise(ago(3))), F, id="one just within"),
        pytest.param(
            (promise(ago(9), PromiseState.PARTLY_KEPT), promise(ago(3))), F, id="a part is unkept"
        ),
        pytest.param((promise(ago(9), PromiseState.KEPT), promise(ago(3))), P, id="one kept"),
    ],
)
def test_r12(promises: tuple[object, ...] | None, outcome: Outcome) -> None:
    assert judge(facts(promises=promises))["R12"].outcome is outcome


def test_r13_a_member_on_hold_is_told_and_two_do_not_hold_each_other() -> None:
    held = GroupMember(customer_id=2, status=RiskStatus.HOLD)
    watched = GroupMember(customer_id=3, status=RiskStatus.WATCH)
    judged = judge_group((held, watched), BODY.rules)

    (found,) = judged.found
    assert (found.finding.status, found.evidence) == (RiskStatus.WATCH, ("customer:2",))
    assert judge_group((watched,), BODY.rules).outcome is P
    assert judge_group((), BODY.rules).outcome is P
    assert judge_group(None, BODY.rules).outcome is N


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        pytest.param({}, False, id="of this customer, today"),
        pytest.param({"customer": None}, False, id="of all"),
        pytest.param({"customer": 2}, True, id="of another"),
        pytest.param({"rule": RuleId.SHARE}, True, id="of another rule"),
        pytest.param({"until_day": "2026-06-29"}, True, id="it has ended"),
        pytest.param({"from_day": "2026-07-01", "until_day": "2026-07-02"}, True, id="to come"),
    ],
)
def test_an_exclusion_is_dated_has_an_owner_and_stays_listed(
    changes: dict[str, object],
    counts: bool,  # noqa: FBT001  a column of a table
) -> None:
    one = Exclusion(
        rule=RuleId.PROMISES,
        customer=1,
        from_day="2026-06-01",
        until_day="2026-06-30",
        owner="Li",
        reason="our own fault",
    ).model_copy(update=changes)
    broken = facts(promises=(promise(ago(9)), promise(ago(3))))

    judged = judge(broken, exclude(one))["R12"]

    assert judged.outcome is F  # never silent
    assert (judged.excluded is None) is counts
    if judged.excluded is not None:
        assert (judged.excluded.owner, judged.excluded.until) == ("Li", AS_OF)
    assert bool(list_counting([judged])) is counts


def test_a_broken_plan_of_payment_holds() -> None:
    judged = judge(facts(broken_plans=(4,)))["plan"]

    assert judged.found[0].finding.status is RiskStatus.HOLD
    assert judged.found[0].evidence == ("action:4",)
