"""Tables of the hub. There is no column for a payload, a subject's id or its salt.

``hub_key`` only grows: a revoked key stays, marked, so that old evidence can be judged.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from node.core.database import Bytes, metadata
from protocol.limits import KEY_NAME_BYTES_MAX, MEMBER_ID_CHARACTERS_MAX

HASH = Bytes(32)
KID_CHARACTERS = 43
SIGNER_CHARACTERS_MAX = MEMBER_ID_CHARACTERS_MAX + len("subject:")

hub_member = Table(
    "hub_member",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("member", String(MEMBER_ID_CHARACTERS_MAX), nullable=False),
    Column("name", String(200), nullable=False),
    Column("endpoint", String(512), nullable=False),
    Column("log_origin", String(KEY_NAME_BYTES_MAX), nullable=False),
    Column("status", String(16), nullable=False),  # active, suspended, left
    Column("stated_at_s", BigInteger, nullable=False),  # iat of the enrolment that these come from
    Column("entered_at_s", BigInteger, nullable=False),
    UniqueConstraint("member"),
    UniqueConstraint("log_origin"),
)

hub_subject = Table(
    "hub_subject",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("commitment", HASH, nullable=False),
    Column("verified", String(64), nullable=False),  # how the hub made sure who it is
    Column("document", HASH, nullable=True),  # of one entered without a key: as the registry has it
    Column("entered_at_s", BigInteger, nullable=False),
    UniqueConstraint("commitment"),
)

hub_key = Table(
    "hub_key",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kid", String(KID_CHARACTERS), nullable=False),
    Column("public", HASH, nullable=False),
    Column("use", String(16), nullable=False),
    # With neither owner it is the hub's own.
    Column("member_id", ForeignKey("hub_member.id"), nullable=True),
    Column("subject_id", ForeignKey("hub_subject.id"), nullable=True),
    Column("nbf", BigInteger, nullable=False),
    Column("exp", BigInteger, nullable=False),
    Column("revoked_at", BigInteger, nullable=True),
    Column("reason", String(64), nullable=True),
    # Of a log that is no longer written; a log key without one is of the member's log_origin.
    Column("origin", String(KEY_NAME_BYTES_MAX), nullable=True),
    Column("document", HASH, nullable=True),  # SHA-256 of what the hub saw when it entered the key
    UniqueConstraint("kid"),
    CheckConstraint("member_id IS NULL OR subject_id IS NULL", name="one_owner"),
    CheckConstraint("(revoked_at IS NULL) = (reason IS NULL)", name="revocation_has_reason"),
    Index("ix_hub_key_member", "member_id"),
    Index("ix_hub_key_subject", "subject_id"),
)

# The signed statements themselves: the hub can show that it did not change a member's key alone.
hub_key_change = Table(
    "hub_key_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", HASH, nullable=False),  # of the payload
    Column("kid", ForeignKey("hub_key.kid"), nullable=False),  # the new key
    Column("tokens", Text, nullable=False),  # JSON list: the old key's signature, the new one's
    Column("entered_at_s", BigInteger, nullable=False),
    UniqueConstraint("hash"),
)

# The token itself is known to whoever was invited; here is its hash alone.
hub_invitation = Table(
    "hub_invitation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_sha256", HASH, nullable=False),
    Column("kind", String(16), nullable=False),  # member, rekey, subject
    Column("member", String(MEMBER_ID_CHARACTERS_MAX), nullable=False),  # empty for a subject
    Column("expires_at_s", BigInteger, nullable=False),
    Column("entered_at_s", BigInteger, nullable=False),
    Column("used_at_s", BigInteger, nullable=True),
    UniqueConstraint("token_sha256"),
)

hub_snapshot = Table(
    "hub_snapshot",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("hash", HASH, nullable=False),
    Column("tokens", Text, nullable=False),  # JSON list of compact JWS over one payload
    Column("iat", BigInteger, nullable=False),
    Column("exp", BigInteger, nullable=False),
    Column("log_index", BigInteger, nullable=True),  # of its entry in the hub's own log
)

# The next snapshot while it waits for signatures of hub keys that are not here; one at most.
hub_draft = Table(
    "hub_draft",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("hash", HASH, nullable=False),  # of the payload
    Column("payload", Text, nullable=False),
    Column("tokens", Text, nullable=False),  # JSON list, those of this hub's own keys at the front
    Column("own_count", Integer, nullable=False),  # of the tokens
    Column("is_outdated", Boolean, nullable=False),  # something has changed since it was made
)

# The hub does not know whose consent a hash names. One row a signer, so that no stranger's status
# can stand in the way of the subject's own; the provider takes what its consent says.
hub_status = Table(
    "hub_status",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("consent", HASH, nullable=False),
    Column("signer", String(SIGNER_CHARACTERS_MAX), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("token", Text, nullable=False),
    Column("reported_at_s", BigInteger, nullable=False),
    UniqueConstraint("consent", "signer"),
    Index("ix_hub_status_signer", "signer"),
)

hub_witness = Table(
    "hub_witness",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("origin", String(KEY_NAME_BYTES_MAX), nullable=False),
    Column("origin_sha256_hex", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", HASH, nullable=False),
    Column("note", Text, nullable=False),  # empty until the first cosignature
    Column("cosigned_at_s", BigInteger, nullable=False),
    UniqueConstraint("origin"),
    UniqueConstraint("origin_sha256_hex"),
)

# What the witness refused although the log's own key had signed it: the signed head is evidence.
hub_finding = Table(
    "hub_finding",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("origin", String(KEY_NAME_BYTES_MAX), nullable=False),
    Column("kind", String(16), nullable=False),  # forked, unproven, behind
    Column("known_size", BigInteger, nullable=False),
    Column("claimed_size", BigInteger, nullable=False),
    Column("note_sha256", HASH, nullable=False),
    Column("note", Text, nullable=False),
    Column("found_at_s", BigInteger, nullable=False),
    UniqueConstraint("origin", "kind", "note_sha256"),
)
