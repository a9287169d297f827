"""A review as one page of HTML to print and keep: it loads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from node.assessment.policy_file import Language
from node.governance.reviews.wording import say_review

_STYLE = (
    "body{font:11pt/1.5 sans-serif;margin:2cm;color:#111}"
    "table{border-collapse:collapse;width:100%;margin:0 0 1em}"
    "th,td{border:1px solid #999;padding:.25em .5em;text-align:left;vertical-align:top}"
    "td.n{text-align:right}"
)


def build_review_page(shown: dict[str, Any], *, house: str, language: Language) -> str:
    """Return the page of a review as ``build_story_object`` has it."""

    def say(code: str) -> str:
        return escape(say_review("report", code, language))

    tag = "zh-CN" if language is Language.ZH else "en"
    title = f"{say('title')} {shown['id']}: {escape(shown['subject_text'])}"
    if shown["pack"] is None:
        body = f"<p>{say('due')} {shown['due_on']}, {say('not-held')}</p>"
    else:
        pack = shown["pack"]
        body = (
            f"<p>{say('period')}: {pack['first']} / {pack['as_of']}<br>"
            f"{say('held')}: {shown['held_on']}, {escape(shown['held_by'])}</p>"
            f"<h2>{say('finding')}</h2><p>{escape(shown['finding'])}</p>"
            f"<h2>{say('figures')}</h2>"
            + _build_table(
                [say(one) for one in ("figure", "currency", "value", "n")],
                ((one["name"], one["currency"], one["text"], one["n"]) for one in pack["figures"]),
            )
        )
    actions = _build_table(
        [say(one) for one in ("action", "owner", "due", "done", "effect")],
        (
            (one["text"], one["owner"], one["due_on"], one["done_on"], one["effect"])
            for one in shown["actions"]
        ),
    )
    kept = actions if shown["actions"] else f"<p>{say('none')}</p>"
    return (
        f'<!DOCTYPE html>\n<html lang="{tag}"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>"
        f"<p>{escape(house)}</p><h1>{title}</h1>{body}<h2>{say('actions')}</h2>{kept}"
        "</body></html>\n"
    )


def _build_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f'<th scope="col">{one}</th>' for one in headings)
    lines = "".join(
        "<tr>"
        + "".join(f"<td>{escape('' if one is None else str(one))}</td>" for one in row)
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
