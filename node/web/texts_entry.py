"""The part of the catalogue that the forms speak, and the ageing of all customers."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ENTRY_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "app.person": ("登录人", "Signed in"),
        "person-role.operator": ("管理员", "operator"),
        "person-role.credit-manager": ("信用经理", "credit manager"),
        "person-role.analyst": ("分析员", "analyst"),
        "person-role.cfo": ("财务总监", "CFO"),
        "person-role.collector": ("催收员", "collector"),
        "person-role.steward": ("数据管理员", "data steward"),
        "person-role.sales": ("业务员", "sales"),
        "person-role.auditor": ("审计人", "auditor"),
        "enter.title": ("录入", "Enter"),
        "enter.invoice": ("录入发票", "Enter an invoice"),
        "enter.payment": ("录入收款", "Enter a payment"),
        "enter.credit-note": ("录入贷项通知（红字）", "Enter a credit note"),
        "enter.apply": ("核销", "Apply it"),
        "enter.dispute": ("登记争议", "Enter a dispute"),
        "enter.dispute-end": ("结束争议", "End the dispute"),
        "enter.promise": ("登记付款承诺", "Enter a promise to pay"),
        "enter.withdrawal": ("撤销承诺", "Withdraw the promise"),
        "enter.write-off": ("坏账核销", "Write off"),
        "enter.recovery": ("收回已核销坏账", "Enter what was recovered"),
        "enter.correction": ("更正", "Correct it"),
        "enter.cancellation": ("作废", "Cancel it"),
        "enter.default": ("提议认定违约", "Propose a default"),
        "enter.default-decision": ("确认或驳回违约", "Confirm or reject the default"),
        "enter.default-end": ("结束违约", "End the default"),
        "enter.back": ("返回", "Back"),
        "enter.submit": ("录入", "Enter"),
        "enter.cancel": ("取消", "Leave it"),
        "enter.author": ("录入人：{name}", "Author: {name}"),
        "enter.optional": ("（可留空）", "(may be empty)"),
        "enter.wrong": ("有 {count} 处需要修改：", "Please look at {count} of the fields:"),
        "enter.reason": ("原因", "Reason"),
        "enter.reference": ("凭证号", "Number"),
        "enter.payment-no": ("收款凭证号", "Number of the payment"),
        "enter.terms": ("到期日与金额", "What falls due when"),
        "enter.terms.hint": (
            "分期付款每期一行；空行不计。",
            "A row for each instalment; empty rows do not count.",
        ),
        "enter.term": ("期次", "No."),
        "enter.more-rows": ("增加行", "More rows"),
        "enter.allocate": ("用于核销", "Applied"),
        "allocate.oldest-first": ("先到期先核销", "to what fell due first"),
        "allocate.exact": ("金额相符的一项", "to the one item of just this amount"),
        "allocate.chosen": ("下面勾选的项目", "to the items chosen below"),
        "allocate.none": ("暂不核销", "not yet"),
        "enter.pays": ("未结项目", "Open items"),
        "enter.pays.hint": (
            "仅在选择“下面勾选的项目”时使用；金额留空表示全部未结金额，按到期先后。",
            (
                "Only with “the items chosen below”; without an amount, all that is open of an "
                "item, what fell due first at first."
            ),
        ),
        "enter.choose": ("选择", "Choose"),
        "enter.part": ("核销金额", "Amount for it"),
        "enter.most-open": ("未结：{most}。", "Open: {most}."),
        "enter.most-written-off": ("已核销：{most}。", "Written off: {most}."),
        "enter.as-it-is": ("现为 {now}；留空不变。", "Now {now}; empty: as it is."),
        "enter.promised-on": ("承诺日", "Promised on"),
        "enter.promised-for": ("承诺付款日", "To be paid by"),
        "enter.document-hash": ("证据文件的 SHA-256", "SHA-256 of the document held"),
        "enter.document-hash.hint": (
            "64 位十六进制；文件留在贵方，用 sha256sum 或 certutil -hashfile 计算。",
            (
                "64 hexadecimal digits; the document stays with you. "
                "sha256sum or certutil -hashfile tells it."
            ),
        ),
        "entered.title": ("已录入", "What was entered"),
        "entered.done": ("已录入，录入人：{name}。", "Entered by {name}."),
        "entered.links": ("查看", "Where it is seen"),
        "form.stale": (
            (
                "这张表单是节点重启之前或很久以前打开的，可能已经录入。"
                "请先在客户账中查看，确未录入再提交一次。"
            ),
            (
                "This form was opened before the node was restarted, or long ago: it may have been "
                "entered. Look at the customer's ledger first; if it was not, send it once more."
            ),
        ),
        "form.used": (
            "这张表单已经录入过，内容与现在不同。如需另行录入，请再提交一次。",
            (
                "This form was entered already, with something else in it. "
                "Send it once more to enter this as well."
            ),
        ),
        "typed.empty": ("请填写。", "This is needed."),
        "typed.long": ("太长。", "This is too long."),
        "typed.control": ("含有不能显示的字符。", "It holds characters that cannot be shown."),
        "typed.day": ("日期写作 2026-06-30。", "A day is written 2026-06-30."),
        "typed.currency": ("币种为三个大写字母，如 CNY。", "A currency has three letters: CNY."),
        "typed.choice": ("请选择一项。", "Choose one of them."),
        "typed.money": (
            "不是金额，写作 1,234.56 或 1.234,56。",
            "That is no amount: 1,234.56 or 1.234,56.",
        ),
        "typed.money-ambiguous": (
            "可有两种读法：请写全小数（1,234.00）或不用分隔（1234）。",
            "It can be read in two ways: write all decimals (1,234.00), or no mark (1234).",
        ),
        "typed.money-decimals": (
            "小数位多于该币种。",
            "It has more decimals than the currency.",
        ),
        "typed.money-positive": ("金额须大于零。", "An amount is more than nothing."),
        "typed.money-large": ("金额过大。", "The amount is too large."),
        "typed.hint.money": ("如 1,234.56 或 1.234,56。", "As 1,234.56 or 1.234,56."),
        "typed.terms-none": ("至少一行。", "At least one row is needed."),
        "typed.items-none": ("请至少选择一项。", "Choose at least one item."),
        "typed.items-currency": ("所选项目须为同一币种。", "The items are of one currency."),
        "typed.items-unused": (
            "已勾选项目：请选“下面勾选的项目”，或取消勾选。",
            "Items are chosen below: choose these here, or untick them.",
        ),
        "typed.more-than-open": ("多于未结金额。", "More than is open of it."),
        "typed.gone": ("其中有项目已不再未结。", "Something chosen is open no longer."),
        "typed.sha256": ("不是 64 位十六进制。", "Not 64 hexadecimal digits."),
        "typed.nothing-changed": ("没有改动。", "Nothing is changed."),
        "refusal.item-exists": ("该凭证号已经在账。", "A document of this number is here already."),
        "refusal.item-invalid": (
            "账簿不接受这样的录入。",
            "The ledger does not take it like this.",
        ),
        "refusal.allocation-invalid": ("不能这样核销。", "It cannot be applied like this."),
        "refusal.record-gone": (
            "此凭证曾在账，已到期删除，不能重新录入。",
            "This document was here and has been deleted: it does not come back.",
        ),
        "refusal.customer-archived": (
            "与该客户的业务关系已结束，不再录入。",
            "The relation is closed.",
        ),
        "refusal.same-person": (
            "提议人不能确认，须由另一人确认。",
            "Another person confirms it than who proposed it.",
        ),
        "refusal.default-invalid": ("不能这样认定违约。", "A default is not entered like this."),
        "refusal.promise-invalid": ("不能这样登记承诺。", "A promise is not entered like this."),
        "refusal.other": ("未录入。", "It was not entered."),
        "error.entry-gone": (
            "这里已不再显示当时的录入结果；账簿中有记录。",
            "What was entered is not shown here any more; the records hold it.",
        ),
        "error.form-unfit": ("这里没有可录入的内容。", "There is nothing of this to enter."),
        "error.cursor": ("页码已失效，请从第一页开始。", "There is no such page: begin anew."),
        "list.hidden": (
            "另有 {count} 个自然人客户，本角色不可见。",
            "{count} customers are natural persons and not for this role.",
        ),
        "person.hidden": ("自然人（本角色不可见）", "a natural person, not for this role"),
        "nav.ageing": ("账龄", "Ageing"),
        "ageings.title": ("全部客户账龄", "Ageing of all customers"),
        "ageings.all": ("合计", "All together"),
        "ageings.left-out": (
            "未显示 {count} 位自然人（本角色不可见），也不计入任何合计。",
            "{count} natural persons are not for this role: they are shown nowhere and in no sum.",
        ),
        "ageings.customers": ("客户数", "Customers"),
        "ageings.list": ("按客户", "By customer"),
        "ageings.overdue": ("逾期合计", "Past due"),
        "ageings.bucket": ("只看有此账龄的客户", "Only customers with"),
        "ageings.any": ("（全部）", "(any)"),
        "ageings.none": ("没有未结项目。", "Nothing is open."),
        "ageings.csv": ("下载 CSV", "Download as CSV"),
        "ageings.shown": (
            "第 {first}–{last} 个，共 {count} 个客户，币种 {currency}",
            "{first} to {last} of {count} customers, {currency}",
        ),
        "ageings.note": (
            "每个数字都通向客户的未结项目。各币种分列，不换算。",
            (
                "Each number leads to the customer's open items. Currencies stand apart, none is "
                "converted."
            ),
        ),
        "ageings.first": ("第一页", "First page"),
        "items.bucket": (
            "只显示账龄 {bucket}、币种 {currency} 的项目。",
            "Only items {bucket}, {currency}.",
        ),
        "items.bucket.all": ("显示全部", "Show all"),
        "progress.title": ("正在处理", "Working on it"),
        "progress.trial": ("正在试导入", "Trying the import"),
        "progress.import": ("正在导入", "Importing"),
        "progress.reading": ("已读 {done} / 约 {total} 行", "{done} of about {total} rows read"),
        "progress.writing": ("已读完，正在写入……", "All rows read; writing…"),
        "progress.waiting": ("正在开始……", "Beginning…"),
        "progress.note": (
            (
                "本页每 2 秒自行刷新；可以离开，稍后再来。节点若在此时停止，"
                "不会留下一半的数据：请重新导入，已有的不会重复。"
            ),
            (
                "This page looks again every 2 seconds; you may leave and come back. If the node "
                "stops meanwhile, nothing is half done: import the file again, what is here is "
                "not doubled."
            ),
        ),
        "progress.refresh": ("现在刷新", "Look again"),
    }
)
