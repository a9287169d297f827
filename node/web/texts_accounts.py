"""The part of the catalogue about signing in, accounts, second factors and sessions."""

# ruff: noqa: RUF001  Chinese punctuation is meant; these are words, not secrets

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ACCOUNT_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nav.account": ("我的账户", "My account"),
        "nav.accounts": ("账户", "Accounts"),
        "login.login": ("用户名", "Login"),
        "login.password": ("密码", "Password"),
        "login.by-token": ("使用令牌登录", "Sign in with a token"),
        "login.submit-token": ("用令牌登录", "Sign in with the token"),
        "login.refused": (
            "用户名或密码不正确。",
            "Login and password open no account.",
        ),
        "login.wait": (
            "尝试次数过多，请在 {seconds} 秒后再试。",
            "Too many failures: try again in {seconds} s.",
        ),
        "login.set": ("密码已设置，请登录。", "The password is set: sign in with it."),
        "code.title": ("动态验证码", "Code of the second factor"),
        "code.hint": (
            "请输入验证器应用显示的六位数字，或一个恢复码。",
            "The six digits that your app shows, or one of your recovery codes.",
        ),
        "code.code": ("验证码", "Code"),
        "code.submit": ("确认", "Go on"),
        "code.wrong": (
            "验证码不正确或已用过。",
            "This code is none of this moment, or was used.",
        ),
        "invitation.title": ("设置密码", "Set your password"),
        "invitation.code": ("一次性代码", "One-time code"),
        "invitation.open": ("继续", "Go on"),
        "invitation.submit": ("设置密码", "Set the password"),
        "password.title": ("密码", "Password"),
        "password.former": ("当前密码", "Present password"),
        "password.new": ("新密码", "New password"),
        "password.again": ("再次输入新密码", "New password again"),
        "password.hint": (
            "12 至 256 个字符，可用任意字符；不能是用户名或姓名。",
            "12 to 256 characters, of any kind; not the login or the name.",
        ),
        "password.change": ("修改密码", "Change the password"),
        "account.title": ("我的账户", "My account"),
        "account.role": ("角色", "Role"),
        "account.act-as": ("当前以此角色操作", "Act as"),
        "account.switch": ("切换", "Switch"),
        "factor.title": ("二次验证", "Second factor"),
        "factor.there": ("已启用", "There is one"),
        "factor.none": ("未启用", "There is none"),
        "factor.why": (
            "审批需要二次验证：手机上的验证器应用每 30 秒显示一个新的验证码。",
            "Approving needs one: an app on your phone shows a new code every 30 seconds.",
        ),
        "factor.codes-left": ("剩余恢复码 {count} 个", "{count} recovery codes are left"),
        "factor.new-codes": ("重新生成恢复码", "Make new recovery codes"),
        "factor.remove": ("停用二次验证", "Remove the second factor"),
        "factor.begin": ("启用二次验证", "Add a second factor"),
        "factor.enter-secret": (
            "在验证器应用中添加账户，输入下列密钥（只显示这一次），再填入应用显示的验证码。",
            (
                "Add an account in your app, enter this secret (it is shown this once), and type "
                "the code that the app shows."
            ),
        ),
        "factor.open-app": ("在本设备的验证器应用中打开", "Open in an app on this device"),
        "factor.address": ("密钥地址（otpauth）", "Address of the secret (otpauth)"),
        "factor.confirm": ("确认启用", "Confirm"),
        "factor.keep-codes": (
            "请妥善保存这些恢复码：手机不在手边时，每个可用一次。只显示这一次。",
            (
                "Keep these recovery codes: each opens once when the app is out of reach. They are "
                "shown this once."
            ),
        ),
        "factor.done": ("已保存", "I have kept them"),
        "sessions.title": ("登录会话", "Sessions"),
        "sessions.began": ("开始", "Since"),
        "sessions.used": ("最近使用", "Last used"),
        "sessions.from": ("来源地址", "From"),
        "sessions.unknown": ("未知", "unknown"),
        "sessions.this": ("当前会话", "this one"),
        "sessions.end": ("结束", "End"),
        "sessions.end-others": ("结束其他所有会话", "End all others"),
        "accounts.title": ("账户管理", "Accounts"),
        "accounts.note": (
            "一人一个账户；同一人的令牌与账户在双人审批中只算一人。",
            "One person, one account; a person's tokens and account are one to the four eyes.",
        ),
        "accounts.none": ("没有账户。", "There are none."),
        "accounts.new": ("新建账户", "New account"),
        "accounts.person": ("姓名", "Person"),
        "accounts.roles": ("角色", "Roles"),
        "accounts.state": ("状态", "State"),
        "accounts.steps": ("操作", "Steps"),
        "accounts.invite": ("创建并生成代码", "Make it and its code"),
        "accounts.code": ("一次性代码", "One-time code"),
        "accounts.where": ("输入地址", "Enter it at"),
        "accounts.hand-over": (
            "请交给本人；只显示这一次，使用后即失效。",
            "Hand it to the person alone; it is shown this once and opens once.",
        ),
        "accounts.until": ("有效期至", "Until"),
        "accounts.set-roles": ("更改角色", "Set roles"),
        "accounts.reset": ("重设密码", "New password"),
        "accounts.lock": ("锁定", "Lock"),
        "accounts.unlock": ("解锁", "Unlock"),
        "accounts.factor": ("清除二次验证", "Remove the factor"),
        "accounts.end": ("终止", "End"),
        "account-state.invited": ("已邀请", "invited"),
        "account-state.active": ("有效", "active"),
        "account-state.locked": ("已锁定", "locked"),
        "account-state.ended": ("已终止", "ended"),
        "error.factor-missing": (
            "审批需要二次验证，您的账户尚未启用。请先在“我的账户”中启用，再重试。",
            "Approving needs a second factor, and your account has none. Add one, then try again.",
        ),
        "error.factor-stale": (
            "上次输入验证码已久。请重新输入验证码，再重试。",
            "Your last code is too long ago. Enter a new one, then approve again.",
        ),
        "error.approval-by-token": (
            "本节点只接受账户加二次验证的审批，令牌不能审批。",
            "On this node accounts with a second factor approve, and tokens do not.",
        ),
        "error.to-account": ("前往“我的账户”", "To my account"),
        "error.to-code": ("输入验证码", "Enter a code"),
        "refusal.sign-in-refused": (
            "密码或验证码不正确。",
            "The password or the code is not right.",
        ),
        "refusal.sign-in-busy": (
            "当前登录人数过多，请稍后再试。",
            "Too many sign in at this moment: try again in a second.",
        ),
        "refusal.password-unfit": (
            "密码不符合要求，或两次输入不一致。",
            "The password is not as it has to be, or the two are not the same.",
        ),
        "refusal.factor-state": (
            "二次验证的状态不允许这样操作。",
            "The second factor is there already, or none is begun.",
        ),
        "refusal.account-code-invalid": (
            "代码无效、已使用或已过期。",
            "This code is none, was used, or its time is over.",
        ),
        "refusal.account-invalid": (
            "用户名、姓名或角色不符合要求。",
            "Login, name or roles are none that an account has.",
        ),
        "refusal.account-exists": (
            "用户名已被使用，或此人已有账户。",
            "The login is taken, or the person has an account.",
        ),
        "refusal.account-state": (
            "账户的状态不允许这样操作。",
            "The account's state does not allow it.",
        ),
    }
)
