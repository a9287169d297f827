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
        "decisions.title": ("授信决策", "Credit decisions"),
        "decisions.block": ("授信决策", "Credit decision"),
        "decisions.standing": ("现行决定", "In force"),
        "decisions.waits": ("待处理", "Pending"),
        "decisions.none-standing": (
            "没有现行决定：未评估，不等于零额度。",
            "No decision is in force: not assessed, which is not a limit of 0.",
        ),
        "decisions.number": ("决定 {number}", "Decision {number}"),
        "decisions.not-assessed": ("未评估", "not assessed"),
        "decisions.until": ("有效至 {day}", "valid until {day}"),
        "decisions.currency": ("币种", "Currency"),
        "decisions.asked-limit": ("申请额度", "Requested limit"),
        "decisions.asked-need": ("年需求", "Annual need"),
        "decisions.asked-terms": ("申请账期（天）", "Requested terms (days)"),
        "decisions.buyer": ("客户类型", "Kind of buyer"),
        "decisions.propose": ("生成提议", "Propose"),
        "decisions.waiting": ("待审批", "Waiting for approval"),
        "decisions.open": ("未提交", "Not submitted"),
        "decisions.active": ("生效", "Active"),
        "decisions.ended": ("已结束", "Ended"),
        "decisions.none": ("没有此类决定。", "There is none."),
        "decisions.customer": ("客户", "Customer"),
        "decisions.decided": ("决定", "Decision"),
        "decisions.decided-terms": ("决定与账期", "Decision, terms"),
        "decisions.limit": ("额度", "Limit"),
        "decisions.before": ("现行额度", "Current limit"),
        "decisions.exposure": ("现有敞口", "Current exposure"),
        "decisions.room": ("可用额度", "Available"),
        "decisions.terms": ("账期", "Terms"),
        "decisions.grade": ("等级", "Grade"),
        "decisions.reasons": ("理由", "Reasons"),
        "decisions.by": ("提议人", "Proposed by"),
        "decisions.approvals": ("审批", "Approvals"),
        "decisions.overridden": ("人工调整", "overridden"),
        "decisions.security": ("担保", "Security"),
        "decisions.monitoring": ("监控", "Monitoring"),
        "decisions.valid": ("有效期至", "Valid until"),
        "decisions.review": ("复评日期", "Review on"),
        "decisions.confidence": ("置信度", "Confidence"),
        "decisions.policy": ("政策", "Policy"),
        "decisions.tier": (
            "需要 {persons} 人批准（已有 {given}）：{roles}",
            "Approvals needed: {persons}, given: {given}. May approve: {roles}",
        ),
        "decisions.impact": ("影响", "Effect"),
        "decisions.arms": ("额度的各种算法", "How the limit was worked out"),
        "decisions.arms-note": (
            "依据与需求取最小值，乘以等级比例，再以上限截断，最后向下取整。",
            "Lowest of evidence and need, times the grade's share, cut to the caps, rounded down.",
        ),
        "decisions.arm": ("方法", "Method"),
        "decisions.part": ("作用", "Part"),
        "decisions.amount": ("金额", "Amount"),
        "decisions.why": ("说明", "Why"),
        "decisions.inputs": ("输入与来源", "Inputs and their sources"),
        "decisions.decides": ("决定额度", "decides"),
        "decisions.capped": ("，以{cap}为限", ", cut to: {cap}"),
        "decisions.peers": ("同行的影响", "What peers changed"),
        "decisions.with-peers": ("结合同行", "With peers"),
        "decisions.without-peers": ("不含同行", "Without peers"),
        "decisions.difference": ("差额", "Difference"),
        "decisions.lints": ("法定账期提示", "What the law says about the terms"),
        "decisions.lint": (
            "{text}（最长 {days} 天）",
            "{text} ({days} days at most)",
        ),
        "decisions.interest": (
            "额度全额逾期 {days} 天的法定利息：{interest}（{text}）",
            "Statutory interest if the whole limit is {days} days late: {interest} ({text})",
        ),
        "decisions.interest-fixed": ("；另加 {fixed}", "; plus {fixed}"),
        "decisions.versions": ("决定的版本", "Versions"),
        "decisions.version": ("版本", "Version"),
        "decisions.why-otherwise": ("调整理由", "Why overridden"),
        "decisions.history": ("经过", "History"),
        "decisions.day": ("日期", "Day"),
        "decisions.step": ("步骤", "Step"),
        "decisions.steps": ("下一步", "What may follow"),
        "decisions.person": ("人员", "Who"),
        "decisions.note": ("说明", "Note"),
        "decisions.deputy-of": ("代 {holder}", "for {holder}"),
        "decisions.human": (
            "自然人客户：由人决定，不自动处理。批准时须写明亲自审查的内容。",
            "A natural person: people decide, and the approval states what they reviewed.",
        ),
        "decisions.review-stated": ("人工审查", "Human review"),
        "decisions.operator": (
            "管理员令牌不能审批：请用本人的令牌登录。",
            "The operator's token cannot approve: sign in with your own token.",
        ),
        "decisions.submit": ("提交审批", "Submit for approval"),
        "decisions.approve": ("批准", "Approve"),
        "decisions.reject": ("否决", "Reject"),
        "decisions.return": ("退回", "Return"),
        "decisions.withdraw": ("撤回", "Withdraw"),
        "decisions.override": ("人工调整", "Override"),
        "decisions.comment": ("意见", "Comment"),
        "decisions.human-review": ("亲自审查的内容", "What you reviewed yourself"),
        "decisions.reason": ("理由", "Reason"),
        "decisions.reason-code": ("理由代码", "Kind of reason"),
        "decisions.unchanged": ("不变", "unchanged"),
        "decisions.limit-hint": ("填 0 为预付", "0 means prepayment"),
        "decisions.stop": ("停止供货", "Stop supply"),
        "refusal.decision-state": (
            "当前状态不允许这一步，请重新查看。",
            "Not possible in its present state: please look again.",
        ),
        "refusal.decision-open": (
            "该客户已有待处理的决定。",
            "Another decision on this customer is pending.",
        ),
        "refusal.decision-stale": (
            "依据已变化，请重新提议。",
            "What it rests on has changed: propose anew.",
        ),
        "refusal.decision-same-person": (
            "提议人或调整人不得审批；同一人、同一权限只计一次。",
            "Who proposed or overrode it does not approve it; no person or role counts twice.",
        ),
        "refusal.decision-no-authority": (
            "该金额超出您的审批权限。",
            "This amount is beyond your authority.",
        ),
        "refusal.decision-duty-conflict": (
            "职责冲突：须由本人以审批岗位的令牌决定。",
            "Duties conflict: a person decides, with their own token of an approving role.",
        ),
        "refusal.decision-invalid": ("填写内容不符合规则。", "What was entered breaks a rule."),
        "refusal.decision-human-review": (
            "自然人客户须写明人工审查的内容。",
            "For a natural person, state what you reviewed yourself.",
        ),
    }
)
