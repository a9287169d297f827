"""Words of what a check finds, in both languages."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from node.assessment.policy_file import Language
from node.assessment.statements.words import Words
from node.core.money import format_amount
from node.risk.monitoring.words import say_reason, say_rule

_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "R1": Words(
            "敞口 {after} 超过额度 {limit}，超出 {over}（使用率 {usage}）",
            "the exposure of {after} is over the limit of {limit} by {over} ({usage} used)",
        ),
        "R1-group": Words(
            "集团敞口 {after} 超过集团上限 {limit}，超出 {over}（使用率 {usage}）",
            "the group's exposure of {after} is over its cap of {limit} by {over} ({usage} used)",
        ),
        "R2": Words(
            "额度使用率 {usage}（{after} / {limit}）",
            "{usage} of the limit is used ({after} of {limit})",
        ),
        "R6-limit": Words(
            "额度已于 {last_on} 到期（过期 {days} 天）",
            "the limit ended on {last_on}, {days} days ago",
        ),
        "R6-rating": Words(
            "评级已于 {last_on} 到期（过期 {days} 天）",
            "the rating ended on {last_on}, {days} days ago",
        ),
        "R8": Words(
            "订单 {order} 超过近 {months} 个月最高单 {highest} 的两倍",
            "the order of {order} is far above the highest of {months} months, {highest}",
        ),
        "not-assessed": Words(
            "未评估：没有信用额度，赊销须先授信",
            "nobody has assessed the customer: there is no limit for credit terms",
        ),
        "prepay": Words(
            "额度为 0：仅限预付款，{asked} 未预付",
            "the limit is 0, prepayment only: {asked} is not paid in advance",
        ),
        "prepaid-missing": Words(
            "约定的预付款尚缺 {missing_amount}", "{missing_amount} of the prepaid part is not paid"
        ),
        "beyond-order": Words(
            "交货合计超出订单 {beyond}：须先修改订单",
            "deliveries come to {beyond} more than the order: amend it first",
        ),
        "no-rate": Words(
            "没有当日汇率，敞口不完整：{missing}",
            "no rate of the day, so the exposure is not whole: {missing}",
        ),
        "stopped": Words(
            "自 {since} 起人工停止供货，须由人解除", "stopped by a person since {since}"
        ),
        "stopped-by-decision": Words(
            "授信决策 {decision}：停止合作", "decision {decision}: nothing is sold"
        ),
        "short.R1": Words("超过额度", "over the limit"),
        "short.R1-group": Words("超过集团上限", "over the cap of its group"),
        "short.R2": Words("接近额度", "close to the limit"),
        "short.R6-limit": Words("额度已到期", "the limit has ended"),
        "short.R6-rating": Words("评级已到期", "the rating has ended"),
        "short.R8": Words("订单异常偏大", "the order is far above those before"),
        "short.not-assessed": Words("未评估", "not assessed"),
        "short.prepay": Words("仅限预付款", "prepayment only"),
        "short.prepaid-missing": Words("预付款未到", "the prepaid part is not paid"),
        "short.beyond-order": Words("超出订单", "more than the order"),
        "short.no-rate": Words("没有当日汇率", "no rate of the day"),
        "short.stopped": Words("已停止供货", "stopped"),
        "short.stopped-by-decision": Words("已停止供货", "stopped"),
        "status.no-check": Words("不检查", "not checked"),
        "status.ok": Words("正常", "OK"),
        "status.watch": Words("关注", "watch"),
        "status.hold": Words("冻结", "hold"),
        "status.stop": Words("停止", "stop"),
        "state.open": Words("有效", "open"),
        "state.held": Words("冻结", "held"),
        "state.closed": Words("已关闭", "closed"),
        "state.cancelled": Words("已取消", "cancelled"),
        "reason.paid": Words("已付款", "paid"),
        "reason.payment-announced": Words("付款已通知", "payment announced"),
        "reason.cover-arranged": Words("已落实担保或保险", "cover arranged"),
        "reason.our-dispute": Words("争议责任在我方", "the dispute is our fault"),
        "reason.limit-in-progress": Words("额度审批中", "a new limit is under way"),
        "reason.one-off": Words("一次性业务", "one-off business"),
        "reason.data-error": Words("数据有误", "error in the data"),
        "kind.permanent": Words("长期额度", "permanent"),
        "kind.temporary": Words("临时额度", "temporary"),
        "kind.group-cap": Words("集团上限", "group cap"),
    }
)
_AMOUNTS = {
    "limit": "limit_minor",
    "after": "after_minor",
    "over": "over_minor",
    "asked": "asked_minor",
    "order": "order_minor",
    "highest": "highest_minor",
    "missing_amount": "missing_minor",
    "beyond": "beyond_minor",
}


def find_words(code: str, *, language: Language) -> str:
    """Return the words of a code; the code itself where there are none."""
    words = _WORDS.get(code)
    if words is None:
        return code.partition(".")[2] or code
    return words.zh if language is Language.ZH else words.en


def word_reason(reason: Mapping[str, Any], *, language: Language, has_figures: bool) -> str:
    """Return a reason in words; without figures only what kind of reason it is.

    Args:
        reason: As the answer to a check keeps it.
        language: Of the words.
        has_figures: Whether limits and exposures may be shown.
    """
    rule, values = str(reason["rule"]), reason["values"]
    if rule not in _WORDS:  # of the daily run
        return say_reason(rule, values, language) if has_figures else say_rule(rule, None, language)
    if not has_figures:
        return find_words(f"short.{rule}", language=language)
    return find_words(rule, language=language).format(**_format(values))


def _format(values: Mapping[str, int | str]) -> dict[str, str]:
    currency = str(values.get("currency", ""))
    texts = {name: str(value) for name, value in values.items()}
    for name, of in _AMOUNTS.items():
        if of in values:
            texts[name] = f"{format_amount(int(values[of]), currency=currency)} {currency}"
    if "usage_permille" in values:
        permille = int(values["usage_permille"])
        texts["usage"] = f"{permille // 10}.{permille % 10} %"
    texts["missing"] = str(values.get("missing") or currency)
    return texts
