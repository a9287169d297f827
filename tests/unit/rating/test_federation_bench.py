"""The bench of the federation's value: nothing from later, nothing lost that no rule takes away."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from node.rating.validation.discrimination import auc
from node.records.rules_behaviour import rate_item
from node.records.windows import first_day, last_day
from node.sharing.disclosure import DisclosurePolicy
from schemas.summary import DELAY_CLASSES, DelayClass, Section, Tier
from scripts.benches.rating_data import SPLIT, Invoice, Split, deal, make_invoices
from scripts.benches.rating_features import (
    Case,
    Row,
    build_smoother,
    describe_answers,
    describe_history,
)
from scripts.benches.rating_history import NO_EVIDENCE, Evidence, OverdueDays, build_histories
from scripts.benches.rating_judge import Releases, World, build_cases, build_world
from scripts.benches.rating_models import Resampler, measure
from scripts.benches.rating_releases import Chain, Grid, PairLedger, RelaxedPolicy, Rules
from scripts.benches.rating_variants import AS_RELEASED, UNCOARSENED, list_variants

SPLIT_2019 = Split(
    train_from=date(2019, 4, 1), train_until=date(2019, 8, 31), test_until=date(2019, 12, 31)
)
INVOICES = make_invoices(customers=24, members=4, seed=3)
DAYS = [date(2019, 1, 1) + timedelta(days=9 * number) for number in range(50)]
_GRAVE = DELAY_CLASSES.index(DelayClass.D16_30)


def count_plainly(invoices: Sequence[Invoice], day: date) -> Evidence:
    rated = [
        (one, found)
        for one in invoices
        if (found := rate_item(one.build_item(), as_of=day)) is not None
    ]
    late = [
        found
        for _, found in rated
        if found.delay_class not in {DelayClass.EARLY, DelayClass.IN_TERMS}
    ]
    return Evidence(
        invoices_milli=1000 * len(rated),
        late_milli=1000 * len(late),
        early_milli=1000 * sum(found.delay_class is DelayClass.EARLY for _, found in rated),
        grave_milli=1000 * sum(DELAY_CLASSES.index(found.delay_class) >= _GRAVE for found in late),
        late_days_milli=1000 * sum(max(0, found.delay_days) for found in late),
    )


def test_a_history_is_what_a_plain_recount_of_the_records_says() -> None:
    customers = sorted({one.customer for one in INVOICES})
    seen = NO_EVIDENCE

    for customer in customers:
        held = [one for one in INVOICES if one.customer == customer]
        found = build_histories(held, days=DAYS)
        overdue = OverdueDays(held)
        for day in DAYS:
            plain = count_plainly(held, day)
            open_late = [
                (day - one.due_business_on).days
                for one in held
                if one.issued_on <= day < one.paid_on and one.due_business_on < day
            ]
            seen = seen.add(plain)

            assert found[day].evidence == plain
            assert found[day].overdue_days == max(open_late, default=0)
            assert overdue.find(day) == max(open_late, default=None)
    assert min(seen.late_milli, seen.early_milli, seen.grave_milli) > 0


def describe(world: World, case: Case, rules: Rules) -> tuple[Row, Row, Row]:
    """Return everything a model may be told of a case but what the invoice says by itself."""
    day = case.invoice.asked_on
    answers = Releases(world).collect(rules)
    return (
        describe_history(case.own, day=day, prefix="own", smoother=world.smoother),
        describe_history(case.pooled, day=day, prefix="pooled", smoother=world.smoother),
        describe_answers(case, answers, contributors_min=1, smoother=world.smoother),
    )


def change_the_future(invoices: Sequence[Invoice], *, of: Invoice) -> list[Invoice]:
    """Return the same records up to the eve of an invoice, and all that comes later otherwise."""
    eve = of.asked_on
    changed = []
    for one in invoices:
        if one.document_no == of.document_no:
            changed.append(replace(one, paid_on=one.paid_on + timedelta(days=50)))
        elif one.issued_on > eve:
            continue
        elif one.paid_on > eve:
            changed.append(replace(one, paid_on=one.paid_on + timedelta(days=90)))
        else:
            changed.append(one)
    return changed


def rebuild(invoices: Sequence[Invoice], *, of: Invoice, like: World) -> tuple[World, Case]:
    """Look at one customer alone: of the others nothing is told in an answer about it."""
    invoices = [one for one in invoices if one.customer == of.customer]
    target = next(one for one in invoices if one.document_no == of.document_no)
    cases = build_cases([target], held=invoices)
    world = replace(like, invoices=invoices, train=(), test=cases)
    return world, cases[0]


@pytest.mark.parametrize("rules", [Rules(), UNCOARSENED], ids=["as released", "uncoarsened"])
def test_nothing_that_happens_later_reaches_an_invoice(rules: Rules) -> None:
    world = build_world(INVOICES, split=SPLIT_2019)
    # Bands are read by what was released until the training ended: before each of these.
    step = max(1, len(world.test) // 6)
    looked_at = world.test[::step]

    assert len(looked_at) > 5
    for case in looked_at:
        other, same = rebuild(
            change_the_future(INVOICES, of=case.invoice), of=case.invoice, like=world
        )
        before, known = rebuild(INVOICES, of=case.invoice, like=world)
        assert describe(before, known, rules) == describe(other, same, rules)


def test_what_happened_before_does_reach_it() -> None:
    """Else the test above could not fail."""
    world = build_world(INVOICES, split=SPLIT_2019)
    case = max(world.test, key=lambda one: one.pooled.evidence.invoices_milli)
    eve = case.invoice.asked_on
    past = [
        replace(one, paid_on=one.paid_on + timedelta(days=25))
        if one.paid_on < eve - timedelta(days=120)
        else one
        for one in INVOICES
    ]
    other, same = rebuild(past, of=case.invoice, like=world)
    before, known = rebuild(INVOICES, of=case.invoice, like=world)

    for mine, theirs in zip(
        describe(before, known, Rules()),
        describe(other, same, Rules()),
        strict=True,
    ):
        assert mine != theirs


def test_summaries_are_raw_histories_where_nothing_is_coarsened() -> None:
    """On the last day of a month whose invoices are due by then and paid on their day or later."""
    month = 2019 * 12 + 8
    asked_on = last_day(month)
    held = [
        replace(one, paid_on=max(one.paid_on, one.due_on))
        for one in INVOICES
        if one.due_on < first_day(month + 1)
    ]
    customers = sorted({one.customer for one in held})
    asked = [
        replace(
            held[0],
            document_no=f"ask-{customer}",
            customer=customer,
            member=0,
            issued_on=asked_on + timedelta(days=1),
        )
        for customer in customers
    ]
    world = replace(
        build_world(INVOICES, split=SPLIT_2019),
        invoices=held,
        test=build_cases(asked, held=[*held, *asked]),
    )
    answers = Releases(world).collect(UNCOARSENED)
    told_of = 0

    for case in world.test:
        told = answers.list_told(case.invoice.customer, day=asked_on, asking=0)
        both = case.own.evidence
        for _, one in told:
            both = both.add(one.evidence)
        told_of += bool(told)
        members = len(told) + bool(case.own_count)
        assert (both, members) == (case.pooled.evidence, case.pooled.contributors)
    assert told_of > 10


def test_rules_take_something_away() -> None:
    world = build_world(INVOICES, split=SPLIT_2019)
    plain, whole = (Releases(world).collect(rules) for rules in (Rules(), UNCOARSENED))
    tiers = {
        one.tier
        for by_member in plain.told.values()
        for row in by_member.values()
        for one in row
        if one is not None
    }

    assert tiers == {Tier.FULL, Tier.MIX, Tier.CLASS}
    for case in world.test:
        day, customer = case.invoice.asked_on, case.invoice.customer
        asking = case.invoice.member
        few = plain.list_told(customer, day=day, asking=asking)
        assert all(member != asking for member, _ in few)
        assert all(one.as_of <= day for _, one in few)
        assert len(few) <= len(whole.list_told(customer, day=day, asking=asking))


def test_a_class_of_few_is_renewed_by_one_invoice_only_where_the_rule_is_relaxed() -> None:
    first, second = (
        replace(
            INVOICES[0],
            document_no=f"few-{month}",
            issued_on=date(2019, month, 1),
            due_on=date(2019, month, 12),
            due_business_on=date(2019, month, 12),
            paid_on=date(2019, month, 12) + timedelta(days=late_days),
        )
        for month, late_days in ((2, 0), (4, 10))
    )
    months = [2019 * 12 + month for month in range(2, 5)]  # March to May
    chain = Chain(PairLedger([first, second]), grid=Grid(), months=months)

    def list_seen(policy: DisclosurePolicy) -> list[str | None]:
        outs = chain.list_out(subject="sim:few", asked_months=12, policy=policy)
        found = [None if one is None else one.summary.lateness for one in outs]
        return [None if one is None else one.seen for one in found]

    assert list_seen(DisclosurePolicy()) == ["none", "none", "none"]
    assert list_seen(RelaxedPolicy(is_class_renewed=True)) == ["none", "<=30", "<=30"]


def test_the_present_class_is_told_only_where_it_is_asked_for() -> None:
    world = build_world(INVOICES, split=SPLIT_2019)
    named, unnamed = (
        Releases(world).collect(Rules(sections=sections))
        for sections in (frozenset(Section), frozenset(Section) - {Section.OVERDUE_NOW})
    )
    found = [
        (days, unnamed.find_overdue(customer, member, day=day))
        for member, customer in named.ledgers
        for day in DAYS
        if (days := named.find_overdue(customer, member, day=day)) is not None
    ]

    assert {days for days, _ in found} <= {1, 31, 61, 91}
    assert found
    assert all(untold is None for _, untold in found)


def test_outcomes_that_were_not_over_teach_nothing() -> None:
    late = next(one for one in INVOICES if one.is_late)
    day = SPLIT.train_until
    due_before = replace(late, issued_on=day - timedelta(days=20), due_on=day - timedelta(days=1))
    due_then = replace(due_before, due_on=day)

    assert SPLIT.is_train(due_before)
    assert not SPLIT.is_train(due_then)  # nor one that is paid early: good ones alone are known
    assert not SPLIT.is_train(replace(due_then, paid_on=day - timedelta(days=9)))
    assert not SPLIT.is_test(due_before)
    assert SPLIT.is_test(replace(due_then, issued_on=day + timedelta(days=1)))


def test_smoothing_is_by_the_invoices_that_teach() -> None:
    on_time = [replace(one, paid_on=one.due_on) for one in INVOICES]

    assert build_smoother(on_time).prior == replace(NO_EVIDENCE, invoices_milli=2000)


def test_a_seed_deals_otherwise_and_the_same_each_time() -> None:
    plain, again, other = (deal(INVOICES, members=5, seed=seed) for seed in (0, 0, 1))

    assert plain == again
    assert plain != other


def test_areas_are_those_of_the_node_and_samples_draw_whole_customers() -> None:
    scores = [0.1, 0.4, 0.4, 0.8, 0.35, 0.9, 0.2, 0.4]
    outcomes = [False, True, False, True, False, True, True, False]
    customers = ["a", "a", "b", "b", "c", "c", "d", "d"]
    sampler = Resampler(customers, outcomes)
    areas = sampler.areas(scores)
    found = measure(areas)
    alone = Resampler(["a"] * 8, outcomes).areas(scores)

    assert areas[0] == pytest.approx(auc(scores, outcomes))
    assert found.low is not None
    assert found.high is not None
    assert found.low < areas[0] < found.high
    assert set(alone) == {areas[0]}  # One customer is drawn as a whole, always.


def test_a_difference_of_a_model_with_itself_is_none_in_every_sample() -> None:
    scores, outcomes = [0.1, 0.7, 0.3, 0.6], [False, True, True, False]
    sampler = Resampler(["a", "b", "c", "d"], outcomes)
    found = measure(sampler.areas(scores) - sampler.areas(scores))

    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_every_variant_has_a_name_of_its_own_and_the_first_is_the_nodes_own_rules() -> None:
    variants = list_variants()

    assert variants[0] is AS_RELEASED
    assert variants[0].rules == Rules()
    assert len({one.name for one in variants}) == len(variants)
    assert len({one.rules for one in variants}) == len(variants)
