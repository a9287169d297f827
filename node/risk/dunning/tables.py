"""Tables of dunning: runs, letters with items and sums, what happened to them, charges, holds.

What a letter says is appended and never changed; its state moves, and each step is a row. So is
what it charges: a charge ends by the rows beside it. A hold is never changed but for its end.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from node.assessment.tables import HASH_CHARS
from node.core.database import metadata
from node.records.tables import (
    DOCUMENT_CHARS_MAX,
    NAME_CHARS_MAX,
    REASON_CHARS_MAX,
    customer,
    entered_and_ended,
)

CODE_CHARS = 32
LABEL_CHARS_MAX = 48
_PROPOSED = text("state = 'proposed'")

dunning_run = Table(
    "dunning_run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("as_of", Date, nullable=False),
    Column("policy_label", String(LABEL_CHARS_MAX), nullable=False),
    Column("policy_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("state", String(CODE_CHARS), nullable=False),  # running, finished, abandoned
    Column("done_until", Integer, nullable=False),  # the last customer
    Column("customers", Integer, nullable=False),
    Column("proposed", Integer, nullable=False),
    Column("withdrawn", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=True),
    CheckConstraint("(state = 'running') = (ended_at_ms IS NULL)", name="ended_once_over"),
    Index("ix_dunning_run_state", "state", "as_of"),
)

dunning_letter = Table(
    "dunning_letter",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey(dunning_run.c.id), nullable=False),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("policy_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("template", String(CODE_CHARS), nullable=False),
    Column("template_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("segment", String(CODE_CHARS), nullable=False),
    Column("level", Integer, nullable=False),
    Column("state", String(CODE_CHARS), nullable=False),  # rules_letter.LetterState
    Column("last_seq", Integer, nullable=False),
    Column("sent_on", Date, nullable=True),
    Column("pay_by_on", Date, nullable=True),
    Column("withdrawn_on", Date, nullable=True),
    CheckConstraint("(sent_on IS NULL) = (pay_by_on IS NULL)", name="sent_with_a_term"),
    CheckConstraint(
        "(state = 'withdrawn') = (withdrawn_on IS NOT NULL)", name="withdrawn_on_a_day"
    ),
    CheckConstraint("state <> 'proposed' OR sent_on IS NULL", name="proposed_is_not_sent"),
    CheckConstraint("level >= 1", name="level_is_one"),
    Index("ix_dunning_letter_customer", "customer_id", "state"),
    Index("ix_dunning_letter_state", "state", "id"),
    Index(
        "uq_dunning_letter_proposed",
        "customer_id",
        unique=True,
        sqlite_where=_PROPOSED,
        postgresql_where=_PROPOSED,
    ),
)

dunning_line = Table(
    "dunning_line",
    metadata,
    Column("letter_id", ForeignKey(dunning_letter.c.id), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    # Without a constraint: an item is deleted when its time is over.
    Column("item_id", Integer, nullable=False),
    Column("document_no", String(DOCUMENT_CHARS_MAX), nullable=False),
    Column("line", Integer, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("days_overdue", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("open_minor", BigInteger, nullable=False),
    Column("disputed_minor", BigInteger, nullable=False),
    Column("asked_minor", BigInteger, nullable=False),
    Column("interest_minor", BigInteger, nullable=False),
    Column("level", Integer, nullable=False),
    Column("reason", String(CODE_CHARS), nullable=False),  # rules_dunning.LineReason
    Column("promise_id", Integer, nullable=True),  # the broken one that raised it
    # What earlier letters charged of its interest, and from when on this one's is.
    Column("charged_minor", BigInteger, nullable=False),
    Column("interest_from_on", Date, nullable=True),
    CheckConstraint("asked_minor BETWEEN 0 AND open_minor", name="asked_of_open"),
    Index("ix_dunning_line_item", "item_id"),
)

dunning_sum = Table(
    "dunning_sum",
    metadata,
    Column("letter_id", ForeignKey(dunning_letter.c.id), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("asked_minor", BigInteger, nullable=False),
    Column("interest_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("unapplied_minor", BigInteger, nullable=False),
    Column("charges_minor", BigInteger, nullable=False),  # open of earlier letters
)

dunning_event = Table(
    "dunning_event",
    metadata,
    Column("letter_id", ForeignKey(dunning_letter.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(CODE_CHARS), nullable=False),  # rules_letter.LetterStep
    Column("happened_on", Date, nullable=False),
    Column("text", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

# A fee of a letter, or what it adds to the interest of an item; made when the letter goes.
dunning_charge = Table(
    "dunning_charge",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("letter_id", ForeignKey(dunning_letter.c.id), nullable=False),
    Column("place", Integer, nullable=False),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    # Without a constraint: an item is deleted when its time is over.
    Column("item_id", Integer, nullable=True),
    Column("document_no", String(DOCUMENT_CHARS_MAX), nullable=False),
    Column("line", Integer, nullable=False),
    Column("kind", String(CODE_CHARS), nullable=False),  # rules_charges.ChargeKind
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("from_on", Date, nullable=True),  # the first day that bears interest
    Column("until_on", Date, nullable=True),  # and the first that bears none
    Column("charged_on", Date, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    UniqueConstraint("letter_id", "place"),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
    CheckConstraint("(kind = 'interest') = (item_id IS NOT NULL)", name="interest_of_an_item"),
    CheckConstraint("(item_id IS NULL) = (until_on IS NULL)", name="days_of_interest"),
    Index("ix_dunning_charge_customer", "customer_id"),
    Index("ix_dunning_charge_item", "item_id"),
)

# How a charge, or a part of it, ended. A charge is open as far as these do not reach.
dunning_settlement = Table(
    "dunning_settlement",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("charge_id", ForeignKey(dunning_charge.c.id), nullable=False),
    Column("kind", String(CODE_CHARS), nullable=False),  # rules_charges.SettlementKind
    Column("amount_minor", BigInteger, nullable=False),
    Column("settled_on", Date, nullable=False),
    # By which it was paid; without a constraint as above.
    Column("item_id", Integer, nullable=True),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
    CheckConstraint("(kind = 'paid') = (item_id IS NOT NULL)", name="paid_by_an_item"),
    Index("ix_dunning_settlement_charge", "charge_id"),
    Index("ix_dunning_settlement_item", "item_id"),
)

# Which charges of earlier letters stand in a letter, and what of them was open.
dunning_letter_charge = Table(
    "dunning_letter_charge",
    metadata,
    Column("letter_id", ForeignKey(dunning_letter.c.id), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("charge_id", ForeignKey(dunning_charge.c.id), nullable=False),
    Column("open_minor", BigInteger, nullable=False),
    CheckConstraint("open_minor > 0", name="open_positive"),
)

dunning_hold = Table(
    "dunning_hold",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("from_on", Date, nullable=False),
    Column("until_on", Date, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    *entered_and_ended(),
    Column("ended_on", Date, nullable=True),
    Column("end_reason", String(REASON_CHARS_MAX), nullable=True),
    CheckConstraint("from_on <= until_on", name="ends_after_it_begins"),
    Index("ix_dunning_hold_customer", "customer_id"),
)

DUNNING_TABLES = (
    dunning_run,
    dunning_letter,
    dunning_line,
    dunning_sum,
    dunning_event,
    dunning_charge,
    dunning_settlement,
    dunning_letter_charge,
    dunning_hold,
)
