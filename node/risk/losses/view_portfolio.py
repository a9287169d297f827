"""Concentration, stress and the register for people and programs: plain values for every face.

Customers who are ``hidden`` are in no sum and named nowhere: a sum less what the others owe would
tell what they do. How many they are is said.
"""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Collection, Container, Sequence
from typing import Any

from node.assessment.policy_file import Language, LocalText
from node.risk.portfolio.reading import Portfolio
from node.risk.portfolio.rules_concentration import Breach, Concentration, Dimension, Part
from node.risk.portfolio.service import ConcentrationReport, build_report
from node.risk.register.rules_register import (
    INDEX,
    UNRATED,
    EntryEvent,
    EntryState,
    Figures,
    RiskType,
)
from node.risk.register.service import RankedEntry
from node.risk.register.store import EntrySays, RegisterRun, RiskEntry, RiskVersion
from node.risk.stress.rules_stress import Totals
from node.risk.stress.service import Changed, Stand, StressReport

PARTS_SHOWN_MAX = 200
_NUMBERED = frozenset({Dimension.CUSTOMER, Dimension.GROUP})

DIMENSIONS: dict[Dimension, LocalText] = {
    Dimension.CUSTOMER: LocalText(zh="客户", en="customer"),
    Dimension.GROUP: LocalText(zh="集团", en="group"),
    Dimension.INDUSTRY: LocalText(zh="行业", en="industry"),
    Dimension.COUNTRY: LocalText(zh="国家", en="country"),
    Dimension.GRADE: LocalText(zh="等级", en="grade"),
}
TYPES: dict[RiskType, LocalText] = {
    RiskType.CREDIT: LocalText(zh="信用", en="credit"),
    RiskType.CONCENTRATION: LocalText(zh="集中度", en="concentration"),
    RiskType.DISPUTE: LocalText(zh="争议与折让", en="disputes and dilution"),
    RiskType.COUNTRY: LocalText(zh="国别", en="country"),
    RiskType.CURRENCY: LocalText(zh="汇率", en="currency"),
    RiskType.FRAUD: LocalText(zh="欺诈", en="fraud"),
    RiskType.OPERATIONAL: LocalText(zh="操作", en="operational"),
    RiskType.LEGAL: LocalText(zh="法律", en="legal"),
}
STATES: dict[EntryState, LocalText] = {
    EntryState.OPEN: LocalText(zh="待处理", en="open"),
    EntryState.TREATED: LocalText(zh="已有控制措施", en="treated"),
    EntryState.ACCEPTED: LocalText(zh="已接受", en="accepted"),
    EntryState.CLOSED: LocalText(zh="已关闭", en="closed"),
}
EVENTS: dict[EntryEvent, LocalText] = {
    EntryEvent.ENTERED: LocalText(zh="登记", en="entered"),
    EntryEvent.CHANGED: LocalText(zh="变更", en="changed"),
    EntryEvent.REVIEWED: LocalText(zh="复查", en="reviewed"),
    EntryEvent.COMPUTED: LocalText(zh="系统计算", en="computed"),
    EntryEvent.UPDATED: LocalText(zh="数字更新", en="new figures"),
    EntryEvent.WORSENED: LocalText(zh="加重", en="worsened"),
    EntryEvent.REOPENED: LocalText(zh="再次出现", en="opened again"),
    EntryEvent.CEASED: LocalText(zh="原因消失", en="cause gone"),
}


def build_concentration_object(
    report: ConcentrationReport, *, language: Language, hidden: Collection[int] = frozenset()
) -> dict[str, Any]:
    """Return a portfolio by every dimension, the largest parts first, and limits not kept.

    With ``hidden``, shares and limits are those of the portfolio without them.
    """
    left_out = len(report.portfolio.customers.keys() & set(hidden))
    if left_out:
        report = build_report(report.portfolio.leave_out(hidden))
    portfolio = report.portfolio
    return {
        "as_of": portfolio.as_of.isoformat(),
        "currency": portfolio.currency,
        "policy": {
            "label": portfolio.policy.label,
            "sha256_b64u": portfolio.policy.sha256_b64u,
            "lgd_ppm": portfolio.policy.body.lgd_ppm,
        },
        "scale": portfolio.scale.reference.label,
        "pd_basis": _find_basis(portfolio),
        "has_limits": report.has_limits,
        "left_out": left_out,
        "dimensions": [_build_dimension(one, language, hidden) for one in report.dimensions],
        "breaches": [_build_breach(one, language, hidden) for one in report.breaches],
        "not_converted": [
            {
                "customer": one.customer_id,
                "currency": one.currency,
                "amount_minor": one.amount_minor,
            }
            for one in portfolio.not_converted
            if one.customer_id not in hidden
        ],
    }


