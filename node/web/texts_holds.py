"""The part of the catalogue about orders that are held, and their release."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

HOLD_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nav.orders": ("冻结订单", "Held orders"),
        "holds.title": ("冻结订单", "Held orders"),
        "holds.note": (
            "订单检查冻结或停止、尚无人放行的订单。",
            "Orders that a check has held or stopped, and nobody has released.",
        ),
        "holds.none": ("没有冻结的订单。", "No order is held."),
        "holds.order": ("订单", "Order"),
        "holds.amount": ("金额", "Amount"),
        "holds.over": ("超出", "Over by"),
        "holds.why": ("原因", "Reasons"),
        "holds.since": ("起始时间", "Since"),
        "holds.tier": ("须批准人", "Released by"),
        "holds.given": ("已有 {given} / {persons} 人", "{given} of {persons} given"),
        "holds.asked": ("申请放行", "Release asked for"),
        "holds.unchecked": ("尚未检查。", "Not checked yet."),
        "holds.source": ("来源", "source"),
        "holds.version": ("第 {number} 版", "version {number}"),
        "holds.prepaid": ("约定预付", "To be prepaid"),
        "holds.limit": ("额度", "Limit"),
        "holds.after": ("接单后敞口", "Exposure with the order"),
        "holds.room": ("可用额度", "Left of the limit"),
        "holds.findings": ("检查结果", "What the check has found"),
        "holds.checked": (
            "{point}检查，{day}，依据政策 {policy}。",
            "Checked {point} on {day}, by the policy {policy}.",
        ),
        "check-point.quote": ("报价", "as a quote"),
        "check-point.order": ("接单", "as an order"),
        "check-point.delivery": ("交货", "at a delivery"),
        "check-point.invoice": ("开票", "at an invoice"),
        "holds.daily-run": (
            "每日规则取自 {day} 的第 {run} 次运行。",
            "The daily rules are those of run {run} of {day}.",
        ),
        "holds.daily-now": (
            "每日规则在检查时重新判断。",
            "The daily rules were judged at the moment of the check.",
        ),
        "holds.excused": ("豁免", "Excused"),
        "holds.by-policy": ("放行或政策豁免", "by a release or the policy"),
        "holds.nothing-found": ("没有发现。", "Nothing was found."),
        "holds.to-exposure": ("敞口与额度", "Exposure and limits"),
        "holds.steps": ("处理", "What to do"),
        "holds.release": ("放行", "Release"),
        "holds.release-note": (
            (
                "放行只对本订单及其金额有效（可再多 {over} %），至期满为止。须 {persons} 人批准，"
                "已有 {given} 人。可批准："
            ),
            (
                "A release is of this order and its amount, {over} % more at most, "
                "until its last day. Approvals needed: {persons}, given: {given}. May approve:"
            ),
        ),
        "holds.is-maker": (
            "您录入了本订单或申请过放行，须由他人放行。",
            "You entered this order or asked for its release: somebody else releases it.",
        ),
        "holds.reason-code": ("理由类别", "Kind of reason"),
        "holds.days": ("有效天数", "Days"),
        "holds.days-hint": ("最多 {most} 天", "at most {most}"),
        "holds.ask": ("申请放行", "Ask for its release"),
        "holds.reject": ("不予放行，取消订单", "Reject it: the order is cancelled"),
        "holds.recheck": ("重新检查", "Check again"),
        "holds.recheck-note": (
            "付款到账或额度变更后，通过检查的订单自动解除冻结。",
            "After a payment or a new limit an order that passes is held no longer.",
        ),
        "holds.story": ("经过", "What happened"),
        "holds.releases": ("放行记录", "Releases"),
        "holds.released-on": ("{day} 放行，有效至 {until}", "released on {day}, until {until}"),
        "holds.waits": ("等待他人批准", "waits for others to approve"),
        "holds.versions": ("各版本", "Versions"),
        "holds.number": ("版本", "No."),
        "holds.event": ("事项", "Event"),
        "holds.state": ("状态", "State"),
        "order-event.created": ("录入", "entered"),
        "order-event.amended": ("修改", "amended"),
        "order-event.reopened": ("重新打开", "reopened"),
        "order-event.cleared": ("复查通过", "passed a later check"),
        "order-event.released": ("放行", "released"),
        "order-event.closed": ("关闭", "closed"),
        "order-event.cancelled": ("取消", "cancelled"),
        "refusal.order-state": (
            "订单的状态不允许这样做。",
            "The order is not in a state in which this can be done.",
        ),
        "refusal.customer-stopped": (
            "客户已停止供货：请先解除停止。",
            "The customer is stopped: end that first.",
        ),
        "refusal.release-same-person": (
            "录入人、申请人和已批准的人不能再批准。",
            "Who entered it, asked for it or has approved already does not approve it.",
        ),
        "refusal.risk-invalid": ("填写内容不符合规则。", "What was entered breaks a rule."),
    }
)
