"""The node under test as its peers see it: HTTP in and out, and what a reply says and proves."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from protocol.entry import ExchangeEntry, parse_entry
from protocol.errors import ProtocolError
from protocol.limits import ANSWER_BYTES_MAX
from protocol.log_proof import parse_log_proof
from protocol.message import MEDIA_TYPE, Envelope, WireMessage, parse_message
from protocol.problems import PROBLEMS, TYPE_PREFIX
from protocol.strict_json import JsonObject, parse_object
from tests.conformance.peer.case import Failed, expect_equal

MESSAGES_PATH = "/chengxin/v1/messages"
STATUSES_PATH = "/chengxin/v1/consent-statuses"
CHECKPOINT_PATH = "/chengxin/v1/log/checkpoint"
DISCOVERY_PATH = "/.well-known/chengxin"
TIMEOUT_S = 30
PROBLEM_MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """What came back over HTTP."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str]

    @property
    def media_type(self) -> str:
        """Return the content type without parameters."""
        return self.content_type.partition(";")[0].strip()

    @property
    def is_message(self) -> bool:
        """Tell whether a message came, which is signed."""
        return self.content_type.replace(" ", "") == MEDIA_TYPE

    def read_problem(self) -> JsonObject:
        """Return the members of an unsigned problem.

        Raises:
            Failed: It is none.
        """
        if self.media_type != PROBLEM_MEDIA_TYPE:
            raise Failed(f"HTTP {self.status} {self.content_type!r} is no problem")
        try:
            return parse_object(self.body)
        except ProtocolError as err:
            raise Failed(f"the problem cannot be read: {err.detail}") from err


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A verified reply: signed, bound to its request, in the node's log."""

    http: Http
    message: WireMessage
    envelope: Envelope
    entry: ExchangeEntry | None
    """None where the specification allows no entry: a refusal for haste."""

    @property
    def code(self) -> str:
        """Return what the reply says: ``200`` or a problem's code."""
        return self.envelope.st or ""

    @property
    def body(self) -> JsonObject:
        """Return the members of its body.

        Raises:
            Failed: It is no object of the subset.
        """
        try:
            return parse_object(self.message.body)
        except ProtocolError as err:
            raise Failed(f"the body of the reply cannot be read: {err.detail}") from err


class Node:
    """Sends to the node under test."""

    def __init__(self, *, url: str) -> None:
        """Open one connection pool."""
        self.url = url.rstrip("/")
        self._client = httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)

    def post(self, path: str, raw: bytes, *, content_type: str) -> Http:
        """Send bytes.

        Raises:
            Failed: Nothing came back.
        """
        return self._exchange("POST", path, raw, {"content-type": content_type})

    def get(self, path: str) -> Http:
        """Fetch an address.

        Raises:
            Failed: Nothing came back.
        """
        return self._exchange("GET", path, None, {})

    def is_live(self) -> bool:
        """Tell whether discovery answers."""
        try:
            return self._client.get(f"{self.url}{DISCOVERY_PATH}").is_success
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        """Close the pool."""
        self._client.close()

    def _exchange(self, method: str, path: str, raw: bytes | None, headers: dict[str, str]) -> Http:
        try:
            came = self._client.request(method, f"{self.url}{path}", content=raw, headers=headers)
        except httpx.HTTPError as err:
            raise Failed(f"{method} {path}: {type(err).__name__}") from err
        return Http(
            status=came.status_code,
            content_type=came.headers.get("content-type", ""),
            body=came.content,
            headers={name.lower(): value for name, value in came.headers.items()},
        )


def read_message(http: Http) -> WireMessage:
    """Read a message's outer form.

    Raises:
        Failed: It has another.
    """
    if not http.is_message:
        text = http.body[:200].decode("utf-8", errors="replace")
        raise Failed(f"HTTP {http.status} {http.content_type!r} is no message: {text}")
    try:
        return parse_message(http.body, bytes_max=2 * ANSWER_BYTES_MAX)
    except ProtocolError as err:
        raise Failed(f"the reply has another form: {err.detail}") from err


def read_entry(message: WireMessage) -> ExchangeEntry | None:
    """Return the log entry that a reply carries.

    Raises:
        Failed: It carries another kind.
    """
    if not message.inclusion:
        return None
    try:
        entry = parse_entry(parse_log_proof(message.inclusion).extra or b"")
    except ProtocolError as err:
        raise Failed(f"the entry of the reply cannot be read: {err.detail}") from err
    if not isinstance(entry, ExchangeEntry):
        raise Failed("the entry of the reply is no exchange")
    return entry


def check_problem(members: JsonObject, *, code: str) -> None:
    """Check that the members of a problem are those of its row.

    Raises:
        Failed: They are not.
    """
    row = PROBLEMS[code]
    due = {
        "type": f"{TYPE_PREFIX}{code}",
        "title": row.title,
        "status": row.status,
        "code": code,
        "source": row.hop.value,
    }
    found = {name: members.get(name) for name in due}
    expect_equal(found, due, "the problem")
    extra = set(members) - set(due) - {"detail", "retry_after"}
    expect_equal(extra, set(), "members of a problem beside its own")
