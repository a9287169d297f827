"""A report of an agency as it is entered, and what refuses it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from node.assessment.outside_evidence import ReportKind
from node.core.money import CURRENCY_FORM
from node.records.tables import ITEM_MINOR_MAX
from node.records.windows import is_of_records

TEXT_CHARS_MAX: Mapping[str, int] = MappingProxyType(
    {"agency": 64, "number": 64, "source": 200, "scale": 32, "printed": 32}
)
OPTIONAL = frozenset({"scale", "printed"})
SCALE_FORM = re.compile(r"[a-z][a-z0-9-]{0,31}")
SHA256_FORM = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideReport:
    """A paper of an agency: the score or grade as printed, in the scale that is named."""

    agency: str
    number: str
    kind: ReportKind
    scale: str = ""
    printed: str = ""
    limit_minor: int | None = None
    currency: str | None = None
    issued_on: date
    expires_on: date | None = None
    document_sha256_hex: str | None = None
    source: str


def find_report_faults(report: OutsideReport, *, today: date) -> list[str]:
    """Return what is wrong with a report, each as the name of a field and why."""
    return [
        *find_text_faults(report),
        *_find_value_faults(report),
        *_find_day_faults(report, today=today),
    ]


def find_text_faults(
    given: object, chars_max: Mapping[str, int] = TEXT_CHARS_MAX, *, optional: Sequence[str] = ()
) -> list[str]:
    """Return the texts that are empty, too long or would steer a terminal."""
    may_be_empty = {*OPTIONAL, *optional}
    faults = []
    for name, most in chars_max.items():
        text = getattr(given, name)
        if (not text.strip() and name not in may_be_empty) or len(text) > most:
            faults.append(f"{name}: 1 to {most} characters")
        elif not text.isprintable():
            faults.append(f"{name}: printable characters alone")
    return faults


def find_hash_faults(document_sha256_hex: str | None) -> list[str]:
    """Return what is wrong with the hash of a document."""
    if document_sha256_hex is None or SHA256_FORM.fullmatch(document_sha256_hex):
        return []
    return ["document_sha256_hex: 64 hexadecimal digits"]


def _find_value_faults(report: OutsideReport) -> list[str]:
    faults = find_hash_faults(report.document_sha256_hex)
    if report.kind is not ReportKind.REPORT and not (report.scale and report.printed):
        faults.append(f"scale, printed: a {report.kind} names its scale and what is printed")
    if report.scale and not SCALE_FORM.fullmatch(report.scale):
        faults.append("scale: small letters, digits and hyphens")
    if (report.limit_minor is None) != (report.currency is None):
        faults.append("limit, currency: both or neither")
    if report.limit_minor is not None and not 0 <= report.limit_minor <= ITEM_MINOR_MAX:
        faults.append("limit: not negative, and within what records can hold")
    if report.currency is not None and not CURRENCY_FORM.fullmatch(report.currency):
        faults.append("currency: three capital letters")
    return faults


def _find_day_faults(report: OutsideReport, *, today: date) -> list[str]:
    faults = []
    if not is_of_records(report.issued_on) or report.issued_on > today:
        faults.append("issued_on: not after today")
    if report.expires_on is not None and report.expires_on < report.issued_on:
        faults.append("expires_on: not before issued_on")
    return faults
