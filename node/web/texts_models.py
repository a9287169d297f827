"""The part of the catalogue that the pages of models and the panel of a customer speak."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MODEL_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nav.models": ("模型", "Models"),
        "panel.title": ("模型并列比较", "Models side by side"),
        "panel.note": (
            "评级只依据专家评分卡；其他模型只作对照，不取平均（{policy}）。",
            (
                "The rating follows the expert scorecard alone; the others are for comparison, "
                "and nothing is averaged ({policy})."
            ),
        ),
        "panel.model": ("模型", "Model"),
        "panel.says": ("结果", "Result"),
        "panel.grades": ("对应等级", "Grade equivalent"),
        "panel.apart": ("分歧", "Disagrees"),
        "panel.agree": (
            "没有模型与专家评分卡相差 {count} 级或以上。",
            "No model lies {count} grades or more from the expert scorecard.",
        ),
        "panel.none": (
            "评级时没有统计模型在用。",
            "No statistical model was in force at that time.",
        ),
        "panel.erased": ("同行披露的付款指数已删除。", "Peers' payment index has been erased."),
        "panel.pd": ("违约概率 {share}", "probability of default {share}"),
        "panel.points": ("逐项分值：{model}", "Point by point: {model}"),
        "panel.base": ("基础分", "Base"),
        "panel.altman": (
            "Altman 公式 {formula}，年度末 {year_end}",
            "Altman formulas {formula}, year end {year_end}",
        ),
        "models.title": ("统计模型", "Statistical models"),
        "models.none": (
            "没有模型。用 chengxin model train 训练。",
            "There is no model. Train one with chengxin model train.",
        ),
        "models.model": ("模型", "Model"),
        "models.state": ("状态", "State"),
        "models.trained": ("训练", "Trained"),
        "models.rows": ("检验样本", "Test rows"),
        "models.count": ("样本", "Rows"),
        "models.bads": ("违约", "Bad"),
        "models.auc": ("AUC（95 %）", "AUC (95 %)"),
        "models.verdict": ("结论", "Verdict"),
        "models.older": ("更早的模型", "Older models"),
        "models.factor": ("指标", "Factor"),
        "models.bin": ("分箱", "Bin"),
        "models.value": ("值", "Value"),
        "models.points": ("分值", "Points"),
        "models.best": ("最高分", "Best"),
        "models.source": ("来源", "Source"),
        "models.card": ("评分表", "Points table"),
        "models.report": ("较晚样本上的表现", "Performance on later rows"),
        "models.split": (
            (
                "训练 {train_rows} 条，违约 {train_bads}，至 {train_until}；"
                "检验自 {test_from}，间隔 {gap_days} 天。"
            ),
            (
                "Trained on {train_rows} rows, {train_bads} bad, until {train_until}; tested from "
                "{test_from} on, {gap_days} days later."
            ),
        ),
        "models.opening": (
            "{day} 及以前录入的视为当时已知；其后按录入时间。",
            "What was entered by {day} counts as known on its own date; the rest from its entry.",
        ),
        "models.bad-customers": ("违约客户数", "Customers who turned bad"),
        "models.hl": ("Hosmer–Lemeshow（自由度，p）", "Hosmer–Lemeshow (degrees, p)"),
        "models.reliability": ("可靠性图", "Reliability"),
        "models.reliability-note": (
            "每点一组：横轴为模型所述违约概率，纵轴为实际违约率及其 95 % 区间；虚线为完全一致。",
            (
                "Each dot is a group: across, the probability stated; upward, the rate observed "
                "with its 95 % interval. On the dashed line the two agree."
            ),
        ),
        "models.stated": ("所述", "Stated"),
        "models.observed": ("实际（95 %）", "Observed (95 %)"),
        "models.grades": ("分等级回测", "Back-test by grade"),
        "models.grade": ("等级", "Grade"),
        "models.holds": ("在区间内", "Within interval"),
        "models.coefficients": ("回归系数", "Coefficients"),
        "models.coefficients-note": (
            "按客户重复抽样 {rounds} 次，种子 {seed}；分箱不变。",
            "Customers resampled {rounds} times, seed {seed}; the bins stay fixed.",
        ),
        "models.coefficient": ("系数", "Coefficient"),
        "models.interval": ("95 % 区间", "95 % interval"),
        "models.sign": ("符号", "Sign"),
        "models.any-value": ("任何值", "any value"),
        "models.sign-open": ("符号不确定", "sign not certain"),
        "models.sign-sure": ("符号确定", "sign certain"),
        "models.drift": ("按月漂移", "Drift by month"),
        "models.drift-note": (
            "PSI 与训练样本相比；0.10 与 0.25 是惯例，样本少时会误导。",
            "PSI against training; 0.10 and 0.25 are conventions that mislead where rows are few.",
        ),
        "models.drift-test": ("检验样本", "Test rows"),
        "models.drift-used": ("评级时的评分", "Scores beside ratings"),
        "models.month": ("月份", "Month"),
        "models.life": ("经过", "History"),
        "models.by": ("经办人", "By"),
        "models.reason": ("理由", "Reason"),
        "models.step": ("步骤", "Step"),
        "models.at": ("时间", "At"),
        "models.approve": ("批准（训练者本人除外）", "Approve (not by whoever trained it)"),
        "models.as": ("作为", "As"),
        "models.retire": ("退役", "Retire"),
        "models.do": ("确认", "Confirm"),
        "models.stable": ("平稳", "stable"),
        "models.watch": ("关注", "watch"),
        "models.changed": ("已变化", "changed"),
    }
)
