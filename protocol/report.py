"""An audit report as JSON and as text: anchor, registry, logs, exchanges, consents, findings."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from textwrap import indent

from protocol.audit.findings import (
    Evidence,
    ExchangeCounts,
    ExchangeReport,
    Finding,
    LogReport,
    Outcome,
    Place,
    PolicyHead,
    PolicyReport,
    Report,
    Verdict,
)
from protocol.encoding import encode_b64u
from protocol.strict_json import JsonObject, JsonValue

REPORT_VERSION = 1
EXCHANGES_SHOWN_MAX = 100  # not proven, in the text; JSON has all
FINDINGS_SHOWN_MAX = 200
_MARKS = {
    Outcome.HOLDS: "+",
    Outcome.FAILS: "!",
    Outcome.UNKNOWN: "?",
    Outcome.NOT_SHOWN: "-",
}
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_NO_EXCHANGES = '\n  "exchanges": []'
FROM_BUNDLE_WARNING = (
    "the anchor was taken from the bundle itself: this proves that the bundles agree with each "
    "other, not whose they are; give the hub's key with --anchor"
)


def build_object(report: Report) -> JsonObject:
    """Return the report as JSON values."""
    counted = count_report(report)
    value: JsonObject = {
        "v": REPORT_VERSION,
        "verdict": report.verdict.value,
        "exit_status": int(report.exit_status),
        "totals": {
            "bundles": report.totals.bundles,
            "entries": report.totals.entries,
            "exchanges": report.totals.exchanges,
            "uses": report.totals.uses,
            "signatures": report.totals.signatures,
        },
        "exchange_verdicts": _count_verdicts(counted.totals),
        "exchanges_listed": "all" if counted.keeps_all else "not-proven",
        "exchange_counts": [
            {
                "verdict": verdict,
                "consumer": consumer,
                "provider": provider,
                "op": op,
                "code": code,
                "count": count,
            }
            for (verdict, consumer, provider, op, code), count in sorted(counted.totals.items())
        ],
        "logs": [_format_log(log) for log in report.logs],
        "exchanges": [_format_exchange(one) for one in report.exchanges],
        "consents": [
            {
                "consent": one.consent,
                "consumer": one.consumer,
                "provider": one.provider,
                "purpose": one.purpose,
                "uses": one.uses,
                "max_uses": one.max_uses,
                "state": one.state,
                "verdict": one.verdict.value,
                "evidence": _format_evidence(one.evidence),
            }
            for one in report.consents
        ],
        "findings": _format_findings(report.findings),
        "events": [
            {"at": one.at_ms, "member": one.member, "kind": one.kind} for one in report.events
        ],
    }
    if report.policy is not None:
        value["policy"] = _format_policy(report.policy)
    if report.anchor is not None:
        value["anchor"] = {"key": report.anchor.key, "given": report.anchor.given}
    if report.registry is not None:
        value["registry"] = {
            "hub": report.registry.hub,
            "snapshots": report.registry.snapshots,
            "members": report.registry.members,
            "newest_hash": report.registry.newest_hash,
            "simulated": report.registry.simulated,
        }
    return value


def format_json(report: Report) -> Iterator[str]:
    """Yield the report as one JSON object in pieces, in ASCII; exchanges are read one by one."""
    bare = build_object(replace(report, exchanges=(), counted=count_report(report)))
    before, _, after = json.dumps(bare, indent=2).partition(_NO_EXCHANGES)
    yield before
    yield '\n  "exchanges": ['
    separator = "\n"
    for one in report.exchanges:
        text = json.dumps(_format_exchange(one), indent=2)
        yield separator + indent(text, "    ")
        separator = ",\n"
    yield "]" if separator == "\n" else "\n  ]"
    yield f"{after}\n"


def count_report(report: Report) -> ExchangeCounts:
    """Return how many exchanges a report has of each verdict, parties, operation and outcome."""
    if report.counted is not None:
        return report.counted
    return ExchangeCounts(
        totals=dict(count_exchanges(report.exchanges)),
        outcomes=frozenset(line.outcome for one in report.exchanges for line in one.evidence),
        keeps_all=True,
    )


def build_text(report: Report) -> str:
    """Return the report for people, without colours; what is not proven is in it line by line."""
    lines = [
        *_describe_root(report),
        "",
        "Logs",
        *(line for log in report.logs for line in _describe_log(log, name=name_log(report, log))),
        "",
        "Exchanges",
        *_describe_exchanges(report),
        "",
        "Consents",
        *_describe_consents(report),
        "",
        "Other findings",
        *_describe_findings(report.findings),
        "",
        describe_totals(report),
    ]
    return "\n".join(map(show_plainly, lines)) + "\n"


def show_plainly(line: str) -> str:
    """Return a line without characters that steer a terminal, or turn or hide others.

    Names of files and members come from a bundle: they must not write lines of a report.
    """
    if line.isascii() and line.isprintable():
        return line
    return "".join(_UNREADABLE if unicodedata.category(one) in _HIDDEN else one for one in line)


def count_exchanges(
    exchanges: Iterable[ExchangeReport],
) -> list[tuple[tuple[str, str, str, str, str], int]]:
    """Return how many there are of each verdict, consumer, provider, operation and outcome."""
    return sorted(
        Counter(
            (one.verdict.value, one.consumer, one.provider, one.op, one.code) for one in exchanges
        ).items()
    )


def describe_totals(report: Report) -> str:
    """Return the last line: the verdict and the numbers that matter."""
    totals = report.totals
    return (
        f"{report.verdict.value}: {totals.bundles} bundles, {totals.entries} entries, "
        f"{totals.exchanges} exchanges, {totals.uses} uses counted, "
        f"{totals.signatures} signatures checked"
    )


def describe_place(place: Place | None) -> str:
    """Return where to look, as a suffix."""
    return "" if place is None else f" ({place.text})"


def describe_finding(finding: Finding) -> str:
    """Return a finding in one line."""
    affects = f" — affects {', '.join(finding.affects)}" if finding.affects else ""
    return show_plainly(f"{finding.code}: {finding.text}{describe_place(finding.place)}{affects}")


def _describe_root(report: Report) -> Iterator[str]:
    if report.anchor is None:
        yield "Anchor    none"
    else:
        yield f"Anchor    {report.anchor.key}"
        if not report.anchor.given:
            yield f"          {FROM_BUNDLE_WARNING}"
    registry = report.registry
    if registry is None:
        yield "Registry  no snapshot holds: nothing below it can be judged"
        return
    kind = ", a simulated federation" if registry.simulated else ""
    yield (
        f"Registry  {registry.hub}{kind}: {registry.snapshots} snapshots follow each other, "
        f"{registry.members} members"
    )


def name_log(report: Report, log: LogReport) -> str:
    """Return whose log it is, or its name where the report has several of that member's."""
    origins = {one.origin for one in report.logs if one.member == log.member}
    return log.member if len(origins) == 1 else log.origin


