"""Whatever is owed, disputed, promised and released on whatever days, levels keep their rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from node.risk.dunning.policy import find_amount, read_preset_dunning_policy
from node.risk.dunning.rules_dunning import (
    DunnedCustomer,
    ItemHistory,
    LetterContent,
    LineReason,
    MadePromise,
    OverdueItem,
    propose_letter,
)

FIRST = date(2026, 1, 1)
DAYS = 70
POLICY = read_preset_dunning_policy()
(SEGMENT,) = POLICY.body.segments


@dataclass
class Story:
    """What was sent so far, as a store would tell it."""

    history: dict[int, ItemHistory] = field(default_factory=dict)
    last_on: date | None = None

    def check(self, letter: LetterContent) -> None:
        """Hold a letter against the rules, by what was sent before it."""
        rose = [one for one in letter.lines if one.reason.is_rise]
        assert rose
        assert letter.level == max(one.level for one in letter.lines if one.reason.is_asked)
        has_broken = any(one.reason is LineReason.PROMISE_BROKEN for one in rose)
        if self.last_on is not None and not has_broken:
            assert (letter.as_of - self.last_on).days >= SEGMENT.gap_days
        for one in letter.lines:
            held = self.history.get(one.item_id, ItemHistory())
            assert one.level == held.level + one.reason.is_rise <= len(SEGMENT.levels)
            if one.reason is LineReason.ROSE:
                assert one.days_overdue >= SEGMENT.levels[held.level].after_days
                if held.sent_on is not None:
                    waited = (letter.as_of - held.sent_on).days
                    assert waited >= SEGMENT.levels[held.level - 1].wait_days
            if one.reason is LineReason.PROMISE_BROKEN:
                assert one.promise_id not in held.promises
                assert held.sent_on is None or held.sent_on < letter.as_of
            assert (one.asked_minor > 0) is one.reason.is_asked
        for total in letter.sums:
            least = max(find_amount(SEGMENT.small_amounts, total.currency), 1)
            assert total.asked_minor - total.unapplied_minor >= least

    def send(self, letter: LetterContent) -> None:
        """Keep what a released letter says."""
        self.last_on = letter.as_of
        for one in letter.lines:
            if not one.reason.is_asked:
                continue
            held = self.history.get(one.item_id, ItemHistory())
            promises = held.promises | ({one.promise_id} if one.promise_id else set())
            is_new = held.sent_on is None or one.level > held.level
            self.history[one.item_id] = ItemHistory(
                level=one.level,
                sent_on=letter.as_of if is_new else held.sent_on,
                promises=frozenset(promises),
            )


days = st.integers(0, DAYS)
items = st.lists(
    st.tuples(days, st.integers(5_000, 40_000), st.booleans(), days), min_size=1, max_size=4
)
promises = st.lists(st.tuples(st.integers(1, 4), days, st.integers(0, 20)), max_size=3)


@given(
    items=items, promises=promises, looks=st.sets(days, min_size=20, max_size=60), unapplied=days
)
def test_levels_rise_by_one_never_fall_and_wait(
    items: list[tuple[int, int, bool, int]],
    promises: list[tuple[int, int, int]],
    looks: set[int],
    unapplied: int,
) -> None:
    story = Story()
    for day in sorted(looks):
        today = FIRST + timedelta(days=day)
        customer = DunnedCustomer(
            customer_id=1,
            country="CN",
            kind="company",
            grade=None,
            items=tuple(
                OverdueItem(
                    item_id=key,
                    document_no=f"A{key}",
                    line=1,
                    currency="CNY",
                    due_on=FIRST + timedelta(days=due),
                    due_business_on=FIRST + timedelta(days=due),
                    open_minor=minor,
                    disputed_minor=minor if is_disputed and day < until else 0,
                )
                for key, (due, minor, is_disputed, until) in enumerate(items, 1)
                if due < day
            ),
            history=dict(story.history),
            promises=tuple(
                MadePromise(
                    promise_id=number,
                    item_ids=frozenset({key}),
                    broken_on=FIRST + timedelta(days=made + term + 1)
                    if day > made + term
                    else None,
                )
                for number, (key, made, term) in enumerate(promises, 1)
                if made <= day
            ),
            unapplied={"CNY": unapplied * 100},
            last_letter_on=story.last_on,
        )

        letter = propose_letter(customer, POLICY, as_of=today)

        if isinstance(letter, LetterContent):
            story.check(letter)
            story.send(letter)
            assert not isinstance(
                propose_letter(
                    DunnedCustomer(
                        customer_id=1,
                        country="CN",
                        kind="company",
                        grade=None,
                        items=tuple(
                            one
                            for one in customer.items
                            if not any(one.item_id in each.item_ids for each in customer.promises)
                        ),
                        history=dict(story.history),
                        last_letter_on=story.last_on,
                    ),
                    POLICY,
                    as_of=today,
                ),
                LetterContent,
            )
