"""What a file of statements is read into, and what the file does not say itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from node.assessment.statements.rules_findings import Finding, has_errors
from node.assessment.statements.rules_statement import (
    Assurance,
    Basis,
    Gaap,
    Statement,
    Unit,
)

FINDINGS_MAX = 200  # of one file; what is wrong everywhere need not be said everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What whoever enters a file says of it; what the file says itself comes first."""

    currency: str | None = None
    unit: Unit | None = None
    months: int | None = None
    basis: Basis | None = None
    assurance: Assurance | None = None
    gaap: Gaap | None = None
    year_end: date | None = None
    """Take this year alone; otherwise every year of the file."""
    entity: str | None = None
    """The identifier of the company, where an XBRL file is of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Statements of a file, oldest first, and what was found; with an error there are none."""

    statements: tuple[Statement, ...]
    findings: tuple[Finding, ...]
    document_sha256_hex: str


def build_draft(raw: bytes, statements: list[Statement], findings: list[Finding]) -> Draft:
    """Put together what was read: nothing of a file that has an error."""
    if not statements and not has_errors(findings):
        findings.append(Finding(code="no-statement"))
    kept = [] if has_errors(findings) else sorted(statements, key=lambda one: one.year_end)
    return Draft(
        statements=tuple(kept),
        findings=tuple(findings[:FINDINGS_MAX]),
        document_sha256_hex=hashlib.sha256(raw).hexdigest(),
    )
