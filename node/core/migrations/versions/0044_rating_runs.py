"""Runs over the whole portfolio, and which run a rating is of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

# Each column of a rating but ``subject_id``: that is encrypted, and written anew under another key.
_COLUMNS = (
    "id, customer_id, as_of, created_at_ms, own_assessment_id, assessment_id, policy_id, "
    "policy_version, policy_sha256_b64u, scale_id, scale_version, scale_sha256_b64u, "
    "grade_own, grade_with_peers, score_own_deci, score_with_peers_deci, confidence, "
    "default_events, valid_until, review_on"
)


def upgrade() -> None:
    """Go forward; old ratings are of no run."""
    op.create_table(
        "rating_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("policy_id", sa.String(32), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("policy_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("scale_id", sa.String(32), nullable=False),
        sa.Column("scale_version", sa.Integer(), nullable=False),
        sa.Column("scale_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("started_by", sa.String(200), nullable=False),
        sa.Column("started_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("open_key", sa.Integer(), nullable=True),
        sa.Column("lease", sa.String(43), nullable=True),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("done_until", sa.Integer(), nullable=False),
        sa.Column("rated", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("resumed", sa.Integer(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_run")),
        sa.UniqueConstraint("open_key", name=op.f("uq_rating_run_open_key")),
    )
    # Not by a copy of the table: a copy would lose the triggers that keep ratings as they are.
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "ALTER TABLE rating ADD COLUMN run_id INTEGER "
            "CONSTRAINT fk_rating_run_id_rating_run REFERENCES rating_run (id)"
        )
    else:
        op.add_column("rating", sa.Column("run_id", sa.Integer(), nullable=True))
        op.create_foreign_key(
            op.f("fk_rating_run_id_rating_run"), "rating", "rating_run", ["run_id"], ["id"]
        )
    op.create_index("ix_rating_run", "rating", ["run_id", "customer_id"], unique=True)
    _allow_changes()
    _refuse_changes(f"{_COLUMNS}, run_id")


def downgrade() -> None:
    """Go back; the ratings stay, and what they were runs of is gone."""
    op.drop_index("ix_rating_run", table_name="rating")
    _allow_changes()
    if op.get_bind().dialect.name == "sqlite":
        _drop_run_id()
    else:
        op.drop_constraint("fk_rating_run_id_rating_run", "rating", type_="foreignkey")
        op.drop_column("rating", "run_id")
    _refuse_changes(_COLUMNS)
    op.drop_table("rating_run")


def _allow_changes() -> None:
    place = "" if op.get_bind().dialect.name == "sqlite" else " ON rating"
    op.execute(f"DROP TRIGGER rating_no_UPDATE{place}")


def _refuse_changes(columns: str) -> None:
    refusal = (
        "BEGIN SELECT RAISE(ABORT, 'assessments and ratings are only appended to'); END"
        if op.get_bind().dialect.name == "sqlite"
        else "FOR EACH ROW EXECUTE FUNCTION rating_refuse()"
    )
    op.execute(f"CREATE TRIGGER rating_no_UPDATE BEFORE UPDATE OF {columns} ON rating {refusal}")


def _drop_run_id() -> None:
    # SQLite drops no column that refers to another table but by a copy of the table, which has no
    # triggers: they are made again as they were.
    triggers = op.get_bind().execute(
        sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'rating'")
    )
    kept = list(triggers.scalars())
    with op.batch_alter_table("rating", recreate="always") as table:
        table.drop_column("run_id")
    for statement in kept:
        op.execute(statement)
