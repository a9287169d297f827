"""Statements that the tests' many engines compile once, since every test opens stores of its own.

SQLAlchemy keeps what it has compiled by engine. Here it is shared by all engines of a process that
speak to one kind of store; what binds or reads an encrypted field is not, since it holds the
cipher of the store that it was compiled for.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator

Key = tuple[Any, ...]
_shared: dict[str, dict[Key, SQLCompiler]] = {}


class SharedStatements(MutableMapping[Key, Any]):
    """What one engine has compiled: in a key of SQLAlchemy's the dialect stands first."""

    def __init__(self, name: str) -> None:
        self._own: dict[Key, Any] = {}
        self._shared = _shared.setdefault(name, {})

    def get(self, key: Key, default: Any = None) -> Any:  # noqa: ANN401  as a mapping's
        found = self._shared.get(key[1:])
        return self._own.get(key, default) if found is None else found

    def __getitem__(self, key: Key) -> Any:  # noqa: ANN401  as a mapping's
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: Key, compiled: Any) -> None:  # noqa: ANN401  as a mapping's
        if isinstance(compiled, SQLCompiler) and not _knows_its_store(compiled):
            self._shared[key[1:]] = compiled
        else:
            self._own[key] = compiled

    def __delitem__(self, key: Key) -> None:
        del self._own[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


def _knows_its_store(compiled: SQLCompiler) -> bool:
    """Tell whether a type of ours, which may ask the dialect for a cipher, binds or reads in it."""
    kinds = [bound.type for bound in compiled.bind_names]
    kinds += [column.type for column in compiled._result_columns]
    return any(isinstance(kind, TypeDecorator) for kind in kinds)


def share_statements() -> None:
    """Let every engine that is made from now on share what it compiles."""
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.engine_created = classmethod(_share)  # type: ignore[assignment,method-assign]  # a hook


def _share(dialect: type[Dialect], engine: Engine) -> None:
    engine.update_execution_options(compiled_cache=SharedStatements(dialect.name))
