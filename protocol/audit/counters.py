"""What a log must have as a whole: genesis first, kinds that are understood, counters in order.

Own counters for a peer have no repeats; a gap stays open until somebody explains it.
"""

from __future__ import annotations

from collections.abc import Sequence

from protocol.audit.evidence import KnownEntry
from protocol.audit.findings import Finding, Outcome
from protocol.audit.reading import ReadLog
from protocol.encoding import encode_b64u
from protocol.entry import Entry, ExchangeEntry, GenesisEntry, RequestEntry, UnknownEntry

GAPS_NAMED_MAX = 20
CountedEntry = RequestEntry | ExchangeEntry


def list_counters(
    entries: Sequence[KnownEntry[Entry]],
) -> dict[str, list[tuple[int, KnownEntry[CountedEntry]]]]:
    """Return a log's own numbers by peer, in the order of their size."""
    numbers: dict[str, list[tuple[int, KnownEntry[CountedEntry]]]] = {}
    for known in entries:
        entry = known.entry
        if isinstance(entry, (RequestEntry, ExchangeEntry)):
            counted = (entry.n, known.narrow(entry))
            numbers.setdefault(entry.peer, []).append(counted)
    for own in numbers.values():
        own.sort(key=lambda pair: (pair[0], pair[1].index))
    return numbers


def check_counters(log: ReadLog, entries: Sequence[KnownEntry[Entry]]) -> list[Finding]:
    """Return a finding for every number used twice, and for each peer one on those missing."""
    findings: list[Finding] = []
    for peer, own in sorted(list_counters(entries).items()):
        gaps: list[str] = []
        last = 0
        for n, known in own:
            if n == last:
                findings.append(_describe_repeat(log, known, peer=peer, n=n))
            elif n > last + 1:
                gaps.append(str(last + 1) if n == last + 2 else f"{last + 1} to {n - 1}")
            last = n
        if gaps:
            findings.append(_describe_gaps(log, gaps, peer=peer))
    return findings


def check_kinds(log: ReadLog, entries: Sequence[KnownEntry[Entry]]) -> list[Finding]:
    """Return findings on the genesis entry and on entries of a later version."""
    findings: list[Finding] = []
    unknown = [known for known in entries if isinstance(known.entry, UnknownEntry)]
    for known in entries:
        is_genesis = isinstance(known.entry, GenesisEntry)
        if is_genesis != (known.index == 0) or (
            isinstance(known.entry, GenesisEntry)
            and (known.entry.member, known.entry.origin) != (log.member, log.origin)
        ):
            findings.append(
                Finding(
                    outcome=Outcome.FAILS,
                    code="genesis",
                    text="a log begins with the one entry that names its member and origin",
                    place=known.place,
                )
            )
    if unknown:
        findings.append(
            Finding(
                outcome=Outcome.UNKNOWN,
                code="not-understood",
                text=f"{len(unknown)} entries of {log.member} are of a later version: not judged",
                place=unknown[0].place,
            )
        )
    return findings


def _describe_repeat(
    log: ReadLog, known: KnownEntry[CountedEntry], *, peer: str, n: int
) -> Finding:
    return Finding(
        outcome=Outcome.FAILS,
        code="counter-repeated",
        text=f"{log.member} used its number {n} for {peer} twice",
        place=known.place,
        affects=(encode_b64u(known.entry.xid),),
    )


def _describe_gaps(log: ReadLog, gaps: Sequence[str], *, peer: str) -> Finding:
    named = ", ".join(gaps[:GAPS_NAMED_MAX])
    more = f" and {len(gaps) - GAPS_NAMED_MAX} more gaps" if len(gaps) > GAPS_NAMED_MAX else ""
    altered = f"; {len(log.altered)} entries of this log are altered" if log.altered else ""
    return Finding(
        outcome=Outcome.UNKNOWN,
        code="counter-gap",
        text=f"{log.member} never logged its number {named}{more} for {peer}{altered}",
    )
