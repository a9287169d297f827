"""How a letter is laid out: templates that ship, each named by the hash of its files.

A file that a letter was laid out by never changes: another layout is another name. A template is
code, so none comes out of a policy: policies give words, which are text here and are escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, StrictUndefined

from node.core.errors import InvariantError
from protocol.encoding import encode_b64u, sha256

LANGUAGES = ("zh", "en")
SUMMING = frozenset({"letter-1"})
"""Templates that list no open charges of earlier letters: they stand in interest and fee."""


class LetterForm(StrEnum):
    """As what a letter is written."""

    TEXT = "txt"
    PAGE = "html"


TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        "letter-1": "nFtNDbnw4ugSIN-fmGEmwz0Y4hk0FZ4LWcCCYk91V1A",
        "letter-2": "QqLWELbqGoMXN8bGB3j_ZSmU7A0m07Q9Y7wrIPLAGl0",
    }
)
"""The hash of each template: over its files in the order of languages, then forms."""


def hash_template(name: str) -> str:
    """Return the hash of a template's files as they are here."""
    parts = [sha256(_read(name, language, form)) for language in LANGUAGES for form in LetterForm]
    return encode_b64u(sha256(b"".join(parts)))


def render_letter(
    name: str, sha256_b64u: str, *, language: str, form: LetterForm, values: Mapping[str, Any]
) -> str:
    """Lay out a letter by the template that it was made with.

    Raises:
        InvariantError: The files are not those of the hash.
    """
    if TEMPLATES.get(name) != sha256_b64u or hash_template(name) != sha256_b64u:
        raise InvariantError(f"the template {name} is not the one that the letter was made with")
    source = _read(name, language, form).decode()
    return _open(form).from_string(source).render(values)


@cache
def _read(name: str, language: str, form: LetterForm) -> bytes:
    return (resources.files(__package__) / f"{name}.{language}.{form}.j2").read_bytes()


@cache
def _open(form: LetterForm) -> Environment:
    if form is LetterForm.PAGE:
        return Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    return Environment(
        autoescape=False,  # noqa: S701  plain text: nothing in it is read as anything else
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
