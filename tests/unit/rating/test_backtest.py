"""The back-test: what is observed, what is not over, when nothing may be called validated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from node.rating.backtest.observed import (
    BackTest,
    GivenRating,
    Observed,
    choose_observable,
    find_not_over,
    sum_up,
)
from node.rating.backtest.overridden import share_outcomes
from node.rating.backtest.service import BacktestService
from node.rating.models.training_policy import read_preset_training_policy
from node.rating.rules_grade import add_months
from node.rating.validation.intervals import hanley_mcneil
from tests.support.persons import person
from tests.unit.assessment.builders import AS_OF
from tests.unit.assessment.room import Room, build_room

ORDER = ("AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C", "D", "NR")
PDS = {"AA": 1_500, "BB": 25_000, "CCC": 150_000}
TODAY = date(2026, 11, 24)


def given(number: int, as_of: date, grade: str = "AA", **members: object) -> GivenRating:
    built = GivenRating(
        rating_id=number,
        customer_id=number,
        as_of=as_of,
        entered_on=as_of,
        grade=grade,
        pd_ppm=PDS.get(grade),
    )
    return replace(built, **members)  # type: ignore[arg-type]  # members of it


def test_observed_months_do_not_overlap_and_the_newest_that_are_over_come_first() -> None:
    days = [date(2023, 11, 24), date(2024, 5, 1), date(2025, 5, 1), date(2025, 11, 24),
            date(2025, 11, 25), date(2026, 9, 1)]  # fmt: skip
    ratings = [given(number, day) for number, day in enumerate(days)]

    assert [one.as_of for one in choose_observable(ratings, until=TODAY)] == [
        date(2025, 11, 24),
        date(2024, 5, 1),
    ]
    assert find_not_over(ratings, until=TODAY) == ratings[-1]
    assert find_not_over(ratings[:4], until=TODAY) is None
    assert find_not_over([], until=TODAY) is None


def build(
    counts: dict[str, tuple[int, int]], *, not_over: int = 0, looked_back: bool = False
) -> BackTest:
    """Observe (bad, all) customers by grade."""
    observed, number = [], 0
    for grade, (bads, rows) in counts.items():
        for index in range(rows):
            number += 1
            rating = given(number, date(2025, 1, 1), grade)
            if looked_back:
                rating = replace(rating, entered_on=date(2025, 3, 1))
            observed.append(Observed(rating=rating, is_bad=index < bads))
    waiting = [given(10_000 + one, TODAY, "CCC") for one in range(not_over)]
    return sum_up(observed, not_over=waiting, bad_already=2, order=ORDER, until=TODAY)


def test_a_grade_has_its_rate_its_interval_and_whether_what_was_stated_lies_within() -> None:
    found = build({"CCC": (0, 3), "BB": (1, 40), "AA": (3, 10)}, not_over=4)

    lines = {one.grade: one for one in found.lines}
    assert [one.grade for one in found.lines] == ["AA", "BB", "CCC"]
    assert (lines["BB"].rows, lines["BB"].bads, lines["BB"].stated) == (40, 1, 0.025)
    # Wilson (1927) for 1 of 40: 0.0044 to 0.1288.
    assert lines["BB"].observed.low == pytest.approx(0.0044, abs=5e-5)
    assert lines["BB"].observed.high == pytest.approx(0.1288, abs=5e-5)
    assert [one.holds for one in found.lines] == [False, True, True]
    assert (lines["CCC"].bads, lines["CCC"].not_over) == (0, 4)
    assert (found.total.rows, found.total.bads, found.total.not_over) == (53, 4, 4)
    assert found.bad_already == 2
    assert found.verdict == "withheld.bads"


@pytest.mark.parametrize(
    ("counts", "looked_back", "verdict"),
    [
        ({"AA": (1, 600), "BB": (6, 200), "CCC": (13, 100)}, False, "validated"),
        ({"AA": (1, 600), "BB": (5, 200), "CCC": (13, 100)}, False, "withheld.bads"),
        ({"CCC": (20, 39)}, False, "withheld.goods"),
        ({"AA": (1, 600), "BB": (6, 200), "CCC": (13, 100)}, True, "withheld.looked-back"),
        ({"AA": (30, 300), "CCC": (10, 100)}, False, "withheld.chance"),
        ({"AA": (1, 600), "BB": (30, 200), "CCC": (60, 100)}, False, "withheld.calibration"),
    ],
)
def test_nothing_is_called_validated_that_is_not(
    counts: dict[str, tuple[int, int]], verdict: str, *, looked_back: bool
) -> None:
    assert build(counts, looked_back=looked_back).verdict == verdict


def test_without_any_rating_nothing_is_computed() -> None:
    found = build({})

    assert found.lines == ()
    assert (found.total.observed.value, found.auc.value, found.brier) == (None, None, None)
    assert share_outcomes([None]).observed.value is None


def test_a_scale_without_probabilities_has_rates_and_no_judgement() -> None:
    rating = given(1, date(2025, 1, 1), pd_ppm=None)

    found = sum_up(
        [Observed(rating=rating, is_bad=True)], not_over=(), bad_already=0, order=ORDER, until=TODAY
    )

    assert (found.lines[0].stated, found.lines[0].holds) == (None, None)
    assert found.auc.value is None


def test_the_interval_of_an_area_is_that_of_hanley_and_mcneil() -> None:
    # Their example: 0.893 of 51 and 58 has a standard error of 0.032.
    found = hanley_mcneil(0.893, bads=51, rows=109)

    assert found.low is not None
    assert (0.893 - found.low) / 1.96 == pytest.approx(0.0325, abs=5e-4)
    assert hanley_mcneil(None, bads=0, rows=9).low is None
    assert hanley_mcneil(1.0, bads=3, rows=9).low is None


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    built = build_room(tmp_path)
    yield built
    built.database.dispose()


def build_service(
    room: Room, day: date, *, today: Callable[[], date] | None = None
) -> BacktestService:
    return BacktestService(
        database=room.database,
        find_scale=room.rating.find_scale,
        find_outcome=lambda _uow: read_preset_training_policy().body.outcome,
        reader=room.override_reader,
        today=today or (lambda: day),
    )


def test_records_say_what_became_of_ratings_and_of_overrides(room: Room) -> None:
    keys = [room.add_invoices(f"c{number}", [0] * 12) for number in range(4)]
    room.runs.run(as_of=AS_OF, by="test")
    room.overrides.give(
        keys[0], grade="A", reason_code="outlook", reason="weaker", actor=person("Li")
    )
    up = room.overrides.give(
        keys[1], grade="AAA", reason_code="group", reason="parent", actor=person("Li")
    )
    never = room.overrides.give(
        keys[2], grade="AAA", reason_code="group", reason="parent", actor=person("Wang")
    )
    room.overrides.approve(up.override.override_id, actor=person("Wang"))
    room.overrides.reject(never.override.override_id, reason="no", actor=person("Li"))
    for key in (keys[1], keys[3]):
        _fail(room, key, AS_OF + timedelta(days=200))
    later = add_months(AS_OF, 12)

    early = build_service(room, later - timedelta(days=1)).read_backtest()
    tested = build_service(room, later).read_backtest()
    told = build_service(room, later).read_overrides()

    assert (early.total.rows, early.total.not_over) == (0, 4)
    assert early.total.observed.value is None
    assert [(one.grade, one.rows, one.bads) for one in tested.lines] == [("AA", 4, 2)]
    assert tested.verdict == "withheld.bads"
    assert (told.total.count, told.total.up, told.total.down) == (3, 2, 1)
    assert (told.rated, told.overridden, told.share_permille) == (4, 2, 500)
    assert (told.total.outcome.rows, told.total.outcome.bads) == (2, 1)
    assert [(one.name, one.outcome.rows, one.outcome.bads) for one in told.by_direction] == [
        ("up", 1, 1),
        ("down", 1, 0),
    ]
    assert [(one.name, one.count) for one in told.by_reason] == [("group", 2), ("outlook", 1)]
    assert [(one.name, one.count) for one in told.by_person] == [("Li", 2), ("Wang", 1)]
    assert (told.not_overridden.rows, told.not_overridden.bads) == (2, 1)


def test_who_was_bad_already_is_no_observation(room: Room) -> None:
    key = room.add_invoices("late", [0] * 12)
    _fail(room, key, AS_OF - timedelta(days=30), kind="legal")
    room.rating.rate_customer(key, as_of=AS_OF)

    found = build_service(room, add_months(AS_OF, 12)).read_backtest()

    assert (found.total.rows, found.bad_already) == (0, 1)


def _fail(room: Room, key: int, day: date, *, kind: str = "write_off") -> None:
    # Records know no day to come: the business date has moved on by then.
    room.records._business_date = max(AS_OF, day)
    room.records.record_adverse_event(
        key, kind=kind, happened_on=day, settled_on=None, evidence_sha256_hex="0" * 64
    )


def test_the_ledger_is_read_once_a_day_until_another_rating_or_step(room: Room) -> None:
    key = room.add_invoices("one", [0] * 12)
    room.rating.rate_customer(key, as_of=AS_OF)
    days = [AS_OF]
    service = build_service(room, AS_OF, today=lambda: days[-1])
    passes: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM ledger_item" in statement:
            passes.append(statement)

    def look() -> bool:
        """Return whether a look at both reads the ledger."""
        passes.clear()
        service.read_backtest()
        report = service.read_overrides()
        assert report.until == days[-1]
        return bool(passes)

    event.listen(room.database.engine, "before_cursor_execute", note)
    try:
        assert [look(), look()] == [True, False]
        room.rating.rate_customer(key, as_of=AS_OF)
        assert [look(), look()] == [True, False]
        room.overrides.give(key, grade="A", reason_code="group", reason="x", actor=person("Li"))
        assert [look(), look()] == [True, False]
        days.append(AS_OF + timedelta(days=1))
        assert [look(), look()] == [True, False]
    finally:
        event.remove(room.database.engine, "before_cursor_execute", note)
