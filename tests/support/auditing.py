"""Short ways to audit a federation in memory and to read what the report says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from protocol import audit as auditor
from protocol.audit import preparing, rounds
from protocol.audit.findings import Evidence, ExchangeReport, Finding, Outcome, Report
from protocol.bundle import Bundle, parse_bundle_files
from protocol.keys import PublicKey
from protocol.report import build_object
from tests.support.federation import HUB_KEY, Federation
from tests.support.second_opinion import compare_with_report

ALPHA, BETA, GAMMA = "alpha.example", "beta.example", "gamma.example"
Files = dict[str, bytes]


def audit_bundles(bundles: Sequence[Bundle], *, anchor: PublicKey | None = None) -> Report:
    """Audit bundles; an independent verifier must judge each log alike.

    As a large audit they are judged where they stand as well, and must come to the same.
    """
    report = auditor.audit_bundles(bundles, anchor=anchor)
    compare_with_report(bundles, report)
    compare_sweeps(bundles, anchor=anchor)
    return report


def compare_sweeps(bundles: Sequence[Bundle], *, anchor: PublicKey | None = None) -> None:
    """Compare a large audit with one in which no exchange is judged where it stands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparing, "KEPT_ENTRIES_MAX", -1)
        swept = auditor.audit_bundles(bundles, anchor=anchor)
        patch.setattr(rounds, "list_windows", lambda _world, _surveys: ())
        routed = auditor.audit_bundles(bundles, anchor=anchor)
    assert build_object(swept) == build_object(routed)


def audit(bundles: Sequence[Bundle]) -> Report:
    """Audit bundles under the hub's true key."""
    return audit_bundles(bundles, anchor=HUB_KEY.public)


def audit_files(**files: Files) -> Report:
    """Audit bundles given as their files, by name."""
    return audit([parse_bundle_files(held, name=name) for name, held in files.items()])


def list_open(report: Report) -> list[Finding | Evidence]:
    """Return every line that fails or leaves something open."""
    lines: list[Finding | Evidence] = [*report.findings]
    lines += [finding for log in report.logs for finding in log.findings]
    lines += [line for one in report.exchanges for line in one.evidence]
    lines += [line for one in report.consents for line in one.evidence]
    return [line for line in lines if line.outcome in {Outcome.FAILS, Outcome.UNKNOWN}]


def codes(report: Report, outcome: Outcome = Outcome.FAILS) -> set[str]:
    """Return the codes of all lines with an outcome."""
    return {line.code for line in list_open(report) if line.outcome is outcome}


def find_line(report: Report, code: str) -> Finding | Evidence:
    """Return the only open line with a code."""
    (line,) = [line for line in list_open(report) if line.code == code]
    return line


def find_exchange(report: Report, xid: str) -> ExchangeReport:
    """Return an exchange by its id."""
    (one,) = [one for one in report.exchanges if one.xid == xid]
    return one


def flip(raw: bytes, position: int) -> bytes:
    """Return bytes with one bit of one byte changed."""
    changed = bytearray(raw)
    changed[position] ^= 1
    return bytes(changed)


def flip_in(files: Files, path: str, position: int) -> Files:
    """Return files with one byte of one of them changed."""
    return {**files, path: flip(files[path], position)}


def make_pair() -> tuple[Federation, bytes]:
    """Return a federation of two members and a consent that the second may answer under."""
    federation = Federation(ALPHA, BETA)
    return federation, federation.consent(ALPHA, BETA)
