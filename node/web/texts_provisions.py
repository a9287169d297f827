"""The part of the catalogue about provisions."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PROVISION_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nav.provisions": ("坏账准备", "Provisions"),
        "provisions.title": ("坏账准备", "Provisions"),
        "provisions.note": (
            "按日期和币种计提；运行一经保存不再改变。",
            "By day and currency. A run that was kept never changes.",
        ),
        "provisions.runs": ("历次计提", "Runs"),
        "provisions.no-runs": ("尚未计提。", "Nothing was provided for yet."),
        "provisions.day": ("日期", "Day"),
        "provisions.balance": ("余额", "Balance"),
        "provisions.allowance": ("准备", "Allowance"),
        "provisions.stage": ("阶段 {number}", "Stage {number}"),
        "provisions.stage-name": ("阶段", "Stage"),
        "provisions.stages": ("阶段", "Stages"),
        "provisions.stages-note": (
            "阶段仅供参考：全部按整个存续期计提。",
            "Stages inform only: all losses are those of the whole life.",
        ),
        "provisions.policy": ("政策", "Policy"),
        "provisions.start": ("计提", "Provide for a day"),
        "provisions.start-hint": (
            "没有新情况时，再次计提即为原来的结果。",
            "with nothing new, a second run is the first",
        ),
        "provisions.apart": ("单项认定", "Looked at apart"),
        "provisions.apart-note": (
            "不在组合内，按各自的比例计提。",
            "Taken out of the pool, each at a share of its own.",
        ),
        "provisions.is-apart": ("单项认定", "looked at apart"),
        "provisions.none-apart": ("没有单项认定的客户。", "Nobody is looked at apart."),
        "provisions.set-apart": ("列入单项认定", "Look at a customer apart"),
        "provisions.end-apart": ("放回组合", "Put back into the pool"),
        "provisions.share": ("预计损失比例（%）", "Share expected to be lost (%)"),
        "provisions.customer-hint": (
            "客户编号或 scheme:value 形式的识别号",
            "its number here, or an identifier as scheme:value",
        ),
        "provisions.basis": (
            "依据政策 {policy}，{method}，所知截至 {moment} UTC。",
            "By the policy {policy}, {method}, of what was known at {moment} UTC.",
        ),
        "provision-method.matrix": ("按政策的损失率", "by the rates of the policy"),
        "provision-method.flow": ("按自身历史的滚动率", "by rates of own history"),
        "provisions.flow": ("历史发票 {count} 张。", "Invoices of the history: {count}."),
        "provisions.disputed": ("其中有争议", "Of it in dispute"),
        "provisions.unapplied": ("未核销款项（未扣除）", "Not applied (not taken off)"),
        "provisions.matrix": ("损失率矩阵", "Matrix"),
        "provisions.line": ("逾期天数", "Days past due"),
        "provisions.rate": ("损失率", "Loss rate"),
        "provisions.total": ("合计", "Total"),
        "provisions.forward": (
            "组合各行的损失率再乘以前瞻系数 {share} %。",
            "The rates of the pool are multiplied by the forward factor of {share} %.",
        ),
        "provisions.behind": ("涉及的客户", "Who is behind it"),
        "provisions.behind-note": (
            "每位客户逐行单独取整，与组合合计可能相差几分。",
            "Each customer is rounded by itself, so that sums may differ from the pool by cents.",
        ),
        "provisions.cut": ("仅列出最大的 {count} 位。", "The largest {count} alone."),
        "provisions.nothing-open": ("当日无余额。", "Nothing was open that day."),
        "provisions.movement": ("准备变动表", "Movement of the allowance"),
        "provisions.opening": ("期初", "From"),
        "provisions.opening-first": ("上一日期", "the last day before"),
        "provisions.written-off": (
            "期间核销 {whole}，其中未计提 {rest}。",
            "Written off since: {whole}, of it not provided for: {rest}.",
        ),
        "provisions.csv": ("下载 CSV（审计用）", "As CSV for the auditor"),
        "provisions.chart": ("准备 {total}，按阶段", "Allowance of {total}, by stage"),
        "typed.percent": ("比例为 0 至 100，如 12.5。", "A share is 0 to 100, as 12.5."),
        "typed.customer": ("没有这个客户。", "There is no such customer."),
        "refusal.provision-invalid": (
            "日期、比例或理由不符合规则。",
            "A day, share or reason is wrong.",
        ),
        "refusal.provision-not-found": ("没有这次计提。", "There is no such run."),
        "refusal.already-apart": ("该客户已单项认定。", "The customer is looked at apart already."),
        "refusal.rate-missing": ("没有那一天的汇率。", "There is no rate of that day."),
        "refusal.flow-not-computable": (
            "自身历史不足以计算损失率。",
            "Own history gives no rates.",
        ),
    }
)
