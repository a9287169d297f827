"""What becomes of summaries that were received, as higher rooms are told of it.

They are told in the transaction in which it happens, so that nothing that rested on a summary is
forgotten. What they do about it is theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from node.core.database import UnitOfWork


class SummaryEvent(StrEnum):
    """What has happened to summaries."""

    DISPUTED = "disputed"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    EXPIRED = "expired"
    ERASED = "erased"
    REINSTATED = "reinstated"
    BAND_CHANGE = "band-change"


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryChange:
    """Messages of one subject that something has happened to; of a push, the new one."""

    event: SummaryEvent
    msgs: tuple[bytes, ...]
    subject: str
    at_ms: int


TellChange = Callable[[UnitOfWork, SummaryChange], None]
"""Does in the same transaction what follows in the higher rooms."""


def tell_nobody(_uow: UnitOfWork, _change: SummaryChange) -> None:
    """Do nothing: no higher room wants to know."""
