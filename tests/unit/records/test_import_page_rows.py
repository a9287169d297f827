"""What of a list is no item: totals, footnotes, the header again; an item is never one of them."""

from __future__ import annotations

import pytest

from node.records.importing.draft import Exclusion
from node.records.importing.page_rows import find_page_row

HEADER = ("单据号", "日期", "金额")


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["R1", "2026-01-01", "1"], None),
        (["Summer GmbH", "2026-01-01", "1"], None),
        (["合计", "", "1"], Exclusion.TOTAL_ROW),
        (["", "本页小计\uff1a", "1"], Exclusion.TOTAL_ROW),
        (["", "Grand Total:", "1"], Exclusion.TOTAL_ROW),
        (["Zwischensumme", "", "1"], Exclusion.TOTAL_ROW),
        (["**", "", "1"], Exclusion.TOTAL_ROW),
        (["Summe"], Exclusion.TOTAL_ROW),
        (["", "制表人 李", ""], Exclusion.NOTE_ROW),
        (["", "", "5"], Exclusion.NOTE_ROW),
        (["", "2026-01-01", "5"], None),
        (["x"], None),
        ([""], None),
        (list(HEADER), Exclusion.HEADER_AGAIN),
        (["单据号", "2026-01-01", "1"], None),
    ],
)
def test_a_row_is_told_by_what_it_holds(cells: list[str], found: Exclusion | None) -> None:
    assert find_page_row(cells, header=HEADER, document_at=0) is found


def test_under_two_columns_a_lone_cell_is_no_footnote() -> None:
    assert find_page_row(["", "x"], header=("a", "b"), document_at=0) is None
