"""Reviews and actions as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from node.assessment.policy_file import Language
from node.governance.reviews.service import ReviewStory
from node.governance.reviews.store import ActionRecord, ReviewRecord
from node.governance.reviews.wording import say_figure, say_review


def build_review_object(record: ReviewRecord, *, today: date, language: Language) -> dict[str, Any]:
    """Return a review without its figures."""
    held = record.held
    return {
        "id": record.review_id,
        "subject": record.subject.value,
        "subject_text": say_review("subject", record.subject, language),
        "due_on": record.due_on.isoformat(),
        "every_months": record.every_months,
        "months": record.months,
        "is_late": held is None and today > record.due_on,
        "as_of": None if held is None else held.as_of.isoformat(),
        "held_on": None if held is None else held.held_on.isoformat(),
        "held_by": None if held is None else held.held_by,
        "finding": None if held is None else held.finding,
    }


def build_action_object(action: ActionRecord, *, today: date) -> dict[str, Any]:
    """Return an action."""
    done = action.done
    return {
        "id": action.action_id,
        "review": action.review_id,
        "text": action.text,
        "owner": action.owner,
        "due_on": action.due_on.isoformat(),
        "is_late": done is None and today > action.due_on,
        "done_on": None if done is None else done.done_on.isoformat(),
        "done_by": None if done is None else done.done_by,
        "effect": None if done is None else done.effect,
    }


def build_story_object(story: ReviewStory, *, today: date, language: Language) -> dict[str, Any]:
    """Return a review with its figures and actions."""
    return {
        **build_review_object(story.record, today=today, language=language),
        "pack": None if story.pack is None else put_in_words(story.pack, language=language),
        "actions": [build_action_object(one, today=today) for one in story.actions],
    }


def put_in_words(pack: Mapping[str, Any], *, language: Language) -> dict[str, Any]:
    """Return a pack whose figures have words beside their codes."""
    return {
        **pack,
        "figures": [
            {
                **one,
                "name": say_review("figure", one["code"], language),
                "text": say_figure(one, language),
            }
            for one in pack["figures"]
        ],
    }
