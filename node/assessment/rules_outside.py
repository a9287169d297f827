"""Evidence from outside weighed by the policy: its lines, and the figures of those that count.

docs/formulas.md, expert-2. Each source has a line, also where there is nothing: what is missing or
stale is listed, with what it takes off the confidence. A public list is of the whole source fresh
only where every list that the policy expects was looked into lately.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from node.assessment.evidence import Figures, OwnEvidence, PeerEvidence
from node.assessment.outside_evidence import (
    ApplicationFacts,
    ListFacts,
    OutsideEvidence,
    ReportFacts,
    StatementFacts,
)
from node.assessment.policy_outside import (
    ListRules,
    OutsideRules,
    PublicList,
    ReportRules,
    Scale,
)
from node.assessment.policy_parts import PERMILLE, Freshness, Source, choose_step
from node.assessment.results import MISSING, USED, EvidenceLine
from node.core.money import divide_half_even

NOTED = "noted"
_COUNTING = frozenset({USED, NOTED})
CENTI = 100
MISSING_LINES_MAX = 64  # one of each source, and of each public list
_NUMBER = re.compile(r"-?[0-9]{1,5}(?:\.[0-9]{1,2})?")


class WeighedLine(NamedTuple):
    """A line of the evidence, with the figures that it brings where it counts."""

    line: EvidenceLine
    figures: Figures | None = None


def weigh_outside(
    outside: OutsideEvidence, rules: OutsideRules, *, as_of: date
) -> tuple[WeighedLine, ...]:
    """Return a line for each piece of evidence, and for each source that has none."""
    return (
        _weigh_statements(outside.statements, rules, as_of=as_of),
        *_weigh_reports(outside.reports, rules.reports, as_of=as_of),
        *_weigh_lists(outside.lists, rules.lists, as_of=as_of),
        _weigh_application(outside.application, rules, as_of=as_of),
    )


def read_printed(printed: str, scale: Scale) -> int | None:
    """Return the common figure of what an agency printed; None where the scale does not read it."""
    text = printed.strip()
    if scale.grades:
        return scale.grades.get(text.upper())
    if not _NUMBER.fullmatch(text):
        return None
    whole, _, decimals = text.lstrip("-").partition(".")
    at_centi = CENTI * int(whole) + int(decimals.ljust(2, "0") or "0")
    at_centi = -at_centi if text.startswith("-") else at_centi
    if not CENTI * scale.steps[0].at <= at_centi <= CENTI * scale.steps[-1].at:
        return None
    left = scale.steps[0]
    for right in scale.steps[1:]:
        if at_centi < CENTI * right.at:
            rise = (right.value - left.value) * (at_centi - CENTI * left.at)
            return left.value + divide_half_even(rise, CENTI * (right.at - left.at))
        left = right
    return left.value


def rank_lists(facts: Sequence[ListFacts], rules: ListRules, *, as_of: date) -> int:
    """Return the worst rank of any entry that counts on a day; 0 where there is none."""
    return max((_rank_list(one, rules, as_of=as_of) for one in facts), default=0)


def judge_source(lines: Sequence[EvidenceLine], source: Source) -> Freshness:
    """Return the freshness of a source: that of its freshest line that counts; of lists, of all.

    What was left out does not make a source fresh.
    """
    return judge_lines([line for line in lines if line.source is source], source)


def judge_lines(found: Sequence[EvidenceLine], source: Source) -> Freshness:
    """Return the freshness of a source by its own lines, as ``judge_source`` does."""
    are_missing, fresh = True, 0
    for line in found:
        if line.freshness is not Freshness.MISSING:
            are_missing = False
        if line.freshness is Freshness.FRESH and line.code in _COUNTING:
            fresh += 1
    if are_missing:
        return Freshness.MISSING
    is_fresh = fresh == len(found) if source is Source.LISTS else fresh > 0
    return Freshness.FRESH if is_fresh else Freshness.STALE


def date_lines(
    lines: Sequence[EvidenceLine],
    *,
    own: OwnEvidence | None,
    peers: Sequence[PeerEvidence],
    rules: OutsideRules,
) -> tuple[EvidenceLine, ...]:
    """Return the lines of own records and peers with day and freshness, and those missing."""
    days = {peer.msg_hash_b64u: peer.window_end for peer in peers}
    dated = []
    has_own = has_peers = False
    for line in lines:
        if line.source is Source.OWN:
            has_own, limit = True, rules.own_stale_days
            day = own.newest_on if own else None
        else:
            has_peers, limit = True, rules.peers_stale_days
            day = days.get(line.ref)
        is_fresh = line.age_days is not None and line.age_days <= limit
        dated.append(
            EvidenceLine(
                ref=line.ref,
                provider=line.provider,
                code=line.code,
                weight_milli=line.weight_milli,
                invoices=line.invoices,
                age_days=line.age_days,
                source=line.source,
                dated_on=day,
                freshness=Freshness.FRESH if is_fresh else Freshness.STALE,
            )
        )
    if not has_own:
        dated.append(build_missing(Source.OWN))
    if not has_peers:
        dated.append(build_missing(Source.PEERS))
    return tuple(dated)


def _weigh_statements(
    facts: StatementFacts | None, rules: OutsideRules, *, as_of: date
) -> WeighedLine:
    if facts is None:
        return WeighedLine(line=build_missing(Source.STATEMENTS))
    age_days = _count_days(facts.year_end, as_of)
    counts = facts.weight_milli > 0
    line = EvidenceLine(
        ref=f"statement:{facts.statement_id}",
        provider=None,
        code=USED if counts else "left-out.too-old",
        weight_milli=facts.weight_milli,
        invoices=None,
        age_days=age_days,
        source=Source.STATEMENTS,
        dated_on=facts.year_end,
        freshness=_judge(age_days, rules.statements.stale_days),
    )
    return WeighedLine(line=line, figures=facts.figures if counts else None)


def _weigh_reports(
    reports: Sequence[ReportFacts], rules: ReportRules, *, as_of: date
) -> list[WeighedLine]:
    if not reports:
        return [WeighedLine(line=build_missing(Source.REPORTS))]
    # The newest of an agency's scale speaks for it, as with a peer.
    ordered = sorted(reports, key=lambda one: (one.issued_on, one.report_id), reverse=True)
    heard: set[tuple[str, str]] = set()
    weighed = []
    for report in ordered:
        one = _weigh_report(report, rules, heard=heard, as_of=as_of)
        if one.line.code == USED:
            heard.add((report.agency, report.scale))
        weighed.append(one)
    return weighed


def _weigh_report(
    report: ReportFacts, rules: ReportRules, *, heard: set[tuple[str, str]], as_of: date
) -> WeighedLine:
    age_days = _count_days(report.issued_on, as_of)
    scale = rules.find_scale(agency=report.agency, scale=report.scale)
    figure = None if scale is None else read_printed(report.printed, scale)
    worth_permille = choose_step(rules.age_permille, age_days)
    if is_expired(report, rules, as_of=as_of) or worth_permille == 0:
        code = "left-out.report-expired"
    elif scale is None:
        code = "left-out.unknown-scale"
    elif figure is None:
        code = "left-out.report-unreadable"
    elif (report.agency, report.scale) in heard:
        code = "left-out.superseded"
    else:
        code = USED
    counts = code == USED and scale is not None
    is_stale = code == "left-out.report-expired" or age_days > rules.stale_days
    line = EvidenceLine(
        ref=f"report:{report.report_id}",
        provider=report.agency,
        code=code,
        weight_milli=worth_permille * scale.worth_permille // PERMILLE if counts and scale else 0,
        invoices=None,
        age_days=age_days,
        source=Source.REPORTS,
        dated_on=report.issued_on,
        freshness=Freshness.STALE if is_stale else Freshness.FRESH,
    )
    return WeighedLine(line=line, figures=Figures(report_permille=figure) if counts else None)


def is_expired(report: ReportFacts, rules: ReportRules, *, as_of: date) -> bool:
    """Tell whether a report counts no longer: by its own end, or by the policy's term."""
    last_on = report.expires_on or report.issued_on + timedelta(days=rules.valid_days)
    return as_of > last_on


