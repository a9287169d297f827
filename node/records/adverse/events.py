"""What makes an adverse event a fact."""

from __future__ import annotations

from datetime import date

from node.core.files import SHA256_FORM
from node.records.errors import AdverseEventInvalidError

ADVERSE_KINDS = frozenset({"collection", "write_off", "legal", "insolvency"})


def check_adverse(
    *, kind: str, happened_on: date, settled_on: date | None, evidence_sha256_hex: str
) -> None:
    """Check that an adverse event is a fact with a document held.

    Raises:
        AdverseEventInvalidError: The kind is unknown, the document is missing, or it was settled
            before it happened.
    """
    if kind not in ADVERSE_KINDS:
        raise AdverseEventInvalidError("the kind is unknown")
    if not SHA256_FORM.fullmatch(evidence_sha256_hex):  # of one spelling: it is looked for
        raise AdverseEventInvalidError("the document held is named by its SHA-256")
    if settled_on is not None and settled_on < happened_on:
        raise AdverseEventInvalidError("settled before it happened")
