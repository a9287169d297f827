"""What is shown of a check: with its words, and its figures only to whom may see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from node.assessment.policy_file import Language
from node.risk.checks.answer import FIGURES
from node.risk.checks.wording import find_words, word_reason


def list_heads(answer: Mapping[str, Any]) -> list[int]:
    """Return the heads of groups that an answer names."""
    return [one["head"] for one in answer[FIGURES]["groups"]]


def show_answer(
    answer: Mapping[str, Any], *, has_figures: bool, hidden: Collection[int] = frozenset()
) -> dict[str, Any]:
    """Return an answer with its words in both languages; without figures no limit, no exposure.

    A head of a group that is one of ``hidden`` is not named.
    """
    shown = {name: value for name, value in answer.items() if has_figures or name != FIGURES}
    if has_figures and hidden:
        groups = [_hide_head(one, hidden) for one in answer[FIGURES]["groups"]]
        shown[FIGURES] = answer[FIGURES] | {"groups": groups}
    return shown | {
        "reasons": [
            {
                "rule": one["rule"],
                "status": one["status"],
                "is_excused": one["is_excused"],
                "text": {
                    language.value: word_reason(one, language=language, has_figures=has_figures)
                    for language in Language
                },
            }
            | ({"values": _hide_head(one["values"], hidden)} if has_figures else {})
            for one in answer["reasons"]
        ],
        "status_text": {
            language.value: find_words(f"status.{answer['status']}", language=language)
            for language in Language
        },
    }


def _hide_head(values: Mapping[str, Any], hidden: Collection[int]) -> dict[str, Any]:
    is_hidden = values.get("head") in hidden
    return {name: None if is_hidden and name == "head" else one for name, one in values.items()}
