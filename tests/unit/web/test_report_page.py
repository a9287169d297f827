"""An audit report as a page: what it says, in whose words, and what a hostile bundle cannot do."""

import json
import re
from html.parser import HTMLParser

import pytest

from node.assessment.policy_file import Language
from node.web.report_page import (
    EXHIBITS_CHARACTERS_MAX,
    FINDINGS_MAX,
    LINES_MAX,
    OPEN_EXCHANGES_MAX,
    PROVEN_EXCHANGES_MAX,
    UNREADABLE,
    build_report_page,
    show_plainly,
)
from protocol.consent import ConsentState
from protocol.report import build_object
from protocol.strict_json import JsonObject
from tests.support.auditing import ALPHA, BETA, audit, make_pair
from tests.support.federation import HUB_KEY

PAGE_BYTES_MAX = 5_000_000
MADE_AT_S = 1_790_000_000
TEXT = "x" * 4_000


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


def read(value: JsonObject, language: Language = Language.EN) -> tuple[str, _Reader]:
    html = build_report_page(value, language=language, made_at_s=MADE_AT_S, software="chengxin 0")
    reader = _Reader()
    reader.feed(html)
    return html, reader


def make_object(**changes: object) -> JsonObject:
    """Return the object of an audit of one proven exchange, with changes."""
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    value: JsonObject = json.loads(json.dumps(build_object(audit(federation.bundles())) | changes))
    return value


def make_line(**changes: object) -> JsonObject:
    place = {"bundle": "alpha", "file": "heads.jsonl", "line": 2}
    line = {"outcome": "fails", "code": "root-mismatch", "text": "t", "place": place}
    value: JsonObject = json.loads(json.dumps(line | changes))
    return value


def make_exchange(number: int, verdict: str, *, lines: int = 1, text: str = "t") -> JsonObject:
    outcome = {"proven": "holds", "contradicted": "fails", "undetermined": "unknown"}[verdict]
    return {
        "xid": f"x{number}",
        "consumer": ALPHA,
        "provider": BETA,
        "op": "query",
        "code": "full",
        "at": 1_790_000_000_000 + number,
        "uses": 1,
        "consents": [],
        "verdict": verdict,
        "evidence": [make_line(outcome=outcome, code="odd-code", text=text)] * lines,
    }


def test_a_proven_audit_says_so_with_its_exit_status_anchor_and_fingerprint() -> None:
    _, page = read(make_object())

    assert "Everything looked at holds" in page.text
    assert "Exit status 0" in page.text
    assert HUB_KEY.public.kid in page.text
    assert "Nothing is contradicted." in page.text


def test_a_use_after_a_revocation_is_shown_with_both_sides() -> None:
    federation, consent = make_pair()
    federation.set_state(consent, provider=BETA, state=ConsentState.REVOKED)
    federation.ask(ALPHA, BETA, consent)

    _, page = read(build_object(audit(federation.bundles())))

    assert "Used after the consent was revoked" in page.text
    assert "Shown by the bundle alpha (alpha.example)" in page.text
    assert "Shown by the bundle beta (beta.example)" in page.text
    assert "Exit status 1" in page.text


def test_what_befell_the_logs_stands_on_the_timeline() -> None:
    federation, consent = make_pair()
    federation.set_state(consent, provider=BETA, state=ConsentState.REVOKED)

    html, page = read(build_object(audit(federation.bundles())))

    assert html.count('class="mark-revoked" transform') == 1
    assert html.count('class="mark-cosigned" transform') == 2
    assert "consent revoked" in page.text


def test_an_anchor_out_of_the_bundle_is_warned_of() -> None:
    _, page = read(make_object(anchor={"key": "x", "given": False}))

    assert "It was taken from a bundle itself" in page.text


def test_a_report_without_anchor_and_registry_says_that_nothing_can_be_judged() -> None:
    value = make_object(
        verdict="contradicted",
        exit_status=1,
        logs=[],
        exchanges=[],
        exchange_counts=[],
        events=[],
    )
    del value["anchor"]
    del value["registry"]

    _, page = read(value)

    assert "No snapshot holds" in page.text
    assert "There is no exchange." in page.text
    assert "Nothing here has a time." in page.text


