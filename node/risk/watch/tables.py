"""Tables of the watch list: a row a stay on it, which moves; its history is appended."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
)

from node.core.database import metadata
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX, customer

CODE_CHARS = 24
CAUSE_CHARS = 64

risk_watch = Table(
    "risk_watch",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("cause", String(CAUSE_CHARS), nullable=False),  # of the alert, or ``person``
    Column("is_of_peers", Boolean, nullable=False),  # whether peers' words alone led to it
    Column("entered_on", Date, nullable=False),
    Column("review_on", Date, nullable=False),
    Column("last_found_on", Date, nullable=False),  # when something was last found, or it began
    Column("left_on", Date, nullable=True),
    Column("last_seq", Integer, nullable=False),
    Index("ix_risk_watch_review", "left_on", "review_on"),
)
Index(
    "ix_risk_watch_standing",
    risk_watch.c.customer_id,
    unique=True,
    sqlite_where=risk_watch.c.left_on.is_(None),
    postgresql_where=risk_watch.c.left_on.is_(None),
)

risk_watch_event = Table(
    "risk_watch_event",
    metadata,
    Column("watch_id", ForeignKey(risk_watch.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(CODE_CHARS), nullable=False),  # node.risk.watch.rules_watch
    Column("happened_on", Date, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("review_on", Date, nullable=True),  # the next one, of an entry and a review
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    CheckConstraint("(kind = 'left') = (review_on IS NULL)", name="review_while_watched"),
)
