"""The part of the catalogue that the pages of decisions speak.

Arms, reasons, states and the like have their words in ``node.decision.wording``.
"""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DECISION_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nav.decisions": ("授信决策", "Decisions"),
        "decisions.title": ("授信决策", "Decisions on credit"),
        "decisions.block": ("授信决策", "Credit decision"),
        "decisions.standing": ("现行决定", "Holds now"),
        "decisions.waits": ("待处理", "Waits"),
        "decisions.none-standing": (
            "没有现行决定：未评估，不等于零额度。",
            "No decision holds: not assessed, which is not a limit of 0.",
        ),
        "decisions.number": ("决定 {number}", "decision {number}"),
        "decisions.not-assessed": ("未评估", "not assessed"),
        "decisions.until": ("有效至 {day}", "until {day}"),
        "decisions.currency": ("币种", "Currency"),
        "decisions.asked-limit": ("申请额度", "Limit asked for"),
        "decisions.asked-need": ("年需求", "Need of a year"),
        "decisions.asked-terms": ("申请账期（天）", "Days asked for"),
        "decisions.buyer": ("客户类型", "Kind of buyer"),
        "decisions.propose": ("生成提议", "Propose"),
        "decisions.waiting": ("待审批", "Waiting for approval"),
        "decisions.open": ("未提交", "Not submitted"),
        "decisions.active": ("生效", "Active"),
        "decisions.ended": ("已结束", "Ended"),
        "decisions.none": ("没有这样的决定。", "There is none."),
        "decisions.customer": ("客户", "Customer"),
        "decisions.decided": ("决定", "Decision"),
        "decisions.limit": ("额度", "Limit"),
        "decisions.before": ("现行额度", "Limit now"),
        "decisions.exposure": ("现有敞口", "Exposure now"),
        "decisions.room": ("剩余", "Room"),
        "decisions.terms": ("账期", "Terms"),
        "decisions.grade": ("等级", "Grade"),
        "decisions.reasons": ("理由", "Reasons"),
        "decisions.by": ("提议人", "Proposed by"),
        "decisions.approvals": ("审批", "Approvals"),
        "decisions.overridden": ("人工调整", "decided otherwise"),
        "decisions.security": ("担保", "Security"),
        "decisions.monitoring": ("监控", "Monitoring"),
        "decisions.valid": ("有效期至", "Valid until"),
        "decisions.review": ("复审日期", "Review on"),
        "decisions.confidence": ("可信度", "Confidence"),
        "decisions.policy": ("政策", "Policy"),
        "decisions.tier": (
            "需要 {persons} 人批准（已有 {given}）：{roles}",
            "{persons} to approve ({given} have): {roles}",
        ),
        "decisions.impact": ("影响", "What it changes"),
        "decisions.arms": ("额度的各种算法", "Every way of finding the limit"),
        "decisions.arms-note": (
            "依据与需求取最小值，乘以等级比例，再以上限截断，最后向下取整。",
            "The least of evidence and need, the grade's share of it, cut by caps, rounded down.",
        ),
        "decisions.arm": ("方法", "Way"),
        "decisions.part": ("作用", "Part"),
        "decisions.amount": ("金额", "Amount"),
        "decisions.why": ("说明", "Why"),
        "decisions.inputs": ("输入与来源", "Inputs and where they came from"),
        "decisions.decides": ("决定额度", "decides"),
        "decisions.peers": ("同行的影响", "What peers changed"),
        "decisions.with-peers": ("结合同行", "With peers"),
        "decisions.without-peers": ("不含同行", "Without peers"),
        "decisions.difference": ("差额", "Difference"),
        "decisions.lints": ("法定账期提示", "What the law says of the terms"),
        "decisions.lint": (
            "{text}（最长 {days} 天）",
            "{text} ({days} days at most)",
        ),
        "decisions.interest": (
            "额度逾期 {days} 天的法定利息：{interest}，另加 {fixed}（{text}）",
            "Interest by law on the limit, {days} days late: {interest}, and {fixed} ({text})",
        ),
        "decisions.versions": ("决定的版本", "Versions"),
        "decisions.version": ("版本", "Version"),
        "decisions.why-otherwise": ("调整理由", "Why otherwise"),
        "decisions.history": ("经过", "History"),
        "decisions.day": ("日期", "Day"),
        "decisions.step": ("步骤", "Step"),
        "decisions.person": ("人员", "Who"),
        "decisions.note": ("说明", "Note"),
        "decisions.deputy-of": ("代 {holder}", "for {holder}"),
        "decisions.human": (
            "自然人客户：由人决定，不自动处理。批准时须写明亲自审查的内容。",
            "A natural person: people decide, and state what they have looked at themselves.",
        ),
        "decisions.review-stated": ("人工审查", "Looked at"),
        "decisions.operator": (
            "管理员令牌不能审批：请用本人的令牌登录。",
            "The operator's token approves nothing: sign in with a token of your own.",
        ),
        "decisions.submit": ("提交审批", "Submit"),
        "decisions.approve": ("批准", "Approve"),
        "decisions.reject": ("否决", "Reject"),
        "decisions.return": ("退回", "Return"),
        "decisions.withdraw": ("撤回", "Withdraw"),
        "decisions.override": ("另行决定", "Decide otherwise"),
        "decisions.comment": ("意见", "Comment"),
        "decisions.human-review": ("亲自审查的内容", "What you have looked at"),
        "decisions.reason": ("理由", "Reason"),
        "decisions.reason-code": ("理由代码", "Kind of reason"),
        "decisions.unchanged": ("不变", "as it is"),
        "decisions.limit-hint": ("0 为预付", "0 is prepayment"),
        "decisions.stop": ("停止供货", "Supply nothing more"),
        "refusal.decision-state": (
            "当前状态不允许这一步，请重新查看。",
            "Not possible in this state: look at it again.",
        ),
        "refusal.decision-open": (
            "该客户已有待处理的决定。",
            "Another decision on this customer waits.",
        ),
        "refusal.decision-stale": (
            "依据已变化，请重新提议。",
            "What it rests on has changed: propose anew.",
        ),
        "refusal.decision-same-person": (
            "提议人与审批人须不同，同一人或同一权限只计一次。",
            "Who makes it does not approve it, and no person or authority counts twice.",
        ),
        "refusal.decision-no-authority": (
            "该金额超出您的审批权限。",
            "This amount is beyond your authority.",
        ),
        "refusal.decision-duty-conflict": (
            "职责冲突：须由本人以审批岗位的令牌决定。",
            "Duties conflict: a person decides, with a token of a role that approves.",
        ),
        "refusal.decision-invalid": ("不符合规则。", "It breaks a rule."),
        "refusal.decision-human-review": (
            "自然人客户须写明人工审查的内容。",
            "On a natural person state what you have looked at.",
        ),
    }
)
