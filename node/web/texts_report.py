"""The part of the catalogue that an audit report speaks."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REPORT_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "verdict.proven": ("已证实", "proven"),
        "verdict.contradicted": ("相矛盾", "contradicted"),
        "verdict.undetermined": ("无法判定", "undetermined"),
        "verdict.holds": ("成立", "holds"),
        "verdict.broken": ("不成立", "broken"),
        "outcome.answered": ("已答复", "answered"),
        "outcome.none": ("无答复", "no answer"),
        "outcome.refused": ("已拒绝", "refused"),
        "outcome.open": ("未见结果", "no outcome shown"),
        "event.cosigned": ("联署", "cosigned"),
        "event.start": ("节点启动", "node started"),
        "event.stop": ("节点停止", "node stopped"),
        "event.revoked": ("授权撤回", "consent revoked"),
        "event.paused": ("授权暂停", "consent paused"),
        "event.active": ("授权恢复", "consent resumed"),
        "event.replaced": ("授权被替换", "consent replaced"),
        "event.key": ("密钥更换", "key changed"),
        "event.anchor": ("时间戳", "time-stamped"),
        "event.other": ("其他事件", "other event"),
        "report.title": ("审计报告", "Audit report"),
        "report.simulated": (
            "模拟联盟：其中没有真实企业。",
            "Simulated federation: no real company is in it.",
        ),
        "report.meaning.proven": (
            "所查各项全部成立：签名、日志、授权与双方记录彼此一致。",
            (
                "Everything looked at holds: signatures, logs, consents and both sides' records "
                "agree with each other."
            ),
        ),
        "report.meaning.contradicted": (
            (
                "至少有一份已签名的内容与另一份相矛盾，或者导出的内容不是当初签名的内容。"
                "下面逐项列出双方的证据。"
            ),
            (
                "At least one signed text contradicts another, or what was exported is not what "
                "was signed. Both sides' evidence is listed below, point by point."
            ),
        ),
        "report.meaning.undetermined": (
            "没有发现矛盾，但能够作出判定的某些材料不在所给的证据包中。",
            "Nothing contradicts, but something that would decide is not in the bundles given.",
        ),
        "report.exit": ("退出状态 {status}", "Exit status {status}"),
        "report.made": ("{when} 由 {software} 生成", "made {when} by {software}"),
        "report.contents": ("目录", "Contents"),
        "report.figure.exchanges": ("信息交换", "Exchanges"),
        "report.figure.proven": ("其中已证实", "of these proven"),
        "report.figure.contradicted": ("矛盾之处", "Contradictions"),
        "report.figure.undetermined": ("未定之处", "Open points"),
        "report.figure.uses": ("计入使用次数", "Uses counted"),
        "report.figure.entries": ("日志条目", "Log entries"),
        "report.figure.signatures": ("已验签名", "Signatures checked"),
        "report.given": ("所给材料", "What was given"),
        "report.anchor": ("信任锚", "Anchor"),
        "report.anchor-from-bundle": (
            (
                "信任锚取自证据包本身：只能证明各证据包彼此一致，不能证明出自何人。"
                "请用 --anchor 给出中心的密钥。"
            ),
            (
                "It was taken from a bundle itself: this proves that the bundles agree with each "
                "other, not whose they are. Give the hub's key with --anchor."
            ),
        ),
        "report.anchor-none": ("没有信任锚", "There is none"),
        "report.fingerprint": ("指纹", "Fingerprint"),
        "report.fingerprint-note": (
            "RFC 7638 指纹。请与中心另行告知的指纹逐字核对。",
            "RFC 7638 thumbprint. Compare it with the one that the hub tells you by another way.",
        ),
        "report.registry": ("登记册", "Registry"),
        "report.registry-words": (
            "{hub}：{snapshots} 期快照首尾相连，{members} 个成员；最新一期的摘要值为",
            (
                "{hub}: {snapshots} snapshots follow each other, {members} members; the newest has "
                "the hash"
            ),
        ),
        "report.registry-none": (
            "没有一期快照成立：以下各项无从判断",
            "No snapshot holds: nothing below can be judged",
        ),
        "report.bundles": ("证据包", "Bundles"),
        "report.bundles-none": ("没有可读的日志", "none whose log could be read"),
        "report.contradicted": ("相矛盾", "Contradicted"),
        "report.contradicted-none": ("没有发现矛盾。", "Nothing is contradicted."),
        "report.contradicted-lead": (
            "每一项都注明证据所在的文件、行和条目；附上的已签名文本任何人都可以核对。",
            (
                "Each point names file, line and entry of its evidence; signed texts that are "
                "shown can be checked by anybody."
            ),
        ),
        "report.undetermined": ("无法判定", "Undetermined"),
        "report.undetermined-none": ("没有未定之处。", "Nothing is left open."),
        "report.undetermined-lead": (
            "缺少的材料也许在另一个成员的证据包里，也许在更晚的导出里。",
            "What is missing may be in another member's bundle, or in a later export.",
        ),
        "report.shown-by": ("证据包 {bundle} 所示", "Shown by the bundle {bundle}"),
        "report.compared": ("综合比对", "By comparison"),
        "report.consent": ("授权书", "Consent"),
        "report.affects": ("涉及的交换：", "Affects the exchanges"),
        "report.affects-more": ("以及另外 {count} 个", "and {count} more"),
        "report.exhibit": ("已签名文本 {number}", "Signed text {number}"),
        "report.exhibit-long": (
            "此文本有 {count} 个字符，本页放不下；见 --json 的输出。",
            "It has {count} characters, for which this page has no room; --json has it.",
        ),
        "report.more": (
            "另有 {count} 项未在此列出；--json 的输出列有全部。",
            "{count} more are not listed here; the output of --json has them all.",
        ),
        "report.more-lines": (
            "另有 {count} 行证据未在此列出。",
            "{count} more lines of evidence are not listed here.",
        ),
        "report.timeline": ("时间线", "Timeline"),
        "report.timeline.title": (
            "交换与事件的时间线",
            "Exchanges and events over time",
        ),
        "report.timeline.verdicts": ("交换：判定", "Exchanges: verdict"),
        "report.timeline.outcomes": ("交换：结果", "Exchanges: outcome"),
        "report.timeline-lead": (
            "时间（UTC）取自各日志，由其上的联署限定。",
            "Times (UTC) are those that the logs state, bounded by the cosignatures over them.",
        ),
        "report.timeline-open-only": (
            "材料很多：时间线上只有未获证实的交换，已证实的只计数。",
            (
                "There is much here: the timeline has only exchanges that are not proven; proven "
                "ones are counted."
            ),
        ),
        "report.proven-more": (
            "另有 {count} 次已证实的交换只计数，未在此列出。",
            "{count} more proven exchanges are counted and not listed here.",
        ),
        "report.timeline-none": ("没有带时间的内容。", "Nothing here has a time."),
        "report.logs": ("日志", "Logs"),
        "report.log": ("日志", "Log"),
        "report.verdict": ("判定", "Verdict"),
        "report.log.size": ("条目", "Entries"),
        "report.log.anchored": ("已证明", "Proven"),
        "report.log.heads": ("相符的日志头", "Heads equal"),
        "report.log.cosigned": ("最近联署（UTC）", "Cosigned (UTC)"),
        "report.log.root": ("根", "Root"),
        "report.log.never": ("从未", "never"),
        "report.logs-note": (
            "“+”之后是超出本次导出范围的日志头：此后新增的内容未作判断。",
            "After “+” stand heads beyond this export: what was added since is not judged.",
        ),
        "report.exchanges": ("信息交换", "Exchanges"),
        "report.exchanges-none": ("没有交换记录。", "There is no exchange."),
        "report.proven-list": ("已证实的交换", "Proven exchanges"),
        "report.consumer": ("查询方", "Consumer"),
        "report.provider": ("提供方", "Provider"),
        "report.count": ("数量", "Count"),
        "report.consents": ("授权书", "Consents"),
        "report.consents-none": ("证据包中没有授权书。", "There is no consent in the bundles."),
        "report.consents-lead": (
            "使用次数按提供方日志的顺序重新计算；上限由主体签署。",
            (
                "Uses are counted again in the order of the provider's log; the ceiling is what "
                "the subject signed."
            ),
        ),
        "report.purpose": ("用途", "Purpose"),
        "report.uses-of": ("使用 / 上限", "Uses / ceiling"),
        "report.notes": ("说明", "Remarks"),
        "report.notes-none": ("没有。", "There are none."),
        "report.repeat": ("如何重做", "How to repeat this"),
        "report.repeat-lead": (
            "无需网络、密钥，也无需信任任何节点。请在含有各证据包的文件夹中运行。",
            (
                "No network, no key and no trust in any node is needed. Run it in the folder that "
                "holds the bundles."
            ),
        ),
        "report.repeat.install": (
            "只安装审计所需的部分（protocol/、PyNaCl、python-stdnum）：",
            "Install only what an audit needs (protocol/, PyNaCl, python-stdnum):",
        ),
        "report.repeat.verify": (
            "再次验证；结论和退出状态应与本页一致：",
            "Verify again; verdict and exit status are those of this page:",
        ),
        "report.repeat.go": (
            "用另一种语言写成、与本程序没有共同代码的验证器核对各日志：",
            "Check the logs with a verifier in another language that shares no code with this one:",
        ),
        "report.words": ("用词", "What the words mean"),
        "report.word.proven": (
            "每一行证据都成立；一方有权不出示的内容不影响判定。退出状态 0。",
            (
                "Every line of evidence holds; what a party may keep to itself weighs nothing. "
                "Exit status 0."
            ),
        ),
        "report.word.contradicted": (
            "至少一行证据不成立。退出状态 1。",
            "At least one line of evidence fails. Exit status 1.",
        ),
        "report.word.undetermined": (
            "没有不成立的证据，但缺少能够作出判定的材料。退出状态 3。",
            "No line fails, and something that would decide is not here. Exit status 3.",
        ),
        "report.limits": (
            "本报告不说明摘要内容是否真实，也不涉及协议之外发生的事。",
            (
                "This report does not say whether a summary is true, nor what happens outside the "
                "protocol."
            ),
        ),
        "report.footer": (
            "本页不含脚本，也不引用任何外部资源。",
            "This page has no script and refers to nothing outside itself.",
        ),
        "why.aborted-contradicted": ("已作废的编号另有消息", "A number given up has a message"),
        "why.batch-mismatch": ("批量各项与记录不符", "The items of a batch do not match"),
        "why.body-mismatch": ("内容与信封摘要不符", "The body is not the one that was signed"),
        "why.clock-skew": ("时间超前", "Its time is ahead"),
        "why.entries-overlong": ("条目文件有多余字节", "Bytes that belong to no entry"),
        "why.entry-differs": ("条目与已知的不同", "Another entry than is known"),
        "why.erasure-contradicted": ("声明擦除而内容仍在", "Said to be erased, and shown"),
        "why.exchange-repeated": ("同一请求有两次决定", "One request was decided twice"),
        "why.expired": ("消息已过期", "The message had expired"),
        "why.key-compromised": ("密钥已泄露", "The key was compromised"),
        "why.key-unknown": ("密钥未知", "The key is not known"),
        "why.length-altered": ("条目长度被改动", "An entry's length was altered"),
        "why.not-shown": ("未出示", "not shown"),
        "why.previous-absent": ("前一份日志不在证据包中", "The log before it is in no bundle"),
        "why.refused-in-passing": ("途中拒绝，不留副本", "refused in passing, no copy kept"),
        "why.req-mismatch": ("答复所指的请求不符", "The answer names another request"),
        "why.request-repeated": ("同一请求记录两次", "One request was logged twice"),
        "why.response-repeated": ("同一答复记录两次", "One reply was logged twice"),
        "why.response-unacknowledged": ("收到答复而未回执", "It arrived, and no receipt came"),
        "why.status-invalid": ("状态声明无效", "A signed status does not hold"),
        "why.tile-unexpected": ("多余的哈希块", "A tile that belongs to no tree"),
        "why.tiles-missing": ("哈希块缺失", "Tiles are missing"),
        "why.tree-short": ("日志不完整", "The log is cut short"),
        "why.unacked-contradicted": (
            "记为未获回执而回执已到",
            "Said to be unacknowledged, and it is",
        ),
        "op.poll": ("轮询结果", "asked again for the result"),
        "code.batch": ("已答复：批量", "answered: a batch"),
        "code.accepted": ("已受理，稍后答复", "accepted, answered later"),
        "why.acknowledged": ("已有签名回执", "acknowledged by a signed receipt"),
        "why.anchor-absent": ("没有信任锚", "There is no anchor"),
        "why.anchor-unfounded": (
            "时间戳没有日志条目可依",
            "A time-stamp that no log entry names",
        ),
        "why.timestamp-holds": ("时间戳有效", "The time-stamp holds"),
        "why.timestamp-invalid": ("时间戳无效", "A time-stamp does not hold"),
        "why.answer-absent": ("答复不在证据包中", "The answer is in no bundle"),
        "why.answer-signed": ("答复签名有效", "the answer is signed"),
        "why.arrival-logged": ("查询方日志记有收到", "the arrival is in the asker's log"),
        "why.arrival-not-shown": ("是否收到未出示", "whether it arrived is not shown"),
        "why.bad-inclusion": ("包含证明不成立", "An inclusion proof does not hold"),
        "why.bad-signature": ("签名无效", "A signature does not verify"),
        "why.body-absent": ("内容未出示", "the body is not shown"),
        "why.commitment-mismatch": (
            "主体标识与承诺值不符",
            "The subject does not open the commitment",
        ),
        "why.consent-absent": ("授权书不在证据包中", "The consent is in no bundle"),
        "why.consent-covers": ("授权书涵盖此次使用", "the consent covers this use"),
        "why.consent-exhausted": ("授权次数已用尽", "The consent was used up"),
        "why.consent-expired": ("授权已到期", "The consent had expired"),
        "why.consent-paused": ("授权处于暂停", "The consent was paused"),
        "why.consent-revoked": ("授权已撤回仍被使用", "Used after the consent was revoked"),
        "why.consent-signature": ("授权书签名无效", "The consent's signature does not hold"),
        "why.consent-signed": ("授权书签名有效", "the consent is signed"),
        "why.consent-vouched": ("授权由查询方担保", "the asker vouches for the consent"),
        "why.paper-given": ("已提供书面材料", "the paper was given"),
        "why.paper-unseen": (
            "未见书面授权书，仅有查询方担保",
            "The customer's paper has not been seen: only the asker's word",
        ),
        "why.paper-reused": (
            "同一书面材料用于两个主体",
            "One paper stands behind consents of two subjects",
        ),
        "why.paper-shared": (
            "同一书面材料对应多个承诺值",
            "One paper stands behind several commitments",
        ),
        "why.paper-unnamed": (
            "所提供的材料不对应任何授权书",
            "A document given is named by no consent",
        ),
        "why.consent-unnamed": ("使用未指明授权书", "A use names no single consent"),
        "why.counter-gap": ("消息编号有缺口", "A message number is missing"),
        "why.counter-repeated": ("消息编号重复", "A message number was used twice"),
        "why.decision-logged": ("提供方日志记有决定", "the decision is in the provider's log"),
        "why.entries-missing": ("日志条目缺失", "Log entries are missing"),
        "why.entry-altered": ("日志条目被改动", "A log entry was altered"),
        "why.entry-beyond": ("可能在导出范围之外", "It may lie beyond the export"),
        "why.entry-invalid": ("日志条目格式不符", "A log entry is not well formed"),
        "why.entry-mismatch": ("条目与消息不符", "Log entry and message do not match"),
        "why.entry-missing": ("日志中缺少此条目", "The log lacks the entry"),
        "why.entry-suspect": ("也许是那条无法读取的条目", "It may be an unreadable entry"),
        "why.entry-unanchored": ("条目未被日志头证明", "No signed head proves the entry"),
        "why.frequency-exceeded": ("超出授权的频次", "Asked more often than consented"),
        "why.heads-beyond": ("日志此后还有增长", "The log has grown since"),
        "why.key-revoked": ("签名时密钥已失效", "The key was not valid at that time"),
        "why.message-unreadable": ("消息无法读取", "A message cannot be read"),
        "why.not-a-member": ("当时不是成员", "Not a member at that time"),
        "why.not-understood": ("有更新版本的条目", "Entries of a later version"),
        "why.over-ceiling": ("超出授权的上限", "Beyond the consent's ceiling"),
        "why.purpose-mismatch": ("用途不一致", "The purposes differ"),
        "why.query-not-shown": ("问题内容未出示", "the question's details are not shown"),
        "why.receipt-unfounded": ("回执没有对应的答复", "A receipt without its answer"),
        "why.registry-absent": ("没有登记册", "There is no registry"),
        "why.registry-expired": ("所引快照已过期", "The snapshot named had expired"),
        "why.registry-fork": ("登记册分叉", "The registry has forked"),
        "why.request-absent": ("请求不在证据包中", "The request is in no bundle"),
        "why.request-logged": ("查询方日志记有请求", "the request is in the asker's log"),
        "why.request-signed": ("请求签名有效", "the request is signed"),
        "why.request-unanswered": ("请求没有决定", "A request without a decision"),
        "why.key-unlogged": (
            "更换的密钥先于日志记载使用",
            "A changed key signed before the log named it",
        ),
        "why.log-rolled-back": ("日志曾被回滚", "The log was rolled back"),
        "why.response-lost": ("记录在回滚中丢失", "Its record was lost by a rollback"),
        "why.response-missing": ("没有收到答复的记录", "No record that the answer arrived"),
        "why.revoked-elsewhere": ("在别处已撤回", "Revoked elsewhere"),
        "why.root-mismatch": ("日志根不符：分叉或改动", "Roots differ: a fork or a change"),
        "why.state-mismatch": ("状态不一致", "The states differ"),
        "why.status-absent": ("状态声明不在证据包中", "The signed status is in no bundle"),
        "why.status-mismatch": ("与签署的状态不符", "Not the status that was signed"),
        "why.status-signed": ("状态变更签名有效", "the change of state is signed"),
        "why.tile-altered": ("哈希块被改动", "A tile was altered"),
        "why.tile-missing": ("哈希块缺失", "A tile is missing"),
        "why.unacknowledged": ("没有回执", "No receipt"),
        "why.unknown-key": ("密钥不在登记册中", "The key is not in the registry"),
        "why.unknown-log": ("登记册不认识此日志", "The registry does not know this log"),
        "why.use-miscounted": ("使用次数记错", "Uses were miscounted"),
    }
)
