"""Counts the uses of every consent in the order of the providers' logs; makes check 9 again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from protocol.audit.artefacts import Artefacts, JudgedConsent, JudgedStatus
from protocol.audit.evidence import Case, EntryBook, ExchangeKey, KnownEntry
from protocol.audit.findings import ConsentReport, Evidence, Outcome
from protocol.audit.queries import ShownQuery, find_query
from protocol.consent import (
    Consent,
    ConsentState,
    Standing,
    Use,
    check_use,
    combine_states,
    window_start,
)
from protocol.encoding import encode_b64u
from protocol.entry import ConsentEntry, Entry, ExchangeEntry
from protocol.errors import ProtocolError
from protocol.limits import CLOCK_AHEAD_S_CEILING, STATUS_LIST_LIFE_S
from protocol.problems import PROBLEMS, NoAnswerError

_USING_OPERATIONS = frozenset({"query"})  # an answer to any other counts nothing


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What one consent has come to, at one place in the provider's log."""

    stated: dict[str, ConsentState] = field(default_factory=dict)  # by each signer
    uses: int = 0
    windows: dict[int, int] = field(default_factory=dict)
    lines: list[Evidence] = field(default_factory=list)

    @property
    def state(self) -> ConsentState:
        """Return what counts of what the signers have stated."""
        return combine_states(self.stated.values())


class UseCounter:
    """Walks the providers' logs; gives lines for each exchange and a report for each consent."""

    def __init__(
        self, *, artefacts: Artefacts, cases: Mapping[ExchangeKey, Case], exported: frozenset[str]
    ) -> None:
        """Take what was verified; ``exported`` names the members whose whole log is here."""
        self._artefacts = artefacts
        self._cases = cases
        self._exported = exported
        self._tallies: dict[bytes, _Tally] = {}
        self.lines: dict[ExchangeKey, list[Evidence]] = {}
        self.uses = 0

    def count(self, book: EntryBook) -> None:
        """Count through every log that is known."""
        for member in sorted(book.by_member):
            for known in book.list_entries(member):
                match known.entry:
                    case ConsentEntry() as entry:
                        self._change(known.narrow(entry))
                    case ExchangeEntry() as entry:
                        self._use(known.narrow(entry))
                    case _:
                        pass  # Nothing of a consent is in it.

    def reports(self) -> tuple[ConsentReport, ...]:
        """Return a report for every artefact in a bundle."""
        return tuple(
            self._report(name, judged) for name, judged in sorted(self._artefacts.consents.items())
        )

    def _report(self, name: bytes, judged: JudgedConsent) -> ConsentReport:
        tally = self._tallies.get(name, _Tally())
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

    def _change(self, known: KnownEntry[ConsentEntry]) -> None:
        """Take over a change of state, as the log has it, and compare it with its signed status."""
        entry = known.entry
        judged = self._artefacts.consents.get(entry.consent)
        if (
            judged is not None
            and judged.verified is not None
            and judged.verified.provider != known.member
        ):
            return  # The consumer's copy of a change: the provider's log is what counts.
        tally = self._tallies.setdefault(entry.consent, _Tally())
        status = self._artefacts.statuses.get(entry.status)
        tally.lines.append(_compare_status(known, status))
        if entry.state in set(ConsentState):
            # A status that is not here may be anybody's: then it counts as the subject's own.
            by = "subject" if status is None or status.verified is None else status.verified.by
            tally.stated[by] = ConsentState(entry.state)

    def _use(self, known: KnownEntry[ExchangeEntry]) -> None:
        entry = known.entry
        key = ExchangeKey(consumer=entry.peer, provider=known.member, xid=entry.xid)
        due = _uses_due(entry)
        lines = self.lines.setdefault(key, [])
        if entry.use != due:
            text = f"{entry.use} uses counted where {due} are due ({entry.op}, {entry.code})"
            lines.append(_fail("use-miscounted", text, known))
        if not entry.use and not due:
            return
        self.uses += entry.use
        if len(entry.consents) != 1:
            lines.append(_fail("consent-unnamed", "a use names exactly one consent", known))
            return
        lines += self._judge_use(known, key, name=entry.consents[0])

    def _judge_use(
        self, known: KnownEntry[ExchangeEntry], key: ExchangeKey, *, name: bytes
    ) -> list[Evidence]:
        tally = self._tallies.setdefault(name, _Tally())
        judged = self._artefacts.consents.get(name)
        at_s = known.entry.at_ms // 1000
        if judged is None:
            tally.uses += known.entry.use
            text = f"the consent {encode_b64u(name)} is in no bundle"
            return [
                Evidence(
                    outcome=Outcome.UNKNOWN, code="consent-absent", text=text, place=known.place
                )
            ]
        if judged.verified is None:
            tally.uses += known.entry.use
            return [_fail("consent-signature", "the consent used does not hold", known)]
        window_s = window_start(judged.verified.frequency, now_s=at_s)
        standing = Standing(
            state=tally.state, uses=tally.uses, uses_in_window=tally.windows.get(window_s, 0)
        )
        tally.uses += known.entry.use
        tally.windows[window_s] = tally.windows.get(window_s, 0) + known.entry.use
        query = find_query(self._cases[key], consent=judged.verified, name=name)
        lines = list(query.lines)
        lines.append(self._check(known, judged.verified, query, standing, at_s=at_s))
        lines += self._look_for_late_revocation(name, tally.state, at_s=at_s)
        return lines

    def _check(
        self,
        known: KnownEntry[ExchangeEntry],
        consent: Consent,
        query: ShownQuery,
        standing: Standing,
        *,
        at_s: int,
    ) -> Evidence:
        use = Use(
            consumer=known.entry.peer,
            provider=known.member,
            purpose=query.purpose,
            op=known.entry.op,
            metrics=query.metrics,
            last_months=query.last_months,
        )
        try:
            check_use(consent, use=use, standing=standing, now_s=at_s)
        except ProtocolError as err:
            return _fail(err.code, f"no consent covers this use: {err.detail}", known)
        count = f"use {standing.uses + 1} of {consent.max_uses}"
        if known.member not in self._exported:
            count += f" as far as is known: the log of {known.member} is not here"
        text = f"the consent {encode_b64u(known.entry.consents[0])} covers it, {count}"
        return Evidence(outcome=Outcome.HOLDS, code="consent-covers", text=text, place=known.place)

    def _look_for_late_revocation(
        self, name: bytes, state: ConsentState, *, at_s: int
    ) -> Sequence[Evidence]:
        """Say where a withdrawal must have reached the provider, and its log does not show it."""
        latest_s = at_s - STATUS_LIST_LIFE_S - CLOCK_AHEAD_S_CEILING
        if state is not ConsentState.ACTIVE:
            return ()
        for judged in self._artefacts.statuses.values():
            status = judged.verified
            if (
                status is not None
                and status.consent == name
                and status.state is ConsentState.REVOKED
                and status.iat < latest_s
            ):
                late_s = at_s - status.iat
                text = f"used {late_s} s after the withdrawal; the log does not show it"
                return (
                    Evidence(
                        outcome=Outcome.UNKNOWN,
                        code="revoked-elsewhere",
                        text=text,
                        place=judged.place,
                    ),
                )
        return ()


def _uses_due(entry: ExchangeEntry) -> int:
    is_counted = entry.code not in PROBLEMS or entry.code == NoAnswerError.code
    return int(entry.op in _USING_OPERATIONS and is_counted)


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
