"""Figures and codes in words: nothing missing is ever written as 0 or as a bare dash."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from node.assessment.policy import EvidenceValue
from node.assessment.report import format_deci
from node.core.errors import InvariantError
from node.core.money import format_amount
from node.web.texts import Texts
from schemas.summary import (
    DELAY_CLASSES,
    Adverse,
    Delay,
    Disputes,
    Index,
    Lateness,
    Money,
    OverdueNow,
    Relation,
    Section,
    Summary,
    Tier,
    Trend,
    Volume,
)

MINUS = "\N{MINUS SIGN}"
UP, DOWN = "▲", "▼"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BAND_SCALES = {"k": 1_000, "m": 1_000_000}
_PERMILLE_VALUES = {
    EvidenceValue.LATE_PERMILLE,
    EvidenceValue.UNPAID_PERMILLE,
    EvidenceValue.DISPUTED_PERMILLE,
    EvidenceValue.DEBT_PERMILLE,
    EvidenceValue.MARGIN_PERMILLE,
}
_SECTIONS = {
    Tier.FULL: frozenset(Section) - {Section.LATENESS},
    Tier.MIX: frozenset(Section) - {Section.LATENESS, Section.MONEY},
    Tier.CLASS: frozenset({Section.RELATION, Section.OVERDUE_NOW, Section.LATENESS}),
}
_ADVERSE_WORDS = {0: "adverse.nothing", 1: "adverse.rank.settled"}  # more is unsettled


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionWords:
    """One section of a summary: its name and what it says."""

    name: str
    words: str


def say_money(amount_minor: int, currency: str) -> str:
    """Write an amount with its currency."""
    text = format_amount(amount_minor, currency=currency)
    return f"{currency}\N{NO-BREAK SPACE}{text.replace('-', MINUS)}"


def say_amount(amount_minor: int, currency: str) -> str:
    """Write an amount where its currency stands above it."""
    return format_amount(amount_minor, currency=currency).replace("-", MINUS)


def say_deci(value_deci: int | None, texts: Texts) -> str:
    """Write tenths with one decimal, or that they cannot be computed."""
    if value_deci is None:
        return texts("none.computable")
    return format_deci(value_deci).replace("-", MINUS)


def say_change(change_deci: int, texts: Texts) -> str:
    """Write a change of points with an arrow, a sign and a number, or that there is none."""
    if change_deci == 0:
        return texts("compare.unchanged")
    arrow, sign = (UP, "+") if change_deci > 0 else (DOWN, MINUS)
    return f"{arrow} {sign}{format_deci(abs(change_deci))}"


def say_time(at_ms: int) -> str:
    """Write a moment to the minute, in UTC."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%d %H:%M")


def say_value(reads: EvidenceValue | None, value: int | None, texts: Texts) -> str:
    """Write a figure of the scorecard with its unit."""
    if reads is None or value is None:
        return texts("none.data")
    say = _SAY_VALUE.get(reads)
    if say is not None:
        return say(value, texts)
    words = say_deci(value, texts)
    return f"{words} %" if reads in _PERMILLE_VALUES else words


def say_code(family: str, code: str, texts: Texts) -> str:
    """Put a code of the exchange into words; one without words stands for itself."""
    return texts.find(f"{family}.{code}") or code


def say_sections(summary: Summary, texts: Texts) -> tuple[SectionWords, ...]:
    """Put every section that a summary holds into plain words, in the order of the schema."""
    return tuple(
        SectionWords(
            name=texts(f"section.{section.value}"), words=_say_section(summary, section, texts)
        )
        for section in Section
        if getattr(summary, section.value) is not None
    )


def list_absent(summary: Summary, texts: Texts) -> str:
    """Name the sections that a summary of its tier could hold and does not."""
    names = (
        texts(f"section.{section.value}")
        for section in Section
        if getattr(summary, section.value) is None and section in _SECTIONS[summary.tier]
    )
    return texts("join.comma").join(names)


def _say_section(summary: Summary, section: Section, texts: Texts) -> str:
    match getattr(summary, section.value):
        case Relation() as relation:
            words = _say_relation(relation, texts)
        case Volume() as volume:
            words = texts("say.volume", count=texts(f"volume.{volume.n_invoices}"))
        case Money() as money:
            words = texts("join.comma").join(_say_money_section(money, texts))
        case Index() as index:
            weighting = texts(f"weighting.{index.weighting}")
            words = texts("say.index", value=index.value, weighting=weighting)
        case Delay() as delay:
            words = _say_delay(delay, texts)
        case Disputes() as disputes:
            words = _say_disputes(disputes, texts)
        case Adverse() as adverse:
            words = _say_adverse(adverse, texts)
        case other:
            words = _say_class(other, texts)
    return words


