"""The words of reviews, in both languages."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from node.assessment.policy_file import Language
from node.core.money import divide_half_even
from node.governance.reviews.rules_pack import Unit

# By kind of word and code: Chinese, English.
REVIEW_WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "subject": {
            "policy": ("信用政策", "policy"),
            "models": ("模型", "models"),
            "limits": ("额度", "limits"),
            "cases": ("异议投诉", "objections and complaints"),
            "training": ("流程与培训", "procedures and training"),
            "access": ("职责与查看记录", "duties and access log"),
        },
        "figure": {
            "dso": ("应收账款周转天数", "DSO"),
            "best-possible-dso": ("最佳周转天数", "best possible DSO"),
            "average-days-delinquent": ("平均拖欠天数", "average days delinquent"),
            "collection-index": ("回款效率指数", "collection effectiveness index"),
            "over-90-share": ("逾期 90 天以上占比", "share more than 90 days past due"),
            "bad-debt-share": ("坏账占赊销比", "bad debt of credit sales"),
            "holds": ("订单冻结数", "order holds"),
            "false-holds": ("误冻结占比", "false holds"),
            "override-rate": ("改判率", "decisions made otherwise than proposed"),
            "override-default-rate": ("改判后违约率", "defaults of those"),
            "dispute-cycle": ("争议处理天数（中位数）", "days of a dispute, median"),
            "objections": ("异议数", "objections"),
            "complaints": ("投诉数", "complaints"),
            "late-cases": ("逾期处理占比", "cases late"),
            "case-cycle": ("答复天数（中位数）", "days to the answer, median"),
            "own-fault-share": ("我方原因占比", "our own fault"),
            "reopened": ("重新受理数", "opened again"),
        },
        "why": {
            "not-kept": ("未记录", "not kept"),
            "no-base": ("无法计算：期间内无数据", "not computable: nothing of it in the period"),
            "gone": ("无法计算：部分记录已到期删除", "not computable: some records have expired"),
            "cut": ("无法计算：数量超出上限", "not computable: more than is looked at"),
        },
        "report": {
            "title": ("定期评审报告", "Review"),
            "period": ("期间", "Period"),
            "held": ("评审日期与人员", "Held"),
            "finding": ("结论", "Finding"),
            "figures": ("指标", "Figures"),
            "figure": ("指标", "Figure"),
            "currency": ("币种", "Currency"),
            "value": ("数值", "Value"),
            "n": ("样本数", "n"),
            "actions": ("改进措施", "Improvement actions"),
            "action": ("措施", "Action"),
            "owner": ("负责人", "Owner"),
            "due": ("期限", "Due"),
            "done": ("完成", "Done"),
            "effect": ("效果", "Effect"),
            "not-held": ("尚未评审", "not held yet"),
            "none": ("无", "none"),
        },
        "unit": {
            "milli-days": ("{value} 天", "{value} days"),
            "centipercent": ("{value}%", "{value}%"),
            "count": ("{value}", "{value}"),
        },
    }
)
_DIGITS = {Unit.MILLI_DAYS: 1, Unit.CENTIPERCENT: 2, Unit.COUNT: 0}


def say_review(kind: str, code: str, language: Language) -> str:
    """Return the words of a code; itself where there are none."""
    chinese, english = REVIEW_WORDS[kind].get(code, (code, code))
    return chinese if language is Language.ZH else english


def say_figure(figure: Mapping[str, Any], language: Language) -> str:
    """Write a figure with its unit, or why there is none."""
    value: int | None = figure["value"]
    if value is None:
        return say_review("why", str(figure["why"]), language)
    unit = Unit(figure["unit"])
    return say_review("unit", unit, language).format(value=_write(value, unit))


def _write(value: int, unit: Unit) -> str:
    """Write days with one digit and per cent with two, rounded half to even."""
    digits = _DIGITS[unit]
    scaled = divide_half_even(value, 100) if unit is Unit.MILLI_DAYS else value
    sign, text = ("-" if scaled < 0 else ""), str(abs(scaled)).zfill(digits + 1)
    return f"{sign}{text[: len(text) - digits]}.{text[-digits:]}" if digits else f"{sign}{text}"
