"""Findings of a check or of reading a file: errors refuse a statement, warnings stay beside it."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from node.assessment.policy_file import Language
from node.assessment.statements.chart import CHART
from node.assessment.statements.words import Words
from node.core.money import format_amount


class Severity(StrEnum):
    """What a finding does."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


FINDINGS: Mapping[str, tuple[Severity, Words]] = MappingProxyType(
    {
        # of a statement
        "unbalanced": (
            Severity.ERROR,
            Words(
                "资产不等于负债加所有者权益，差 {gap}",
                "assets are not liabilities plus equity: {gap} apart",
            ),
        ),
        "subtotal": (
            Severity.ERROR,
            Words(
                "{item}与其各项之和相差 {gap}", "{item} is not the sum of its parts: {gap} apart"
            ),
        ),
        "sum-differs": (
            Severity.WARNING,
            Words(
                "{item}与其各项之和相差 {gap}（如终止经营）",
                "{item} is not the sum of its parts (given-up businesses?): {gap} apart",
            ),
        ),
        "parts-exceed": (
            Severity.WARNING,
            Words(
                "{item}小于已列各项之和，差 {gap}",
                "{item} is less than the parts that are given: {gap} apart",
            ),
        ),
        "negative": (
            Severity.ERROR,
            Words(
                "{item}不得为负（成本、费用、负债写正数）",
                "{item} must not be negative (costs and debts are written positive)",
            ),
        ),
        "too-large": (
            Severity.ERROR,
            Words("{item}超出可记范围", "{item} is larger than can be kept"),
        ),
        "item-unknown": (Severity.ERROR, Words("没有此项目：{text}", "no such item: {text}")),
        "opening-flow": (
            Severity.ERROR,
            Words("{item}没有年初数", "{item} has no opening balance"),
        ),
        "months": (Severity.ERROR, Words("期间须为 1 至 23 个月", "a period has 1 to 23 months")),
        "year-end": (
            Severity.ERROR,
            Words(
                "年度末不晚于收到日期，收到日期不晚于营业日期，且不早于 1970 年",
                "a year ends by the day its statement came, that is by today, and not before 1970",
            ),
        ),
        "currency": (Severity.ERROR, Words("币种须为三位大写字母", "a currency is three capitals")),
        "no-balance": (
            Severity.ERROR,
            Words(
                "缺少资产总计，也无从推算", "total assets are missing and do not follow from others"
            ),
        ),
        "other-year": (
            Severity.ERROR,
            Words("更正须为同一年度、同一口径", "a correction is of the same year and basis"),
        ),
        "too-old": (
            Severity.ERROR,
            Words("报表超过保留期限，不再录入", "the year is older than statements are kept"),
        ),
        "document-hash": (
            Severity.ERROR,
            Words("文件哈希须为 64 位十六进制", "a document's hash is 64 hexadecimal digits"),
        ),
        "two-of-a-year": (
            Severity.WARNING,
            Words(
                "两份同一年度报表（合并记录）：采用后录入的",
                "two statements of one year, of merged records: the one entered last counts",
            ),
        ),
        "overlap": (
            Severity.WARNING,
            Words("期间与 {text} 的报表重叠", "the period overlaps that of {text}"),
        ),
        "short-period": (
            Severity.WARNING,
            Words(
                "期间为 {text} 个月：流量按十二个月折算",
                "the period has {text} months: flows are annualised to twelve",
            ),
        ),
        "opening-differs": (
            Severity.WARNING,
            Words(
                "{item}年初数与上年年末数相差 {gap}",
                "{item}: the opening balance is not last year's closing: {gap} apart",
            ),
        ),
        "currency-change": (
            Severity.WARNING,
            Words(
                "币种由 {text} 变更：不计算增长率",
                "the currency was {text} the year before: no growth is worked out",
            ),
        ),
        "gaap-change": (
            Severity.WARNING,
            Words(
                "会计准则由 {text} 变更：各年可比性有限",
                "the GAAP was {text} the year before: years compare less well",
            ),
        ),
        "jump": (
            Severity.WARNING,
            Words(
                "{item}较上年变动超过三倍",
                "{item} is more than three times, or less than a third, of the year before",
            ),
        ),
        "unit-slip": (
            Severity.WARNING,
            Words(
                "{item}较上年相差数百倍以上：单位可能有误",
                "{item} is hundreds of times more or less than the year before: the unit?",
            ),
        ),
        "year-gap": (
            Severity.WARNING,
            Words("与上一份报表之间有缺口", "there is a gap to the statement before"),
        ),
        # of a file
        "cell-number": (
            Severity.ERROR,
            Words("不是 {text} 形式的数字", "no number of the form {text}"),
        ),
        "cell-date": (Severity.ERROR, Words("不是日期（2025-12-31）", "no date (2025-12-31)")),
        "cell-value": (Severity.ERROR, Words("取值须为：{text}", "is one of: {text}")),
        "cell-twice": (Severity.ERROR, Words("重复：{text}", "stands twice: {text}")),
        "head-missing": (Severity.ERROR, Words("缺少 {text}", "missing: {text}")),
        "row-form": (
            Severity.ERROR,
            Words("行的列数不对", "the row has another number of columns"),
        ),
        "no-statement": (
            Severity.ERROR,
            Words("文件中没有报表", "there is no statement in the file"),
        ),
        "too-many-years": (Severity.ERROR, Words("最多五年", "five years at the most")),
        "dimensions": (
            Severity.NOTE,
            Words("{text} 个带维度的事实未采用", "{text} facts with dimensions are left out"),
        ),
        "unmapped": (
            Severity.NOTE,
            Words(
                "{text} 个事实的元素不在对照表中",
                "{text} facts are of elements that the table does not map",
            ),
        ),
        "other-currency": (
            Severity.NOTE,
            Words("{text} 个其他计量单位的事实未采用", "{text} facts in other units are left out"),
        ),
        "other-period": (
            Severity.NOTE,
            Words("{text} 个其他期间的事实未采用", "{text} facts of other periods are left out"),
        ),
        "fact-conflict": (
            Severity.ERROR,
            Words("同一期间有两个不同的值：{text}", "two values for one period: {text}"),
        ),
        "fact-twice": (
            Severity.NOTE,
            Words("重复列示，数值一致：{text}", "stands twice, and says the same: {text}"),
        ),
        "fact-number": (
            Severity.ERROR,
            Words("值不是数字：{text}", "the value is no number: {text}"),
        ),
        "fact-format": (
            Severity.ERROR,
            Words("不支持的数字格式：{text}", "a format of numbers that is not read: {text}"),
        ),
        "fact-scale": (
            Severity.ERROR,
            Words("scale 须为 -15 至 15 的整数：{text}", "a scale is from -15 to 15: {text}"),
        ),
        "fact-sign": (
            Severity.ERROR,
            Words("sign 只能为负号：{text}", "a sign is a minus: {text}"),
        ),
        "context-twice": (
            Severity.ERROR,
            Words(
                "所指的 context 定义了两次，内容不同：{text}",
                "its context stands twice and says different things: {text}",
            ),
        ),
        "continuation": (
            Severity.WARNING,
            Words(
                "文字续接（continuation）断开或成环：{text}",
                "a text goes on nowhere, or in a circle: {text}",
            ),
        ),
        "other-target": (
            Severity.NOTE,
            Words(
                "{text} 个其他目标文档的事实未采用",
                "{text} facts of other target documents are left out",
            ),
        ),
        "context": (
            Severity.ERROR,
            Words(
                "{text} 所指的期间或单位不存在", "{text} names a context or unit that is not there"
            ),
        ),
        "several-entities": (
            Severity.ERROR,
            Words("文件含多个主体：请指定", "the file is of several entities: name one"),
        ),
        "taxonomy": (
            Severity.ERROR,
            Words(
                "没有 IFRS、US-GAAP、财政部通用分类标准或自定对照表的元素",
                "no elements of IFRS, US-GAAP, the CAS taxonomy, or a table of your own",
            ),
        ),
        "signed-cost": (
            Severity.NOTE,
            Words(
                "{item}以负数列示，按正数采用",
                "{item} is stated as a negative figure and taken as a cost",
            ),
        ),
    }
)


