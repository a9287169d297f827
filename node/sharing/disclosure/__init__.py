"""Disclosure control: which summary may leave, and which part a consent lets through."""

from node.sharing.disclosure.rules_consent import add_overdue_now, apply_consent
from node.sharing.disclosure.rules_differencing import (
    Release,
    ReleaseBasis,
    build_basis,
    choose_release,
    count_changed_invoices,
)
from node.sharing.disclosure.rules_release import build_adverse, build_release, find_tier
from node.sharing.disclosure.rules_safety import DisclosurePolicy

__all__ = [
    "DisclosurePolicy",
    "Release",
    "ReleaseBasis",
    "add_overdue_now",
    "apply_consent",
    "build_adverse",
    "build_basis",
    "build_release",
    "choose_release",
    "count_changed_invoices",
    "find_tier",
]
