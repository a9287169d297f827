import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from node.assessment.policy_file import (
    POLICY_BYTES_MAX,
    Language,
    PolicyInvalidError,
    UnknownTextError,
)
from node.rating.rules_grade import Grade, add_months, get_validity, grade, list_default_events
from node.rating.scale import PdBasis, parse_scale, read_preset_scale

TEN = read_preset_scale().body
FIVE = read_preset_scale("association5").body
DAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("score_deci", "symbol"),
    [
        (1000, "AAA"), (900, "AAA"), (899, "AA"), (800, "AA"), (799, "A"), (700, "A"),
        (600, "BBB"), (500, "BB"), (400, "B"), (300, "CCC"), (200, "CC"), (199, "C"), (0, "C"),
    ],
)  # fmt: skip
def test_score_has_its_grade(score_deci: int, symbol: str) -> None:
    assert grade(score_deci=score_deci, scale=TEN, default_event=False).symbol == symbol


@pytest.mark.parametrize("score_deci", [950, 0, None])
def test_default_event_is_d_whatever_the_score(score_deci: int | None) -> None:
    assert grade(score_deci=score_deci, scale=TEN, default_event=True) == Grade(symbol="D", rank=9)


def test_missing_score_is_not_rated() -> None:
    missing = grade(score_deci=None, scale=TEN, default_event=False)

    assert missing == Grade(symbol="NR", rank=None)


@pytest.mark.parametrize(
    ("score_deci", "symbol"), [(900, "AAA"), (650, "B"), (550, "B"), (450, "C"), (50, "C")]
)
def test_five_grades_fold_the_lower_ones(score_deci: int, symbol: str) -> None:
    assert grade(score_deci=score_deci, scale=FIVE, default_event=False).symbol == symbol


@pytest.mark.parametrize(
    ("own", "peers", "events"),
    [
        (["write_off"], [], ("write_off",)),
        (["insolvency", "legal"], ["insolvency"], ("insolvency",)),
        (["collection", "legal"], [], ()),
        ([], ["write_off"], ()),
        ([], ["insolvency"], ("insolvency",)),
    ],
)
def test_default_needs_a_fact_and_from_peers_a_public_one(
    own: list[str], peers: list[str], events: tuple[str, ...]
) -> None:
    assert list_default_events(TEN, own=own, peers=peers) == events


@pytest.mark.parametrize(
    ("score_deci", "valid_until"),
    [
        (950, date(2027, 11, 24)), (700, date(2027, 11, 24)), (650, date(2027, 5, 24)),
        (500, date(2027, 5, 24)), (450, date(2027, 2, 24)), (350, date(2026, 12, 24)),
        (0, date(2026, 12, 24)),
    ],
)  # fmt: skip
def test_weaker_grades_hold_for_a_shorter_time(score_deci: int, valid_until: date) -> None:
    given = grade(score_deci=score_deci, scale=TEN, default_event=False)

    validity = get_validity(given, scale=TEN, as_of=DAY, relation_months=60)

    assert validity.valid_until == valid_until
    assert DAY < validity.review_on < valid_until


@pytest.mark.parametrize("relation_months", [None, 0, 2])
def test_new_customer_is_looked_at_again_after_ninety_days(relation_months: int | None) -> None:
    best = grade(score_deci=1000, scale=TEN, default_event=False)

    validity = get_validity(best, scale=TEN, as_of=DAY, relation_months=relation_months)

    assert validity.valid_until == DAY + timedelta(days=90)


def test_default_is_reviewed_monthly_and_missing_holds_nothing() -> None:
    default = grade(score_deci=1000, scale=TEN, default_event=True)
    missing = grade(score_deci=None, scale=TEN, default_event=False)

    held = get_validity(default, scale=TEN, as_of=DAY, relation_months=60)
    none = get_validity(missing, scale=TEN, as_of=DAY, relation_months=None)

    assert held.valid_until == date(2026, 12, 24)
    assert none.valid_until is None
    assert none.review_on == DAY + timedelta(days=90)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 8, 31), 1, date(2026, 9, 30)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2026, 12, 1), 12, date(2027, 12, 1)),
    ],
)
def test_month_that_is_too_short_ends_on_its_last_day(day: date, months: int, later: date) -> None:
    assert add_months(day, months) == later


@pytest.mark.parametrize("symbol", ["AAA", "C", "D", "NR"])
def test_grade_has_words_in_both_languages(symbol: str) -> None:
    scale = read_preset_scale()

    assert scale.describe(symbol, Language.ZH) != scale.describe(symbol, Language.EN)


def test_unknown_grade_has_no_words() -> None:
    with pytest.raises(UnknownTextError):
        read_preset_scale().describe("E", Language.EN)


def test_scale_is_named_by_its_bytes() -> None:
    references = {read_preset_scale(name).reference for name in ("gbt22116", "association5")}

    assert {reference.label for reference in references} == {"gbt22116-1", "association5-1"}
    assert len({reference.sha256_b64u for reference in references}) == 2


