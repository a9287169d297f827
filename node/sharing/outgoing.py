"""A message of ours on its way: what was asked, sent and verified, what came of it, its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from node.core.decision import Batch
from node.core.errors import NodeError
from node.sharing.peers import PeerRefusedError
from node.sharing.sealing import Draft
from node.sharing.store import (
    CODE_OPEN,
    INSERT_OUTGOING,
    INSERT_PAYLOAD,
    INSERT_SUMMARY,
    OutgoingExchange,
)
from protocol.checkpoint import Checkpoint
from protocol.errors import ProtocolError
from protocol.jws import split_compact
from protocol.message import Envelope, WireMessage, parse_envelope
from schemas.exchange import ProblemBody
from schemas.summary import Section, Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question to one provider under one consent."""

    consent: bytes
    purpose: str
    metrics: tuple[Section, ...]
    last_months: int
    takes_deferred: bool = False
    """Whether the provider may answer later."""
    jti: bytes | None = None
    """The message's id, where the caller must know it beforehand."""
    may_exist: bool = False
    """A message of this id may have been logged before: it is that one that is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What came under one consent: a summary, or the code of the reason why there is none."""

    consent: bytes
    subject: str
    code: str
    summary: Summary | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a message: ``200`` with summaries, a problem code, or a failure on the way."""

    jti: bytes
    peer: str
    status: str
    msg: bytes
    ans: bytes | None = None
    items: tuple[Item, ...] = ()
    detail: str = ""
    repeated: bool = False

    @property
    def summary(self) -> Summary | None:
        """Return the summary that a question under one consent brought."""
        return self.items[0].summary if len(self.items) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that is logged and may leave."""

    jti: bytes
    envelope: Envelope
    message: WireMessage
    msg_hash: bytes
    consent: bytes | None
    subject: str
    subjects: tuple[str, ...] = ()
    """Of a batch: the subject under each consent of the envelope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A reply whose checks have passed."""

    envelope: Envelope
    message: WireMessage
    head: Checkpoint | None
    """Proven head of the peer's log; None beside a refusal that is in no log."""
    items: tuple[Item, ...]
    detail: str


def store_request(batch: Batch, sent: Sent, draft: Draft, *, position: int) -> None:
    """Queue the rows of a message that is logged and about to leave."""
    batch.insert_later(
        INSERT_OUTGOING,
        {
            "jti": sent.jti,
            "peer": sent.envelope.aud,
            "op": sent.envelope.op,
            "msg": sent.msg_hash,
            "consent": sent.consent,
            "subject": sent.subject,
            "request_env": draft.env,
            "request_inclusion": sent.message.inclusion,
            "seq": position,
            "at_ms": batch.now_ms,
            "code": CODE_OPEN,
        },
    )
    batch.insert_later(
        INSERT_PAYLOAD, {"msg": sent.msg_hash, "body": draft.body, "salt": draft.salt}
    )


def store_response(batch: Batch, verified: Verified, received_on: date) -> None:
    """Queue the rows of a reply that verified."""
    reply = verified.message
    batch.insert_later(
        INSERT_PAYLOAD, {"msg": reply.msg_hash, "body": reply.body, "salt": reply.salt}
    )
    for index, item in enumerate(verified.items):
        if item.summary is not None:
            batch.insert_later(
                INSERT_SUMMARY,
                {
                    "msg": reply.msg_hash,
                    "item": index,
                    "provider": verified.envelope.iss,
                    "subject": item.subject,
                    "consent": item.consent,
                    "received_on": received_on,
                    "received_at_ms": batch.now_ms,
                },
            )


def restore(
    outgoing: OutgoingExchange, request: WireMessage, *, find_subject: Callable[[bytes], str]
) -> Sent:
    """Return a message sent earlier, to be sent again byte for byte."""
    envelope = parse_envelope(split_compact(request.env).payload)
    is_batch = outgoing.op == "query" and outgoing.consent is None
    return Sent(
        jti=outgoing.jti,
        envelope=envelope,
        message=request,
        msg_hash=outgoing.msg,
        consent=outgoing.consent,
        subject=outgoing.subject,
        subjects=tuple(map(find_subject, envelope.consents)) if is_batch else (),
    )


def explain_unsigned(status: int, body: bytes, error: ProtocolError) -> NodeError:
    """Return what to tell of a reply that does not verify: the peer's problem if it is one."""
    try:
        problem = ProblemBody.from_bytes(body)
    except ProtocolError:
        return PeerRefusedError(f"status {status}, and the reply does not verify: {error.detail}")
    return PeerRefusedError(f"{problem.code}: {problem.detail}")


def build_failure(status: str, detail: str) -> Outcome:
    """Return the outcome of an ask that got no reply."""
    return Outcome(jti=b"", peer="", status=status, msg=b"", detail=detail)
