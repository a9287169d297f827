"""The text of a notice to the subject of an adverse fact, in Chinese and English.

It says what others will be told, from which day on, to whom and for how long, and how to object: a
kind, a quarter, settled or not, as a summary says it; no amount and no reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from string import Template

from node.records.rules_retention import RetentionPolicy

MONTHS_PER_QUARTER = 3
_KINDS = {
    "collection": ("委托催收或严重逾期", "collection or a serious delay"),
    "write_off": ("坏账核销", "a write-off"),
    "legal": ("诉讼", "legal action"),
    "insolvency": ("破产", "insolvency"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLetter:
    """What a letter is made from."""

    sender: str
    contact: str  # where to object
    subject_name: str
    subject_id: str
    key: str
    kind: str
    happened_on: date
    ended_on: date | None
    sent_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter in both languages, and the first day on which what it tells of may be shared."""

    zh: str
    en: str
    shareable_from: date


def write_letter(letter: NoticeLetter, *, policy: RetentionPolicy) -> Letter:
    """Write a notice as of the day on which it is sent."""
    first_day = letter.sent_on + timedelta(days=policy.notice_days)
    kind_zh, kind_en = _KINDS[letter.kind]
    state_zh, state_en = ("未了结", "not settled")
    if letter.ended_on is not None:
        state_zh, state_en = ("已了结", "settled")
    quarter = (letter.happened_on.month - 1) // MONTHS_PER_QUARTER + 1
    values = {
        "key": letter.key,
        "name": letter.subject_name,
        "subject_id": letter.subject_id,
        "quarter": f"{letter.happened_on.year}-Q{quarter}",
        "first_day": first_day.isoformat(),
        "sent_on": letter.sent_on.isoformat(),
        "notice_days": str(policy.notice_days),
        "shared_months": str(policy.shared_months),
        "kept_months": str(policy.enterprise_adverse_months),
        "objection_days": str(policy.objection_days),
        "contact": letter.contact,
        "sender": letter.sender,
    }
    return Letter(
        zh=_read("zh").substitute(values, kind=kind_zh, state=state_zh),
        en=_read("en").substitute(values, kind=kind_en, state=state_en),
        shareable_from=first_day,
    )


def _read(language: str) -> Template:
    place = resources.files(__package__) / f"notice.{language}.txt"
    return Template(place.read_text(encoding="utf-8"))
