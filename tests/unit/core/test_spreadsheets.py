"""Cells of CSV that others have written."""

import pytest

from node.core.spreadsheets import tame_cell


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1"]
)
def test_no_cell_begins_as_a_formula(text: str) -> None:
    assert tame_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Hongda", "a=b", " 1", "\u4e00=1"])
def test_other_words_stay_as_they_are(text: str) -> None:
    assert tame_cell(text) == text
