"""One loopback server for the hub and for every member that the kit plays."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from protocol.cosignature import SIZE_CONTENT_TYPE, StaleSizeError, WitnessRefusalError
from protocol.errors import ProtocolError
from protocol.strict_json import parse_object
from tests.conformance.peer.hub import HUB, Hub

BODY_BYTES_MAX = 4_194_304
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back over HTTP; ``chunks`` come one after the other, as slowly as they are made."""

    status: int = 200
    content_type: str = "application/json"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Iterator[bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request over HTTP."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Route = Callable[[Asked], Answer]


class Server:
    """Serves the hub at its root, and each member below ``/member/NAME``."""

    def __init__(self, hub: Hub, *, enrolment_token: str, port: int = 0) -> None:
        """Bind and serve in a thread of its own."""
        self._hub = hub
        self._token = enrolment_token
        self.members: dict[str, Route] = {}
        self._http = ThreadingHTTPServer((LOOPBACK, port), _build_handler(self._route))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Return the hub's address."""
        return f"http://{LOOPBACK}:{self._http.server_address[1]}"

    def close(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _route(self, asked: Asked) -> Answer:
        if asked.path.startswith("/member/"):
            name, _, rest = asked.path.removeprefix("/member/").partition("/")
            route = self.members.get(name)
            if route is None:
                return Answer(status=404)
            return route(
                Asked(method=asked.method, path=f"/{rest}", headers=asked.headers, body=asked.body)
            )
        try:
            return self._answer_as_hub(asked)
        except StaleSizeError as err:
            return Answer(status=err.status, content_type=SIZE_CONTENT_TYPE, body=err.body.encode())
        except WitnessRefusalError as err:
            return Answer(status=err.status, content_type="text/plain", body=err.detail.encode())
        except ProtocolError as err:
            return _json({"code": err.code, "detail": err.detail}, status=400)

    def _answer_as_hub(self, asked: Asked) -> Answer:
        if asked.method == "POST":
            return self._take(asked)
        if asked.path.startswith("/hub/v1/registry"):
            return self._show_registry(asked.path.removeprefix("/hub/v1/registry").strip("/"))
        if asked.path == "/hub/v1/status-list":
            return Answer(content_type="text/plain", body=self._hub.list_statuses().encode())
        if asked.path == "/.well-known/chengxin":
            return _json({"role": "hub", "versions": [1], "hub": HUB})
        if asked.path.endswith("/checkpoint"):
            note = self._hub.find_checkpoint(asked.path.strip("/").partition("/")[0])
            if note is not None:
                return Answer(content_type="text/plain; charset=utf-8", body=note.encode())
        return Answer(status=404)

    def _take(self, asked: Asked) -> Answer:
        if asked.path == "/add-checkpoint":
            if not self._hub.is_witnessing:
                return Answer(status=503)
            line = self._hub.cosign(asked.body)
            return Answer(content_type="text/plain; charset=utf-8", body=line.encode())
        if asked.path == "/hub/v1/members":
            if asked.headers.get("authorization") != f"Bearer {self._token}":
                return Answer(status=401)
            tokens = parse_object(asked.body).get("tokens")
            texts = [str(token) for token in tokens] if isinstance(tokens, list) else []
            return _json({"registry": self._hub.enrol(texts).seq})
        return Answer(status=404)

    def _show_registry(self, seq: str) -> Answer:
        number = len(self._hub.snapshots) if not seq else int(seq) if seq.isdigit() else 0
        if not 0 < number <= len(self._hub.snapshots):
            return Answer(status=404)
        return _json({"tokens": list(self._hub.snapshots[number - 1][1])})


def _json(value: object, *, status: int = 200) -> Answer:
    return Answer(status=status, body=json.dumps(value).encode())


def _build_handler(route: Route) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            count = int(self.headers.get("content-length", "0"))
            self._answer(self.rfile.read(min(count, BODY_BYTES_MAX)))

        def log_message(self, *_arguments: object) -> None:
            """Say nothing: the report is the kit's output."""

        def _answer(self, body: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = route(Asked(method=self.command, path=self.path, headers=headers, body=body))
            self.send_response(answer.status)
            self.send_header("content-type", answer.content_type)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.chunks is None:
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
                return
            self.close_connection = True
            self.end_headers()
            with suppress(OSError):  # The node has hung up, as it should.
                for chunk in answer.chunks:
                    self.wfile.write(chunk)
                    self.wfile.flush()

    return Handler
