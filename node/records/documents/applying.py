"""Applying a credit as a match says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from node.records.ledger.posting import Posting
from node.records.rules_ledger import Applied, OpenDebit
from node.records.rules_matching import Match


def apply_match(
    posting: Posting, credit_id: int, match: Match, *, debits: Sequence[OpenDebit], on: date
) -> None:
    """Append what a match applies, not before either item had happened."""
    happened = {debit.item_id: debit.happened_on for debit in debits}
    posting.append_applied(
        [
            Applied(
                debit_id=one.debit_id,
                credit_id=credit_id,
                amount_minor=one.amount_minor,
                allocated_on=max(on, happened[one.debit_id]),
                method=one.method,
            )
            for one in match.applications
        ]
    )
