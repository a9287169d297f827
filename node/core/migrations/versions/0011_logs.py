"""Several logs of a node: what is there is log 1, whose entries begin at position 0."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Old column: new column.
_KEPT = {
    "log_head": {"id": "number"}
    | {name: name for name in ("origin", "size", "root", "checkpoint")},
    "log_tile": {name: name for name in ("level", "position", "data")},
    "log_witnessed": {name: name for name in ("size", "checkpoint", "witnessed_at_s")},
}
_ADDED = {"log_head": {"first": 0}, "log_tile": {"log": 1}, "log_witnessed": {"log": 1}}


def upgrade() -> None:
    """Go forward."""
    for table in _KEPT:
        _set_aside(table)
    op.create_table(
        "log_head",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("end_reason", sa.String(length=16), nullable=True),
        sa.Column("verified_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_log_head")),
        sa.UniqueConstraint("origin", name=op.f("uq_log_head_origin")),
    )
    op.create_table(
        "log_tile",
        sa.Column("log", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log", "level", "position", name=op.f("pk_log_tile")),
    )
    op.create_table(
        "log_witnessed",
        sa.Column("log", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("witnessed_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log", "size", name=op.f("pk_log_witnessed")),
    )
    for table, names in _KEPT.items():
        _bring_back(table, names=names, added=_ADDED[table])


def downgrade() -> None:
    """Go back, which a node that has begun a second log cannot.

    Raises:
        RuntimeError: It has.
    """
    count = op.get_bind().execute(sa.text("SELECT count(*) FROM log_head")).scalar_one()
    if count > 1:
        message = f"this node has {count} logs, and the schema before knows one"
        raise RuntimeError(message)
    for table in _KEPT:
        _set_aside(table)
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_head")),
    )
    op.create_table(
        "log_tile",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_log_tile")),
    )
    op.create_table(
        "log_witnessed",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("witnessed_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_witnessed")),
    )
    for table, names in _KEPT.items():
        _bring_back(table, names={new: old for old, new in names.items()}, added={})


def _set_aside(table: str) -> None:
    # Copied, not renamed: in PostgreSQL the name of a key outlives that of its table.
    rows = sa.select(sa.text("*")).select_from(sa.table(table))
    op.execute(f"CREATE TABLE {table}_aside AS {rows}")
    op.drop_table(table)


def _bring_back(table: str, *, names: dict[str, str], added: dict[str, int]) -> None:
    targets = [*names.values(), *added]
    sources: list[sa.ColumnElement[object]] = [sa.column(old) for old in names]
    sources += [sa.literal(value) for value in added.values()]
    aside = sa.select(*sources).select_from(sa.table(f"{table}_aside"))
    target = sa.table(table, *(sa.column(name) for name in targets))
    op.execute(target.insert().from_select(targets, aside))
    op.drop_table(f"{table}_aside")
