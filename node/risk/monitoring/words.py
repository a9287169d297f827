"""Words of rules, signals, alerts, the watch list and actions, in both languages."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from node.assessment.policy_file import Language
from node.assessment.statements.words import Words
from node.core.money import format_amount
from node.risk.policies.policy import RiskPolicy

_WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "rule.R1": Words("敞口超过额度", "Exposure above the limit"),
        "rule.R2": Words("额度使用率高", "Limit nearly used"),
        "rule.R3": Words("最早逾期过久", "Oldest item overdue too long"),
        "rule.R4": Words("逾期占比高", "Large share overdue"),
        "rule.R5": Words("催收级别", "Dunning level"),
        "rule.R6": Words("额度、决策或评级过期", "Limit, decision or rating expired"),
        "rule.R7": Words("批准后放宽条件", "Terms eased since approval"),
        "rule.R8": Words("订单异常大", "Unusually large order"),
        "rule.R9": Words("付款指数下降", "Payment index dropped"),
        "rule.R10": Words("票据逾期", "Bills not paid"),
        "rule.R11": Words("公示名单、破产", "Public lists, insolvency"),
        "rule.R12": Words("承诺未兑现", "Promises broken"),
        "rule.R13": Words("集团成员被暂停", "Group member on hold"),
        "rule.plan": Words("还款计划未履行", "Payment plan broken"),
        "rule.signals": Words("预警信号累计", "Early-warning points"),
        "reason.R1": Words(
            "敞口 {exposure_minor} 超过额度 {limit_minor}",
            "exposure of {exposure_minor} is above the limit of {limit_minor}",
        ),
        "reason.R1.not-assessed": Words(
            "从未决定额度：不得赊销", "no limit was ever decided: no credit"
        ),
        "reason.R2": Words(
            "已使用额度 {limit_minor} 的 {usage_permille}",
            "{usage_permille} of the limit of {limit_minor} is used",
        ),
        "reason.R3": Words(
            "逾期 {overdue_minor}，最早逾期 {days} 天；等级 {grade} 容许 {days_max} 天",
            "{overdue_minor} overdue, the oldest for {days} days; grade {grade} bears {days_max}",
        ),
        "reason.R4": Words(
            "未争议欠款 {open_minor} 中有 {share_permille} 逾期（{overdue_minor}）",
            "{share_permille} of undisputed {open_minor} is overdue ({overdue_minor})",
        ),
        "reason.R5": Words("催收已到第 {level} 级", "reminders have reached level {level}"),
        "reason.R6.limit": Words(
            "额度已于 {valid_until} 到期", "the limit expired on {valid_until}"
        ),
        "reason.R6.decision": Words(
            "授信决策已于 {valid_until} 到期", "the credit decision expired on {valid_until}"
        ),
        "reason.R6.rating": Words(
            "评级已于 {valid_until} 到期", "the rating expired on {valid_until}"
        ),
        "reason.R7.days": Words(
            "批准后给予 {granted_days} 天账期，批准的是 {approved_days} 天",
            "{granted_days} days were granted since, {approved_days} were approved",
        ),
        "reason.R7.discount": Words(
            "批准后折扣由 {before_centipercent} 提高到 {discount_centipercent}",
            "the discount rose from {before_centipercent} to {discount_centipercent} since",
        ),
        "reason.R8": Words(
            "订单 {order_minor}，以往最高 {highest_minor}",
            "an order of {order_minor}, the highest before was {highest_minor}",
        ),
        "reason.R9": Words(
            "付款指数由 {before_deci} 降到 {now_deci}",
            "the payment index fell from {before_deci} to {now_deci}",
        ),
        "reason.R9.peers": Words(
            "{peers} 家同行的摘要显示指数下降", "summaries of {peers} peers show a drop"
        ),
        "reason.R10.dishonoured": Words(
            "近月有 {bills} 张票据未按期兑付", "{bills} bills were not paid when they matured"
        ),
        "reason.R10.overdue": Words(
            "近月有 {bills} 张票据未按期兑付：逾期",
            "{bills} bills were not paid when they matured: overdue",
        ),
        "reason.R10.persistent": Words(
            "近月中有 {overdue_months} 个月逾期：持续逾期",
            "overdue in {overdue_months} of the past months: persistently overdue",
        ),
        "reason.R11": Words("自 {listed_on} 起：{list}", "since {listed_on}: {list}"),
        "reason.R12": Words(
            "{days} 天内 {broken} 次承诺未兑现", "{broken} promises broken within {days} days"
        ),
        "reason.R13": Words(
            "集团其他 {members} 家中有 {held} 家被暂停",
            "{held} of {members} other companies of the group are held",
        ),
        "reason.plan": Words(
            "{plans} 项还款计划有分期未付", "an instalment of {plans} payment plans was not paid"
        ),
        "reason.signals": Words(
            "{signals} 项信号，共 {points_milli} 分", "{points_milli} points of {signals} signals"
        ),
        "reason.signals.peers": Words(
            "{signals} 项信号，含同行信息", "{signals} signals, what peers have told among them"
        ),
        "list.insolvency": Words("破产", "insolvency"),
        "list.dishonest-debtor": Words("失信被执行人", "dishonest debtors"),
        "list.tax-arrears": Words("欠税公告", "tax arrears"),
        "list.abnormal-operations": Words("经营异常名录", "abnormal operations"),
        "list.serious-violations": Words("严重违法失信名单", "serious violations"),
        "list.sanctions": Words("制裁名单", "sanctions"),
        "outcome.found": Words("触发", "found"),
        "outcome.passed": Words("通过", "passed"),
        "outcome.partly": Words("就已知部分未触发", "nothing found as far as it is known"),
        "outcome.not-computable": Words("无法计算", "not computable"),
        "missing.limit": Words("额度未知", "the limit is not known"),
        "missing.exposure": Words("敞口未知", "the exposure is not known"),
        "missing.ledger": Words("没有交易记录", "nothing was ever sold"),
        "missing.dunning": Words("没有催收级别", "no dunning levels are kept"),
        "missing.decision": Words("没有授信决策", "no credit decision"),
        "missing.rating": Words("没有评级", "no rating"),
        "missing.approval": Words("没有批准过的条件", "no terms were ever approved"),
        "missing.contracts": Words("没有合同", "no contracts"),
        "missing.orders": Words("订单未知", "orders are not known"),
        "missing.rate": Words("没有当日汇率", "no rate of the day"),
        "missing.earlier-orders": Words("没有以往订单", "no earlier orders"),
        "missing.own-index": Words("自有付款记录太少", "too few invoices of our own in a quarter"),
        "missing.peers": Words("没有同行摘要", "no peer has answered"),
        "missing.adverse": Words("没有不良记录查询", "adverse facts are not known"),
        "missing.promises": Words("承诺未知", "promises are not known"),
        "missing.group": Words("集团关系未知", "the group is not known"),
        "missing.list": Words("近期未查询", "not looked into lately"),
        "status.no-check": Words("不检查", "no check"),
        "status.ok": Words("正常", "OK"),
        "status.watch": Words("关注", "watch"),
        "status.hold": Words("暂停", "hold"),
        "status.stop": Words("停止", "stop"),
        "source.ledger": Words("账款", "ledger"),
        "source.limit": Words("额度", "limit"),
        "source.rating": Words("评级", "rating"),
        "source.decision": Words("授信决策", "decision"),
        "source.contracts": Words("合同", "contracts"),
        "source.promises": Words("付款承诺", "promises"),
        "source.records": Words("自有记录", "own records"),
        "source.lists": Words("公示名单", "public lists"),
        "source.statements": Words("财务报表", "statements"),
        "source.peers": Words("同行", "peers"),
        "source.group": Words("集团", "group"),
        "source.order": Words("订单", "order"),
        "source.person": Words("人工录入", "entered"),
        "source.signals": Words("信号累计", "signals"),
        "source.plan": Words("还款计划", "payment plan"),
        "alert.open": Words("待处理", "open"),
        "alert.closed": Words("已关闭", "closed"),
        "alert-event.opened": Words("提示", "opened"),
        "alert-event.worsened": Words("加重", "worsened"),
        "alert-event.reopened": Words("再次提示", "opened again"),
        "alert-event.ceased": Words("原因消失", "cause gone"),
        "alert-event.closed": Words("关闭", "closed"),
        "alert-outcome.acted": Words("已采取措施", "acted on"),
        "alert-outcome.explained": Words("已有解释", "explained"),
        "alert-outcome.false-alarm": Words("误报", "false alarm"),
        "alert-outcome.watched": Words("继续观察", "watched on"),
        "watch-event.entered": Words("列入", "entered"),
        "watch-event.reviewed": Words("复查", "reviewed"),
        "watch-event.left": Words("移出", "left"),
        "watch-reason.clean": Words("连续季度无异常", "nothing found for the quarters asked for"),
        "action.open": Words("进行中", "open"),
        "action.done": Words("完成", "done"),
        "action.failed": Words("未成功", "failed"),
        "action.cancelled": Words("取消", "cancelled"),
        "change.status": Words("状态", "status"),
        "change.status-peers": Words("含同行的状态", "status with peers"),
        "change.alert-opened": Words("新提示", "alert opened"),
        "change.alert-worsened": Words("提示加重", "alert worsened"),
        "change.alert-reopened": Words("再次提示", "alert opened again"),
        "change.alert-ceased": Words("原因消失", "alert ceased"),
        "change.watch-entered": Words("列入关注名单", "on the watch list"),
        "change.watch-left": Words("移出关注名单", "off the watch list"),
        "change.action-escalated": Words("逾期上报", "overdue, told above"),
        "value.invoices": Words("发票数", "invoices"),
        "value.payments": Words("付款数", "payments"),
        "value.disputes": Words("争议数", "disputes"),
        "value.broken": Words("未兑现", "broken"),
        "value.days": Words("天数", "days"),
        "value.entries": Words("条目", "entries"),
        "value.peers": Words("同行数", "peers"),
        "value.list": Words("名单", "list"),
        "value.year_end": Words("年度末", "year end"),
        "value.before_deci": Words("之前指数", "index before"),
        "value.now_deci": Words("现在指数", "index now"),
        "value.early_permille": Words("之前提前付款", "paid early before"),
        "value.early_now_permille": Words("现在提前付款", "paid early now"),
        "value.waiting_minor": Words("拖欠大额", "waiting"),
        "value.sold_minor": Words("近三月销售", "sold in three months"),
        "value.ratio_permille": Words("与以往之比", "against before"),
    }
)
# By the ending of a figure's name: how many there are of one, and the sign behind it.
_UNITS = (
    ("_permille", 10, " %"),
    ("_centipercent", 100, " %"),
    ("_deci", 10, ""),
    ("_milli", 1_000, ""),
)


def say(kind: str, code: str, language: Language) -> str:
    """Put a code into words; one that is unknown here is shown as it is."""
    words = _WORDS.get(f"{kind}.{code}")
    return code if words is None else words.render(language)


def has_words(kind: str, code: str) -> bool:
    """Tell whether a code has words."""
    return f"{kind}.{code}" in _WORDS


def say_rule(rule: str, policy: RiskPolicy | None, language: Language) -> str:
    """Name a rule or a signal; a signal has its name from the policy."""
    signal = None if policy is None else policy.find_signal(rule)
    return say("rule", rule, language) if signal is None else signal.names.render(language)


def say_reason(
    rule: str, values: Mapping[str, int | str], language: Language, *, is_of_peers: bool = False
) -> str:
    """Put a finding into a sentence with its figures; a signal's figures stand side by side."""
    case = values.get("case", values.get("what", "peers" if is_of_peers else ""))
    words = _WORDS.get(f"reason.{rule}.{case}") or _WORDS.get(f"reason.{rule}")
    figures = format_values(values, language)
    if words is not None:
        return words.render(language).format_map(_Figures(figures))
    separator = "；" if language is Language.ZH else "; "
    return separator.join(
        f"{say('value', name, language)} {text}"
        for name, text in figures.items()
        if name not in {"case", "what", "currency"}
    )


