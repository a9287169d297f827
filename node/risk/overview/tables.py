"""Tables of the overview. Derived: they can be emptied, and are filled again.

Names and numbers are in columns of ``PersonalText``, so that those of a natural person are
encrypted here as they are in the records, in the same transaction.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, String, Table, Text

from node.core.database import metadata
from node.core.fields import PersonalText
from node.rating.tables import GRADE_CHARS_MAX
from node.records.rules_ageing import Bucket
from node.records.tables import customer

# A customer that was not merged into another one, in its main currency: empty before a sale.
overview_line = Table(
    "overview_line",
    metadata,
    Column("customer_id", ForeignKey(customer.c.id), primary_key=True, autoincrement=False),
    Column("sort_name", PersonalText("overview.sort_name"), nullable=False),
    Column("search_text", PersonalText("overview.search_text"), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("owing_minor", BigInteger, nullable=True),
    Column("past_due_minor", BigInteger, nullable=True),
    Column("oldest_due_on", Date, nullable=True),  # of what is overdue and not disputed
    Column("index_deci", Integer, nullable=True),
    Column("late_days_deci", Integer, nullable=True),
    Column("rating_id", Integer, nullable=True),
    Column("grade_own", String(GRADE_CHARS_MAX), nullable=True),
    Column("grade_with_peers", String(GRADE_CHARS_MAX), nullable=True),
    Column("score_own_deci", Integer, nullable=True),
    Column("score_with_peers_deci", Integer, nullable=True),
    Column("moved_own_on", Date, nullable=True),  # of the newest rating, if it was another grade
    Column("moved_with_peers_on", Date, nullable=True),
    Index("ix_overview_line_past_due", "currency", "past_due_minor", "owing_minor", "customer_id"),
    Index("ix_overview_line_owing", "currency", "owing_minor", "customer_id"),
    Index("ix_overview_line_oldest", "oldest_due_on", "customer_id"),
    Index("ix_overview_line_index", "index_deci", "customer_id"),
    Index("ix_overview_line_late", "late_days_deci", "customer_id"),
    Index("ix_overview_line_score", "score_with_peers_deci", "customer_id"),
    Index("ix_overview_line_score_own", "score_own_deci", "customer_id"),
    Index("ix_overview_line_name", "sort_name", "customer_id"),
    Index("ix_overview_line_moved", "moved_with_peers_on"),
    Index("ix_overview_line_moved_own", "moved_own_on"),
)


def bucket_column(bucket: Bucket) -> str:
    """Return the name of the column of a bucket."""
    return f"{bucket.name.lower()}_minor"


# What of a customer and currency is open by days past due, as ``AgeingBase.DUE`` counts them.
overview_ageing = Table(
    "overview_ageing",
    metadata,
    Column("customer_id", ForeignKey(customer.c.id), primary_key=True, autoincrement=False),
    Column("currency", String(3), primary_key=True),
    *(Column(bucket_column(bucket), BigInteger, nullable=False) for bucket in Bucket),
    Column("disputed_minor", BigInteger, nullable=False),
    Column("unapplied_minor", BigInteger, nullable=False),
    Column("balance_minor", BigInteger, nullable=False),
)

# One row: of which day the overview is, and how far the records had grown.
overview_state = Table(
    "overview_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("as_of", Date, nullable=False),
    Column("revision", Integer, nullable=False),  # grows with every change
    Column("mark_json", Text, nullable=False),
    Column("months_json", Text, nullable=False),  # how all paid by month, as of that day
    Column("brought_up_at_ms", BigInteger, nullable=False),
)
