"""The part of the catalogue that the page of financial statements speaks.

Items, ratios, models and reasons have their words in ``node.assessment.statements``.
"""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STATEMENT_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "statements.title": ("财务报表", "Financial statements"),
        "statements.none": (
            "没有财务报表。可在此录入、上传，或用 chengxin statement import、API。",
            "There is no statement. Enter or upload one here, by command or over the API.",
        ),
        "statements.basis": ("口径", "Basis"),
        "statements.newest": ("最新年度的口径", "that of the newest year"),
        "statements.evidence": ("作为依据", "As evidence"),
        "statements.evidence-note": (
            "权重与置信度由新旧、鉴证程度和缺项得出（{version}）；专家评分卡自 expert-2 起采用。",
            (
                "Weight and confidence follow from age, assurance and what is missing ({version}); "
                "the expert scorecard reads them from expert-2 on."
            ),
        ),
        "statements.year-end": ("年度末", "Year end"),
        "statements.age": ("距年度末", "Since the year's end"),
        "statements.received": ("收到", "Received"),
        "statements.freshness": ("新旧", "Freshness"),
        "statements.assurance": ("鉴证", "Assurance"),
        "statements.weight": ("权重", "Weight"),
        "statements.confidence": ("置信度", "Confidence"),
        "statements.missing": ("缺项", "Missing"),
        "statements.findings": ("核对结果", "What the checks found"),
        "statements.findings-none": ("核对无异常。", "The checks found nothing."),
        "statements.lines": ("各年报表", "The years side by side"),
        "statements.lines-note": (
            "本位币金额；“推算”为由其他行得出的合计数。",
            (
                "Amounts in the currency of the statement; a total marked “derived” follows from "
                "other lines."
            ),
        ),
        "statements.item": ("项目", "Item"),
        "statements.currency": ("币种与单位", "Currency and unit"),
        "statements.months": ("期间（月）", "Months"),
        "statements.gaap": ("会计准则", "GAAP"),
        "statements.source": ("来源", "Source"),
        "statements.derived": ("推算", "derived"),
        "statements.ratios": ("财务比率", "Ratios"),
        "statements.ratios-note": (
            "公式版本 {ratios}，趋势规则 {trend}；点开名称看公式。缺少数据或分母不为正时不计算。",
            (
                "Formulas {ratios}, trend rule {trend}; open a name for its formula. With a "
                "missing line, or a denominator not above zero, there is no figure."
            ),
        ),
        "statements.ratio": ("比率", "Ratio"),
        "statements.formula": ("公式", "Formula"),
        "statements.trend": ("趋势", "Trend"),
        "statements.trend-years": ("{count} 年", "{count} years"),
        "statements.altman": ("Altman 模型", "Altman"),
        "statements.altman-note": (
            "公式版本 {version}；X4 为账面权益 ÷ 负债合计。",
            "Formulas {version}; X4 is book equity ÷ total liabilities.",
        ),
        "statements.model": ("模型", "Model"),
        "statements.terms": ("各项：{model}", "Term by term: {model}"),
        "statements.term": ("变量", "Term"),
        "statements.coefficient": ("系数", "Coefficient"),
        "statements.contribution": ("值 → 贡献", "value → contribution"),
        "statements.zones": (
            "高于 {safe} 安全，低于 {distress} 危险，其间为灰色区",
            "safe above {safe}, distress below {distress}, grey between",
        ),
        "statements.constant": ("常数", "constant"),
        "statements.total": ("得分", "Score"),
        "statements.versions": ("版本", "Versions"),
        "statements.withdrawn": ("已撤回", "withdrawn"),
        "statements.document": ("文件哈希", "Document"),
        "statements.reason": ("理由", "Reason"),
    }
)
