"""A case as plain values, for the API, the command line and the console."""

from __future__ import annotations

from datetime import date
from typing import Any

from node.assessment.policy_file import Language
from node.governance.cases.record import CaseEvent, CaseRecord, CaseStory
from node.governance.cases.rules_case import CaseStep, list_steps
from node.governance.cases.wording import say_case

_CODE_WORDS = {
    CaseStep.RECEIVE: "channel",
    CaseStep.ANSWER: "channel",
    CaseStep.CAUSE: "cause",
    CaseStep.APPEAL: "before",
}


def build_summary_object(record: CaseRecord, *, today: date, language: Language) -> dict[str, Any]:
    """Return a case without its texts."""
    return {
        "id": record.case_id,
        "kind": record.kind.value,
        "kind_text": say_case("kind", record.kind, language),
        "customer": record.customer_id,
        "target": None
        if record.target is None
        else {"kind": record.target.kind.value, "ref": record.target.ref},
        "state": record.state.value,
        "state_text": say_case("state", record.state, language),
        "result": None if record.result is None else record.result.value,
        "root_cause": None if record.root_cause is None else record.root_cause.value,
        "received_on": record.received_on.isoformat(),
        "mark_by": record.mark_by.isoformat(),
        "due_on": record.due_on.isoformat(),
        "days_left": (record.due_on - today).days,
        "is_late": record.is_late(today),
        "answered_on": _write(record.answered_on),
        "corrected_on": _write(record.corrected_on),
        "closed_on": _write(record.closed_on),
        "reopened": record.round - 1,
    }


def build_case_object(story: CaseStory, *, today: date, language: Language) -> dict[str, Any]:
    """Return a case with all its steps and texts."""
    record = story.record
    return {
        **build_summary_object(record, today=today, language=language),
        "subject": story.subject_id,
        "name": story.name,
        "complainant": record.complainant,
        "about": record.about,
        "text": record.text,
        "entered_by": record.entered_by,
        "needs_correction": record.needs_correction,
        "steps": [one.value for one in list_steps(record.state, kind=record.kind)],
        "events": [_build_event(one, language=language) for one in story.events],
    }


def _build_event(event: CaseEvent, *, language: Language) -> dict[str, Any]:
    words = _CODE_WORDS.get(event.step)
    return {
        "seq": event.seq,
        "round": event.round,
        "step": event.step.value,
        "step_text": say_case("step", event.step, language),
        "on": event.happened_on.isoformat(),
        "code": event.code,
        "code_text": None
        if event.code is None or words is None
        else say_case(words, event.code, language),
        "text": event.text,
        "document_sha256_hex": event.document_sha256_hex,
        "answers": event.answers,
        "by": event.by,
        "entered_at_ms": event.at_ms,
    }


def _write(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
