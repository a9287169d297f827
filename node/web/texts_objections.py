"""The part of the catalogue that the forms of objections to peers' summaries speak."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OBJECTION_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "objection.by": ("异议由谁提出", "An objection by"),
        "objection.enter": ("录入异议", "Enter the objection"),
        "objection.note": (
            "录入后立即不再计入任何评估。",
            "From its entry on the summary counts in no assessment.",
        ),
        "objection.entered": (
            "{who}于 {day} 提出异议，{by} 录入。",
            "Objection by {who} of {day}, entered by {by}.",
        ),
        "objection.open": ("尚未了结：本摘要不计入评估。", "Open: the summary does not count."),
        "objection.ended-as": ("{outcome}（{by}）。", "It was {outcome} ({by})."),
        "objection.another": (
            "由您录入：须由另一人录入结果。",
            "You entered it: another person enters how it ended.",
        ),
        "objection.outcome": ("结果", "It ended as"),
        "objection.end": ("录入结果", "Enter the end"),
        "raised-by.subject": ("信息主体", "the subject"),
        "raised-by.provider": ("提供方", "the provider"),
        "objection-end.upheld": ("异议成立，不再计入", "upheld: it never counts again"),
        "objection-end.rejected": ("异议不成立，重新计入", "rejected: it counts again"),
        "error.own-objection": (
            "录入异议的人不得录入结果：须由另一人决定。",
            "Who entered an objection does not decide on it: another person does.",
        ),
        "error.objection-exists": (
            "对该摘要已有未了结或已成立的异议。",
            "An objection to it is open already, or was upheld.",
        ),
        "error.objection-not-open": (
            "没有这项未了结的异议。",
            "There is no such objection that is open.",
        ),
    }
)