def _weigh_lists(
    lists: Sequence[ListFacts], rules: ListRules, *, as_of: date
) -> Sequence[WeighedLine]:
    if not lists:
        return _miss_lists(tuple(rules.expected))
    found = {one.list: one for one in lists}
    weighed = []
    for name in dict.fromkeys((*rules.expected, *sorted(found))):
        facts = found.get(name)
        if facts is None:
            weighed.append(WeighedLine(line=build_missing(Source.LISTS, provider=name.value)))
            continue
        age_days = _count_days(facts.checked_on, as_of)
        rank = _rank_list(facts, rules, as_of=as_of)
        is_stale = age_days > rules.stale_days
        # An entry stays one until somebody looks again; that there was none says less with time.
        counts = rank > 0 or not is_stale
        line = EvidenceLine(
            ref=f"list:{facts.check_id}",
            provider=name.value,
            code=USED if counts else "left-out.too-old",
            weight_milli=PERMILLE if counts else 0,
            invoices=None,
            age_days=age_days,
            source=Source.LISTS,
            dated_on=facts.checked_on,
            freshness=Freshness.STALE if is_stale else Freshness.FRESH,
        )
        weighed.append(WeighedLine(line=line, figures=Figures(list_rank=rank) if counts else None))
    return weighed


@lru_cache(maxsize=MISSING_LINES_MAX)
def _miss_lists(expected: tuple[PublicList, ...]) -> tuple[WeighedLine, ...]:
    return tuple(
        WeighedLine(line=build_missing(Source.LISTS, provider=name.value)) for name in expected
    )


