"""Tables of the sharing room.

Envelopes, hashes and codes stay; bodies and salts stand in ``payload`` alone, where they can be
erased. ``exchange_in`` is replay row, stored answer and use count's evidence in one; it is written
in the same transaction as the log entry that it names.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from node.core.database import Bytes, metadata

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
    Column("subject", String(128), nullable=False),  # erasable with the salt
    Column("salt", HASH, nullable=False),
    Column("consumer", MEMBER, nullable=False),
    Column("provider", MEMBER, nullable=False),
    Column("bundle", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("window_start_s", BigInteger, nullable=False),
    Column("window_uses", Integer, nullable=False),
    Column("exp", BigInteger, nullable=False),
    Column("held_at_ms", BigInteger, nullable=False),
    Column(
        "delivered", Boolean, nullable=False
    ),  # at the consumer: the provider has acknowledged it
    Index("ix_consent_subject", "subject"),
)

consent_status = Table(
    "consent_status",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("consent", HASH, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("token", Text, nullable=False),
    Column("taken_at_ms", BigInteger, nullable=False),
    UniqueConstraint("consent", "seq"),
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
    Index("ix_exchange_in_at", "at_ms"),
)

exchange_out = Table(
    "exchange_out",
    metadata,
    Column("jti", Bytes(16), primary_key=True),
    Column("peer", MEMBER, nullable=False),
    Column("op", String(16), nullable=False),
    Column("msg", HASH, nullable=False),
    Column("consent", HASH, nullable=True),
    Column("subject", String(128), nullable=False),
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
)

payload = Table(
    "payload",
    metadata,
    Column("msg", HASH, primary_key=True),
    Column("body", Bytes, nullable=False),
    Column("salt", HASH, nullable=False),
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
)

# Snapshots of a number that another one has here, both signed by the hub: evidence, kept.
registry_fork = Table(
    "registry_fork",
    metadata,
    Column("hash", HASH, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("tokens", Text, nullable=False),
    Column("seen_at_s", BigInteger, nullable=False),
)

received_summary = Table(
    "received_summary",
    metadata,
    Column("msg", HASH, primary_key=True),
    Column("provider", MEMBER, nullable=False),
    Column("subject", String(128), nullable=False),
    Column("consent", HASH, nullable=False),
    Column("received_on", Date, nullable=False),
    Index("ix_received_summary_subject", "subject"),
)

release = Table(
    "release",
    metadata,
    Column("subject", String(128), primary_key=True),
    Column("months", Integer, primary_key=True, autoincrement=False),
    Column(
        "made_for_month", Integer, primary_key=True, autoincrement=False
    ),  # newest closed month at the time
    Column("body", Text, nullable=False),  # empty where nothing may be said
    Column("basis", Text, nullable=False),  # what the next release is compared with
)

overdue_day = Table(
    "overdue_day",
    metadata,
    Column("subject", String(128), primary_key=True),
    Column("as_of", Date, primary_key=True),
    Column("oldest", String(8), nullable=False),
)
