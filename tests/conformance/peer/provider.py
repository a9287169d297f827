"""A member of the kit that the node under test asks: honest, unless a case scripts a reply."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import ProtocolError
from protocol.exchange import check_content, open_request
from protocol.limits import MESSAGE_BYTES_MAX
from protocol.message import MEDIA_TYPE, Envelope, parse_message
from protocol.receipt import parse_receipt
from protocol.strict_json import JsonObject, canonical_json, parse_object
from tests.conformance.peer.hub import Hub
from tests.conformance.peer.material import read_summary
from tests.conformance.peer.messages import ReplyDraft, seal_reply
from tests.conformance.peer.node import MESSAGES_PATH
from tests.conformance.peer.parts import Party, read_clock_s
from tests.conformance.peer.server import Answer, Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request of the node under test that holds."""

    raw: bytes
    body: bytes
    envelope: Envelope
    msg_hash: bytes


Script = Callable[["Provider", Incoming], Answer]


@dataclass
class Provider:
    """Answers the node, and remembers what it has sent."""

    party: Party
    hub: Hub = field(kw_only=True)
    received: list[Incoming] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """What of the node did not hold."""
    acknowledged: set[bytes] = field(default_factory=set)
    fetched: list[str] = field(default_factory=list)
    """Every other address that was asked for."""
    scripts: dict[bytes, list[Script]] = field(default_factory=dict)
    """Replies to the next queries under a consent, before the honest ones."""
    answered: dict[bytes, list[bytes]] = field(default_factory=dict)
    """Hashes of the replies to each request."""
    good: dict[str, bytes] = field(default_factory=dict)
    """Replies, by case, that must be acknowledged."""
    bad: dict[str, bytes] = field(default_factory=dict)
    """Replies, by case, that must never be."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, asked: Asked) -> Answer:
        """Answer over HTTP."""
        if asked.method != "POST" or asked.path != MESSAGES_PATH:
            with self.lock:
                self.fetched.append(asked.path)
            return Answer(status=404)
        try:
            incoming = self._open(asked)
        except ProtocolError as err:
            with self.lock:
                self.refused.append(f"{err.code}: {err.detail}")
            return Answer(status=400, content_type="application/problem+json", body=b"{}")
        with self.lock:
            self.party.note_number(incoming.envelope.n, msg_hash=incoming.msg_hash)
            self.received.append(incoming)
            script = self._next_script(incoming)
        return script(self, incoming)

    def reply(self, incoming: Incoming, draft: ReplyDraft) -> Answer:
        """Sign, log and give a reply."""
        raw = self.seal(incoming, draft)
        status = 200 if draft.st == "200" else 403
        return Answer(status=status, content_type=MEDIA_TYPE, body=raw)

    def seal(self, incoming: Incoming, draft: ReplyDraft) -> bytes:
        """Sign and log a reply."""
        raw, ans = seal_reply(
            self.party,
            draft,
            request=incoming.envelope,
            request_hash=incoming.msg_hash,
            registry=self.hub.newest,
        )
        with self.lock:
            self.answered.setdefault(incoming.msg_hash, []).append(ans)
        return raw

    def list_queries(self, consent: bytes) -> list[Incoming]:
        """Return what was asked under a consent."""
        with self.lock:
            return [
                one
                for one in self.received
                if one.envelope.op == "query" and one.envelope.consents == (consent,)
            ]

    def _open(self, asked: Asked) -> Incoming:
        """Check a request of the node as the specification tells a receiver to."""
        now_s = read_clock_s()
        message = parse_message(asked.body, bytes_max=MESSAGE_BYTES_MAX)
        registry = self.hub.newest
        envelope = open_request(message, registry=registry, audience=self.party.member, now_s=now_s)
        check_content(
            message,
            envelope,
            registry=registry,
            find_registry=self.hub.find_snapshot,
            now_s=now_s,
        )
        return Incoming(
            raw=asked.body, body=message.body, envelope=envelope, msg_hash=message.msg_hash
        )

    def _next_script(self, incoming: Incoming) -> Script:
        match incoming.envelope.op:
            case "receipt":
                return _take_receipt
            case "consent.put":
                return _take_consents
            case "query":
                scripts = self.scripts.get(incoming.envelope.consents[0], [])
                return scripts.pop(0) if scripts else answer_honestly
            case _:
                return _do_not_know


def answer_honestly(provider: Provider, incoming: Incoming) -> Answer:
    """Tell what the kit's file says."""
    return provider.reply(incoming, build_summary_draft())


def build_summary_draft() -> ReplyDraft:
    """Return a right answer to a query for everything."""
    return ReplyDraft(body=canonical_json(read_summary()))


def _take_receipt(provider: Provider, incoming: Incoming) -> Answer:
    known = {ans for given in provider.answered.values() for ans in given}
    named = set(parse_receipt(incoming.body))
    with provider.lock:
        provider.acknowledged |= named
    body: JsonObject = {"v": 1, "kind": "receipt-held", "answers": len(named & known)}
    return provider.reply(
        incoming,
        ReplyDraft(
            body=canonical_json(body),
            content_type="application/vnd.chengxin.receipt-held+json",
            code="receipt",
            use=0,
        ),
    )


def _take_consents(provider: Provider, incoming: Incoming) -> Answer:
    body: JsonObject = {
        "v": 1,
        "kind": "consent-held",
        "consents": [
            {"consent": encode_b64u(one), "state": "active", "seq": 0}
            for one in incoming.envelope.consents
        ],
    }
    return provider.reply(
        incoming,
        ReplyDraft(
            body=canonical_json(body),
            content_type="application/vnd.chengxin.consent-held+json",
            code="held",
            use=0,
        ),
    )


def _do_not_know(_provider: Provider, _incoming: Incoming) -> Answer:
    return Answer(status=404)


def read_consent_of(incoming: Incoming) -> bytes:
    """Return the consent that a query's body names."""
    return decode_b64u(str(parse_object(incoming.body).get("consent", "")))
