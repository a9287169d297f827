"""Counts the uses of consents, in the order of the providers' logs; makes check 9 again.

Uses are found with their exchanges and put aside by consent; here each consent's are walked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from protocol.audit.artefacts import JudgedConsent, JudgedStatus
from protocol.audit.evidence import Case, ExchangeKey, KnownEntry, Lines
from protocol.audit.findings import ConsentReport, Evidence, Outcome, Place
from protocol.audit.ports import read_final
from protocol.audit.queries import ShownQuery, compare_batch, read_query
from protocol.audit.texts import find_octets
from protocol.audit.world import World
from protocol.consent import (
    FINAL_STATES,
    Consent,
    ConsentState,
    ConsentStatus,
    Span,
    Standing,
    Use,
    check_use,
    combine_states,
    follows,
    window_start,
)
from protocol.encoding import encode_b64u
from protocol.entry import ConsentEntry, Entry, ExchangeEntry, RequestEntry
from protocol.errors import ProtocolError
from protocol.limits import CLOCK_AHEAD_S_CEILING, STATUS_LIST_LIFE_S
from protocol.problems import PROBLEMS, NoAnswerError

BATCH_CODE = "batch"
_USING_OPERATIONS = frozenset({"query"})  # an answer to any other counts nothing
Line = tuple[ExchangeKey, Evidence]


@dataclass(frozen=True, slots=True)
class StateChange:
    """A change of a consent's state in its provider's log."""

    consent: bytes
    provider: str
    position: tuple[int, int]
    known: KnownEntry[ConsentEntry]


class UsedTerms(NamedTuple):
    """What was asked of a consent, of whom by whom: mostly the same time and again."""

    consent: bytes
    consumer: str
    provider: str
    purpose: str
    op: str
    metrics: tuple[str, ...]
    last_months: int


class CountedUse(NamedTuple):
    """Uses of a consent by one exchange, at their place in the provider's log.

    ``exchange`` is its key, or only the message id as it is written, of one that ``terms`` say the
    rest of. ``place`` is None where it is that of the entry at ``position``.
    """

    terms: UsedTerms
    position: tuple[int, int]
    exchange: ExchangeKey | bytes
    place: Place | None
    at_s: int
    uses: int
    is_kept: bool = False

    @property
    def key(self) -> ExchangeKey:
        """Return the key of the exchange."""
        if isinstance(self.exchange, ExchangeKey):
            return self.exchange
        xid = find_octets(self.exchange) or b""
        return ExchangeKey(self.terms.consumer, self.terms.provider, xid)

    @property
    def consent(self) -> bytes:
        """Return the name of the consent."""
        return self.terms.consent

    @property
    def provider(self) -> str:
        """Return whose log has counted."""
        return self.terms.provider


class UsedRun(NamedTuple):
    """Exchanges that each used a consent once on the same terms: index, time in s, message id.

    ``log`` counts the provider's logs in the order in which it opened them.
    """

    terms: UsedTerms
    log: int
    uses: list[tuple[int, int, bytes]]

    @property
    def consent(self) -> bytes:
        """Return the name of the consent."""
        return self.terms.consent

    def list_uses(self) -> Iterator[CountedUse]:
        """Yield the uses one by one."""
        terms, log = self.terms, self.log
        for index, at_s, xid in self.uses:
            yield CountedUse(terms, (log, index), xid, None, at_s, 1)


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What one consent has come to, at one place in the provider's log."""

    stated: dict[str, ConsentState] = field(default_factory=dict)  # by each signer
    seqs: dict[str, int] = field(default_factory=dict)  # of each signer, the last one taken
    uses: int = 0
    windows: dict[int, int] = field(default_factory=dict)
    lines: list[Evidence] = field(default_factory=list)

    @property
    def state(self) -> ConsentState:
        """Return what counts of what the signers have stated."""
        return combine_states(self.stated.values()) if self.stated else ConsentState.ACTIVE


