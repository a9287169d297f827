"""What ships with the node, entered at its start: approved by shipping, never overwritten."""

from __future__ import annotations

from collections.abc import Iterable

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.errors import InvariantError
from node.core.policies.entering import Entry, append_event, get_record
from node.core.policies.kinds import PolicyKind
from node.core.policies.records import OWN_PREFIX
from node.core.policies.rules_states import Actor, Origin, PolicyState
from node.core.policies.store import PolicyStore
from protocol.encoding import encode_b64u, sha256

SHIPPER = Actor(who="release", name="release")


class PolicyShipping:
    """Enters presets; of two processes that start at once the second finds it done."""

    def __init__(self, *, database: Database, clock: Clock, kinds: Iterable[PolicyKind]) -> None:
        """``kinds`` are those that the rooms register."""
        self._database = database
        self._clock = clock
        self._kinds = tuple(kinds)

    def enter_presets(self, *, release: str) -> None:
        """Enter what ships and is not there yet, approved by shipping; nothing else is changed.

        A kind without an active version gets one: what was in use, or else its first preset. A
        newer one that a later release ships waits to be activated by a person.

        Raises:
            InvariantError: What ships has other bytes than it had, under one name.
        """
        shipped = {
            (kind.name, encode_b64u(sha256(raw))) for kind in self._kinds for raw in kind.presets
        }
        with self._database.read() as uow:
            store = PolicyStore(uow.connection)
            is_done = shipped <= store.list_hashes(origin=Origin.SHIPPED) and all(
                store.find_active_id(name) is not None
                for name in (kind.name for kind in self._kinds)
            )
        if is_done:
            return
        with self._database.write() as uow:
            for kind in self._kinds:
                for raw in kind.presets:
                    self._enter(uow, kind, raw, release=release)
                self._activate_first(uow, kind)

    def _enter(self, uow: UnitOfWork, kind: PolicyKind, raw: bytes, *, release: str) -> None:
        store, name = PolicyStore(uow.connection), kind.parse(raw)
        sha256_b64u = encode_b64u(sha256(raw))
        known = store.find_named(name)
        if known is not None:
            if known.text.sha256_b64u != sha256_b64u:
                raise InvariantError(f"{name.label} ships with other bytes than it did")
            return
        if name.policy_id.startswith(OWN_PREFIX):
            raise InvariantError(f"{name.label} ships under an id of a house's own")
        version_id = store.append_version(name, origin=Origin.SHIPPED, base_id=None)
        shipped = Entry(actor=SHIPPER, reason=f"shipped with {release}")
        store.append_text(
            version_id,
            raw,
            revision=1,
            sha256_b64u=sha256_b64u,
            actor=SHIPPER,
            at_ms=self._clock.now_ms(),
            reason=shipped.reason,
        )
        record = get_record(store, version_id)
        append_event(store, record, PolicyState.APPROVED, entry=shipped, at_ms=self._clock.now_ms())

    def _activate_first(self, uow: UnitOfWork, kind: PolicyKind) -> None:
        store = PolicyStore(uow.connection)
        if store.find_active_id(kind.name) is not None:
            return
        names = {encode_b64u(sha256(raw)): kind.parse(raw) for raw in kind.presets}
        first = next(name for name in names.values() if name.label == kind.first)
        used = names.get(kind.find_newest_used(uow) or "")
        record = store.find_named(used or first)
        if record is None:
            raise InvariantError(f"{kind.first} was entered and is not there")
        reason = "in use before" if used else "the first start"
        entry = Entry(actor=SHIPPER, reason=reason)
        append_event(store, record, PolicyState.ACTIVE, entry=entry, at_ms=self._clock.now_ms())
        store.point(kind.name, version_id=record.version_id, text_id=record.text.text_id)
