"""The part of the catalogue about bundles that an auditor drops."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DROP_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "drop.title": ("验证证据包", "Verify bundles"),
        "drop.note": (
            "任何成员导出的证据包都可在此验证，判定与 chengxin audit verify 相同。",
            "Bundles of any members are judged here as by chengxin audit verify.",
        ),
        "drop.files": ("证据包（.tar）", "Bundles (.tar)"),
        "drop.limits": (
            "最多 {files} 个文件，共 {mebibytes} MiB。双方的证据包一起验证更完整。",
            "At most {files} files, {mebibytes} MiB together. Both sides' bundles show more.",
        ),
        "drop.anchor-note": (
            "应通过其他途径取得；此处填的是本节点所用的。",
            "To be known by another way; what stands here is this node's.",
        ),
        "drop.verify": ("验证", "Verify"),
        "drop.life": (
            "文件与判定在 {minutes} 分钟后、或节点重启时删除。",
            "Files and verdict are deleted after {minutes} minutes, and with a restart.",
        ),
        "drop.here": ("您的证据包", "Your bundles"),
        "drop.none": ("没有。", "There are none."),
        "drop.sent": ("送交（UTC）", "Sent (UTC)"),
        "drop.state": ("状态", "State"),
        "drop.refused": ("未接受：", "Not taken:"),
        "drop.verdict": ("判定", "Verdict"),
        "drop.verifying": ("正在验证…", "Verifying…"),
        "drop.failed": ("无法判定：", "They could not be judged:"),
        "drop.exchanges": ("{count} 次交换", "{count} exchanges"),
        "drop.entries": ("日志条目", "Entries"),
        "drop.anchored": ("已锚定", "Anchored"),
        "drop.signatures": ("签名", "Signatures"),
        "drop.report": ("报告", "Report"),
        "drop.read": (
            "查看报告：判定、时间线、证据",
            "Read verdicts, time line, evidence",
        ),
        "drop.html": ("下载 HTML 报告", "Download the HTML report"),
        "drop.json": ("下载全部证据（JSON）", "Download all evidence (JSON)"),
        "drop.logs": ("日志", "Logs"),
        "drop.findings": ("发现", "Findings"),
        "drop.more": ("其余见报告。", "The others are in the report."),
        "drop.remove": ("立即删除", "Delete now"),
        "drop-state.verifying": ("正在验证", "verifying"),
        "drop-state.judged": ("已判定", "judged"),
        "drop-state.failed": ("无法判定", "could not be judged"),
        "look.drop": ("验证证据包", "bundles verified"),
        "error.drop-gone": (
            "这些证据包已删除，请重新送交。",
            "These bundles are no longer here: send them again.",
        ),
    }
)
