"""Use cases of the hub: one method, one transaction, one commit, then the answer.

Every change of members, subjects or keys publishes a snapshot in its own transaction, so that the
registry never lags behind its tables. The hub learns a subject's id and salt for as long as it
takes to check them; neither is stored or logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from node.core.clock import Clock, now_s
from node.core.config import Settings
from node.core.database import Database
from node.hub.chain import RegistryChain
from node.hub.errors import (
    HubIdentityError,
    KeyNotHeldError,
    KeyTakenError,
    LegalBasisMissingError,
    MemberExistsError,
    MemberSuspendedError,
    MemberUnknownError,
    SimulatedSubjectError,
    SubjectExistsError,
)
from node.hub.rules_snapshot import HubIdentity, RevocationReason, open_key
from node.hub.statuses import StatusBoard
from node.hub.store import HubStore, MemberRow, Snapshot
from node.hub.witness import Witness, watch_log
from protocol.consent import ConsentStatus, commit_subject
from protocol.enrolment import MemberEnrolment, open_member_enrolment, open_subject_enrolment
from protocol.keys import PublicKey, SigningKey

SIMULATED_SCHEME = "sim"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """What anybody may know of a member."""

    member: str
    name: str
    endpoint: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HubHealth:
    """The federation at a glance."""

    registry_seq: int
    registry_ends_in_s: int
    members: int
    subjects: int
    logs_cosigned: int
    oldest_cosignature_s: int
    """Age of the oldest of the logs' newest cosignatures; 0 where no log has any."""


