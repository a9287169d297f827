"""What a preview adds up: figures worked out by hand."""

from __future__ import annotations

from node.rating.preview.rules_preview import MOVES_MAX, Move, PointChange, Standing, Tally

GRADES = ["AAA", "AA", "A", "D", "NR"]


def stand(score_deci: int | None, grade: str, *, default: bool = False) -> Standing:
    return Standing(score_deci=score_deci, grade=grade, is_default=default)


def move(customer_id: int, before: Standing, after: Standing, *, kept: str | None = None) -> Move:
    return Move(
        customer_id=customer_id, before=before, after=after, kept_grade=kept, has_peers=False
    )


def test_counts_matrix_mean_and_defaults() -> None:
    tally = Tally(GRADES, GRADES)
    tally.add(move(1, stand(910, "AAA"), stand(895, "AA"), kept="AAA"))
    tally.add(move(2, stand(800, "AA"), stand(810, "AA"), kept="A"))
    tally.add(move(3, stand(700, "A"), stand(700, "A")))
    tally.add(move(4, stand(None, "NR"), stand(800, "AA")))
    tally.add(move(5, stand(850, "AA"), stand(None, "NR")))
    tally.add(move(6, stand(720, "A"), stand(720, "D", default=True)))
    tally.add(move(7, stand(700, "D", default=True), stand(800, "AA")))

    found = tally.sum_up()

    assert found["customers"] == 7
    assert (found["scored"], found["rescored"]) == (5, 3)
    assert (found["scores_gone"], found["scores_come"]) == (1, 1)
    assert found["change_mean_milli"] == 1_900  # (-15 + 10 + 0 + 0 + 100) / 5 tenths
    assert found["counts_before"] == {"AAA": 1, "AA": 2, "A": 2, "D": 1, "NR": 1}
    assert found["counts_after"] == {"AAA": 0, "AA": 4, "A": 1, "D": 1, "NR": 1}
    assert found["matrix"] == [
        [0, 1, 0, 0, 0],
        [0, 1, 0, 0, 1],
        [0, 0, 1, 1, 0],
        [0, 1, 0, 0, 0],
        [0, 1, 0, 0, 0],
    ]
    assert (found["changed"], found["better"], found["worse"]) == (5, 1, 2)
    assert found["default_gained"] == {"count": 1, "customers": [6]}
    assert found["default_lost"] == {"count": 1, "customers": [7]}
    assert found["moved_since_rating"] == 1


def test_the_largest_moves_are_kept_and_no_more_the_earlier_customer_first() -> None:
    tally = Tally(GRADES, GRADES)
    for customer_id in range(1, 101):
        change = 500 if customer_id in {40, 90} else customer_id % 50
        tally.add(move(customer_id, stand(100, "A"), stand(100 + change, "A")))

    moves = tally.sum_up()["moves"]

    assert isinstance(moves, list)
    assert len(moves) == MOVES_MAX
    told = [(one["customer"], one["change_deci"]) for one in moves if isinstance(one, dict)]
    assert told[:4] == [(40, 500), (90, 500), (49, 49), (99, 49)]
    assert told == sorted(told, key=lambda one: (-int(str(one[1])), int(str(one[0]))))
    assert len(tally._top) == MOVES_MAX


def test_scales_of_other_grades_are_not_compared_as_better_or_worse() -> None:
    tally = Tally(GRADES, ["A", "B", "D", "NR"])
    tally.add(move(1, stand(910, "AAA"), stand(910, "A")))

    found = tally.sum_up()

    assert "better" not in found
    assert found["matrix"][0] == [1, 0, 0, 0]  # type: ignore[index]  # plain JSON


def test_nobody_scored_has_no_mean() -> None:
    assert "change_mean_milli" not in Tally(GRADES, GRADES).sum_up()


def test_a_factor_that_is_new_moves_the_score_by_what_it_earns() -> None:
    assert PointChange(factor_id="x", before_deci=None, after_deci=40).change_deci == 40
    assert PointChange(factor_id="x", before_deci=40, after_deci=None).change_deci == -40
