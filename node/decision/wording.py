"""Words of what is shown of decisions, in both languages."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from node.assessment.policy_file import Language
from node.assessment.statements.words import Words

_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "arm.net-worth": Words("净资产法", "Net worth"),
        "arm.working-capital": Words("营运资本法", "Working capital"),
        "arm.references": Words(
            "同行参考（最高欠款中位数）", "Trade references (median high credit)"
        ),
        "arm.own-high-credit": Words("本公司历史最高欠款", "Own high credit"),
        "arm.need": Words("需求法", "Need"),
        "arm.insurer": Words("保险限额", "Insurer's limit"),
        "arm.concentration": Words("集中度上限", "Concentration"),
        "arm.requested": Words("申请额度", "Requested limit"),
        "part.evidence": Words("依据", "evidence"),
        "part.demand": Words("需求", "demand"),
        "part.cap": Words("上限", "cap"),
        "why.computed": Words("已计算", "computed"),
        "why.no-statement": Words("无法计算：没有财务报表", "not computable: no statement"),
        "why.statement-old": Words(
            "无法计算：报表过旧", "not computable: the statement is too old"
        ),
        "why.line-missing": Words("无法计算：报表缺项", "not computable: a line is missing"),
        "why.no-rate": Words("无法计算：没有当日汇率", "not computable: no rate of the day"),
        "why.no-references": Words(
            "无法计算：没有同行摘要", "not computable: no peer has answered"
        ),
        "why.few-references": Words("无法计算：可用参考太少", "not computable: too few references"),
        "why.no-sales": Words(
            "无法计算：该币种没有销售", "not computable: no sales in this currency"
        ),
        "why.few-invoices": Words("无法计算：发票太少", "not computable: too few invoices"),
        "why.no-need": Words("无法计算：需求未知", "not computable: the need is not known"),
        "why.not-insured": Words(
            "不适用：没有有效的信用保险", "does not apply: no insurance in force"
        ),
        "why.book-small": Words(
            "不适用：应收总额太小", "does not apply: total receivables are too small"
        ),
        "why.not-requested": Words(
            "不适用：没有申请额度", "does not apply: no limit was requested"
        ),
        "why.erased": Words("输入已擦除", "input erased"),
        "why.peers-only": Words(
            "同行数据，仅限有权人员查看", "what peers have said: not for this role"
        ),
        "input.year-end": Words("年度末", "year end"),
        "input.age": Words("距年度末", "since the year's end"),
        "input.equity": Words("所有者权益", "total equity"),
        "input.share": Words("比例", "share"),
        "input.current-assets": Words("流动资产", "current assets"),
        "input.current-liabilities": Words("流动负债", "current liabilities"),
        "input.high-credit": Words("最高欠款", "highest balance"),
        "input.invoices": Words("发票数", "invoices"),
        "input.months": Words("月数", "months"),
        "input.need-year": Words("年需求", "annual need"),
        "input.sales-year": Words("近一年销售", "sales of the past year"),
        "input.terms": Words("账期", "terms"),
        "input.buffer": Words("缓冲", "buffer"),
        "input.insured": Words("保险限额", "insured limit"),
        "input.uninsured": Words("可超出部分", "allowed beyond it"),
        "input.book": Words("应收总额", "total receivables"),
        "input.book-min": Words("适用的最小应收总额", "lowest total that counts"),
        "input.requested": Words("申请", "requested"),
        "reference.left-out": Words("该摘要不得采用", "the summary may not count"),
        "reference.no-money": Words("未提供金额", "no amount given"),
        "reference.old": Words("过旧", "too old"),
        "reference.disputed": Words("争议过多，不采用", "too much in dispute: left out"),
        "reference.no-rate": Words("没有汇率", "no rate"),
        "reference.erased": Words("已擦除", "erased"),
        "reason.arm-net-worth": Words("净资产决定额度", "Net worth decides"),
        "reason.arm-working-capital": Words("营运资本决定额度", "Working capital decides"),
        "reason.arm-references": Words("同行参考决定额度", "Trade references decide"),
        "reason.arm-own-high-credit": Words("历史最高欠款决定额度", "Our own high credit decides"),
        "reason.arm-need": Words("需求决定额度", "The need decides"),
        "reason.grade-share": Words("等级只给予部分额度", "The grade allows a share of it"),
        "reason.cap-insurer": Words("受保险限额限制", "Cut to the insurer's limit"),
        "reason.cap-concentration": Words(
            "受集中度上限限制", "Cut to the share of total receivables"
        ),
        "reason.cap-requested": Words("以申请额度为限", "No more than was requested"),
        "reason.no-capacity": Words(
            "没有可算出承受能力的依据：仅给予起始额度",
            "No evidence of capacity: a starter amount only",
        ),
        "reason.no-data": Words("没有评级数据", "No data for a rating"),
        "reason.starter": Words("政策的起始额度", "The policy's starter amount"),
        "reason.grade-prepay": Words("该等级须预付", "This grade means prepayment"),
        "reason.nothing-left": Words("额度为零：须预付", "No limit is left: prepayment"),
        "reason.default-event": Words("存在违约事件", "A default event is on record"),
        "reason.outcome-prepay": Words("违约客户须预付", "In default: prepayment"),
        "reason.outcome-stop": Words("违约客户停止供货", "In default: supply stops"),
        "reason.high-risk": Words(
            "高风险等级：须监控并定期复评", "High-risk grade: monitored and reviewed"
        ),
        "reason.terms-requested": Words("按申请的较短账期", "Shorter terms, as requested"),
        "reason.terms-of-grade": Words(
            "申请的账期超出等级", "Longer terms were requested than the grade allows"
        ),
        "reason.terms-statutory": Words("账期按法定上限缩短", "Terms cut to what the law allows"),
        "reason.rating-missing": Words(
            "尚未评级：未评估，不是零额度", "Not rated: not assessed, not 0"
        ),
        "reason.rating-expired": Words(
            "评级已过期：未评估", "The rating has expired: not assessed"
        ),
        "outcome.credit": Words("给予授信", "Credit"),
        "outcome.starter": Words("起始授信", "Starter credit"),
        "outcome.prepay": Words("合作，须预付", "Prepayment"),
        "outcome.stop": Words("停止合作", "Stop"),
        "outcome.not-assessed": Words("未评估", "Not assessed"),
        "security.none": Words("无", "none"),
        "security.guarantee": Words("保证", "guarantee"),
        "security.retention-of-title": Words("所有权保留", "retention of title"),
        "security.deposit": Words("保证金", "deposit"),
        "security.insurance": Words("信用保险", "credit insurance"),
        "security.bill": Words("票据", "bill of exchange"),
        "monitoring.normal": Words("正常", "normal"),
        "monitoring.watch": Words("关注", "watch"),
        "monitoring.intensive": Words("重点监控", "intensive"),
        "state.proposed": Words("已提议", "proposed"),
        "state.submitted": Words("待审批", "submitted"),
        "state.returned": Words("已退回", "returned"),
        "state.approved": Words("已批准", "approved"),
        "state.active": Words("生效", "active"),
        "state.rejected": Words("已否决", "rejected"),
        "state.withdrawn": Words("已撤回", "withdrawn"),
        "state.expired": Words("已到期", "expired"),
        "state.superseded": Words("已被取代", "superseded"),
        "event.proposed": Words("提议", "proposed"),
        "event.overridden": Words("人工调整", "overridden"),
        "event.submitted": Words("提交审批", "submitted"),
        "event.approval": Words("一人批准", "one approval"),
        "event.approved": Words("批准", "approved"),
        "event.active": Words("生效", "active"),
        "event.rejected": Words("否决", "rejected"),
        "event.returned": Words("退回", "returned"),
        "event.withdrawn": Words("撤回", "withdrawn"),
        "event.expired": Words("到期", "expired"),
        "event.superseded": Words("被取代", "superseded"),
        "confidence.none": Words("无", "none"),
        "confidence.low": Words("低", "low"),
        "confidence.medium": Words("中", "medium"),
        "confidence.high": Words("高", "high"),
        "buyer.company": Words("企业", "company"),
        "buyer.large-company": Words("大型企业", "large company"),
        "buyer.public-body": Words("机关、事业单位", "public body"),
        "group.as-proposed": Words("按提议", "as proposed"),
        "group.overridden": Words("人工调整合计", "all overridden"),
        "group.raised": Words("调高", "raised"),
        "group.lowered": Words("调低", "lowered"),
        "group.other": Words("其他调整", "otherwise changed"),
        "role.analyst": Words("分析员", "analyst"),
        "role.credit-manager": Words("信用经理", "credit manager"),
        "role.cfo": Words("财务总监", "CFO"),
    }
)


def say(kind: str, code: str, language: Language) -> str:
    """Put a code into words; one that is unknown here is shown as it is."""
    words = _WORDS.get(f"{kind}.{code}")
    return code if words is None else words.render(language)


def has_words(kind: str, code: str) -> bool:
    """Tell whether a code has words."""
    return f"{kind}.{code}" in _WORDS
