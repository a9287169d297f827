"""Tables of the decision room: what was proposed, what is decided, by whom, and what became of it.

Versions, events, approvals and hands are appended and never changed. The row of a decision holds
its state and the number of its last event, which tell two writers apart who both believe that they
are the next. What two persons have to do is kept by keys: a person has one hand in a decision, as
maker or as approver, and so has each authority that was used.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from node.assessment.application.tables import credit_application
from node.assessment.tables import HASH_CHARS, IDENTIFIER_CHARS_MAX
from node.core.database import metadata
from node.rating.tables import GRADE_CHARS_MAX, rating
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX, customer

KEY_CHARS_MAX = 128
CODE_CHARS = 24
ROLE_CHARS = 16

# Policies by which anything was proposed, so that an old decision can be put into words.
decision_policy = Table(
    "decision_policy",
    metadata,
    Column("sha256_b64u", String(HASH_CHARS), primary_key=True),
    Column("id", String(IDENTIFIER_CHARS_MAX), nullable=False),
    Column("version", Integer, nullable=False),
    Column("json", Text, nullable=False),
)

credit_decision = Table(
    "credit_decision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("proposed_by", String(NAME_CHARS_MAX), nullable=False),
    Column("rating_id", ForeignKey(rating.c.id), nullable=True),  # null: not assessed
    Column("policy_sha256_b64u", ForeignKey(decision_policy.c.sha256_b64u), nullable=False),
    Column("is_person", Boolean, nullable=False),
    Column("proposal_json", Text, nullable=False),
    Column("state", String(CODE_CHARS), nullable=False),  # node.decision.rules_state
    Column("last_seq", Integer, nullable=False),
    Column("approved_by", String(NAME_CHARS_MAX), nullable=True),
    Column("valid_until", Date, nullable=True),
    Column("idempotency_key", String(KEY_CHARS_MAX), nullable=True),
    Column("request_sha256_b64u", String(HASH_CHARS), nullable=True),
    UniqueConstraint("idempotency_key"),
    CheckConstraint(
        "state NOT IN ('approved', 'active', 'expired', 'superseded') OR approved_by IS NOT NULL",
        name="approved_by_somebody",
    ),
    Index("ix_credit_decision_customer", "customer_id", "id"),
    Index("ix_credit_decision_state", "state", "id"),
)
_open = credit_decision.c.state.in_(["proposed", "submitted", "returned", "approved"])
_active = credit_decision.c.state == "active"
Index(
    "ix_credit_decision_open",
    credit_decision.c.customer_id,
    unique=True,
    sqlite_where=_open,
    postgresql_where=_open,
)
Index(
    "ix_credit_decision_active",
    credit_decision.c.customer_id,
    unique=True,
    sqlite_where=_active,
    postgresql_where=_active,
)

# Version 1 is what was proposed; the next ones are what persons decided otherwise, with a reason.
decision_version = Table(
    "decision_version",
    metadata,
    Column("decision_id", ForeignKey(credit_decision.c.id), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("outcome", String(CODE_CHARS), nullable=False),
    Column("grade", String(GRADE_CHARS_MAX), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("limit_minor", BigInteger, nullable=True),  # null: not assessed; 0: prepayment
    Column("terms_days", Integer, nullable=False),
    Column("security", String(CODE_CHARS), nullable=False),
    Column("monitoring", String(CODE_CHARS), nullable=False),
    Column("valid_until", Date, nullable=True),
    Column("review_on", Date, nullable=True),
    Column("reason_code", String(IDENTIFIER_CHARS_MAX), nullable=True),
    Column("reason", String(REASON_CHARS_MAX), nullable=True),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("role", String(ROLE_CHARS), nullable=True),
    Column("entered_at_ms", BigInteger, nullable=False),
    CheckConstraint(
        "(version > 1) = (reason_code IS NOT NULL AND reason IS NOT NULL AND role IS NOT NULL)",
        name="reason_of_override",
    ),
    CheckConstraint("limit_minor >= 0", name="limit_not_negative"),
)

decision_event = Table(
    "decision_event",
    metadata,
    Column("decision_id", ForeignKey(credit_decision.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(CODE_CHARS), nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=True),
    Index("ix_decision_event_kind", "kind", "decision_id"),
)

# Who had a hand in a decision; ``person`` is a name without case, width and signs.
decision_hand = Table(
    "decision_hand",
    metadata,
    Column("decision_id", ForeignKey(credit_decision.c.id), primary_key=True),
    Column("person", String(NAME_CHARS_MAX), primary_key=True),
    Column("duty", String(CODE_CHARS), nullable=False),  # maker, approver
    UniqueConstraint("decision_id", "person", "duty"),
)

decision_deputy = Table(
    "decision_deputy",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("role", String(ROLE_CHARS), nullable=False),
    Column("holder", String(NAME_CHARS_MAX), nullable=False),
    Column("holder_person", String(NAME_CHARS_MAX), nullable=False),
    Column("deputy", String(NAME_CHARS_MAX), nullable=False),
    Column("deputy_person", String(NAME_CHARS_MAX), nullable=False),
    Column("first_on", Date, nullable=False),
    Column("last_on", Date, nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("ended_by", String(NAME_CHARS_MAX), nullable=True),
    Column("ended_at_ms", BigInteger, nullable=True),
    CheckConstraint("holder_person <> deputy_person", name="deputy_is_another"),
    CheckConstraint("first_on <= last_on", name="days_in_order"),
    Index("ix_decision_deputy_person", "deputy_person"),
)

# ``round`` counts submissions: what was approved before a decision was returned counts no more.
decision_approval = Table(
    "decision_approval",
    metadata,
    Column("decision_id", Integer, primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("person", String(NAME_CHARS_MAX), primary_key=True),
    Column("holder_person", String(NAME_CHARS_MAX), nullable=False),
    Column("duty", String(CODE_CHARS), nullable=False),
    Column("name", String(NAME_CHARS_MAX), nullable=False),
    Column("holder", String(NAME_CHARS_MAX), nullable=False),
    Column("role", String(ROLE_CHARS), nullable=False),
    Column("deputy_id", ForeignKey(decision_deputy.c.id), nullable=True),
    Column("version", Integer, nullable=False),
    Column("comment", String(REASON_CHARS_MAX), nullable=False),
    Column("human_review", String(REASON_CHARS_MAX), nullable=True),
    Column("approved_at_ms", BigInteger, nullable=False),
    UniqueConstraint("decision_id", "round", "holder_person"),
    CheckConstraint("duty = 'approver'", name="by_an_approver"),
    CheckConstraint("(person = holder_person) = (deputy_id IS NULL)", name="deputy_where_lent"),
    ForeignKeyConstraint(
        ["decision_id", "person", "duty"],
        [decision_hand.c.decision_id, decision_hand.c.person, decision_hand.c.duty],
        name="fk_decision_approval_hand",
    ),
    ForeignKeyConstraint(
        ["decision_id", "holder_person", "duty"],
        [decision_hand.c.decision_id, decision_hand.c.person, decision_hand.c.duty],
        name="fk_decision_approval_holder_hand",
    ),
    ForeignKeyConstraint(
        ["decision_id", "version"],
        [decision_version.c.decision_id, decision_version.c.version],
        name="fk_decision_approval_version",
    ),
)

# Peers' messages that a proposal rests on: when one is erased, its values here go too.
decision_source = Table(
    "decision_source",
    metadata,
    Column("decision_id", ForeignKey(credit_decision.c.id), primary_key=True),
    Column("msg_hash_b64u", String(HASH_CHARS), primary_key=True),
    Index("ix_decision_source_msg", "msg_hash_b64u"),
)

# Which application a decision answers; the application has a term of its own.
decision_application = Table(
    "decision_application",
    metadata,
    Column("decision_id", ForeignKey(credit_decision.c.id), primary_key=True),
    Column(
        "application_id", ForeignKey(credit_application.c.id, ondelete="SET NULL"), nullable=True
    ),
    Column("version", Integer, nullable=False),
    Column("applied_on", Date, nullable=False),
    Index("ix_decision_application_application", "application_id"),
)
