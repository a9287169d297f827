"""The timeline of an audit report."""

from xml.etree import ElementTree as ET

from node.web.report_timeline import (
    BARS_HEIGHT,
    COLUMNS,
    LANES_MAX,
    LEFT,
    MARKS_MAX,
    ROOM,
    Bars,
    Lane,
    Mark,
    Series,
    draw_timeline,
)

SVG = "{http://www.w3.org/2000/svg}"


def find(svg: str, kind: str) -> list[ET.Element]:
    root = ET.fromstring(svg)  # noqa: S314  our own markup
    return [one for one in root.iter() if one.get("class") == kind]


def bars(**times: list[int]) -> list[Bars]:
    series = [Series(kind=kind, name=kind, times_ms=held) for kind, held in times.items()]
    return [Bars(name="row", series=series)]


def test_without_a_time_there_is_no_drawing() -> None:
    assert draw_timeline(bars(proven=[]), [], title="t") == ""


def test_one_contradiction_among_thousands_is_still_seen() -> None:
    svg = draw_timeline(bars(proven=[5] * 10_000, contradicted=[5]), [], title="t")

    (one,) = find(svg, "fill-contradicted")
    assert int(one.get("height", "0")) >= 3
    assert int(find(svg, "fill-proven")[0].get("height", "0")) <= BARS_HEIGHT


def test_columns_are_of_a_fixed_number_however_far_a_hostile_time_lies() -> None:
    times = [-(10**18), 0, 1, 10**18]

    svg = draw_timeline(bars(proven=times), [], title="t")

    drawn = find(svg, "fill-proven")
    assert len(drawn) <= COLUMNS
    assert all(LEFT <= int(one.get("x", "0")) < LEFT + ROOM for one in drawn)


def test_lanes_and_marks_are_bounded_and_named() -> None:
    marks = [Mark(at_ms=at, kind="revoked", name="<revoked>") for at in range(MARKS_MAX + 9)]
    lanes = [Lane(name="a.example", marks=marks)] * (LANES_MAX + 1)

    svg = draw_timeline([], lanes, title="t")

    assert len(find(svg, "mark-revoked")) == LANES_MAX * MARKS_MAX
    assert "&lt;revoked&gt;, 1970-01-01 00:00:00Z" in svg


def test_a_mark_of_an_unknown_kind_has_a_shape_of_its_own_and_a_long_name_is_cut() -> None:
    lane = Lane(name="n" * 60, marks=[Mark(at_ms=1, kind="x y", name="odd")])

    svg = draw_timeline([], [lane], title="t")

    assert len(find(svg, "mark-other")) == 1
    assert "n" * 30 not in svg
