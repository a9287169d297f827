"""The part of the catalogue about asking several providers at once."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ASK_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ask.title": ("询问同行", "Ask peers"),
        "ask.purpose": ("用途", "Purpose"),
        "ask.purpose-note": (
            "授权书只对其所写的用途有效；括号内为持有的授权书数。",
            "A consent holds for the purpose that it names; in brackets: how many are held.",
        ),
        "purpose.P1": ("新客户赊销评估", "assess new credit"),
        "purpose.P2": ("老客户信用复审", "review existing credit"),
        "purpose.P3": ("在途风险监测", "watch while money is owed"),
        "ask.consents": ("授权与提供方", "Consents and providers"),
        "ask.consents-note": (
            "每份授权书指明一个提供方。每次询问计一次使用。",
            "Each consent names one provider. A question counts as a use of it.",
        ),
        "ask.no-consents": (
            "没有持有该客户此用途的授权书：须先由客户签署。",
            "No consent of this customer is held for this purpose: the customer gives it first.",
        ),
        "ask.unread": (
            "另有 {count} 份授权书按现在的登记册无法核实，不能用于询问。",
            "{count} more consents do not verify by the present registry: nothing is asked.",
        ),
        "ask.choose": ("询问", "Ask"),
        "ask.choose-one": ("询问 {provider}", "Ask {provider}"),
        "ask.may-ask": ("可以询问", "may be asked"),
        "ask.metrics": ("询问内容", "What is asked"),
        "ask.months": ("最近 {months} 个月", "last {months} months"),
        "ask.by-paper": ("书面，由本方担保", "paper, which we vouch for"),
        "ask.begin": ("开始询问", "Ask them"),
        "ask.begin-note": (
            "在后台进行；离开或刷新页面不会中断。",
            "It goes on in the background: leaving or loading the page again does not stop it.",
        ),
        "ask.earlier": ("以往的询问", "Earlier inquiries"),
        "ask.none": ("没有。", "There are none."),
        "ask.inquiry": ("询问", "Inquiry"),
        "ask.begun": ("开始（UTC）", "Begun (UTC)"),
        "ask.by": ("经办", "By"),
        "ask.begun-by": ("{by} 于 {at}（UTC）开始", "begun by {by} at {at} UTC"),
        "ask.ended": ("已结束", "ended"),
        "ask.open": ("进行中", "under way"),
        "ask.coming": (
            "进行中：{total} 家中已有 {came} 家有结果。",
            "Under way: {came} of {total} have come.",
        ),
        "ask.interrupted": (
            "被中断：{total} 家中已有 {came} 家有结果。节点下次启动时继续。",
            "Interrupted: {came} of {total} have come. The node goes on when it starts next.",
        ),
        "ask.is-ended": ("{at}（UTC）结束。", "Ended at {at} UTC."),
        "ask.message": ("问询摘要值", "Message hash"),
        "ask.answer": ("答复摘要值", "Answer hash"),
        "ask.answered": ("答复时间（UTC）", "Answered (UTC)"),
        "ask.proof": ("证明", "Proof"),
        "ask.no-reply": ("没有答复可供核实", "no reply to verify"),
        "ask.proven": ("已核实", "verified"),
        "ask.proven-by": (
            "签名有效；为提供方日志第 {index} 条，该日志共 {size} 条。密钥",
            "the signature holds; entry {index} of the provider's log of {size}. Key",
        ),
        "ask.unproven": ("不能核实", "does not verify"),
        "ask.manifest": (
            "谁答复、拒绝或未答复，见签名清单",
            "Who answered, refused or kept silent is in the signed manifest",
        ),
        "code.waiting": ("等待答复", "waiting"),
        "code.202": ("将稍后答复", "will be answered later"),
        "code.timeout": ("限时内没有答复", "no answer in time"),
        "code.given-up": ("不再等待", "given up"),
        "code.peer-unreachable": ("无法连接", "cannot be reached"),
        "code.peer-refused": ("未签名拒绝，或答复不能核实", "refused unsigned, or does not verify"),
        "code.person-asked": (
            "未发送：本方记录为自然人",
            "not sent: a natural person by our records",
        ),
        "code.peer-not-member": ("未发送：不是成员", "not sent: no member"),
        "code.provider-not-active": ("未发送：成员资格中止", "not sent: member not active"),
        "code.purpose-mismatch": ("用途不一致", "for another purpose"),
        "code.over-ceiling": ("超出授权范围", "beyond the consent"),
        "code.metric-not-allowed": ("内容未获授权", "metrics not consented to"),
        "code.operation-not-allowed": ("操作未获授权", "operation not consented to"),
        "code.consent-not-yet-valid": ("授权尚未生效", "consent not yet valid"),
        "code.consent-signature": ("授权签名无效", "the consent's signature does not hold"),
        "error.inquiry-refused": (
            "请至少选择一份可用于询问的授权书。",
            "Choose at least one consent under which a question may be asked.",
        ),
    }
)
