"""A message of ours on its way: what was asked, sent and verified, what came of it, its rows."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a message: ``200`` with a summary, a problem code, or a failure on the way."""

    jti: bytes
    peer: str
    status: str
    msg: bytes
    ans: bytes | None = None
    summary: Summary | None = None
    detail: str = ""
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that is logged and may leave."""

    jti: bytes
    envelope: Envelope
    message: WireMessage
    msg_hash: bytes
    consent: bytes | None
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A reply whose checks have passed."""

    envelope: Envelope
    message: WireMessage
    head: Checkpoint | None
    """Proven head of the peer's log; None beside a refusal that is in no log."""
    summary: Summary | None
    detail: str


def store_request(batch: Batch, sent: Sent, draft: Draft, *, index: int) -> None:
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
            "seq": index,
            "at_ms": batch.now_ms,
            "code": CODE_OPEN,
        },
    )
    batch.insert_later(
        INSERT_PAYLOAD, {"msg": sent.msg_hash, "body": draft.body, "salt": draft.salt}
    )


def store_response(batch: Batch, sent: Sent, verified: Verified, received_on: date) -> None:
    """Queue the rows of a reply that verified."""
    reply = verified.message
    batch.insert_later(
        INSERT_PAYLOAD, {"msg": reply.msg_hash, "body": reply.body, "salt": reply.salt}
    )
    if verified.summary is not None and sent.consent is not None:
        batch.insert_later(
            INSERT_SUMMARY,
            {
                "msg": reply.msg_hash,
                "provider": verified.envelope.iss,
                "subject": sent.subject,
                "consent": sent.consent,
                "received_on": received_on,
            },
        )


def restore(outgoing: OutgoingExchange, request: WireMessage) -> Sent:
    """Return a message sent earlier, to be sent again byte for byte."""
    return Sent(
        jti=outgoing.jti,
        envelope=parse_envelope(split_compact(request.env).payload),
        message=request,
        msg_hash=outgoing.msg,
        consent=outgoing.consent,
        subject=outgoing.subject,
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