def _say_class(section: object, texts: Texts) -> str:
    match section:
        case Trend() as trend:
            return texts(f"trend.{trend.direction}")
        case OverdueNow() as now:
            return texts("say.overdue_now", oldest=texts(f"overdue.{now.oldest}"), as_of=now.as_of)
        case Lateness() as lateness:
            return texts(f"lateness.{lateness.seen}")
        case _:
            raise InvariantError("a section that the console cannot put into words")


def _say_relation(relation: Relation, texts: Texts) -> str:
    years, last_sale = texts(f"years.{relation.years}"), texts(f"last.{relation.last_sale}")
    return texts("say.relation", years=years, last_sale=last_sale)


def _say_money_section(money: Money, texts: Texts) -> Iterator[str]:
    for cell in ("amount_paid", "high_credit", "owing", "past_due"):
        band = getattr(money, cell)
        words = texts("none.withheld") if band is None else _say_band(band, money.currency, texts)
        yield texts(f"say.money.{cell}", band=words)


def _say_band(band: str, currency: str, texts: Texts) -> str:
    if band == "0":
        return texts("band.none")
    prefix = f"{currency}\N{NO-BREAK SPACE}"
    if band.startswith("<"):
        return prefix + texts("band.below", high=_read_edge(band[1:]))
    if band.startswith(">="):
        return prefix + texts("band.from", low=_read_edge(band[2:]))
    low, _, high = band.partition("-")
    return prefix + texts("band.between", low=_read_edge(low), high=_read_edge(high))


def _read_edge(edge: str) -> str:
    return f"{int(edge[:-1]) * _BAND_SCALES[edge[-1]]:,}"


def _say_delay(delay: Delay, texts: Texts) -> str:
    mix = texts("join.comma").join(
        texts("say.share", name=texts(f"delay.{name.value}"), share=delay.mix[name])
        for name in DELAY_CLASSES
        if delay.mix[name]
    )
    return texts(
        "say.delay",
        days=delay.dbt_days,
        weighting=texts(f"weighting.{delay.dbt_weighting}"),
        worst=texts(f"delay.{delay.worst.value}"),
        mix=mix,
    )


def _say_disputes(disputes: Disputes, texts: Texts) -> str:
    count = texts(f"disputes.{disputes.count}")
    if disputes.count == "0":
        return count
    return texts("say.disputes", count=count, share=texts(f"share.{disputes.share}"))


def _say_adverse(adverse: Adverse, texts: Texts) -> str:
    if not adverse.facts:
        return texts("say.adverse.none")
    return texts("join.semicolon").join(
        texts(
            "say.adverse",
            kind=texts(f"adverse.{fact.kind}"),
            quarter=fact.quarter,
            settled=texts("adverse.settled" if fact.settled else "adverse.unsettled"),
        )
        for fact in adverse.facts
    )


def _say_days(value: int, texts: Texts) -> str:
    return texts("unit.days", count=value) if value else texts("none.overdue")


def _say_trend(value: int, texts: Texts) -> str:
    return texts("trend.same" if value == 0 else "trend.better" if value > 0 else "trend.worse")


def _say_finance_trend(value: int, texts: Texts) -> str:
    direction = "same" if value == 0 else "better" if value > 0 else "worse"
    return texts(f"finance-trend.{direction}")


def _say_list_rank(value: int, texts: Texts) -> str:
    state = "none" if value == 0 else "removed" if value == 1 else "on"
    return texts(f"list-rank.{state}")


def _say_centi(value: int, texts: Texts) -> str:
    del texts
    sign = MINUS if value < 0 else ""
    return f"{sign}{abs(value) // 100}.{abs(value) % 100:02d}"


_SAY_VALUE: Mapping[EvidenceValue, Callable[[int, Texts], str]] = MappingProxyType(
    {
        EvidenceValue.WORST_RANK: lambda value, texts: texts(f"delay.{DELAY_CLASSES[value].value}"),
        EvidenceValue.RELATION_MONTHS: lambda value, texts: texts("unit.months", count=value),
        EvidenceValue.OVERDUE_DAYS: _say_days,
        EvidenceValue.ADVERSE_RANK: lambda value, texts: texts(
            _ADVERSE_WORDS.get(value, "adverse.rank.open")
        ),
        EvidenceValue.TREND_DECI: _say_trend,
        EvidenceValue.FINANCE_TREND_DECI: _say_finance_trend,
        EvidenceValue.CURRENT_RATIO_CENTI: _say_centi,
        EvidenceValue.ALTMAN_CENTI: _say_centi,
        EvidenceValue.REPORT_PERMILLE: lambda value, _texts: f"{value}/1000",
        EvidenceValue.LIST_RANK: lambda value, texts: texts(
            "list-rank.none"
            if value == 0
            else "list-rank.removed"
            if value == 1
            else "list-rank.on"
        ),
        EvidenceValue.DBT_DECI: lambda value, texts: texts(
            "unit.days", count=say_deci(value, texts)
        ),
    }
)
