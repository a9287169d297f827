"""The rules of docs/protocol and their ids."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

RULE_ID = re.compile(r"\[([A-Z]{3}-\d+)\]")
_MUST = re.compile(r"MUST(?: NOT)?")
_PAGE_ROW = re.compile(r"^\| \[(\w+\.md)\]\(\1\) \| `([A-Z]{3})` \|$", re.MULTILINE)
_PAGE_OF_IDS = "conformance.md"
_WORDS = "MUST, MUST NOT, SHOULD, MAY as in RFC 2119"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the specification, as text."""

    name: str
    text: str

    @property
    def rule_ids(self) -> list[str]:
        """The ids on this page in the order in which they stand."""
        return RULE_ID.findall(self.text)


def read_pages(project_root: Path) -> list[Page]:
    """Read every page of the specification but the one that speaks of ids."""
    return [
        Page(name=path.name, text=path.read_text(encoding="utf-8"))
        for path in sorted((project_root / "docs" / "protocol").glob("*.md"))
        if path.name != _PAGE_OF_IDS
    ]


def read_prefixes(project_root: Path) -> dict[str, str]:
    """Return each page's prefix, as the page of ids gives them."""
    path = project_root / "docs" / "protocol" / _PAGE_OF_IDS
    return dict(_PAGE_ROW.findall(path.read_text(encoding="utf-8")))


def find_rules_without_id(page: Page) -> list[str]:
    """Return the beginning of every MUST that no id follows in its sentence."""
    text = page.text.replace(_WORDS, "")
    starts = [match.start() for match in _MUST.finditer(text)]
    bare: list[str] = []
    for start, following in pairwise([*starts, len(text)]):
        sentence = re.split(r"\.\s|\n\n", text[start:following], maxsplit=1)[0]
        if not RULE_ID.search(sentence):
            bare.append(f"{page.name}: {text[max(0, start - 40) : start + 40]}")
    return bare
