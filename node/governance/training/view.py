"""Procedures as plain values."""

from __future__ import annotations

from typing import Any

from node.governance.training.record import Confirmation, Procedure, Standing


def build_procedure_object(procedure: Procedure, *, has_text: bool) -> dict[str, Any]:
    """Return a version, with its text where asked for."""
    return {
        "name": procedure.slug,
        "version": procedure.version,
        "title": procedure.title,
        "document_sha256_hex": procedure.document_sha256_hex,
        "roles": sorted(one.value for one in procedure.roles),
        "published_on": procedure.published_on.isoformat(),
        "entered_by": procedure.entered_by,
        **({"text": procedure.text} if has_text else {}),
    }


def build_confirmation_object(confirmation: Confirmation) -> dict[str, Any]:
    """Return who has read a version, and when."""
    return {
        "name": confirmation.name,
        "role": confirmation.role.value,
        "on": confirmation.confirmed_on.isoformat(),
        "at_ms": confirmation.confirmed_at_ms,
    }


def build_standing_object(standing: Standing) -> dict[str, Any]:
    """Return who has confirmed the newest version and who has not."""
    return {
        **build_procedure_object(standing.procedure, has_text=False),
        "percent": standing.percent,
        "confirmed": [build_confirmation_object(one) for one in standing.confirmed],
        "missing": [
            {"name": one.name, "roles": sorted(role.value for role in one.roles)}
            for one in standing.missing
        ],
    }
