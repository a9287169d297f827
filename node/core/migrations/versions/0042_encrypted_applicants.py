"""Who applies for credit and who speaks for a customer are encrypted; the next start does it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from node.core.fields import EncryptedText

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 500
_COLUMNS = {
    "credit_application_version": ("applicant",),
    "credit_application_reference": ("name", "contact"),
}
_KEYS = {
    "credit_application_version": ("id",),
    "credit_application_reference": ("version_id", "position"),
}


def upgrade() -> None:
    """Make room for what is encrypted."""
    _change_types(to_text=True)


def downgrade() -> None:
    """Go back: what was encrypted is in the clear again, since nothing older reads it.

    Raises:
        FieldKeyError: The key is not here: the schema stays as it is.
    """
    connection = op.get_bind()
    for name, columns in _COLUMNS.items():
        _open(connection, name, columns)
        connection.execute(
            sa.text("DELETE FROM field_key WHERE table_name = :name"), {"name": name}
        )
    _change_types(to_text=False)


def _change_types(*, to_text: bool) -> None:
    """SQLite holds a text of any length in each column, and a copied table loses who names it."""
    if op.get_bind().dialect.name == "sqlite":
        return
    old, new = (sa.String(200), sa.Text()) if to_text else (sa.Text(), sa.String(200))
    for name, columns in _COLUMNS.items():
        for column in columns:
            op.alter_column(name, column, type_=new, existing_type=old, existing_nullable=False)


def _open(connection: sa.Connection, name: str, columns: tuple[str, ...]) -> None:
    keys: list[sa.ColumnClause[int]] = [sa.column(one) for one in _KEYS[name]]
    kinds = [sa.column(one, EncryptedText(f"{name}.{one}")) for one in columns]
    rows = connection.execute(sa.select(*keys, *kinds).select_from(sa.table(name))).all()
    clear = sa.table(name, *keys, *(sa.column(one, sa.Text()) for one in columns))
    place = sa.and_(*(key == sa.bindparam(f"key_{key.name}") for key in keys))
    statement = (
        sa.update(clear).where(place).values({one: sa.bindparam(f"new_{one}") for one in columns})
    )
    changes = [
        {f"key_{one.name}": row[place] for place, one in enumerate(keys)}
        | {f"new_{one}": row[len(keys) + place] for place, one in enumerate(columns)}
        for row in rows
    ]
    for start in range(0, len(changes), ROWS_AT_ONCE):
        connection.execute(statement, changes[start : start + ROWS_AT_ONCE])
