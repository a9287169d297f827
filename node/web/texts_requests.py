"""The part of the catalogue for the officer who asks a subject for a consent, and of refusals."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REQUEST_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "look.subject": ("客户本人", "the customer itself"),
        "requests.title": ("授权请求", "Consents"),
        "requests.none": ("还没有请求。", "None was asked for yet."),
        "requests.number": ("编号", "No."),
        "requests.asked-at": ("提出", "Asked"),
        "requests.providers": ("应答方", "Who may answer"),
        "requests.purpose": ("用途", "Purpose"),
        "requests.purpose-hint": (
            "用途限定上限；P3 不含金额、张数和往来年限。",
            "The purpose sets the ceilings; P3 has no amounts, number of invoices or relation.",
        ),
        "requests.metrics": ("内容", "What is told"),
        "requests.state": ("状态", "State"),
        "requests.steps": ("操作", "Steps"),
        "requests.code": ("请把此地址或代码交给客户", "Hand address or code to the customer"),
        "requests.hand-over": (
            "只显示这一次，只能打开一次。请通过您知道确属该客户的途径交付。",
            "It is shown this once and opens once. Use a way that you know to be the customer's.",
        ),
        "requests.or-code": ("或只交代码：", "Or the code alone:"),
        "requests.until": ("有效至", "Good until"),
        "requests.new-code": ("新代码", "New code"),
        "requests.withdraw": ("收回", "Take back"),
        "requests.deliver": ("送达应答方", "Deliver"),
        "requests.new": ("请客户授权", "Ask for a consent"),
        "requests.no-providers": (
            "登记册中没有其他应答成员。",
            "The registry has no other member that answers.",
        ),
        "requests.last-months": ("回溯月数", "Months back"),
        "requests.days": ("授权天数", "Days that it lasts"),
        "requests.max-uses": ("可用次数", "Uses"),
        "requests.data-life": ("答复保存月数", "Months that answers are kept"),
        "requests.k-min": ("最少发票张数", "Fewest invoices"),
        "requests.open-days": ("请求开放天数", "Days that the request is open"),
        "requests.push": ("变化时主动告知", "Tell changes"),
        "requests.push-hint": ("仅限 P3", "P3 alone"),
        "requests.ask": ("生成代码", "Make the code"),
        "request-state.open": ("待签署", "open"),
        "request-state.signed": ("已签署", "signed"),
        "request-state.refused": ("客户拒绝", "refused"),
        "request-state.withdrawn": ("已收回", "taken back"),
        "request-state.over": ("已过期", "over"),
        "refusal.consent-request-invalid": (
            "不能这样请求授权。",
            "A consent cannot be asked for like this.",
        ),
        "refusal.consent-request-ended": ("此请求已结束。", "The request is over."),
        "refusal.consent-code-invalid": (
            "此代码无效、已用过或已过期。请向对方索取新的代码。",
            "This code opens nothing: it was used, or its time is over. Ask for another one.",
        ),
        "refusal.consent-other-terms": (
            "签署的内容与请求不符。",
            "What was signed is not what was asked for.",
        ),
        "refusal.consent-signature": (
            "签名的密钥未登记为该企业所有。",
            "The key that signed is not entered as this company's.",
        ),
        "refusal.consent-not-delivered": (
            "应答方没有接收。",
            "A company that is to answer has not taken it.",
        ),
        "refusal.subject-proof-invalid": (
            "未能证明密钥在您手中，或该密钥未登记。",
            "It was not shown that you hold a key that is entered.",
        ),
        "refusal.sign-in-too-soon": (
            "尝试次数过多，请稍后再试。",
            "Too many failures: try again in some minutes.",
        ),
        "refusal.subject-session-over": (
            "会话已结束，请重新开始。",
            "Your session is over: begin again.",
        ),
        "refusal.status-stale": (
            "此授权的状态已不能更改。",
            "The state of this consent cannot be changed any more.",
        ),
    }
)
