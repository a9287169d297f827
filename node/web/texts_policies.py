"""The part of the catalogue that the pages of policies speak.

Members of a policy have their words in ``node.governance.policies.wording``.
"""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

POLICY_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nav.policies": ("信用政策", "Policies"),
        "policies.title": ("信用政策", "Policies"),
        "policies.note": (
            "评分与评级只采用已生效的版本；起草人与批准人须为不同的人。",
            (
                "Scores and grades follow the active version alone; who wrote a version does not "
                "approve it."
            ),
        ),
        "policies.newer": (
            "{label} 随新版软件提供，已获批准但尚未生效：请先做影响预览，再决定是否启用。",
            (
                "{label} came with a release: it is approved and not active. Look at its preview, "
                "then decide."
            ),
        ),
        "policies.version": ("版本", "Version"),
        "policies.origin": ("来源", "Origin"),
        "policies.state": ("状态", "State"),
        "policies.by": ("经办人", "By"),
        "policies.approved-by": ("批准人", "Approved by"),
        "policies.active-from": ("生效日", "Effective from"),
        "policies.back": ("返回政策列表", "All policies"),
        "policies.back-version": ("返回该版本", "Back to the version"),
        "policies.hash": ("文件哈希", "SHA-256"),
        "policies.revision": ("第 {number} 稿", "revision {number}"),
        "policies.tables": ("内容", "What it says"),
        "policies.field": ("项目", "Member"),
        "policies.value": ("取值", "Value"),
        "policies.changes": ("与 {label} 的差异", "Differences from {label}"),
        "policies.changes-none": ("没有差异。", "There is none."),
        "policies.changes-cut": (
            "共 {count} 处，列出前 {shown} 处。",
            "{count} in all, the first {shown} are listed.",
        ),
        "policies.before": ("之前", "Before"),
        "policies.after": ("之后", "After"),
        "policies.life": ("经过", "What became of it"),
        "policies.at": ("时间（UTC）", "At (UTC)"),
        "policies.reason": ("理由", "Reason"),
        "policies.written": ("起草", "written"),
        "policies.steps": ("下一步", "What may follow"),
        "policies.edit": ("编辑", "Edit"),
        "policies.copy": ("以此为基础起草新版本", "Begin a draft from it"),
        "policies.propose": ("提交审批", "Propose"),
        "policies.approve": ("批准", "Approve"),
        "policies.reject": ("否决", "Reject"),
        "policies.withdraw": ("撤回", "Withdraw"),
        "policies.from": ("生效日（留空为立即）", "Effective from (empty: now)"),
        "policies.planned": ("将要生效", "To become active"),
        "policies.planned-note": (
            "{day} 起自动生效（{name}：{reason}）。在此之前可撤回。",
            "Becomes active by itself on {day} ({name}: {reason}). It can be withdrawn before.",
        ),
        "policies.unplan": ("撤回生效计划", "Withdraw the planned activation"),
        "refusal.policy-day": (
            "生效日须在今天之后、366 天以内。",
            "The day is to be after today, and within 366 days.",
        ),
        "refusal.policy-planned": (
            "同类规则已有一个版本计划生效：请先撤回该计划。",
            "A version of this kind is to become active already: withdraw that plan first.",
        ),
        "refusal.policy-not-planned": (
            "该版本没有生效计划。",
            "This version is not to become active on a later day.",
        ),
        "policies.activate": ("启用", "Make active"),
        "policies.preview": ("影响预览", "Preview"),
        "policies.preview-start": ("开始预览", "Begin the preview"),
        "policies.preview-none": (
            "尚未做影响预览。预览对全部客户逐一试算，只保存汇总。",
            (
                "Not previewed yet. A preview tries it on every customer and keeps the summary "
                "alone."
            ),
        ),
        "policies.judged-anew": (
            "按自有记录以两份政策重新判定，不含同行信息",
            "Judged anew by both policies, by our own records alone",
        ),
        "policies.status-changed": ("状态改变", "Status changes"),
        "policies.status-better": ("状态减轻", "Less severe"),
        "policies.status-worse": ("状态加重", "More severe"),
        "policies.status-ok": ("正常", "OK"),
        "policies.status-watch": ("关注", "watch"),
        "policies.status-hold": ("暂停", "hold"),
        "policies.held": ("新增暂停", "Newly held"),
        "policies.freed": ("不再暂停", "No longer held"),
        "policies.alerts": ("提示", "Alerts"),
        "policies.alerts-none": ("两份政策均无提示", "Neither policy finds anything"),
        "policies.rule": ("规则或信号", "Rule or signal"),
        "policies.opened": ("新增", "Opened"),
        "policies.ceased": ("消失", "Ceased"),
        "policies.preview-of": (
            "截至 {as_of}，由 {name} 于 {moment}（UTC）试算",
            "As of {as_of}, by {name} at {moment} UTC",
        ),
        "policies.preview-running": (
            "正在试算：{done} / {total} 位客户",
            "At work: {done} of {total} customers",
        ),
        "policies.preview-waiting": ("正在开始", "It begins"),
        "policies.preview-stale": (
            "预览之后文本或现行版本已变动，启用前须重做。",
            "The text, or what is active, changed since: it is due again before activation.",
        ),
        "policies.scores-anew": (
            "分数按现有依据重新计算；前后两列依据相同。",
            "Scores are worked out anew; before and after rest on the same evidence.",
        ),
        "policies.scores-kept": (
            "分数取自已保存的评估，只重新定级。",
            "Scores are those that are kept; only grades are given anew.",
        ),
        "policies.customers": ("有评估的客户", "Customers with an assessment"),
        "policies.rescored": ("分数变动", "Scores that change"),
        "policies.changed": ("等级变动", "Grades that change"),
        "policies.better": ("上升", "Rise"),
        "policies.worse": ("下降", "Fall"),
        "policies.mean": ("平均分数变动", "Mean change of the score"),
        "policies.gained": ("新规则下成为违约", "In default by the new rules alone"),
        "policies.lost": ("新规则下不再违约", "In default by the old rules alone"),
        "policies.moved": (
            "等级已因依据变化而与上次评级不同（与本次变更无关）",
            "Whose evidence has moved since their rating (not for this change)",
        ),
        "policies.matrix": ("等级迁移", "Migration of grades"),
        "policies.matrix-note": (
            "行为变更前，列为变更后。",
            "Rows are before, columns are after.",
        ),
        "policies.all": ("合计", "All"),
        "policies.moves": ("变动最大的客户", "Largest moves"),
        "policies.hidden": (
            "另有 {count} 个客户，本角色不可见（自然人，或含同行信息）。",
            "{count} customers are not for this role: natural persons, or told with peers' words.",
        ),
        "policies.moves-none": ("没有分数变动。", "No score changes."),
        "policies.customer": ("客户", "Customer"),
        "policies.score": ("分数", "Score"),
        "policies.change": ("变动", "Change"),
        "policies.grade": ("等级", "Grade"),
        "policies.why": ("原因", "Why"),
        "policies.uncalibrated": (
            "违约概率为占位值，未经校准。",
            "The probabilities of default are placeholders, not calibrated.",
        ),
        "policies.edit-title": ("编辑 {label}", "Edit {label}"),
        "policies.edit-note": (
            "得分与最低分保留一位小数，比例用百分比；分段写作“起点: 取值”，用分号隔开。",
            (
                "Points and lowest scores with one decimal, shares in per cent; steps as "
                "“from: value”, with semicolons between."
            ),
        ),
        "policies.edit-wrong": ("需要改正：{count} 处", "To be put right: {count}"),
        "policies.save": ("保存草稿", "Save the draft"),
        "policies.yes": ("是", "yes"),
        "policies.no": ("否", "no"),
        "policies.unread": ("无法读取", "cannot be read"),
        "policy-kind.assessment-policy": ("评分卡", "Scorecard"),
        "policy-kind.rating-scale": ("评级标准", "Rating scale"),
        "policy-kind.training-policy": ("模型训练", "Training of models"),
        "policy-kind.decision-policy": ("授信决策", "Credit decision"),
        "policy-kind.risk-policy": ("风险监控", "Risk watching"),
        "policy-kind.provision-policy": ("减值准备", "Provision"),
        "policy-kind.dunning-policy": ("催收", "Dunning"),
        "policy-kind.portfolio-policy": ("组合风险", "Portfolio"),
        "policy-origin.shipped": ("随软件提供", "shipped"),
        "policy-origin.own": ("自定", "our own"),
        "policy-state.draft": ("草稿", "draft"),
        "policy-state.proposed": ("待审批", "proposed"),
        "policy-state.approved": ("已批准", "approved"),
        "policy-state.active": ("生效中", "active"),
        "policy-state.retired": ("已停用", "retired"),
        "policy-state.rejected": ("已否决", "rejected"),
        "policy-state.withdrawn": ("已撤回", "withdrawn"),
        "refusal.policy-same-person": (
            "起草或提交的人不能自己审批，请换一人。",
            "Who wrote or proposed it does not decide on it: another person does.",
        ),
        "refusal.policy-state": (
            "该版本的状态已变，不能这样做。",
            "The version is in another state by now.",
        ),
        "refusal.policy-changed": (
            "文本已被他人改动，请重新查看。",
            "Somebody else has changed the text: look again.",
        ),
        "refusal.policy-not-previewed": (
            "启用前须先对照现行版本做影响预览。",
            "Its preview beside the active version comes first.",
        ),
        "refusal.policy-invalid": ("内容不符合规则。", "It is not what such a policy must be."),
        "refusal.policy-entry": ("请写明理由。", "A reason is needed."),
        "refusal.policy-preview-day": (
            "该日期无法预览：请用营业日或此前的日期。",
            "Nothing is previewed as of that day: take the business date or one before it.",
        ),
        "refusal.policy-no-preview": (
            "此类政策不改变等级，无需预览。",
            "Policies of this kind change no grade.",
        ),
        "refusal.policy-preview-stopped": (
            "节点曾停止，请重新预览。",
            "The node ended meanwhile: begin the preview again.",
        ),
        "refusal.unavailable": (
            "另一项预览正在进行，请稍后再试。",
            "Another preview is at work: try again later.",
        ),
    }
)
