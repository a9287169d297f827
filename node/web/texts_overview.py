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
        "nav.portfolio": ("总览", "Portfolio"),
        "portfolio.title": ("客户总览", "Portfolio"),
        "portfolio.as-of": ("截至 {day}", "As of {day}"),
        "portfolio.made": ("{moment} UTC 整理", "brought up at {moment} UTC"),
        "portfolio.changed": ("自 {day} 以来的变化", "What has changed since {day}"),
        "portfolio.changed-note": (
            "每个数字为客户数，含起始日当天；点击即见名单。评级为评出的等级，不含人工给定的等级。",
            (
                "Each number counts customers, the first day included, and leads to them. Grades "
                "are as rated, without what persons have given."
            ),
        ),
        "portfolio.since": ("起始日", "Since"),
        "portfolio.since-1": ("昨天", "yesterday"),
        "portfolio.since-7": ("7 天前", "7 days ago"),
        "portfolio.since-30": ("30 天前", "30 days ago"),
        "portfolio.watch": ("风险状态与关注名单", "Risk status and watch list"),
        "portfolio.watch-due": ("待复查", "to be reviewed"),
        "portfolio.grades": ("评级分布与应收", "Grades and what is owed"),
        "portfolio.grades-note": (
            "应收按客户的主要币种计，不含未交货订单；敞口另见风险页。",
            (
                "What is owed is in each customer's main currency and without orders that are not "
                "delivered: exposure stands on the pages of risk."
            ),
        ),
        "portfolio.grades-chart": ("各评级的客户数", "Customers by grade"),
        "portfolio.owing-chart": ("各评级的应收（{currency}）", "Owing by grade, {currency}"),
        "portfolio.grade": ("评级", "Grade"),
        "portfolio.of-currency": ("其中主要币种 {currency}", "of them in {currency}"),
        "portfolio.ageing": ("全部账龄（{currency}）", "Ageing of all, {currency}"),
        "portfolio.trend": ("逾期天数趋势（{currency}）", "Days beyond terms by month, {currency}"),
        "portfolio.trend-note": (
            "全部客户已发布月份的发票，按金额加权；每日整理一次。",
            "Invoices of all customers in released months, weighted by amount; made once a day.",
        ),
        "portfolio.trend-chart": (
            "全部客户平均逾期天数（{currency}），{first} 至 {last}",
            "Days beyond terms of all customers, {currency}, {first} to {last}",
        ),
        "payments.title": ("付款时间线", "How invoices were paid"),
        "payments.note": (
            "每月到期的发票按付款早晚所占的份额（按张数）。",
            "Of the invoices due in each month, what share was paid how late, by number.",
        ),
        "payments.chart": (
            "{first} 至 {last} 各月到期发票的付款早晚",
            "How late the invoices due in each month were paid, {first} to {last}",
        ),
        "payments.key": ("图例", "Key"),
        "payments.count": ("{count} 张发票", "{count} invoices"),
        "points.title": ("得分如何累加", "How the points add up"),
        "points.note": (
            "每行从上一行结束处开始；浅色部分是该项未得的分。数字见下表。",
            (
                "Each row begins where the one above ends; its pale part is what it did not bring. "
                "The figures stand in the table below."
            ),
        ),
        "points.chart": ("各项得分累加至 {score}", "Points of each factor, up to {score}"),
        "history.title": ("评级历史", "Ratings so far"),
        "history.note": ("一点为一次评级。", "A point is a rating."),
        "history.chart": ("{first} 至 {last} 的得分", "Scores from {first} to {last}"),
        "history.axis": ("分", "points"),
        "history.open": (
            "未关闭的预警 {alerts} 项，措施 {actions} 项",
            "Open: {alerts} alerts, {actions} actions",
        ),
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
