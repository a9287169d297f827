"""The part of the catalogue about dunning: work list, letters, promises, runs."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DUNNING_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nav.collection": ("催收", "Collection"),
        "collection.title": ("催收", "Collection"),
        "collection.today": ("今日待办", "To do today"),
        "collection.note": ("截至 {day}。", "As of {day}."),
        "collection.last-run": ("最近一次催收运行：{day}", "Last dunning run: {day}"),
        "collection.broken": (
            "近 {days} 天未兑现的付款承诺",
            "Promises not kept in the last {days} days",
        ),
        "collection.due-today": ("今天到期的承诺", "Promises due today"),
        "collection.held": ("暂停催收的客户", "Customers not reminded"),
        "collection.to-release": ("待签发的催款函", "Letters to release"),
        "collection.unpaid": ("付款期已过的催款函", "Letters whose day to pay by is over"),
        "collection.none": ("没有。", "None."),
        "collection.all": ("全部", "All of them"),
        "letters.title": ("催款函", "Letters"),
        "letters.note": (
            "由运行提出、由人签发。本节点不发送：打印后交寄。",
            "A run proposes them and a person releases them. This node sends nothing: print them.",
        ),
        "letters.none": ("没有这样的催款函。", "No such letter."),
        "letters.letter": ("催款函", "Letter"),
        "letters.level": ("级别", "Level"),
        "letters.any-level": ("全部级别", "all levels"),
        "letters.asked": ("催收金额", "Asked for"),
        "letters.state": ("状态", "State"),
        "letters.as-of": ("日期", "Day"),
        "letters.pay-by": ("付款期限", "Pay by"),
        "letters.runs": ("运行与暂停", "Runs and pauses"),
        "letters.runs-note": (
            "同日再次运行不会重复提出。",
            "Run a second time on a day, nothing is proposed twice.",
        ),
        "letters.start": ("开始运行", "Start a run"),
        "letters.past-runs": ("历次运行", "Runs"),
        "letters.no-runs": ("尚未运行。", "There was no run yet."),
        "letters.policy": ("政策", "Policy"),
        "letters.customers": ("客户数", "Customers"),
        "letters.proposed": ("提出", "Proposed"),
        "letters.withdrawn": ("撤回", "Withdrawn"),
        "letters.held": ("暂停", "Paused"),
        "letters.holds": ("暂停催收", "Whom nobody reminds"),
        "letters.no-holds": ("没有暂停催收的客户。", "Nobody is left out."),
        "letters.hold": ("暂停催收此客户", "Do not remind this customer"),
        "letters.hold-again": ("暂停未录入：", "The pause was not entered:"),
        "letters.until": ("暂停至", "Until"),
        "letters.end-hold": ("恢复催收", "Remind again"),
        "letters.release": ("签发", "Release"),
        "letters.release-note": (
            "签发时重新核算；已有变化则拒绝。",
            "Worked out again at that moment, and refused where something has changed.",
        ),
        "letters.answer": ("登记客户答复", "Enter the customer's answer"),
        "letters.answer-text": ("答复内容", "What was answered"),
        "letters.withdraw": ("撤回", "Withdraw"),
        "letters.lines": ("列出的凭证", "What stands in it"),
        "letters.days": ("逾期天数", "Days past due"),
        "letters.interest": ("利息", "Interest"),
        "letters.why": ("理由", "Why"),
        "letters.total": ("应付合计", "To be paid"),
        "letters.unapplied": (
            "已扣除未核销款 {money}",
            "{money} received and not applied taken off",
        ),
        "letters.preview": ("客户将读到的内容", "As the customer will read it"),
        "letters.as-page-zh": ("打印页（中文）", "To print, in Chinese"),
        "letters.as-page-en": ("打印页（英文）", "To print, in English"),
        "letter-step.proposed": ("提出", "proposed"),
        "letter-step.released": ("签发", "released"),
        "letter-step.answered": ("客户答复", "answered"),
        "letter-step.withdrawn": ("撤回", "withdrawn"),
        "dunning-run.running": ("进行中", "under way"),
        "dunning-run.finished": ("完成", "finished"),
        "dunning-run.abandoned": ("已放弃", "given up"),
        "promised.title": ("付款承诺", "Promises to pay"),
        "promised.note": (
            "近 {late} 天未兑现的、今天到期的和 {ahead} 天内到期的。",
            "Not kept in the last {late} days, due today, and due within {ahead} days.",
        ),
        "promised.amount": ("承诺金额", "Promised"),
        "promised.kept": ("已付", "Paid of it"),
        "promised.due": ("到期日", "Due"),
        "promised.state": ("结果", "State"),
        "promised.items": ("所涉凭证", "For items"),
        "promised.by": ("录入人", "Entered by"),
        "promised.ahead": ("{days} 天内到期", "Due within {days} days"),
        "refusal.dunning-invalid": ("日期或理由不符合规则。", "The day or the reason is wrong."),
        "refusal.dunning-letter-state": (
            "催款函的状态不允许这样做。",
            "The letter is not in a state in which this can be done.",
        ),
        "refusal.dunning-letter-outdated": (
            "其间有付款、争议、承诺或暂停：请重新运行。",
            "Something was paid, disputed, promised or paused since: run again.",
        ),
        "refusal.dunning-run-lost": ("另有运行正在进行。", "Another run goes on with it."),
    }
)
