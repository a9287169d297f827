"""What lies of a text in a node's store and in the files of its home, whoever reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import inspect

from node.core.database import Database


def list_traces(database: Database, home: Path, texts: Sequence[str]) -> list[str]:
    """Return where one of some texts stands: table and column, or a file of the home."""
    forms = [form for text in texts for form in _list_forms(text)]
    found = [place for place, raw in _iterate_values(database) if _holds(raw, forms)]
    files = (path for path in sorted(home.rglob("*")) if path.is_file())
    found += [str(path.relative_to(home)) for path in files if _holds(path.read_bytes(), forms)]
    return sorted(set(found))


def _iterate_values(database: Database) -> Iterator[tuple[str, bytes]]:
    """Yield every text and every bytes of every row of every table, as they are stored."""
    tables = inspect(database.engine).get_table_names()
    quote = database.engine.dialect.identifier_preparer.quote
    with database.read() as uow:
        for table in tables:
            rows = uow.connection.exec_driver_sql(f"SELECT * FROM {quote(table)}")  # noqa: S608  our own names
            for row in rows.mappings():
                for column, value in row.items():
                    if isinstance(value, str):
                        yield f"{table}.{column}", value.encode()
                    elif isinstance(value, bytes | memoryview):
                        yield f"{table}.{column}", bytes(value)


def _list_forms(text: str) -> list[bytes]:
    escaped = json.dumps(text)[1:-1]
    return [text.encode(), escaped.encode(), text.encode("utf-16-le"), text.encode("gb18030")]


def _holds(raw: bytes, forms: Sequence[bytes]) -> bool:
    return any(form in raw for form in forms)
