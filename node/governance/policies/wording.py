"""Members of policies in words, and differences in words, in both languages.

A member without words stands for itself: a room may register kinds that this page does not know.
"""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from node.assessment.policy_file import Language, LocalText
from node.governance.policies.rules_diff import Change, Part
from node.governance.policies.rules_units import AT, Place, format_number
from protocol.strict_json import JsonValue

MEMBERS: Mapping[str, LocalText] = MappingProxyType(
    {
        name: LocalText(zh=zh, en=en)
        for name, zh, en in (
            ("factors", "指标", "factor"),
            ("features", "指标", "factor"),
            ("grades", "等级", "grade"),
            ("confidence", "置信度规则", "confidence rule"),
            ("steps", "分段，起点", "step at"),
            ("points_deci", "得分", "points"),
            ("points_max_deci", "权重（满分）", "weight (highest points)"),
            ("prior", "先验值", "prior"),
            ("interpolate", "分段间插值", "interpolated"),
            ("combine", "合并方式", "combined by"),
            ("sources", "来源", "sources"),
            ("reads", "读取", "reads"),
            ("names", "名称", "name"),
            ("texts", "文字", "text"),
            ("good", "良好", "good"),
            ("fair", "一般", "fair"),
            ("poor", "较差", "poor"),
            ("unknown", "未知", "unknown"),
            ("zh", "中文", "Chinese"),
            ("en", "英文", "English"),
            ("minimum_invoices", "最少发票数", "fewest invoices"),
            ("prior_invoices", "先验权重（发票数）", "weight of the prior (invoices)"),
            ("reasons_max", "理由条数", "reasons shown"),
            ("good_from_permille", "“良好”起点", "good from"),
            ("fair_from_permille", "“一般”起点", "fair from"),
            ("own", "自有记录", "own records"),
            ("peers", "同行摘要", "peers' summaries"),
            ("bands", "区间取值", "what a band stands for"),
            ("invoices_cap", "发票数上限", "most invoices that count"),
            ("worth_permille", "同行折算", "worth of a peer's invoice"),
            ("age_permille", "时效，天数起", "worth by age, from day"),
            (
                "weight_max_invoices",
                "同行权重上限，自有发票数起",
                "most weight of peers, from own invoices",
            ),
            ("level", "级别", "level"),
            ("from_deci", "最低分", "lowest score"),
            ("valid_months", "有效期（月）", "valid (months)"),
            ("valid_days_max", "最长有效期（天）", "valid at most (days)"),
            ("review_lead_days", "提前复评（天）", "review begins before the end (days)"),
            ("review_days", "复评（天）", "review after (days)"),
            ("pd_ppm", "违约概率", "probability of default"),
            ("pd_basis", "违约概率依据", "what the probabilities rest on"),
            ("default", "违约等级", "grade of a default"),
            ("missing", "未评级", "no grade"),
            ("new_customer", "新客户", "new customer"),
            ("relation_months_below", "往来少于（月）", "known for less than (months)"),
            ("own_events", "自有记录中的违约事实", "own facts that are a default"),
            ("peer_events", "同行所述的违约事实", "peers' facts that are a default"),
            ("caps", "证据封顶", "cap by evidence"),
            ("triggers", "下调触发", "trigger"),
            ("when", "条件", "when"),
            ("fact", "事实", "fact"),
            ("is_missing", "缺失", "is missing"),
            ("at_least", "不低于", "at least"),
            ("below", "低于", "below"),
            ("below_level", "低于级别", "below the level"),
            ("kinds", "种类", "kinds"),
            ("notches", "下调级数", "notches"),
            ("notches_max", "最多调整级数", "most notches"),
            ("reasons", "理由", "reason"),
            ("at_most", "最高等级", "grade at most"),
            ("grade", "符号", "symbol"),
            ("group", "证据组", "evidence group"),
            ("code", "代码", "code"),
            ("invoices_min", "最少发票数", "fewest invoices"),
            ("own_invoices_min", "最少自有发票数", "fewest own invoices"),
            ("peers_min", "最少同行数", "fewest peers"),
            ("age_days_max", "最大时效（天）", "oldest (days)"),
            ("cap", "单一同行上限", "cap on one peer"),
            ("share_max_permille", "最大占比", "largest share"),
            ("contributors_min", "最少同行数", "fewest peers"),
            ("counts_from_invoices", "计入的最少发票数", "counts from so many invoices"),
            ("disclosure", "按披露程度折算", "worth by what is disclosed"),
            ("full", "完整", "full"),
            ("mix", "仅结构", "mix only"),
            ("class_only", "仅等级", "class only"),
            ("index_only", "仅指数", "index only"),
            ("outside", "外部证据", "outside evidence"),
            ("groups", "证据组", "evidence groups"),
            ("prior_milli", "先验权重", "weight of the prior"),
            ("stands_alone", "可单独成立", "stands alone"),
            ("statements", "财务报表", "statements"),
            ("reports", "外部报告", "agencies' reports"),
            ("lists", "公共名单", "public lists"),
            ("application", "信用申请", "application"),
            ("scales", "评分尺度", "scales"),
            ("scale", "尺度", "scale"),
            ("agency", "机构", "agency"),
            ("expected", "应查名单", "lists to be looked into"),
            ("ranks", "严重程度", "severity"),
            ("removed_days", "移出后仍计（天）", "counts after removal (days)"),
            ("removed_rank", "移出后的严重程度", "severity after removal"),
            ("stale_days", "过旧（天）", "stale after (days)"),
            ("own_stale_days", "自有记录过旧（天）", "own records stale after (days)"),
            ("peers_stale_days", "同行摘要过旧（天）", "peers' summaries stale after (days)"),
            ("gaps", "缺口扣减", "cuts for gaps"),
            ("source", "来源", "source"),
            ("freshness", "新旧", "freshness"),
            ("permille", "比例", "share"),
            ("high", "高", "high"),
            ("medium", "中", "medium"),
            ("low", "低", "low"),
            ("high_from", "“高”起点", "high from"),
            ("medium_from", "“中”起点", "medium from"),
            ("invoices", "发票数", "invoices"),
            ("invoices_unstated", "发票数未说明时", "invoices where none are stated"),
            ("lateness", "逾期等级", "lateness"),
            ("overdue_days", "逾期天数", "days overdue"),
            ("relation_months", "往来月数", "months of relation"),
            ("disputed_permille", "争议占比", "share disputed"),
            ("late_permille", "逾期占比", "share late"),
            ("unpaid_permille", "未付占比", "share unpaid"),
            ("dbt_deci", "平均逾期天数", "days beyond terms"),
            ("index_deci", "付款指数", "payment index"),
            ("best", "最好", "best"),
            ("worst", "最差", "worst"),
            ("none", "无", "none"),
            ("currency", "币种", "currency"),
            ("rounding_minor", "取整单位（最小货币单位）", "rounded down to (minor units)"),
            ("arms", "额度算法", "ways of finding the limit"),
            ("net_worth_permille", "净资产比例", "share of net worth"),
            ("working_capital_permille", "营运资本比例", "share of working capital"),
            ("statement_age_days_max", "报表最大时效（天）", "oldest statement (days)"),
            ("references_min", "最少同行参考数", "fewest trade references"),
            ("reference_age_days_max", "同行参考最大时效（天）", "oldest trade reference (days)"),
            ("disputed_shares_out", "不采用的争议占比", "shares disputed that do not count"),
            ("need_buffer_days", "需求缓冲（天）", "buffer on the need (days)"),
            ("own_high_credit_permille", "历史最高欠款比例", "share of own high credit"),
            (
                "own_high_credit_months",
                "历史最高欠款回溯（月）",
                "own high credit looks back (months)",
            ),
            ("concentration_permille", "集中度上限", "largest share of receivables"),
            (
                "concentration_book_min_minor",
                "适用集中度的最小应收（最小货币单位）",
                "receivables from which it applies (minor units)",
            ),
            (
                "insurer_uninsured_minor",
                "可超出保险限额（最小货币单位）",
                "allowed beyond the insurer's limit (minor units)",
            ),
            ("factor_permille", "额度比例", "share of the limit"),
            ("terms_days", "账期（天）", "terms (days)"),
            ("security", "担保", "security"),
            ("monitoring", "监控", "monitoring"),
            ("is_high_risk", "高风险", "high risk"),
            ("starter", "起始授信", "starter credit"),
            ("upto_minor", "金额上限（最小货币单位）", "up to (minor units)"),
            ("valid_days", "有效期（天）", "valid (days)"),
            ("outcome", "结果", "outcome"),
            ("high_arms", "“高”所需算法数", "high from so many ways"),
            ("medium_arms", "“中”所需算法数", "medium from so many ways"),
            ("proposal_days", "提议有效（天）", "proposal stands (days)"),
            ("tiers", "审批层级", "approval tier"),
            ("roles", "审批岗位", "roles that approve"),
            ("persons", "审批人数", "approvals needed"),
            ("required", "必须包括", "required among them"),
            ("conflicting_roles", "不得审批的岗位", "roles that never approve"),
            ("deputy_days_max", "代理最长（天）", "deputies at most (days)"),
            ("lints", "法定账期", "law on terms"),
            ("countries", "国家", "countries"),
            ("buyers", "客户类型", "kinds of buyer"),
            ("days_max", "最长（天）", "at most (days)"),
            ("counted_from", "起算", "counted from"),
            ("is_cap", "强制上限", "cuts the terms"),
            ("interest", "法定利息", "statutory interest"),
            ("fixed_minor", "固定金额（最小货币单位）", "fixed amount (minor units)"),
            ("margin_centipercent", "加点", "margin"),
            ("daily_per_million", "日利率（百万分之）", "daily rate (per million)"),
            ("reference_rates", "基准利率", "reference rates"),
            ("rate_centipercent", "利率", "rate"),
            ("from_day", "自", "from"),
            ("override_reasons", "人工调整理由", "reason of an override"),
            ("adverse_kinds", "不良事实", "adverse facts"),
            ("days_past_due_over", "逾期超过（天）", "overdue more than (days)"),
            ("every_months", "取样间隔（月）", "a row every (months)"),
            ("months", "观察期（月）", "outcome window (months)"),
            ("test_share_permille", "检验样本占比", "share of test rows"),
            ("bins", "分箱", "bins"),
            ("has_missing_bins", "缺失值单独分箱", "missing values have a bin"),
            ("is_monotone", "单调", "monotone"),
            ("prebins_max", "预分箱上限", "most first bins"),
            ("share_min_permille", "每箱最小占比", "least share of a bin"),
            ("time_limit_s", "时限（秒）", "time limit (s)"),
            ("combinations", "组合指标", "combined factors"),
            ("cells_max", "单元上限", "most cells"),
            ("count_max", "数量上限", "most of them"),
            ("depth_max", "深度上限", "deepest"),
            ("step_permille", "最小增益", "least gain"),
            ("fit", "拟合", "fit"),
            ("bootstrap_cells_max", "重复抽样单元上限", "most resampled cells"),
            ("bootstrap_rounds", "重复抽样次数", "resampling rounds"),
            ("c_permille", "正则强度", "regularisation"),
            ("features_max", "指标数上限", "most factors"),
            ("iv_min_permille", "最小信息值", "least information value"),
            ("seed", "随机种子", "seed"),
            ("decimals", "小数位", "decimals"),
            ("direction", "方向", "direction"),
            ("odds0_good_milli", "基准好坏比", "odds at the base score"),
            ("pdo_deci", "好坏比翻倍分值", "points that double the odds"),
            ("points0_deci", "基准分", "base score"),
            ("validation", "检验", "validation"),
            ("bads_min", "最少违约客户数", "fewest customers who turned bad"),
            ("upto_ppm", "违约概率上限", "probability of default up to"),
            ("dishonest-debtor", "失信被执行人", "dishonest judgment debtors"),
            ("tax-arrears", "欠税公告", "tax arrears"),
            ("abnormal-operations", "经营异常名录", "abnormal operations"),
            ("serious-violations", "严重违法失信名单", "serious violations"),
            ("sanctions", "制裁名单", "sanctions"),
            ("value", "取值", "value"),
            ("rules", "规则", "rules"),
            ("r1_exposure", "R1 敞口", "R1 exposure"),
            ("r2_usage", "R2 使用率", "R2 use of the limit"),
            ("r3_oldest", "R3 最早逾期", "R3 oldest overdue"),
            ("r4_share", "R4 逾期占比", "R4 share overdue"),
            ("r5_dunning", "R5 催收级别", "R5 dunning level"),
            ("r6_expiry", "R6 过期", "R6 expiry"),
            ("r7_terms", "R7 条件放宽", "R7 eased terms"),
            ("r8_order", "R8 大额订单", "R8 large order"),
            ("r9_index", "R9 指数下降", "R9 index drop"),
            ("r10_bills", "R10 票据", "R10 bills"),
            ("r11_lists", "R11 名单", "R11 lists"),
            ("r12_promises", "R12 承诺", "R12 promises"),
            ("r13_group", "R13 集团", "R13 group"),
            ("leads_to", "导致", "leads to"),
            ("unassessed_leads_to", "未评估时导致", "leads to, unassessed"),
            ("overdue_leads_to", "逾期时导致", "leads to, overdue"),
            ("persistent_leads_to", "持续逾期时导致", "leads to, persistent"),
            ("insolvency_leads_to", "破产时导致", "leads to, insolvency"),
            ("usage_permille", "使用率", "use of the limit"),
            ("days_by_grade", "各等级容许天数", "days by grade"),
            ("days_without_grade", "无等级容许天数", "days without a grade"),
            ("small_amounts", "小额", "small amounts"),
            ("amount_minor", "金额", "amount"),
            ("share_permille", "占比", "share"),
            ("multiple_permille", "倍数", "multiple"),
            ("quarters", "季度数", "quarters"),
            ("points", "分数", "points"),
            ("bills", "票据数", "bills"),
            ("persistent_months", "持续逾期月数", "months, persistent"),
            ("list", "名单", "list"),
            ("look_days_max", "查询有效天数", "days a look is worth"),
            ("broken", "未兑现次数", "broken"),
            ("days", "天数", "days"),
            ("amber_points", "黄色分数", "amber from"),
            ("red_points", "红色分数", "red from"),
            ("signals", "信号", "signals"),
            ("detector", "探测", "detector"),
            ("kind", "种类", "kind"),
            ("half_life_days", "半衰期（天）", "half-life (days)"),
            ("end_days", "失效（天）", "ends after (days)"),
            ("is_manual", "可人工录入", "entered by persons"),
            ("calm_days", "此前无事天数", "calm days before"),
            ("payments", "付款数", "payments"),
            ("round_minor", "整数单位", "round sum"),
            ("times", "倍", "times"),
            ("spike_permille", "激增", "spike"),
            ("collapse_permille", "骤减", "collapse"),
            ("early_permille", "之前提前付款", "early before"),
            ("early_now_permille", "现在提前付款", "early now"),
            ("watch", "关注名单", "watch list"),
            ("clean_quarters", "无异常季度数", "clean quarters"),
            ("plans", "措施", "actions"),
            ("kinds", "种类", "kinds"),
            ("escalates_to", "上报给", "escalates to"),
            ("exclusions", "例外", "exclusions"),
            ("rule", "规则", "rule"),
            ("owner", "负责人", "owner"),
            ("until_day", "至", "until"),
            ("orders", "订单检查", "order checks"),
            ("exposure", "敞口", "exposure"),
            ("counts_disputed", "争议款计入", "what is disputed counts"),
            ("order_permille", "订单计入比例", "share of an order that counts"),
            ("order_horizon_days", "近期订单天数", "days within which orders count so"),
            ("beyond_permille", "远期订单计入比例", "share of later orders"),
            (
                "holds_accepted_over_limit",
                "降额后冻结已接订单",
                "holds accepted orders over a limit",
            ),
            ("grace_days", "放行后免查天数", "days after a release without a check"),
            ("release_days_max", "放行最长天数", "longest release (days)"),
            ("release_over_permille", "放行后可超出", "over what was released"),
            ("reason_codes", "放行原因", "reasons of releases"),
            ("method", "损失率方法", "where rates come from"),
            ("base", "账龄起点", "ages from"),
            ("buckets", "账龄段", "buckets"),
            ("upto_days", "至逾期天数", "up to days past due"),
            ("rate_ppm", "损失率", "loss rate"),
            ("beyond_ppm", "其后的损失率", "loss rate beyond"),
            ("forward_ppm", "前瞻系数", "forward factor"),
            ("stage_two_after_days", "第二阶段，逾期天数后", "stage two after days"),
            ("stage_three_after_days", "第三阶段，逾期天数后", "stage three after days"),
            ("insolvent_ppm", "破产客户损失率", "loss rate of the insolvent"),
            ("template", "版式", "template"),
            ("asks_undisputed_part", "争议项目的无争议部分照催", "asks for the undisputed part"),
            ("asks_charges_alone", "仅有费用与利息时也发函", "letters for charges alone"),
            ("segments", "客户群", "segment"),
            ("countries", "国家", "countries"),
            ("customer_kinds", "客户类型", "kinds of customers"),
            ("dunned_grades", "等级", "grades"),
            ("grace_days", "宽限天数", "days of grace"),
            ("gap_days", "两函最短间隔（天）", "days between letters"),
            ("levels", "催收级别", "level"),
            ("after_days", "逾期天数起", "from days past due"),
            ("wait_days", "等待天数", "waits days"),
            ("pay_days", "付款期限（天）", "days to pay"),
            ("fees", "催收费", "fees"),
            ("interest_ppm", "年利率", "interest a year"),
            ("words", "文字", "words"),
            ("subject", "标题", "subject"),
            ("opening", "开头", "opening"),
            ("closing", "结尾", "closing"),
            ("lgd_ppm", "违约损失率", "loss given default"),
            ("minimum_minor", "起算总额", "smallest whole"),
            ("top", "前几大", "the largest so many"),
            ("limits", "占比限额", "limit of a share"),
            ("dimension", "维度", "dimension"),
            ("only", "仅限", "of these alone"),
            ("exempt", "豁免", "but these"),
            ("hhi_limits", "集中度指数限额", "limit of the index"),
            ("hhi", "集中度指数", "index"),
            ("flow_months", "历史区间（月）", "history (months)"),
            ("flow_invoices_min", "历史最少发票数", "history, fewest invoices"),
        )
    }
)
NOTHING = LocalText(zh="（无）", en="(nothing)")
_LANGUAGES = frozenset({"zh", "en"})
_FLAGS = {True: LocalText(zh="是", en="yes"), False: LocalText(zh="否", en="no")}