def build_stress_object(
    report: StressReport, *, hidden: Collection[int] = frozenset()
) -> dict[str, Any]:
    """Return what is and what would be, with every customer of whom anything changes."""
    left_out = len(report.portfolio.customers.keys() & set(hidden))
    changed_hidden = sum(one.customer_id in hidden for one in report.changed)
    if left_out:
        report = report.leave_out(hidden)
    scenario, portfolio = report.scenario, report.portfolio
    return {
        "as_of": portfolio.as_of.isoformat(),
        "currency": portfolio.currency,
        "policy": portfolio.policy.label,
        "scale": portfolio.scale.reference.label,
        "pd_basis": _find_basis(portfolio),
        "risk_policy": report.risk_policy.label,
        "scenario": {
            "notches": scenario.notches,
            "customers": sorted(scenario.customers),
            "industries": sorted(scenario.industries),
            "countries": sorted(scenario.countries),
            "grades": sorted(scenario.grades),
            "defaults": sorted(scenario.defaults),
        },
        "before": _build_totals(
            report.before, held=report.held_before, held_minor=report.held_before_minor
        ),
        "after": _build_totals(
            report.after, held=report.held_after, held_minor=report.held_after_minor
        ),
        "provisions": None
        if report.provisions is None
        else [
            {
                "currency": one.currency,
                "balance_minor": one.balance_minor,
                "allowance_before_minor": one.allowance_before_minor,
                "allowance_after_minor": one.allowance_after_minor,
            }
            for one in report.provisions
        ],
        "unmoved": report.unmoved,
        "changed": [_build_changed(one) for one in report.changed],
        "changed_hidden": changed_hidden,
        "left_out": left_out,
    }


def build_risk_object(
    entry: RiskEntry,
    *,
    language: Language,
    ranked: RankedEntry | None = None,
    is_withheld: bool = False,
) -> dict[str, Any]:
    """Return an entry of the register; ``ranked`` adds its loss in the portfolio's currency.

    ``is_withheld`` says that somebody may not be seen: the figures of what the portfolio shows are
    sums with him in them, and are left out.
    """
    withheld = is_withheld and entry.cause is not None
    found = {
        "id": entry.entry_id,
        "cause": entry.cause,
        "type": entry.risk_type.value,
        "type_text": TYPES[entry.risk_type].render(language),
        "customer": entry.customer_id,
        **_build_says(entry.cause, entry.says, language, is_withheld=withheld),
    }
    if ranked is not None:
        loss_minor = None if withheld else ranked.loss_minor
        found |= {"loss_minor": loss_minor, "loss_currency": ranked.currency}
    return found


def sort_withheld(found: Sequence[RankedEntry]) -> list[RankedEntry]:
    """Return ranked entries, the computed ones last by their keys.

    For whoever their figures are withheld from: the place among others would tell them.
    """
    computed = [one for one in found if one.entry.cause is not None]
    computed.sort(key=lambda one: one.entry.entry_id)
    return [one for one in found if one.entry.cause is None] + computed


def build_risk_version_object(
    cause: str | None, one: RiskVersion, *, language: Language, is_withheld: bool = False
) -> dict[str, Any]:
    """Return what an entry has said since a step; ``is_withheld`` is that of the entry."""
    withheld = is_withheld and cause is not None
    return {
        "event": one.step.event.value,
        "event_text": EVENTS[one.step.event].render(language),
        "on": one.step.on.isoformat(),
        "reason": one.step.reason,
        "by": one.step.by,
        "entered_at_ms": one.step.at_ms,
        **_build_says(cause, one.says, language, is_withheld=withheld),
    }


def build_register_run_object(run: RegisterRun) -> dict[str, Any]:
    """Return when the computed entries were looked at, and what came of it."""
    return {
        "id": run.run_id,
        "as_of": run.as_of.isoformat(),
        "entries": run.entries,
        "changes": run.changes,
        "by": run.entered_by,
        "entered_at_ms": run.entered_at_ms,
    }


