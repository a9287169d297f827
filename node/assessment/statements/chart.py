"""The chart of items that every statement is read into (chart-1), whatever its GAAP calls them.

Costs, expenses, depreciation and debts are written positive. A line that is absent is not known,
and not known is never 0. Meaning of each item: docs/formulas.md.
"""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from node.assessment.statements.words import Words

CHART_VERSION = "chart-1"


class Part(StrEnum):
    """Of which statement an item is."""

    ASSETS = "assets"
    LIABILITIES = "liabilities"
    EQUITY = "equity"
    INCOME = "income"
    CASH_FLOW = "cash-flow"

    @property
    def is_stock(self) -> bool:
        """Whether it is of one day (a balance) and not of a period (a flow)."""
        return self in {Part.ASSETS, Part.LIABILITIES, Part.EQUITY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the chart."""

    code: str
    part: Part
    words: Words
    may_be_negative: bool = False
    is_total: bool = False


def _item(
    code: str,
    part: Part,
    zh: str,
    en: str,
    *,
    may_be_negative: bool = False,
    is_total: bool = False,
) -> Item:
    return Item(
        code=code,
        part=part,
        words=Words(zh, en),
        may_be_negative=may_be_negative,
        is_total=is_total,
    )


_A, _L, _E, _I, _C = Part.ASSETS, Part.LIABILITIES, Part.EQUITY, Part.INCOME, Part.CASH_FLOW
_ITEMS = (
    _item("cash", _A, "货币资金", "Cash and cash equivalents"),
    _item("short-term-investments", _A, "交易性金融资产", "Short-term investments"),
    _item("receivables", _A, "应收票据及应收账款", "Trade receivables and notes"),
    _item("other-receivables", _A, "预付及其他应收款", "Prepayments and other receivables"),
    _item("inventory", _A, "存货", "Inventories"),
    _item("other-current-assets", _A, "其他流动资产", "Other current assets"),
    _item("current-assets", _A, "流动资产合计", "Total current assets", is_total=True),
    _item("fixed-assets", _A, "固定资产", "Property, plant and equipment"),
    _item("intangible-assets", _A, "无形资产及商誉", "Intangible assets and goodwill"),
    _item("other-non-current-assets", _A, "其他非流动资产", "Other non-current assets"),
    _item("non-current-assets", _A, "非流动资产合计", "Total non-current assets", is_total=True),
    _item("total-assets", _A, "资产总计", "Total assets", is_total=True),
    _item("short-term-debt", _L, "短期借款（含一年内到期）", "Short-term debt with current part"),
    _item("payables", _L, "应付票据及应付账款", "Trade payables and notes"),
    _item("other-current-liabilities", _L, "其他流动负债", "Other current liabilities"),
    _item("current-liabilities", _L, "流动负债合计", "Total current liabilities", is_total=True),
    _item("long-term-debt", _L, "长期借款及应付债券", "Long-term debt"),
    _item("other-non-current-liabilities", _L, "其他非流动负债", "Other non-current liabilities"),
    _item(
        "non-current-liabilities", _L, "非流动负债合计", "Total non-current liabilities",
        is_total=True,
    ),
    _item("total-liabilities", _L, "负债合计", "Total liabilities", is_total=True),
    _item("paid-in-capital", _E, "实收资本（股本）", "Paid-in capital"),
    _item(
        "other-reserves", _E, "资本公积及其他权益", "Capital and other reserves",
        may_be_negative=True,
    ),
    _item(
        "retained-earnings", _E, "盈余公积及未分配利润",
        "Retained earnings, surplus reserve included", may_be_negative=True,
    ),
    _item(
        "minority-interests", _E, "少数股东权益", "Non-controlling interests", may_be_negative=True
    ),
    _item(
        "total-equity", _E, "所有者权益合计", "Total equity", may_be_negative=True, is_total=True
    ),
    _item("sales", _I, "营业收入", "Sales"),
    _item("cost-of-sales", _I, "营业成本", "Cost of sales"),
    _item("gross-profit", _I, "毛利", "Gross profit", may_be_negative=True, is_total=True),
    _item("operating-expenses", _I, "期间费用", "Operating expenses"),
    _item(
        "operating-profit", _I, "营业利润", "Operating profit", may_be_negative=True, is_total=True
    ),
    _item("interest-expense", _I, "利息费用", "Interest expense"),
    _item(
        "profit-before-tax", _I, "利润总额", "Profit before tax",
        may_be_negative=True, is_total=True,
    ),
    _item("income-tax", _I, "所得税费用", "Income tax", may_be_negative=True),
    _item("net-profit", _I, "净利润", "Net profit", may_be_negative=True, is_total=True),
    _item("depreciation", _I, "折旧与摊销", "Depreciation and amortisation"),
    _item(
        "operating-cash-flow", _C, "经营活动现金流量净额", "Cash flow from operations",
        may_be_negative=True,
    ),
    _item(
        "investing-cash-flow", _C, "投资活动现金流量净额", "Cash flow from investing",
        may_be_negative=True,
    ),
    _item(
        "financing-cash-flow", _C, "筹资活动现金流量净额", "Cash flow from financing",
        may_be_negative=True,
    ),
    _item(
        "exchange-effect", _C, "汇率变动影响", "Effect of exchange rates on cash",
        may_be_negative=True,
    ),
    _item(
        "net-cash-change", _C, "现金净增加额", "Net change in cash",
        may_be_negative=True, is_total=True,
    ),
)  # fmt: skip
CHART: Mapping[str, Item] = MappingProxyType({item.code: item for item in _ITEMS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A total and what adds up to it: each addend with its sign.

    Where an addend is optional, it is 0 if it is absent. ``is_definition`` tells that a missing
    total may be worked out from its addends; a total of details may not, since a detail that nobody
    has a line for would be lost.
    """

    total: str
    addends: tuple[tuple[int, str], ...]
    optional: frozenset[str] = frozenset()
    is_definition: bool = False
    is_strict: bool = True
    """Whether a difference refuses: results of given-up businesses may stand between."""
    needed: frozenset[str] = field(init=False)
    """The addends that have to be there."""

    def __post_init__(self) -> None:
        """Tell the addends apart once."""
        codes = frozenset(code for _, code in self.addends)
        object.__setattr__(self, "needed", codes - self.optional)


def _sum(
    total: str,
    *codes: str,
    minus: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
    is_definition: bool = False,
    is_strict: bool = True,
) -> Identity:
    addends = tuple((1, code) for code in codes) + tuple((-1, code) for code in minus)
    return Identity(
        total=total,
        addends=addends,
        optional=frozenset(optional),
        is_definition=is_definition,
        is_strict=is_strict,
    )


IDENTITIES: tuple[Identity, ...] = (
    _sum(
        "current-assets", "cash", "short-term-investments", "receivables", "other-receivables",
        "inventory", "other-current-assets",
    ),
    _sum("non-current-assets", "fixed-assets", "intangible-assets", "other-non-current-assets"),
    _sum("current-liabilities", "short-term-debt", "payables", "other-current-liabilities"),
    _sum("non-current-liabilities", "long-term-debt", "other-non-current-liabilities"),
    _sum(
        "total-equity", "paid-in-capital", "other-reserves", "retained-earnings",
        "minority-interests", optional=("minority-interests",),
    ),
    _sum("total-assets", "current-assets", "non-current-assets", is_definition=True),
    _sum("total-liabilities", "current-liabilities", "non-current-liabilities", is_definition=True),
    _sum("gross-profit", "sales", minus=("cost-of-sales",), is_definition=True),
    _sum("net-profit", "profit-before-tax", minus=("income-tax",), is_definition=True,
        is_strict=False),
    _sum(
        "net-cash-change", "operating-cash-flow", "investing-cash-flow", "financing-cash-flow",
        "exchange-effect", optional=("exchange-effect",), is_definition=True,
        is_strict=False,
    ),
)  # fmt: skip
# Checked like the others, and any one of the three follows from the other two.
BALANCE = Identity(total="total-assets", addends=((1, "total-liabilities"), (1, "total-equity")))
