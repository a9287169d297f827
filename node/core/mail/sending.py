"""Hands a message to the operator's mail server (SMTP, RFC 5321), encrypted unless told otherwise.

With STARTTLS required, neither name nor password nor message leaves before the server's certificate
was verified: a server that does not offer it is refused.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum

from node.core.errors import UnavailableError

TIMEOUT_S = 20


class MailTls(StrEnum):
    """How the connection is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"  # from the first byte on
    NONE = "none"  # to a server on this machine


class MailFailedError(UnavailableError):
    """The mail server cannot be reached, or does not take the message."""

    code = "mail-failed"


class MailTlsError(MailFailedError):
    """The server offers no encryption, or its certificate does not hold."""

    code = "mail-tls"


class MailSignInError(MailFailedError):
    """The server does not take name and password."""

    code = "mail-sign-in"


class MailRefusedError(MailFailedError):
    """The server takes sender, recipient or message not."""

    code = "mail-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mails go; ``ca_file`` is of a certificate authority of the house's own."""

    host: str
    port: int
    tls: MailTls
    user: str
    password: str = field(repr=False)
    ca_file: str = ""

    def send(self, message: EmailMessage) -> None:
        """Hand one message over.

        Raises:
            MailTlsError: It is not encrypted as it has to be.
            MailSignInError: Name or password is wrong.
            MailRefusedError: The message is not taken.
            MailFailedError: The server is not there, or breaks off.
        """
        try:
            with self._connect() as client:
                if self.user:
                    client.login(self.user, self.password)
                client.send_message(message)
        except (smtplib.SMTPNotSupportedError, ssl.SSLError) as err:
            raise MailTlsError("the mail server is not encrypted as it has to be") from err
        except smtplib.SMTPAuthenticationError as err:
            raise MailSignInError("the mail server does not take name and password") from err
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as err:
            raise MailRefusedError("the mail server does not take the message") from err
        except (OSError, smtplib.SMTPException) as err:
            raise MailFailedError("the mail server cannot be reached or breaks off") from err

    def _connect(self) -> smtplib.SMTP:
        if self.tls is MailTls.NONE:
            return smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        context = ssl.create_default_context(cafile=self.ca_file or None)
        if self.tls is MailTls.TLS:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=context)
        client = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        try:
            client.starttls(context=context)
        except BaseException:
            client.close()
            raise
        return client
