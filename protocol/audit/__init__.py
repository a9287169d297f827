"""The offline audit of bundles: what is proven, contradicted, undetermined (docs/protocol/audit.md).

In this order: the registry chain from the anchor · every log against its signed heads · every head from
anywhere against the exported entries · every exchange, joined from both logs and both sides' messages ·
every use of a consent in the order of the provider's log. No network, no clock, nothing trusted but the
anchor. Content of a bundle never raises: what is malformed becomes a finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from protocol.audit.anchoring import Chain, ChainResult, follow_chain
from protocol.audit.artefacts import collect_artefacts
from protocol.audit.counters import check_counters, list_counters
from protocol.audit.evidence import (
    Case,
    EntryBook,
    ExchangeKey,
    SeenMessages,
    attach_altered,
    claim_heads,
    collect_messages,
    join_cases,
    list_copies,
)
from protocol.audit.examining import Examiner
from protocol.audit.findings import (
    Evidence,
    ExchangeReport,
    Finding,
    LogReport,
    Outcome,
    Place,
    Report,
    Totals,
)
from protocol.audit.genesis import check_kinds
from protocol.audit.heads import (
    HeadClaim,
    HeadComparison,
    claim_entry_heads,
    compare_heads,
    find_split_claims,
    gather_claims,
    open_held_heads,
)
from protocol.audit.judging import World, judge_case
from protocol.audit.reading import LogReader, ReadLog
from protocol.audit.receipts import collect_receipts
from protocol.audit.uses import UseCounter
from protocol.bundle import MESSAGES_FILE, Bundle
from protocol.encoding import encode_b64u
from protocol.keys import PublicKey

__all__ = ["audit_bundles"]


def audit_bundles(bundles: Sequence[Bundle], *, anchor: PublicKey | None = None) -> Report:
    """Judge bundles together; without an anchor only their agreement with each other is proven."""
    named = _name_apart(bundles)
    result = follow_chain(named, anchor=anchor)
    if result.chain is None:
        return _report_without_chain(named, result)
    return _Audit(named, result, result.chain).run()


class _Audit:
    """One audit under one chain; each step leaves what the next one needs."""

    def __init__(self, bundles: Sequence[Bundle], result: ChainResult, chain: Chain) -> None:
        self._bundles = bundles
        self._result = result
        self._chain = chain
        self._examiner = Examiner(chain)
        self._findings: list[Finding] = list(result.findings)

    def run(self) -> Report:
        """Make every step and return the report."""
        read = [self._read_log(bundle) for bundle in self._bundles]
        logs = [one.log for one in read if one.log is not None]
        primary = _choose_primary(logs)
        holders = {log.bundle.name: log.member for log in logs}
        seen = collect_messages(self._bundles, holders=holders, examiner=self._examiner)
        claims = self._claim_heads(logs, seen)
        book = self._fill_book(primary, seen, claims)
        claims = gather_claims([*_flatten(claims), *claim_entry_heads(_all_entries(book))])
        cases = join_cases(book, seen)
        affected = attach_altered(cases, primary.values(), book=book)
        reports = tuple(self._report_log(one, claims, affected) for one in read if one.log is not None)
        self._findings += [finding for one in read if one.log is None for finding in one.findings]
        self._findings += _find_splits(claims, primary)
        self._findings += book.findings
        self._findings += _describe_faults(self._bundles, cases)
        self._findings += _place_homeless(seen, cases)
        for log in primary.values():
            self._findings += check_counters(log, book.list_entries(log.member))
            self._findings += check_kinds(log, book.list_entries(log.member))
        return self._judge(cases, book, primary, reports)

    def _read_log(self, bundle: Bundle) -> _Read:
        reader = LogReader(bundle, examiner=self._examiner)
        log = reader.read()
        return _Read(log=log, findings=reader.findings)

    def _claim_heads(
        self, logs: Sequence[ReadLog], seen: SeenMessages
    ) -> dict[str, list[HeadClaim]]:
        held, findings = open_held_heads(self._bundles, examiner=self._examiner)
        self._findings += findings
        own = [
            HeadClaim(
                member=log.member,
                size=log.signed.size,
                root=log.signed.root,
                by_log=True,
                place=Place(bundle=log.bundle.name, file="checkpoint"),
                exhibit=log.bundle.checkpoint,
            )
            for log in logs
            if log.signed is not None
        ]
        return gather_claims([*own, *held, *claim_heads(seen)])

    def _fill_book(
        self,
        primary: Mapping[str, ReadLog],
        seen: SeenMessages,
        claims: Mapping[str, Sequence[HeadClaim]],
    ) -> EntryBook:
        book = EntryBook()
        for log in primary.values():
            anchored = compare_heads(log, claims.get(log.member, ())).anchored
            book.add_log(log, anchored=anchored)
        book.add_proofs(list_copies(seen), logs=primary)
        return book

    def _report_log(
        self,
        read: _Read,
        claims: Mapping[str, Sequence[HeadClaim]],
        affected: Mapping[Place, tuple[str, ...]],
    ) -> LogReport:
        log = read.get_log()
        compared = compare_heads(log, claims.get(log.member, ()))
        findings = [_with_affected(finding, affected) for finding in read.findings]
        return _build_log_report(log, compared, [*findings, *compared.findings])

    def _judge(
        self,
        cases: Mapping[ExchangeKey, Case],
        book: EntryBook,
        primary: Mapping[str, ReadLog],
        logs: tuple[LogReport, ...],
    ) -> Report:
        exported = frozenset(primary)
        artefacts = collect_artefacts(self._bundles, chain=self._chain)
        counter = UseCounter(artefacts=artefacts, cases=cases, exported=exported)
        counter.count(book)
        receipts = collect_receipts(cases, exported=exported)
        world = World(
            chain=self._chain,
            logs=primary,
            last_n=_find_last_numbers(book, primary),
            receipts=receipts.places,
        )
        exchanges: list[ExchangeReport] = []
        for key, case in cases.items():
            lines: list[Evidence] = [*receipts.lines.get(key, ()), *counter.lines.get(key, ())]
            exchanges.append(judge_case(case, world=world, uses=lines))
        exchanges.sort(key=lambda one: (one.at_ms, one.consumer, one.provider, one.xid))
        signatures = self._examiner.signatures + self._result.signatures + artefacts.signatures
        return Report(
            anchor=self._result.anchor,
            registry=self._result.report,
            logs=logs,
            exchanges=tuple(exchanges),
            consents=counter.reports(),
            findings=(*self._findings, *artefacts.findings),
            totals=Totals(
                bundles=len(self._bundles),
                entries=sum(log.entries for log in logs),
                exchanges=len(exchanges),
                uses=counter.uses,
                signatures=signatures,
            ),
        )
