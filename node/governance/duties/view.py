"""The report on duties as plain values."""

from __future__ import annotations

from typing import Any

from node.assessment.policy_file import Language
from node.governance.duties.service import DutiesReport
from node.governance.duties.wording import say_duty


def build_duties_object(report: DutiesReport, *, language: Language) -> dict[str, Any]:
    """Return roles, tiers, deputies and conflicts."""
    body = report.policy.body
    return {
        "as_of": report.as_of.isoformat(),
        "roles": [
            {
                "role": one.role.value,
                "text": say_duty("role", one.role, language),
                "reads": [say_duty("area", area, language) for area in one.reads],
                "enters": [say_duty("area", area, language) for area in one.enters],
                "holders": list(one.holders),
            }
            for one in report.roles
        ],
        "currency": body.currency,
        "tiers": [
            {
                "upto_minor": tier.upto_minor,
                "roles": [say_duty("role", role, language) for role in tier.roles],
                "persons": tier.persons,
                "required": [say_duty("role", role, language) for role in tier.required],
            }
            for tier in body.tiers
        ],
        "deputies": [
            {
                "id": one.deputy_id,
                "role": one.role.value,
                "role_text": say_duty("role", one.role, language),
                "holder": one.holder,
                "deputy": one.deputy,
                "first_on": one.first_on.isoformat(),
                "last_on": one.last_on.isoformat(),
            }
            for one in report.deputies
        ],
        "role_conflicts": [
            {
                "conflict": one.conflict.value,
                "text": say_duty("conflict", one.conflict, language),
                "name": one.name,
                "roles": [say_duty("role", role, language) for role in one.roles],
            }
            for one in report.role_conflicts
        ],
        "acts": [
            {
                "conflict": one.conflict.value,
                "text": say_duty("conflict", one.conflict, language),
                "looked_at": one.looked_at,
                "found": [
                    {"where": pair.where, "first_by": pair.first_by, "second_by": pair.second_by}
                    for pair in one.found
                ],
            }
            for one in report.acts
        ],
    }
