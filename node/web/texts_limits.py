"""The part of the catalogue about exposure, limits and stops."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LIMIT_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "limits.title": ("敞口与额度", "Exposure and limits"),
        "limits.waiting": ("待批额度", "Limits to approve"),
        "limits.waiting-note": (
            "临时额度与集团上限，须由申请人以外的人批准。长期额度见授信决策。",
            (
                "Temporary limits and caps of groups, which another person approves. "
                "Permanent limits are decisions."
            ),
        ),
        "limits.none-waiting": ("没有待批的额度。", "No limit waits for an approval."),
        "limits.kind": ("种类", "Kind"),
        "limits.amount": ("金额", "Amount"),
        "limits.amount-hint": ("0 表示仅限预付款", "0 means prepayment only"),
        "limits.currency": ("币种", "Currency"),
        "limits.from": ("自", "From"),
        "limits.until": ("至", "Until"),
        "limits.last": ("最后一天", "Last day"),
        "limits.last-hint": (
            "临时额度必填，次日自动恢复原额度",
            "a temporary limit has one, and falls back by itself",
        ),
        "limits.asked-by": ("申请人", "Asked for by"),
        "limits.state": ("状态", "State"),
        "limits.by": ("经办", "By"),
        "limits.approved-by": ("批准：{name}", "approved by {name}"),
        "limits.as-of": ("截至 {day}", "as of {day}"),
        "limits.day": ("截至", "As of"),
        "limits.show": ("查看", "Show"),
        "limits.stopped": (
            "自 {day} 起停止供货（{name}）：{reason}",
            "Stopped since {day} by {name}: {reason}",
        ),
        "limits.stopped-by-decision": ("授信决策：停止合作。", "A decision says to sell nothing."),
        "limits.holding": ("现行额度", "Limit"),
        "limits.prepay": ("仅限预付款", "prepayment only"),
        "limits.valid": ("有效至 {day}", "until {day}"),
        "limits.expired": ("已到期", "expired"),
        "limits.falls-back": ("此后恢复为 {limit}", "then again {limit}"),
        "limits.decision": ("决策 {number}", "decision {number}"),
        "limits.propose": ("提议授信决策", "Propose a decision"),
        "limits.own": ("本客户敞口", "Exposure to this customer"),
        "limits.in": ("其中 {currency}", "of it in {currency}"),
        "limits.used": ("使用率", "Used"),
        "limits.limit-at": ("额度 {limit}", "limit {limit}"),
        "limits.chart": ("敞口 {total}，按构成", "Exposure of {total}, by its parts"),
        "limits.group": ("集团敞口", "Exposure to the group"),
        "limits.no-cap": ("没有集团上限。", "The group has no cap."),
        "limits.members": ("成员：", "Members:"),
        "limits.is-maker": (
            "您申请或已批准过此额度，须由他人批准。",
            "You asked for this limit or have approved it: somebody else does.",
        ),
        "limits.approve": ("批准", "Approve"),
        "limits.withdraw": ("撤回或拒绝", "Withdraw or refuse it"),
        "limits.history": ("历次额度", "Every limit there was"),
        "limits.never": ("从未有过额度。", "There never was a limit."),
        "limits.end": ("提前终止", "End it before its time"),
        "limits.change": ("变更额度", "Change limits"),
        "limits.change-note": (
            "长期额度由授信决策给出。",
            "A permanent limit is given by a decision.",
        ),
        "limits.request": ("申请临时额度或集团上限", "Ask for a temporary limit or a group's cap"),
        "limits.stop": ("停止供货", "Stop the customer"),
        "limits.end-stop": ("解除停止", "End the stop"),
        "limit-kind.permanent": ("长期额度", "permanent"),
        "limit-kind.temporary": ("临时额度", "temporary"),
        "limit-kind.group-cap": ("集团上限", "group cap"),
        "limit-state.requested": ("待批", "waits for approval"),
        "limit-state.not-yet": ("尚未生效", "not yet in force"),
        "limit-state.in-force": ("生效", "in force"),
        "limit-state.lapsed": ("已到期", "lapsed"),
        "limit-state.ended": ("已终止", "ended"),
        "exposure.ordered": ("未交货订单", "Open orders"),
        "exposure.delivered": ("已交货未开票", "Delivered, not invoiced"),
        "exposure.invoiced": ("未结发票", "Open invoices"),
        "exposure.bill": ("未到期票据", "Bills not matured"),
        "exposure.total": ("敞口合计", "Exposure"),
        "exposure.insured": ("其中有保险", "of it insured"),
        "exposure.guaranteed": ("其中有担保", "of it guaranteed"),
        "exposure.uncovered": ("其中无保障", "of it uncovered"),
        "exposure.disputed": ("有争议", "In dispute"),
        "exposure.disputed-in": ("（已计入）", "(counted)"),
        "exposure.disputed-out": ("（未计入）", "(not counted)"),
        "exposure.unapplied": ("未核销款项（未扣除）", "Received, not applied (not taken off)"),
        "exposure.prepaid": ("已到预付款", "Prepaid parts of orders"),
        "exposure.held": ("冻结订单（未计入）", "Held orders (not counted)"),
        "exposure.bill_passed": ("其中已转让票据", "of the bills passed on"),
        "exposure.no-rate": (
            "没有当日汇率，未计入：",
            "Without a rate of the day, so in no sum:",
        ),
        "exposure.rates": ("折算汇率：", "Converted by the rates"),
        "refusal.limit-state": (
            "额度的状态不允许这样做。",
            "The limit is not in a state in which this can be done.",
        ),
        "refusal.report-invalid": ("没有这一天的报表。", "There is no report of this day."),
        "refusal.records-gone": (
            "那时的部分记录已按期删除，无法得出正确数字。",
            "Some records of then have expired: no figure of that day can be right.",
        ),
    }
)