class HubService:
    """The association's side of the federation."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        clock: Clock,
        hub_key: SigningKey,
        witness_key: SigningKey,
    ) -> None:
        """Take the ports, and publish the first snapshot where there is none.

        Raises:
            LegalBasisMissingError: The operator has recorded no legal basis.
            HubIdentityError: The database belongs to a hub of another id, kind or key.
        """
        check_legal_basis(settings)
        if hub_key.kid == witness_key.kid:
            raise HubIdentityError("registry and witness ask for a key each")
        self._settings = settings
        self._database = database
        self._clock = clock
        self._hub_key = hub_key
        self._witness_key = witness_key
        self._witness = Witness(
            database=database, clock=clock, name=settings.witness_name, key=witness_key
        )
        identity = HubIdentity(
            hub=settings.member_id,
            simulated=settings.simulated,
            witness_vkey=self._witness.vkey,
        )
        self._chain = RegistryChain(database=database, clock=clock, key=hub_key, identity=identity)
        self._statuses = StatusBoard(
            database=database,
            clock=clock,
            chain=self._chain,
            hub=settings.member_id,
            key=hub_key,
            clock_ahead_s=settings.clock_ahead_s,
        )

    @property
    def hub(self) -> str:
        """Return the hub's id."""
        return self._settings.member_id

    @property
    def name(self) -> str:
        """Return the name shown to people."""
        return self._settings.name or self.hub

    @property
    def anchor(self) -> PublicKey:
        """Return the key that members get out of band: the root of trust."""
        return self._hub_key.public

    @property
    def witness_vkey(self) -> str:
        """Return the key under which the hub cosigns, in the form of signed notes."""
        return self._witness.vkey

    @property
    def is_simulated(self) -> bool:
        """Tell whether this federation is a simulation."""
        return self._settings.simulated

    # --- admission

    def enrol_member(self, tokens: Sequence[str]) -> Snapshot:
        """Enter a member; the same again changes nothing, a newer enrolment its name and address.

        Raises:
            MemberExistsError: The name is taken, with other keys or another log.
            MemberSuspendedError: The member is suspended.
            KeyTakenError: A key is somebody's already.
            ProtocolError: The enrolment does not hold.
        """
        at_s = now_s(self._clock)
        enrolment = open_member_enrolment(tokens, hub=self.hub, now_s=at_s)
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            known = store.find_member(enrolment.member)
            if known is None:
                self._admit(store, enrolment, at_s=at_s)
            elif not _amend(store, enrolment, known=known):
                return self._chain.get_newest(store)
            snapshot = self._chain.publish(store)
        _log.info("member_enrolled", member=enrolment.member, registry=snapshot.seq)
        return snapshot

    def enrol_subject(self, tokens: Sequence[str]) -> bytes:
        """Enter a subject and return its commitment; id and salt are checked and forgotten.

        Raises:
            SimulatedSubjectError: A simulated subject in a real federation.
            SubjectExistsError: The commitment is entered with another key.
            KeyTakenError: The key is somebody's already.
            ProtocolError: The enrolment does not hold, or names a natural person.
        """
        at_s = now_s(self._clock)
        enrolment = open_subject_enrolment(tokens, hub=self.hub, now_s=at_s)
        if enrolment.subject.scheme == SIMULATED_SCHEME and not self.is_simulated:
            raise SimulatedSubjectError("this federation is real: simulated subjects are refused")
        commitment = commit_subject(enrolment.subject, salt=enrolment.salt)
        verified = "simulated" if self.is_simulated else "operator"
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            if (known := store.find_subject(commitment)) is not None:
                key = store.find_key(enrolment.key.kid)
                if key is None or key.subject_id != known.id:
                    raise SubjectExistsError("the subject is enrolled with another key")
                return commitment
            self._check_free(store, enrolment.key)
            subject_id = store.add_subject(commitment, verified=verified, at_s=at_s)
            entry = open_key(enrolment.key, use="consent", at_s=at_s)
            store.add_key(entry, subject_id=subject_id)
            snapshot = self._chain.publish(store)
        _log.info("subject_enrolled", registry=snapshot.seq)
        return commitment

    def suspend_member(self, member: str) -> Snapshot:
        """Suspend a member: its messages are refused from now on; its log stays watched.

        Raises:
            MemberUnknownError: There is no such member.
        """
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            known = store.find_member(member)
            if known is None:
                raise MemberUnknownError(f"no member {member}")
            if known.status == "suspended":
                return self._chain.get_newest(store)
            store.set_member_status(member, status="suspended")
            snapshot = self._chain.publish(store)
        _log.info("member_suspended", member=member, registry=snapshot.seq)
        return snapshot

    def revoke_key(self, kid: str, *, reason: RevocationReason) -> Snapshot:
        """Revoke a key of a member or subject from now on; a revocation that stands is not moved.

        Raises:
            KeyNotHeldError: Nobody has this key; the hub's own is not revoked here.
        """
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            known = store.find_key(kid)
            if known is None or (known.member_id is None and known.subject_id is None):
                raise KeyNotHeldError("no member or subject has this key")
            if known.entry.revoked_at is not None:
                return self._chain.get_newest(store)
            store.revoke_key(kid, reason=reason.value, at_s=now_s(self._clock))
            snapshot = self._chain.publish(store)
        _log.info("key_revoked", kid=kid, reason=reason.value, registry=snapshot.seq)
        return snapshot

    # --- registry, statuses, witness

    def publish(self) -> Snapshot:
        """Publish a snapshot of what stands, with a life of its own."""
        with self._database.write() as uow:
            return self._chain.publish(HubStore(uow.connection))

    def refresh_registry(self) -> None:
        """Publish a snapshot if the newest has lived for half its life."""
        self._chain.refresh()

    def get_snapshot(self, seq: int | None) -> Snapshot:
        """Return a snapshot by number; the newest, renewed where that is due, without one.

        Raises:
            SnapshotUnknownError: There is no such number.
        """
        return self._chain.get_snapshot(seq)

    def report_status(self, token: str) -> ConsentStatus:
        """Take a signed change of a consent's state in; the same one again changes nothing.

        Raises:
            StatusConflictError: The signer has reported a later, another or a final status.
            StatusListFullError: There is no room.
            ProtocolError: The status does not hold.
        """
        return self._statuses.report(token)

    def status_list(self) -> str:
        """Return the list: signed anew after a change, and every few seconds without."""
        return self._statuses.sign_list()

    def add_checkpoint(self, raw: bytes) -> bytes:
        """Cosign a log's new head (C2SP tlog-witness) and return the cosignature's line.

        Raises:
            WitnessRefusalError: Its leaf has the HTTP status.
        """
        return self._witness.add_checkpoint(raw)

    def get_witnessed(self, origin_sha256_hex: str) -> str:
        """Return the newest head cosigned of a log, as a note with both signatures.

        Raises:
            CheckpointUnknownError: There is none.
        """
        return self._witness.get_note(origin_sha256_hex)

    # --- what anybody may read

    def directory(self) -> list[DirectoryEntry]:
        """Return the members."""
        with self._database.read() as uow:
            rows = HubStore(uow.connection).list_members()
        return [
            DirectoryEntry(
                member=row.member, name=row.name, endpoint=row.endpoint, status=row.status
            )
            for row in rows
        ]

    def legal_basis(self) -> str:
        """Return the operator's statement."""
        return self._settings.legal_basis

    def health(self) -> HubHealth:
        """Return how the federation stands; raises where the hub cannot read or sign."""
        self.refresh_registry()
        at_s = now_s(self._clock)
        with self._database.read() as uow:
            store = HubStore(uow.connection)
            registry = self._chain.get_registry(store)
            cosigned = [log.cosigned_at_s for log in store.list_logs() if log.note]
        return HubHealth(
            registry_seq=registry.seq,
            registry_ends_in_s=registry.exp - at_s,
            members=len(registry.members),
            subjects=len(registry.subjects),
            logs_cosigned=len(cosigned),
            oldest_cosignature_s=at_s - min(cosigned, default=at_s),
        )

    def _admit(self, store: HubStore, enrolment: MemberEnrolment, *, at_s: int) -> None:
        if enrolment.member == self.hub:
            raise MemberExistsError("this is the hub's own name")
        for key in enrolment.keys.values():
            self._check_free(store, key)
        member_id = store.add_member(
            member=enrolment.member,
            name=enrolment.name,
            endpoint=enrolment.endpoint,
            log_origin=enrolment.log_origin,
            stated_at_s=enrolment.iat,
            at_s=at_s,
        )
        for use, key in enrolment.keys.items():
            store.add_key(open_key(key, use=use, at_s=at_s), member_id=member_id)
        watch_log(store, enrolment.log_origin)

    def _check_free(self, store: HubStore, key: PublicKey) -> None:
        # The witness key has no row of its own; every other key has one for ever.
        if key.kid == self._witness_key.kid or store.find_key(key.kid) is not None:
            raise KeyTakenError("the key is enrolled already")


def check_legal_basis(settings: Settings) -> None:
    """Check that the operator has recorded the statement without which the hub stays off.

    Raises:
        LegalBasisMissingError: It is empty.
    """
    if not settings.legal_basis.strip():
        raise LegalBasisMissingError("set legal_basis: members must be able to read it")


def _amend(store: HubStore, enrolment: MemberEnrolment, *, known: MemberRow) -> bool:
    """Enter what an enrolled member states anew; tell whether anything changed."""
    held = {entry.use: entry.key for entry in store.list_member_keys(known.id)}
    if held != enrolment.keys or known.log_origin != enrolment.log_origin:
        raise MemberExistsError(f"{known.member} is enrolled with other keys or another log")
    if known.status != "active":
        raise MemberSuspendedError(f"{known.member} is {known.status}")
    if (known.name, known.endpoint) == (enrolment.name, enrolment.endpoint):
        return False
    if enrolment.iat <= known.stated_at_s:  # An old one, played again, must not undo a newer.
        raise MemberExistsError(f"a later enrolment of {known.member} stands")
    store.amend_member(
        known.member,
        name=enrolment.name,
        endpoint=enrolment.endpoint,
        stated_at_s=enrolment.iat,
    )
    return True
