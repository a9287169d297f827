"""When two names are one person's. Pure."""

from __future__ import annotations

import hashlib
from unicodedata import category, normalize

PERSON_CHARS_MAX = 200  # as many as a name may have: a sign can be eighteen letters
_FILLERS = "\u115f\u1160"  # letters of Hangul that show nothing


def is_same_person(one: str, other: str) -> bool:
    """Tell whether two names are written as one person's; case and width do not tell them apart."""
    return fold_name(one) == fold_name(other)


def fold_name(name: str) -> str:
    """Return the letters and digits of a name: the rest is not what tells two persons apart.

    What would be longer than a name may be ends in a hash of all of it.
    """
    folded = normalize("NFKC", normalize("NFKC", name).casefold())
    person = "".join(one for one in folded if category(one)[0] in "LN" and one not in _FILLERS)
    if len(person) <= PERSON_CHARS_MAX:
        return person
    digest = hashlib.sha256(person.encode()).hexdigest()
    return person[: PERSON_CHARS_MAX - len(digest)] + digest
