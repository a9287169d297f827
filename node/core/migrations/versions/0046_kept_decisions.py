"""The history of a decision is only appended to: the store refuses to change or delete a row."""

from __future__ import annotations

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

# Nothing that expires or is erased lies in these: peers' words are in the decision's own row.
_APPENDED = ("decision_version", "decision_event", "decision_hand", "decision_approval")
_WORDS = "what was decided is only appended to"


def upgrade() -> None:
    """Go forward."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        op.execute(
            "CREATE FUNCTION decision_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_WORDS}'; END $$"
        )
    refusal = (
        f"BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END"
        if is_sqlite
        else "FOR EACH ROW EXECUTE FUNCTION decision_refuse()"
    )
    for table in _APPENDED:
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} {refusal}")


def downgrade() -> None:
    """Go back; the rows stay, and the code alone keeps them."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in _APPENDED:
        place = "" if is_sqlite else f" ON {table}"
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"DROP TRIGGER {table}_no_{verb}{place}")
    if not is_sqlite:
        op.execute("DROP FUNCTION decision_refuse()")
