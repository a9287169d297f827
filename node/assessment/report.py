"""An assessment for people and programs: one set of rows, which every face renders as it likes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.table import Table

from node.assessment.policy import ConfidenceLevel, EvidenceValue, Policy
from node.assessment.policy_file import Language
from node.assessment.policy_parts import Freshness, Source
from node.assessment.results import Assessment, EvidenceLine
from node.assessment.rules_confidence import list_gaps
from node.assessment.service import AssessmentPair, PeerEffects
from schemas.summary import DELAY_CLASSES

NOTHING = "—"
_DECIMAL_UNITS = {
    EvidenceValue.INDEX_DECI: "",
    EvidenceValue.DBT_DECI: " d",
    EvidenceValue.LATE_PERMILLE: " %",
    EvidenceValue.UNPAID_PERMILLE: " %",
    EvidenceValue.DISPUTED_PERMILLE: " %",
    EvidenceValue.TREND_DECI: "",
    EvidenceValue.DEBT_PERMILLE: " %",
    EvidenceValue.MARGIN_PERMILLE: " %",
    EvidenceValue.FINANCE_TREND_DECI: "",
}
_CENTI = frozenset({EvidenceValue.CURRENT_RATIO_CENTI, EvidenceValue.ALTMAN_CENTI})
_WHOLE_UNITS = {
    EvidenceValue.OVERDUE_DAYS: " d",
    EvidenceValue.RELATION_MONTHS: " mo",
    EvidenceValue.ADVERSE_RANK: "",
    EvidenceValue.REPORT_PERMILLE: "/1000",
    EvidenceValue.LIST_RANK: "",
}
_HEADINGS = {
    Language.EN: (
        "Factor",
        "Max",
        "Own",
        "With peers",
        "Change",
        "Own value",
        "Peers' value",
        "Outside",
        "Why",
    ),
    Language.ZH: (
        "指标",
        "满分",
        "自有",
        "结合同行",
        "变化",
        "自有值",
        "同行值",
        "外部值",
        "原因",
    ),
}
_EFFECT_HEADINGS = {
    Language.EN: ("Peer", "Score without it", "Change", "Factors"),
    Language.ZH: ("同行", "剔除后得分", "变化", "指标"),
}
_EFFECT_TITLES = {Language.EN: "Without each peer", Language.ZH: "逐一剔除同行"}
_TOTALS = {Language.EN: "Score", Language.ZH: "总分"}
_EVIDENCE_HEADINGS = {
    Language.EN: ("Source", "Of", "Day", "Freshness", "Weight", "State"),
    Language.ZH: ("来源", "名称", "日期", "新旧", "权重", "状态"),
}
_SOURCE_WORDS = {
    Source.OWN: ("自有记录", "own records"),
    Source.PEERS: ("同行摘要", "peers"),
    Source.STATEMENTS: ("财务报表", "statements"),
    Source.REPORTS: ("外部报告", "reports"),
    Source.LISTS: ("公共名单", "public lists"),
    Source.APPLICATION: ("信用申请", "application"),
}
_LEVEL_WORDS = {
    ConfidenceLevel.NONE: ("无", "none"),
    ConfidenceLevel.LOW: ("低", "low"),
    ConfidenceLevel.MEDIUM: ("中", "medium"),
    ConfidenceLevel.HIGH: ("高", "high"),
}
_FRESHNESS_WORDS = {
    Freshness.FRESH: ("新", "fresh"),
    Freshness.STALE: ("旧", "stale"),
    Freshness.MISSING: ("缺", "missing"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """One factor in words: points without and with peers, the values, and why they differ.

    ``spread`` is what its most points have gained or lost by groups without evidence.
    """

    factor_id: str
    name: str
    points_max: str
    points_own: str
    points_with_peers: str
    change: str
    own_value: str
    peers_value: str
    outside_value: str
    spread: str
    reason: str
    why: str


def build_comparison(
    pair: AssessmentPair, *, policy: Policy, language: Language
) -> tuple[ComparisonRow, ...]:
    """Put a pair of assessments side by side, factor by factor."""
    results = {factor.factor_id: factor for factor in pair.with_peers.assessment.factors}
    rows = []
    for change in pair.changes:
        result = results[change.factor_id]
        factor = policy.find_factor(change.factor_id)
        reads = None if factor is None else factor.reads
        rows.append(
            ComparisonRow(
                factor_id=change.factor_id,
                name=policy.describe(change.factor_id, language),
                points_max=format_deci(result.points_max_deci),
                points_own=format_deci(change.before_deci),
                points_with_peers=format_deci(change.after_deci),
                change=format_change(change.change_deci),
                own_value=format_value(reads, change.own_value),
                peers_value=format_value(reads, change.peers_value),
                outside_value=format_value(reads, change.outside_value),
                spread=format_change(result.spread_deci) if result.spread_deci else "",
                reason=policy.describe(result.code, language),
                why=policy.describe(change.code, language),
            )
        )
    return tuple(rows)


def build_table(pair: AssessmentPair, *, policy: Policy, language: Language) -> Table:
    """Draw the comparison for a terminal, its total at the foot."""
    own, with_peers = pair.own.assessment, pair.with_peers.assessment
    change_deci = (with_peers.score_deci or 0) - (own.score_deci or 0)
    totals = (
        _TOTALS[language],
        "100.0",
        format_deci(own.score_deci),
        format_deci(with_peers.score_deci),
        format_change(change_deci),
        "",
        "",
        "",
        policy.describe(with_peers.confidence.code, language),
    )
    table = Table(title=f"{pair.subject_id} · {with_peers.policy.label}", show_footer=True)
    for position, (heading, total) in enumerate(zip(_HEADINGS[language], totals, strict=True)):
        is_number = 0 < position < len(totals) - 1
        table.add_column(heading, footer=total, justify="right" if is_number else "left")
    for row in build_comparison(pair, policy=policy, language=language):
        table.add_row(
            row.name,
            f"{row.points_max} ({row.spread})" if row.spread else row.points_max,
            row.points_own,
            row.points_with_peers,
            row.change,
            row.own_value,
            row.peers_value,
            row.outside_value,
            row.why,
        )
    return table


def build_evidence_table(result: Assessment, *, policy: Policy, language: Language) -> Table:
    """Draw the list of evidence for a terminal: every source, also those that are missing."""
    table = Table(*_EVIDENCE_HEADINGS[language], box=None)
    for line in result.evidence:
        table.add_row(
            say_source(line.source, language),
            line.provider or ("" if line.is_behaviour else line.ref),
            NOTHING if line.dated_on is None else line.dated_on.isoformat(),
            NOTHING if line.freshness is None else say_freshness(line.freshness, language),
            f"{line.weight_milli // 1000}.{line.weight_milli % 1000:03d}",
            policy.describe(line.code, language),
        )
    return table


def describe_confidence(result: Assessment, *, policy: Policy, language: Language) -> list[str]:
    """Say how far a score carries, and each gap that lowered it with what it took."""
    confidence, rules = result.confidence, policy.body.outside
    if rules is None or confidence.permille is None:
        return [policy.describe(confidence.code, language)]
    level = _LEVEL_WORDS[confidence.level][language is Language.EN]
    figure = format_deci(confidence.permille)
    lines = [f"{policy.describe(confidence.code, language)}: {level} ({figure} %)"]
    for source, state in list_gaps(result.evidence):
        lost = rules.confidence.find_permille(source, state)
        if lost:
            words = policy.describe(f"gap.{source}.{state}", language)
            lines.append(f"{words} ({format_change(-lost)} %)")
    return lines


def say_source(source: Source, language: Language) -> str:
    """Name a source."""
    return _SOURCE_WORDS[source][language is Language.EN]


def say_freshness(freshness: Freshness, language: Language) -> str:
    """Say how fresh evidence is."""
    return _FRESHNESS_WORDS[freshness][language is Language.EN]


def build_object(
    pair: AssessmentPair,
    *,
    policy: Policy,
    language: Language,
    effects: PeerEffects | None = None,
) -> dict[str, Any]:
    """Return the pair as plain values for JSON: codes and numbers, and the words beside them.

    ``effects`` are what leaving each peer out would change, where that is for who reads it.
    """
    return {
        "customer_id": pair.customer_id,
        "subject": pair.subject_id,
        "policy": {
            "id": pair.with_peers.assessment.policy.policy_id,
            "version": pair.with_peers.assessment.policy.version,
            "sha256": pair.with_peers.assessment.policy.sha256_b64u,
        },
        "own": _assessment_object(
            pair.own.assessment_id, pair.own.assessment, policy=policy, language=language
        ),
        "with_peers": _assessment_object(
            pair.with_peers.assessment_id,
            pair.with_peers.assessment,
            policy=policy,
            language=language,
        ),
        "changes": [
            {
                "factor": change.factor_id,
                "before_deci": change.before_deci,
                "after_deci": change.after_deci,
                "change_deci": change.change_deci,
                "own_value": change.own_value,
                "peers_value": change.peers_value,
                "outside_value": change.outside_value,
                "code": change.code,
                "why": policy.describe(change.code, language),
            }
            for change in pair.changes
        ],
        "without_each_peer": None if effects is None else _effects_object(effects),
    }


def build_effects_table(effects: PeerEffects, *, policy: Policy, language: Language) -> Table:
    """Draw what leaving each peer out would change."""
    table = Table(*_EFFECT_HEADINGS[language], title=_EFFECT_TITLES[language])
    for effect in effects.effects:
        factors = (
            f"{policy.describe(one.factor_id, language)} {format_change(one.change_deci)}"
            for one in effect.factors
        )
        change = NOTHING if effect.change_deci is None else format_change(effect.change_deci)
        table.add_row(effect.provider, format_deci(effect.score_deci), change, "; ".join(factors))
    return table


def format_deci(value_deci: int | None) -> str:
    """Write tenths with one decimal; nothing is a dash, never 0."""
    if value_deci is None:
        return NOTHING
    sign = "-" if value_deci < 0 else ""
    whole, tenth = divmod(abs(value_deci), 10)
    return f"{sign}{whole}.{tenth}"


def format_change(change_deci: int) -> str:
    """Write a change of points with its sign; no change is ``0.0``."""
    return f"+{format_deci(change_deci)}" if change_deci > 0 else format_deci(change_deci)


def format_value(reads: EvidenceValue | None, value: int | None) -> str:
    """Write a figure with its unit."""
    if value is None or reads is None:
        return NOTHING
    if reads in _DECIMAL_UNITS:
        return format_deci(value) + _DECIMAL_UNITS[reads]
    if reads in _CENTI:
        sign = "-" if value < 0 else ""
        return f"{sign}{abs(value) // 100}.{abs(value) % 100:02d}"
    if reads is EvidenceValue.WORST_RANK:
        return DELAY_CLASSES[value].value
    return f"{value}{_WHOLE_UNITS[reads]}"


def _assessment_object(
    assessment_id: int, result: Assessment, *, policy: Policy, language: Language
) -> dict[str, Any]:
    confidence = result.confidence
    return {
        "assessment_id": assessment_id,
        "as_of": result.as_of.isoformat(),
        "score": result.score,
        "score_deci": result.score_deci,
        "confidence": {
            "level": confidence.level.value,
            "code": confidence.code,
            "text": policy.describe(confidence.code, language),
            "own_invoices": confidence.own_invoices,
            "peers": confidence.peers,
            "invoices": confidence.invoices,
            "age_days": confidence.age_days,
            "permille": confidence.permille,
            "gaps": _gap_objects(result, policy=policy, language=language),
        },
        "factors": [
            {
                "factor": factor.factor_id,
                "name": policy.describe(factor.factor_id, language),
                "points_deci": factor.points_deci,
                "points_max_deci": factor.points_max_deci,
                "spread_deci": factor.spread_deci,
                "value": factor.value,
                "own_value": factor.own_value,
                "peers_value": factor.peers_value,
                "outside_value": factor.outside_value,
                "code": factor.code,
                "reason": policy.describe(factor.code, language),
                "sources": list(factor.sources),
            }
            for factor in result.factors
        ],
        "reasons": [
            {"code": code, "text": policy.describe(code, language)} for code in result.reasons
        ],
        "evidence": [
            _evidence_object(line, policy=policy, language=language) for line in result.evidence
        ],
    }


def _effects_object(effects: PeerEffects) -> dict[str, Any]:
    return {
        "is_current": effects.is_current,
        "peers": [
            {
                "ref": effect.ref,
                "provider": effect.provider,
                "weight_milli": effect.weight_milli,
                "score_deci": effect.score_deci,
                "change_deci": effect.change_deci,
                "factors": [
                    {"factor": one.factor_id, "change_deci": one.change_deci}
                    for one in effect.factors
                ],
            }
            for effect in effects.effects
        ],
    }


def _gap_objects(result: Assessment, *, policy: Policy, language: Language) -> list[dict[str, Any]]:
    rules = policy.body.outside
    if rules is None:
        return []
    found = [
        (source, state, rules.confidence.find_permille(source, state))
        for source, state in list_gaps(result.evidence)
    ]
    return [
        {
            "source": source.value,
            "freshness": state.value,
            "permille": lost,
            "text": policy.describe(f"gap.{source}.{state}", language) if lost else "",
        }
        for source, state, lost in found
    ]


def _evidence_object(line: EvidenceLine, *, policy: Policy, language: Language) -> dict[str, Any]:
    return {
        "source": line.source.value,
        "dated_on": None if line.dated_on is None else line.dated_on.isoformat(),
        "freshness": None if line.freshness is None else line.freshness.value,
        "text": policy.describe(line.code, language),
        "ref": line.ref,
        "provider": line.provider,
        "code": line.code,
        "weight_milli": line.weight_milli,
        "invoices": line.invoices,
        "age_days": line.age_days,
    }
