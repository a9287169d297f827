"""A table that migrations made, held against the one that its room defines."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Table, UniqueConstraint, inspect

from node.core.database import Database, metadata


def check_table(database: Database, table: Table) -> None:
    """Check columns, lengths, keys, constraints and indexes by their names."""
    found = inspect(database.engine)
    columns = {one["name"]: one for one in found.get_columns(table.name)}

    assert metadata.tables[table.name] is table
    assert {name: one["nullable"] for name, one in columns.items()} == {
        one.name: bool(one.nullable) for one in table.columns
    }
    assert {name: getattr(one["type"], "length", None) for name, one in columns.items()} == {
        one.name: getattr(one.type, "length", None) for one in table.columns
    }
    uniques = {one["name"] for one in found.get_unique_constraints(table.name)}
    assert {one.name for one in table.constraints if isinstance(one, UniqueConstraint)} == uniques
    indexes = {one["name"] for one in found.get_indexes(table.name)} - uniques
    assert indexes == {one.name for one in table.indexes}
    checks = {one["name"] for one in found.get_check_constraints(table.name)}
    assert checks == {str(one.name) for one in table.constraints if type(one) is CheckConstraint}
    keys = {tuple(one["constrained_columns"]) for one in found.get_foreign_keys(table.name)}
    assert keys == {tuple(one.column_keys) for one in table.foreign_key_constraints}
