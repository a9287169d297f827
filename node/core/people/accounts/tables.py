"""Tables of accounts: of passwords, codes and sessions the hash, of a factor's secret a cipher."""

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
    UniqueConstraint,
    text,
)

from node.core.database import Bytes, metadata
from node.core.fields import EncryptedText
from node.core.people.tables import person

account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", Integer, ForeignKey(person.c.id), nullable=False),
    Column("login", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("roles", String(120), nullable=False),  # names, with a space between
    Column("password", String(256), nullable=True),  # as argon2 writes it, parameters included
    Column("code_hash", Bytes, nullable=True),
    Column("code_expires_at_ms", BigInteger, nullable=True),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=True),
    UniqueConstraint("login"),
    CheckConstraint("(state = 'ended') = (ended_at_ms IS NOT NULL)", name="end_has_its_time"),
    CheckConstraint("state <> 'active' OR password IS NOT NULL", name="active_has_password"),
    # One person, one account: else one could propose and the other approve.
    Index(
        "ix_account_one_a_person",
        "person_id",
        unique=True,
        sqlite_where=text("ended_at_ms IS NULL"),
        postgresql_where=text("ended_at_ms IS NULL"),
    ),
)

account_factor = Table(
    "account_factor",
    metadata,
    Column("account_id", Integer, ForeignKey(account.c.id), primary_key=True),
    Column("secret", EncryptedText("account_factor.secret"), nullable=False),
    Column("last_step", BigInteger, nullable=False),  # the newest time step that was accepted
    Column("created_at_ms", BigInteger, nullable=False),
    Column("confirmed_at_ms", BigInteger, nullable=True),
)

account_recovery = Table(
    "account_recovery",
    metadata,
    Column("account_id", Integer, ForeignKey(account.c.id), primary_key=True),
    Column("hash", Bytes, primary_key=True),
    Column("used_at_ms", BigInteger, nullable=True),
)

account_session = Table(
    "account_session",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", Bytes, nullable=False),
    Column("account_id", Integer, ForeignKey(account.c.id), nullable=False),
    Column("role", String(16), nullable=False),
    Column("address", String(64), nullable=False),
    Column("awaits_code", Boolean, nullable=False),
    Column("factor_at_ms", BigInteger, nullable=True),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("seen_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=True),
    UniqueConstraint("hash"),
    Index("ix_account_session_account", "account_id", "created_at_ms"),
)

# How long who has failed waits. The key is a hash of a name, or of an address, or of both.
sign_in_delay = Table(
    "sign_in_delay",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("next_at_ms", BigInteger, nullable=False),
    Column("last_at_ms", BigInteger, nullable=False),
    Column("is_told", Boolean, nullable=False),  # whether a refusal of this wait is recorded
    Index("ix_sign_in_delay_last", "last_at_ms"),
)

ACCOUNT_TABLES = (person, account, account_factor, account_recovery, account_session, sign_in_delay)
