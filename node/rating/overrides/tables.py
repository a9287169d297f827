"""Tables of overrides: appended, and never changed.

The migrations add triggers that refuse to change or delete a row. That two persons raise a grade is
kept by keys: a person has one hand in an override, as maker or as approver, and an approval points
at the hand of its approver. Of two who override one rating at once the second finds its number
taken; of two who take a step at once, too.
That one which lowers a grade is withdrawn raises it: two persons have a row of their own in it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from node.assessment.tables import HASH_CHARS, IDENTIFIER_CHARS_MAX
from node.core.database import metadata
from node.rating.tables import GRADE_CHARS_MAX, PERSON_CHARS_MAX, REASON_CHARS_MAX, rating
from node.records.tables import customer

CODE_CHARS = 16
MAKER, APPROVER = "maker", "approver"

rating_override = Table(
    "rating_override",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("rating_id", ForeignKey(rating.c.id), nullable=False),
    Column("ordinal", Integer, nullable=False),  # the how many-th of its rating
    Column("grade_before", String(GRADE_CHARS_MAX), nullable=False),
    Column("grade_after", String(GRADE_CHARS_MAX), nullable=False),
    Column("notches", Integer, nullable=False),  # above 0: up
    Column("reason_code", String(IDENTIFIER_CHARS_MAX), nullable=False),
    Column("policy_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("made_on", Date, nullable=False),
    Column("expires_on", Date, nullable=False),
    UniqueConstraint("rating_id", "ordinal"),
    CheckConstraint("notches <> 0", name="moves_the_grade"),
    CheckConstraint("made_on <= expires_on", name="days_in_order"),
    Index("ix_rating_override_customer", "customer_id"),
    Index("ix_rating_override_expires", "expires_on"),
)

# Who had a hand in an override; ``person`` is a name without case, width and signs.
rating_override_hand = Table(
    "rating_override_hand",
    metadata,
    Column("override_id", ForeignKey(rating_override.c.id), primary_key=True),
    Column("person", String(PERSON_CHARS_MAX), primary_key=True),
    Column("duty", String(CODE_CHARS), nullable=False),
    UniqueConstraint("override_id", "person", "duty"),
)

rating_override_event = Table(
    "rating_override_event",
    metadata,
    Column("override_id", ForeignKey(rating_override.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(CODE_CHARS), nullable=False),
    Column("person", String(PERSON_CHARS_MAX), nullable=True),  # of who proposes or approves
    Column("duty", String(CODE_CHARS), nullable=True),
    Column("happened_on", Date, nullable=False),
    Column("entered_by", String(PERSON_CHARS_MAX), nullable=False),
    Column("role", String(CODE_CHARS), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    UniqueConstraint("override_id", "kind"),
    CheckConstraint(
        "(kind = 'proposed' AND seq = 1 AND person IS NOT NULL AND duty = 'maker')"
        " OR (kind = 'approved' AND person IS NOT NULL AND duty = 'approver')"
        " OR (kind IN ('rejected', 'withdrawn') AND person IS NULL AND duty IS NULL)",
        name="hand_of_its_kind",
    ),
    ForeignKeyConstraint(
        ["override_id", "person", "duty"],
        [
            rating_override_hand.c.override_id,
            rating_override_hand.c.person,
            rating_override_hand.c.duty,
        ],
        name="fk_rating_override_event_hand",
    ),
)

# Who has asked, or approved, that an override which lowers is withdrawn: nobody twice.
rating_override_lift = Table(
    "rating_override_lift",
    metadata,
    Column("override_id", ForeignKey(rating_override.c.id), primary_key=True),
    Column("person", String(PERSON_CHARS_MAX), primary_key=True),
    Column("ordinal", Integer, nullable=False),  # 1: who asked, 2: who approved
    Column("happened_on", Date, nullable=False),
    Column("entered_by", String(PERSON_CHARS_MAX), nullable=False),
    Column("role", String(CODE_CHARS), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    UniqueConstraint("override_id", "ordinal"),
    CheckConstraint("ordinal IN (1, 2)", name="two_persons"),
)
