"""Every text of the console in Chinese and English, read from gettext catalogues.

``locale/<language>/LC_MESSAGES/<part>.po`` holds the texts of a part of the console: ``msgid`` is
the key that templates and code name, ``msgstr`` what the page says, with places in braces. Any
translator's tool edits them. A catalogue that is not complete in both languages is refused here,
before a page is made; a test holds templates and code to the keys: none is used that is not there,
none is there unused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from babel.messages.pofile import read_po

from node.assessment.policy_file import Language
from node.core.errors import InvariantError

LOCALES: Final = Path(__file__).parent / "locale"


class Text(NamedTuple):
    """One text in both languages."""

    zh: str
    en: str


class Texts:
    """The catalogue in one language."""

    def __init__(self, language: Language) -> None:
        """Fix the language."""
        self.language = language

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its places filled in.

        Raises:
            InvariantError: There is no such text.
        """
        text = TEXTS.get(key)
        if text is None:
            raise InvariantError(f"the console has no text {key}")
        words = text.zh if self.language is Language.ZH else text.en
        return words.format(**values) if values else words

    def find(self, key: str) -> str | None:
        """Return a text, or None where a code from outside has none."""
        return self(key) if key in TEXTS else None


def read_catalogues(folder: Path) -> Mapping[str, Text]:
    """Read the catalogues of both languages, all parts of each.

    Raises:
        InvariantError: A text is empty or fuzzy, has one name in two parts, or is there in one
            language only.
        PoFileError: A file is no catalogue.
    """
    zh, en = (_read_language(folder / language) for language in (Language.ZH, Language.EN))
    if lone := zh.keys() ^ en.keys():
        raise InvariantError(f"in one language only: {', '.join(sorted(lone))}")
    return MappingProxyType({key: Text(zh=words, en=en[key]) for key, words in zh.items()})


def _read_language(folder: Path) -> dict[str, str]:
    words: dict[str, str] = {}
    for key, text in _read_messages(folder):
        if not text:
            raise InvariantError(f"{folder.name} does not say {key}")
        if key in words:
            raise InvariantError(f"{folder.name} says {key} in two parts")
        words[key] = text
    return words


def _read_messages(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((folder / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
        for message in catalogue:
            if message.id:
                yield str(message.id), "" if message.fuzzy else str(message.string)


TEXTS: Final = read_catalogues(LOCALES)
