"""Writes what was found on logs and unreadable parts, with the exchanges that each may touch."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from protocol.audit.anchoring import ChainResult
from protocol.audit.exchanges import LACKING_NAMED_MAX, JudgedPartition
from protocol.audit.findings import Finding, LogReport, Outcome, Place, Report, Totals
from protocol.audit.heads import HeadComparison, describe_comparison
from protocol.audit.reading import OpenedLog, ReadLog
from protocol.audit.world import World
from protocol.bundle import MESSAGES_FILE, Bundle, Fault
from protocol.encoding import encode_b64u

Lacking = Mapping[int, tuple[str, ...]]


def describe_judged(
    opened: Sequence[OpenedLog],
    world: World,
    judged: Sequence[JudgedPartition],
    faults: Iterable[tuple[int, Fault]],
) -> Iterator[Finding]:
    """Yield the findings that belong to no log and no single exchange."""
    for one in opened:
        if one.head is None:
            yield from one.findings
    yield from (finding for log in world.logs.values() for finding in log.sorted.findings)
    yield from (finding for part in judged for finding in part.findings)
    lacking = _gather_lacking(judged)
    all_faults = [*faults, *(fault for part in judged for fault in part.faults)]
    yield from describe_faults(world.bundles, all_faults, lacking=lacking)
    homeless = [pair for part in judged for pair in part.homeless]
    for number, finding in homeless:
        yield replace(finding, affects=lacking.get(number, ()))


def _gather_lacking(judged: Sequence[JudgedPartition]) -> dict[int, tuple[str, ...]]:
    names: dict[int, list[str]] = {}
    for part in judged:
        for number, name in part.lacking:
            names.setdefault(number, []).append(name)
    return {number: tuple(one[:LACKING_NAMED_MAX]) for number, one in names.items()}


def describe_faults(
    bundles: Sequence[Bundle], faults: Iterable[tuple[int, Fault]], *, lacking: Lacking
) -> Iterator[Finding]:
    """Yield a finding for each part that cannot be read."""
    for number, fault in sorted(faults, key=lambda pair: (pair[0], pair[1].line or 0)):
        is_message = fault.file == MESSAGES_FILE
        yield Finding(
            outcome=Outcome.FAILS,
            code="unreadable",
            text=f"this part of the bundle cannot be read: {fault.detail}",
            place=Place(bundle=bundles[number].name, file=fault.file, line=fault.line),
            affects=lacking.get(number, ()) if is_message else (),
        )


def report_logs(
    opened: Sequence[OpenedLog],
    read: Sequence[ReadLog],
    compared: Mapping[int, HeadComparison],
    judged: Sequence[JudgedPartition],
    *,
    rolled_back: Container[str],
) -> Iterator[LogReport]:
    """Yield a report for each log that was read; ``rolled_back`` names those that were."""
    affected: dict[Place, list[str]] = {}
    for part in judged:
        for place, name in part.hit:
            affected.setdefault(place, []).append(name)
    for log in read:
        number = log.exported.bundle
        heads = compared.get(number, HeadComparison())
        yield LogReport(
            bundle=log.name,
            member=log.member,
            origin=log.origin,
            size=log.size,
            root=encode_b64u(log.root),
            entries=log.present,
            anchored=heads.anchored - sum(index < heads.anchored for index in log.altered),
            tiles=log.tiles,
            heads_equal=heads.equal,
            heads_beyond=heads.beyond,
            cosigned_at_s=log.cosigned_at_s,
            findings=(
                *(_with_affected(finding, affected) for finding in opened[number].findings),
                *describe_comparison(log, heads, is_rolled_back=log.origin in rolled_back),
            ),
            kinds=tuple(sorted(log.sorted.kinds.items())),
            witnessed=len(opened[number].bundle.witnessed),
        )


def _with_affected(finding: Finding, affected: Mapping[Place, Sequence[str]]) -> Finding:
    """Return a finding on entries with the exchanges that these entries belong to."""
    names = [
        name
        for place, hit in affected.items()
        if finding.place is not None and finding.place.holds(place)
        for name in hit
    ]
    return replace(finding, affects=tuple(dict.fromkeys(names)))


def report_without_chain(bundles: Sequence[Bundle], result: ChainResult) -> Report:
    """Return what can be said where no registry snapshot holds: nothing of logs and exchanges."""
    faults = [(number, fault) for number, bundle in enumerate(bundles) for fault in bundle.faults]
    findings = [*result.findings, *describe_faults(bundles, faults, lacking={})]
    return Report(
        anchor=result.anchor,
        registry=None,
        logs=(),
        exchanges=(),
        consents=(),
        findings=tuple(findings),
        totals=Totals(
            bundles=len(bundles),
            entries=0,
            exchanges=0,
            uses=0,
            signatures=result.signatures,
        ),
    )
