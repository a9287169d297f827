"""What is kept out when it is entered or imported: names of what is gone, closed relations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from node.core.errors import UnavailableError
from node.records.rules_ledger import ItemKind
from node.records.store.holding import HoldingStore
from node.records.store.stories import StoryStore
from node.records.tombstones import NameHasher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from node.core.database import UnitOfWork

ItemName = tuple[str, int]
"""Document number and line."""


class TombstoneSecretError(UnavailableError):
    """There are tombstones, and the secret is not here by which they are read."""

    code = "tombstone-secret"


def need_hasher(hasher: NameHasher | None) -> NameHasher:
    """Return what reads and writes tombstones.

    Raises:
        TombstoneSecretError: It is not here, though there are tombstones.
    """
    if hasher is None:
        raise TombstoneSecretError("records were deleted, and the secret of their names is gone")
    return hasher


class Barring:
    """Tells what is kept out, within the caller's transaction."""

    def __init__(self, uow: UnitOfWork, *, hasher: NameHasher | None) -> None:
        """Without a hasher nothing may be gone yet."""
        self._stories = StoryStore(uow.connection)
        self._holding = HoldingStore(uow.connection)
        self._hasher = hasher
        self._has_tombstones = self._stories.has_tombstones()

    @property
    def has_tombstones(self) -> bool:
        """Whether anything was ever deleted."""
        return self._has_tombstones

    @property
    def has_archives(self) -> bool:
        """Whether any relation is closed."""
        return bool(self._holding.list_archived())

    def find_gone(
        self, *, source: str, kind: ItemKind, names: Iterable[ItemName]
    ) -> Mapping[ItemName, str]:
        """Return which items of these names are gone, and the words that say why and since when.

        Raises:
            TombstoneSecretError: There are tombstones, and no secret to read them by.
        """
        if not self._has_tombstones:
            return {}
        hasher = need_hasher(self._hasher)
        hashes = {
            hasher.hash_item(source=source, kind=kind, document_no=document_no, line=line): (
                document_no,
                line,
            )
            for document_no, line in names
        }
        return {
            hashes[one.name_hash_hex]: f"{one.reason} on {one.gone_on.isoformat()}"
            for one in self._stories.find_tombstones(hashes)
        }

    def find_archived(self, customer_ids: Sequence[int]) -> set[int]:
        """Return which of some customers have a closed relation."""
        return self._holding.find_archived(customer_ids)
