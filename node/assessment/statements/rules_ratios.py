"""The ratios as a versioned table (ratios-1), worked out in exact fractions.

Rounded once, half to even, when it is shown. A missing line or a denominator that is not above zero
gives no figure but the reason. Sources of the definitions: docs/formulas.md.
"""

# ruff: noqa: RUF001  Chinese punctuation and operators are meant

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from node.assessment.statements.rules_figures import Figures, NotComputable, Remark, divide
from node.assessment.statements.rules_statement import Statement
from node.assessment.statements.words import Words

RATIOS_VERSION = "ratios-1"
DAYS_OF_YEAR = 365


class RatioGroup(StrEnum):
    """What a ratio speaks of."""

    LIQUIDITY = "liquidity"
    LEVERAGE = "leverage"
    PROFIT = "profit"
    TURNOVER = "turnover"
    GROWTH = "growth"
    CASH_FLOW = "cash-flow"


class RatioUnit(StrEnum):
    """In what a ratio is stated."""

    TIMES = "times"
    PERCENT = "percent"
    DAYS = "days"

    @property
    def factor(self) -> int:
        """By what the quotient is multiplied."""
        return 100 if self is RatioUnit.PERCENT else 1

    @property
    def decimals(self) -> int:
        """How many decimals are shown."""
        return 2 if self is RatioUnit.TIMES else 1


