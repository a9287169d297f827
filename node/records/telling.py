"""How higher rooms hear, in the same transaction, what our own records tell of a customer."""

from __future__ import annotations

from collections.abc import Callable

from node.core.database import UnitOfWork

TellDefault = Callable[[UnitOfWork, int, int], object]
"""Told the key of a customer, and when, once a default or other adverse fact of it stands."""


def tell_nobody(_uow: UnitOfWork, _customer_id: int, _at_ms: int) -> None:
    """Do nothing: no higher room wants to know."""
