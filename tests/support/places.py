"""A hub on loopback and the folder of somebody who uses the commands against it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from starlette.applications import Starlette
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from node.cli.hub_client import HubClient
from node.cli.join import follow_chain
from node.cli.main import app
from node.core.clock import SystemClock, now_s
from node.core.config import load_settings
from node.hub.api import build_hub_routes
from protocol.invitation import Invitation, format_fingerprint, format_invitation
from protocol.registry import MemberEntry
from tests.support import hubs

MEMBER = "acme.example"
FINGERPRINT = format_fingerprint(hubs.HUB_KEY.public)
DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A hub at an address, and the folder of somebody who wants to join."""

    hub: hubs.TestHub
    url: str
    folder: Path
    posted: list[bytes] = field(default_factory=list)
    """Every body that was sent to the hub."""

    @property
    def home(self) -> Path:
        return self.folder / "acme"

    def invite(self, *, kind: str = "member", **changed: str) -> Path:
        member = "" if kind == "subject" else MEMBER
        made = self.hub.service.invite(kind=kind, member=member, life_s=DAY_S)
        return self.write(replace(made, **changed))  # type: ignore[arg-type]  # fields by name

    def write(self, invitation: Invitation) -> Path:
        path = self.folder / "invitation.txt"
        path.write_text(format_invitation(invitation), encoding="utf-8")
        return path

    def join(self, path: Path, *extra: str, said: str | None = None) -> Result:
        heard = () if said is not None else ("--fingerprint", FINGERPRINT)
        return call("join", str(path), "--home", str(self.home), *heard, *extra, said=said)

    def key(self, *arguments: str) -> Result:
        return call("key", *arguments, "--home", str(self.home))

    def find_member(self) -> MemberEntry:
        member = self.hub.open_newest().find_member(MEMBER)
        assert member is not None
        return member

    def follow(self) -> None:
        """Take the newest snapshot in, as a running node would."""
        settings = load_settings(self.home)
        newest = self.hub.service.get_snapshot(None).seq
        with HubClient(self.url) as client:
            follow_chain(settings, client, seq=newest)


@contextmanager
def open_place(folder: Path) -> Iterator[Place]:
    """Run a hub on loopback."""
    clients: list[TestClient] = []
    posted: list[bytes] = []

    class Bridge(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on(b"")

        def do_POST(self) -> None:
            posted.append(self.rfile.read(int(self.headers["content-length"])))
            self._pass_on(posted[-1])

        def _pass_on(self, body: bytes) -> None:
            headers = {
                name: self.headers[name] for name in ("authorization",) if name in self.headers
            }
            answer = clients[0].request(self.command, self.path, content=body, headers=headers)
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bridge)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    (folder / "hub").mkdir()
    hub = hubs.open_test_hub(folder / "hub", at_s=now_s(SystemClock()), public_url=url)
    routes = build_hub_routes(hub.service, enrolment_token=hubs.TOKEN)
    with TestClient(Starlette(routes=routes)) as client:
        clients.append(client)
        yield Place(hub=hub, url=url, folder=folder, posted=posted)
    server.shutdown()
    server.server_close()
    hub.database.dispose()


def call(*arguments: str, said: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "250"}, input=said)


def check(result: Result) -> str:
    assert result.exception is None, result.output
    return result.output


def error_of(result: Result) -> BaseException:
    assert result.exit_code == 1
    assert result.exception is not None
    return result.exception
