"""Every reason to reject, of tables and of documents, comes with what to do."""

from __future__ import annotations

import pytest

from node.records.importing.suggestions import suggest


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("empty", "fill in the cell"),
        ("3 cells under a header of 4", "quotes"),
        ("cleared together with rows that do not add up to it", "all items of the customer"),
        ("the buyer has no identifier that we read: name it with --customer", "--customer"),
        ("no open document is named: apply it by hand", "--payers"),
        ("names A1; its text alone does not say who pays: name it in --payers", "--payers"),
        ("negative: CdtDbtInd says the direction", "the bank"),
        ("negative: credit notes are not invoices", "credit note"),
        ("missing or empty", "whoever made the file"),
        ("something nobody has thought of", "enter it by hand"),
    ],
)
def test_a_reason_comes_with_what_to_do(reason: str, said: str) -> None:
    assert said in suggest(reason)
