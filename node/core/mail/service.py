"""Use cases of mails: tell once a day who has something waiting, and send until it is taken.

A mail is kept before it is sent and ended after the server took it: a stop in between sends it
again, under the same message id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from email.message import EmailMessage
from typing import Protocol

import structlog

from node.core.clock import Clock
from node.core.config import Settings
from node.core.database import Database
from node.core.errors import RejectedError
from node.core.keystore import read_secret
from node.core.mail.rules import (
    TRIES_MAX,
    build_message,
    build_notice,
    build_test,
    measure_wait_ms,
    parse_address,
    parse_recipients,
)
from node.core.mail.sending import MailFailedError, MailRefusedError, MailServer, MailTls
from node.core.mail.store import GIVEN_UP, SENT, MailRow, MailStore
from node.core.people.service import Role

MAILS_A_ROUND = 50
MAILS_SHOWN = 50
KEEP_MS = 30 * 86_400_000
PASSWORD_FILE = "mail_password"  # noqa: S105  a file's name
_log = structlog.get_logger()


class MailOffError(RejectedError):
    """No mail server is set."""

    code = "mail-off"


class SendsMessage(Protocol):
    """Hands a message to a mail server."""

    def send(self, message: EmailMessage) -> None:
        """Hand one message over, or raise ``MailFailedError``."""
        ...


class MailService:
    """Queues and sends mails."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        settings: Settings,
        today: Callable[[], date],
        count_waiting: Callable[[], Mapping[Role, int]],
        server: SendsMessage | None,
    ) -> None:
        """Take the ports; without a server nothing is queued or sent.

        Raises:
            RecipientsError: The setting of recipients cannot be read.
        """
        self._database = database
        self._clock = clock
        self._settings = settings
        self._today = today
        self._count_waiting = count_waiting
        self._server = server
        self._recipients = parse_recipients(settings.mail_recipients)

    @property
    def is_on(self) -> bool:
        """Whether mails are sent."""
        return self._server is not None

    def queue_daily(self) -> int:
        """Queue one mail a day for each recipient who has something waiting; return how many."""
        if self._server is None or not self._recipients:
            return 0
        waiting, today, made = self._count_waiting(), self._today(), 0
        counts: dict[tuple[str, str], int] = {}
        for one in self._recipients:
            key = (one.address, one.language)
            counts[key] = counts.get(key, 0) + waiting.get(one.role, 0)
        with self._database.write() as uow:
            store = MailStore(uow.connection)
            for (address, language), count in counts.items():
                if count and not store.has_of(address, made_on=today):
                    store.add(
                        address,
                        language=language,
                        made_on=today,
                        waiting=count,
                        at_ms=self._clock.now_ms(),
                    )
                    made += 1
            store.forget(before_ms=self._clock.now_ms() - KEEP_MS)
        return made

    def send_due(self) -> int:
        """Send what is due, each until it is taken or was tried too often; return how many went."""
        if self._server is None:
            return 0
        with self._database.read() as uow:
            due = MailStore(uow.connection).list_due(
                at_ms=self._clock.now_ms(), limit=MAILS_A_ROUND
            )
        count = 0
        for one in due:
            failure = self._send(one, self._server)
            count += not failure
            if failure and failure != MailRefusedError.code:
                break  # The server itself is away: the others wait for it too.
        return count

    def test(self, address: str, *, language: str) -> None:
        """Send a test at once.

        Raises:
            MailOffError: No mail server is set.
            RecipientsError: The address is none.
            MailFailedError: It is not taken; the leaf says why.
        """
        if self._server is None:
            raise MailOffError("no mail server: see the settings mail_host and mail_from")
        subject, text = build_test(language=language, url=self._console_url)
        name = f"test-{self._clock.now_ms()}"
        self._server.send(self._build(subject, text, to=parse_address(address), name=name))

    def list_newest(self) -> list[MailRow]:
        """Return the newest mails."""
        with self._database.read() as uow:
            return MailStore(uow.connection).list_newest(limit=MAILS_SHOWN)

    def _send(self, row: MailRow, server: SendsMessage) -> str:
        subject, text = build_notice(
            count=row.waiting, language=row.language, url=self._console_url
        )
        failure, tries = "", row.tries + 1
        try:
            server.send(self._build(subject, text, to=row.address, name=str(row.mail_id)))
        except MailFailedError as err:
            failure = err.code
            _log.warning("mail_not_taken", mail=row.mail_id, tries=tries, code=err.code)
        now_ms = self._clock.now_ms()
        with self._database.write() as uow:
            store = MailStore(uow.connection)
            if not failure:
                store.end(row.mail_id, state=SENT, tries=tries, failure="", at_ms=now_ms)
            elif tries >= TRIES_MAX:
                store.end(row.mail_id, state=GIVEN_UP, tries=tries, failure=failure, at_ms=now_ms)
            else:
                wait_ms = measure_wait_ms(tries)
                store.put_off(
                    row.mail_id, tries=tries, failure=failure, next_at_ms=now_ms + wait_ms
                )
        return failure

    @property
    def _console_url(self) -> str:
        return f"{self._settings.url}/console/"

    def _build(self, subject: str, text: str, *, to: str, name: str) -> EmailMessage:
        return build_message(
            subject,
            text,
            sender=self._settings.mail_from,
            sender_name=self._settings.name or self._settings.member_id,
            to=to,
            message_id=f"{name}.{self._settings.member_id}",
        )


def open_mail_server(settings: Settings) -> MailServer | None:
    """Return the server that the settings name, None where they name none.

    Raises:
        KeyFileError: A user is set, and neither the password nor its file is there.
    """
    if not settings.mail_host:
        return None
    password = ""
    if settings.mail_user:
        password = read_secret(
            settings.mail_password.get_secret_value(), path=settings.home / PASSWORD_FILE
        )
    return MailServer(
        host=settings.mail_host,
        port=settings.mail_port,
        tls=MailTls(settings.mail_tls),
        user=settings.mail_user,
        password=password,
        ca_file=settings.mail_ca_file,
    )
