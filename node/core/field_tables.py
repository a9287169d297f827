"""Table of the encrypted fields: under which key each table has all of its values."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from node.core.database import metadata

field_key = Table(
    "field_key",
    metadata,
    Column("table_name", String(64), primary_key=True),
    Column("key_id", String(8), nullable=False),
)
