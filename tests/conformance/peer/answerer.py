"""A member of the kit that the node under test sends to: honest, unless a case scripts a reply."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import ProtocolError
from protocol.exchange import check_content, open_request
from protocol.limits import MESSAGE_BYTES_MAX
from protocol.message import MEDIA_TYPE, POSITIVE_STATES, Envelope, parse_message
from protocol.problems import PROBLEMS, TYPE_PREFIX
from protocol.receipt import parse_receipt
from protocol.strict_json import JsonObject, JsonValue, canonical_json, parse_object
from tests.conformance.peer.hub import Hub
from tests.conformance.peer.material import read_summary
from tests.conformance.peer.messages import (
    ACCEPTED_TYPE,
    ACK_TYPE,
    BATCH_TYPE,
    PROBLEM_TYPE,
    SUMMARY_BATCH_TYPE,
    ReplyDraft,
    seal_reply,
)
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


Script = Callable[["Answerer", Incoming], Answer]


@dataclass
class Answerer:
    """Answers the node, and remembers what it has sent."""

    party: Party
    hub: Hub = field(kw_only=True)
    received: list[Incoming] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """What of the node did not hold."""
    acknowledged: set[bytes] = field(default_factory=set)
    fetched: list[str] = field(default_factory=list)
    """Every other address that was asked for."""
    scripts: dict[tuple[str, bytes], list[Script]] = field(default_factory=dict)
    """Replies, before the honest ones, by operation and the first consent concerned."""
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
        status = int(draft.st) if draft.st in POSITIVE_STATES else 403
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

    def list_received(self, op: str, *consents: bytes) -> list[Incoming]:
        """Return what has come of an operation under exactly these consents, the oldest first."""
        with self.lock:
            return [
                one
                for one in self.received
                if one.envelope.op == op and one.envelope.consents == consents
            ]

    def list_polls(self, request: bytes) -> list[Incoming]:
        """Return the polls for a question, by the name of its message."""
        return [one for one in self.list_received("poll") if read_request_of(one) == request]

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
        op = incoming.envelope.op
        consents = incoming.envelope.consents or self._find_polled(incoming)
        scripts = self.scripts.get((op, consents[0]), []) if consents else []
        return scripts.pop(0) if scripts else HONEST.get(op, _do_not_know)

    def _find_polled(self, incoming: Incoming) -> tuple[bytes, ...]:
        """Return the consents of the question that a poll asks for."""
        if incoming.envelope.op != "poll":
            return ()
        name = read_request_of(incoming)
        asked = [one for one in self.received if one.msg_hash == name]
        return asked[0].envelope.consents if asked else ()


def answer_honestly(provider: Answerer, incoming: Incoming) -> Answer:
    """Tell what the kit's file says, under each consent asked about."""
    if incoming.envelope.bct == BATCH_TYPE:
        return provider.reply(incoming, build_batch_draft(incoming, build_items(incoming)))
    return provider.reply(incoming, build_summary_draft())


def build_summary_draft() -> ReplyDraft:
    """Return a right answer to a query for everything."""
    return ReplyDraft(body=canonical_json(read_summary()))


def forge_body(draft: ReplyDraft) -> ReplyDraft:
    """Send the same body in another spelling: right in itself, and not what was signed."""
    members = parse_object(draft.body)
    return replace(draft, sent_body=json.dumps(members, indent=1, ensure_ascii=False).encode())


def build_items(incoming: Incoming) -> list[JsonObject]:
    """Return the right items of an answer to a batch."""
    return [
        {"consent": encode_b64u(one), "code": "full", "summary": read_summary()}
        for one in incoming.envelope.consents
    ]


def build_batch_draft(incoming: Incoming, items: Sequence[JsonObject]) -> ReplyDraft:
    """Return an answer to a batch with these items; the log entry is that of a right one."""
    body: JsonObject = {"v": 1, "kind": "summary-batch", "items": list(items)}
    codes = ("full",) * len(incoming.envelope.consents)
    return ReplyDraft(
        body=canonical_json(body),
        content_type=SUMMARY_BATCH_TYPE,
        code="batch",
        use=len(codes),
        codes=codes,
    )


def accept(*, poll_after_s: int = 1) -> Script:
    """Return a script that puts the answer off."""

    def script(provider: Answerer, incoming: Incoming) -> Answer:
        body: JsonObject = {"v": 1, "kind": "accepted", "poll_after_s": poll_after_s}
        draft = ReplyDraft(
            body=canonical_json(body),
            content_type=ACCEPTED_TYPE,
            st="202",
            code="accepted",
            use=0 if incoming.envelope.op == "poll" else 1,
        )
        return provider.reply(incoming, draft)

    return script


def refuse(code: str, **members: JsonValue) -> Script:
    """Return a script that refuses, signed and logged."""

    def script(provider: Answerer, incoming: Incoming) -> Answer:
        draft = ReplyDraft(
            body=canonical_json({**build_problem(code), **members}),
            content_type=PROBLEM_TYPE,
            op="problem",
            st=code,
            code=code,
            use=0,
        )
        return replace(provider.reply(incoming, draft), status=PROBLEMS[code].status)

    return script


def build_problem(code: str) -> JsonObject:
    """Return a problem's members."""
    row = PROBLEMS[code]
    return {
        "type": f"{TYPE_PREFIX}{code}",
        "title": row.title,
        "status": row.status,
        "detail": "",
        "code": code,
        "source": row.hop.value,
    }


def _answer_poll(provider: Answerer, incoming: Incoming) -> Answer:
    return provider.reply(incoming, replace(build_summary_draft(), use=0))


def build_ack_draft(incoming: Incoming) -> ReplyDraft:
    """Return a right acknowledgement."""
    body: JsonObject = {"v": 1, "kind": "ack", "of": encode_b64u(incoming.msg_hash)}
    return ReplyDraft(
        body=canonical_json(body),
        content_type=ACK_TYPE,
        op="ack",
        code=incoming.envelope.op,
        use=0,
    )


def _acknowledge(provider: Answerer, incoming: Incoming) -> Answer:
    return provider.reply(incoming, build_ack_draft(incoming))


def _take_receipt(provider: Answerer, incoming: Incoming) -> Answer:
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


def _take_consents(provider: Answerer, incoming: Incoming) -> Answer:
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


def _do_not_know(_provider: Answerer, _incoming: Incoming) -> Answer:
    return Answer(status=404)


def read_consent_of(incoming: Incoming) -> bytes:
    """Return the consent that a query's body names."""
    return decode_b64u(str(parse_object(incoming.body).get("consent", "")))


def read_request_of(incoming: Incoming) -> bytes:
    """Return the name of the question that a poll's body names."""
    return decode_b64u(str(parse_object(incoming.body).get("request", "")))


HONEST: Mapping[str, Script] = {
    "receipt": _take_receipt,
    "consent.put": _take_consents,
    "query": answer_honestly,
    "poll": _answer_poll,
    "push": _acknowledge,
    "erase": _acknowledge,
}
