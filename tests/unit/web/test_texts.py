import re
from collections import Counter
from pathlib import Path
from string import Formatter

import pytest

from node.assessment.policy_file import Language
from node.core.errors import InvariantError
from node.web.texts import LOCALES, TEXTS, Text, Texts, read_catalogues

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
    return "\n".join(path.read_text("utf-8") for path in paths)


def test_every_text_that_a_page_asks_for_is_in_the_catalogue() -> None:
    assert set(_CALL.findall(_sources())) - set(TEXTS) == set()


def write_part(folder: Path, language: str, part: str, texts: str) -> None:
    path = folder / language / "LC_MESSAGES" / f"{part}.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(texts, "utf-8")


BOTH = 'msgid "a"\nmsgstr "A"\n'
ANOTHER = 'msgid "b"\nmsgstr "B"\n'


@pytest.mark.parametrize(
    ("english", "second", "named"),
    [
        (BOTH + "\n" + ANOTHER, "", "one language only: b"),
        ("", "", "one language only: a"),
        ('msgid "a"\nmsgstr ""\n', "", "en does not say a"),
        ("#, fuzzy\n" + BOTH, "", "en does not say a"),
        # The later part would put its words on the other one's page.
        (BOTH, BOTH, "en says a in two parts"),
    ],
    ids=["lone", "missing", "empty", "fuzzy", "twice"],
)
def test_a_catalogue_that_is_not_whole_is_refused(
    tmp_path: Path, english: str, second: str, named: str
) -> None:
    write_part(tmp_path, "zh", "first", BOTH)
    write_part(tmp_path, "en", "first", english)
    write_part(tmp_path, "en", "second", second)

    with pytest.raises(InvariantError, match=named):
        read_catalogues(tmp_path)


def test_no_part_says_a_text_twice() -> None:
    """Of two the reader would keep one without a word."""
    for path in LOCALES.glob("*/LC_MESSAGES/*.po"):
        names = Counter(re.findall(r'^msgid "(.+)"$', path.read_text("utf-8"), re.MULTILINE))
        assert [name for name, count in names.items() if count > 1] == [], path.name


def test_a_text_is_read_in_both_languages(tmp_path: Path) -> None:
    write_part(tmp_path, "zh", "first", 'msgid "a.b"\nmsgstr "甲 {count}"\n')
    write_part(tmp_path, "en", "first", 'msgid "a.b"\nmsgstr "A {count}"\n')

    assert read_catalogues(tmp_path) == {"a.b": Text(zh="甲 {count}", en="A {count}")}
    assert len(TEXTS) > 500


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
