"""The part of the catalogue that the pages of rating runs, movements and reviews speak."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RATINGS_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nav.ratings": ("评级", "Ratings"),
        "ratings.title": ("评级批次与迁移", "Rating runs and movements"),
        "ratings.before": ("之前（日期或批次）", "Before (a day or a run)"),
        "ratings.after": ("之后（日期或批次）", "After (a day or a run)"),
        "ratings.form": ("例如 2026-10-31 或 run-7", "as 2026-10-31 or run-7"),
        "ratings.show": ("比较", "Compare"),
        "ratings.none": (
            "还没有两个完成的批次。运行一次，或比较两个日期。",
            "There are not two finished runs. Begin one, or compare days.",
        ),
        "ratings.sides": (
            "{before} → {after}，{count} 个客户",
            "{before} → {after}, {count} customers",
        ),
        "ratings.basis-own": (
            "只按自有记录的等级：您的角色看不到同行所述。",
            "Grades from own records alone: your role does not see what peers have said.",
        ),
        "ratings.movements": ("变动", "Movements"),
        "ratings.movement": ("变动", "Movement"),
        "ratings.customers": ("客户数", "Customers"),
        "ratings.matrix": ("迁移矩阵", "Migration matrix"),
        "ratings.matrix-note": (
            "行是之前的等级，列是之后的等级；每格是客户数与占该行的百分比，点数字看客户。",
            (
                "Rows are the grades before, columns those after; a cell has the customers and "
                "their share of the row. Click a number to see them."
            ),
        ),
        "ratings.row-n": ("合计 n", "n"),
        "list.any-grade": ("任何等级", "any grade"),
        "ratings.no-rating": ("无评级", "no rating"),
        "ratings.runs": ("批次", "Runs"),
        "ratings.runs-none": (
            "还没有批次。",
            "There is no run yet.",
        ),
        "ratings.run": ("批次", "Run"),
        "ratings.as-of": ("业务日期", "As of"),
        "ratings.state": ("状态", "State"),
        "ratings.rated": ("已评级", "Rated"),
        "ratings.skipped": ("跳过", "Skipped"),
        "ratings.policy": ("规则", "Policy"),
        "ratings.scale": ("等级表", "Scale"),
        "ratings.by": ("启动人", "Begun by"),
        "ratings.compare-run": ("与此前比较", "Compare with before"),
        "ratings.begin": ("为全部客户评级", "Rate the whole portfolio"),
        "ratings.begin-run": ("开始批次", "Begin a run"),
        "ratings.go-on": ("从中断处继续", "Go on with the run"),
        "ratings.begin-note": (
            "批次在后台运行，可离开本页；同时只有一个批次。节点重启后批次显示为已中断，可从中断处继续，不重不漏。换一个日期会放弃已中断的批次。",
            (
                "A run goes on in the background, also when you leave the page; there is one at a "
                "time. After a restart of the node it stands as interrupted and is gone on with, "
                "nobody twice. Another day abandons the interrupted run."
            ),
        ),
        "ratings.running": (
            "批次 {run}（业务日期 {as_of}）：已完成 {done} / {total} 个客户",
            "Run {run} as of {as_of}: {done} of {total} customers are done",
        ),
        "ratings.waiting": (
            "批次 {run}（业务日期 {as_of}）正在开始",
            "Run {run} as of {as_of} begins",
        ),
        "refusal.rating-run-under-way": (
            "已有一个批次在运行：等它结束，或在其中断 30 秒后再试。",
            "A run is under way: wait for its end, or try again 30 seconds after it was cut off.",
        ),
        "refusal.rating-run-day": (
            "不能按这个日期评级：请填业务日期或更早的日期。",
            "No portfolio is rated as of this day: name the business date or a day before it.",
        ),
        "refusal.rating-run-stopped": (
            "节点停止，批次已中断，可以继续。",
            "The node ended and the run was interrupted; it can be gone on with.",
        ),
        "refusal.rating-run-terms-changed": (
            "运行期间启用了另一份规则或等级表，批次已放弃，请重新开始。",
            "Another policy or scale became active meanwhile: the run is abandoned, begin anew.",
        ),
        "refusal.rating-run-lost": (
            "另一个进程已接手这个批次。",
            "Another process has gone on with this run.",
        ),
        "ratings.list": ("客户清单", "Customers"),
        "ratings.list-back": ("返回迁移矩阵", "Back to the matrix"),
        "ratings.list-none": ("没有这样的客户。", "There is no such customer."),
        "ratings.grade-before": ("之前", "Before"),
        "ratings.grade-after": ("之后", "After"),
        "ratings.reason": ("首要理由", "First reason"),
        "movement.lost": ("不再有评级", "no longer rated"),
        "movement.default-entered": ("转为违约", "into default"),
        "movement.default-left": ("脱离违约", "out of default"),
        "movement.new": ("新评级", "newly rated"),
        "movement.rescaled": ("等级表已变", "by another scale"),
        "movement.up": ("上调", "up"),
        "movement.down": ("下调", "down"),
        "movement.reason": ("等级未变，首要理由变了", "same grade, another first reason"),
        "movement.same": ("未变", "unchanged"),
        "run-state.running": ("运行中", "running"),
        "run-state.interrupted": ("已中断，可继续", "interrupted, can go on"),
        "run-state.finished": ("已完成", "finished"),
        "run-state.abandoned": ("已放弃", "abandoned"),
        "reviews.title": ("复评日历", "Calendar of reviews"),
        "reviews.until": ("直到", "Until"),
        "reviews.csv": ("下载 CSV", "As CSV"),
        "reviews.none": ("没有到期的复评。", "No review is due."),
        "reviews.counts": ("合计", "Totals"),
        "reviews.grade": ("等级", "Grade"),
        "reviews.rated": ("评级日", "Rated on"),
        "reviews.review": ("复评日", "Review on"),
        "reviews.valid": ("有效期至", "Valid until"),
        "reviews.why": ("提前的原因", "Why early"),
        "reviews.cut": (
            "只显示前 {shown} 个，共 {count} 个；CSV 含全部。",
            "The first {shown} of {count}; the CSV has all of them.",
        ),
        "review-state.expired": ("评级已失效", "rating expired"),
        "review-state.unrated": ("没有评级", "not rated"),
        "review-state.early": ("提前复评", "brought forward"),
        "review-state.due": ("已到期", "due"),
        "review-state.upcoming": ("将到期", "coming up"),
        "trigger.overdue": ("新近逾期超过 30 天", "newly overdue over 30 days"),
        "trigger.statement": ("财务报表已过时", "financial statement is stale"),
        "trigger.override": ("人工调整的等级已终止", "the grade that a person had given has ended"),
        "rating.in-force": ("人工调整，生效中", "Given by a person, in force"),
        "rating.override-until": (
            "{grade}（评级为 {rated}），至 {day}",
            "{grade} (rated {rated}), until {day}",
        ),
        "rating.override-until-own": ("{grade}，至 {day}", "{grade}, until {day}"),
        "rating.criteria": ("封顶与下调", "Caps and triggers"),
        "rating.criterion": ("{before} → {after}：{words}", "{before} → {after}: {words}"),
        "rating.state-expired": ("已失效", "expired"),
    }
)
