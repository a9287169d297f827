"""From evidence of statements to the figures that the scorecard reads: whole numbers, rounded once.

Liquidity is the current ratio, leverage debt to assets, profit the net margin, Altman Z″ as for
non-manufacturers (without 3.25). The trend is the balance of those three ratios that have one:
better 1, same 0, worse -1, in tenths of their mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from node.assessment.evidence import Figures
from node.assessment.outside_evidence import StatementFacts
from node.assessment.statements.rules_evidence import StatementEvidence, WantedFigures
from node.assessment.statements.rules_trend import Judgement
from node.core.money import divide_half_even

ALTMAN_MODEL = "z-double-prime"
CURRENT_RATIO, DEBT_TO_ASSETS, NET_MARGIN = "current-ratio", "debt-to-assets", "net-margin"
FIGURE_MAX = 100_000  # what a policy can name; beyond it the ends hold
# All that is read of a statement.
WANTED = WantedFigures(
    ratios=frozenset({CURRENT_RATIO, DEBT_TO_ASSETS, NET_MARGIN}),
    models=frozenset({ALTMAN_MODEL}),
)
_STEPS: Mapping[Judgement, int] = {Judgement.BETTER: 10, Judgement.SAME: 0, Judgement.WORSE: -10}


def read_statement_facts(evidence: StatementEvidence) -> StatementFacts | None:
    """Return what the scorecard reads of statements; None where there are none."""
    if evidence.statement_id is None or evidence.year_end is None:
        return None
    ratios = {one.code: one.value for one in evidence.ratios}
    altman = {one.model: one.score for one in evidence.scores}
    return StatementFacts(
        statement_id=evidence.statement_id,
        year_end=evidence.year_end,
        weight_milli=evidence.weight_milli,
        figures=Figures(
            current_ratio_centi=_round(ratios.get(CURRENT_RATIO), 100),
            debt_permille=_round(ratios.get(DEBT_TO_ASSETS), 10),
            margin_permille=_round(ratios.get(NET_MARGIN), 10),
            altman_centi=_round(altman.get(ALTMAN_MODEL), 100),
            finance_trend_deci=_balance(dict(evidence.trends)),
        ),
    )


def _round(value: Fraction | None, factor: int) -> int | None:
    if value is None:
        return None
    return max(-FIGURE_MAX, min(FIGURE_MAX, round(value * factor)))


def _balance(trends: Mapping[str, Judgement]) -> int | None:
    judged = [trends[one] for one in (CURRENT_RATIO, DEBT_TO_ASSETS, NET_MARGIN) if one in trends]
    steps = [_STEPS[one] for one in judged if one in _STEPS]
    return divide_half_even(sum(steps), len(steps)) if steps else None
