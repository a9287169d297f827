"""Movements between two sides: each customer has one, and the matrix holds everybody once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.assessment.policy import ConfidenceLevel
from node.rating.commands import rate_app
from node.rating.rules_movement import (
    NONE,
    Change,
    Movement,
    Standing,
    build_matrix,
    classify,
    list_symbols,
)
from node.rating.runs.movements import NoRunBeforeError, Selection, SideInvalidError
from node.rating.runs.service import RunNotFoundError
from node.rating.scale import read_preset_scale
from node.rating.store import NewRating, RatingStore
from tests.unit.assessment.builders import AS_OF, build_record, build_summary
from tests.unit.assessment.room import Room, build_room

SCALE = read_preset_scale()
SHA = SCALE.reference.sha256_b64u
FORMER = date(2026, 10, 24)
NOBODY = Standing(grade=NONE, scale_sha256_b64u=NONE)


def stand(grade: str, sha: str = SHA) -> Standing:
    return Standing(grade=grade, scale_sha256_b64u=sha)


@pytest.mark.parametrize(
    ("before", "after", "movement"),
    [
        (stand("A"), stand("AA"), Movement.UP),
        (stand("AAA"), stand("BBB"), Movement.DOWN),
        (stand("A"), stand("A"), Movement.SAME),
        (NOBODY, stand("A"), Movement.NEW),
        (stand("NR"), stand("A"), Movement.NEW),
        (stand("A"), NOBODY, Movement.LOST),
        (stand("D"), stand("NR"), Movement.LOST),
        (NOBODY, stand("NR"), Movement.SAME),
        (stand("C"), stand("D"), Movement.DEFAULT_ENTERED),
        (NOBODY, stand("D"), Movement.DEFAULT_ENTERED),
        (stand("D"), stand("CCC"), Movement.DEFAULT_LEFT),
        (stand("D"), stand("D"), Movement.SAME),
        (stand("A", "old"), stand("A"), Movement.RESCALED),
        (stand("A", "x"), stand("A", "x"), Movement.RESCALED),  # nobody knows its order
    ],
)
def test_each_change_has_one_movement(
    before: Standing, after: Standing, movement: Movement
) -> None:
    change = Change(before=before, after=after, has_same_reason=True)

    assert classify(change, {SHA: SCALE.body}) is movement


def test_another_first_reason_counts_where_the_grade_stayed() -> None:
    change = Change(before=stand("A"), after=stand("A"), has_same_reason=False)

    assert classify(change, {SHA: SCALE.body}) is Movement.REASON


def test_the_matrix_counts_rows_and_shares_half_to_even() -> None:
    cells = [("A", "A", 5), ("A", "BBB", 2), ("A", "", 1), ("", "AA", 4)]
    changes = [
        (Change(before=stand(before), after=stand(after), has_same_reason=True), count)
        for before, after, count in cells
    ]

    matrix = build_matrix(changes, order=list_symbols(SCALE.body))

    assert matrix.grades == ("AA", "A", "BBB", "")
    assert [(row.before, row.n) for row in matrix.rows] == [("A", 8), ("", 4)]
    assert [matrix.rows[0].share_permille(one) for one in matrix.grades] == [0, 625, 250, 125]
    assert matrix.n == 12


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    built = build_room(tmp_path)
    for number in range(4):
        built.add_invoices(f"c{number}", [0] * 6)
    built.add_customer("cold")
    yield built
    built.database.dispose()


def lower(room: Room, subject: str) -> None:
    """Let a peer say something bad."""
    summary = build_summary(subject=subject, index=20, dbt_days=90, mix={">120": 100}, worst=">120")
    room.inbox.records.append(build_record(summary))


def run_twice(room: Room) -> None:
    room.runs.run(as_of=FORMER, by="test")
    lower(room, "sim:c1")
    room.records.record_adverse_event(
        room.find_id("sim:c2"),
        kind="write_off",
        happened_on=date(2026, 11, 3),
        settled_on=None,
        evidence_sha256_hex="0" * 64,
    )
    room.add_invoices("c4", [0] * 6)
    room.runs.run(as_of=AS_OF, by="test")


def test_the_last_run_is_compared_with_the_one_before(room: Room) -> None:
    run_twice(room)

    found = room.movements.compare(before=None, after=None)

    assert (found.before, found.after) == ("run-1", "run-2")
    assert found.counts[Movement.DOWN] == 1
    assert found.counts[Movement.DEFAULT_ENTERED] == 1
    assert found.counts[Movement.NEW] == 1
    assert sum(found.counts.values()) == found.matrix.n == 6


def test_behind_every_number_stand_its_customers(room: Room) -> None:
    run_twice(room)
    found = room.movements.compare(before=None, after=None)

    for movement, count in found.counts.items():
        moved = room.movements.list_customers(
            before=None, after=None, selection=Selection(movement=movement)
        )
        assert len(moved) == count
    for row in found.matrix.rows:
        for grade in found.matrix.grades:
            cell = Selection(grade_before=row.before, grade_after=grade)
            moved = room.movements.list_customers(before=None, after=None, selection=cell)
            assert len(moved) == row.counts.get(grade, 0)
    (down,) = room.movements.list_customers(
        before="run-1", after="run-2", selection=Selection(movement=Movement.DOWN)
    )
    assert (down.subject_id, down.change.before.grade) == ("sim:c1", "AA")
    assert down.reason_after is not None
    assert down.policy_after == room.assessment.get_policy().reference


def test_customers_are_listed_page_by_page(room: Room) -> None:
    run_twice(room)

    first = room.movements.list_customers(before=None, after=None, selection=Selection(), limit=4)
    rest = room.movements.list_customers(
        before=None, after=None, selection=Selection(), limit=4, after_id=first[-1].customer_id
    )

    assert [len(first), len(rest)] == [4, 2]
    assert len({one.customer_id for one in (*first, *rest)}) == 6


def test_days_are_compared_by_what_held_on_them(room: Room) -> None:
    run_twice(room)
    # Entered later for an earlier day: it held on no later day.
    room.rating.rate_customer(room.find_id("sim:c1"), as_of=date(2026, 9, 1))

    days = room.movements.compare(before=FORMER.isoformat(), after=AS_OF.isoformat())
    nothing = room.movements.compare(before="2020-01-01", after="2020-02-01")

    assert days.matrix == room.movements.compare(before="run-1", after="run-2").matrix
    assert nothing.matrix.n == 0


def test_without_peers_nothing_that_they_said_is_told(room: Room) -> None:
    run_twice(room)

    found = room.movements.compare(before=None, after=None, with_peers=False)

    assert found.counts[Movement.DOWN] == 0
    assert found.counts[Movement.DEFAULT_ENTERED] == 1  # our own event


def test_a_rating_by_another_scale_is_neither_better_nor_worse(room: Room) -> None:
    room.runs.run(as_of=FORMER, by="test")
    other = read_preset_scale("association5").reference
    latest = room.rating.find_latest(1)
    assert latest is not None
    with room.database.write() as uow:
        RatingStore(uow.connection).append(
            NewRating(
                customer_id=1,
                subject_id=latest.subject_id,
                as_of=AS_OF,
                created_at_ms=1,
                own_assessment_id=latest.own_assessment_id,
                assessment_id=latest.assessment_id,
                policy=latest.policy,
                scale=other,
                grade_own="A",
                grade_with_peers="A",
                score_own_deci=900,
                score_with_peers_deci=900,
                confidence=ConfidenceLevel.LOW,
                default_events=(),
                valid_until=None,
                review_on=AS_OF,
            )
        )

    found = room.movements.compare(before=FORMER.isoformat(), after=AS_OF.isoformat())

    assert found.counts[Movement.RESCALED] == 1


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        (None, None, NoRunBeforeError),
        ("yesterday", "2026-01-01", SideInvalidError),
        ("run-9", "2026-01-01", RunNotFoundError),
        ("run-x", "2026-01-01", RunNotFoundError),
        ("run-99999999999999999999", "2026-01-01", RunNotFoundError),
    ],
)
def test_a_side_that_is_none_is_refused(
    room: Room, before: str | None, after: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        room.movements.compare(before=before, after=after)


def test_commands_show_the_diff_its_customers_and_the_matrix(room: Room) -> None:
    run_twice(room)
    runner = CliRunner()
    wide = {"COLUMNS": "200"}
    diff = runner.invoke(rate_app, ["diff", "--list", "down"], obj=room, env=wide)
    as_json = runner.invoke(rate_app, ["diff", "--list", "down", "--json"], obj=room)
    matrix = runner.invoke(rate_app, ["matrix", "--before", "run-1"], obj=room, env=wide)
    matrix_json = runner.invoke(rate_app, ["matrix", "--json", "--own"], obj=room)

    assert diff.exit_code == matrix.exit_code == 0
    assert "sim:c1" in diff.output
    shown = json.loads(as_json.stdout)
    assert shown["movements"]["down"] == len(shown["customers_listed"]) == 1
    assert "run-1 → run-2" in matrix.output
    assert "100.0 %" in matrix.output
    assert json.loads(matrix_json.stdout)["rows"][0]["n"] >= 1


def test_a_reason_of_a_customer_that_has_none_is_nothing(room: Room) -> None:
    room.runs.run(as_of=FORMER, by="test")
    room.runs.run(as_of=AS_OF, by="test")
    cold = room.find_id("sim:cold")

    moved = room.movements.list_customers(
        before=None, after=None, selection=Selection(grade_before="NR")
    )

    assert [(one.customer_id, one.reason_before, one.reason_after) for one in moved] == [
        (cold, None, None)
    ]
