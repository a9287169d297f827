"""How an engine comes by its policy: the active version, read within the use case's transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from node.core.database import Database, UnitOfWork
from node.core.errors import InvariantError
from node.core.policies.errors import PolicyNoneActiveError
from node.core.policies.store import PolicyStore
from protocol.encoding import encode_b64u, sha256

CACHED_MAX = 16

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class PolicySource(Protocol[T_co]):
    """Where a room reads the policies of one kind."""

    def read_active(self, uow: UnitOfWork) -> T_co:
        """Return the active version as the transaction sees it."""
        ...

    def get_active(self) -> T_co:
        """Return the active version as it is now."""
        ...

    def find(self, sha256_b64u: str) -> T_co | None:
        """Return the version that a hash names; None where this node does not hold it."""
        ...


class StoredPolicies(Generic[T]):
    """The policies of one kind in the store, parsed once for each text.

    Which text is active is asked each time: an activation holds from the next use case on, in every
    process. Texts never change, so that what was parsed stays true.
    """

    def __init__(self, *, database: Database, kind: str, parse: Callable[[bytes], T]) -> None:
        """Read nothing yet."""
        self._database = database
        self._kind = kind
        self._parse = parse
        self._parsed: dict[str, T] = {}

    def read_active(self, uow: UnitOfWork) -> T:
        """Return the active version as the transaction sees it.

        Raises:
            PolicyNoneActiveError: None is.
            InvariantError: The bytes are not those that were approved.
        """
        store = PolicyStore(uow.connection)
        active = store.find_active_text(self._kind)
        if active is None:
            raise PolicyNoneActiveError(f"no {self._kind} is active")
        text_id, sha256_b64u = active
        known = self._parsed.get(sha256_b64u)
        return self._keep(sha256_b64u, store.get_content(text_id)) if known is None else known

    def get_active(self) -> T:
        """Return the active version as it is now.

        Raises:
            PolicyNoneActiveError: None is.
            InvariantError: The bytes are not those that were approved.
        """
        with self._database.read() as uow:
            return self.read_active(uow)

    def find(self, sha256_b64u: str) -> T | None:
        """Return the version that a hash names; None where this node does not hold it.

        Raises:
            InvariantError: The bytes are not those of the hash.
        """
        known = self._parsed.get(sha256_b64u)
        if known is not None:
            return known
        with self._database.read() as uow:
            content = PolicyStore(uow.connection).find_content(self._kind, sha256_b64u)
        return None if content is None else self._keep(sha256_b64u, content)

    def _keep(self, sha256_b64u: str, content: bytes) -> T:
        if encode_b64u(sha256(content)) != sha256_b64u:
            raise InvariantError(f"a {self._kind} is not what its hash says")
        parsed = self._parse(content)
        if len(self._parsed) >= CACHED_MAX:
            self._parsed.clear()
        self._parsed[sha256_b64u] = parsed
        return parsed
