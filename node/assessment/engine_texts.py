"""Words for codes that the engine has learnt since the first policy was approved.

A policy is named by its bytes, so its texts cannot grow; whoever reads an old policy finds these.
"""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from node.assessment.policy_file import LocalText

ENGINE_TEXTS: Mapping[str, LocalText] = MappingProxyType(
    {
        "left-out.disputed": LocalText(
            zh="异议处理中，未采用", en="left out: an objection to it is open or was upheld"
        ),
        "left-out.corrected": LocalText(
            zh="已被提供方更正，未采用", en="left out: its provider has corrected it"
        ),
        "left-out.withdrawn": LocalText(
            zh="已被提供方撤回，未采用", en="left out: its provider has taken it back"
        ),
        "left-out.revoked": LocalText(
            zh="授权已撤销，不再用于新的决定",
            en="left out: the consent was revoked, so it serves no new decision",
        ),
        "left-out.expired": LocalText(
            zh="保存期限已过，未采用", en="left out: it may not be kept any longer"
        ),
        "left-out.erased": LocalText(zh="内容已擦除，未采用", en="left out: its body is erased"),
        "left-out.not-for-rating": LocalText(
            zh="授权不允许用于评级，未采用",
            en="left out: its consent lets it feed no rating",
        ),
        "left-out.unreadable": LocalText(
            zh="公式版本无法读取，未采用", en="left out: its formula version is not read any more"
        ),
        "left-out.not-a-member": LocalText(
            zh="提供方已不是成员，未采用",
            en="left out: its provider is no member any more, so nobody answers for it",
        ),
        "left-out.own-group": LocalText(
            zh="提供方与本企业属同一集团，未采用", en="left out: its provider is of our own group"
        ),
        "left-out.same-group": LocalText(
            zh="提供方与另一提供方属同一集团，只计一次",
            en="left out: another company of its provider's group was heard",
        ),
        "left-out.consolidated": LocalText(
            zh="汇总结果可能包含已单独采用的摘要，未采用",
            en="left out: it may hold again what single members have told",
        ),
    }
)
