"""Rows of a list that are no items: totals, footnotes, the header of the next page.

They are counted by what they are and not imported; whatever is not certainly one of them is read as
an item, and rejected with a reason where it is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from node.records.importing.draft import Exclusion

_TOTAL = re.compile(
    r"\*{1,3}|(本页|本期|期末|总)?(合计|小计|总计|累计)|(sub|grand |page )?totals?|"
    r"(gesamt|zwischen)?summe|gesamt",
)
_MARKS = " :\uff1a"  # behind a word for a total
_COLUMNS_MIN = 3  # of a header under which a lone cell is a footnote


def find_page_row(
    cells: Sequence[str], *, header: tuple[str, ...], document_at: int
) -> Exclusion | None:
    """Return what a row is that is no item, None where it may be one.

    ``document_at`` is the place of the document number, or -1: a row that has one is an item,
    unless the number itself is the word for a total.
    """
    document_no = cells[document_at].strip() if 0 <= document_at < len(cells) else ""
    if document_no:
        if document_no == header[document_at]:
            is_again = all(one.strip() == name for one, name in zip(cells, header, strict=False))
            return Exclusion.HEADER_AGAIN if is_again else None
        is_number = document_no[-1].isdigit()  # as nearly all are; no word for a total is
        return Exclusion.TOTAL_ROW if not is_number and _is_total(document_no) else None
    filled = [text for one in cells if (text := one.strip())]
    if filled and any(map(_is_total, filled)):
        return Exclusion.TOTAL_ROW
    if len(filled) == 1 and len(cells) == len(header) >= _COLUMNS_MIN:
        return Exclusion.NOTE_ROW
    return None


def _is_total(text: str) -> bool:
    return _TOTAL.fullmatch(text.casefold().rstrip(_MARKS)) is not None
