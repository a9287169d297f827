"""Reading whole tables of the room, row by row, for an export."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import BigInteger, Boolean, Date, Integer, String, select

from node.core.errors import InvariantError
from node.core.fields import EncryptedText
from node.records import tables
from node.records.store import adverse_tables, life_tables, paper_tables

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Table

FETCHED_ROWS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RewrittenTable:
    """A table of which some columns go out as texts that are made of what lies there.

    With ``where`` other rows stay here.
    """

    table: Table
    texts: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
    where: ColumnElement[bool] | None = None


ExportSource: TypeAlias = "Table | RewrittenTable"

# What refers to another table comes after it.
_TABLES: tuple[Table, ...] = (
    tables.customer,
    tables.customer_identifier,
    tables.customer_name,
    tables.customer_kind,
    tables.customer_parent,
    tables.customer_contact,
    tables.customer_merge,
    tables.exchange_rate,
    tables.import_mapping,
    tables.source_import,
    tables.ledger_item,
    tables.item_correction,
    tables.allocation,
    tables.dispute,
    tables.dispute_closure,
    tables.adverse_event,
    tables.default_event,
    tables.default_decision,
    tables.default_end,
    adverse_tables.adverse_settlement,
    adverse_tables.subject_notice,
    adverse_tables.adverse_objection,
    adverse_tables.objection_closure,
    adverse_tables.adverse_horizon,
    tables.payment_promise,
    tables.promise_item,
    paper_tables.paper,
    paper_tables.paper_version,
    paper_tables.contract_terms,
    paper_tables.guarantee_terms,
    paper_tables.insurance_terms,
    paper_tables.paper_event,
    paper_tables.paper_horizon,
    tables.behaviour_month,
    life_tables.record_hold,
    life_tables.write_off_closure,
    life_tables.customer_archive,
    life_tables.records_horizon,
    life_tables.tombstone,
)


class ColumnKind(StrEnum):
    """What a column holds."""

    INTEGER = "integer"
    TEXT = "text"
    DATE = "date"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportColumn:
    """A column of an export."""

    name: str
    kind: ColumnKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportTable:
    """A table of an export."""

    name: str
    columns: tuple[ExportColumn, ...]


class ExportStore:
    """Reads every table of the room, and those it is given, within one unit of work."""

    def __init__(self, connection: Connection, *, more: Sequence[ExportSource] = ()) -> None:
        """``more`` are tables of other rooms, of which some may refer to this one's own."""
        self._connection = connection
        self._sources = [_rewrite_nothing(one) for one in (*_TABLES, *more)]

    @property
    def tables(self) -> tuple[ExportTable, ...]:
        """The tables in an order in which none refers to a later one."""
        return tuple(
            ExportTable(
                name=source.table.name,
                columns=tuple(
                    ExportColumn(
                        name=column.name,
                        kind=ColumnKind.TEXT
                        if column.name in source.texts
                        else _kind_of(column.type),
                    )
                    for column in source.table.columns
                ),
            )
            for source in self._sources
        )

    def iterate_rows(self, table: ExportTable) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a table in the order of their keys; few are held at a time."""
        source = next(one for one in self._sources if one.table.name == table.name)
        makers = [source.texts.get(column.name) for column in table.columns]
        rows = self._connection.execution_options(yield_per=FETCHED_ROWS).execute(
            select(source.table)
            .where(*([] if source.where is None else [source.where]))
            .order_by(*source.table.primary_key.columns)
        )
        for row in rows:
            yield tuple(
                cell if make is None else make(cell) for cell, make in zip(row, makers, strict=True)
            )


def _rewrite_nothing(source: ExportSource) -> RewrittenTable:
    if isinstance(source, RewrittenTable):
        return source
    return RewrittenTable(table=source)


def _kind_of(column_type: object) -> ColumnKind:
    match column_type:
        case Boolean():
            return ColumnKind.BOOLEAN
        case Date():
            return ColumnKind.DATE
        case Integer() | BigInteger():
            return ColumnKind.INTEGER
        case String() | EncryptedText():
            return ColumnKind.TEXT
        case _:
            raise InvariantError(f"no export of {column_type!r}")
