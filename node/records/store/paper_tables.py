"""Tables of contracts, deliveries, guarantees and credit insurance: papers in versions, and events.

A row is never changed but for its end. What was entered wrong has a next version, entered at the
moment at which the old one ended; what happened to a paper stands beside it and belongs to all of
its versions.
"""

from __future__ import annotations

from typing import Any

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
    UniqueConstraint,
)

from node.core.database import metadata
from node.core.fields import EncryptedText
from node.records.tables import (
    NAME_CHARS_MAX,
    REASON_CHARS_MAX,
    REFERENCE_CHARS_MAX,
    SOURCE_CHARS_MAX,
    entered_and_ended,
)

# By what a paper is known; whose it is and what it says is its versions' to say.
paper = Table(
    "paper",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),  # node.records.rules_papers.PaperKind
    Column("source", String(SOURCE_CHARS_MAX), nullable=False),
    Column("number", String(REFERENCE_CHARS_MAX), nullable=False),
    UniqueConstraint("kind", "source", "number"),
)

paper_version = Table(
    "paper_version",
    metadata,
    Column("paper_id", ForeignKey("paper.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("currency", String(3), nullable=False),
    # Delivered, guaranteed, the insured limit, the agreed credit sum.
    Column("amount_minor", BigInteger, nullable=True),
    Column("begins_on", Date, nullable=False),  # delivered, or valid from
    Column("ends_on", Date, nullable=True),  # the last day; none: without an end
    Column("document_sha256_hex", String(64), nullable=True),  # of the document held
    Column("contract_id", ForeignKey("paper.id"), nullable=True),  # under which it was delivered
    *entered_and_ended(),
    Column("end_reason", String(REASON_CHARS_MAX), nullable=True),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
    CheckConstraint("ends_on >= begins_on", name="ends_after_begin"),
    Index("ix_paper_version_customer", "customer_id"),
    Index("ix_paper_version_contract", "contract_id"),
)
Index(
    "ix_paper_version_standing",
    paper_version.c.paper_id,
    unique=True,
    sqlite_where=paper_version.c.ended_at_ms.is_(None),
    postgresql_where=paper_version.c.ended_at_ms.is_(None),
)


def _of_version(name: str, *columns: Column[Any]) -> Table:
    return Table(
        name,
        metadata,
        Column("paper_id", Integer, primary_key=True, autoincrement=False),
        Column("version", Integer, primary_key=True, autoincrement=False),
        *columns,
        ForeignKeyConstraint(
            ["paper_id", "version"], ["paper_version.paper_id", "paper_version.version"]
        ),
    )


contract_terms = _of_version(
    "contract_terms",
    Column("form", String(16), nullable=False),  # rules_papers.ContractForm
    Column("signed_on", Date, nullable=False),
    Column("days_net", Integer, nullable=False),
    Column("discount_days", Integer, nullable=True),
    Column("discount_centipercent", Integer, nullable=True),
    Column("retains_title", Boolean, nullable=False),
)

guarantee_terms = _of_version(
    "guarantee_terms",
    Column("form", String(16), nullable=False),  # rules_papers.GuaranteeForm
    Column("guarantor", EncryptedText("guarantee_terms.guarantor"), nullable=False),
    Column("rank", Integer, nullable=False),
)

insurance_terms = _of_version(
    "insurance_terms",
    Column("insurer", String(NAME_CHARS_MAX), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("share_centipercent", Integer, nullable=False),
    Column("waiting_days", Integer, nullable=False),
    Column("deductible_minor", BigInteger, nullable=False),
    Column("excludes_disputed", Boolean, nullable=False),
    Column("excludes_overdue", Boolean, nullable=False),
)

paper_event = Table(
    "paper_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("paper_id", ForeignKey("paper.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # rules_papers.EventKind
    Column("happened_on", Date, nullable=True),  # none: when its document happened
    Column("amount_minor", BigInteger, nullable=True),
    Column("item_id", ForeignKey("ledger_item.id"), nullable=True),  # a line as it was then
    Column("reason", String(REASON_CHARS_MAX), nullable=True),
    *entered_and_ended(),
    Column("end_reason", String(REASON_CHARS_MAX), nullable=True),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
    CheckConstraint("(happened_on IS NULL) = (item_id IS NOT NULL)", name="day_or_document"),
    Index("ix_paper_event_paper", "paper_id"),
    Index("ix_paper_event_item", "item_id"),
)

# From when on the papers of a customer are whole: what was over by then may be gone.
paper_horizon = Table(
    "paper_horizon",
    metadata,
    Column("customer_id", ForeignKey("customer.id"), primary_key=True),
    Column("gone_until", Date, nullable=False),  # the last day of anything that is gone
    Column("known_until_ms", BigInteger, nullable=False),  # when the last of it was entered
)
