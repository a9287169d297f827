"""Overrides that lower bound later ratings; one that raises ends with another rating."""

from __future__ import annotations

from datetime import timedelta

import pytest

from node.rating.overrides.errors import OverrideStateError
from node.rating.overrides.rules_override import Override, OverrideState, bound_later
from node.rating.scale import read_preset_scale
from tests.unit.assessment.builders import AS_OF
from tests.unit.assessment.room import Room
from tests.unit.rating.overriding import LI, WANG, WHY, give, held

LOWERING = Override(
    override_id=1,
    customer_id=1,
    rating_id=1,
    ordinal=1,
    grade_before="AAA",
    grade_after="A",
    notches=-2,
    reason_code=WHY,
    policy_sha256_b64u="",
    made_on=AS_OF,
    expires_on=AS_OF,
    events=(),
)


def test_one_that_lowers_bounds_the_next_rating_and_one_that_raises_ends_with_it(
    room: Room, customer: int
) -> None:
    down = give(room, customer, "A").override.override_id
    room.rating.rate_customer(customer, as_of=AS_OF)
    assert (room.overrides.get(down).state, held(room, customer)) == (OverrideState.IN_FORCE, "A")
    with room.database.read() as uow:
        by_rating = room.override_reader.list_all_in_force(uow, day=AS_OF)
    assert [one.grade_after for one in by_rating.values()] == ["A", "A"]

    with pytest.raises(OverrideStateError, match="two persons"):
        give(room, customer, "AAA")  # One that raises is no way around it.
    assert "AAA" not in room.overrides.find_terms(customer).grades
    further = give(room, customer, "BBB").override.override_id
    assert held(room, customer) == "BBB"
    for key in (down, further):
        room.overrides.withdraw(key, reason="mistaken", actor=LI)
        room.overrides.withdraw(key, reason="so it was", actor=WANG)
    assert held(room, customer) == "AA"

    up = give(room, customer, "AAA").override.override_id
    room.overrides.approve(up, actor=WANG)
    room.rating.rate_customer(customer, as_of=AS_OF)
    assert (room.overrides.get(up).state, held(room, customer)) == (OverrideState.RERATED, "AA")


def test_a_bound_ends_on_its_day_and_a_review_follows_until_another_rating(
    room: Room, customer: int
) -> None:
    give(room, customer, "A", expires_on=AS_OF)
    rating = room.rating.rate_customer(customer, as_of=AS_OF).rating

    def read(days: int) -> tuple[str | None, bool]:
        day = AS_OF + timedelta(days=days)
        newest = room.rating.find_latest(customer)
        with room.database.read() as uow:
            found = room.override_reader.find_in_force(uow, newest, day=day)
            ended = room.override_reader.list_ended(uow, day=day)
        return None if found is None else found.grade_after, customer in ended

    assert read(0) == ("A", False)
    assert read(1) == (None, True)
    assert rating.grade_with_peers == "AA"
    room.rating.rate_customer(customer, as_of=AS_OF + timedelta(days=1))
    assert read(1) == (None, False)


@pytest.mark.parametrize(
    ("own", "with_peers", "left"),
    [
        pytest.param("AAA", "AA", ("A", "A"), id="better"),
        pytest.param("A", "BBB", None, id="as-low-already"),
        pytest.param("B", "AA", ("B", "A"), id="each-for-itself"),
        pytest.param("D", "D", None, id="a-default-stays"),
        pytest.param("NR", "NR", None, id="no-grade-stays"),
    ],
)
def test_a_later_rating_is_no_better_than_what_a_person_gave(
    own: str, with_peers: str, left: tuple[str, str] | None
) -> None:
    scale = read_preset_scale().body

    found = bound_later(LOWERING, scale, grade_own=own, grade_with_peers=with_peers)

    assert (None if found is None else (found.grade_own_after, found.grade_after)) == left


def test_on_another_scale_it_lowers_by_as_many_notches() -> None:
    preset = read_preset_scale().body
    renamed = [
        one.model_copy(update={"grade": f"g{rank}"}) for rank, one in enumerate(preset.grades)
    ]
    other = preset.model_copy(update={"grades": renamed})
    last = f"g{len(renamed) - 1}"

    def lower(grade: str) -> str:
        found = bound_later(LOWERING, other, grade_own=grade, grade_with_peers=grade)
        return grade if found is None else found.grade_after

    assert [lower(one) for one in ("g0", "g3", last)] == ["g2", "g5", last]
    assert bound_later(LOWERING, None, grade_own="AA", grade_with_peers="AA") is None
    kept = bound_later(LOWERING, None, grade_own="AAA", grade_with_peers="AAA")
    assert kept is not None  # its scale is not held: of the same grade as then it is known
    assert kept.grade_after == "A"
