"""Where models lie on the master scale, and which of them lie apart. Pure, in integers.

docs/formulas.md, models side by side. A model with a fine answer lies on one grade, a coarse one (a
zone, a band of the index) on several. Nothing is averaged: what lies apart is named, and the rating
stays that of the expert scorecard.
"""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.assessment.policy_file import LocalText
from node.assessment.statements.rules_altman import Zone
from node.rating.models.rules_outcome import ScoreCode
from node.rating.panel.policy import GradeSpan, PanelPolicyBody


class Opinion(StrEnum):
    """Whose answer it is."""

    EXPERT = "expert"
    CHAMPION = "champion"
    CHALLENGER = "challenger"
    Z_PRIME = "z-prime"
    Z_DOUBLE_PRIME = "z-double-prime"
    INDEX_OWN = "index-own"
    INDEX_PEERS = "index-peers"


class Side(StrEnum):
    """How one opinion lies to another."""

    BETTER = "better"
    WORSE = "worse"


OPINIONS: Mapping[Opinion, LocalText] = {
    Opinion.EXPERT: LocalText(zh="专家评分卡", en="expert scorecard"),
    Opinion.CHAMPION: LocalText(zh="统计模型（冠军）", en="statistical model (champion)"),
    Opinion.CHALLENGER: LocalText(zh="统计模型（挑战者）", en="statistical model (challenger)"),
    Opinion.Z_PRIME: LocalText(zh="Altman Z′", en="Altman Z′"),
    Opinion.Z_DOUBLE_PRIME: LocalText(zh="Altman Z″", en="Altman Z″"),
    Opinion.INDEX_OWN: LocalText(zh="付款指数（自有记录）", en="payment index (own records)"),
    Opinion.INDEX_PEERS: LocalText(
        zh="付款指数（同行披露）", en="payment index (as disclosed by peers)"
    ),
}
SCORE_CODES: Mapping[ScoreCode, LocalText] = {
    ScoreCode.SCORED: LocalText(zh="已评分", en="scored"),
    ScoreCode.NO_INVOICES: LocalText(
        zh="没有可评价的发票，模型不评分", en="no rated invoice: the model does not score it"
    ),
    ScoreCode.BAD_ALREADY: LocalText(
        zh="已经违约，没有可预测的结果", en="it is bad already: there is nothing to predict"
    ),
}
APART: Mapping[Side, LocalText] = {
    Side.BETTER: LocalText(
        zh="{name}比{against}好 {ranks} 级", en="{name}: {ranks} grades better than {against}"
    ),
    Side.WORSE: LocalText(
        zh="{name}比{against}差 {ranks} 级", en="{name}: {ranks} grades worse than {against}"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """The grades that an answer covers, counted from the best (0)."""

    best: int
    worst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An opinion on the master scale; ``label`` tells models of one role apart."""

    opinion: Opinion
    ranks: Ranks
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Two opinions that lie apart: the first lies so many grades to a side of the other."""

    placed: Placed
    against: Placed
    side: Side
    ranks: int

    @property
    def code(self) -> str:
        """Name it: ``champion.worse-than.expert``."""
        return f"{self.placed.opinion}.{self.side}-than.{self.against.opinion}"


def place_score(score_deci: int, policy: PanelPolicyBody) -> Ranks:
    """Place a score of the expert card."""
    rank = next(i for i, one in enumerate(policy.grades) if score_deci >= one.from_deci)
    return Ranks(best=rank, worst=rank)


def place_probability(probability_ppm: int, policy: PanelPolicyBody) -> Ranks:
    """Place a probability of default."""
    rank = next(i for i, one in enumerate(policy.grades) if probability_ppm <= one.upto_ppm)
    return Ranks(best=rank, worst=rank)


def place_index(index_deci: int, policy: PanelPolicyBody) -> Ranks:
    """Place a payment index."""
    return _place_span(next(one for one in policy.index if index_deci >= one.from_deci), policy)


def place_zone(zone: Zone, policy: PanelPolicyBody) -> Ranks:
    """Place one of Altman's zones."""
    spans = {
        Zone.SAFE: policy.zones.safe,
        Zone.GREY: policy.zones.grey,
        Zone.DISTRESS: policy.zones.distress,
    }
    return _place_span(spans[zone], policy)


def find_apart(placed: Sequence[Placed], policy: PanelPolicyBody) -> tuple[Apart, ...]:
    """Return what lies apart from the expert card, and challengers that do from the champion."""
    experts = [one for one in placed if one.opinion is Opinion.EXPERT]
    champions = [one for one in placed if one.opinion is Opinion.CHAMPION]
    pairs = [
        *((one, against) for against in experts for one in placed if one is not against),
        *(
            (one, against)
            for against in champions
            for one in placed
            if one.opinion is Opinion.CHALLENGER
        ),
    ]
    found = (_compare(one, against, policy) for one, against in pairs)
    return tuple(one for one in found if one is not None)


def _place_span(span: GradeSpan, policy: PanelPolicyBody) -> Ranks:
    symbols = [one.grade for one in policy.grades]
    return Ranks(best=symbols.index(span.best), worst=symbols.index(span.worst))


def _compare(one: Placed, against: Placed, policy: PanelPolicyBody) -> Apart | None:
    better = against.ranks.best - one.ranks.worst
    worse = one.ranks.best - against.ranks.worst
    ranks = max(better, worse)
    if ranks < policy.apart_from_ranks:
        return None
    side = Side.BETTER if better > worse else Side.WORSE
    return Apart(placed=one, against=against, side=side, ranks=ranks)
