"""Every text of the console in Chinese and English: one catalogue, complete by its type.

A test holds the templates and the code to it: no key is used that is not here, none is here unused.
"""

# ruff: noqa: RUF001  Chinese punctuation and en dashes are meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from node.assessment.policy_file import Language
from node.core.errors import InvariantError
from node.web.texts_accounts import ACCOUNT_TEXTS
from node.web.texts_asks import ASK_TEXTS
from node.web.texts_auditor import AUDITOR_TEXTS
from node.web.texts_case_forms import CASE_FORM_TEXTS
from node.web.texts_decision import DECISION_TEXTS
from node.web.texts_drops import DROP_TEXTS
from node.web.texts_dunning import DUNNING_TEXTS
from node.web.texts_entry import ENTRY_TEXTS
from node.web.texts_evidence import EVIDENCE_TEXTS
from node.web.texts_governance import GOVERNANCE_TEXTS
from node.web.texts_holds import HOLD_TEXTS
from node.web.texts_hub import HUB_TEXTS
from node.web.texts_import import IMPORT_TEXTS
from node.web.texts_ledger import LEDGER_TEXTS
from node.web.texts_limits import LIMIT_TEXTS
from node.web.texts_models import MODEL_TEXTS
from node.web.texts_objections import OBJECTION_TEXTS
from node.web.texts_operation import OPERATION_TEXTS
from node.web.texts_overrides import OVERRIDE_TEXTS
from node.web.texts_overview import OVERVIEW_TEXTS
from node.web.texts_papers import PAPER_TEXTS
from node.web.texts_policies import POLICY_TEXTS
from node.web.texts_provisions import PROVISION_TEXTS
from node.web.texts_ratings import RATINGS_TEXTS
from node.web.texts_register import REGISTER_TEXTS
from node.web.texts_renewals import RENEWAL_TEXTS
from node.web.texts_report import REPORT_TEXTS
from node.web.texts_requests import REQUEST_TEXTS
from node.web.texts_risk import RISK_TEXTS
from node.web.texts_statement_forms import STATEMENT_FORM_TEXTS
from node.web.texts_statements import STATEMENT_TEXTS
from node.web.texts_steward import STEWARD_TEXTS
from node.web.texts_subject import SUBJECT_TEXTS
from node.web.texts_summary import SUMMARY_TEXTS


class Text(NamedTuple):
    """One text in both languages."""

    zh: str
    en: str


