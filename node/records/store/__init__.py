"""All SQL of the records room: what is read, the ledger among it, and what is appended."""

from node.records.store.adverse import AdverseStore
from node.records.store.appending import (
    AllocationRow,
    AppendingStore,
    DisputeRow,
    ExistingItem,
    ItemKey,
    ItemRow,
)
from node.records.store.bulk import BulkStore
from node.records.store.customers import (
    CustomerStore,
    FactRow,
    ItemIdentity,
    KindRow,
    MergeRow,
)
from node.records.store.defaults import DefaultStore
from node.records.store.export import ColumnKind, ExportStore, ExportTable
from node.records.store.items import DisputeEnd, ItemStore, StoredDispute, StoredItem
from node.records.store.ledger import CustomerPosition, LedgerStore
from node.records.store.mappings import MappingStore, StoredMapping
from node.records.store.month_rows import StoredMonth
from node.records.store.papers import PaperStore
from node.records.store.promises import PromiseStore
from node.records.store.rates import RateStore
from node.records.store.reading import CustomerRecord, RecordsStore
from node.records.store.sealing import SealingStore
from node.records.store.statement import AppliedLine, ItemVersion, OpenLine, StatementStore
from node.records.store.turnover import OpenDay, TurnoverStore

__all__ = [
    "AdverseStore",
    "AllocationRow",
    "AppendingStore",
    "AppliedLine",
    "BulkStore",
    "ColumnKind",
    "CustomerPosition",
    "CustomerRecord",
    "CustomerStore",
    "DefaultStore",
    "DisputeEnd",
    "DisputeRow",
    "ExistingItem",
    "ExportStore",
    "ExportTable",
    "FactRow",
    "ItemIdentity",
    "ItemKey",
    "ItemRow",
    "ItemStore",
    "ItemVersion",
    "KindRow",
    "LedgerStore",
    "MappingStore",
    "MergeRow",
    "OpenDay",
    "OpenLine",
    "PaperStore",
    "PromiseStore",
    "RateStore",
    "RecordsStore",
    "SealingStore",
    "StatementStore",
    "StoredDispute",
    "StoredItem",
    "StoredMapping",
    "StoredMonth",
    "TurnoverStore",
]
