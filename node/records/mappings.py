"""Use cases of saved mappings: one a source, in versions."""

from __future__ import annotations

from node.core.clock import Clock
from node.core.database import Database
from node.core.errors import NotFoundError
from node.records.importing import MappedProfile, parse_mapping
from node.records.importing.errors import OptionInvalidError
from node.records.importing.reading import parse_source
from node.records.store import MappingStore, StoredMapping
from node.records.tables import NAME_CHARS_MAX


class MappingNotFoundError(NotFoundError):
    """No mapping is saved under this name, or none of this version."""

    code = "import-mapping-not-found"


class MappingService:
    """The room's use cases of mappings: one public method, one transaction."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def save(self, source: str, toml: str, *, by: str) -> StoredMapping:
        """Save the next version of a source's mapping; the same text again changes nothing.

        Raises:
            MappingInvalidError: It is no mapping.
            OptionInvalidError: The source or the person has no usable name.
        """
        if not parse_source(source).strip():
            raise OptionInvalidError("a mapping is saved under the name of its source")
        if not by.strip() or len(by) > NAME_CHARS_MAX or not by.isprintable():
            raise OptionInvalidError("a mapping is saved by somebody")
        parse_mapping(toml, what=source)
        with self._database.write() as uow:
            store = MappingStore(uow.connection)
            here = store.find(source)
            if here is not None and here.toml == toml:
                return here
            at_ms = self._clock.now_ms()
            version = store.append(source=source, toml=toml, by=by, at_ms=at_ms)
        return StoredMapping(
            source=source, version=version, toml=toml, entered_by=by, entered_at_ms=at_ms
        )

    def get(self, source: str, *, version: int | None = None) -> StoredMapping:
        """Return a source's mapping, the newest unless a version is named.

        Raises:
            MappingNotFoundError: There is none.
        """
        with self._database.read() as uow:
            found = MappingStore(uow.connection).find(source, version=version)
        if found is None:
            raise MappingNotFoundError(f"no mapping is saved for {source}")
        return found

    def find_profile(self, source: str) -> MappedProfile | None:
        """Return how the files of a source are read, where that is saved."""
        with self._database.read() as uow:
            found = MappingStore(uow.connection).find(source)
        if found is None:
            return None
        return parse_mapping(found.toml, what=f"{source}, version {found.version}")

    def list_newest(self) -> list[StoredMapping]:
        """Return the newest version of each mapping, by source."""
        with self._database.read() as uow:
            return MappingStore(uow.connection).list_newest()