class Better(StrEnum):
    """Which way a ratio is better."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One ratio: its formula as code and as text."""

    code: str
    group: RatioGroup
    words: Words
    formula: Words
    unit: RatioUnit
    better: Better
    source: Words
    work_out: Callable[[Figures], Fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioValue:
    """A ratio of one year: the exact value, or why there is none and which line is missing."""

    code: str
    year_end: date
    value: Fraction | None
    remarks: tuple[Remark, ...] = ()
    reason: str = ""
    missing_item: str = ""


def compute_ratios(
    statements: Sequence[Statement], *, codes: Collection[str] | None = None
) -> dict[str, tuple[RatioValue, ...]]:
    """Work out ratios of each year, all but where some are named, in the order of the table.

    The statements are of one basis, oldest first.
    """
    years = [
        Figures(statement=statement, before=find_before(statements, index))
        for index, statement in enumerate(statements)
    ]
    return {
        code: tuple([_compute(ratio, figures.begin()) for figures in years])
        for code, ratio in RATIOS.items()
        if codes is None or code in codes
    }


def find_before(statements: Sequence[Statement], index: int) -> Statement | None:
    """Return the statement whose closing day is the day before a statement's period."""
    if index == 0 or not statements[index].joins(statements[index - 1]):
        return None
    return statements[index - 1]


def _compute(ratio: Ratio, figures: Figures) -> RatioValue:
    statement = figures.statement
    try:
        value = ratio.work_out(figures) * ratio.unit.factor
    except NotComputable as err:
        return RatioValue(
            code=ratio.code,
            year_end=statement.year_end,
            value=None,
            reason=err.reason,
            missing_item=err.item,
        )
    return RatioValue(
        code=ratio.code,
        year_end=statement.year_end,
        value=value,
        remarks=tuple(sorted(figures.remarks)),
    )


def _growth(figures: Figures, code: str) -> Fraction:
    is_stock = code in {"total-assets", "total-equity"}
    now = figures.stock(code) if is_stock else figures.flow(code)
    before = figures.previous(code)
    return divide(now - before, before)


def _ebitda(figures: Figures) -> Fraction:
    return figures.ebit() + figures.flow("depreciation")


def _net_debt(figures: Figures) -> Fraction:
    debt = figures.stock("short-term-debt") + figures.stock("long-term-debt")
    return debt - figures.stock("cash")


def _days(figures: Figures, code: str, *, of: str) -> Fraction:
    return divide(figures.average(code) * DAYS_OF_YEAR, figures.flow(of))


_COMMON = Words(
    "通行定义（财务分析教科书）", "common definition of textbooks of financial analysis"
)
_CREDIT = Words("银行与评级机构通行定义", "as banks and rating agencies commonly define it")
_G, _U, _B = RatioGroup, RatioUnit, Better
_TABLE = (
    Ratio(
        code="current-ratio",
        group=_G.LIQUIDITY,
        words=Words("流动比率", "Current ratio"),
        formula=Words("流动资产 ÷ 流动负债", "current assets ÷ current liabilities"),
        unit=_U.TIMES,
        better=_B.HIGHER,
        source=_COMMON,
        work_out=lambda f: divide(f.stock("current-assets"), f.stock("current-liabilities")),
    ),
    Ratio(
        code="quick-ratio",
        group=_G.LIQUIDITY,
        words=Words("速动比率", "Quick ratio"),
        formula=Words(
            "(流动资产 − 存货) ÷ 流动负债", "(current assets − inventories) ÷ current liabilities"
        ),
        unit=_U.TIMES,
        better=_B.HIGHER,
        source=_COMMON,
        work_out=lambda f: divide(
            f.stock("current-assets") - f.stock("inventory"), f.stock("current-liabilities")
        ),
    ),
    Ratio(
        code="cash-ratio",
        group=_G.LIQUIDITY,
        words=Words("现金比率", "Cash ratio"),
        formula=Words("货币资金 ÷ 流动负债", "cash ÷ current liabilities"),
        unit=_U.TIMES,
        better=_B.HIGHER,
        source=_COMMON,
        work_out=lambda f: divide(f.stock("cash"), f.stock("current-liabilities")),
    ),
    Ratio(
        code="debt-to-equity",
        group=_G.LEVERAGE,
        words=Words("产权比率", "Debt to equity"),
        formula=Words("负债合计 ÷ 所有者权益", "total liabilities ÷ total equity"),
        unit=_U.TIMES,
        better=_B.LOWER,
        source=_COMMON,
        work_out=lambda f: divide(f.stock("total-liabilities"), f.stock("total-equity")),
    ),
    Ratio(
        code="debt-to-assets",
        group=_G.LEVERAGE,
        words=Words("资产负债率", "Debt to assets"),
        formula=Words("负债合计 ÷ 资产总计", "total liabilities ÷ total assets"),
        unit=_U.PERCENT,
        better=_B.LOWER,
        source=_COMMON,
        work_out=lambda f: divide(f.stock("total-liabilities"), f.stock("total-assets")),
    ),
    Ratio(
        code="interest-cover",
        group=_G.LEVERAGE,
        words=Words("利息保障倍数", "Interest cover"),
        formula=Words("息税前利润 ÷ 利息费用", "EBIT ÷ interest expense"),
        unit=_U.TIMES,
        better=_B.HIGHER,
        source=_CREDIT,
        work_out=lambda f: divide(f.ebit(), f.flow("interest-expense")),
    ),
    Ratio(
        code="net-debt-to-ebitda",
        group=_G.LEVERAGE,
        words=Words("净债务/EBITDA", "Net debt to EBITDA"),
        formula=Words(
            "(短期借款 + 长期借款 − 货币资金) ÷ (息税前利润 + 折旧与摊销)",
            "(short-term debt + long-term debt − cash) ÷ (EBIT + depreciation and amortisation)",
        ),
        unit=_U.TIMES,
        better=_B.LOWER,
        source=_CREDIT,
        work_out=lambda f: divide(_net_debt(f), _ebitda(f)),
    ),
    Ratio(
        code="gross-margin",
        group=_G.PROFIT,
        words=Words("毛利率", "Gross margin"),
        formula=Words("毛利 ÷ 营业收入", "gross profit ÷ sales"),
        unit=_U.PERCENT,
        better=_B.HIGHER,
        source=_COMMON,
        work_out=lambda f: divide(f.flow("gross-profit"), f.flow("sales")),
    ),
    Ratio(
        code="operating-margin",
        group=_G.PROFIT,
        words=Words("营业利润率", "Operating margin"),
        formula=Words(
            "营业利润 ÷ 营业收入（中国准则为扣除利息后）",
            "operating profit ÷ sales (after interest under CAS, before it elsewhere)",
        ),
        unit=_U.PERCENT,
        better=_B.HIGHER,
        source=_COMMON,
        work_out=lambda f: divide(f.flow("operating-profit"), f.flow("sales")),
    ),
    Ratio(
        code="net-margin",
        group=_G.PROFIT,
        words=Words("销售净利率", "Net margin"),
        formula=Words("净利润 ÷ 营业收入", "net profit ÷ sales"),
        unit=_U.PERCENT,
        better=_B.HIGHER,
        source=_COMMON,
        work_out=lambda f: divide(f.flow("net-profit"), f.flow("sales")),
    ),
    Ratio(
        code="return-on-assets",
        group=_G.PROFIT,
        words=Words("总资产收益率（ROA）", "Return on assets (ROA)"),
        formula=Words("净利润 ÷ 平均资产总计", "net profit ÷ average total assets"),
        unit=_U.PERCENT,
        better=_B.HIGHER,
        source=_COMMON,
        work_out=lambda f: divide(f.flow("net-profit"), f.average("total-assets")),
    ),
    Ratio(
        code="return-on-equity",
        group=_G.PROFIT,
        words=Words("净资产收益率（ROE）", "Return on equity (ROE)"),
        formula=Words("净利润 ÷ 平均所有者权益", "net profit ÷ average total equity"),
        unit=_U.PERCENT,
        better=_B.HIGHER,
        source=_COMMON,
        work_out=lambda f: divide(f.flow("net-profit"), f.average("total-equity")),
    ),
    Ratio(
        code="receivables-days",
        group=_G.TURNOVER,
        words=Words("应收账款周转天数", "Receivables days"),
        formula=Words("平均应收账款 × 365 ÷ 营业收入", "average trade receivables × 365 ÷ sales"),
        unit=_U.DAYS,
        better=_B.LOWER,
        source=_COMMON,
        work_out=lambda f: _days(f, "receivables", of="sales"),
    ),
    Ratio(
        code="inventory-days",
        group=_G.TURNOVER,
        words=Words("存货周转天数", "Inventory days"),
        formula=Words("平均存货 × 365 ÷ 营业成本", "average inventories × 365 ÷ cost of sales"),
        unit=_U.DAYS,
        better=_B.LOWER,
        source=_COMMON,
        work_out=lambda f: _days(f, "inventory", of="cost-of-sales"),
    ),
    Ratio(
        code="payables-days",
        group=_G.TURNOVER,
        words=Words("应付账款周转天数", "Payables days"),
        formula=Words(
            "平均应付账款 × 365 ÷ 营业成本", "average trade payables × 365 ÷ cost of sales"
        ),
        unit=_U.DAYS,
        better=_B.LOWER,
        source=_CREDIT,
        work_out=lambda f: _days(f, "payables", of="cost-of-sales"),
    ),
    Ratio(
        code="asset-turnover",
        group=_G.TURNOVER,
        words=Words("总资产周转率", "Asset turnover"),
        formula=Words("营业收入 ÷ 平均资产总计", "sales ÷ average total assets"),
        unit=_U.TIMES,
        better=_B.HIGHER,
        source=_COMMON,
        work_out=lambda f: divide(f.flow("sales"), f.average("total-assets")),
    ),
    Ratio(
        code="sales-growth",
        group=_G.GROWTH,
        words=Words("营业收入增长率", "Growth of sales"),
        formula=Words("(本年 − 上年) ÷ 上年", "(this year − last year) ÷ last year"),
        unit=_U.PERCENT,
        better=_B.HIGHER,
        source=_COMMON,
        work_out=lambda f: _growth(f, "sales"),
    ),
    Ratio(
        code="assets-growth",
        group=_G.GROWTH,
        words=Words("总资产增长率", "Growth of assets"),
        formula=Words("(本年末 − 上年末) ÷ 上年末", "(this year end − last) ÷ last"),
        unit=_U.PERCENT,
        better=_B.NEITHER,
        source=_COMMON,
        work_out=lambda f: _growth(f, "total-assets"),
    ),
    Ratio(
        code="equity-growth",
        group=_G.GROWTH,
        words=Words("净资产增长率", "Growth of equity"),
        formula=Words("(本年末 − 上年末) ÷ 上年末", "(this year end − last) ÷ last"),
        unit=_U.PERCENT,
        better=_B.HIGHER,
        source=_COMMON,
        work_out=lambda f: _growth(f, "total-equity"),
    ),
    Ratio(
        code="cash-flow-to-debt",
        group=_G.CASH_FLOW,
        words=Words("现金流量债务比", "Operating cash flow to debt"),
        formula=Words(
            "经营活动现金流量净额 ÷ 负债合计", "cash flow from operations ÷ total liabilities"
        ),
        unit=_U.PERCENT,
        better=_B.HIGHER,
        source=_CREDIT,
        work_out=lambda f: divide(f.flow("operating-cash-flow"), f.stock("total-liabilities")),
    ),
)
RATIOS = {ratio.code: ratio for ratio in _TABLE}


def round_value(value: Fraction, *, decimals: int) -> int:
    """Round half to even; in units of the last decimal."""
    power: int = 10**decimals
    return round(value * power)


def format_value(value: Fraction, *, decimals: int) -> str:
    """Write a value with its decimals, rounded half to even."""
    scaled = round_value(value, decimals=decimals)
    whole, rest = divmod(abs(scaled), 10**decimals)
    return f"{'-' if scaled < 0 else ''}{whole:,}.{rest:0{decimals}d}"
