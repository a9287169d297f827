"""Public lists: what a look into one found, and what is known of it on a day.

A look that found nothing ends what stood before, on its day at the latest: whoever looks later and
does not say when an entry was removed has seen it gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from node.assessment.outside.rules_report import find_hash_faults, find_text_faults
from node.assessment.outside_evidence import ListFacts
from node.assessment.policy_outside import PublicList
from node.records.windows import is_of_records

TEXT_CHARS_MAX: Mapping[str, int] = MappingProxyType({"reference": 64, "source": 200})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCheck:
    """A look into one list on a day: an entry with its reference, or that there was none."""

    list: PublicList
    is_found: bool
    reference: str = ""
    listed_on: date | None = None
    removed_on: date | None = None
    source: str
    checked_on: date
    document_sha256_hex: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCheck:
    """A look with its key; a later one has a higher key."""

    check_id: int
    check: ListCheck


def find_check_faults(check: ListCheck, *, today: date) -> list[str]:
    """Return what is wrong with a look, each as the name of a field and why."""
    faults = find_text_faults(check, TEXT_CHARS_MAX, optional=("reference",))
    faults += find_hash_faults(check.document_sha256_hex)
    if not is_of_records(check.checked_on) or check.checked_on > today:
        faults.append("checked_on: not after today")
    if check.is_found:
        return faults + _find_entry_faults(check)
    if check.reference or check.listed_on or check.removed_on:
        faults.append("reference, listed_on, removed_on: only of an entry that was found")
    return faults


def fold_checks(checks: Sequence[KnownCheck], *, as_of: date) -> tuple[ListFacts, ...]:
    """Return what is known of each list on a day from the looks up to it."""
    looks: defaultdict[PublicList, list[KnownCheck]] = defaultdict(list)
    for one in sorted(checks, key=lambda one: (one.check.checked_on, one.check_id)):
        if one.check.checked_on <= as_of:
            looks[one.check.list].append(one)
    return tuple(
        ListFacts(
            list=name,
            check_id=looks[name][-1].check_id,
            checked_on=looks[name][-1].check.checked_on,
            entries=_fold_entries([one.check for one in looks[name]]),
        )
        for name in PublicList
        if name in looks
    )


def _fold_entries(looks: Sequence[ListCheck]) -> tuple[tuple[date, date | None], ...]:
    entries: dict[str, tuple[date, date | None]] = {}
    for look in looks:
        if look.is_found and look.listed_on is not None:
            entries[look.reference] = (look.listed_on, look.removed_on)
        elif not look.is_found:
            entries = {
                reference: (listed_on, removed_on or look.checked_on)
                for reference, (listed_on, removed_on) in entries.items()
            }
    return tuple(sorted(entries.values(), key=lambda one: (one[0], one[1] or date.max)))


def _find_entry_faults(check: ListCheck) -> list[str]:
    faults = []
    if not check.reference.strip():
        faults.append("reference: an entry is known by its number, never by a name")
    if check.listed_on is None or check.listed_on > check.checked_on:
        faults.append("listed_on: of an entry that was found, not after checked_on")
    elif not is_of_records(check.listed_on):
        faults.append("listed_on: a day of records")
    if check.removed_on is not None and check.listed_on and check.removed_on < check.listed_on:
        faults.append("removed_on: not before listed_on")
    return faults
