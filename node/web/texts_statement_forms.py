"""The part of the catalogue that the forms, files and list of financial statements speak."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STATEMENT_FORM_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "statements.form.enter": ("录入财务报表", "Enter statements"),
        "statements.form.correct": ("更正财务报表", "Correct a statement"),
        "statements.form.withdraw": ("撤回财务报表", "Withdraw a statement"),
        "statements.form.withdraw-link": ("撤回", "Withdraw"),
        "statements.form.correct-link": ("更正", "Correct"),
        "statements.form.withdraw-submit": ("撤回", "Withdraw it"),
        "statements.form.withdraw-note": (
            "撤回后不再计入；以前的版本保留，过去日期的报告不变。",
            "It counts no longer; earlier versions stay, and so does what was known before.",
        ),
        "statements.form.head": ("报表概况", "What the figures are"),
        "statements.form.currency": ("币种", "Currency"),
        "statements.form.unit": ("单位", "Unit of the figures"),
        "statements.form.typed-in-ones": (
            "部分数字精确到元以下，因此下列数字以元列示。",
            "Some figures are finer than the unit: they stand below in ones.",
        ),
        "statements.form.numbers": ("数字写法", "Numbers are written"),
        "statements.form.figures": ("数据", "Figures"),
        "statements.form.figures-note": (
            (
                "按上面的单位填写。成本、费用、负债写正数；留空表示未知，没有则写 0。"
                "负数写 -1 或 (1)。合计可留空，由各项推算。"
            ),
            (
                "In the unit above. Costs and debts are positive; empty means not known, 0 that "
                "there is none of it. Negative: -1 or (1). A total that follows from others may "
                "stay empty."
            ),
        ),
        "statements.form.opening": ("年初数", "Opening balance"),
        "statements.form.opening-of": ("{year} 年度年初数", "Opening of {year}"),
        "statements.form.column": ("第 {number} 列", "Column {number}"),
        "statements.form.more": ("增加一年", "One more year"),
        "statements.form.check": ("核对", "Check"),
        "statements.form.checked": (
            "核对通过，尚未录入。",
            "The checks found nothing. Nothing was entered yet.",
        ),
        "statements.form.checked-warned": (
            "核对通过，另有提示，尚未录入。",
            "Nothing refuses it; see what was found. Nothing was entered yet.",
        ),
        "statements.form.of-field": ("{field}：{words}", "{field}: {words}"),
        "statements.form.enter-link": ("录入", "Enter"),
        "statements.form.upload-link": ("上传文件", "Upload a file"),
        "statements.file.send": ("上传财务报表", "Upload statements"),
        "statements.file.note": (
            (
                "CSV 表格（chengxin statement template 输出空表）、XBRL 实例或内联 XBRL"
                "（XHTML），最大 {size} MiB。先试核对，确认后才写入。"
            ),
            (
                "A table (CSV; chengxin statement template prints an empty one), an XBRL instance "
                "or inline XBRL (XHTML), up to {size} MiB. You see what would be kept first."
            ),
        ),
        "statements.file.title": ("将要录入的内容", "What would be kept"),
        "statements.file.would-keep": (
            "将录入 {count} 份报表，其中 {known} 份已在库。尚未写入。",
            "Statements: {count}, known already: {known}. Nothing was written yet.",
        ),
        "statements.file.more-findings": ("另有 {count} 条。", "{count} more."),
        "statements.file.lines": ("{count} 行", "{count} lines"),
        "statements.file.options": ("文件未说明的内容", "What the file does not say"),
        "statements.file.options-note": (
            "CSV 表格中写明的以文件为准。修改后再次核对。",
            "What a table says itself counts before this. Check again after a change.",
        ),
        "statements.file.as-said": ("以文件为准", "as the file says"),
        "statements.file.entity": (
            "主体标识（文件含多个主体时）",
            "Entity, where there are several",
        ),
        "statements.file.one-year": ("只取此年度末", "Only the year that ended on"),
        "statements.list.title": ("报表收集情况", "Statements there and missing"),
        "statements.list.note": (
            (
                "最近已结束年度的报表是否已收（{version}）：年度末依最新报表，没有报表的按日历年；"
                "年度结束后 183 天内为待收，之后为逾期。"
            ),
            (
                "Whether the last closed year is there ({version}): it ends as the newest "
                "statement's did, without any as the calendar year; awaited for 183 days, then "
                "overdue."
            ),
        ),
        "statements.list.state": ("状态", "State"),
        "statements.list.open": ("未收", "not there"),
        "statements.list.all": ("全部", "all"),
        "statements.list.closed": ("最近已结束年度", "Last closed year"),
        "statements.list.since": ("已过", "Closed for"),
        "statements.list.newest": ("最新报表", "Newest"),
        "statements.list.part": (
            "本页数字只涉及 {count} 家客户。",
            "The figures are of {count} customers alone.",
        ),
        "statements.list.none": ("没有这样的客户。", "There is no such customer."),
        "statements.list.hidden": (
            "另有 {count} 家自然人客户，按权限不显示。",
            "{count} more are natural persons, who are not shown to this role.",
        ),
        "statements.list.more": ("继续", "Go on"),
        "nav.statements": ("报表", "Statements"),
        "typed.figure-point": (
            "不是 1,234.56 形式的数字，或小数位多于币种。",
            "No number as 1,234.56, or with more decimals than the currency.",
        ),
        "typed.figure-comma": (
            "不是 1.234,56 形式的数字，或小数位多于币种。",
            "No number as 1.234,56, or with more decimals than the currency.",
        ),
        "typed.months": ("期间为 1 至 23 个月。", "A period has 1 to 23 months."),
        "typed.year-twice": ("同一年度末填了两次。", "This year's end stands twice."),
        "typed.hash": ("须为 64 位十六进制。", "It has 64 hexadecimal digits."),
        "refusal.statement-exists": (
            "该年度、该口径已有另一份报表：请更正并写明理由。",
            "There is another statement of this year and basis: correct it, with a reason.",
        ),
        "refusal.statement-invalid": ("未通过核对。", "The checks refuse it."),
        "refusal.statement-file": ("不是可读的报表文件。", "This is no file of statements."),
    }
)
