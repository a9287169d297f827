# ruff: noqa: RUF001  the console writes ranges with an en dash

from xml.etree import ElementTree as ET

import pytest

from node.web.charts import (
    BAR_AMOUNT,
    BAR_LABEL,
    BAR_WIDTH,
    Bar,
    Point,
    choose_tick,
    draw_bars,
    draw_line,
)

SVG = "{http://www.w3.org/2000/svg}"


def _find(svg: str, tag: str, kind: str) -> list[ET.Element]:
    found = ET.fromstring(svg).iter(f"{SVG}{tag}")  # noqa: S314  our own markup
    return [element for element in found if kind in element.get("class", "").split()]


def _bar(value: int, label: str = "1–30") -> Bar:
    return Bar(label=label, value=value, text=f"CNY {value}", level=1)


def _points(*values: int | None) -> list[Point]:
    return [
        Point(label=f"2026-{at:02d}", value_deci=value, text="no data" if value is None else "x")
        for at, value in enumerate(values, start=1)
    ]


def test_the_largest_bar_fills_the_room_and_the_others_are_to_scale() -> None:
    bars = _find(draw_bars([_bar(100), _bar(50)], title="t"), "rect", "bar")

    room = BAR_WIDTH - BAR_LABEL - BAR_AMOUNT
    assert [int(bar.get("width", "")) for bar in bars] == [room, room // 2]


def test_nothing_owed_draws_no_bar_and_a_trifle_draws_one_that_is_seen() -> None:
    bars = _find(draw_bars([_bar(0), _bar(1), _bar(10**12)], title="t"), "rect", "bar")

    assert len(bars) == 2
    assert int(bars[0].get("width", "")) == 2


def test_amounts_and_labels_stand_in_the_chart_as_text() -> None:
    svg = draw_bars([_bar(5, label="<b>&")], title='a "title"')

    assert "&lt;b&gt;&amp;" in svg
    assert "CNY 5" in svg
    assert ET.fromstring(svg).get("aria-label") == 'a "title"'  # noqa: S314  our own markup


def test_a_month_without_a_value_breaks_the_line() -> None:
    svg = draw_line(_points(10, 20, None, 30, 40), title="t", unit="days")

    assert len(_find(svg, "line", "trend")) == 2
    assert len(_find(svg, "circle", "dot")) == 4
    assert len(_find(svg, "rect", "gap")) == 1


def test_a_long_gap_is_one_and_says_in_words_what_it_is() -> None:
    svg = draw_line(_points(10, *[None] * 6, 20), title="t", unit="days")

    assert len(_find(svg, "rect", "gap")) == 1
    assert [words.text for words in _find(svg, "text", "gap-words")] == ["no data"]


def test_a_lone_month_is_a_dot_without_a_line() -> None:
    svg = draw_line(_points(None, 0, None), title="t", unit="days")

    assert len(_find(svg, "circle", "dot")) == 1
    assert _find(svg, "line", "trend") == []


def test_higher_values_stand_higher() -> None:
    low, high = _find(draw_line(_points(10, 90), title="t", unit="days"), "circle", "dot")

    assert int(high.get("cy", "")) < int(low.get("cy", ""))


@pytest.mark.parametrize(
    ("value", "tick"), [(0, 5), (20, 5), (21, 10), (100, 25), (101, 50), (10**9, 10_000)]
)
def test_four_grid_lines_cover_the_largest_value_or_the_chart_is_capped(
    value: int, tick: int
) -> None:
    assert choose_tick(value) == tick


def test_a_value_above_the_largest_tick_stays_inside_the_chart() -> None:
    (dot,) = _find(draw_line(_points(10**9), title="t", unit="days"), "circle", "dot")

    assert int(dot.get("cy", "")) >= 0


def test_no_chart_holds_a_script_or_a_style_attribute() -> None:
    svg = draw_bars([_bar(1)], title="t") + draw_line(_points(1, None), title="t", unit="d")

    assert "style=" not in svg
    assert "<script" not in svg
