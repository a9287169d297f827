"""What is shown of a check: with its words, and its figures only to whom may see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from node.assessment.policy_file import Language
from node.risk.checks.answer import FIGURES
from node.risk.checks.wording import find_words, word_reason

_OF_GROUP = {"exposure_minor", "after_minor", "over_minor", "usage_permille"}


def list_heads(answer: Mapping[str, Any]) -> list[int]:
    """Return the heads of groups that an answer names."""
    return [one["head"] for one in answer[FIGURES]["groups"]]


def show_answer(
    answer: Mapping[str, Any],
    *,
    has_figures: bool,
    hidden: Collection[int] = frozenset(),
    blurred: Collection[int] = frozenset(),
) -> dict[str, Any]:
    """Return an answer with its words in both languages; without figures no limit, no exposure.

    A head of a group that is one of ``hidden`` is not named. What a group owes whose head is one of
    ``blurred`` is withheld: somebody of it may not be seen, and is the sum less the others.
    """
    shown = {name: value for name, value in answer.items() if has_figures or name != FIGURES}
    if has_figures and (hidden or blurred):
        groups = [_blur(one, hidden, blurred) for one in answer[FIGURES]["groups"]]
        shown[FIGURES] = answer[FIGURES] | {"groups": groups}
    return shown | {
        "reasons": [
            {
                "rule": one["rule"],
                "status": one["status"],
                "is_excused": one["is_excused"],
                "text": {
                    language.value: word_reason(
                        one,
                        language=language,
                        has_figures=has_figures and one["values"].get("head") not in blurred,
                    )
                    for language in Language
                },
            }
            | ({"values": _blur(one["values"], hidden, blurred)} if has_figures else {})
            for one in answer["reasons"]
        ],
        "status_text": {
            language.value: find_words(f"status.{answer['status']}", language=language)
            for language in Language
        },
    }


def _blur(
    values: Mapping[str, Any], hidden: Collection[int], blurred: Collection[int]
) -> dict[str, Any]:
    head = values.get("head")
    withheld = {"head"} if head in hidden else set()
    if head in blurred:
        withheld |= _OF_GROUP
    return {name: None if name in withheld else one for name, one in values.items()}
