"""Statements of a made-up company, whose figures add up, in minor units."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from node.assessment.statements.rules_statement import (
    Assurance,
    Basis,
    Gaap,
    Provenance,
    Source,
    Statement,
    Unit,
)

BALANCE: Mapping[str, int] = {
    "cash": 100,
    "receivables": 300,
    "inventory": 200,
    "current-assets": 600,
    "non-current-assets": 400,
    "total-assets": 1_000,
    "short-term-debt": 150,
    "payables": 200,
    "current-liabilities": 400,
    "long-term-debt": 100,
    "non-current-liabilities": 100,
    "total-liabilities": 500,
    "retained-earnings": 300,
    "total-equity": 500,
}
FLOWS: Mapping[str, int] = {
    "sales": 1_500,
    "cost-of-sales": 1_000,
    "gross-profit": 500,
    "operating-profit": 100,
    "interest-expense": 20,
    "profit-before-tax": 100,
    "income-tax": 25,
    "net-profit": 75,
    "depreciation": 50,
    "operating-cash-flow": 90,
}
PROVENANCE = Provenance(
    source=Source.ENTERED, document_sha256_hex=None, received_on=date(2026, 3, 1)
)


def build_statement(
    year: int = 2025,
    *,
    factor: int = 100,
    change: Mapping[str, int] | None = None,
    **head: Any,  # noqa: ANN401  any field of a statement
) -> Statement:
    """Return a statement of a calendar year; ``factor`` makes minor units of the figures above."""
    lines = {
        code: amount * factor for code, amount in {**BALANCE, **FLOWS, **(change or {})}.items()
    }
    values: dict[str, Any] = {
        "year_end": date(year, 12, 31),
        "months": 12,
        "currency": "CNY",
        "unit": Unit.ONES,
        "basis": Basis.SINGLE,
        "assurance": Assurance.AUDITED,
        "gaap": Gaap.CAS,
        "lines": lines,
    }
    return Statement(**(values | head))


def leave_out(statement: Statement, *codes: str) -> dict[str, int]:
    """Return a statement's lines without some."""
    return {code: amount for code, amount in statement.lines.items() if code not in codes}
