"""The table of what models said comes and goes, and is the one that the store writes."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from sqlalchemy import inspect

from node.core.database import Database
from node.core.migrations import build_config
from node.rating.panel.tables import model_score
from tests.support.stores import store_url


def test_the_table_goes_back_and_forward(tmp_path: Path) -> None:
    database = Database(url=store_url(tmp_path / "node.sqlite"))
    config = build_config(database)
    command.upgrade(config, "0036")
    columns = {column["name"] for column in inspect(database.engine).get_columns("model_score")}

    command.downgrade(config, "0034")
    gone = set(inspect(database.engine).get_table_names())
    command.upgrade(config, "0036")
    back = set(inspect(database.engine).get_table_names())
    database.dispose()

    assert columns == {column.name for column in model_score.columns}
    assert "model_score" not in gone
    assert "model_score" in back
