"""Tables of a statements report for a terminal."""

from __future__ import annotations

from rich.table import Table

from node.assessment.policy_file import Language
from node.assessment.statements.chart import CHART, Part
from node.assessment.statements.report import StatementReport
from node.assessment.statements.rules_altman import MODELS, SCORE_DECIMALS, Score
from node.assessment.statements.rules_ratios import RATIOS, RatioValue, format_value
from node.assessment.statements.rules_trend import Trend
from node.assessment.statements.wording import say
from node.core.money import format_amount


def _year_columns(report: StatementReport) -> list[str]:
    return [year.version.statement.year_end.isoformat() for year in report.years]


def tabulate_lines(report: StatementReport, language: Language) -> Table:
    """Return the figures, a row an item and a column a year."""
    heads = [
        f"{year} {one.version.statement.currency}"
        for year, one in zip(_year_columns(report), report.years, strict=True)
    ]
    table = Table("", *heads, box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for part in Part:
        table.add_row(say("part", part, language).upper())
        for code, item in CHART.items():
            if item.part is part and any(code in year.amounts for year in report.years):
                table.add_row(
                    f"  {item.words.render(language)}",
                    *(
                        format_amount(year.amounts[code], currency=year.version.statement.currency)
                        if code in year.amounts
                        else "-"
                        for year in report.years
                    ),
                )
    return table


def tabulate_ratios(report: StatementReport, language: Language) -> Table:
    """Return the ratios with their trend; a star marks one with a remark."""
    trend_head = "趋势" if language is Language.ZH else "Trend"
    table = Table("", *_year_columns(report), trend_head, box=None)
    for column in table.columns[1:-1]:
        column.justify = "right"
    for code, ratio in RATIOS.items():
        table.add_row(
            f"{ratio.words.render(language)}",
            *(_say_value(one, language) for one in report.ratios[code]),
            _say_trend(report.trends[code], language),
        )
    return table


def _say_value(one: RatioValue, language: Language) -> str:
    ratio = RATIOS[one.code]
    if one.value is None:
        return say("reason", one.reason, language, item=one.missing_item)
    mark = "*" if one.remarks else ""
    sign = "%" if ratio.unit.factor > 1 else ""
    return f"{format_value(one.value, decimals=ratio.unit.decimals)}{sign}{mark}"


def _say_trend(trend: Trend | None, language: Language) -> str:
    if trend is None:
        return "-"
    direction = say("direction", trend.direction, language)
    return f"{direction} ({say('judgement', trend.judgement, language)})"


def tabulate_scores(report: StatementReport, language: Language) -> Table:
    """Return Altman's scores with their zones."""
    table = Table("Altman", *_year_columns(report), box=None)
    for position, model in enumerate(MODELS.values()):
        table.add_row(
            model.words.render(language),
            *(_say_score(year.scores[position], language) for year in report.years),
        )
    return table


def _say_score(score: Score, language: Language) -> str:
    if score.score is None or score.zone is None:
        return say("reason", score.reason, language, item=score.missing_item)
    shown = format_value(score.score, decimals=SCORE_DECIMALS)
    return f"{shown} {say('zone', score.zone, language)}"
