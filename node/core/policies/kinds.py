"""What a room registers of its policies: how a file is read, which ones ship, what was in use.

The registry knows nothing of what stands in a file: a room's parser checks it whole and names it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from node.core.database import UnitOfWork
from node.core.policies.records import PolicyName


def find_nothing(_uow: UnitOfWork) -> str | None:
    """Say that no result was worked out before this kind was registered."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyKind:
    """One kind of policy."""

    name: str
    parse: Callable[[bytes], PolicyName] = field(repr=False)
    """Reads a file whole, or raises ``PolicyFaultyError``."""
    presets: Sequence[bytes] = field(repr=False)
    """What ships, the oldest first."""
    first: str
    """The label of the preset that a new node begins with."""
    find_newest_used: Callable[[UnitOfWork], str | None] = field(default=find_nothing, repr=False)
    """The hash of the file by which the newest result was worked out: a node that is older than
    this table goes on with what it had."""
    has_preview: bool = False
    """Whether its effect on the portfolio can be, and must be, looked at before it is active."""
