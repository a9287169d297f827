"""What is shown of a check: with its words, and its figures only to whom may see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from node.assessment.policy_file import Language
from node.risk.checks.answer import FIGURES
from node.risk.checks.wording import find_words, word_reason


def show_answer(answer: Mapping[str, Any], *, has_figures: bool) -> dict[str, Any]:
    """Return an answer with its words in both languages; without figures no limit, no exposure."""
    shown = {name: value for name, value in answer.items() if has_figures or name != FIGURES}
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
            | ({"values": one["values"]} if has_figures else {})
            for one in answer["reasons"]
        ],
        "status_text": {
            language.value: find_words(f"status.{answer['status']}", language=language)
            for language in Language
        },
    }