@dataclass(slots=True)
class CountedPartition:
    """What the consents of one partition came to."""

    reports: list[ConsentReport] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


class UseFinder:
    """Finds the uses in one exchange, and says what is wrong with them by themselves."""

    def __init__(self, case: Case, world: World, lines: Lines) -> None:
        """Take the exchange and where its lines go."""
        self._case = case
        self._world = world
        self._lines = lines
        self.found: list[CountedUse] = []
        self.total = 0

    def find(self) -> None:
        """Go through the entries that may count uses."""
        for decided in self._case.decided:
            self._take_decided(decided)
        for asked in self._case.asked:
            if asked.entry.op == "push":
                self.total += 1
                self._take(asked, asked.entry, names=asked.entry.consents, counts=(1,), due=(1,))

    def _take_decided(self, known: KnownEntry[ExchangeEntry]) -> None:
        entry = known.entry
        due = _list_due(entry)
        if entry.use != sum(due):
            text = "{} uses counted where {} are due ({}, {})"
            self._lines.fail(
                "use-miscounted", text, entry.use, sum(due), entry.op, entry.code, place=known.place
            )
        if not entry.use and not any(due):
            return
        self.total += entry.use
        if entry.code == BATCH_CODE:
            for line in compare_batch(self._case, entry.codes):
                self._lines.fail(line.code, line.text, place=line.place)
        counts = due if entry.codes else (entry.use,)
        self._take(known, entry, names=entry.consents, counts=counts, due=due)

    def _take(
        self,
        known: KnownEntry[Entry],
        entry: ExchangeEntry | RequestEntry,
        *,
        names: Sequence[bytes],
        counts: Sequence[int],
        due: Sequence[int],
    ) -> None:
        if len(names) != len(counts) or len(set(names)) != len(names):
            text = "a use names exactly one consent"
            self._lines.fail("consent-unnamed", text, place=known.place)
            return
        for name, count, is_due in zip(names, counts, due, strict=True):
            if count or is_due:
                self._take_use(known, entry, name=name, count=count)

    def _take_use(
        self,
        known: KnownEntry[Entry],
        entry: ExchangeEntry | RequestEntry,
        *,
        name: bytes,
        count: int,
    ) -> None:
        judged = self._world.artefacts.consents.get(name)
        query = ShownQuery(purpose="", metrics=(), last_months=0)
        if judged is None:
            text = "the consent {} is in no bundle"
            self._lines.add(
                Outcome.UNKNOWN, "consent-absent", text, encode_b64u(name), place=known.place
            )
        elif judged.verified is None:
            text = "the consent used does not hold"
            self._lines.fail("consent-signature", text, place=known.place)
        else:
            query = read_query(self._case, consent=judged.verified, name=name)
            for line in query.lines:
                self._lines.add(line.outcome, line.code, "{}", line.text, place=line.place)
        self.found.append(
            CountedUse(
                terms=UsedTerms(
                    consent=name,
                    consumer=entry.peer,
                    provider=known.member,
                    purpose=query.purpose,
                    op=entry.op,
                    metrics=tuple(query.metrics),
                    last_months=query.last_months,
                ),
                position=known.position,
                exchange=self._case.key,
                place=known.place,
                at_s=entry.at_ms // 1000,
                uses=count,
            )
        )


def count_partition(world: World, partition: int) -> CountedPartition:
    """Count through the consents of one partition."""
    by_consent: dict[bytes, list[StateChange | CountedUse]] = {}
    for name in world.artefacts.list_partition(partition, count=world.partitions):
        by_consent[name] = []
    for one in read_final(world.spools.uses, partition, rounds=world.rounds):
        ours = by_consent.setdefault(one.consent, [])
        ours += one.list_uses() if isinstance(one, UsedRun) else [one]
    counted = CountedPartition()
    statuses = _group_revocations(world.artefacts.statuses)
    for name in sorted(by_consent):
        walk = _Walk(name, world, statuses.get(name, ()))
        for one in sorted(by_consent[name], key=lambda item: (item.provider, item.position)):
            walk.take(one)
        counted.lines += walk.lines
        judged = world.artefacts.consents.get(name)
        if judged is not None:
            counted.reports.append(_report(name, judged, walk.tally))
    return counted


