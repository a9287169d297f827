"""Items of the ledger by their names: corrections and merges make new versions of one item."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from node.records.store.rows import chunk_values
from node.records.store.visibility import counts
from node.records.tables import ledger_item

if TYPE_CHECKING:
    from sqlalchemy import Connection


def is_same_name(named: Any) -> Any:  # noqa: ANN401  of SQLAlchemy's
    """Say that an item is a version of another one; ``named`` is the ledger by another name."""
    return and_(
        ledger_item.c.source == named.c.source,
        ledger_item.c.kind == named.c.kind,
        ledger_item.c.document_no == named.c.document_no,
        ledger_item.c.line == named.c.line,
    )


def map_versions(connection: Connection, item_ids: Collection[int]) -> dict[int, int]:
    """Return by the keys of items, in any version, those that they have now."""
    named = ledger_item.alias("named")
    found: dict[int, int] = {}
    for part in chunk_values(sorted(item_ids)):
        rows = connection.execute(
            select(named.c.id, ledger_item.c.id)
            .select_from(named.join(ledger_item, is_same_name(named)))
            .where(named.c.id.in_(part), counts(None))
        )
        found |= {row[0]: row[1] for row in rows}
    return found
