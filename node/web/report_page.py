"""An audit report as one page that needs nothing else: no script, no font, no address outside.

What a bundle holds is hostile: everything is escaped, characters that turn or hide text are
replaced, and every list has a limit that the page names. The JSON report has what is left out.
"""

from __future__ import annotations

import base64
import shlex
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from node.assessment.policy_file import Language
from node.web.rendering import build_environment, read_static
from node.web.report_object import (
    ConsentPart,
    ExchangePart,
    LinePart,
    OutcomeName,
    ReportPart,
    VerdictName,
    read_report,
)
from node.web.report_timeline import SHAPES, Bars, Lane, Mark, Series, draw_timeline
from node.web.texts import Texts
from protocol.encoding import decode_b64u, sha256
from protocol.errors import MalformedError
from protocol.keys import PUBLIC_KEY_BYTES, PublicKey
from protocol.problems import PROBLEMS
from protocol.report import describe_time
from protocol.strict_json import JsonObject

OPEN_EXCHANGES_MAX = 100  # of each verdict that is not proven
PROVEN_EXCHANGES_MAX = 200
LINES_MAX = 40  # of evidence, of one exchange or consent
GROUPS_MAX = 300
LOGS_MAX = 256
CONSENTS_MAX = 300
OPEN_CONSENTS_MAX = 100
FINDINGS_MAX = 200
EXHIBITS_MAX = 8  # of one finding
AFFECTED_MAX = 20
TEXT_CHARACTERS_MAX = 600
EXHIBITS_CHARACTERS_MAX = 1_000_000  # of the whole page: a signed text cut short proves nothing
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
_SEVERITY: dict[VerdictName, int] = {"contradicted": 0, "undetermined": 1, "proven": 2}
_POINTS: tuple[tuple[OutcomeName, VerdictName], ...] = (
    ("fails", "contradicted"),
    ("unknown", "undetermined"),
)
_ANSWERED = frozenset(
    {
        "full",
        "mix",
        "class",
        "held",
        "receipt",
        "batch",
        "200",
        "accepted",
        "push",
        "correct",
        "erase",
    }
)
_NAMED_KINDS = frozenset({"cosigned", "start", "stop", "revoked", "paused", "key", "anchor"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one bundle shows of an exchange; ``bundle`` is empty for what no file shows."""

    bundle: str
    member: str
    lines: tuple[LinePart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An exchange or consent not proven, with what each side shows; ``more`` are not here."""

    one: ExchangePart | ConsentPart
    sides: tuple[Side, ...]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A signed text, or None where the page has no room for it."""

    text: str | None
    characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """A finding, of a log or beside them, with the signed texts that show it."""

    line: LinePart
    exhibits: tuple[Exhibit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Some of a list; ``more`` are left out."""

    shown: tuple[object, ...]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """All that is contradicted, or all that is open."""

    verdict: VerdictName
    count: int
    findings: Cut
    exchanges: Cut
    consents: Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """What the template lays out."""

    report: ReportPart
    fingerprint: str
    timeline: str
    points: tuple[Points, ...]
    notes: Cut
    logs: Cut
    groups: Cut
    proven: Cut
    consents: Cut
    simulated: bool


def build_report_page(
    value: JsonObject, *, language: Language, made_at_s: int, software: str
) -> str:
    """Return the page of a report's object."""
    report, texts = read_report(value), Texts(language)
    css = read_static("report.css").decode("utf-8")
    environment = build_environment(
        {"plain": show_plainly, "when": describe_time, "quote": quote_word}
    )
    html = environment.get_template("report.html").render(
        t=texts,
        language=language.value,
        css=css,
        css_hash=base64.b64encode(sha256(css.encode("utf-8"))).decode("ascii"),
        page=_build_page(report, texts),
        made_at_s=made_at_s,
        software=software,
        say=lambda family, code: texts(f"{family}.{code}"),
        code_words=lambda family, code: texts.find(f"{family}.{code}"),
        affected_max=AFFECTED_MAX,
        shapes=SHAPES,
    )
    return html.encode("utf-8", errors="replace").decode("utf-8")


def show_plainly(text: str, characters_max: int = TEXT_CHARACTERS_MAX) -> str:
    """Return a text from outside without characters that hide or turn others, and not too long."""
    cut = text if len(text) <= characters_max else f"{text[:characters_max]}…"
    return "".join(
        UNREADABLE if unicodedata.category(one) in _HIDDEN and one not in "\n\t" else one
        for one in cut
    )


def quote_word(text: str) -> str:
    """Return a text as one word of a shell's command."""
    return shlex.quote(show_plainly(text))


def _build_page(report: ReportPart, texts: Texts) -> ReportPage:
    members = {log.bundle: log.member for log in report.logs}
    findings = [*report.findings, *(one for log in report.logs for one in log.findings)]
    room = _ExhibitRoom()
    consents = sorted(report.consents, key=lambda one: _SEVERITY[one.verdict])
    groups = sorted(report.exchange_counts, key=lambda one: _SEVERITY[one.verdict])
    return ReportPage(
        report=report,
        fingerprint=_choose_fingerprint(report),
        timeline=_draw(report, texts),
        points=tuple(
            _gather(report, findings, outcome=outcome, verdict=verdict, members=members, room=room)
            for outcome, verdict in _POINTS
        ),
        notes=_view_findings(
            [one for one in findings if one.outcome not in dict(_POINTS)], room=room
        ),
        logs=_cut(report.logs, LOGS_MAX),
        groups=_cut(groups, GROUPS_MAX),
        proven=_cut(
            [one for one in report.exchanges if one.verdict == "proven"],
            PROVEN_EXCHANGES_MAX,
            count=report.exchange_verdicts.get("proven", 0),
        ),
        consents=_cut(consents, CONSENTS_MAX),
        simulated=report.registry is not None and report.registry.simulated,
    )


def _gather(
    report: ReportPart,
    findings: Sequence[LinePart],
    *,
    outcome: OutcomeName,
    verdict: VerdictName,
    members: dict[str, str],
    room: _ExhibitRoom,
) -> Points:
    """Return all that is contradicted, or all that is open: findings, exchanges and consents."""
    told = [one for one in findings if one.outcome == outcome]
    exchanges = [one for one in report.exchanges if one.verdict == verdict]
    consents = [one for one in report.consents if one.verdict == verdict]
    return Points(
        verdict=verdict,
        count=len(told) + len(consents) + report.exchange_verdicts.get(verdict, len(exchanges)),
        findings=_view_findings(told, room=room),
        exchanges=_view_judged(exchanges, members=members, limit=OPEN_EXCHANGES_MAX),
        consents=_view_judged(consents, members=members, limit=OPEN_CONSENTS_MAX),
    )


class _ExhibitRoom:
    """Gives out the page's room for signed texts: each is shown whole or not at all."""

    def __init__(self) -> None:
        self._left = EXHIBITS_CHARACTERS_MAX

    def show(self, text: str) -> Exhibit:
        if len(text) > self._left:
            return Exhibit(text=None, characters=len(text))
        self._left -= len(text)
        return Exhibit(text=text, characters=len(text))


def _cut(items: Sequence[object], limit: int, *, count: int | None = None) -> Cut:
    shown = tuple(items[:limit])
    return Cut(shown=shown, more=(len(items) if count is None else count) - len(shown))


def _view_findings(findings: Sequence[LinePart], *, room: _ExhibitRoom) -> Cut:
    shown = [
        FindingView(line=one, exhibits=tuple(map(room.show, one.exhibits[:EXHIBITS_MAX])))
        for one in findings[:FINDINGS_MAX]
    ]
    return _cut(shown, FINDINGS_MAX, count=len(findings))


def _view_judged(
    judged: Sequence[ExchangePart] | Sequence[ConsentPart],
    *,
    members: dict[str, str],
    limit: int,
) -> Cut:
    shown = [
        Judged(
            one=one,
            sides=_split_sides(one.evidence, members),
            more=max(len(one.evidence) - LINES_MAX, 0),
        )
        for one in judged[:limit]
    ]
    return _cut(shown, limit, count=len(judged))


def _split_sides(lines: Sequence[LinePart], members: dict[str, str]) -> tuple[Side, ...]:
    """Return the lines by the bundle that shows them, what decides first."""
    rank = {"fails": 0, "unknown": 1, "not-shown": 2, "holds": 3}
    kept = sorted(lines, key=lambda line: rank[line.outcome])[:LINES_MAX]
    bundles = dict.fromkeys("" if line.place is None else line.place.bundle for line in kept)
    return tuple(
        Side(
            bundle=bundle,
            member=members.get(bundle, ""),
            lines=tuple(
                line for line in kept if bundle == ("" if line.place is None else line.place.bundle)
            ),
        )
        for bundle in sorted(bundles)
    )


def _choose_fingerprint(report: ReportPart) -> str:
    if report.anchor is None:
        return ""
    try:
        return PublicKey(decode_b64u(report.anchor.key, bytes_exact=PUBLIC_KEY_BYTES)).kid
    except MalformedError:
        return ""


def _draw(report: ReportPart, texts: Texts) -> str:
    by_verdict: dict[str, list[int]] = {name: [] for name in ("proven", *_SEVERITY)}
    by_outcome: dict[str, list[int]] = {"answered": [], "none": [], "refused": [], "open": []}
    for one in report.exchanges:
        by_verdict[one.verdict].append(one.at)
        by_outcome[_judge_outcome(one.code)].append(one.at)
    rows = [
        Bars(
            name=texts("report.timeline.verdicts"),
            series=[
                Series(
                    kind=name, name=texts.find(f"verdict.{name}") or name, times_ms=by_verdict[name]
                )
                for name in ("proven", "undetermined", "contradicted")
            ],
        ),
        Bars(
            name=texts("report.timeline.outcomes"),
            series=[
                Series(kind=name, name=texts.find(f"outcome.{name}") or name, times_ms=times)
                for name, times in by_outcome.items()
            ],
        ),
    ]
    return draw_timeline(
        rows if report.exchanges else (),
        _list_lanes(report, texts),
        title=texts("report.timeline.title"),
    )


def _judge_outcome(code: str) -> str:
    if code in _ANSWERED:
        return "answered"
    if code == "no-answer":
        return "none"
    return "refused" if code in PROBLEMS else "open"


def _list_lanes(report: ReportPart, texts: Texts) -> list[Lane]:
    marks: dict[str, list[Mark]] = {log.member: [] for log in report.logs}
    told = {event.member for event in report.events if event.kind == "cosigned"}
    for log in report.logs:
        if log.cosigned_at_s is not None and log.member not in told:
            at_ms = log.cosigned_at_s * 1000
            marks[log.member].append(
                Mark(at_ms=at_ms, kind="cosigned", name=texts("event.cosigned"))
            )
    for event in report.events:
        kind = event.kind if event.kind in _NAMED_KINDS else "other"
        name = texts.find(f"event.{kind}") or kind
        marks.setdefault(event.member, []).append(
            Mark(at_ms=event.at, kind=kind, name=name if kind != "other" else event.kind)
        )
    return [Lane(name=show_plainly(name), marks=held) for name, held in sorted(marks.items())]
