"""The words of duties, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from node.assessment.policy_file import Language

# By kind of word and code: Chinese, English.
DUTY_WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "conflict": {
            "request-approve": ("申请与审批", "requests and approves"),
            "assess-override": ("评估与改判审批", "assesses and decides otherwise"),
            "issue-dispute": ("开票与处理争议", "issued it and decides the dispute"),
            "build-validate": ("建模与验证", "built the model and validates it"),
            "propose-confirm": ("提出与确认违约", "proposed the default and decides on it"),
            "write-approve": ("起草与批准政策", "wrote the policy and approves it"),
            "audit-act": ("审计与经办", "audits and acts"),
        },
        "role": {
            "operator": ("运维", "operator"),
            "credit-manager": ("信用经理", "credit manager"),
            "analyst": ("分析员", "analyst"),
            "cfo": ("财务总监", "CFO"),
            "collector": ("催收员", "collector"),
            "steward": ("数据管理员", "data steward"),
            "sales": ("业务员", "sales"),
            "auditor": ("审计人", "auditor"),
        },
        "area": {
            "customers": ("客户", "customers"),
            "ledger": ("账款", "ledger"),
            "adjustments": ("更正与核销", "corrections and write-offs"),
            "running": ("系统运行", "running"),
            "credit": ("评级与授信", "ratings and decisions"),
            "policies": ("政策", "policies"),
            "approvals": ("政策批准", "approval of policies"),
            "persons": ("自然人", "natural persons"),
            "cases": ("异议投诉", "objections and complaints"),
            "training": ("流程与培训", "procedures"),
            "governance": ("职责与评审", "duties and reviews"),
            "consents": ("授权", "consents"),
            "peers": ("同行信息", "what peers have said"),
            "peer-values": ("同行信息", "what peers have said"),
            "page": ("页面", "page"),
            "subject": ("客户本人", "the customer itself"),
        },
    }
)


def say_duty(kind: str, code: str, language: Language) -> str:
    """Return the words of a code; itself where there are none."""
    chinese, english = DUTY_WORDS[kind].get(code, (code, code))
    return chinese if language is Language.ZH else english