def say_member(member: str, language: Language) -> str:
    """Return a member in words."""
    words = MEMBERS.get(member)
    return member if words is None else words.render(language)


def say_parts(parts: tuple[Part, ...], language: Language) -> str:
    """Return where something is: ``factor dbt · step at 300 · points``."""
    names = (f"{say_member(one.member, language)} {one.key}".rstrip() for one in parts)
    return " · ".join(names)


def say_value(value: JsonValue | None, place: Place, language: Language) -> str:
    """Return a value in words and in its unit."""
    match value:
        case None:
            return NOTHING.render(language)
        case bool():
            return _FLAGS[value].render(language)
        case int():
            return format_number(value, place)
        case str():
            return value
        case _:
            return _say_inner(value, place, language)


def _say_inner(
    value: list[JsonValue] | dict[str, JsonValue], place: Place, language: Language
) -> str:
    if isinstance(value, list):
        words = [one for one in value if isinstance(one, str)]
        if len(words) == len(value):
            return ", ".join(words) or NOTHING.render(language)
    elif set(value) == _LANGUAGES:
        return str(value[language.value])
    elif AT in value and len(value) == len(_LANGUAGES):
        (name,) = set(value) - {AT}
        return say_value(value[name], (*place, name), language)
    return json.dumps(value, ensure_ascii=False)


def say_change(change: Change, language: Language) -> str:
    """Return a difference in words: where, before → after."""
    place = tuple(one.member for one in change.parts)
    sides = (say_value(one, place, language) for one in (change.before, change.after))
    colon = "：" if language is Language.ZH else ": "
    return f"{say_parts(change.parts, language)}{colon}{' → '.join(sides)}"
