"""Why a row was rejected and what to do, in the language of the page.

The report says both in English, for it travels; a page in Chinese says them in Chinese where it
knows the words, by the begin of the reason.
"""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.assessment.policy_file import Language
from node.records.importing import Reject
from node.records.importing.suggestions import suggest

# The first that fits is taken.
_CHINESE: tuple[tuple[str, str, str], ...] = (
    ("empty", "单元格为空", "请补填"),
    ("not an identifier scheme", "不是标识体系", "小写字母、数字和点，如 vat.de"),
    ("not an identifier", "不是客户编号", "最多 64 位字母、数字和 . _ / -，不含空格"),
    ("not a country code", "不是国家代码", "两位大写字母，如 CN"),
    ("not a currency code", "不是币种代码", "三位大写字母，如 CNY；或在列对应中写明币种名称"),
    ("longer than", "文字过长", "请缩短"),
    ("holds control characters", "含有控制字符", "去掉换行和不可见字符"),
    ("not a whole number", "不是整数", "只写数字"),
    ("not a line number", "不是行号", "从 1 编号，或留空"),
    ("neither yes nor no", "既不是“是”也不是“否”", "写“是”或“否”，或留空"),
    ("not a date", "日期写法不符", "核对日期写法，或在上一步选择另一种"),
    ("not within", "年份不在范围内", "核对年份"),
    ("zero", "金额为零", "去掉没有金额的行"),
    ("not an amount", "金额写法不符", "核对金额写法，或在上一步选择另一种"),
    ("not a decimal number", "不是金额", "金额最多 28 个字符"),
    ("negative", "负数", "选择单据类型列，或作为贷项录入"),
    ("larger than", "金额过大", "核对金额和单位"),
    ("an amount was paid", "有收款金额而无收款日期", "补填收款日期"),
    ("more than the invoice", "收款超过单据金额", "只填核销本单据的部分"),
    (
        "cleared together",
        "同一清账号下的金额不平",
        "导出该客户的全部项目：未清和已清、所有单据类型",
    ),
    ("what it pays for is paid", "所付单据此前已按清账日计为已付", "先作废当时生成的收款，再导入"),
    ("a credit that adds", "使欠款增加的收款或贷项", "退款请手工录入"),
    ("a document type", "未知的单据类型", "在上一步为该类型选择含义"),
    ("partly paid", "部分已收", "期初余额请选择未清金额列"),
    ("cancelled here", "此前已在账中作废", "确应入账的请手工录入"),
    ("with the payments", "收款合计超过单据金额", "只填核销本单据的部分"),
    ("already imported", "已导入，但内容不同", "在台账中更正并写明原因"),
    ("row ", "与另一行的单据号和行号相同而内容不同", "为单据的各行编号，或更正其中一行"),
)
_OTHERWISE = "在原系统中更正，或手工录入"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectLine:
    """A rejected row as a page shows it."""

    row: int
    column: str
    reason: str
    suggestion: str


def say_rejects(rejects: Iterable[Reject], *, language: Language) -> list[RejectLine]:
    """Put rejects into words."""
    return [_say(one, language=language) for one in rejects]


def _say(reject: Reject, *, language: Language) -> RejectLine:
    reason, suggestion = reject.reason, suggest(reject.reason)
    if language is Language.ZH:
        suggestion = _OTHERWISE
        for start, reason_zh, suggestion_zh in _CHINESE:
            if reject.reason.startswith(start):
                reason, suggestion = reason_zh, suggestion_zh
                break
    return RejectLine(row=reject.row, column=reject.column, reason=reason, suggestion=suggestion)
