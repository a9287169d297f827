"""How names are ordered and found, in Latin and in Chinese script. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

QUERY_WORDS_MAX = 8
SEARCH_CHARS_MAX = 4_000
SORT_BYTES_MAX = 60
_BETWEEN = "\n"  # no word that is looked for has it


def fold_text(text: str) -> str:
    """Return a text as it is compared: full and half width, capitals and small letters are one."""
    return unicodedata.normalize("NFKC", text).casefold()


def split_query(text: str) -> tuple[str, ...]:
    """Return the words of a search, of which a customer has to have every one."""
    return tuple(dict.fromkeys(fold_text(text).split()))[:QUERY_WORDS_MAX]


def build_search_text(texts: Iterable[str]) -> str:
    """Join a customer's names and numbers into what its searches look through."""
    folded = dict.fromkeys(fold_text(one) for one in texts)
    return _BETWEEN.join(folded)[:SEARCH_CHARS_MAX]


def build_sort_name(name: str) -> str:
    """Return by what a name is ordered, in hexadecimal digits, which every store orders alike.

    They are the bytes of GB 18030, whose first 3,755 characters (those of GB 2312, level 1) stand
    in the order of their pinyin; Latin letters stand before them.
    """
    return fold_text(name).encode("gb18030", errors="replace")[:SORT_BYTES_MAX].hex()


def has_words(search_text: str, words: Iterable[str]) -> bool:
    """Tell whether a customer's text has every word."""
    return all(word in search_text for word in words)
