"""Which customers may be one company: suggestions for a person, never a decision.

Pure. Names are compared without their legal form, in any script. A name alone is weak evidence: in
the real invoices of the tests, customers of one name are one customer in 39 % of cases.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from rapidfuzz import fuzz, process

COMPARE_ALL_MAX = 5_000  # customers; beyond that only names that begin alike are compared
SCORE_CUTOFF_PERCENT = 90
BLOCK_CHARACTERS = 2
HOLDERS_MAX = 20  # of one phone or address; beyond that it is an exchange's, or a place-holder
_WORDS = re.compile(r"\w+")
# Longest first: one holds another.
_LEGAL_ENDINGS_ZH = (
    "股份有限公司", "有限责任公司", "集团有限公司", "有限公司", "集团公司", "公司", "集团",
)  # fmt: skip
_LEGAL_WORDS = frozenset(
    {
        "ab", "ag", "as", "bv", "co", "company", "corp", "corporation", "gmbh", "inc",
        "incorporated", "kg", "limited", "llc", "llp", "ltd", "nv", "oy", "plc", "pte", "pty", "sa",
        "sarl", "sas", "spa", "srl",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCustomer:
    """A customer with all its names and the phones and mail addresses of its contacts."""

    customer_id: int
    country: str
    names: tuple[str, ...]
    reached_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """Two customers that may be one, and why; the smaller key is first."""

    first_id: int
    second_id: int
    name_percent: int  # how alike the most alike names are; 0 below the cut-off
    same_contacts: tuple[str, ...]
    same_country: bool


def strip_name(name: str) -> str:
    """Return what is compared of a name: its words without legal forms, in order, in lower case.

    Widths and compositions are made alike (Unicode NFKC). A name that is nothing but a legal form
    stays as it is.
    """
    words = _WORDS.findall(unicodedata.normalize("NFKC", name).casefold())
    kept = [word for word in words if word not in _LEGAL_WORDS]
    stripped = " ".join(kept or words)
    for ending in _LEGAL_ENDINGS_ZH:
        if stripped.endswith(ending):
            return stripped.removesuffix(ending).strip() or stripped
    return stripped


def find_suspicions(
    customers: Sequence[NamedCustomer], *, cutoff_percent: int = SCORE_CUTOFF_PERCENT
) -> list[Suspicion]:
    """Return the pairs that may be one company, the most alike first.

    Names are alike by rapidfuzz's ratio (of the characters that stay, in 100), as they stand or
    with their words sorted.
    """
    by_id = {one.customer_id: one for one in customers}
    percents = _compare_names(customers, cutoff_percent=cutoff_percent)
    contacts = _share_contacts(customers)
    found = [
        Suspicion(
            first_id=first,
            second_id=second,
            name_percent=percents.get((first, second), 0),
            same_contacts=tuple(sorted(contacts.get((first, second), ()))),
            same_country=by_id[first].country == by_id[second].country,
        )
        for first, second in percents.keys() | contacts.keys()
    ]
    return sorted(
        found,
        key=lambda one: (
            -len(one.same_contacts),
            -one.name_percent,
            not one.same_country,
            one.first_id,
            one.second_id,
        ),
    )


def _compare_names(
    customers: Sequence[NamedCustomer], *, cutoff_percent: int
) -> dict[tuple[int, int], int]:
    percents: dict[tuple[int, int], int] = {}
    for block in _cut_blocks(customers):
        for number, (name, customer_id) in enumerate(block):
            others = block[number + 1 :]
            for _text, score, place in process.extract(
                name,
                [other for other, _id in others],
                scorer=fuzz.ratio,
                score_cutoff=cutoff_percent,
                limit=None,
            ):
                other_id = others[place][1]
                if other_id != customer_id:
                    pair = (min(customer_id, other_id), max(customer_id, other_id))
                    percents[pair] = max(percents.get(pair, 0), int(score))
    return percents


def _cut_blocks(customers: Sequence[NamedCustomer]) -> Iterator[list[tuple[str, int]]]:
    """Yield what is compared with each other: everything, or names that begin alike."""
    named = [
        (stripped, one.customer_id)
        for one in customers
        for stripped in dict.fromkeys(_spell(one.names))
    ]
    if len(customers) <= COMPARE_ALL_MAX:
        yield named
        return
    blocks: dict[str, list[tuple[str, int]]] = {}
    for stripped, customer_id in named:
        blocks.setdefault(stripped[:BLOCK_CHARACTERS], []).append((stripped, customer_id))
    yield from blocks.values()


def _spell(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        stripped = strip_name(name)
        if stripped:
            yield stripped
            yield " ".join(sorted(stripped.split()))


def _share_contacts(customers: Iterable[NamedCustomer]) -> dict[tuple[int, int], set[str]]:
    holders: dict[str, list[int]] = {}
    for one in customers:
        for address in one.reached_by:
            holders.setdefault(address, []).append(one.customer_id)
    shared: dict[tuple[int, int], set[str]] = {}
    for address, ids in holders.items():
        if len(ids) > HOLDERS_MAX:
            continue
        for first, second in combinations(sorted(ids), 2):
            shared.setdefault((first, second), set()).add(address)
    return shared
