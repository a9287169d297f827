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
            ("factors", "因素", "factor"),
            ("features", "指标", "factor"),
            ("grades", "等级", "grade"),
            ("confidence", "可信度规则", "confidence rule"),
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
            ("grade", "符号", "symbol"),
            ("value", "取值", "value"),
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