class _Walk:
    """Walks the uses and changes of one consent in order."""

    def __init__(self, name: bytes, world: World, revocations: Sequence[JudgedStatus]) -> None:
        self._world = world
        self._judged = world.artefacts.consents.get(name)
        self._revocations = revocations
        self.tally = _Tally()
        self.lines: list[Line] = []

    def take(self, one: StateChange | CountedUse) -> None:
        """Take the next entry."""
        if isinstance(one, StateChange):
            self._change(one.known)
        else:
            self._use(one)

    def _change(self, known: KnownEntry[ConsentEntry]) -> None:
        """Take over a change of state, as the log has it, and compare it with its signed status."""
        entry = known.entry
        judged = self._judged
        if (
            judged is not None
            and judged.verified is not None
            and judged.verified.provider != known.member
        ):
            return  # The consumer's copy of a change: the provider's log is what counts.
        status = self._world.artefacts.statuses.get(entry.status)
        signed = None if status is None else status.verified
        # A status that is not here may be anybody's: then it counts as the subject's own.
        by = "subject" if signed is None else signed.by
        before = self.tally.stated.get(by, ConsentState.ACTIVE)
        line = _compare_status(known, status)
        if signed is not None and line.outcome is Outcome.HOLDS:
            line = self._compare_order(known, signed, before=before) or line
        self.tally.lines.append(line)
        is_open = line.code != "status-stale" and before not in FINAL_STATES
        if is_open and entry.state in set(ConsentState):
            self.tally.stated[by] = ConsentState(entry.state)

    def _compare_order(
        self, known: KnownEntry[ConsentEntry], signed: ConsentStatus, *, before: ConsentState
    ) -> Evidence | None:
        """Refuse what its signer had outdated (docs/protocol/consent.md §5): it reopens nothing."""
        seqs = self.tally.seqs
        if signed.seq <= seqs.get(signed.by, 0) or not follows(before, signed.state):
            return _fail("status-stale", "the log takes a status that its signer outdated", known)
        seqs[signed.by] = signed.seq
        return None

    def _use(self, one: CountedUse) -> None:
        tally = self.tally
        consent = None if self._judged is None else self._judged.verified
        if consent is None:
            tally.uses += one.uses
            return  # The exchange says so.
        window_s = _find_window(consent.frequency, one.at_s)
        standing = Standing(
            state=tally.state, uses=tally.uses, uses_in_window=tally.windows.get(window_s, 0)
        )
        if one.provider == consent.provider:  # Nobody else's log uses anything up.
            tally.uses += one.uses
            tally.windows[window_s] = tally.windows.get(window_s, 0) + one.uses
        self._check(one, consent, standing)
        if self._revocations and tally.state is ConsentState.ACTIVE:
            self._look_for_late_revocation(one)

    def _check(self, one: CountedUse, consent: Consent, standing: Standing) -> None:
        try:
            check_use(consent, use=_take_use(one.terms), standing=standing, now_s=one.at_s)
        except ProtocolError as err:
            text = f"no consent covers this use: {err.detail}"
            self._add(one, Outcome.FAILS, err.code, text, self._find_place(one))
            return
        if not one.is_kept and not self._world.keeps_all:
            return
        count = f"use {standing.uses + 1} of {consent.max_uses}"
        if one.provider not in self._world.members:
            count += f" as far as is known: the log of {one.provider} is not here"
        text = f"the consent {encode_b64u(one.consent)} covers it, {count}"
        self._add(one, Outcome.HOLDS, "consent-covers", text, self._find_place(one))

    def _look_for_late_revocation(self, one: CountedUse) -> None:
        """Say where a withdrawal must have reached the provider, and its log does not show it."""
        latest_s = one.at_s - STATUS_LIST_LIFE_S - CLOCK_AHEAD_S_CEILING
        for judged in self._revocations:
            status = judged.verified
            if status is not None and status.iat < latest_s:
                late_s = one.at_s - status.iat
                text = f"used {late_s} s after the withdrawal; the log does not show it"
                self._add(one, Outcome.UNKNOWN, "revoked-elsewhere", text, judged.place)
                return

    def _find_place(self, one: CountedUse) -> Place:
        if one.place is not None:
            return one.place
        log, index = one.position
        return self._world.logs[self._world.list_origins(one.provider)[log]].place_entry(index)

    def _add(self, one: CountedUse, outcome: Outcome, code: str, text: str, place: Place) -> None:
        line = Evidence(outcome=outcome, code=code, text=text, place=place)
        self.lines.append((one.key, line))