def name_cause(cause: str, figures: Figures | None, language: Language) -> str:
    """Put a computed cause into words: ``concentration:group:7`` with its share and limit.

    Without figures, as far as it goes.
    """
    kind, _, rest = cause.partition(":")
    is_zh = language is Language.ZH
    if kind == "expected-loss":
        if rest == UNRATED:
            return "无评级客户的敞口，无法计算预期损失" if is_zh else "exposure without a grade"
        return f"等级 {rest} 的预期损失" if is_zh else f"expected loss of grade {rest}"
    dimension, _, key = rest.partition(":")
    name = DIMENSIONS[Dimension(dimension)].render(language)
    if key == INDEX:
        values = "" if figures is None else f" {figures.value} > {figures.limit}"
        return f"{name}集中度指数{values}" if is_zh else f"index by {name}{values}"
    shares = ""
    if figures is not None:
        shares = f" {_percent(figures.value)} > {_percent(figures.limit)}"
    return f"{name} {key} 占比{shares}" if is_zh else f"share of {name} {key}{shares}"


def _find_basis(portfolio: Portfolio) -> str | None:
    """Return on what the probabilities of default rest; None where the scale has none."""
    basis = portfolio.scale.body.pd_basis
    return None if basis is None else basis.value


def _build_dimension(
    one: Concentration, language: Language, hidden: Container[int]
) -> dict[str, Any]:
    return {
        "dimension": one.dimension.value,
        "text": DIMENSIONS[one.dimension].render(language),
        "total_minor": one.total_minor,
        "unknown_minor": one.unknown_minor,
        "hhi": one.hhi,
        "top": [{"count": each.count, "share_permille": each.share_permille} for each in one.top],
        "parts_count": len(one.parts),
        "parts": [_build_part(one.dimension, part, hidden) for part in one.parts[:PARTS_SHOWN_MAX]],
    }


def _build_part(dimension: Dimension, part: Part, hidden: Container[int]) -> dict[str, Any]:
    is_hidden = _is_hidden(dimension, part.key, hidden)
    return {
        "key": None if is_hidden else part.key,
        "is_hidden": is_hidden,
        "customers": len(part.customer_ids),
        "exposure_minor": part.exposure_minor,
        "expected_loss_minor": part.expected_loss_minor,
        "unrated_minor": part.unrated_minor,
        "share_permille": part.share_permille,
    }


def _build_breach(one: Breach, language: Language, hidden: Container[int]) -> dict[str, Any]:
    is_hidden = _is_hidden(one.dimension, one.key, hidden)
    return {
        "dimension": one.dimension.value,
        "text": DIMENSIONS[one.dimension].render(language),
        "of": "index" if one.key is None else "share",
        "key": None if is_hidden else one.key,
        "is_hidden": is_hidden,
        "exposure_minor": one.exposure_minor,
        "value": one.value,
        "limit": one.limit,
    }


def _is_hidden(dimension: Dimension, key: str | None, hidden: Container[int]) -> bool:
    return dimension in _NUMBERED and key is not None and int(key) in hidden


def _build_totals(one: Totals, *, held: int, held_minor: int) -> dict[str, int]:
    return {
        "exposure_minor": one.exposure_minor,
        "expected_loss_minor": one.expected_loss_minor,
        "unrated_minor": one.unrated_minor,
        "defaulted_minor": one.defaulted_minor,
        "held": held,
        "held_minor": held_minor,
    }


def _build_changed(one: Changed) -> dict[str, Any]:
    return {
        "customer": one.customer_id,
        "exposure_minor": one.before.exposure_minor,
        "before": _build_stand(one.before),
        "after": _build_stand(one.after),
    }


def _build_stand(one: Stand) -> dict[str, Any]:
    return {
        "grade": one.grade,
        "expected_loss_minor": one.expected_loss_minor,
        "status": one.status.value,
        "rules": list(one.rules),
    }


def _build_says(
    cause: str | None, says: EntrySays, language: Language, *, is_withheld: bool
) -> dict[str, Any]:
    figures = None if is_withheld else says.figures
    return {
        "title": says.title if cause is None else name_cause(cause, figures, language),
        "owner": says.owner,
        "controls": says.controls,
        "review_on": says.review_on.isoformat(),
        "state": says.state.value,
        "state_text": STATES[says.state].render(language),
        "currency": says.figures.currency,
        "is_withheld": is_withheld,
        "exposure_minor": None if figures is None else figures.exposure_minor,
        "likelihood_ppm": None if figures is None else figures.likelihood_ppm,
        "lgd_ppm": None if figures is None else figures.lgd_ppm,
        "expected_loss_minor": None if figures is None else figures.expected_loss_minor,
        "value": None if figures is None else figures.value,
        "limit": None if figures is None else figures.limit,
    }


def _percent(permille: int | None) -> str:
    whole, rest = divmod(permille or 0, 10)
    return f"{whole}.{rest} %"