def say_missing(code: str, language: Language) -> str:
    """Say what is not known of a rule."""
    kind, dot, name = code.partition(".")
    if not dot:
        return say("missing", code, language)
    return f"{say(kind, name, language)}: {say('missing', kind, language)}"


def format_values(values: Mapping[str, int | str], language: Language) -> dict[str, str]:
    """Write figures by the unit in their names, amounts with their currency."""
    currency = str(values.get("currency", ""))
    return {
        name: _format(name, value, currency=currency, language=language)
        for name, value in values.items()
    }


class _Figures(dict[str, str]):
    """Figures of a sentence; one that is erased or unknown is a dash."""

    def __missing__(self, name: str) -> str:
        return "–"


def _format(name: str, value: int | str, *, currency: str, language: Language) -> str:
    if isinstance(value, str):
        return say("list", value, language) if name == "list" else value
    if name.endswith("_minor"):
        return f"{format_amount(value, currency=currency)} {currency}".strip()
    for ending, unit, sign in _UNITS:
        if name.endswith(ending):
            return f"{_decimals(value, unit)}{sign}"
    return str(value)


def _decimals(value: int, unit: int) -> str:
    whole, rest = divmod(abs(value), unit)
    sign = "-" if value < 0 else ""
    digits = len(str(unit)) - 1
    return f"{sign}{whole}.{rest:0{digits}d}"
