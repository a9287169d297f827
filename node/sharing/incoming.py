"""What came from a peer: opened and checked off the lock, and the rows that keep its decision."""

from __future__ import annotations

from collections.abc import Callable

from node.core.decision import Batch, Placement
from node.sharing.operations import OPERATIONS, Case, Opened, Verdict
from node.sharing.registry import RegistryHolder
from node.sharing.sealing import Draft
from node.sharing.store import INSERT_INCOMING, INSERT_ITEM, INSERT_PAYLOAD
from protocol.checkpoint import Checkpoint
from protocol.errors import ProtocolError, SchemaError
from protocol.exchange import check_content, open_request
from protocol.limits import MESSAGE_BYTES_MAX
from protocol.message import Envelope, WireMessage, parse_message


def open_incoming(
    raw: bytes, *, registry: RegistryHolder, audience: str, now_s: int, ahead_s: int
) -> Opened:
    """Make checks 1 to 3, and 6 to 8 as far as they need no state of ours.

    Raises:
        ProtocolError: One of 1 to 3 fails. A failure of the later ones is part of what is returned.
    """
    message = parse_message(raw, bytes_max=MESSAGE_BYTES_MAX)
    newest = registry.newest
    envelope = open_request(message, registry=newest, audience=audience, now_s=now_s)
    head: Checkpoint | None = None
    decide: Callable[[Case], Verdict] | None = None
    failure: ProtocolError | None = None
    try:
        head = check_content(
            message,
            envelope,
            registry=newest,
            find_registry=registry.find,
            now_s=now_s,
            ahead_s=ahead_s,
        )
        decide = _open_body(envelope, message.body)
    except ProtocolError as err:
        failure = err
    return Opened(
        message=message,
        envelope=envelope,
        msg_hash=message.msg_hash,
        registry=newest,
        head=head,
        decide=decide,
        failure=failure,
    )


def store_exchange(
    batch: Batch, opened: Opened, draft: Draft, verdict: Verdict, placement: Placement
) -> None:
    """Queue the rows of a decided message: replay row, stored answer, and both payloads."""
    batch.insert_later(
        INSERT_INCOMING,
        {
            "peer": opened.envelope.iss,
            "jti": opened.envelope.jti,
            "msg": opened.msg_hash,
            "ans": draft.msg_hash,
            "op": opened.envelope.op,
            "code": verdict.code,
            "uses": verdict.uses,
            "consent": verdict.consent,
            "request_env": opened.message.env,
            "request_inclusion": opened.message.inclusion,
            "answer_env": draft.env,
            "answer_inclusion": placement.inclusion,
            "seq": placement.position,
            "at_ms": batch.now_ms,
        },
    )
    for index, code in enumerate(verdict.codes):
        batch.insert_later(
            INSERT_ITEM,
            {
                "ans": draft.msg_hash,
                "item": index,
                "consent": verdict.content.consents[index],
                "code": code,
            },
        )
    for msg, body, salt in (
        (opened.msg_hash, opened.message.body, opened.message.salt),
        (draft.msg_hash, draft.body, draft.salt),
    ):
        batch.insert_later(INSERT_PAYLOAD, {"msg": msg, "body": body, "salt": salt})


def _open_body(envelope: Envelope, raw: bytes) -> Callable[[Case], Verdict]:
    """Read the body of an operation that is answered here (check 8); return its decision.

    Raises:
        SchemaError: The body breaks its schema or is not what the envelope says, or the operation
            is not answered here.
        MalformedError: The body is not JSON of the subset.
    """
    operation = OPERATIONS.get((envelope.op, envelope.bct))
    if operation is None:
        raise SchemaError(f"env.bct: not the type of a body of {envelope.op}")
    concerned, decide = operation.open(raw)
    if envelope.consents != concerned:
        raise SchemaError("env.consents: not the consents of the body")
    return decide


def note_of(message: WireMessage) -> str:
    """Return the sender's signed checkpoint out of its proof."""
    # The proof was verified off the lock; the signed checkpoint is all that follows its empty line.
    return message.inclusion.partition("\n\n")[2]
