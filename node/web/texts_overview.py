"""The part of the catalogue that the list of customers and the portfolio speak."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OVERVIEW_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "error.list-filter": (
            "没有这样的筛选条件。",
            "The list cannot be narrowed down in this way.",
        ),
        "list.behind": (
            "数据截至 {day}（{moment} UTC 整理），其后录入的尚未计入。",
            "As of {day}, brought up at {moment} UTC: what was entered since is not in it yet.",
        ),
        "list.new": (
            "客户清单正在首次整理，请稍后再看。",
            "The list of customers is being made for the first time. Look again in a while.",
        ),
        "list.narrowed": ("共 {count} 个客户符合：", "{count} customers match:"),
        "list.without": ("取消“{what}”", "Without “{what}”"),
        "list.none": ("没有这样的客户。", "There is no such customer."),
        "list.first": ("首页", "First"),
        "list.shown": ("本页 {count} 个，共 {matches} 个", "{count} of {matches}"),
        "narrowed.query": ("查找“{query}”", "found by “{query}”"),
        "narrowed.grade": ("评级 {grade}", "grade {grade}"),
        "narrowed.status": ("风险状态：{status}", "risk status: {status}"),
        "narrowed.watched": ("在关注名单上", "on the watch list"),
        "narrowed.currency": ("主要币种 {currency}", "main currency {currency}"),
        "narrowed.moved": ("{day} 以来：{what}", "since {day}: {what}"),
        "moved.grade": ("评级变动", "grade moved"),
        "moved.alert": ("新预警", "new alert"),
        "moved.status": ("风险状态变动", "risk status changed"),
        "moved.limit": ("额度变动", "limit changed"),
        "moved.promise": ("承诺未兑现", "promise not kept"),
    }
)
