import re
from xml.etree import ElementTree as ET

import pytest

from node.web.column_chart import Column, Step, draw_columns, draw_steps

SVG = "{http://www.w3.org/2000/svg}"


def _heights(svg: str) -> list[int]:
    return [
        int(one.attrib["height"])
        for one in ET.fromstring(svg).iter(f"{SVG}rect")  # noqa: S314  our own chart
        if one.attrib["class"].startswith("paid-")
    ]


def test_the_parts_of_a_column_fill_it_whatever_they_divide_into() -> None:
    columns = [Column(label="2026-01", counts=(1, 1, 1), text="3 invoices")]

    (whole,) = {sum(_heights(draw_columns(columns, title="t")))}

    assert whole == sum(
        _heights(draw_columns([Column(label="x", counts=(0, 7, 0), text="7")], title="t"))
    )


def test_a_month_without_invoices_is_a_gap_and_no_column() -> None:
    svg = draw_columns([Column(label="2026-01", counts=(0, 0), text="nothing")], title="t")

    assert _heights(svg) == []
    assert 'class="gap"' in svg
    assert "2026-01: nothing" in svg


def test_each_row_begins_where_the_one_before_ends() -> None:
    steps = [
        Step(label="a", points_deci=100, points_max_deci=200, text="10.0"),
        Step(label="b", points_deci=50, points_max_deci=50, text="5.0"),
    ]
    svg = draw_steps(steps, total="Total", total_deci=150, title="t")

    bars = re.findall(r'class="bar level-\d" x="(\d+)" y="\d+" width="(\d+)"', svg)
    (first, first_width), (second, second_width), (total, total_width) = (
        (int(left), int(width)) for left, width in bars
    )
    assert second == first + first_width
    assert total == first
    assert total_width in range(first_width + second_width, first_width + second_width + 2)
    assert ">15.0<" in svg


@pytest.mark.parametrize("text", ["<b>&", '"quoted"'])
def test_texts_are_escaped_and_there_is_no_script_or_style(text: str) -> None:
    for svg in (
        draw_columns([Column(label=text, counts=(1,), text=text)], title=text),
        draw_steps(
            [Step(label=text, points_deci=1, points_max_deci=1, text=text)],
            total=text,
            total_deci=1,
            title=text,
        ),
    ):
        root = ET.fromstring(svg)  # noqa: S314  our own chart
        assert root.attrib["aria-label"] == text
        assert "<b>" not in svg
        assert "style=" not in svg
