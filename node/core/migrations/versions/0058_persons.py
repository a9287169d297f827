"""Persons, to whom tokens are bound, and accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from node.core.people.names import fold_name

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward: whoever holds tokens is a person, one by the letters and digits of the name."""
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("folded", sa.String(200), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("folded", name=op.f("uq_person_folded")),
    )
    with op.batch_alter_table("access_token") as table:
        table.add_column(sa.Column("person_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            op.f("fk_access_token_person_id_person"), "person", ["person_id"], ["id"]
        )
    _bind_tokens()
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("roles", sa.String(120), nullable=False),
        sa.Column("password", sa.String(256), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code_expires_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'ended') = (ended_at_ms IS NOT NULL)",
            name=op.f("ck_account_end_has_its_time"),
        ),
        sa.CheckConstraint(
            "state <> 'active' OR password IS NOT NULL",
            name=op.f("ck_account_active_has_password"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_account_person_id_person")
        ),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
    )
    op.create_index(
        "ix_account_one_a_person",
        "account",
        ["person_id"],
        unique=True,
        sqlite_where=sa.text("ended_at_ms IS NULL"),
        postgresql_where=sa.text("ended_at_ms IS NULL"),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("account")
    with op.batch_alter_table("access_token") as table:
        table.drop_constraint(op.f("fk_access_token_person_id_person"), type_="foreignkey")
        table.drop_column("person_id")
    op.drop_table("person")


def _bind_tokens() -> None:
    connection = op.get_bind()
    person = sa.table("person", *map(sa.column, ("id", "name", "folded", "created_at_ms")))
    token = sa.table("access_token", *map(sa.column, ("id", "name", "created_at_ms", "person_id")))
    persons: dict[str, int] = {}
    held = sa.select(token.c.id, token.c.name, token.c.created_at_ms).order_by(token.c.id)
    for token_id, name, created_at_ms in connection.execute(held).all():
        folded = fold_name(name)
        if not folded:
            continue  # A name of signs alone is nobody's: no room lets it decide anything.
        if folded not in persons:
            values = {"name": name, "folded": folded, "created_at_ms": created_at_ms}
            connection.execute(sa.insert(person).values(values))
            found = sa.select(person.c.id).where(person.c.folded == folded)
            persons[folded] = connection.execute(found).scalar_one()
        connection.execute(
            sa.update(token).where(token.c.id == token_id).values(person_id=persons[folded])
        )
