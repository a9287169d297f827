"""Keys after enrolment: changed by their owners, ended by the operator, watched for their age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from node.core.clock import Clock, now_s
from node.core.database import Database
from node.hub.chain import RegistryChain
from node.hub.errors import KeyNotHeldError, KeyTakenError
from node.hub.rules_keys import (
    ROTATION_FORCED,
    KeyAge,
    build_end,
    check_deadline,
    check_new_log,
    check_threshold,
    get_held,
    measure_ages,
    verify_change_allowed,
    verify_since,
)
from node.hub.rules_snapshot import RevocationReason, open_key
from node.hub.signers import HubSigners
from node.hub.store import AdmissionStore, HubStore, KeyRow, MemberRow, Snapshot
from node.hub.witness import watch_log
from protocol.checkpoint import hash_origin
from protocol.keychange import KeyChange, open_key_change
from protocol.keys import PublicKey
from protocol.note import parse_vkey
from protocol.problems import UnknownKeyProblemError

_log = structlog.get_logger()


class KeyDesk:
    """Enters key changes and revocations; each publishes a snapshot in its own transaction."""

    def __init__(
        self, *, database: Database, clock: Clock, chain: RegistryChain, witnesses: HubSigners
    ) -> None:
        """Take the ports; a witness key has no row, and is nobody else's."""
        self._database = database
        self._clock = clock
        self._chain = chain
        self._witnesses = witnesses

    def change(self, tokens: Sequence[str]) -> Snapshot:
        """Enter a member's new key; the same statement again changes nothing.

        Raises:
            KeyTakenError: The new key, or its log, is somebody's already.
            NodeError: Another leaf: the member, or the old key's right to hand over.
            ProtocolError: The statement does not hold.
        """
        at_s = now_s(self._clock)
        with self._database.read() as uow:  # A stranger's statement must not hold up the writers.
            held = HubStore(uow.connection)
            signed = open_key_change(tokens, find_key=lambda change: _get_old(held, change))
        with self._database.write() as uow:
            store, admission = HubStore(uow.connection), AdmissionStore(uow.connection)
            if admission.find_key_change(signed.hash) is not None:
                return self._chain.get_newest(store)
            change = signed.change
            member = self._check(store, change, at_s=at_s)
            self._enter(store, admission, change, member=member)
            admission.add_key_change(signed.hash, kid=change.new.kid, tokens=tokens, at_s=at_s)
            snapshot = self._chain.publish(store)
        _log.info(
            "key_changed",
            member=change.member,
            use=change.use,
            kid=change.new.kid,
            registry=snapshot.seq,
        )
        return snapshot

    def revoke(self, kid: str, *, reason: RevocationReason, since_s: int | None) -> Snapshot:
        """Revoke a key of a member or subject; the same again changes nothing.

        Raises:
            KeyNotHeldError: Nobody has this key; the hub's own is not revoked here.
            RevocationConflictError: Another end stands, or the time is not allowed.
        """
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            entry = get_held(store.find_key(kid)).entry
            at_s = verify_since(since_s, reason=reason.value, now_s=now_s(self._clock), entry=entry)
            return self._end(store, kid, reason=reason.value, at_s=at_s)

    def force_rotation(self, kid: str, *, by_s: int) -> Snapshot:
        """Set the date by which a key has to be changed: it ends then.

        Raises:
            KeyNotHeldError: Nobody has this key.
            RevocationConflictError: Another end stands, or the date is too near.
        """
        check_deadline(by_s, now_s=now_s(self._clock))
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            get_held(store.find_key(kid))
            return self._end(store, kid, reason=ROTATION_FORCED, at_s=by_s)

    def rotate_hub_key(self, key: PublicKey) -> Snapshot:
        """Have the hub's newest key hand over to another; the same again changes nothing.

        The snapshot that says so is the last one that the old key signs.

        Raises:
            KeyTakenError: The key is somebody else's.
        """
        at_s = now_s(self._clock)
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            if _is_hub_key(store.find_key(key.kid)):
                return self._chain.get_newest(store)
            self.check_free(store, key)
            for old in self._chain.list_signers(store):  # The keys of others stay.
                store.revoke_key(old.kid, reason=RevocationReason.SUPERSEDED.value, at_s=at_s)
            store.add_key(open_key(key, use="hub", at_s=at_s))
            snapshot = self._chain.publish(store)
        _log.info("hub_key_changed", kid=key.kid, registry=snapshot.seq)
        return snapshot

    def add_hub_key(self, key: PublicKey) -> Snapshot:
        """Enter the key of a cosigner, who keeps it elsewhere; the same again changes nothing.

        Raises:
            KeyTakenError: The key is somebody else's.
        """
        at_s = now_s(self._clock)
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            if _is_hub_key(store.find_key(key.kid)):
                return self._chain.get_newest(store)
            self.check_free(store, key)
            store.add_key(open_key(key, use="hub", at_s=at_s))
            snapshot = self._chain.publish(store)
        _log.info("hub_key_added", kid=key.kid, registry=snapshot.seq)
        return snapshot

    def end_hub_key(self, kid: str, *, reason: RevocationReason) -> Snapshot:
        """End a hub key; the same again changes nothing.

        Raises:
            KeyNotHeldError: It is no hub key.
            ThresholdInvalidError: Fewer keys would be left than have to sign.
        """
        at_s = now_s(self._clock)
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            held = store.find_key(kid)
            if held is None or not _is_hub_key(held):
                raise KeyNotHeldError("this is no key of the hub's")
            if held.entry.revoked_at is not None:
                return self._chain.get_newest(store)
            left = len(_list_hub_keys(store)) - 1
            check_threshold(self._chain.get_next_threshold(store), keys=left)
            store.revoke_key(kid, reason=reason.value, at_s=at_s)
            snapshot = self._chain.publish(store)
        _log.info("hub_key_ended", kid=kid, registry=snapshot.seq)
        return snapshot

    def set_threshold(self, threshold: int) -> Snapshot:
        """Have so many hub keys sign from the snapshot after the next one on.

        Raises:
            ThresholdInvalidError: There are not so many keys.
            DraftWaitsError: Somebody is signing already.
        """
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            check_threshold(threshold, keys=len(_list_hub_keys(store)))
            if self._chain.get_next_threshold(store) == threshold:
                return self._chain.get_newest(store)
            snapshot = self._chain.publish(store, threshold=threshold)
        _log.info("hub_threshold_changed", threshold=threshold, registry=snapshot.seq)
        return snapshot

    def rotate_witness(self, vkey: str) -> Snapshot:
        """Cosign under another key from the next snapshot on; the same again changes nothing.

        Raises:
            KeyTakenError: The key is a member's, a subject's or the registry's.
        """
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            if self._chain.get_registry(store).witness_vkey == vkey:
                return self._chain.get_newest(store)
            if store.find_key(parse_vkey(vkey).public.kid) is not None:
                raise KeyTakenError("the key is enrolled already")
            snapshot = self._chain.publish(store, witness_vkey=vkey)
        _log.info("witness_key_changed", registry=snapshot.seq)
        return snapshot

    def list_ages(self) -> list[KeyAge]:
        """Return the keys of members and hub that count now, the oldest first."""
        with self._database.read() as uow:
            store = HubStore(uow.connection)
            owners = {row.id: row.member for row in store.list_members()}
            return measure_ages(store.list_keys(), owners=owners, now_s=now_s(self._clock))

    def check_free(self, store: HubStore, key: PublicKey) -> None:
        """Check that a key is nobody's.

        Raises:
            KeyTakenError: It has an owner and a use already.
        """
        # A witness key has no row of its own; every other key has one for ever.
        if self._witnesses.has(key.kid) or store.find_key(key.kid) is not None:
            raise KeyTakenError("the key is enrolled already")

    def _check(self, store: HubStore, change: KeyChange, *, at_s: int) -> MemberRow:
        known = store.find_member(change.member)
        keys = [] if known is None else store.list_member_keys(known.id)
        member = verify_change_allowed(change, member=known, keys=keys, now_s=at_s)
        self.check_free(store, change.new)
        if change.origin is not None:
            log = store.find_log(origin_sha256_hex=hash_origin(change.origin))
            check_new_log(change, is_taken=log is not None)
        return member

    def _enter(
        self,
        store: HubStore,
        admission: AdmissionStore,
        change: KeyChange,
        *,
        member: MemberRow,
    ) -> None:
        held = get_held(store.find_key(change.old)).entry
        if held.revoked_at is None:  # An end that the operator has set stays.
            store.revoke_key(
                change.old, reason=RevocationReason.SUPERSEDED.value, at_s=change.old_ends_at
            )
        if change.origin is not None:
            admission.retire_log(member.id, old_origin=member.log_origin, new_origin=change.origin)
            watch_log(store, change.origin)
        entry = open_key(change.new, use=change.use, at_s=change.nbf)
        store.add_key(replace(entry, nbf=change.nbf), member_id=member.id)

    def _end(self, store: HubStore, kid: str, *, reason: str, at_s: int) -> Snapshot:
        end = build_end(get_held(store.find_key(kid)).entry, reason=reason, at_s=at_s)
        if end is None:
            return self._chain.get_newest(store)
        store.revoke_key(kid, at_s=end[0], reason=end[1])
        snapshot = self._chain.publish(store)
        _log.info("key_ended", kid=kid, reason=reason, at=at_s, registry=snapshot.seq)
        return snapshot


def _is_hub_key(row: KeyRow | None) -> bool:
    return row is not None and row.is_hubs and row.entry.use == "hub"


def _list_hub_keys(store: HubStore) -> list[KeyRow]:
    """Return the hub keys that have not ended."""
    return [row for row in store.list_keys() if _is_hub_key(row) and not row.entry.revoked_at]


def _get_old(store: HubStore, change: KeyChange) -> PublicKey:
    held = store.find_key(change.old)
    if held is None:
        raise UnknownKeyProblemError("nobody has the old key")
    return held.entry.key
