"""The part of the catalogue that the pages of overrides and of both statistics speak.

The states of an override have their words in ``node.rating.overrides.view``, verdicts in the room.
"""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OVERRIDE_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "overrides.title": ("等级人工调整", "Grades given by persons"),
        "overrides.note": (
            "上调须由第二人批准后才生效；下调立即生效，重新评级后仍为上限，须两人撤回。违约或到期即终止；上调遇重新评级亦终止。",
            (
                "One that raises a grade holds once a second person has approved it, one that "
                "lowers holds at once, bounds later ratings too, and is withdrawn by two persons. "
                "A default or its last day ends it, and one that raises a new rating too."
            ),
        ),
        "overrides.waiting": ("待第二人批准", "Waiting for a second person"),
        "overrides.active": ("生效中", "In force"),
        "overrides.ended": ("已终止", "Ended"),
        "overrides.none": ("没有人工调整。", "There is none."),
        "overrides.older": ("更早的调整", "Older ones"),
        "overrides.number": ("人工调整 {number}", "Override {number}"),
        "overrides.number-head": ("编号", "No."),
        "overrides.grade": ("给定等级", "Grade given"),
        "overrides.rated": ("评级等级", "Grade of the rating"),
        "overrides.reason-code": ("理由类别", "Kind of reason"),
        "overrides.why": ("理由", "Reason"),
        "overrides.comment": ("意见", "Comment"),
        "overrides.by": ("人员", "Who"),
        "overrides.made": ("日期", "Given on"),
        "overrides.until": ("有效至", "Until"),
        "overrides.until-hint": ("留空则至最晚日 {day}", "Empty: as late as may be, {day}"),
        "overrides.by-person": ("人工给定", "Given by a person"),
        "overrides.who-until": ("（{by}，有效至 {day}）", "({by}, until {day})"),
        "overrides.up": ("上调", "raised"),
        "overrides.down": ("下调", "lowered"),
        "overrides.history": ("经过", "History"),
        "overrides.day": ("日期", "Day"),
        "overrides.step": ("步骤", "Step"),
        "overrides.steps": ("下一步", "What may follow"),
        "overrides.approve": ("批准", "Approve"),
        "overrides.reject": ("否决", "Reject"),
        "overrides.withdraw": ("撤回", "Withdraw"),
        "overrides.withdrawal-asked": ("要求撤回", "Withdrawal asked"),
        "overrides.withdrawal-two": (
            "撤回下调会提高等级：须两人撤回。",
            "To withdraw it raises the grade: two persons do it.",
        ),
        "overrides.withdrawal-waits": (
            "已有一人要求撤回；等待另一人。",
            "One person has asked for its withdrawal; it waits for another.",
        ),
        "overrides.withdrawal-yours": (
            "由您要求撤回：须由另一人撤回。",
            "You asked for it: another person withdraws it.",
        ),
        "overrides.another": (
            "由您提出：须由另一人批准或否决。",
            "You proposed it: another person approves or rejects it.",
        ),
        "overrides.not-yours": (
            "只有规则指定岗位的人员，以本人令牌，才能调整等级；管理员令牌不能。",
            (
                "Only persons of the roles that the policy names give a grade, with tokens of "
                "their own; the operator's token gives none."
            ),
        ),
        "overrides.is-open": (
            "本评级已有未结的人工调整：须先撤回。",
            "Another override of this rating is open: withdraw it first.",
        ),
        "overrides.no-rating": (
            "没有可调整的有效评级（违约与未评级的等级不得调整）：请先评级。",
            (
                "No rating holds whose grade may be changed (default and not rated are none): rate "
                "the customer first."
            ),
        ),
        "overrides.of-customer": ("本客户的人工调整", "Of this customer"),
        "overrides.give": ("给定等级", "Give a grade"),
        "overrides.give-note": (
            "最多调整 {notches} 级。评级本身不变，两者并列保存。",
            "At most {notches} notches. The rating itself stays; both are kept beside each other.",
        ),
        "overrides.link": ("人工调整等级", "Grades given by persons"),
        "override-step.proposed": ("提出", "given"),
        "override-step.approved": ("批准", "approved"),
        "override-step.rejected": ("否决", "rejected"),
        "override-step.withdrawn": ("撤回", "withdrawn"),
        "override-state.waiting": ("待第二人批准", "waiting"),
        "override-state.in-force": ("生效中", "in force"),
        "override-state.rejected": ("被否决", "rejected"),
        "override-state.withdrawn": ("已撤回", "withdrawn"),
        "override-state.rerated": ("因重新评级终止", "ended by a new rating"),
        "override-state.defaulted": ("因违约终止", "ended by a default"),
        "override-state.expired": ("到期", "past its last day"),
        "overridden.tab": ("调整的结果", "What became of them"),
        "overridden.title": ("人工调整及其结果", "Grades given by persons, and the outcome"),
        "overridden.note": (
            "每项调整自生效日起看 {months} 个月，截至 {until}；与未调整的评级并列。",
            (
                "Each followed for {months} months from the day on which it came to hold, up to "
                "{until}, beside the ratings that nobody changed."
            ),
        ),
        "overridden.share": ("被调整的评级", "Ratings overridden"),
        "overridden.share-of": ("{rated} 个评级中的 {overridden} 个", "{overridden} of {rated}"),
        "overridden.cut": (
            "只统计最近的人工调整。",
            "Only the newest overrides are counted.",
        ),
        "overridden.outcome": ("结果", "Outcome"),
        "overridden.chart": (
            "上调、下调与未调整的评级：实际违约率及 95 % 区间",
            "Raised, lowered, not overridden: observed share of bad with 95 % interval",
        ),
        "overridden.legend": (
            "圆点为实际违约率，横线为 95 % 区间。",
            "Dot: observed share that turned bad; line: its 95 % interval.",
        ),
        "overridden.few": (
            "违约样本 {found} 个，少于 {needed} 个：不据此评判人工调整的好坏。",
            "{found} turned bad, fewer than {needed}: nothing is concluded about overrides.",
        ),
        "overridden.group": ("分组", "Group"),
        "overridden.count": ("次数", "Overrides"),
        "overridden.others": ("未调整", "not overridden"),
        "overridden.by-reason": ("按理由", "By reason"),
        "overridden.by-person": ("按人员", "By person"),
        "backtest.tab": ("回溯检验", "Back-test"),
        "backtest.title": ("按等级的回溯检验", "Back-test by grade"),
        "backtest.note": (
            "每个评级自评级日起看 {months} 个月，月份不重复计算，截至 {until}。",
            (
                "Each rating followed for {months} months from its day, no month counted twice, up "
                "to {until}."
            ),
        ),
        "backtest.verdict": ("结论", "Verdict"),
        "backtest.needed": (
            "违约客户 {found} 家；达到 {needed} 家之前不得称为“已验证”。",
            "Customers who turned bad: {found}. Below {needed} nothing is called validated.",
        ),
        "backtest.already": ("评级时已违约，不计", "Bad already, not counted"),
        "backtest.looked-back": ("事后补评", "Given long after their day"),
        "backtest.by-grade": ("按等级", "By grade"),
        "backtest.none": ("还没有按评分给出的等级。", "No grade of a score was given yet."),
        "backtest.not-over-yet": (
            "还没有满期的样本，因此没有图。",
            "Nobody's months are over yet, so there is no chart.",
        ),
        "backtest.chart": (
            "各等级：实际违约率及 95 % 区间，与等级表的违约概率",
            "By grade: observed share of bad with 95 % interval, and the scale's probability",
        ),
        "backtest.legend": (
            "圆点为实际违约率，横线为 95 % 区间，方框为等级表所述违约概率。",
            "Dot: observed share; line: its 95 % interval; square: what the scale states.",
        ),
        "backtest.of": ("{n} 中 {bads} 违约", "{bads} bad of {n}"),
        "backtest.n": ("样本 n", "n"),
        "backtest.bads": ("违约", "Bad"),
        "backtest.observed": ("实际违约率 [95 %]", "Observed [95 %]"),
        "backtest.stated": ("等级表 PD", "Stated PD"),
        "backtest.holds": ("PD 在区间内", "PD within"),
        "backtest.not-over": ("未满期", "Not over"),
        "backtest.all": ("全部", "All"),
        "ratings.tab": ("评级运行", "Runs and movements"),
        "refusal.override-duty": (
            "您的令牌或岗位不得调整等级。",
            "Your token or a role of yours stands against it.",
        ),
        "refusal.override-same-person": (
            "提出人不得批准或否决：须由另一人决定。",
            "Who proposed it does not decide on it: another person does.",
        ),
        "refusal.override-state": (
            "评级或调整的当前状态不允许这一步，请重新查看。",
            "Not possible in the present state of the rating or override: please look again.",
        ),
        "refusal.override-invalid": (
            "规则不允许这一等级、理由或期限。",
            "The policy does not allow this grade, reason or time.",
        ),
    }
)
