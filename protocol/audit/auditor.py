"""Runs the steps of an audit in order and puts the report together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from protocol.audit.anchoring import Chain, ChainResult, follow_chain
from protocol.audit.artefacts import collect_artefacts
from protocol.audit.counters import check_counters, check_kinds, list_counters
from protocol.audit.evidence import (
    Case,
    EntryBook,
    ExchangeKey,
    SeenMessages,
    attach_altered,
    claim_entry_heads,
    claim_heads,
    collect_messages,
    join_cases,
    list_copies,
)
from protocol.audit.examining import Examiner
from protocol.audit.findings import Finding, LogReport, Outcome, Place, Report, Totals
from protocol.audit.heads import (
    HeadClaim,
    compare_heads,
    find_split_claims,
    gather_claims,
    open_held_heads,
)
from protocol.audit.judging import World, judge_case
from protocol.audit.reading import LogReader, ReadLog
from protocol.audit.receipts import collect_receipts
from protocol.audit.uses import UseCounter
from protocol.bundle import CHECKPOINT_FILE, MESSAGES_FILE, Bundle
from protocol.encoding import encode_b64u
from protocol.keys import PublicKey


def audit_bundles(bundles: Sequence[Bundle], *, anchor: PublicKey | None = None) -> Report:
    """Judge bundles together; without an anchor only their agreement with each other is proven."""
    named = _name_apart(bundles)
    result = follow_chain(named, anchor=anchor)
    if result.chain is None:
        return _report_without_chain(named, result)
    return _Audit(named, result, result.chain).run()


@dataclass(frozen=True, slots=True)
class _ReadResult:
    """A log and what reading it has shown."""

    log: ReadLog
    findings: tuple[Finding, ...]


class _Audit:
    """One audit under one chain."""

    def __init__(self, bundles: Sequence[Bundle], result: ChainResult, chain: Chain) -> None:
        self._bundles = bundles
        self._result = result
        self._chain = chain
        self._examiner = Examiner(chain)
        self._findings: list[Finding] = list(result.findings)

    def run(self) -> Report:
        """Make every step and return the report."""
        read = self._read_logs()
        primary = _choose_primary(read)
        holders = {one.log.bundle.name: one.log.member for one in read}
        seen = collect_messages(self._bundles, holders=holders, examiner=self._examiner)
        claims = self._claim_heads(read, seen)
        book = _fill_book(primary, seen, gather_claims(claims))
        for member in sorted(book.by_member):
            claims += claim_entry_heads(book.list_entries(member))
        gathered = gather_claims(claims)
        cases = join_cases(book, seen)
        affected = attach_altered(cases, primary.values(), book=book)
        self._findings += _find_splits(gathered, primary)
        self._findings += book.findings
        self._findings += _describe_faults(self._bundles, cases, holders=holders)
        self._findings += _place_homeless(seen, cases, holders=holders)
        for log in primary.values():
            self._findings += check_counters(log, book.list_entries(log.member))
            self._findings += check_kinds(log, book.list_entries(log.member))
        logs = tuple(_report_log(one, gathered, affected) for one in read)
        return self._judge(cases, book, primary, logs)

    def _read_logs(self) -> list[_ReadResult]:
        read: list[_ReadResult] = []
        for bundle in self._bundles:
            reader = LogReader(bundle, examiner=self._examiner)
            log = reader.read()
            if log is None:
                self._findings += reader.findings
            else:
                read.append(_ReadResult(log, reader.findings))
        return read

    def _claim_heads(self, read: Sequence[_ReadResult], seen: SeenMessages) -> list[HeadClaim]:
        held, findings = open_held_heads(self._bundles, examiner=self._examiner)
        self._findings += findings
        own = [
            HeadClaim(
                member=one.log.member,
                size=one.log.signed.size,
                root=one.log.signed.root,
                by_log=True,
                place=Place(bundle=one.log.bundle.name, file=CHECKPOINT_FILE),
                exhibit=one.log.bundle.checkpoint,
            )
            for one in read
            if one.log.signed is not None
        ]
        return [*own, *held, *claim_heads(seen)]

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
        exchanges = [
            judge_case(
                case,
                world=world,
                more=(*receipts.lines.get(key, ()), *counter.lines.get(key, ())),
            )
            for key, case in cases.items()
        ]
        exchanges.sort(key=lambda one: one.at_ms)  # of equal times in the order of the logs
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
                signatures=self._examiner.signatures
                + self._result.signatures
                + artefacts.signatures,
            ),
        )


def _name_apart(bundles: Sequence[Bundle]) -> list[Bundle]:
    """Give bundles of one name a number, so that a place is unambiguous."""
    count: Counter[str] = Counter()
    named: list[Bundle] = []
    for bundle in bundles:
        count[bundle.name] += 1
        number = count[bundle.name]
        named.append(bundle if number == 1 else replace(bundle, name=f"{bundle.name}#{number}"))
    return named


def _choose_primary(read: Sequence[_ReadResult]) -> dict[str, ReadLog]:
    """Return one log a member: of several exports the one that reaches farthest.

    One under a head that holds comes first: anybody can make a longer one that nobody has signed.
    """
    primary: dict[str, ReadLog] = {}
    for one in read:
        known = primary.get(one.log.member)
        if known is None or _rank(known) < _rank(one.log):
            primary[one.log.member] = one.log
    return primary


def _rank(log: ReadLog) -> tuple[bool, int]:
    return log.signed is not None, log.tree.size


def _fill_book(
    primary: Mapping[str, ReadLog],
    seen: SeenMessages,
    claims: Mapping[str, Sequence[HeadClaim]],
) -> EntryBook:
    book = EntryBook()
    for log in primary.values():
        book.add_log(log, anchored=compare_heads(log, claims.get(log.member, ())).anchored)
    book.add_proofs(list_copies(seen), logs=primary)
    return book


def _find_splits(
    claims: Mapping[str, Sequence[HeadClaim]], primary: Mapping[str, ReadLog]
) -> Iterator[Finding]:
    """Yield the forks that heads show by themselves where no export reaches."""
    for member, ours in claims.items():
        log = primary.get(member)
        reach = -1 if log is None else log.tree.size
        finding = find_split_claims([claim for claim in ours if claim.size > reach])
        if finding is not None:
            yield finding


def _report_log(
    read: _ReadResult,
    claims: Mapping[str, Sequence[HeadClaim]],
    affected: Mapping[Place, tuple[str, ...]],
) -> LogReport:
    log = read.log
    compared = compare_heads(log, claims.get(log.member, ()))
    return LogReport(
        bundle=log.bundle.name,
        member=log.member,
        origin=log.origin,
        size=log.size,
        root=encode_b64u(log.root),
        entries=sum(entry is not None for entry in log.entries),
        anchored=compared.anchored - sum(index < compared.anchored for index in log.altered),
        tiles=log.tiles,
        heads_equal=compared.equal,
        heads_beyond=compared.beyond,
        cosigned_at_s=log.cosigned_at_s,
        findings=(
            *(_with_affected(finding, affected) for finding in read.findings),
            *compared.findings,
        ),
    )


def _with_affected(finding: Finding, affected: Mapping[Place, tuple[str, ...]]) -> Finding:
    """Return a finding on entries with the exchanges that these entries belong to."""
    names = [
        name
        for place, hit in affected.items()
        if finding.place is not None and finding.place.holds(place)
        for name in hit
    ]
    return replace(finding, affects=tuple(dict.fromkeys(names)))


def _describe_faults(
    bundles: Sequence[Bundle], cases: Mapping[ExchangeKey, Case], *, holders: Mapping[str, str]
) -> Iterator[Finding]:
    for bundle in bundles:
        for fault in bundle.faults:
            is_message = fault.file == MESSAGES_FILE
            yield Finding(
                outcome=Outcome.FAILS,
                code="unreadable",
                text=f"this part of the bundle cannot be read: {fault.detail}",
                place=Place(bundle=bundle.name, file=fault.file, line=fault.line),
                affects=_lacking_copy(bundle.name, cases, holders) if is_message else (),
            )


def _place_homeless(
    seen: SeenMessages, cases: Mapping[ExchangeKey, Case], *, holders: Mapping[str, str]
) -> Iterator[Finding]:
    for finding in seen.homeless:
        bundle = "" if finding.place is None else finding.place.bundle
        yield replace(finding, affects=_lacking_copy(bundle, cases, holders))


def _lacking_copy(
    bundle: str, cases: Mapping[ExchangeKey, Case], holders: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the exchanges of a bundle's member of which the bundle shows no message."""
    member = holders.get(bundle, "")
    return tuple(
        case.name
        for key, case in cases.items()
        if member in {key.consumer, key.provider}
        and all(one.place.bundle != bundle for one in case.requests)
    )


def _find_last_numbers(
    book: EntryBook, primary: Mapping[str, ReadLog]
) -> dict[tuple[str, str], int]:
    """Return each exported log's highest own number for each peer."""
    return {
        (member, peer): own[-1][0]
        for member, log in primary.items()
        for peer, own in list_counters(
            [known for known in book.list_entries(member) if known.index < log.tree.size]
        ).items()
    }


def _report_without_chain(bundles: Sequence[Bundle], result: ChainResult) -> Report:
    """Return what can be said where no registry snapshot holds: nothing of logs and exchanges."""
    findings = [*result.findings, *_describe_faults(bundles, {}, holders={})]
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
