"""A mail server on loopback that checks its caller: order, encryption, sign-in."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from node.core.clock import SystemClock, now_s

USER, PASSWORD = "notices", "a password of these tests"


@dataclass(kw_only=True)
class SmtpDouble:
    """What the server does, and what it got; ``refusals`` answers that many mails with 451."""

    port: int = 0
    certificate: Path | None = None
    offers_tls: bool = True
    refusals: int = 0
    messages: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    clear_commands: list[str] = field(default_factory=list)


class _Handler(socketserver.StreamRequestHandler):
    double: SmtpDouble
    context: ssl.SSLContext | None
    secured: ssl.SSLSocket | None = None

    def finish(self) -> None:
        super().finish()
        if self.secured is not None:
            self.secured.close()

    def handle(self) -> None:
        self._say("220 double")
        is_encrypted = False
        while line := self.rfile.readline().decode("ascii").strip():
            verb = line.split()[0].upper()
            self.double.commands.append(verb)
            if not is_encrypted:
                self.double.clear_commands.append(verb)
            if verb == "STARTTLS" and self.context is not None:
                self._say("220 go")
                try:
                    secured = self.context.wrap_socket(self.request, server_side=True)
                except (ssl.SSLError, OSError):
                    return  # the caller does not trust the certificate
                self.rfile, self.wfile = secured.makefile("rb"), secured.makefile("wb")
                self.secured = secured
                is_encrypted = True
            elif verb == "DATA":
                self._take()
            else:
                self._say(self._answer(verb, line, is_encrypted=is_encrypted))
            if verb == "QUIT":
                return

    def _answer(self, verb: str, line: str, *, is_encrypted: bool) -> str:
        if verb == "EHLO":
            offers = ["250-double"]
            if self.double.offers_tls and not is_encrypted:
                offers.append("250-STARTTLS")
            return "\r\n".join([*offers, "250 AUTH PLAIN"])
        if verb == "AUTH":
            given = base64.b64decode(line.split()[2]).split(b"\0")
            is_right = given[1:] == [USER.encode(), PASSWORD.encode()]
            return "235 welcome" if is_right else "535 no"
        if verb == "RCPT" and self.double.refusals:
            self.double.refusals -= 1
            return "451 later"
        return "221 bye" if verb == "QUIT" else "250 ok"

    def _take(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline().decode("ascii").rstrip("\r\n")) != ".":
            lines.append(line)
        self.double.messages.append("\n".join(lines))
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode("ascii"))
        self.wfile.flush()


@contextmanager
def run_smtp(folder: Path, *, offers_tls: bool = True) -> Iterator[SmtpDouble]:
    """Run the server for as long as it is needed."""
    double = SmtpDouble(offers_tls=offers_tls)
    context = None
    if offers_tls:
        double.certificate, context = _make_certificate(folder)

    class Handler(_Handler):
        pass

    Handler.double, Handler.context = double, context
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        double.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield double
        finally:
            server.shutdown()
            thread.join()


def _make_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "double")])
    now = datetime.fromtimestamp(now_s(SystemClock()), UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, key_file = folder / "smtp.pem", folder / "smtp-key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key_file)
    return certificate, context