def _rank_list(facts: ListFacts, rules: ListRules, *, as_of: date) -> int:
    ranks = [0]
    for _, removed_on in facts.entries:
        if removed_on is None or removed_on > as_of:
            ranks.append(rules.ranks[facts.list])
        elif _count_days(removed_on, as_of) <= rules.removed_days:
            ranks.append(rules.removed_rank)
    return max(ranks)


def _weigh_application(
    facts: ApplicationFacts | None, rules: OutsideRules, *, as_of: date
) -> WeighedLine:
    if facts is None:
        return WeighedLine(line=build_missing(Source.APPLICATION))
    age_days = _count_days(facts.dated_on, as_of)
    is_stale = age_days > rules.application.stale_days or facts.missing + facts.outdated > 0
    line = EvidenceLine(
        ref=f"application:{facts.application_id}",
        provider=None,
        code=NOTED,
        weight_milli=0,
        invoices=None,
        age_days=age_days,
        source=Source.APPLICATION,
        dated_on=facts.dated_on,
        freshness=Freshness.STALE if is_stale else Freshness.FRESH,
    )
    return WeighedLine(line=line)


@lru_cache(maxsize=MISSING_LINES_MAX)
def build_missing(source: Source, *, provider: str | None = None) -> EvidenceLine:
    """Return the line of a source, or of one list, of which there is nothing."""
    return EvidenceLine(
        ref=source.value if provider is None else f"{source}:{provider}",
        provider=provider,
        code=MISSING,
        weight_milli=0,
        invoices=None,
        age_days=None,
        source=source,
        freshness=Freshness.MISSING,
    )


def _count_days(day: date, as_of: date) -> int:
    return max(0, (as_of - day).days)


def _judge(age_days: int, stale_days: int) -> Freshness:
    return Freshness.STALE if age_days > stale_days else Freshness.FRESH
