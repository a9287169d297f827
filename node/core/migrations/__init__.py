"""The schema's history (Alembic): one line of revisions for every store and both roles."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from node.core.database import Database


def build_config(database: Database) -> Config:
    """Return Alembic's configuration for a database; it works on that engine, never a second."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = database.engine
    return config


def upgrade_database(database: Database) -> None:
    """Bring the schema to the newest revision; one that is there already changes nothing."""
    command.upgrade(build_config(database), "head")
