"""Altman's Z′ and Z″ for private firms (altman-1), term by term, in exact fractions.

Coefficients and zones as Altman published them for private manufacturers (Z′, 1983) and for
non-manufacturers and emerging markets (Z″, 1995 and 2000). X4 is BOOK equity over total
LIABILITIES; copies that divide by assets, or swap coefficients, are about. docs/formulas.md.
"""

# ruff: noqa: RUF001, RUF002  operators and primes are meant

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from node.assessment.statements.rules_figures import Figures, NotComputable, Remark, divide
from node.assessment.statements.rules_statement import Statement
from node.assessment.statements.words import Words

ALTMAN_VERSION = "altman-1"
SCORE_DECIMALS = 4


class Zone(StrEnum):
    """What Altman calls the range of a score."""

    SAFE = "safe"
    GREY = "grey"
    DISTRESS = "distress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Coefficients in thousandths by term, what is added, and the zones in hundredths."""

    code: str
    words: Words
    coefficients_milli: tuple[tuple[str, int], ...]
    constant_milli: int
    safe_above_centi: int
    distress_below_centi: int

    @property
    def formula(self) -> str:
        """The formula as text."""
        terms = [f"{_say_milli(milli)} {name}" for name, milli in self.coefficients_milli]
        if self.constant_milli:
            terms.append(_say_milli(self.constant_milli))
        return " + ".join(terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The figures of the terms: X1 WC/TA, X2 RE/TA, X3 EBIT/TA, X4 equity/TL, X5 sales/TA."""

    working_capital: Fraction
    retained_earnings: Fraction
    ebit: Fraction
    book_equity: Fraction
    total_liabilities: Fraction
    sales: Fraction
    total_assets: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term: its ratio, the coefficient and what it contributes."""

    name: str
    value: Fraction
    coefficient_milli: int

    @property
    def contribution(self) -> Fraction:
        """What it adds to the score."""
        return self.value * Fraction(self.coefficient_milli, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A model's score with its terms, or why there is none."""

    model: str
    score: Fraction | None
    zone: Zone | None
    terms: tuple[Term, ...] = ()
    remarks: tuple[Remark, ...] = ()
    reason: str = ""
    missing_item: str = ""


TERMS = {
    "X1": Words("营运资金 ÷ 资产总计", "working capital ÷ total assets"),
    "X2": Words("留存收益 ÷ 资产总计", "retained earnings ÷ total assets"),
    "X3": Words("息税前利润 ÷ 资产总计", "EBIT ÷ total assets"),
    "X4": Words("账面所有者权益 ÷ 负债合计", "book equity ÷ total liabilities"),
    "X5": Words("营业收入 ÷ 资产总计", "sales ÷ total assets"),
}
_SECOND = (("X1", 6560), ("X2", 3260), ("X3", 6720), ("X4", 1050))
MODELS = {
    model.code: model
    for model in (
        Model(
            code="z-prime",
            words=Words("Z′（非上市制造业）", "Z′ (private manufacturers)"),
            coefficients_milli=(("X1", 717), ("X2", 847), ("X3", 3107), ("X4", 420), ("X5", 998)),
            constant_milli=0,
            safe_above_centi=290,
            distress_below_centi=123,
        ),
        Model(
            code="z-double-prime",
            words=Words("Z″（非制造业）", "Z″ (non-manufacturers)"),
            coefficients_milli=_SECOND,
            constant_milli=0,
            safe_above_centi=260,
            distress_below_centi=110,
        ),
        Model(
            code="z-double-prime-em",
            words=Words("Z″ + 3.25（新兴市场）", "Z″ + 3.25 (emerging markets)"),
            coefficients_milli=_SECOND,
            constant_milli=3250,
            safe_above_centi=585,
            distress_below_centi=435,
        ),
    )
}


def read_inputs(figures: Figures) -> Inputs:
    """Read the inputs of a year.

    Raises:
        NotComputable: A line is missing.
    """
    return Inputs(
        working_capital=figures.stock("current-assets") - figures.stock("current-liabilities"),
        retained_earnings=figures.stock("retained-earnings"),
        ebit=figures.ebit(),
        book_equity=figures.stock("total-equity"),
        total_liabilities=figures.stock("total-liabilities"),
        sales=figures.flow("sales"),
        total_assets=figures.stock("total-assets"),
    )


def score_inputs(model: Model, inputs: Inputs, *, remarks: tuple[Remark, ...] = ()) -> Score:
    """Work a model out; without assets or liabilities there is no score, whatever the rest."""
    try:
        terms = _build_terms(model, inputs)
    except NotComputable as err:
        return Score(model=model.code, score=None, zone=None, reason=err.reason)
    score = sum((term.contribution for term in terms), Fraction(model.constant_milli, 1000))
    return Score(
        model=model.code, score=score, zone=_find_zone(model, score), terms=terms, remarks=remarks
    )


def score_statement(
    statement: Statement, *, models: Collection[str] | None = None
) -> tuple[Score, ...]:
    """Work models out for a year, all but where some are named."""
    wanted = [model for code, model in MODELS.items() if models is None or code in models]
    figures = Figures(statement=statement)
    try:
        inputs = read_inputs(figures)
    except NotComputable as err:
        return tuple(
            Score(model=model.code, score=None, zone=None, reason=err.reason, missing_item=err.item)
            for model in wanted
        )
    remarks = tuple(sorted(figures.remarks))
    return tuple(score_inputs(model, inputs, remarks=remarks) for model in wanted)


def _build_terms(model: Model, inputs: Inputs) -> tuple[Term, ...]:
    quotients = {
        "X1": divide(inputs.working_capital, inputs.total_assets),
        "X2": divide(inputs.retained_earnings, inputs.total_assets),
        "X3": divide(inputs.ebit, inputs.total_assets),
        "X4": divide(inputs.book_equity, inputs.total_liabilities),
        "X5": divide(inputs.sales, inputs.total_assets),
    }
    return tuple(
        Term(name=name, value=quotients[name], coefficient_milli=milli)
        for name, milli in model.coefficients_milli
    )


def _find_zone(model: Model, score: Fraction) -> Zone:
    if score > Fraction(model.safe_above_centi, 100):
        return Zone.SAFE
    if score < Fraction(model.distress_below_centi, 100):
        return Zone.DISTRESS
    return Zone.GREY


def _say_milli(milli: int) -> str:
    text = f"{milli // 1000}.{milli % 1000:03d}"
    return text.removesuffix("0")