_HEAD_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "currency": "币种（currency）",
        "unit": "单位（unit）",
        "months": "期间月数（months）",
        "basis": "口径（basis）",
        "assurance": "鉴证（assurance）",
        "gaap": "会计准则（gaap）",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found: of which year and item, or at which line and column of a file."""

    code: str
    year_end: str = ""
    item: str = ""
    gap_minor: int | None = None
    currency: str = ""
    detail: str = ""
    line: int | None = None
    column: str = ""
    is_opening: bool = False
    """Whether it is of the balances at the year's begin."""

    @property
    def severity(self) -> Severity:
        """Whether it refuses the statement."""
        return FINDINGS[self.code][0]

    @property
    def text(self) -> str:
        """What it says, in English, with its place."""
        return self.say(Language.EN)

    def say(self, language: Language) -> str:
        """Say it with its place."""
        item = CHART.get(self.item)
        gap = ""
        if self.gap_minor is not None:
            gap = f"{format_amount(self.gap_minor, currency=self.currency)} {self.currency}"
        said = (
            FINDINGS[self.code][1]
            .render(language)
            .format(
                item=self.item if item is None else item.words.render(language),
                gap=gap,
                text=self._say_detail(language),
            )
        )
        place = ", ".join(self._places(language))
        return f"{place}: {said}" if place else said

    def _say_detail(self, language: Language) -> str:
        """Say what a finding is about; a member of the head has a name in Chinese."""
        is_head = self.code == "head-missing" and language is Language.ZH
        return _HEAD_NAMES.get(self.detail, self.detail) if is_head else self.detail

    def _places(self, language: Language) -> list[str]:
        row = "第 {} 行" if language is Language.ZH else "line {}"
        column = "列 {}" if language is Language.ZH else "column {}"
        opening = "年初数" if language is Language.ZH else "opening balance"
        places = [self.year_end] if self.year_end else []
        places += [opening] if self.is_opening else []
        places += [row.format(self.line)] if self.line is not None else []
        return places + ([column.format(self.column)] if self.column else [])


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether any finding refuses."""
    return any(one.severity is Severity.ERROR for one in findings)
