"""The part of the catalogue about forms of cases and reviews."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CASE_FORM_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "cases.receive": ("登记异议或投诉", "Enter what came"),
        "cases.receive-note": ("登记一项异议或投诉", "Enter an objection or a complaint"),
        "cases.channel": ("方式", "Channel"),
        "cases.target-hint": (
            "仅用于异议：指明即停止对外共享",
            "of an objection alone: what is named is held back at once",
        ),
        "cases.target-ref": ("其编号", "Its name"),
        "cases.next": ("下一步", "What may follow"),
        "cases.not-operator": (
            "案件的各步骤须由本人登录办理，运营令牌不能办理。",
            "A person takes the steps of a case, signed in as itself: not the operator.",
        ),
        "cases.correction-note": (
            "向以往接收方推送更正：请用命令或 API。",
            "A correction is pushed to past receivers by command or over the API.",
        ),
        "cases.source": ("询问了谁、问了什么", "Who was asked, and what"),
        "cases.decision": ("决定", "Decision"),
        "cases.cause": ("根本原因", "Root cause"),
        "cases.found": ("查明的情况", "What was found"),
        "cases.before": ("向谁申诉", "Before whom"),
        "case-step.mark": ("标注", "Mark it"),
        "case-step.ask": ("询问来源", "Ask the source"),
        "case-step.decide": ("作出决定", "Decide it"),
        "case-step.answer": ("书面答复", "Answer in writing"),
        "case-step.cause": ("登记根本原因", "Enter the root cause"),
        "case-step.statement": ("登记主体声明", "Enter a statement of the subject"),
        "case-step.close": ("结案", "Close it"),
        "case-step.appeal": ("登记申诉", "Enter an appeal"),
        "case-step.confirm": ("申诉维持原决定", "The appeal changed nothing"),
        "case-step.reopen": ("重新受理", "Open it again"),
        "reviews.plan": ("安排评审", "Plan a review"),
        "reviews.plan-note": ("安排一次评审", "Plan one, once or every so many months"),
        "reviews.months": ("涵盖月数", "Months that it covers"),
        "reviews.every": ("每隔几个月", "Every so many months"),
        "reviews.hold": ("登记评审结果", "Enter that it was held"),
        "reviews.add-action": ("登记改进措施", "Enter an action"),
        "reviews.finish": ("登记措施完成", "Enter that it was done"),
        "refusal.case-invalid": ("填写内容不符合规则。", "What was entered breaks a rule."),
        "refusal.case-state": (
            "案件的状态不允许这样做。",
            "The case is not in a state in which this can be done.",
        ),
        "refusal.case-handler": (
            "须由他人决定。",
            "Another person decides than who issued it, or decided before.",
        ),
        "refusal.case-person": (
            "须由本人登录办理。",
            "A person does this, signed in as itself.",
        ),
        "refusal.review-invalid": ("日期或月数不符合规则。", "A day or the months are wrong."),
        "refusal.review-state": ("已登记过。", "That was entered already."),
    }
)
