"""Checks the authority's signature on the time-stamps of bundles, beside the pure audit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cryptography import x509

from node.core.timestamps import (
    TimestampInvalidError,
    check_timestamp_extra,
    read_certificates,
    verify_timestamp,
)
from protocol.__main__ import list_bundles, read_bundle
from protocol.audit.findings import Finding, Outcome, Report
from protocol.audit.stamps import NamedAnchor, list_anchors
from protocol.bundle import Bundle
from protocol.checkpoint import Checkpoint
from protocol.report import describe_time


def add_timestamps(report: Report, paths: Sequence[Path], *, certificate: Path) -> Report:
    """Return the report with a finding for every time-stamp of the bundles.

    Raises:
        TimestampExtraMissingError: The library is not installed.
        TimestampCertificateError: The certificates cannot be read.
        BundleUnreadableError: A path is no bundle any more.
    """
    check_timestamp_extra()
    certificates = read_certificates(certificate)
    found = [
        finding
        for folder in list_bundles(paths)
        for finding in _judge_bundle(read_bundle(folder), certificates=certificates)
    ]
    return replace(report, findings=(*report.findings, *found))


def _judge_bundle(bundle: Bundle, *, certificates: Sequence[x509.Certificate]) -> Iterator[Finding]:
    for anchor in list_anchors(bundle):
        if anchor.is_named:
            yield _judge_anchor(bundle, anchor, certificates=certificates)


def _judge_anchor(
    bundle: Bundle, anchor: NamedAnchor, *, certificates: Sequence[x509.Certificate]
) -> Finding:
    # An anchor that is named has its entry, and an entry is read only where a manifest is.
    head = None if anchor.entry is None else anchor.entry.head
    origin = "" if bundle.manifest is None else bundle.manifest.origin
    size, root = (0, bytes(32)) if head is None else (head.size, head.root)
    text = Checkpoint(origin=origin, size=size, root=root).text
    who = "" if anchor.entry is None else anchor.entry.authority
    try:
        verified = verify_timestamp(
            anchor.record.token, text=text.encode("utf-8"), certificates=certificates
        )
    except TimestampInvalidError as err:
        outcome, code, words = Outcome.FAILS, err.code, err.detail
    else:
        outcome, code = Outcome.HOLDS, "timestamp-holds"
        words = f"{who} has seen the head of {size} entries at {describe_time(verified.made_at_s)}"
    return Finding(outcome=outcome, code=code, text=words, place=anchor.place)