@pytest.mark.parametrize("language", Language)
def test_the_page_needs_no_script_and_nothing_from_outside(language: Language) -> None:
    html, page = read(make_object(), language)

    assert {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object"} == set()
    named = [attrs.get(name) for _, attrs in page.tags for name in ("href", "src") if name in attrs]
    assert all(name is not None and name.startswith("#") for name in named)
    assert not any("style" in attrs for _, attrs in page.tags)
    assert "default-src 'none'" in html
    assert "url(" not in html


def test_a_hostile_text_stays_text() -> None:
    hostile = "</pre><script>alert(1)</script>"
    finding = make_line(text=hostile, exhibits=[hostile], affects=[hostile], code=hostile[:20])
    exchange = make_exchange(1, "contradicted") | {"consumer": hostile, "op": hostile}
    event = {"at": 5, "member": hostile, "kind": hostile}

    html, page = read(make_object(findings=[finding], exchanges=[exchange], events=[event]))

    assert "<script" not in html
    assert hostile in page.text


def test_characters_that_turn_or_hide_text_are_shown_as_unreadable() -> None:
    shown = show_plainly("a\u202eb\u200bc\x1bd\ud800\ne")
    html, _ = read(make_object(findings=[make_line(text="\u202egnp.exe", code="\u2066\ud800")]))

    assert shown == UNREADABLE.join("abcd") + f"{UNREADABLE}\ne"
    assert "\u202e" not in html
    html.encode("utf-8")


def test_a_signed_text_is_shown_whole_or_named_as_too_long() -> None:
    long = "y" * 5_000
    findings = [make_line(exhibits=[long]), make_line(exhibits=["z" * EXHIBITS_CHARACTERS_MAX])]

    html, page = read(make_object(findings=findings))

    assert long in html
    assert "zzz" not in html
    assert f"It has {EXHIBITS_CHARACTERS_MAX} characters" in page.text


@pytest.mark.slow
def test_a_hundred_thousand_exchanges_are_counted_and_not_all_listed() -> None:
    count = 100_000
    exchanges = [make_exchange(number, "proven") for number in range(count)]
    verdicts = {"proven": count, "contradicted": 0, "undetermined": 0}

    html, page = read(make_object(exchanges=exchanges, exchange_verdicts=verdicts))

    assert len(html) < PAGE_BYTES_MAX // 10
    assert f"{count - PROVEN_EXCHANGES_MAX} more proven exchanges are counted" in page.text.replace(
        ",", ""
    )
    assert "100,000" in page.text


def test_a_report_that_lists_only_what_is_open_says_so_and_counts_the_rest() -> None:
    counts = [
        {
            "verdict": "proven",
            "consumer": ALPHA,
            "provider": BETA,
            "op": "query",
            "code": "full",
            "count": 1_234_567,
        }
    ]
    value = make_object(
        exchanges=[],
        exchange_counts=counts,
        exchanges_listed="not-proven",
        exchange_verdicts={"proven": 1_234_567},
    )

    _, page = read(value)

    assert "1,234,567 more proven exchanges are counted" in page.text
    assert "answered: full" in page.text


@pytest.mark.slow
def test_what_is_not_proven_is_bounded_too() -> None:
    exchanges = [
        make_exchange(number, "contradicted", lines=60, text=TEXT) for number in range(300)
    ]
    exchanges += [
        make_exchange(number, "undetermined", lines=60, text=TEXT) for number in range(300)
    ]
    findings = [make_line(text=TEXT)] * (FINDINGS_MAX + 7)

    html, page = read(make_object(exchanges=exchanges, findings=findings, exchange_verdicts={}))

    assert len(html) < 4 * PAGE_BYTES_MAX
    assert f"{300 - OPEN_EXCHANGES_MAX} more are not listed here" in page.text
    assert f"{60 - LINES_MAX} more lines of evidence" in page.text
    assert "7 more are not listed here" in page.text


def test_what_a_party_kept_to_itself_is_a_remark() -> None:
    _, page = read(make_object(findings=[make_line(outcome="not-shown", text="kept")]))

    assert "Nothing is contradicted." in page.text
    assert "kept" in page.text


def test_a_chinese_page_says_findings_in_chinese_and_keeps_the_auditors_words() -> None:
    html, page = read(make_object(findings=[make_line(text="two heads")]), Language.ZH)

    assert 'lang="zh-CN"' in html
    assert "日志根不符" in page.text
    assert "two heads" in page.text
    assert "请求签名有效" not in page.text  # proven exchanges are listed without their lines


def test_the_commands_to_repeat_it_are_safe_to_paste() -> None:
    log = json.loads(json.dumps(make_object()["logs"]))[0] | {"bundle": "a; rm -rf $HOME"}

    _, page = read(make_object(logs=[log]))

    assert "python -m protocol verify 'a; rm -rf $HOME' --anchor" in page.text
    assert "goverify log 'a; rm -rf $HOME/policy' 'a; rm -rf $HOME'" in page.text


def test_a_member_that_a_later_version_adds_is_passed_over() -> None:
    _, page = read(make_object(novelty={"a": 1}))

    assert "Everything looked at holds" in page.text
