"""The part of the catalogue about assessments to renew, and what each peer does to a score."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RENEWAL_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nav.renewals": ("待重新评估", "To renew"),
        "renewals.title": ("待重新评估的客户", "Assessments to renew"),
        "renewals.note": (
            "上次评估之后，其所依据的内容有变。重新评级后即移出。",
            "What the newest assessment rests on has changed since. Rating anew takes a row off.",
        ),
        "renewals.none": ("没有待重新评估的客户。", "Nobody waits."),
        "renewals.cause": ("原因", "Cause"),
        "renewals.since": ("自", "Since"),
        "renewals.message": ("相关消息", "Message"),
        "renewals.hidden": (
            "另有 {count} 项涉及自然人，您的角色不可见。",
            "{count} more are of natural persons, whom your role does not see.",
        ),
        "renewals.more": ("下一页", "Next page"),
        "renewals.mark": ("需要重新评估", "To be assessed anew"),
        "renewal.disputed": ("同行摘要有异议", "a peer's summary is disputed"),
        "renewal.superseded": (
            "同行摘要已更正或撤回",
            "a peer's summary was corrected or taken back",
        ),
        "renewal.revoked": ("授权已撤销", "the consent of a peer's summary was revoked"),
        "renewal.expired": ("同行摘要保存期限已过", "a peer's summary may not be kept any longer"),
        "renewal.erased": ("同行摘要已擦除", "a peer's summary was erased"),
        "renewal.reinstated": (
            "对同行摘要的异议被驳回，重新采用",
            "an objection was rejected: a peer's summary counts again",
        ),
        "renewal.band-change": ("同行推送了区间变化", "a peer has told of a changed band"),
        "renewal.own-default": (
            "自有记录有违约或不良事件",
            "a default or adverse fact in our own records",
        ),
        "effect.title": ("逐一剔除同行的影响", "Without each peer"),
        "effect.note": (
            "按剔除该同行后重新计算；各项影响之和不等于全部同行的影响。",
            "Worked out again without that peer; the effects do not add up to that of all.",
        ),
        "effect.peer": ("同行", "Peer"),
        "effect.score": ("剔除后得分", "Score without it"),
        "effect.change": ("变化", "Change"),
        "effect.factors": ("变化的指标", "Factors that change"),
        "effect.gone": (
            "评估所依据的内容此后有变或已擦除，无法逐一计算。",
            "What the assessment was made from has changed or was erased: this cannot be told.",
        ),
    }
)
