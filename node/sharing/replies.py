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
from protocol.encoding import encode_b64u
from protocol.errors import SchemaError
from protocol.message import ANSWERED, Envelope
from schemas.exchange import (
    CONSENT_HELD_CONTENT_TYPE,
    RECEIPT_HELD_CONTENT_TYPE,
    SUMMARY_BATCH_CONTENT_TYPE,
    SUMMARY_CONTENT_TYPE,
    ConsentHeldBody,
    ReceiptHeldBody,
    SummaryBatchBody,
)
from schemas.notices import ACK_CONTENT_TYPE, AckBody
from schemas.summary import Summary

Read = Callable[[Sent, bytes], tuple[Item, ...]]
Conclude = Callable[[Batch, SharingStore, Sent, Verified], None]


def read_reply(sent: Sent, envelope: Envelope, body: bytes) -> tuple[Item, ...]:
    """Read the body of a positive reply; return the summaries in it.

    Raises:
        SchemaError: The body breaks its schema, is none that answers this message, or is on
            somebody else.
    """
    read = _READERS.get((sent.envelope.op, envelope.bct))
    if read is None:
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
    consent = sent.consent or bytes(32)
    return (Item(consent=consent, subject=sent.subject, code=summary.tier.value, summary=summary),)


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


# Refused for its own time, not for what it says: a new receipt may cover the same answers.
_RECEIPT_AGAIN = frozenset({"clock-skew", "expired", "registry-expired", "registry-unknown"})
_READERS: Mapping[tuple[str, str], Read] = MappingProxyType(
    {
        ("query", SUMMARY_CONTENT_TYPE): _read_summary,
        ("query", SUMMARY_BATCH_CONTENT_TYPE): _read_summary_batch,
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
        "push": _conclude_notice,
        "correct": _conclude_notice,
        "erase": _conclude_notice,
        "receipt": _conclude_receipt,
    }
)
