"""Words of what is shown of statements: heads, reasons, remarks, directions, what is missing."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from node.assessment.policy_file import Language
from node.assessment.statements.chart import CHART
from node.assessment.statements.words import Words

_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "part.assets": Words("资产", "Assets"),
        "part.liabilities": Words("负债", "Liabilities"),
        "part.equity": Words("所有者权益", "Equity"),
        "part.income": Words("利润表", "Income statement"),
        "part.cash-flow": Words("现金流量表", "Cash flow statement"),
        "group.liquidity": Words("偿债能力（流动性）", "Liquidity"),
        "group.leverage": Words("偿债能力（杠杆）", "Leverage"),
        "group.profit": Words("盈利能力", "Profit"),
        "group.turnover": Words("营运能力", "Turnover"),
        "group.growth": Words("成长能力", "Growth"),
        "group.cash-flow": Words("现金流量", "Cash flow"),
        "basis.single": Words("单体报表", "company alone"),
        "basis.consolidated": Words("合并报表", "consolidated"),
        "assurance.audited": Words("已审计", "audited"),
        "assurance.reviewed": Words("已审阅", "reviewed"),
        "assurance.unaudited": Words("未审计", "unaudited"),
        "assurance.tax": Words("税务申报", "as filed for tax"),
        "gaap.cas": Words("中国企业会计准则", "CAS (China)"),
        "gaap.ifrs": Words("国际财务报告准则", "IFRS"),
        "gaap.hgb": Words("德国商法典", "HGB (Germany)"),
        "gaap.us-gaap": Words("美国公认会计原则", "US GAAP"),
        "gaap.other": Words("其他准则", "other GAAP"),
        "unit.ones": Words("元", "ones"),
        "unit.thousands": Words("千元", "thousands"),
        "unit.ten-thousands": Words("万元", "ten thousands"),
        "unit.millions": Words("百万元", "millions"),
        "source.entered": Words("手工录入", "entered"),
        "source.csv": Words("表格导入（CSV）", "table (CSV)"),
        "source.xbrl": Words("XBRL 导入", "XBRL"),
        "severity.error": Words("错误", "error"),
        "severity.warning": Words("提示", "warning"),
        "severity.note": Words("说明", "note"),
        "reason.missing": Words("缺少：{item}", "missing: {item}"),
        "reason.missing-before": Words("上年缺少：{item}", "missing the year before: {item}"),
        "reason.denominator-zero": Words("分母为零", "the denominator is zero"),
        "reason.denominator-negative": Words("分母为负", "the denominator is negative"),
        "reason.no-previous-year": Words("无上年报表", "there is no year before"),
        "reason.currency-changed": Words("币种变更", "the currency changed"),
        "remark.annualised": Words("流量已折算为十二个月", "flows annualised"),
        "remark.closing-only": Words(
            "无年初数，以年末数代替平均数", "no opening balance: closing instead of average"
        ),
        "remark.derived": Words("合计数由各项推算", "a total was worked out from its parts"),
        "remark.operating-profit": Words("以营业利润作息税前利润", "operating profit as EBIT"),
        "direction.rising": Words("上升", "rising"),
        "direction.steady": Words("平稳", "steady"),
        "direction.falling": Words("下降", "falling"),
        "judgement.better": Words("向好", "better"),
        "judgement.same": Words("持平", "the same"),
        "judgement.worse": Words("趋弱", "worse"),
        "judgement.open": Words("不作好坏判断", "neither good nor bad"),
        "better.higher": Words("越高越好", "higher is better"),
        "better.lower": Words("越低越好", "lower is better"),
        "better.neither": Words("不分高低", "neither is better"),
        "zone.safe": Words("安全区", "safe"),
        "zone.grey": Words("灰色区", "grey"),
        "zone.distress": Words("危险区", "distress"),
        "freshness.fresh": Words("新", "fresh"),
        "freshness.ageing": Words("较旧", "ageing"),
        "freshness.stale": Words("陈旧", "stale"),
        "freshness.expired": Words("过期", "expired"),
        "confidence.high": Words("高", "high"),
        "confidence.medium": Words("中", "medium"),
        "confidence.low": Words("低", "low"),
        "confidence.none": Words("无", "none"),
        "coverage.none": Words("没有报表", "none at all"),
        "coverage.overdue": Words("逾期未收", "overdue"),
        "coverage.awaited": Words("待收", "awaited"),
        "coverage.incomplete": Words("已收，有缺项", "there, something is missing"),
        "coverage.complete": Words("已收，齐全", "there, complete"),
        "missing.statement": Words("没有财务报表", "there is no statement"),
        "missing.fresh-year": Words(
            "最近年度已超过 18 个月", "the newest year is over 18 months old"
        ),
        "missing.audit": Words("未经审计", "it is not audited"),
        "missing.whole-year": Words("不足或超过十二个月", "it is not of twelve months"),
        "missing.three-years": Words("连续年度不足三年", "fewer than three years in a row"),
        "missing.line": Words("缺少：{item}", "missing: {item}"),
    }
)


def say(kind: str, code: str, language: Language, *, item: str = "") -> str:
    """Put a code into words; ``item`` names a line of the chart.

    Raises:
        KeyError: There are no such words.
    """
    named = CHART[item].words.render(language) if item else ""
    return _WORDS[f"{kind}.{code}"].render(language).format(item=named)


def say_missing(code: str, language: Language) -> str:
    """Put into words what evidence lacks."""
    kind, _, item = code.partition(".")
    return say("missing", kind, language, item=item)