@lru_cache(maxsize=1024)  # Many uses fall into one second.
def _find_window(frequency: Span, at_s: int) -> int:
    return window_start(frequency, now_s=at_s)


@lru_cache(maxsize=64)  # A consent is mostly used on the same terms.
def _take_use(terms: UsedTerms) -> Use:
    return Use(
        consumer=terms.consumer,
        provider=terms.provider,
        purpose=terms.purpose,
        op=terms.op,
        metrics=terms.metrics,
        last_months=terms.last_months,
    )


def _group_revocations(
    statuses: Mapping[bytes, JudgedStatus],
) -> dict[bytes, list[JudgedStatus]]:
    grouped: dict[bytes, list[JudgedStatus]] = {}
    for judged in statuses.values():
        status = judged.verified
        if status is not None and status.state is ConsentState.REVOKED:
            grouped.setdefault(status.consent, []).append(judged)
    return grouped


def _report(name: bytes, judged: JudgedConsent, tally: _Tally) -> ConsentReport:
    consent = judged.verified
    return ConsentReport(
        consent=encode_b64u(name),
        consumer="" if consent is None else consent.consumer,
        provider="" if consent is None else consent.provider,
        purpose="" if consent is None else consent.purpose.code,
        uses=tally.uses,
        max_uses=0 if consent is None else consent.max_uses,
        state=tally.state.value,
        evidence=(*judged.evidence, *tally.lines),
    )


def list_changes(others: Iterable[KnownEntry[Entry]]) -> Iterator[StateChange]:
    """Yield the changes of consents among the entries that belong to no exchange."""
    for known in others:
        entry = known.entry
        if isinstance(entry, ConsentEntry):
            yield StateChange(entry.consent, known.member, known.position, known.narrow(entry))


def _list_due(entry: ExchangeEntry) -> tuple[int, ...]:
    """Return the uses due under each consent of an entry, one number where it is no batch."""
    codes = entry.codes if entry.code == BATCH_CODE and entry.codes else (entry.code,)
    is_using = entry.op in _USING_OPERATIONS
    return tuple(
        int(is_using and (code not in PROBLEMS or code == NoAnswerError.code)) for code in codes
    )


def _compare_status(known: KnownEntry[ConsentEntry], judged: JudgedStatus | None) -> Evidence:
    entry = known.entry
    if judged is None:
        text = f"the signed status behind {entry.state} (number {entry.seq}) is in no bundle"
        return Evidence(outcome=Outcome.UNKNOWN, code="status-absent", text=text, place=known.place)
    status = judged.verified
    if status is None:
        return _fail("status-invalid", "the status behind this change does not hold", known)
    if (status.consent, status.seq, status.state.value) != (entry.consent, entry.seq, entry.state):
        return _fail("status-mismatch", "the log states another change than was signed", known)
    text = f"{entry.state} by a signed status of the {status.by} (number {entry.seq})"
    return Evidence(outcome=Outcome.HOLDS, code="status-signed", text=text, place=known.place)


def _fail(code: str, text: str, known: KnownEntry[Entry]) -> Evidence:
    return Evidence(outcome=Outcome.FAILS, code=code, text=text, place=known.place)