@pytest.mark.parametrize(
    ("member", "change"),
    [
        ("grades", lambda grades: grades[::-1]),
        ("grades", lambda grades: grades[:-1]),
        ("grades", lambda grades: [*grades[:-1], {**grades[-1], "grade": "AAA"}]),
        ("default", lambda default: {**default, "grade": "NR"}),
        ("default", lambda default: {**default, "own_events": ["rumour"]}),
        ("missing", lambda missing: {**missing, "review_days": 0}),
        ("version", str),
    ],
    ids=["order", "no-zero", "twice", "same-as-missing", "no-fact", "no-days", "text"],
)
def test_wrong_scale_is_refused(
    project_root: Path, member: str, change: Callable[[object], object]
) -> None:
    body = json.loads((project_root / "node/rating/scales/gbt22116.json").read_bytes())
    body[member] = change(body[member])

    with pytest.raises(PolicyInvalidError):
        parse_scale(json.dumps(body).encode())


def test_oversized_scale_is_refused() -> None:
    with pytest.raises(PolicyInvalidError):
        parse_scale(b" " * (POLICY_BYTES_MAX + 1))


def test_files_that_ship_keep_their_bytes_for_ever() -> None:
    """What was entered as approved under a name is entered again at each start, byte by byte."""
    assert {name: read_preset_scale(name).reference.sha256_b64u for name in SHIPPED} == SHIPPED


SHIPPED = {
    "gbt22116": "EVHBsISu_I_FUfTYNCr57Y2dxj6g35so8l0LXnGHl9s",
    "association5": "hgPfnO4I5hG32barEo1-Y1i8y-zFP5qHV_c64pv-LMY",
    "gbt22116-2": "BVlQeG0o7Srp-PfyWNVAXY3ACipoeJjjXPvBvHpXI2Q",
    "association5-2": "JPIawmtpHO7-29oMo1fu2xXxiJJpd9G4p18b3PqN9Qs",
    "gbt22116-3": "4nj2Cwv7wEFIc_eI80-YsfbXzfdiOxuWQzKm1eZK658",
    "association5-3": "r8mbcfQ2HzxT_zIWQfKEbhPMikiGVSjPQn0B3gnpoYY",
}
MASTER_PPM = [500, 1_500, 4_000, 10_000, 25_000, 60_000, 150_000, 300_000, 500_000, 1_000_000]


def test_the_master_scale_has_the_placeholders_and_says_that_they_are_none_of_ours() -> None:
    """domain.md §2.10: .05 .15 .4 1 2.5 6 15 30 50 100 %, to be calibrated."""
    body = read_preset_scale("gbt22116-2").body

    given = [*(step.pd_ppm for step in body.grades), body.default.pd_ppm]
    assert given == MASTER_PPM
    assert body.pd_basis is PdBasis.PLACEHOLDER
    assert read_preset_scale("gbt22116").body.pd_basis is None


@pytest.mark.parametrize(
    ("name", "cases"),
    [
        (
            "gbt22116-2",
            {900: "AAA", 899: "AA", 0: "C", 600: "BBB", 500: "BB", 400: "B", 300: "CCC", 200: "CC"},
        ),
        ("association5-2", {900: "AAA", 650: "B", 550: "B", 450: "C", 0: "C"}),
    ],
)
def test_the_second_versions_grade_as_the_first_did(name: str, cases: dict[int, str]) -> None:
    """domain.md §2.10: 90 AAA, 89.9 AA, 0 C, 95 and a default D, none NR; five: BBB/BB B, B…C C."""
    body = read_preset_scale(name).body

    def symbol(score_deci: int | None, *, default: bool = False) -> str:
        return grade(score_deci=score_deci, scale=body, default_event=default).symbol

    assert {score: symbol(score) for score in cases} == cases
    assert symbol(950, default=True) == "D"
    assert symbol(None) == "NR"


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["grades"][0].pop("pd_ppm"),
        lambda body: body["default"].pop("pd_ppm"),
        lambda body: body["grades"][1].update(pd_ppm=500),
        lambda body: body["grades"][1].update(pd_ppm=0),
        lambda body: body["default"].update(pd_ppm=1_000_001),
        lambda body: body.pop("pd_basis"),
        lambda body: body.update(pd_basis="hope"),
        lambda body: [step.pop("pd_ppm") for step in (*body["grades"], body["default"])],
    ],
    ids=["one less", "no default", "equal", "none", "over", "no basis", "hope", "basis of none"],
)
def test_a_master_scale_is_whole_and_rises(
    project_root: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    body = json.loads((project_root / "node/rating/scales/gbt22116-2.json").read_bytes())
    change(body)

    with pytest.raises(PolicyInvalidError):
        parse_scale(json.dumps(body).encode())
