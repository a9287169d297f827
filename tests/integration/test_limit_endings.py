"""Ends of limits and stops: as many persons as the tier asks, none of them who asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.core.people.service import Principal, Role
from node.decision.errors import DutyConflictError, NoAuthorityError
from node.risk.errors import LimitStateError, ReleaseDutyError
from node.risk.limits.rules_limits import LimitEntry, LimitKind
from node.risk.limits.service import NewLimit
from tests.support.ledgers import TODAY
from tests.support.risk import DAY_S, Watch, build_watch

BIG = 3_000_000_00  # above every tier of one person


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    watch = build_watch(tmp_path)
    yield watch
    watch.house.database.dispose()


def enter(watch: Watch, kind: LimitKind, amount_minor: int) -> LimitEntry:
    new = NewLimit(
        kind=kind,
        customer_id=watch.house.customer_id,
        currency="CNY",
        amount_minor=amount_minor,
        first_on=TODAY,
        last_on=TODAY,
        reason="x",
    )
    entry = watch.risk.limits.request(new, by="Zhang")
    return watch.risk.limits.approve(entry.entry_id, actor=watch.be("Li", Role.CREDIT_MANAGER))


def test_a_cap_ends_with_the_second_person(watch: Watch) -> None:
    watch.give_limit(BIG)
    key = enter(watch, LimitKind.GROUP_CAP, 1_00).entry_id
    qian, li = watch.be("Qian", Role.CFO), watch.be("Li", Role.CREDIT_MANAGER)
    end = watch.risk.limits.end

    first, waits_for = end(key, reason="merged", actor=qian)
    assert (first.ended_on, waits_for) == (None, 1)
    assert [(one.name, one.reason) for one in first.ending] == [("Qian", "merged")]
    assert not watch.ask("S1", 2_00)["may_proceed"]
    for actor, error in (
        (watch.be("qian", Role.CREDIT_MANAGER), ReleaseDutyError),  # one person in two roles
        (watch.be("Wu", Role.CFO), ReleaseDutyError),  # two of one role
        (watch.be("Zhang", Role.CREDIT_MANAGER), ReleaseDutyError),  # who asked for it
        (watch.be("Wu", Role.ANALYST), NoAuthorityError),
        (watch.be("op", Role.OPERATOR), DutyConflictError),
    ):
        with pytest.raises(error):
            end(key, reason="x", actor=actor)
    (seen,) = watch.risk.limits.view(watch.house.customer_id).caps
    assert [one.name for one in seen.ending] == ["Qian"]
    last, waits_for = end(key, reason="merged", actor=li)

    assert (last.ended_on, last.ended_by, waits_for) == (TODAY, "Qian; Li", 0)
    assert watch.ask("S1", 2_00)["may_proceed"]
    with pytest.raises(LimitStateError):
        end(key, reason="x", actor=li)


def test_a_stop_without_a_limit_ends_with_the_second_person(watch: Watch) -> None:
    limits = watch.risk.limits
    stop_id = limits.stop(watch.house.customer_id, reason="fraud", by="Zhang").stop_id

    with pytest.raises(ReleaseDutyError):
        limits.end_stop(stop_id, reason="x", actor=watch.be("zhang", Role.CFO))
    first, waits_for = limits.end_stop(stop_id, reason="seen", actor=watch.be("Qian", Role.CFO))
    assert (first.ended_on, waits_for) == (None, 1)
    assert watch.ask("S1", 1_00)["status"] == "stop"
    with pytest.raises(ReleaseDutyError):
        limits.end_stop(stop_id, reason="x", actor=watch.be("Qian", Role.CFO))
    last, _ = limits.end_stop(stop_id, reason="seen", actor=watch.be("Li", Role.CREDIT_MANAGER))

    assert (last.ended_on, last.ended_by) == (TODAY, "Qian; Li")
    assert watch.ask("S1", 1_00)["status"] == "hold"


@pytest.mark.parametrize("is_stop", [True, False], ids=["stop", "cap"])
def test_approvals_of_an_end_lapse_and_begin_anew(watch: Watch, *, is_stop: bool) -> None:
    limits, key = watch.risk.limits, watch.house.customer_id
    qian, li = watch.be("Qian", Role.CFO), watch.be("Li", Role.CREDIT_MANAGER)
    days = watch.policy.body.proposal_days
    watch.give_limit(BIG)
    of = (
        limits.stop(key, reason="fraud", by="Zhang").stop_id
        if is_stop
        else enter(watch, LimitKind.GROUP_CAP, 1_00).entry_id
    )

    def end(actor: Principal) -> int:
        return (limits.end_stop if is_stop else limits.end)(of, reason="seen", actor=actor)[1]

    def shown() -> list[str]:
        view = limits.view(key)
        found = view.stop if is_stop else view.caps[0]
        return [] if found is None else [one.name for one in found.ending]

    assert end(qian) == 1
    watch.house.clock.advance_s(days * DAY_S)
    assert shown() == ["Qian"]
    watch.house.clock.advance_s(1)
    assert shown() == []

    assert end(li) == 1  # Qian's is too old to count
    assert end(qian) == 0  # and may be given again


def test_a_low_temporary_limit_ends_by_the_tier_of_what_follows(watch: Watch) -> None:
    watch.give_limit(BIG)
    key = enter(watch, LimitKind.TEMPORARY, 1_00).entry_id

    _, waits_for = watch.risk.limits.end(key, reason="x", actor=watch.be("Qian", Role.CFO))

    assert waits_for == 1


def test_one_person_ends_what_is_of_a_tier_of_one(watch: Watch) -> None:
    watch.give_limit(100_00)
    key = enter(watch, LimitKind.TEMPORARY, 10_00).entry_id

    ended, waits_for = watch.risk.limits.end(
        key, reason="x", actor=watch.be("Li", Role.CREDIT_MANAGER)
    )

    assert (ended.ended_on, waits_for) == (TODAY, 0)
