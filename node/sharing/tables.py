"""Tables of the sharing room.

Envelopes, hashes and codes stay; bodies and salts stand in ``payload`` alone, where they can be
erased. They are encrypted where they lie, and so is whom a consent or an exchange is about.
``exchange_in`` is replay row, stored answer and use count's evidence in one; it is written in the
same transaction as the log entry that it names. A ``seq`` of an exchange is that entry's position
among the entries of all logs (node/core/log_tables.py).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from node.core.database import Bytes, metadata
from node.core.fields import EncryptedBytes, EncryptedText, SearchableText

HASH = Bytes(32)
MEMBER = String(253)

registry_snapshot = Table(
    "registry_snapshot",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("hash", HASH, nullable=False),
    Column("tokens", Text, nullable=False),  # JSON list of compact JWS over one payload
    Column("iat", BigInteger, nullable=False),
    Column("exp", BigInteger, nullable=False),
)

consent = Table(
    "consent",
    metadata,
    Column("hash", HASH, primary_key=True),
    Column("token", Text, nullable=False),
    # With the salt it opens the commitment of the token, which says nothing without them.
    Column("subject", SearchableText("consent.subject"), nullable=False),
    Column("salt", EncryptedBytes("consent.salt", plain_bytes=32), nullable=False),
    Column("consumer", MEMBER, nullable=False),
    Column("provider", MEMBER, nullable=False),
    Column("bundle", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("window_start_s", BigInteger, nullable=False),
    Column("window_uses", Integer, nullable=False),
    Column("exp", BigInteger, nullable=False),
    Column("held_at_ms", BigInteger, nullable=False),
    Column(
        "delivered", Boolean, nullable=False
    ),  # at the consumer: the provider has acknowledged it
    Column("evidence", HASH, nullable=True),  # of the paper that its consumer vouches for
    Index("ix_consent_subject", "subject"),
    Index("ix_consent_evidence", "evidence"),
)

consent_status = Table(
    "consent_status",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("consent", HASH, nullable=False),
    Column("signer", String(16), nullable=False),  # subject, provider, hub, consumer
    Column("seq", BigInteger, nullable=False),  # one signer's numbers say nothing of another's
    Column("state", String(16), nullable=False),
    Column("token", Text, nullable=False),
    Column("taken_at_ms", BigInteger, nullable=False),
    UniqueConstraint("consent", "signer", "seq"),
)

exchange_in = Table(
    "exchange_in",
    metadata,
    Column("peer", MEMBER, primary_key=True),
    Column("jti", Bytes(16), primary_key=True),
    Column("msg", HASH, nullable=False),
    Column("ans", HASH, nullable=False),
    Column("op", String(16), nullable=False),
    Column("code", String(32), nullable=False),
    Column("uses", Integer, nullable=False),
    Column("consent", HASH, nullable=True),
    Column("request_env", Text, nullable=False),
    Column("request_inclusion", Text, nullable=False),
    Column("answer_env", Text, nullable=False),
    Column("answer_inclusion", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_exchange_in_consent", "consent"),
    Index("ix_exchange_in_seq", "seq"),
    Index("ix_exchange_in_ans", "ans"),
)

# What a batch was answered under each consent; other answers have theirs in ``exchange_in``.
exchange_item = Table(
    "exchange_item",
    metadata,
    Column("ans", HASH, primary_key=True),
    Column("item", Integer, primary_key=True, autoincrement=False),
    Column("consent", HASH, nullable=False),
    Column("code", String(32), nullable=False),
    Index("ix_exchange_item_consent", "consent"),
)

exchange_out = Table(
    "exchange_out",
    metadata,
    Column("jti", Bytes(16), primary_key=True),
    Column("peer", MEMBER, nullable=False),
    Column("op", String(16), nullable=False),
    Column("msg", HASH, nullable=False),
    Column("consent", HASH, nullable=True),
    Column("subject", SearchableText("exchange_out.subject"), nullable=False),
    Column("request_env", Text, nullable=False),
    Column("request_inclusion", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("ans", HASH, nullable=True),
    Column("code", String(32), nullable=False),  # open until a reply is logged
    Column("answer_env", Text, nullable=True),
    Column("answer_inclusion", Text, nullable=True),
    Column("answered_at_ms", BigInteger, nullable=True),
    Column("receipt", Bytes(16), nullable=True),  # jti of the receipt message that acknowledged it
    Index("ix_exchange_out_peer", "peer", "at_ms"),
    Index("ix_exchange_out_receipt", "receipt", "code"),
    Index("ix_exchange_out_code", "code", "seq"),
    Index("ix_exchange_out_seq", "seq"),
    Index("ix_exchange_out_ans", "ans"),
    Index("ix_exchange_out_consent", "consent"),
)

payload = Table(
    "payload",
    metadata,
    Column("msg", HASH, primary_key=True),
    # The envelope has a digest of both: with the salt, a body of a few bands could be guessed.
    Column("body", EncryptedBytes("payload.body"), nullable=False),
    Column("salt", EncryptedBytes("payload.salt", plain_bytes=32), nullable=False),
)

receipt_in = Table(
    "receipt_in",
    metadata,
    Column("ans", HASH, primary_key=True),
    Column("peer", MEMBER, nullable=False),
    Column("msg", HASH, nullable=False),
)

peer_counter = Table(
    "peer_counter",
    metadata,
    Column("peer", MEMBER, primary_key=True),
    Column("n", BigInteger, nullable=False),
)

peer_head = Table(
    "peer_head",
    metadata,
    Column("peer", MEMBER, primary_key=True),
    Column("origin", String(255), primary_key=True),  # a peer may begin a new log
    Column("size", BigInteger, nullable=False),
    Column("checkpoint", Text, nullable=False),
)

# Keys of our own that were changed, once the log has an entry of it.
own_key_change = Table(
    "own_key_change",
    metadata,
    Column("kid", String(43), primary_key=True),
    Column("use", String(16), nullable=False),
    Column("statement", HASH, nullable=False),
    Column("logged_at_s", BigInteger, nullable=False),
    Column("tokens", Text),
)

# Snapshots of a number that another one has here, both signed by the hub: evidence, kept.
registry_fork = Table(
    "registry_fork",
    metadata,
    Column("hash", HASH, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("tokens", Text, nullable=False),
    Column("seen_at_s", BigInteger, nullable=False),
)

received_summary = Table(
    "received_summary",
    metadata,
    Column("msg", HASH, primary_key=True),
    # Which of the summaries in that answer's body: a batch has several.
    Column("item", Integer, primary_key=True, autoincrement=False),
    Column("provider", MEMBER, nullable=False),
    Column("subject", SearchableText("received_summary.subject"), nullable=False),
    Column("consent", HASH, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("received_at_ms", BigInteger, nullable=True),  # null of old rows: the reply's
    Column("superseded_by", HASH, nullable=True),  # the correction that took its place
    Column("superseded_reason", String(32), nullable=True),
    # The life of its body here: null until the upkeep has looked at the consent.
    Column("erase_at_s", BigInteger, nullable=True),
    Column("erase_basis", String(16), nullable=True),
    Column("erased_at_ms", BigInteger, nullable=True),
    Column("attested", Bytes(16), nullable=True),  # jti of the message that told the provider
    Index("ix_received_summary_subject", "subject"),
    Index("ix_received_summary_consent", "consent"),
    Index("ix_received_summary_life", "erased_at_ms", "erase_at_s"),
    Index("ix_received_summary_attested", "attested", "erased_at_ms"),
)

# Objections to what was received, as they were told to us; one that has no end is open.
summary_objection = Table(
    "summary_objection",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("msg", HASH, nullable=False),
    Column("item", Integer, nullable=False),
    Column("raised_by", String(16), nullable=False),  # subject, provider
    Column("raised_on", Date, nullable=False),
    Column("entered_by", String(200), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=True),  # upheld, rejected
    Column("ended_by", String(200), nullable=True),
    Column("ended_at_ms", BigInteger, nullable=True),
    Index("ix_summary_objection_msg", "msg", "item"),
)

erasure_in = Table(
    "erasure_in",
    metadata,
    Column("ans", HASH, primary_key=True),  # an answer or push of ours whose body is gone there
    Column("peer", MEMBER, nullable=False),
    Column("msg", HASH, nullable=False),
    Column("basis", String(16), nullable=False),
    Column("attested_at_ms", BigInteger, nullable=False),
)

# Messages that this node sends by itself until they are acknowledged: push, correct, erase.
notice = Table(
    "notice",
    metadata,
    Column("jti", Bytes(16), primary_key=True),
    Column("op", String(16), nullable=False),
    Column("peer", MEMBER, nullable=False),
    Column("about", HASH, nullable=True),  # push: the consent; correct: the message that was wrong
    Column("consent", HASH, nullable=True),  # correct: under which that was told
    Column("reason", String(32), nullable=True),
    Column("tries", Integer, nullable=False),
    Column("next_at_ms", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),  # due, open, done, refused, … (store/grants.py)
    Index("ix_notice_state", "state", "next_at_ms"),
    Index("ix_notice_about", "about"),
)

release = Table(
    "release",
    metadata,
    Column("subject", SearchableText("release.subject"), primary_key=True),
    Column("months", Integer, primary_key=True, autoincrement=False),
    Column(
        "made_for_month", Integer, primary_key=True, autoincrement=False
    ),  # newest closed month at the time
    Column(
        "body", EncryptedText("release.body"), nullable=False
    ),  # empty where nothing may be said
    Column("basis", Text, nullable=False),  # what the next release is compared with
)

# What was out and was found to be wrong: whoever holds it can still subtract.
release_withdrawn = Table(
    "release_withdrawn",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", SearchableText("release_withdrawn.subject"), nullable=False),
    Column("months", Integer, nullable=False),
    Column("made_for_month", Integer, nullable=False),
    Column("body", EncryptedText("release_withdrawn.body"), nullable=False),
    Column("basis", Text, nullable=False),
    Column("withdrawn_at_ms", BigInteger, nullable=False),
    Index("ix_release_withdrawn_subject", "subject"),
)

overdue_day = Table(
    "overdue_day",
    metadata,
    Column("subject", SearchableText("overdue_day.subject"), primary_key=True),
    Column("as_of", Date, primary_key=True),
    Column("oldest", String(8), nullable=False),
)

# How far a round has come along the log: what lies before needs no second look.
round_cursor = Table(
    "round_cursor",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

# Answers logged as unacked whose receipt has not come since.
unacked_answer = Table(
    "unacked_answer",
    metadata,
    Column("ans", HASH, primary_key=True),
    Column("xid", Bytes(16), nullable=False),
    Column("peer", MEMBER, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

# An operator's request, by its idempotency key: repeated, it is the same questions.
ask_key = Table(
    "ask_key",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("digest", HASH, nullable=False),  # of the request's content
    Column("asks", Text, nullable=False),  # JSON list of the questions' jti, in order
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_ask_key_at", "at_ms"),
)

manifest = Table(
    "manifest",
    metadata,
    Column("id", Bytes(16), primary_key=True),
    Column("token", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

# Provider: questions accepted with 202 and what they will be answered with, once computed.
pending_answer = Table(
    "pending_answer",
    metadata,
    Column("msg", HASH, primary_key=True),
    Column("peer", MEMBER, nullable=False),
    Column("consent", HASH, nullable=False),
    Column("purpose", String(8), nullable=False),
    Column("metrics", Text, nullable=False),  # JSON list
    Column("last_months", Integer, nullable=False),
    Column("code", String(32), nullable=False),  # accepted until computed
    Column("body", EncryptedBytes("pending_answer.body"), nullable=True),
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_pending_answer_code", "code", "at_ms"),
)

# Consumer: questions accepted with 202, to be polled for.
awaited_answer = Table(
    "awaited_answer",
    metadata,
    Column("jti", Bytes(16), primary_key=True),
    Column("msg", HASH, nullable=False),
    Column("poll_at_ms", BigInteger, nullable=False),
    Column("polls", Integer, nullable=False),
    Column("poll", Bytes(16), nullable=True),  # jti of the newest poll
    Index("ix_awaited_answer_poll", "poll_at_ms"),
)

# Messages whose body is kept longer, on a legal basis that somebody named.
legal_hold = Table(
    "legal_hold",
    metadata,
    Column("msg", HASH, primary_key=True),
    Column("reason", String(200), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

# RFC 3161 tokens over heads of a log; ``seq`` is the position of the entry that names each.
log_stamp = Table(
    "log_stamp",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("token", Bytes, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

# Questions of a person to several providers at once, on their way until ``ended_at_ms``.
inquiry = Table(
    "inquiry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", SearchableText("inquiry.subject"), nullable=False),
    Column("purpose", String(8), nullable=False),
    Column("begun_by", String(200), nullable=False),
    Column("begun_at_ms", BigInteger, nullable=False),
    Column("deadline_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=True),
    Column("manifest", Bytes(16), nullable=True),
    Index("ix_inquiry_subject", "subject"),
    Index("ix_inquiry_ended", "ended_at_ms"),
)

# One question of it: what came stands in ``exchange_out``, what was never sent has its code here.
inquiry_ask = Table(
    "inquiry_ask",
    metadata,
    Column("inquiry_id", Integer, ForeignKey("inquiry.id"), primary_key=True),
    Column("item", Integer, primary_key=True, autoincrement=False),
    Column("consent", HASH, nullable=False),
    Column("provider", MEMBER, nullable=False),
    Column("jti", Bytes(16), nullable=False),
    Column("outcome", String(64), nullable=True),
    Column("outcome_at_ms", BigInteger, nullable=True),
)
