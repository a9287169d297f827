"""Tables of the encrypted fields: under which key each table is, and whose rows are encrypted."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from node.core.database import metadata

field_key = Table(
    "field_key",
    metadata,
    Column("table_name", String(64), primary_key=True),
    Column("key_id", String(8), nullable=False),
)

# The owners of whose rows the columns of ``PersonalText`` are encrypted: keys of customers, by a
# number alone, since this room knows no customer.
sealed_owner = Table(
    "sealed_owner",
    metadata,
    Column("owner_id", Integer, primary_key=True, autoincrement=False),
)
