"""Reports and looks into public lists as plain values for JSON, for the API and the commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node.assessment.outside.readers import choose_counting
from node.assessment.outside.store import EnteredCheck, ReportVersion


def build_report_objects(versions: Sequence[ReportVersion]) -> list[dict[str, Any]]:
    """Return every version, with whether it is the one that counts."""
    counting = {one.report_id for one in choose_counting(versions)}
    return [_build_report(one, counts=one.report_id in counting) for one in versions]


def build_check_objects(checks: Sequence[EnteredCheck]) -> list[dict[str, Any]]:
    """Return every look, those that were withdrawn too."""
    return [
        {
            "check": one.check_id,
            "list": one.check.list.value,
            "found": one.check.is_found,
            "reference": one.check.reference,
            "listed_on": _say(one.check.listed_on),
            "removed_on": _say(one.check.removed_on),
            "checked_on": one.check.checked_on.isoformat(),
            "source": one.check.source,
            "document_sha256_hex": one.check.document_sha256_hex,
            "by": one.entered_by,
            "at_ms": one.entered_at_ms,
            "withdrawn": one.withdrawn_reason,
        }
        for one in checks
    ]


def _build_report(one: ReportVersion, *, counts: bool) -> dict[str, Any]:
    report = one.report
    return {
        "report": one.report_id,
        "version": one.version,
        "counts": counts,
        "withdrawn": one.is_withdrawn,
        "agency": report.agency,
        "number": report.number,
        "kind": report.kind.value,
        "scale": report.scale,
        "printed": report.printed,
        "limit_minor": report.limit_minor,
        "currency": report.currency,
        "issued_on": report.issued_on.isoformat(),
        "expires_on": _say(report.expires_on),
        "document_sha256_hex": report.document_sha256_hex,
        "source": report.source,
        "reason": one.reason,
        "by": one.entered_by,
        "at_ms": one.entered_at_ms,
    }


def _say(day: object) -> str | None:
    return None if day is None else str(day)