class Texts:
    """The catalogue in one language."""

    def __init__(self, language: Language) -> None:
        """Fix the language."""
        self.language = language

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its places filled in.

        Raises:
            InvariantError: There is no such text.
        """
        text = TEXTS.get(key)
        if text is None:
            raise InvariantError(f"the console has no text {key}")
        words = text.zh if self.language is Language.ZH else text.en
        return words.format(**values) if values else words

    def find(self, key: str) -> str | None:
        """Return a text, or None where a code from outside has none."""
        return self(key) if key in TEXTS else None


TEXTS: Mapping[str, Text] = MappingProxyType(
    {
        # Frame
        "app.name": Text("诚信 · 信用控制台", "Chengxin credit console"),
        "app.skip": Text("跳到正文", "Skip to the content"),
        "app.simulated": Text(
            "模拟联盟：成员关系是模拟的，没有真实企业在此查询或答复。",
            "Simulated federation: no real company asks or answers here.",
        ),
        "app.business-date": Text("业务日期", "Business date"),
        "app.language": Text("语言", "Language"),
        "app.member": Text("成员", "Member"),
        "app.print-note": Text("由 {member} 的节点生成", "Made by the node of {member}"),
        "nav.label": Text("主导航", "Main"),
        "nav.customers": Text("客户", "Customers"),
        "nav.shared": Text("对外提供与查询", "Shared and asked"),
        "nav.logout": Text("退出", "Sign out"),
        # Words for what is not there
        "none.data": Text("无数据", "no data"),
        "none.computable": Text("无法计算", "not computable"),
        "none.rated": Text("尚未评级", "not rated yet"),
        "none.overdue": Text("无逾期", "nothing overdue"),
        "none.erased": Text("输入已擦除", "input erased"),
        "none.withheld": Text("未提供", "withheld"),
        "none.consent": Text("无", "none"),
        # Login and errors
        "login.title": Text("登录", "Sign in"),
        "login.token": Text("接口令牌", "API token"),
        "login.hint": Text(
            "节点主目录中 api_token 文件的内容，或者本人的令牌；浏览器不会保存它。",
            "The content of the file api_token in the node's home, or your own token; "
            "the browser does not keep it.",
        ),
        "login.submit": Text("登录", "Sign in"),
        "login.wrong": Text("令牌不正确。", "That is not the token."),
        "error.title": Text("无法完成", "This did not work"),
        "error.code": Text("代码", "Code"),
        "error.back": Text("返回客户列表", "Back to the customers"),
        "error.not-found": Text("没有这个客户或页面。", "There is no such customer or page."),
        "error.collective": Text(
            "这是集体账户，不代表任何一家公司，因此不评级。",
            "This is a collective account: it is no company, so it is not rated.",
        ),
        "error.cross-site": Text(
            "请求并非来自本控制台，已拒绝。",
            "The request did not come from this console and was refused.",
        ),
        "error.too-large": Text("提交的内容过大。", "What was sent is too large."),
        "error.other": Text(
            "节点未能完成请求，数据没有改变。",
            "The node could not do this; nothing was changed.",
        ),
        # Customers
        "list.title": Text("客户", "Customers"),
        "list.search": Text("按名称或标识查找", "Find by name or identifier"),
        "list.search.submit": Text("查找", "Find"),
        "list.search.clear": Text("清除", "Clear"),
        "list.search.none": Text("没有符合“{query}”的客户。", "No customer matches “{query}”."),
        "list.empty": Text(
            "还没有客户。先导入发票：chengxin import FILE",
            "There is no customer yet. Import invoices first: chengxin import FILE",
        ),
        "list.caption": Text(
            "按逾期金额从高到低排列，除非在表头选择了其他顺序。"
            "指数和逾期天数取最近十二个已发布的月份。",
            "The most past due comes first unless a heading chooses another order. "
            "Index and days beyond terms are of the last twelve released months.",
        ),
        "list.currencies": Text(
            "有多种币种：金额不换算，各币种分别排列。",
            "There is more than one currency: nothing is converted, each is sorted apart.",
        ),
        "list.customer": Text("客户", "Customer"),
        "list.identifier": Text("标识", "Identifier"),
        "list.grade-own": Text("自有评级", "Grade, own"),
        "list.grade-peers": Text("结合同行", "With peers"),
        "list.score": Text("得分", "Score"),
        "list.owing": Text("应收余额", "Owing"),
        "list.past-due": Text("逾期金额", "Past due"),
        "list.oldest": Text("最长逾期", "Oldest overdue"),
        "list.index": Text("付款指数", "Index"),
        "list.dbt": Text("平均逾期天数", "DBT"),
        "list.dbt.long": Text("平均超出账期的天数", "Days beyond terms"),
        "list.sort": Text("按“{column}”排序", "Sort by {column}"),
        "list.pages": Text("分页", "Pages"),
        "list.previous": Text("上一页", "Previous"),
        "list.next": Text("下一页", "Next"),
        "list.grades": Text("评级含义", "The grades in words"),
        "sum.label": Text("概况", "At a glance"),
        "sum.customers": Text("客户", "Customers"),
        "sum.unrated": Text("{count} 个尚无得分", "{count} without a score"),
        "sum.owing": Text("应收余额", "Owing"),
        "sum.past-due": Text("逾期", "Past due"),
        "sum.share": Text("占应收的 {share} %", "{share} % of what is owed"),
        "sum.late": Text("逾期超过90天", "Over 90 days overdue"),
        "sum.late.note": Text("客户数", "customers"),
        "sum.changed": Text("同行改变评级", "Grade changed by peers"),
        "sum.changed.note": Text("客户数", "customers"),
        "unit.days": Text("{count} 天", "{count} days"),
        "unit.months": Text("{count} 个月", "{count} months"),
        # One customer
        "customer.back": Text("全部客户", "All customers"),
        "customer.overview": Text("概览", "Overview"),
        "customer.country": Text("国家", "Country"),
        "customer.kind": Text("类型", "Kind"),
        "kind.company": Text("公司", "company"),
        "kind.person": Text("自然人", "person"),
        "kind.collective": Text("集体账户", "collective account"),
        "customer.rating": Text("评级", "Rating"),
        "customer.rate": Text("按业务日期重新评级", "Rate on the business date"),
        "customer.no-rate": Text("集体账户不评级", "A collective account is not rated"),
        "rating.own": Text("仅凭自有记录", "From own records"),
        "rating.peers": Text("结合同行", "With peers"),
        "rating.score": Text("得分 {score} / 100", "Score {score} of 100"),
        "rating.as-of": Text("评级日期", "Rated as of"),
        "rating.valid": Text("有效期至", "Valid until"),
        "rating.review": Text("下次复评", "Review on"),
        "rating.expired": Text("评级已失效", "no longer valid"),
        "rating.confidence": Text("置信度", "Confidence"),
        "rating.default": Text("违约事件", "Default events"),
        "confidence.none": Text("无", "none"),
        "confidence.low": Text("低", "low"),
        "confidence.medium": Text("中", "medium"),
        "confidence.high": Text("高", "high"),
        "rating.same": Text(
            "没有同行的答复可用，两列为同一评估。",
            "No peer's answer was used: both columns are the same assessment.",
        ),
        "ageing.title": Text("账龄", "Ageing"),
        "ageing.note": Text(
            "截至 {as_of}，以到期日起算。", "As of {as_of}, counted from the due date."
        ),
        "ageing.chart": Text(
            "{currency} 账龄图：各逾期区间的未收金额",
            "Ageing chart, {currency}: open by days overdue",
        ),
        "ageing.bucket": Text("逾期区间", "Days overdue"),
        "ageing.amount": Text("金额", "Amount"),
        "ageing.share": Text("占比", "Share"),
        "ageing.open": Text("未收合计", "Open items"),
        "ageing.unapplied": Text("未核销收款", "Unapplied receipts"),
        "ageing.balance": Text("账面余额", "Ledger balance"),
        "ageing.disputed": Text("其中争议", "of this in dispute"),
        "ageing.none": Text("没有未收款项。", "Nothing is open."),
        "ageing.no-sales": Text(
            "截至业务日期没有销售记录。", "There is no sale up to the business date."
        ),
        "bucket.not_due": Text("未到期", "not due"),
        "bucket.1-30": Text("1–30 天", "1–30 days"),
        "bucket.31-60": Text("31–60 天", "31–60 days"),
        "bucket.61-90": Text("61–90 天", "61–90 days"),
        "bucket.91-120": Text("91–120 天", "91–120 days"),
        "bucket.121-180": Text("121–180 天", "121–180 days"),
        "bucket.>180": Text("超过 180 天", "over 180 days"),
        "trend.title": Text("平均逾期天数走势", "Days beyond terms by month"),
        "trend.note": Text(
            "{first} 至 {last} 到期的发票，按金额加权；虚线格为没有可评发票的月份。",
            "Invoices due {first} to {last}, weighted by amount; "
            "a dashed column is a month without rated invoices.",
        ),
        "trend.chart": Text(
            "{first} 至 {last} 每月平均逾期天数折线图",
            "Line chart: days beyond terms a month, {first} to {last}",
        ),
        "trend.none": Text("这段时间没有可评的发票。", "No invoice could be rated in this time."),
        "trend.table": Text("逐月数字", "The figures month by month"),
        "trend.month": Text("到期月份", "Due in"),
        "trend.invoices": Text("发票数", "Invoices"),
        "trend.axis": Text("天", "days"),
        "compare.title": Text("评级依据：自有与同行", "Why this rating: own against peers"),
        "compare.note": Text(
            "评分卡 {policy}。各项变化之和即为总分之差。",
            "Scorecard {policy}. The changes add up to the difference of the scores.",
        ),
        "compare.factor": Text("指标", "Factor"),
        "compare.max": Text("满分", "Max"),
        "compare.own": Text("自有得分", "Points, own"),
        "compare.peers": Text("结合同行", "With peers"),
        "compare.change": Text("变化", "Change"),
        "compare.own-value": Text("自有值", "Own value"),
        "compare.peers-value": Text("同行值", "Peers' value"),
        "compare.why": Text("原因", "Why"),
        "compare.total": Text("总分", "Score"),
        "compare.unchanged": Text("不变", "no change"),
        "compare.none": Text(
            "无法计算：没有可供评分的记录或同行答复。",
            "Not computable: there are no records or peers' answers to score.",
        ),
        "evidence.title": Text("所用证据", "Evidence"),
        "evidence.source": Text("来源", "Source"),
        "evidence.own": Text("自有记录", "own records"),
        "evidence.state": Text("使用情况", "Use"),
        "evidence.weight": Text("权重（自有发票数）", "Weight in own invoices"),
        "evidence.invoices": Text("发票数", "Invoices"),
        "evidence.age": Text("距今", "Age"),
        "peers.title": Text("同行的付款行为摘要", "Peers' payment-behaviour summaries"),
        "peers.none": Text("没有收到同行的摘要。", "No peer's summary is held."),
        "peers.tier": Text("披露层级", "Tier"),
        "peers.window": Text("时间窗口", "Window"),
        "peers.window.words": Text(
            "{first} 至 {last}，数据截至 {as_of}", "{first} to {last}, seen on {as_of}"
        ),
        "peers.received": Text("收到日期", "Received on"),
        "peers.message": Text("消息摘要值", "Message hash"),
        "peers.erased": Text(
            "输入已擦除：正文与盐已删除，只留下消息摘要值。",
            "Input erased: body and salt are gone, the message hash stays.",
        ),
        "peers.absent": Text(
            "未包含：{sections}。无数据、被限制披露和未获授权，三者看不出区别。",
            "Not included: {sections}. No data, withheld and not consented to look the same.",
        ),
        "tier.full": Text("完整", "full"),
        "tier.mix": Text("仅结构，不含金额", "mix only, no money"),
        "tier.class": Text("仅类别（1–4 张发票）", "class only (1–4 invoices)"),
        "section.relation": Text("业务往来", "Relation"),
        "section.volume": Text("数量", "Volume"),
        "section.money": Text("金额", "Money"),
        "section.index": Text("付款指数", "Payment index"),
        "section.delay": Text("付款延迟", "Delay"),
        "section.trend": Text("走势", "Trend"),
        "section.disputes": Text("争议", "Disputes"),
        "section.adverse": Text("不良事实", "Adverse facts"),
        "section.overdue_now": Text("当前逾期", "Overdue now"),
        "section.lateness": Text("是否有过逾期付款", "Lateness seen"),
        # Exchanges and consents
        "exchange.title": Text("关于该客户的信息交换", "Exchanges about this customer"),
        "exchange.asked": Text("本方的查询", "What we asked"),
        "exchange.left": Text("本方的答复", "What left this house"),
        "exchange.asked.none": Text("没有查询过。", "Nothing was asked."),
        "exchange.left.none": Text("没有对外提供过。", "Nothing left this house."),
        "exchange.cut": Text("只列出最近 {count} 条。", "Only the newest {count} are listed."),
        "exchange.left.note": Text(
            "在最近 {count} 条答复中，凭该客户的授权作出的。",
            "Of the newest {count} answers, those under this customer's consents.",
        ),
        "exchange.at": Text("时间（UTC）", "Time (UTC)"),
        "exchange.asked-of": Text("查询对象", "Asked of"),
        "exchange.given-to": Text("提供给", "Given to"),
        "exchange.op": Text("事项", "What"),
        "exchange.result": Text("结果", "Result"),
        "exchange.uses": Text("计入使用次数", "Uses counted"),
        "exchange.consent": Text("授权书", "Consent"),
        "exchange.entry": Text("日志序号", "Log entry"),
        "exchange.subject": Text("客户", "Customer"),
        "exchange.id": Text("消息编号", "Message id"),
        "shared.title": Text("对外提供与查询登记", "Register of what was shared and asked"),
        "shared.note": Text(
            "每一条都在签名日志中，可由审计方核对。",
            "Each line is in the signed log, where an auditor can check it.",
        ),
        "op.query": Text("付款行为查询", "payment-behaviour query"),
        "op.consent.put": Text("递送授权书", "consent delivered"),
        "op.receipt": Text("回执", "receipt"),
        "code.open": Text("等待答复", "waiting for the reply"),
        "code.full": Text("已答复：完整", "answered: full"),
        "code.mix": Text("已答复：仅结构", "answered: mix only"),
        "code.class": Text("已答复：仅类别", "answered: class only"),
        "code.200": Text("已答复", "answered"),
        "code.held": Text("已保存", "held"),
        "code.receipt": Text("已签收", "received"),
        "code.no-answer": Text("无答复（无数据或不予披露）", "no answer (no data, or withheld)"),
        "code.quota": Text("已拒绝：查询过于频繁", "refused: too many messages"),
        "code.consent-missing": Text("已拒绝：没有授权书", "refused: no consent held"),
        "code.consent-unkeyed": Text(
            "已拒绝：不接受无密钥主体的授权", "refused: consents of subjects without a key"
        ),
        "code.consent-revoked": Text("已拒绝：授权已撤回", "refused: consent revoked"),
        "code.consent-paused": Text("已拒绝：授权已暂停", "refused: consent paused"),
        "code.consent-expired": Text("已拒绝：授权已到期", "refused: consent expired"),
        "code.consent-exhausted": Text("已拒绝：授权次数用尽", "refused: consent used up"),
        "code.consent-replaced": Text("已拒绝：授权已被替换", "refused: consent replaced"),
        "code.frequency-exceeded": Text("已拒绝：超出授权的频次", "refused: asked too often"),
        "code.aborted": Text("已中止", "aborted"),
        "consents.title": Text("持有的授权书", "Consents held"),
        "consents.none": Text("没有持有该客户的授权书。", "No consent of this customer is held."),
        "consents.hash": Text("授权书摘要值", "Consent hash"),
        "consents.consumer": Text("查询方", "May ask"),
        "consents.provider": Text("提供方", "May answer"),
        "consents.state": Text("状态", "State"),
        "consents.given": Text("作出方式", "Given by"),
        "consents.signed": Text("主体签名", "the subject's signature"),
        "consents.vouched": Text(
            "书面，由 {consumer} 担保，SHA-256 {evidence}",
            "paper, vouched for by {consumer}, SHA-256 {evidence}",
        ),
        "consents.uses": Text("已用次数", "Uses"),
        "consents.until": Text("有效期至", "Valid until"),
        "consents.delivered": Text("已送达提供方", "Delivered to the provider"),
        "state.active": Text("有效", "active"),
        "state.paused": Text("已暂停", "paused"),
        "state.revoked": Text("已撤回", "revoked"),
        "state.expired": Text("已到期", "expired"),
        "state.exhausted": Text("次数用尽", "used up"),
        "state.replaced": Text("已被替换", "replaced"),
        "join.comma": Text("，", ", "),
        "join.colon": Text("：", ": "),
        "join.semicolon": Text("；", "; "),
        "yes": Text("是", "yes"),
        "no": Text("否", "no"),
    }
    | {
        key: Text(*words)
        for key, words in {
            **ACCOUNT_TEXTS,
            **SUBJECT_TEXTS,
            **ASK_TEXTS,
            **STEWARD_TEXTS,
            **SUMMARY_TEXTS,
            **REPORT_TEXTS,
            **AUDITOR_TEXTS,
            **LEDGER_TEXTS,
            **PAPER_TEXTS,
            **IMPORT_TEXTS,
            **HUB_TEXTS,
            **DROP_TEXTS,
            **ENTRY_TEXTS,
            **POLICY_TEXTS,
            **STATEMENT_TEXTS,
            **STATEMENT_FORM_TEXTS,
            **RENEWAL_TEXTS,
            **REQUEST_TEXTS,
            **RISK_TEXTS,
            **HOLD_TEXTS,
            **LIMIT_TEXTS,
            **DUNNING_TEXTS,
            **PROVISION_TEXTS,
            **REGISTER_TEXTS,
            **GOVERNANCE_TEXTS,
            **CASE_FORM_TEXTS,
            **MODEL_TEXTS,
            **DECISION_TEXTS,
            **EVIDENCE_TEXTS,
            **RATINGS_TEXTS,
            **OPERATION_TEXTS,
            **OVERRIDE_TEXTS,
            **OBJECTION_TEXTS,
            **OVERVIEW_TEXTS,
        }.items()
    }
)
