"""Reports, looks into public lists and applications, as tests enter them."""

from __future__ import annotations

from datetime import date
from typing import Any

from node.assessment.application.rules_application import (
    Application,
    Reference,
    ReferenceKind,
)
from node.assessment.outside.rules_listing import ListCheck
from node.assessment.outside.rules_report import OutsideReport
from node.assessment.outside_evidence import ReportKind
from node.assessment.policy_outside import PublicList


def make_report(**change: Any) -> OutsideReport:  # noqa: ANN401  any field of a report
    values: dict[str, Any] = {
        "agency": "Bureau",
        "number": "R-1",
        "kind": ReportKind.SCORE,
        "scale": "points-100",
        "printed": "80",
        "limit_minor": 5_000_000,
        "currency": "CNY",
        "issued_on": date(2026, 3, 1),
        "expires_on": date(2026, 9, 1),
        "document_sha256_hex": "a" * 64,
        "source": "subscription",
    }
    return OutsideReport(**(values | change))


def make_check(**change: Any) -> ListCheck:  # noqa: ANN401  any field of a look
    values: dict[str, Any] = {
        "list": PublicList.TAX_ARREARS,
        "is_found": False,
        "source": "tax bureau's page",
        "checked_on": date(2026, 3, 20),
    }
    return ListCheck(**(values | change))


def make_entry(**change: Any) -> ListCheck:  # noqa: ANN401  any field of a look
    values: dict[str, Any] = {
        "is_found": True,
        "reference": "2026-77",
        "listed_on": date(2026, 2, 1),
    }
    return make_check(**(values | change))


def make_application(**change: Any) -> Application:  # noqa: ANN401  any field of an application
    values: dict[str, Any] = {
        "requested_minor": 50_000_000,
        "currency": "CNY",
        "terms_days": 60,
        "purpose": "components for the year",
        "applicant": "Chen, finance",
        "applied_on": date(2026, 3, 10),
        "references": (
            Reference(kind=ReferenceKind.BANK, name="Bank of Example", contact="branch 3"),
            Reference(kind=ReferenceKind.TRADE, name="Supplier Ltd"),
        ),
    }
    return Application(**(values | change))
