import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from string import Formatter

import pytest

from node.assessment.policy_file import Language
from node.core.errors import InvariantError
from node.web.texts import TEXTS, Texts

WEB = Path(__file__).resolve().parents[3] / "node/web"
_CALL = re.compile(r"""\b(?:t|texts)\(\s*["']([a-z][A-Za-z0-9_.<>=-]*)["']""")
_LITERAL = re.compile(r"""["']([a-z]+(?:\.[A-Za-z0-9_<>=%-]+)+|yes|no)["']""")
_FAMILY = re.compile(r"""code_words\(\s*["']([a-z-]+)["']""")
# Families whose keys end in a code of the schemas and rooms, besides those that templates name.
FAMILIES = (
    "moved.",
    "portfolio.since-",
    "trigger.",
    "credit-sign.",
    "date-form.",
    "allocate.",
    "basis.",
    "event.",
    "delay.",
    "disputes.",
    "last.",
    "lateness.",
    "outcome.",
    "overdue.",
    "policies.status-",
    "refusal.",
    "subject.consent-state.",
    "subject.state.",
    "say.money.",
    "document.",
    "finance-trend.",
    "list-rank.",
    "share.",
    "span.",
    "trend.",
    "volume.",
    "weighting.",
    "years.",
)


def _sources() -> str:
    paths = [*WEB.glob("templates/*.html"), *WEB.glob("*.py")]
    return "\n".join(path.read_text("utf-8") for path in paths if not path.name.startswith("texts"))


def test_every_text_that_a_page_asks_for_is_in_the_catalogue() -> None:
    assert set(_CALL.findall(_sources())) - set(TEXTS) == set()


def test_no_two_parts_of_the_catalogue_have_a_text_of_one_name() -> None:
    """The later part would put its words on the other one's page."""
    parts = [
        part
        for path in sorted(WEB.glob("texts_*.py"))
        for name, part in vars(import_module(f"node.web.{path.stem}")).items()
        if name.endswith("_TEXTS")
    ]
    names = Counter(name for part in {id(part): part for part in parts}.values() for name in part)

    assert len(names) > 500
    assert [name for name, count in names.items() if count > 1] == []


def test_no_text_of_the_catalogue_is_unused() -> None:
    sources = _sources()
    named = set(_LITERAL.findall(sources))
    families = (*FAMILIES, *(f"{family}." for family in _FAMILY.findall(sources)))

    unused = {key for key in TEXTS if key not in named and not key.startswith(families)}
    assert unused == set()


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_both_languages_say_something_with_the_same_places(key: str) -> None:
    text = TEXTS[key]

    assert text.zh.strip()
    assert text.en.strip()
    places = [{name for _, name, _, _ in Formatter().parse(words) if name} for words in text]
    assert places[0] == places[1]


def test_a_text_that_is_missing_is_a_bug_and_not_a_blank() -> None:
    with pytest.raises(InvariantError):
        Texts(Language.ZH)("no.such.text")


def test_a_code_without_words_is_told_apart_from_one_with() -> None:
    texts = Texts(Language.EN)

    assert texts.find("code.no-answer") == "no answer (no data, or withheld)"
    assert texts.find("code.unheard-of") is None
