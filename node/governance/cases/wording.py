"""The words of objections and complaints, in both languages."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from node.assessment.policy_file import Language

# By kind of word and code: Chinese, English.
CASE_WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "kind": {
            "objection": ("异议", "objection"),
            "service": ("服务投诉", "complaint about service"),
            "conduct": ("员工行为投诉", "complaint about staff"),
        },
        "state": {
            "received": ("已收到", "received"),
            "marked": ("已标注", "marked"),
            "asked": ("已询问来源", "source asked"),
            "upheld": ("成立", "upheld"),
            "rejected": ("不成立", "rejected"),
            "withdrawn": ("已撤回", "withdrawn"),
            "suppressed": ("逾期未答，停止共享", "suppressed: no answer in time"),
            "closed": ("已结案", "closed"),
            "appealed": ("申诉中", "appealed"),
        },
        "step": {
            "receive": ("收到", "received"),
            "mark": ("标注", "marked"),
            "ask": ("询问来源", "source asked"),
            "uphold": ("认定成立", "upheld"),
            "reject": ("认定不成立", "rejected"),
            "withdraw": ("撤回", "withdrawn"),
            "suppress": ("停止共享", "suppressed"),
            "answer": ("书面答复", "answered in writing"),
            "cause": ("根本原因", "root cause"),
            "statement": ("主体声明", "statement of the subject"),
            "correct": ("更正已推送", "correction pushed"),
            "close": ("结案", "closed"),
            "appeal": ("申诉", "appealed"),
            "confirm": ("申诉维持", "appeal changed nothing"),
            "reopen": ("重新受理", "opened again"),
        },
        "cause": {
            "data-entry": ("录入错误", "data entry"),
            "allocation": ("回款未核销或核销错误", "payment not applied, or wrongly"),
            "delivery": ("交付物流", "delivery"),
            "quality": ("质量", "quality"),
            "price": ("价格或合同", "price or contract"),
            "sales-promise": ("销售承诺", "promise by sales"),
            "identity": ("主体混淆", "another company"),
            "delay": ("处理迟延", "delay"),
            "staff": ("员工行为", "conduct of staff"),
            "source": ("外部来源错误", "outside source"),
            "unfounded": ("无依据", "unfounded"),
        },
        "channel": {
            "letter": ("信函", "letter"),
            "e-mail": ("电子邮件", "e-mail"),
            "phone": ("电话", "telephone"),
            "in-person": ("当面", "in person"),
            "own-page": ("客户自助页面", "the subject's own page"),
        },
        "before": {
            "ombudsman": ("协会申诉专员", "the hub's ombudsman"),
            "authority": ("监管机构", "an authority"),
        },
        "target": {
            "fact": ("不良信息", "adverse fact"),
            "summary": ("同行摘要", "a peer's summary"),
            "dispute": ("账款争议", "dispute of the ledger"),
        },
    }
)


def say_case(kind: str, code: str, language: Language) -> str:
    """Return the words of a code; itself where there are none."""
    chinese, english = CASE_WORDS[kind].get(code, (code, code))
    return chinese if language is Language.ZH else english
