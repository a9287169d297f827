"""Credit applications and their checklist as plain values for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node.assessment.application.readers import CheckedApplications
from node.assessment.application.rules_application import ChecklistLine
from node.assessment.application.store import StoredApplication
from node.assessment.policy_file import Language


def build_applications_object(
    checked: CheckedApplications, *, checklist: str, language: Language
) -> dict[str, Any]:
    """Return a customer's applications, and what the checklist says today."""
    return {
        "applications": [_build_application(one) for one in checked.applications],
        "checklist": checklist,
        "documents": build_line_objects(checked.lines, language=language),
    }


def build_line_objects(
    lines: Sequence[ChecklistLine], *, language: Language
) -> list[dict[str, Any]]:
    """Return a line for each kind of document that is wanted."""
    return [
        {
            "kind": line.wanted.id,
            "name": line.wanted.names.render(language),
            "required": line.wanted.is_required,
            "wanted": line.wanted.count,
            "found": line.found,
            "newest_on": None if line.newest_on is None else line.newest_on.isoformat(),
            "holds_until": None if line.holds_until is None else line.holds_until.isoformat(),
            "state": line.state.value,
        }
        for line in lines
    ]


def _build_application(one: StoredApplication) -> dict[str, Any]:
    content = one.content
    return {
        "application": one.application_id,
        "state": one.state.value,
        "version": one.versions[-1].version,
        "requested_minor": content.requested_minor,
        "currency": content.currency,
        "terms_days": content.terms_days,
        "purpose": content.purpose,
        "applicant": content.applicant,
        "applied_on": content.applied_on.isoformat(),
        "references": [
            {"kind": reference.kind.value, "name": reference.name, "contact": reference.contact}
            for reference in content.references
        ],
        "events": [
            {
                "state": event.state.value,
                "on": event.happened_on.isoformat(),
                "reason": event.reason,
                "by": event.entered_by,
                "at_ms": event.entered_at_ms,
            }
            for event in one.events
        ],
        "documents": [
            {
                "document": entered.document_id,
                "kind": entered.document.kind,
                "dated_on": entered.document.dated_on.isoformat(),
                "received_on": entered.document.received_on.isoformat(),
                "document_sha256_hex": entered.document_sha256_hex,
                "by": entered.entered_by,
                "withdrawn": entered.withdrawn_reason,
            }
            for entered in one.documents
        ],
    }
