"""The part of the catalogue about the data steward's work list."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STEWARD_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nav.steward": ("数据整理", "Data work"),
        "steward.title": ("数据整理", "Data steward's work list"),
        "steward.note": (
            "可能重复的客户、待更正的数据、到期应清除的记录。",
            "Customers that may be one, data to be put right, records whose time is over.",
        ),
        "steward.none": ("没有。", "There is nothing."),
        "steward.merged": ("已合并，移动了 {count} 个项目。", "Merged: {count} items moved."),
        "steward.duplicates": ("可能是同一家企业", "May be one company"),
        "steward.duplicates-note": (
            "仅为提示：名称相近不等于同一家。合并后两个编号指向同一客户。",
            "A hint only: alike names are often two companies. Both numbers then lead to one.",
        ),
        "steward.one": ("客户", "Customer"),
        "steward.other": ("另一客户", "The other"),
        "steward.why": ("依据", "Why"),
        "steward.alike": ("名称相似度 {percent} %", "names {percent} % alike"),
        "steward.same-contact": ("联系方式相同", "the same phone or mail"),
        "steward.countries": ("国家不同", "in two countries"),
        "steward.merge": ("合并", "Merge"),
        "steward.reason": ("理由", "Reason"),
        "steward.reason-of": ("将 {gone} 并入 {stays} 的理由", "Why {gone} is {stays}"),
        "steward.into": ("并入 {name}", "Merge into {name}"),
        "steward.corrections": ("待更正", "To be corrected"),
        "steward.corrections-note": (
            "异议已成立或来源逾期未答，更正后在案件中录入。",
            "Objections upheld, or whose source was silent: enter the correction in the case.",
        ),
        "steward.due": ("到期应清除", "Due to go"),
        "steward.due-note": (
            "保存期已过。有保留依据的不清除。清除命令：",
            "Their time is over; what a hold keeps stays. They are deleted by",
        ),
        "steward.documents": ("单据", "Documents"),
        "steward.items": ("条数", "Rows"),
        "steward.ended": ("事件结束", "Ended"),
        "steward.expires": ("保存至", "Kept until"),
        "steward.held": ("保留", "Held"),
        "steward.held-by": ("保留 {number}", "hold {number}"),
        "steward.adverse": ("不良事实", "adverse fact"),
        "error.merge-form": (
            "请选定两个客户并填写理由。",
            "A merge needs two customers and a reason.",
        ),
    }
)