def _describe_log(log: LogReport, *, name: str) -> Iterator[str]:
    cosigned = "never cosigned"
    if log.cosigned_at_s is not None:
        cosigned = f"cosigned {describe_time(log.cosigned_at_s)}"
    yield (
        f"  {log.verdict.value:<7}{name}: {log.size} entries, {log.anchored} proven, "
        f"{log.tiles} tiles, {log.heads_equal} heads equal, {log.heads_beyond} beyond, {cosigned}"
    )
    for finding in log.findings:
        yield f"    {_MARKS[finding.outcome]} {describe_finding(finding)}"


def describe_time(at_s: int) -> str:
    """Return a time in UTC, or the bare number where no calendar has it."""
    try:
        return datetime.fromtimestamp(at_s, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(at_s)


def _describe_exchanges(report: Report) -> Iterator[str]:
    for (verdict, consumer, provider, op, code), count in sorted(
        count_report(report).totals.items()
    ):
        yield f"  {count} {verdict}: {consumer} asked {provider}, {op}: {code}"
    shown, more = choose_open(report)
    for one in shown:
        yield f"  {one.verdict.value} {one.xid} ({one.consumer} → {one.provider}, {one.op})"
        for line in one.evidence:
            yield f"    {describe_line(line)}"
    if more:
        yield f"  and {more} more that are not proven"


def choose_open(report: Report) -> tuple[list[ExchangeReport], int]:
    """Return the first exchanges that are not proven, and how many more there are."""
    totals = count_report(report).totals
    count = sum(
        number for (verdict, *_), number in totals.items() if verdict != Verdict.PROVEN.value
    )
    open_ones = (one for one in report.exchanges if one.verdict is not Verdict.PROVEN)
    shown = list(islice(open_ones, min(count, EXCHANGES_SHOWN_MAX)))
    return shown, max(count - EXCHANGES_SHOWN_MAX, 0)


def _describe_consents(report: Report) -> Iterator[str]:
    for one in report.consents:
        parties = (
            f"{one.consumer} at {one.provider} for {one.purpose}" if one.consumer else "unknown"
        )
        yield (
            f"  {one.verdict.value} {one.consent}: {parties}, {one.uses} of {one.max_uses} uses, "
            f"{one.state}"
        )
        for line in one.evidence:
            if line.outcome is not Outcome.HOLDS:
                yield f"    {describe_line(line)}"


def describe_line(line: Evidence) -> str:
    """Return a line of evidence."""
    return show_plainly(
        f"{_MARKS[line.outcome]} {line.code}: {line.text}{describe_place(line.place)}"
    )


def _describe_findings(findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        yield "  none"
    for finding in findings[:FINDINGS_SHOWN_MAX]:
        yield f"  {_MARKS[finding.outcome]} {describe_finding(finding)}"
    if len(findings) > FINDINGS_SHOWN_MAX:
        yield f"  and {len(findings) - FINDINGS_SHOWN_MAX} more"


def _count_verdicts(totals: Mapping[tuple[str, str, str, str, str], int]) -> JsonObject:
    counted: Counter[str] = Counter()
    for (verdict, *_), count in totals.items():
        counted[verdict] += count
    return {verdict.value: counted[verdict.value] for verdict in Verdict}


def _format_log(log: LogReport) -> JsonObject:
    value: JsonObject = {
        "bundle": log.bundle,
        "member": log.member,
        "origin": log.origin,
        "verdict": log.verdict.value,
        "size": log.size,
        "root": log.root,
        "entries": log.entries,
        "anchored": log.anchored,
        "tiles": log.tiles,
        "heads_equal": log.heads_equal,
        "heads_beyond": log.heads_beyond,
        "findings": _format_findings(log.findings),
        "kinds": dict(log.kinds),
        "witnessed": log.witnessed,
    }
    if log.cosigned_at_s is not None:
        value["cosigned_at_s"] = log.cosigned_at_s
    return value


def _format_policy(policy: PolicyReport) -> JsonObject:
    return {
        "quorum": policy.quorum,
        "witnesses": [{"name": name, "key": key} for name, key in policy.witnesses],
        "logs": [
            {
                "bundle": log.bundle,
                "member": log.member,
                "origin": log.origin,
                "seen": log.seen,
                "met": log.met,
                "heads": [_format_policy_head(head) for head in log.heads],
            }
            for log in policy.logs
        ],
    }


def _format_policy_head(head: PolicyHead) -> JsonObject:
    value: JsonObject = {
        "size": head.size,
        "root": encode_b64u(head.root),
        "cosigners": list(head.cosigners),
    }
    if head.at_s is not None:
        value["at_s"] = head.at_s
    return _with_place(value, head.place)


def _format_exchange(one: ExchangeReport) -> JsonObject:
    return {
        "xid": one.xid,
        "consumer": one.consumer,
        "provider": one.provider,
        "op": one.op,
        "code": one.code,
        "at": one.at_ms,
        "uses": one.uses,
        "consents": list(one.consents),
        "verdict": one.verdict.value,
        "evidence": _format_evidence(one.evidence),
    }


def _format_evidence(lines: Iterable[Evidence]) -> list[JsonValue]:
    return [
        _with_place(
            {"outcome": line.outcome.value, "code": line.code, "text": line.text}, line.place
        )
        for line in lines
    ]


def _format_findings(findings: Iterable[Finding]) -> list[JsonValue]:
    return [
        _with_place(
            {
                "outcome": finding.outcome.value,
                "code": finding.code,
                "text": finding.text,
                "affects": list(finding.affects),
                "exhibits": list(finding.exhibits),
            },
            finding.place,
        )
        for finding in findings
    ]


def _with_place(value: JsonObject, place: Place | None) -> JsonObject:
    if place is None:
        return value
    where: JsonObject = {"bundle": place.bundle, "file": place.file}
    if place.line is not None:
        where["line"] = place.line
    if place.entry is not None:
        where["entry"] = place.entry
    value["place"] = where
    return value
