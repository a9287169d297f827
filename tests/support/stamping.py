"""A time-stamping authority on loopback: OpenSSL's own, so that our code is judged by another."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

OPENSSL = shutil.which("openssl")
_CONFIG = """
[req]
distinguished_name = name
[name]
[extensions]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = authority
[authority]
serial = {folder}/serial
signer_cert = {folder}/{name}.pem
signer_key = {folder}/{name}.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A key and a self-signed certificate that may stamp."""

    folder: Path
    name: str

    @property
    def certificate(self) -> Path:
        return self.folder / f"{self.name}.pem"

    def reply(self, query: bytes) -> bytes:
        """Answer a request as RFC 3161 says."""
        asked, answered = self.folder / "query.tsq", self.folder / "reply.tsr"
        asked.write_bytes(query)
        run("ts", "-reply", "-config", self.config, "-queryfile", asked, "-out", answered)
        return answered.read_bytes()

    @property
    def config(self) -> Path:
        return self.folder / f"{self.name}.cnf"


def make_authority(folder: Path, *, name: str = "authority") -> Authority:
    """Make a key and its certificate."""
    made = Authority(folder=folder, name=name)
    folder.mkdir(exist_ok=True)
    made.config.write_text(_CONFIG.format(folder=folder, name=name))
    (folder / "serial").write_text("01\n")
    run(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / f"{name}.key",
        "-out", made.certificate, "-days", "2", "-subj", f"/CN={name}", "-config", made.config,
        "-extensions", "extensions",
    )  # fmt: skip
    return made


def run(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run OpenSSL."""
    assert OPENSSL is not None
    return subprocess.run([OPENSSL, *map(str, arguments)], check=True, capture_output=True)


@dataclass(kw_only=True)
class Office:
    """What the authority's server does: stamps, or misbehaves."""

    authority: Authority
    url: str = ""
    status: int = 200
    garbage: bytes = b""
    asked: int = 0


@contextmanager
def serve(authority: Authority) -> Iterator[Office]:
    """Serve an authority on loopback."""
    office = Office(authority=authority)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["content-length"]))
            office.asked += 1
            body = office.garbage or office.authority.reply(query)
            self.send_response(office.status)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    office.url = f"http://127.0.0.1:{server.server_address[1]}/tsa"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield office
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
