"""Signals: what each detector finds, how points decay, and what they add up to."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from node.assessment.outside_evidence import ListFacts
from node.assessment.policy_outside import PublicList
from node.records.rules_ledger import ItemKind
from node.records.rules_promise import PromiseState
from node.risk.facts.records import (
    CustomerFacts,
    EnteredSignal,
    OwedItem,
    Payment,
    PeerChange,
)
from node.risk.policies.policy import Points
from node.risk.policies.signals import SignalRule
from node.risk.rules.judged import Source, find_worst
from node.risk.rules_finding import RiskStatus
from node.risk.signals.rules_detect import detect
from node.risk.signals.rules_points import (
    SignalHit,
    WeighedSignal,
    judge_signals,
    sum_points,
    weigh,
    weigh_best,
)
from tests.unit.risk.builders import (
    AS_OF,
    BODY,
    POLICY,
    ago,
    disputed,
    facts,
    ledger,
    owed,
    paid,
    payment,
    promise,
)

K = 100_000


def find(found: CustomerFacts) -> dict[str, SignalHit]:
    return {one.signal: one for one in detect(found, BODY).hits}


def get_rule(name: str) -> SignalRule:
    rule = POLICY.find_signal(name)
    assert rule is not None
    return rule


@pytest.mark.parametrize(
    ("age", "milli"),
    [(0, 2_000), (-3, 2_000), (30, 1_500), (59, 1_017), (60, 1_000), (90, 750), (120, 500),
     (179, 255), (180, 0), (9_999, 0)],
)  # fmt: skip
def test_points_are_halved_each_half_life_and_end(age: int, milli: int) -> None:
    assert weigh(get_rule("part-payments"), age_days=age) == milli  # 2 points, 60 days, 180 days


@pytest.mark.parametrize("rule", BODY.signals, ids=lambda one: one.id)
def test_no_signal_gains_points_with_age(rule: SignalRule) -> None:
    weights = [weigh(rule, age_days=age) for age in range(rule.end_days + 2)]

    assert weights == sorted(weights, reverse=True)
    assert weights[0] == rule.points * 1_000
    assert weights[-1] == 0


def hit(name: str, days: int = 0, source: Source = Source.PERSON) -> SignalHit:
    return SignalHit(signal=name, happened_on=ago(days), source=source, cause=f"signal:{name}")


def judge(*hits: SignalHit) -> tuple[list[str], int]:
    weighed = weigh_best(hits, BODY, as_of=AS_OF)
    judged = judge_signals(weighed, BODY.points)
    return [one.finding.status.value for one in judged.found], sum_points(weighed)


def test_three_points_are_amber_and_six_are_red() -> None:
    assert judge(hit("no-answer")) == ([], 2_000)
    assert judge(hit("no-answer"), hit("new-bank")) == (["watch"], 3_000)
    assert judge(hit("no-answer", 1), hit("new-bank")) == ([], 2_967)  # a day old
    assert judge(hit("no-answer"), hit("longer-terms"), hit("new-bank")) == (["watch"], 5_000)
    six = (hit("no-answer"), hit("longer-terms"), hit("new-bank"), hit("officer-change"))
    assert judge(*six) == (["hold"], 6_000)


def test_the_same_signal_twice_counts_once_and_one_of_no_policy_not_at_all() -> None:
    assert judge(hit("no-answer", 10), hit("no-answer")) == ([], 2_000)
    assert judge(hit("of-another-policy")) == ([], 0)


def test_what_peers_have_told_counts_apart() -> None:
    own = WeighedSignal(hit=hit("no-answer"), points_milli=2_000)
    peers = WeighedSignal(hit=hit("peer-worse", source=Source.PEERS), points_milli=2_000)

    judged = judge_signals([own, peers], Points(amber_points=3, red_points=6))

    assert [(one.source, dict(one.finding.values)) for one in judged.found] == [
        (Source.PEERS, {"signals": 2})
    ]
    assert judged.values == {"points_milli": 2_000}
    assert find_worst([judged]) is RiskStatus.WATCH
    assert find_worst([judged], with_peers=False) is RiskStatus.OK


def test_of_what_nothing_is_known_no_detector_finds_anything_and_says_so() -> None:
    detected = detect(CustomerFacts(customer_id=1, as_of=AS_OF), BODY)

    assert detected.hits == ()
    assert set(detected.unknown) == {one.id for one in BODY.signals if one.detector is not None}


def test_a_customer_who_pays_in_time_gives_no_signal() -> None:
    items = [
        owed(1_234 + n, ago(20 + 30 * n), paid(1_234 + n, ago(20 + 30 * n))) for n in range(12)
    ]
    assert find(facts(*items)) == {}


NEWEST, BEFORE = date(2026, 5, 20), date(2026, 2, 20)


def pay(last: date, delay: int, *, count: int = 3) -> list[OwedItem]:
    return [
        owed(1_001, last - timedelta(days=n), paid(1_001, last + timedelta(days=delay - n)))
        for n in range(count)
    ]


def test_early_before_and_on_time_now_is_drift() -> None:
    drifted = find(facts(*pay(BEFORE, -5), *pay(NEWEST, 0)))["drift"]

    assert drifted.happened_on == date(2026, 5, 31)
    assert drifted.values["early_permille"] == 1_000
    assert drifted.values["early_now_permille"] == 0
    assert "drift" not in find(facts(*pay(BEFORE, -5), *pay(NEWEST, -1)))
    assert "drift" not in find(facts(*pay(BEFORE, 5), *pay(NEWEST, 5)))
    assert "drift" in find(facts(*pay(BEFORE, 0), *pay(NEWEST, 15)))
    assert "drift" not in find(facts(*pay(BEFORE, 0), *pay(NEWEST, 15, count=2)))


def part(days: int) -> OwedItem:
    return owed(1_001, ago(days + 5), paid(500, ago(days)), paid(501, ago(max(days - 9, 0))))


@pytest.mark.parametrize(
    ("days", "is_found"),
    [((10, 20), True), ((10,), False), ((10, 61), False), ((10, 20, 100), False),
     ((10, 20, 241), True)],
)  # fmt: skip
def test_part_payments_are_a_signal_where_there_were_none(
    days: tuple[int, ...],
    is_found: bool,  # noqa: FBT001  a column of a table
) -> None:
    found = find(facts(*(part(one) for one in days)))

    assert ("part-payments" in found) is is_found


def test_an_invoice_made_smaller_by_a_credit_note_is_not_paid_in_part() -> None:
    credited = [
        owed(1_001, ago(20), paid(1, ago(19), kind=ItemKind.CREDIT_NOTE), paid(1_000, ago(18)))
        for _ in range(3)
    ]
    assert "part-payments" not in find(facts(*credited))


def test_round_sums_that_pay_no_invoice_exactly() -> None:
    exact = owed(K, ago(30), paid(K, ago(20), credit=71))
    open_item = owed(9_999_999, ago(1), paid(K, ago(9), credit=72), paid(K, ago(8), credit=73))
    on_account = payment(2 * K, ago(3), item_id=74)
    some = [payment(K, ago(20 - n), item_id=71 + n) for n in range(3)]

    def look(*payments: Payment) -> SignalHit | None:
        found = CustomerFacts(
            customer_id=1,
            as_of=AS_OF,
            ledger=ledger(exact, open_item, payments=payments),
        )
        return find(found).get("round-sums")

    found = look(*some, on_account)
    assert found is not None
    assert found.evidence == ("item:72", "item:73", "item:74")
    assert look(some[0], some[1]) is None  # the first one is an invoice's
    assert look(payment(K + 1, ago(3)), payment(K + 2, ago(2))) is None


def test_small_invoices_paid_while_a_large_one_waits() -> None:
    large = owed(50_000, ago(40))
    small = [owed(9_999, ago(30 - n), paid(9_999, ago(20 - n))) for n in range(2)]

    assert find(facts(large, *small))["small-paid"].evidence[0] == f"item:{large.item_id}"
    assert "small-paid" not in find(facts(large, small[0]))
    disputed_one = owed(50_000, ago(40), disputes=(disputed(50_000, ago(30)),))
    assert "small-paid" not in find(facts(disputed_one, *small))
    before = [owed(9_999, ago(41 + n), paid(9_999, ago(20))) for n in range(2)]
    assert "small-paid" not in find(facts(large, *before))  # they fell due before it
    assert "small-paid" not in find(facts(owed(49_000, ago(40)), *small))


@pytest.mark.parametrize(
    ("newer", "is_found"),
    [(1_000, False), (2_499, False), (2_500, True), (301, False), (300, True), (0, True)],
)
def test_sales_that_spike_or_collapse(newer: int, is_found: bool) -> None:  # noqa: FBT001
    # Nine months of 1,000 a quarter against the newest quarter.
    older = [owed(500, ago(10), on=date(2025, 6 + n, 15)) for n in range(6)]
    newest = [owed(newer, ago(10), on=date(2026, 4, 15))] if newer else []

    assert ("volume" in find(facts(*older, *newest))) is is_found
    assert "volume" not in find(facts(*older[1:], *newest))  # too few to compare with


def test_disputes_promises_accounts_lists_and_peers_are_found_with_their_day() -> None:
    late = owed(900, ago(40), disputes=(disputed(900, ago(5)),))
    early = owed(900, AS_OF, disputes=(disputed(900, ago(9)),))
    listed = ListFacts(
        list=PublicList.TAX_ARREARS, check_id=6, checked_on=AS_OF, entries=((ago(12), None),)
    )
    worse = PeerChange(ref="m", received_on=ago(7), is_worse=True, index_drop=None)
    found = find(
        facts(
            late,
            early,
            promises=(promise(ago(3)), promise(ago(70), PromiseState.PARTLY_KEPT)),
            accounts_end=ago(546),
            lists=(listed,),
            peers=(worse,),
        )
    )

    days = {name: (AS_OF - one.happened_on).days for name, one in found.items()}
    assert days == {
        "broken-promise": 3,
        "new-dispute": 9,
        "late-dispute": 5,
        "accounts-delayed": 1,
        "public-list": 12,
        "peer-worse": 7,
    }
    assert found["broken-promise"].level == 2
    assert found["peer-worse"].is_of_peers
    assert "accounts-delayed" not in find(facts(accounts_end=ago(545)))


def test_what_a_person_enters_has_a_cause_of_its_own() -> None:
    entries = tuple(
        EnteredSignal(entry_id=key, signal="no-answer", happened_on=ago(5)) for key in (3, 4)
    )
    to_come = EnteredSignal(entry_id=5, signal="no-answer", happened_on=AS_OF + timedelta(days=1))

    detected = detect(facts(entered=(*entries, to_come)), BODY)

    assert [one.cause for one in detected.hits] == ["signal:no-answer:3", "signal:no-answer:4"]
