"""Names and numbers of natural persons are encrypted at rest; the next start does it.

Who is a person is told by the records, so that the start looks for those who are. Going back needs
the key: what is encrypted is written in the clear again, since nothing older reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from node.core.fields import EncryptedText, PersonalText, SearchableText

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 500
_NUMBER = PersonalText("person.number", is_searched=True)
_NAME = PersonalText("person.name")
# Table, its key, and each column with how it is encrypted and how long it was.
_Column = tuple[str, EncryptedText, sa.types.TypeEngine[str]]
_COLUMNS: tuple[tuple[str, tuple[str, ...], tuple[_Column, ...]], ...] = (
    ("customer", ("id",), (("value", _NUMBER, sa.String(64)), ("name", _NAME, sa.String(200)))),
    ("customer_identifier", ("id",), (("value", _NUMBER, sa.String(64)),)),
    ("customer_name", ("id",), (("name", _NAME, sa.String(200)),)),
    (
        "assessment",
        ("id",),
        (("subject_id", PersonalText("assessment.subject_id"), sa.String(128)),),
    ),
    ("rating", ("id",), (("subject_id", PersonalText("rating.subject_id"), sa.String(128)),)),
    (
        "adverse_objection",
        ("id",),
        (("objector", EncryptedText("adverse_objection.objector"), sa.String(200)),),
    ),
    (
        "guarantee_terms",
        ("paper_id", "version"),
        (("guarantor", EncryptedText("guarantee_terms.guarantor"), sa.String(200)),),
    ),
    (
        "release",
        ("subject", "months", "made_for_month"),
        (
            ("body", EncryptedText("release.body"), sa.Text()),
            ("subject", SearchableText("release.subject"), sa.String(128)),
        ),
    ),
    (
        "release_withdrawn",
        ("id",),
        (
            ("body", EncryptedText("release_withdrawn.body"), sa.Text()),
            ("subject", SearchableText("release_withdrawn.subject"), sa.String(128)),
        ),
    ),
    (
        "overdue_day",
        ("subject", "as_of"),
        (("subject", SearchableText("overdue_day.subject"), sa.String(128)),),
    ),
)


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "sealed_owner",
        sa.Column("owner_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_sealed_owner")),
    )
    op.create_table(
        "customer_kind",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_kind_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_kind")),
    )
    op.create_index("ix_customer_kind_customer", "customer_kind", ["customer_id"])
    _change_types(to_text=True)


def downgrade() -> None:
    """Go back; what was encrypted is in the clear again, and what was said of kinds is gone."""
    connection = op.get_bind()
    for name, keys, columns in _COLUMNS:
        _open(connection, name, keys, columns)
    connection.execute(
        sa.text("DELETE FROM field_key WHERE table_name = :name"),
        [{"name": name} for name in ("sealed_owner", *(name for name, _, _ in _COLUMNS))],
    )
    _change_types(to_text=False)
    op.drop_table("customer_kind")
    op.drop_table("sealed_owner")


def _change_types(*, to_text: bool) -> None:
    """Make room for what is encrypted; SQLite holds a text of any length in each column."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for name, _, columns in _COLUMNS:
        for column, _, before in columns:
            if not isinstance(before, sa.Text):
                after = sa.Text()
                old, new = (before, after) if to_text else (after, before)
                op.alter_column(name, column, type_=new, existing_type=old, existing_nullable=False)


def _open(
    connection: sa.Connection, name: str, keys: Sequence[str], columns: Sequence[_Column]
) -> None:
    """Write what is encrypted of a table in the clear.

    Raises:
        FieldKeyError: The key is not here: the schema stays as it is.
    """
    table = sa.table(name, *(sa.column(one) for one in {*keys, *(one for one, _, _ in columns)}))
    kinds = {column: kind for column, kind, _ in columns}
    key = [table.c[one] for one in keys]
    rows = connection.execute(sa.select(table)).mappings()
    changes: list[dict[str, Any]] = []
    for row in rows:
        new = {
            f"new_{one}": kind.process_result_value(row[one], connection.dialect)
            for one, kind in kinds.items()
        }
        if any(new[f"new_{one}"] != row[one] for one in kinds):
            changes.append({f"key_{one}": row[one] for one in keys} | new)
    place = sa.and_(*(column == sa.bindparam(f"key_{column.name}") for column in key))
    statement = (
        sa.update(table).where(place).values({one: sa.bindparam(f"new_{one}") for one in kinds})
    )
    for start in range(0, len(changes), ROWS_AT_ONCE):
        connection.execute(statement, changes[start : start + ROWS_AT_ONCE])
