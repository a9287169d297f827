"""Looks as plain values, as CSV, and the extract that a subject is handed."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

from node.assessment.policy_file import Language
from node.core.spreadsheets import tame_cell
from node.governance.cases.rules_case import CaseStep
from node.governance.cases.wording import say_case
from node.governance.duties.wording import say_duty
from node.governance.looks.service import LookRow, SubjectExtract

COLUMNS = ("at", "who", "name", "role", "what", "target", "customer", "scope", "outcome")


def build_look_object(row: LookRow) -> dict[str, Any]:
    """Return one look."""
    record = row.record
    return {
        "id": record.access_id,
        "at": write_moment(record.at_ms),
        "who": record.who,
        "name": record.name,
        "role": row.role,
        "what": record.what,
        "target": record.target,
        "customer": row.customer_id,
        "scope": record.scope,
        "outcome": record.outcome,
    }


def write_looks(file: TextIO, rows: Iterable[LookRow]) -> None:
    """Write looks as CSV; what a spreadsheet would run as a formula begins with an apostrophe."""
    lines = csv.writer(file)
    lines.writerow(COLUMNS)
    for row in rows:
        shown = build_look_object(row)
        lines.writerow([_tame(shown[name]) for name in COLUMNS])


def build_extract_object(extract: SubjectExtract, *, language: Language) -> dict[str, Any]:
    """Return what a customer is handed: roles and kinds of what was seen, and no names of staff."""
    return {
        "subject": extract.customer.subject_id,
        "name": extract.customer.name,
        "as_of": extract.as_of.isoformat(),
        "looks": [
            {
                "at": write_moment(one.record.at_ms),
                "role": say_duty("role", one.role, language),
                "what": say_duty("area", one.record.what, language),
                "outcome": one.record.outcome,
            }
            for one in extract.looks
        ],
        "told": [
            {
                "at": write_moment(one.at_ms),
                "member": one.peer,
                "op": one.op,
                "is_refused": one.is_refused,
            }
            for one in extract.told
        ],
        "cases": [
            {
                "id": one.record.case_id,
                "kind": say_case("kind", one.record.kind, language),
                "state": say_case("state", one.record.state, language),
                "received_on": one.record.received_on.isoformat(),
                "due_on": one.record.due_on.isoformat(),
                "answers": [
                    {"on": event.happened_on.isoformat(), "text": event.text}
                    for event in one.events
                    if event.step is CaseStep.ANSWER
                ],
                "statements": [
                    event.text for event in one.events if event.step is CaseStep.STATEMENT
                ],
            }
            for one in extract.cases
        ],
    }


def write_moment(at_ms: int) -> str:
    """Write a moment in UTC, to the second."""
    return datetime.fromtimestamp(at_ms // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _tame(value: object) -> object:
    return tame_cell(value) if isinstance(value, str) else value
