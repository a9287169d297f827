"""Why a statement is refused, or is not there."""

from __future__ import annotations

from collections.abc import Sequence

from node.assessment.statements.rules_findings import Finding, Severity
from node.core.errors import ConflictError, NotFoundError, RejectedError


class StatementInvalidError(RejectedError):
    """A statement has findings that refuse it; nothing of it was kept."""

    code = "statement-invalid"

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Keep every finding; the text is of the first ones that refuse."""
        refusing = [one for one in findings if one.severity is Severity.ERROR]
        super().__init__("; ".join(one.text for one in refusing[:5]))
        self.findings = tuple(findings)


class StatementFileError(RejectedError):
    """A file is no statement that is read here, or too large."""

    code = "statement-file"


class StatementExistsError(ConflictError):
    """There is a statement of this year and basis: a correction names it and a reason."""

    code = "statement-exists"


class StatementNotFoundError(NotFoundError):
    """The customer has no such statement that counts."""

    code = "statement-not-found"
