"""The part of the catalogue for subjects.

Plain words: who reads them knows neither this software nor the words of credit people.
"""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_PAGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "subject.app": ("诚信 · 客户页面", "Chengxin for customers"),
        "subject.at": ("页面提供方", "Page of"),
        "subject.foot": (
            "此页面由 {member} 的节点提供。您的私钥不会离开本设备。",
            "This page is served by the node of {member}. Your key does not leave this device.",
        ),
        "subject.refused-title": ("无法继续", "This cannot go on"),
        "subject.refused": ("此操作未被接受。", "This was not accepted."),
        "subject.to-start": ("回到开始", "Back to the start"),
        "subject.start-title": ("您的授权与数据", "Your consents and your data"),
        "subject.start-note": (
            "您无需账户。{member} 请您授权时会给您一个一次性代码。",
            "You need no account. {member} gives you a one-time code when it asks for a consent.",
        ),
        "subject.go-on": ("继续上次的页面", "Go on where you were"),
        "subject.before": (
            "已在此浏览器中打开过请求？",
            "Have you opened the request in this browser before?",
        ),
        "subject.open-title": ("查看授权请求", "Open a request"),
        "subject.open-note": (
            "请输入 {member} 交给您的代码。代码只能使用一次；查看不等于同意。",
            "Type the code that {member} gave you. It opens once; to read is not to agree.",
        ),
        "subject.code": ("一次性代码", "One-time code"),
        "subject.open": ("查看请求", "Open the request"),
        "subject.own-title": ("我的页面", "Your own page"),
        "subject.own-note": (
            "用您的密钥进入：查看谁获得了授权、谁查询过、撤回授权、提出异议、补充声明。",
            (
                "Enter with your key: see who may ask, who asked and who was told; withdraw, "
                "object, add a statement."
            ),
        ),
        "subject.own-script": (
            "进入“我的页面”需要浏览器脚本来签名。也可以用命令 chengxin consent revoke 撤回授权。",
            (
                "Your own page needs the browser's script, which signs. Without it, "
                "chengxin consent revoke withdraws a consent."
            ),
        ),
        "subject.unsupported-own": (
            (
                "此浏览器不能用 Ed25519 签名（版本过旧，或地址不是 https）。"
                "请更新浏览器，或用命令 chengxin consent revoke 撤回授权。"
            ),
            (
                "This browser cannot sign with Ed25519: it is too old, or the address is not "
                "https. Take a newer one, or withdraw by chengxin consent revoke."
            ),
        ),
        "subject.kept-key": ("本设备上的密钥", "Key on this device"),
        "subject.enter": ("进入", "Enter"),
        "subject.subject": ("企业标识", "Number of the company"),
        "subject.enter-file": ("用密钥文件进入", "Enter with the key file"),
        "subject.key-file": ("密钥文件（PEM）", "Key file (PEM)"),
        "subject.salt-file": ("盐文件", "Salt file"),
        "subject.passphrase": ("密钥文件口令", "Passphrase of the key file"),
        "subject.phishing": (
            (
                "请核对地址栏：只在您从该企业或协会处得知的 https 地址上使用密钥。"
                "没有人会通过邮件或电话索要密钥文件或口令。"
            ),
            (
                "Look at the address: use your key only at the https address that the company or "
                "the association told you. Nobody asks for a key file or passphrase by mail or "
                "telephone."
            ),
        ),
        "subject.request-title": ("{member} 请您授权", "{member} asks for your consent"),
        "subject.about": ("关于", "About"),
        "subject.open-until": ("请求有效至", "Open until"),
        "subject.state.signed": ("您已签署。授权编号：", "You have signed. Your consents:"),
        "subject.state.refused": (
            "您已拒绝。{member} 没有获得任何授权。",
            "You have refused. {member} holds no consent of it.",
        ),
        "subject.state.withdrawn": (
            "{member} 已收回此请求。",
            "{member} has taken the request back.",
        ),
        "subject.state.over": ("此请求已过期。", "The time of this request is over."),
        "subject.after-note": (
            "可随时在此查看和撤回：",
            "See and withdraw them at any time:",
        ),
        "subject.terms-title": ("请求的内容", "What is asked"),
        "subject.from-bytes": (
            "下列内容由您的浏览器从即将签署的字节中读出。",
            "Your browser has read the following out of the very bytes that you would sign.",
        ),
        "subject.who": ("谁请求", "Who asks"),
        "subject.whom": ("向谁查询", "Who may answer"),
        "subject.why": ("为何", "What for"),
        "subject.leaves": ("会提供什么", "What leaves the answering company"),
        "subject.never": ("绝不提供", "What never leaves"),
        "subject.never-list": (
            "单张发票、合同、价格、毛利、授信额度、联系人、自然人信息。只提供分档的汇总。",
            (
                "Single invoices, contracts, prices, margins, limits, contacts, anything of "
                "natural persons. Only totals in bands leave."
            ),
        ),
        "subject.back": ("回溯多久", "How far back"),
        "subject.how-long": ("授权多久", "How long it lasts"),
        "subject.days": ("自签署起 {n} 天", "{n} days from the signature"),
        "subject.how-often": ("可用几次", "How often it may be used"),
        "subject.kept": ("答复保存多久", "How long answers are kept"),
        "subject.used-for": ("可以用于", "What answers may feed"),
        "subject.ways": ("以何方式", "In which ways"),
        "subject.withdraw": ("如何撤回", "How you withdraw"),
        "subject.withdraw-how": (
            "在“我的页面”、用命令 chengxin consent revoke，或通过协会；在应答方立即生效。",
            (
                "On your own page here, by chengxin consent revoke, or through the association. "
                "At the answering company it takes effect at once."
            ),
        ),
        "subject.sign-title": ("签署或拒绝", "Sign or refuse"),
        "subject.free": (
            "是否同意由您决定。拒绝时 {member} 只能依据自己的记录判断。",
            "You are free to refuse. {member} then judges by its own records alone.",
        ),
        "subject.no-script": (
            "在浏览器中签名需要脚本。请用下面的离线方式签署。",
            "To sign in the browser, its script is needed. The offline way below works without.",
        ),
        "subject.unsupported": (
            (
                "此浏览器不能用 Ed25519 签名（版本过旧，或地址不是 https）。"
                "请更新浏览器，或用下面的离线方式签署。"
            ),
            (
                "This browser cannot sign with Ed25519: it is too old, or the address is not "
                "https. Take a newer one, or sign offline as below."
            ),
        ),
        "subject.key-note": (
            (
                "签名需要您企业的密钥。可以在本设备上生成：它保存在此浏览器中，不能被取出。"
                "若设备丢失，请到协会登记新的密钥。"
            ),
            (
                "You sign with your company's key. Make one on this device: it stays in this "
                "browser and cannot be taken out. If the device is lost, the association enters "
                "a new key."
            ),
        ),
        "subject.make-key": ("在本设备上生成密钥", "Make a key on this device"),
        "subject.have-file": ("我已有密钥文件", "I have a key file"),
        "subject.open-file": ("打开密钥文件", "Open the key file"),
        "subject.your-key": ("您的密钥指纹：", "Fingerprint of your key:"),
        "subject.forget": ("从此浏览器中删除", "Remove it from this browser"),
        "subject.save-salt": ("保存盐文件", "Save the salt file"),
        "subject.enrol-title": (
            "先由协会登记您的密钥",
            "The association enters your key first",
        ),
        "subject.enrol-save": ("保存登记文件。", "Save the enrolment file."),
        "subject.save-enrolment": ("保存登记文件", "Save the enrolment file"),
        "subject.enrol-bring": (
            (
                "在 24 小时内把它交给协会，并当面或通过您已知的电话核对上面的指纹。"
                "文件中有企业标识和盐，只交给协会。"
            ),
            (
                "Bring it to the association within 24 hours and compare the fingerprint above, "
                "in person or by a number you know. It holds number and salt: hand it to nobody "
                "else."
            ),
        ),
        "subject.enrol-back": (
            "登记后用同一浏览器回到此页签署。",
            "Then come back to this page in the same browser, and sign.",
        ),
        "subject.choose-providers": ("同意向谁查询", "Whom you let answer"),
        "subject.exact": ("将要签署的原文与摘要", "The exact text to be signed, with its digest"),
        "subject.have-read": ("我已阅读并同意上述内容", "I have read this and agree"),
        "subject.sign": ("签署", "Sign"),
        "subject.offline": ("离线签署", "Sign offline"),
        "subject.download": ("下载请求文件", "Download the request"),
        "subject.run": ("在您自己的电脑上运行：", "On a computer of your own, run:"),
        "subject.bring": ("把签好的文件传回：", "Bring the signed file back:"),
        "subject.signed-file": ("签好的文件", "Signed file"),
        "subject.upload": ("上传", "Upload"),
        "subject.refuse": ("拒绝", "Refuse"),
        "subject.trust": (
            (
                "此页面来自请求方 {member}，您的浏览器会运行它提供的脚本。"
                "若不愿信任它，请选择离线签署：命令会自行显示文件中的内容。"
            ),
            (
                "This page comes from {member}, which asks, and your browser runs its script. If "
                "you would rather not trust it, sign offline: the command shows by itself what "
                "the file says."
            ),
        ),
        "subject.leave": ("结束", "Leave"),
        "subject.copy": ("下载全部（JSON）", "Everything as JSON"),
        "subject.consents": ("授权", "Consents"),
        "subject.no-consents": ("此处没有您的授权。", "No consent of yours is held here."),
        "subject.valid": ("有效期", "Valid"),
        "subject.used": ("已用 {n}/{most} 次", "used {n} of {most} times"),
        "subject.undelivered": ("尚未送达应答方", "not yet with the answering company"),
        "subject.record": ("记录（ISO/IEC TS 27560）", "Record (ISO/IEC TS 27560)"),
        "subject.revoke": ("撤回", "Withdraw"),
        "subject.pause": ("暂停", "Pause"),
        "subject.resume": ("恢复", "Resume"),
        "subject.revoke-note": (
            (
                "撤回在此处立即生效，并随即送往应答方和协会。已提供的答复最迟次日擦除，"
                "法律要求保存的除外。应答方自己的计数为准。"
            ),
            (
                "A withdrawal counts here at once and is brought to the answering company and the "
                "association. Answers given are erased within a day, unless a law keeps them. The "
                "count of uses that decides is the answering company's."
            ),
        ),
        "subject.consent-state.active": ("有效", "in force"),
        "subject.consent-state.paused": ("已暂停", "paused"),
        "subject.consent-state.revoked": ("已撤回", "withdrawn"),
        "subject.consent-state.expired": ("已到期", "over"),
        "subject.consent-state.exhausted": ("次数已用完", "used up"),
        "subject.consent-state.replaced": ("已被替换", "replaced"),
        "subject.asked-title": ("{member} 就您查询过", "What {member} asked about you"),
        "subject.none-asked": ("没有查询过。", "Nothing was asked."),
        "subject.when": ("时间", "When"),
        "subject.member": ("企业", "Company"),
        "subject.act": ("事项", "What"),
        "subject.outcome": ("结果", "Result"),
        "subject.received-title": ("{member} 收到的摘要", "Summaries that {member} received"),
        "subject.received-note": (
            "此处不显示摘要内容；可向提供摘要的企业索取。",
            "What they say is not shown here; the company that answered owes you that.",
        ),
        "subject.none-received": ("没有收到过。", "None was received."),
        "subject.is-kept": ("仍保存", "is kept"),
        "subject.is-erased": ("已擦除", "is erased"),
        "subject.is-objected": (
            "已有异议，目前不作为依据。",
            "There is an objection to it; it does not count.",
        ),
        "subject.object-to": ("对 {member} 的摘要提出异议", "Object to the summary of {member}"),
        "subject.what-is-wrong": ("哪里不对", "What is wrong"),
        "subject.object": ("提出异议", "Object"),
        "subject.told-title": ("{member} 就您告知过", "Whom {member} told about you"),
        "subject.none-told": ("没有告知过任何企业。", "Nobody was told."),
        "subject.looks-title": ("{member} 内部谁查看过", "Who at {member} looked"),
        "subject.none-looked": ("没有记录。", "Nobody is recorded."),
        "subject.role": ("岗位", "Role"),
        "subject.at-what": ("查看内容", "At what"),
        "subject.cases": ("异议与声明", "Objections and statements"),
        "subject.case": ("第 {n} 号", "No. {n}"),
        "subject.due": ("最迟答复", "answer due by"),
        "subject.statement": ("您的声明", "Your statement"),
        "subject.add-statement": ("补充声明", "Add a statement"),
        "subject.statement-hint": ("您的话，最多 200 字", "In your own words, 200 characters"),
        "subject.object-own": (
            "对 {member} 的其他记录提出异议",
            "Object to something else that {member} holds",
        ),
        "subject-purpose.P1": (
            "评估是否以及在多大程度上向新客户赊销。",
            "Assess whether and how far to sell on credit to a new customer.",
        ),
        "subject-purpose.P2": (
            "复核对现有客户的授信。",
            "Review the credit of an existing customer.",
        ),
        "subject-purpose.P3": (
            "在货款结清之前关注客户的付款情况。",
            "Watch a customer while money is owed.",
        ),
    }
)
_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "subject-word.failed": ("未能完成（{code}）。", "That did not work ({code})."),
        "subject-word.key-file-wrong": (
            "密钥文件、盐文件或口令不对。",
            "Key file, salt file or passphrase is not right.",
        ),
        "subject-word.substituted": (
            "服务器给出的内容与请求不符，未签署。请告知协会。",
            (
                "What the server sent is not what the request says. Nothing more is signed: tell "
                "the association."
            ),
        ),
        "subject-word.choose-one": ("请至少选择一家企业。", "Choose one company at least."),
        "subject-word.forget-sure": (
            "删除后无法恢复此密钥。确定吗？",
            "The key cannot be had back. Remove it?",
        ),
        "subject-word.sure.revoked": (
            "撤回后不能恢复。确定撤回吗？",
            "A withdrawal is final. Withdraw?",
        ),
        "subject-word.sure.paused": ("确定暂停吗？", "Pause it?"),
        "subject-word.sure.active": ("确定恢复吗？", "Let it be used again?"),
        "subject-word.months": ("最近 {n} 个月", "the last {n} months"),
        "subject-word.k-min": (
            "答复所需的最少发票张数：{n}",
            "fewest invoices that an answer rests on: {n}",
        ),
        "subject-word.from-to": ("{from} 至 {to}", "{from} to {to}"),
        "subject-word.uses": ("总共 {n} 次", "{n} times in all"),
        "subject-word.rate": ("每{unit}最多 {n} 次", "at most {n} times a {unit}"),
        "subject-word.span.hour": ("{n} 小时", "{n} hours"),
        "subject-word.span.day": ("{n} 天", "{n} days"),
        "subject-word.span.month": ("{n} 个月", "{n} months"),
        "subject-word.span.year": ("{n} 年", "{n} years"),
        "subject-word.unit.hour": ("小时", "hour"),
        "subject-word.unit.day": ("天", "day"),
        "subject-word.unit.month": ("月", "month"),
        "subject-word.unit.year": ("年", "year"),
        "subject-word.metric.relation": (
            "往来年限与最近一次销售",
            "how long you buy there, and how lately",
        ),
        "subject-word.metric.volume": ("发票张数（分档）", "number of invoices, in bands"),
        "subject-word.metric.money": ("金额（分档）", "amounts, in bands"),
        "subject-word.metric.index": ("付款指数", "payment index"),
        "subject-word.metric.delay": ("迟付天数的分布", "how many days late, in classes"),
        "subject-word.metric.trend": ("好转或变差", "whether it gets better or worse"),
        "subject-word.metric.disputes": ("争议数量（分档）", "number of disputes, in bands"),
        "subject-word.metric.adverse": (
            "不良事实（您已被告知的）",
            "adverse facts, of which you were told before",
        ),
        "subject-word.metric.overdue_now": (
            "目前最久逾期的档次",
            "how long the oldest item is overdue now, in classes",
        ),
        "subject-word.metric.lateness": (
            "是否曾迟付（往来很少时）",
            "whether lateness was seen, where there is little business",
        ),
        "subject-word.derive.rating": ("评级", "a rating"),
        "subject-word.derive.alert": ("预警", "an alert"),
        "subject-word.derive.model": ("模型", "a model"),
        "subject-word.ops.query": ("由请求方查询", "asked by the company that asks"),
        "subject-word.ops.push": (
            "情况变化时由应答方主动告知",
            "told by the answering company when something changes",
        ),
    }
)
SUBJECT_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType({**_PAGES, **_WORDS})
