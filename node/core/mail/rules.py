"""What a mail says, who gets one, and when it is tried again. Pure."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from types import MappingProxyType

from node.core.errors import RejectedError
from node.core.people.service import Role

TRIES_MAX = 14
FIRST_WAIT_MS = 60_000
WAIT_MS_MAX = 21_600_000  # six hours: a server may be away for more than a day in all
RECIPIENTS_MAX = 100
ADDRESS_CHARS_MAX = 254  # RFC 5321
# Narrower than RFC 5322: what people have, and nothing that could end a header line.
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_LANGUAGES = ("zh", "en")
_SUBJECTS: Mapping[str, str] = MappingProxyType(
    {"zh": "诚信：有 {count} 项待您处理", "en": "Chengxin: {count} items await you"}
)
_BODIES: Mapping[str, str] = MappingProxyType(
    {
        "zh": "有 {count} 项待您审批或处理。\n请登录控制台查看：{url}\n\n"
        "本邮件不含任何客户资料，由节点自动发送。\n",
        "en": "{count} items await your approval or work.\nSee the console: {url}\n\n"
        "This mail holds no customer's data; the node sends it by itself.\n",
    }
)
_TEST_SUBJECTS: Mapping[str, str] = MappingProxyType(
    {"zh": "诚信：测试邮件", "en": "Chengxin: a test mail"}
)
_TEST_BODIES: Mapping[str, str] = MappingProxyType(
    {
        "zh": "邮件设置可用。控制台：{url}\n",
        "en": "The mail settings work. The console: {url}\n",
    }
)


class RecipientsError(RejectedError):
    """The setting of recipients cannot be read."""

    code = "mail-recipients"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who is told, as which role, in which language."""

    role: Role
    language: str
    address: str


def parse_recipients(text: str) -> tuple[Recipient, ...]:
    """Read ``role language address`` lines, parted by ``;``.

    Raises:
        RecipientsError: A part is none, an address is none, one stands twice, or too many.
    """
    parts = [part.split() for part in text.split(";") if part.strip()]
    found = tuple(map(_parse_recipient, parts))
    if len(found) > RECIPIENTS_MAX:
        raise RecipientsError(f"at most {RECIPIENTS_MAX} recipients")
    if len({(one.role, one.address) for one in found}) != len(found):
        raise RecipientsError("a recipient stands twice")
    return found


def parse_address(text: str) -> str:
    """Return a mail address.

    Raises:
        RecipientsError: It is none.
    """
    if len(text) > ADDRESS_CHARS_MAX or not _ADDRESS.fullmatch(text):
        raise RecipientsError("not a mail address")
    return text


def _parse_recipient(words: list[str]) -> Recipient:
    role, language, address = [*words, "", "", ""][:3]
    if len(words) != len(("role", "language", "address")) or language not in _LANGUAGES:
        raise RecipientsError("a recipient is a role, zh or en, and an address")
    if role not in set(Role):
        raise RecipientsError("a recipient has a role of this node")
    return Recipient(role=Role(role), language=language, address=parse_address(address))


def measure_wait_ms(tries: int) -> int:
    """Return how long is waited after so many failures, at least one: doubled each time."""
    return min(FIRST_WAIT_MS << min(tries - 1, TRIES_MAX), WAIT_MS_MAX)


def build_notice(*, count: int, language: str, url: str) -> tuple[str, str]:
    """Return subject and text of a notice; nothing but a number and an address goes in."""
    return (
        _SUBJECTS[language].format(count=count),
        _BODIES[language].format(count=count, url=url),
    )


def build_test(*, language: str, url: str) -> tuple[str, str]:
    """Return subject and text of a test."""
    return _TEST_SUBJECTS[language], _TEST_BODIES[language].format(url=url)


def build_message(
    subject: str, text: str, *, sender: str, sender_name: str, to: str, message_id: str
) -> EmailMessage:
    """Return the message; sent again it has the same id, so that a reader sees that it is one."""
    message = EmailMessage()
    name, _, domain = sender.partition("@")
    message["From"] = Address(display_name=sender_name, username=name, domain=domain)
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = f"<{message_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notice answers it
    message.set_content(text, cte="quoted-printable")  # any server takes seven bits
    return message
