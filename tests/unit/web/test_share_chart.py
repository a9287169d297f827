"""Bars of shares and of what a limit is used by, and shares as people type them."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from node.web.share_chart import Share, UsagePart, draw_shares, draw_usage
from node.web.typed import Typed
from node.web.typed_share import read_percent, say_percent

SVG = "{http://www.w3.org/2000/svg}"


def _read(text: str) -> ET.Element:
    assert "style" not in text
    return ET.fromstring(text)  # noqa: S314  our own text


def _widths(drawn: ET.Element, name: str) -> list[int]:
    found = [one for one in drawn.iter(f"{SVG}rect") if name in one.get("class", "")]
    return [int(one.get("width", "0")) for one in found]


def _line(drawn: ET.Element) -> int:
    return next(int(one.get("x1", "")) for one in drawn.iter(f"{SVG}line"))


@pytest.mark.parametrize(("owed", "limit"), [(400, 1_000), (1_000, 1_000), (2_000, 1_000)])
def test_a_usage_bar_stands_to_its_limit_as_the_amounts_do(owed: int, limit: int) -> None:
    parts = [UsagePart(label="a <b>", minor=owed, text="x"), UsagePart(label="c", minor=0, text="")]

    drawn = _read(draw_usage(parts, limit_minor=limit, limit_text="limit", title="t & u"))

    (width,) = _widths(drawn, "part")
    assert abs(width * limit - _line(drawn) * owed) <= 2 * max(limit, owed)


def test_nothing_owed_and_no_limit_is_an_empty_track() -> None:
    drawn = _read(draw_usage([], limit_minor=None, limit_text="", title="t"))

    assert _widths(drawn, "part") == []
    assert len(_widths(drawn, "track")) == 1


def test_a_share_above_its_limit_is_drawn_past_the_line_and_apart() -> None:
    shares = [
        Share(label="over <it>", permille=600, text="60 %", limit_permille=250),
        Share(label="x" * 60, permille=100, text="10 %", limit_permille=250),
        Share(label="none", permille=0, text="0 %"),
    ]

    drawn = _read(draw_shares(shares, title="t"))

    over, under = _widths(drawn, "bar")
    lines = list(drawn.iter(f"{SVG}line"))
    left = min(int(one.get("x", "")) for one in drawn.iter(f"{SVG}rect"))
    assert next(int(one.get("x1", "")) - left for one in lines) in range(under, over)
    assert len(re.findall("level-5", ET.tostring(drawn, encoding="unicode"))) == 1


@pytest.mark.parametrize(
    ("typed", "ppm"),
    [
        ("0", 0), ("5", 50_000), ("62,5", 625_000), ("12.3456", 123_456), ("100", 1_000_000),
        ("100.0001", None), ("101", None), ("-1", None), ("1.23456", None), ("", None),
        ("1e2", None), ("\N{ARABIC-INDIC DIGIT FIVE}", None),
    ],
)  # fmt: skip
def test_a_share_is_read_to_the_millionth_or_refused(typed: str, ppm: int | None) -> None:
    form = Typed({"share": [typed]})

    found = read_percent(form, "share")

    assert ("share" in form.errors) is (ppm is None)
    assert found == (ppm or 0)
    if ppm is not None:
        assert read_percent(Typed({"share": [say_percent(ppm)]}), "share") == ppm
