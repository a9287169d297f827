"""When a figure is safe to publish: minimum frequency, dominance and the p % rule.

Attacks that they stop: a figure over few invoices is those invoices; where one invoice is most of a
sum, the sum is that invoice; and the partner behind the second largest invoice, who knows it, must
not come within p % of the largest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from node.records.rules_retention import SharingTerms
from node.sharing.disclosure.rules_bands import PERCENT

INVOICES_MIN_FLOOR = 5  # the lowest count band begins here


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosurePolicy:
    """Thresholds of disclosure control; a change is a new version, kept with each release.

    Raises:
        ValueError: A threshold is below what the form of a summary can hide.
    """

    version: str = "dc-1"
    invoices_min: int = INVOICES_MIN_FLOOR
    months_min: int = 3
    months_min_window: int = 4  # the shortest window, in months, to which months_min applies
    dominance_percent: int = 50
    p_percent: int = 10
    class_invoices_min: int = 3  # fewer in a delay class, or past due, are not shown apart
    changed_invoices_min: int = 3  # a window that differs by fewer is not released
    terms: SharingTerms = field(default_factory=SharingTerms)
    """Of adverse facts; the retention policy says them."""

    def __post_init__(self) -> None:
        if self.invoices_min < INVOICES_MIN_FLOOR:
            raise ValueError("a summary needs five invoices")
        if not 1 <= self.class_invoices_min <= self.invoices_min:
            raise ValueError("a delay class cannot need more invoices than a summary")


def has_frequency(
    *, invoice_count: int, month_count: int, window_months: int, policy: DisclosurePolicy
) -> bool:
    """Tell whether enough invoices fell due in enough months.

    The months keep a long window from being one delivery that was split into five invoices. A
    window of three months or fewer needs the number of invoices only: to ask for each of its
    months would silence most customers.
    """
    months_min = policy.months_min if window_months >= policy.months_min_window else 1
    return invoice_count >= policy.invoices_min and month_count >= months_min


def is_safe_sum(
    *, total_minor: int, largest_minor: int, second_minor: int, policy: DisclosurePolicy
) -> bool:
    """Tell whether a sum hides its parts: dominance and the p % rule both hold."""
    if total_minor <= 0:
        return False
    rest_minor = total_minor - largest_minor - second_minor
    dominated = PERCENT * largest_minor > policy.dominance_percent * total_minor
    close = PERCENT * rest_minor < policy.p_percent * largest_minor
    return not dominated and not close


def is_safe_cell(
    amount_minor: int, *, largest_minor: int, second_minor: int, policy: DisclosurePolicy
) -> bool:
    """Tell whether a money cell may be shown.

    Which invoices make up a balance is not known here, so it must be safe even with the window's
    two largest in it. An empty cell hides nothing: that nothing is owed is no invoice's amount.
    """
    return amount_minor <= 0 or is_safe_sum(
        total_minor=amount_minor,
        largest_minor=largest_minor,
        second_minor=second_minor,
        policy=policy,
    )
