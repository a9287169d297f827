"""The part of the catalogue about alerts, the watch list, actions and signals."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RISK_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nav.risk": ("风险控制", "Risk"),
        "risk.title": ("风险", "Risk"),
        "risk.alerts": ("风险提示", "Alerts"),
        "risk.watch": ("关注名单", "Watch list"),
        "risk.actions": ("应对措施", "Actions"),
        "risk.none": ("没有内容。", "Nothing here."),
        "risk.hidden": (
            "另有 {count} 项涉及自然人，您的角色不可见。",
            "{count} more are of natural persons, whom your role does not see.",
        ),
        "risk.more": ("下一页", "Next page"),
        "risk.rule": ("规则", "Rule"),
        "risk.status": ("状态", "Status"),
        "risk.why": ("依据", "Why"),
        "risk.source": ("来源", "Source"),
        "risk.evidence": ("凭据", "Evidence"),
        "risk.since": ("自", "Since"),
        "risk.review": ("复查日", "Next review"),
        "risk.cause": ("原因", "Cause"),
        "risk.owner": ("负责人", "Owner"),
        "risk.due": ("期限", "Due"),
        "risk.overdue": ("已逾期", "overdue"),
        "risk.escalated": ("已上报", "told above"),
        "risk.action": ("措施", "Action"),
        "risk.outcome": ("结果", "Outcome"),
        "risk.saved": ("挽回金额", "Saved"),
        "risk.lost": ("损失金额", "Lost"),
        "risk.currency": ("币种", "Currency"),
        "risk.rules": ("十三条规则", "The rules in their order"),
        "risk.result": ("结论", "Result"),
        "risk.excluded": (
            "例外至 {until}，负责人 {owner}：{reason}",
            "excluded until {until} by {owner}: {reason}",
        ),
        "risk.signals": ("预警信号", "Signals"),
        "risk.signal": ("信号", "Signal"),
        "risk.points": ("分数（千分之一分）", "Points (thousandths)"),
        "risk.entries": ("人工录入的信号", "Signals entered by persons"),
        "risk.policy": ("政策 {label}，截至 {day}", "by {label} as of {day}"),
        "risk.reason": ("说明", "Reason"),
        "risk.note": ("内容", "What exactly"),
        "risk.day": ("发生日期", "When it happened"),
        "risk.close": ("关闭", "Close"),
        "risk.enter-signal": ("录入信号", "Enter a signal"),
        "risk.take-back": ("撤回", "Take back"),
        "risk.enter-watch": ("列入关注名单", "Put on the watch list"),
        "risk.look": ("记录复查", "Enter a review"),
        "risk.leave": ("移出名单", "Take off the list"),
        "risk.enter-action": ("安排措施", "Enter an action"),
        "risk.promises": ("还款计划的承诺编号", "Promises of a payment plan (numbers)"),
        "risk.refused": ("未能完成：{detail}", "Not done: {detail}"),
    }
)
