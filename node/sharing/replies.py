"""What a positive reply to a message of ours means: a row for each kind of body.

``read`` makes the asker's last check, the body's schema and subject, off the lock. ``conclude``
does in the response's transaction what follows from a reply, positive or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from node.core.decision import Batch
from node.sharing.batching import ExchangeBatch
from node.sharing.outgoing import Item, Sent, Verified
from node.sharing.store import SharingStore
from node.sharing.store.due import DueStore
from node.sharing.store.notices import NOTICE_DONE, NOTICE_REFUSED, NoticeStore
from node.sharing.store.pending import PendingStore
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import SchemaError
from protocol.limits import HASH_BYTES
from protocol.message import ACCEPTED, ANSWERED, Envelope
from schemas.exchange import (
    ACCEPTED_CONTENT_TYPE,
    CONSENT_HELD_CONTENT_TYPE,
    QUERY_CONTENT_TYPE,
    RECEIPT_HELD_CONTENT_TYPE,
    SUMMARY_BATCH_CONTENT_TYPE,
    SUMMARY_CONTENT_TYPE,
    AcceptedBody,
    ConsentHeldBody,
    PollBody,
    QueryBody,
    ReceiptHeldBody,
    SummaryBatchBody,
)
from schemas.notices import ACK_CONTENT_TYPE, AckBody
from schemas.summary import Summary

POLL_RARELY_MS = 3_600_000
Read = Callable[[Sent, bytes], tuple[Item, ...]]
Conclude = Callable[[Batch, SharingStore, Sent, Verified], None]


def read_reply(sent: Sent, envelope: Envelope, body: bytes) -> tuple[Item, ...]:
    """Read the body of a positive reply; return the summaries in it.

    Raises:
        SchemaError: The body breaks its schema, is none that answers this message, or is on
            somebody else.
    """
    read = _READERS.get((sent.envelope.op, envelope.bct))
    if read is None or (envelope.st == ACCEPTED) != (envelope.bct == ACCEPTED_CONTENT_TYPE):
        raise SchemaError(f"env.bct: not the type of an answer to {sent.envelope.op}")
    return read(sent, body)


def conclude(batch: Batch, store: SharingStore, sent: Sent, verified: Verified) -> None:
    """Do what follows from a reply to this operation."""
    follow = _CONCLUSIONS.get(sent.envelope.op)
    if follow is not None:
        follow(batch, store, sent, verified)


def _read_summary(sent: Sent, body: bytes) -> tuple[Item, ...]:
    summary = Summary.from_bytes(body)
    if summary.subject != sent.subject:
        raise SchemaError("summary.subject: not the subject asked about")
    if sent.consent is None:
        raise SchemaError("summary: one, to a batch")
    code = summary.tier.value
    return (Item(consent=sent.consent, subject=sent.subject, code=code, summary=summary),)


def _read_accepted(sent: Sent, body: bytes) -> tuple[Item, ...]:
    AcceptedBody.from_bytes(body)
    if sent.envelope.op == "query" and not _takes_deferred(sent):
        raise SchemaError("accepted: the question does not take a deferred answer")
    return ()


def _takes_deferred(sent: Sent) -> bool:
    return (
        sent.envelope.bct == QUERY_CONTENT_TYPE
        and QueryBody.from_bytes(sent.message.body).deferred is True
    )


def _read_summary_batch(sent: Sent, body: bytes) -> tuple[Item, ...]:
    answered = SummaryBatchBody.from_bytes(body).items
    asked = tuple(encode_b64u(consent) for consent in sent.envelope.consents)
    if sent.consent is not None or tuple(one.consent for one in answered) != asked:
        raise SchemaError("summary-batch.items: not the consents asked under")
    items = [
        Item(consent=consent, subject=subject, code=one.code, summary=one.summary)
        for consent, subject, one in zip(
            sent.envelope.consents, sent.subjects, answered, strict=True
        )
    ]
    for item in items:
        if item.summary is not None and item.summary.subject != item.subject:
            raise SchemaError("summary.subject: not the subject asked about")
    return tuple(items)


def _read_consent_held(_sent: Sent, body: bytes) -> tuple[Item, ...]:
    ConsentHeldBody.from_bytes(body)
    return ()


def _read_receipt_held(_sent: Sent, body: bytes) -> tuple[Item, ...]:
    ReceiptHeldBody.from_bytes(body)
    return ()


def _read_ack(sent: Sent, body: bytes) -> tuple[Item, ...]:
    if AckBody.from_bytes(body).of != encode_b64u(sent.msg_hash):
        raise SchemaError("ack.of: another message")
    return ()


def _conclude_notice(batch: Batch, _store: SharingStore, sent: Sent, verified: Verified) -> None:
    state = NOTICE_DONE if verified.envelope.st == ANSWERED else NOTICE_REFUSED
    NoticeStore(batch.connection).settle(sent.jti, state=state)


def _conclude_delivery(batch: Batch, store: SharingStore, sent: Sent, verified: Verified) -> None:
    if sent.consent is not None and verified.envelope.st == ANSWERED:
        ExchangeBatch.of(batch).forget_consent(sent.consent)
        store.mark_delivered(sent.consent)


def _conclude_receipt(batch: Batch, _store: SharingStore, sent: Sent, verified: Verified) -> None:
    if verified.envelope.st in _RECEIPT_AGAIN:
        DueStore(batch.connection).forget_receipt(sent.jti)


def _conclude_query(batch: Batch, _store: SharingStore, sent: Sent, verified: Verified) -> None:
    if verified.envelope.st == ACCEPTED:
        PendingStore(batch.connection).put_off(
            sent.jti, msg=sent.msg_hash, poll_at_ms=_next_poll_ms(batch, verified)
        )


def _conclude_poll(batch: Batch, store: SharingStore, sent: Sent, verified: Verified) -> None:
    pending, state = PendingStore(batch.connection), verified.envelope.st or ""
    asked = decode_b64u(PollBody.from_bytes(sent.message.body).request, bytes_exact=HASH_BYTES)
    jti = pending.find_asked(asked)
    if jti is None or state in _POLL_AGAIN:
        return
    if state == ACCEPTED:
        # The longer it takes the more rarely: a peer that puts off for ever is asked ever less.
        outgoing = store.find_outgoing(jti)
        age_ms = 0 if outgoing is None else batch.now_ms - outgoing.at_ms
        rare_ms = batch.now_ms + min(age_ms // 4, POLL_RARELY_MS)
        pending.put_off(jti, msg=asked, poll_at_ms=max(rare_ms, _next_poll_ms(batch, verified)))
    else:
        pending.end_waiting(jti, code=state)


def _next_poll_ms(batch: Batch, verified: Verified) -> int:
    return batch.now_ms + AcceptedBody.from_bytes(verified.message.body).poll_after_s * 1000


# Refused for its own time, not for what it asks: a new poll follows.
_POLL_AGAIN = frozenset({"clock-skew", "expired", "registry-expired", "registry-unknown"})
# Refused for its own time, not for what it says: a new receipt may cover the same answers.
_RECEIPT_AGAIN = frozenset({"clock-skew", "expired", "registry-expired", "registry-unknown"})
_READERS: Mapping[tuple[str, str], Read] = MappingProxyType(
    {
        ("query", SUMMARY_CONTENT_TYPE): _read_summary,
        ("query", SUMMARY_BATCH_CONTENT_TYPE): _read_summary_batch,
        ("query", ACCEPTED_CONTENT_TYPE): _read_accepted,
        ("poll", SUMMARY_CONTENT_TYPE): _read_summary,
        ("poll", ACCEPTED_CONTENT_TYPE): _read_accepted,
        ("consent.put", CONSENT_HELD_CONTENT_TYPE): _read_consent_held,
        ("receipt", RECEIPT_HELD_CONTENT_TYPE): _read_receipt_held,
        ("push", ACK_CONTENT_TYPE): _read_ack,
        ("correct", ACK_CONTENT_TYPE): _read_ack,
        ("erase", ACK_CONTENT_TYPE): _read_ack,
    }
)
_CONCLUSIONS: Mapping[str, Conclude] = MappingProxyType(
    {
        "consent.put": _conclude_delivery,
        "query": _conclude_query,
        "poll": _conclude_poll,
        "push": _conclude_notice,
        "correct": _conclude_notice,
        "erase": _conclude_notice,
        "receipt": _conclude_receipt,
    }
)
