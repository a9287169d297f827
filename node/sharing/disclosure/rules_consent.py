"""What a consent lets through of a release: whole sections, named as its metrics, unchanged.

The present overdue class is a section like the others: it is in the answer exactly where the
consent names it, in every tier: no tier lets out what the signer did not read in the consent.
"""

from __future__ import annotations

from datetime import date

from node.sharing.disclosure.rules_bands import band_overdue
from schemas.summary import OverdueNow, Section, Summary, Tier


def add_overdue_now(summary: Summary, *, oldest_overdue_days: int | None, as_of: date) -> Summary:
    """Add the class of the oldest item overdue on a day; None is nothing overdue."""
    overdue_now = OverdueNow(as_of=as_of.isoformat(), oldest=band_overdue(oldest_overdue_days))
    return summary.model_copy(update={Section.OVERDUE_NOW.value: overdue_now})


def apply_consent(summary: Summary, *, metrics: frozenset[Section]) -> Summary | None:
    """Drop the sections that the consent does not name; None where nothing is left: no data.

    The class tier answers only a consent that names its lateness: that there are a few invoices is
    told by the tier itself.
    """
    if summary.tier is Tier.CLASS and Section.LATENESS not in metrics:
        return None
    present = [section for section in Section if getattr(summary, section.value) is not None]
    dropped = [section for section in present if section not in metrics]
    if len(dropped) == len(present):
        return None
    # Validated once when it was built; a copy without sections stays valid.
    return summary.model_copy(update=dict.fromkeys((one.value for one in dropped), None))
