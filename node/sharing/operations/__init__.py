"""What a peer may ask of this node: a file and a row each (docs/protocol/exchange.md §1).

An operation's file has one ``decide`` and its ``Operation``. It may read and write this room's
store, and never signs, logs or sends: ``node.sharing.answering`` does that, once for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from node.sharing.operations.consent_put import CONSENT_PUT
from node.sharing.operations.deferring import POLL
from node.sharing.operations.erase import ERASE
from node.sharing.operations.form import SIGNED_CODES, Case, Opened, Operation, Ports, Verdict
from node.sharing.operations.query import QUERY
from node.sharing.operations.query_batch import QUERY_BATCH
from node.sharing.operations.receipt import RECEIPT
from node.sharing.operations.told import CORRECT, PUSH

_ROWS: tuple[Operation[Any], ...] = (
    QUERY,
    QUERY_BATCH,
    CONSENT_PUT,
    RECEIPT,
    PUSH,
    CORRECT,
    ERASE,
    POLL,
)

OPERATIONS: Mapping[tuple[str, str], Operation[Any]] = MappingProxyType(
    {(row.op, row.content_type): row for row in _ROWS}
)
"""By operation and type of body: an operation may have several bodies."""

__all__ = ["OPERATIONS", "SIGNED_CODES", "Case", "Opened", "Operation", "Ports", "Verdict"]
