"""Use cases of the hub: one method, one transaction, one commit, then the answer.

Every change of members, subjects or keys publishes a snapshot in its own transaction, so that the
registry never lags behind its tables. What needs more than a few lines has a desk of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.core.clock import Clock, now_s
from node.core.config import Settings
from node.core.database import Database
from node.core.errors import NodeError
from node.core.log import LogState
from node.hub.admission import AdmissionDesk
from node.hub.chain import RegistryChain
from node.hub.drafts import CosigningDesk
from node.hub.errors import HubIdentityError, LegalBasisMissingError
from node.hub.invitations import HubFace, InvitationDesk
from node.hub.keys import KeyDesk
from node.hub.log import HubLog
from node.hub.rules_keys import KeyAge
from node.hub.rules_snapshot import HubIdentity, RevocationReason
from node.hub.rules_status import STATUS_KEPT_S, measure_percent
from node.hub.signers import HubSigners, LoadKeys
from node.hub.statuses import StatusBoard
from node.hub.store import HubStore, Snapshot
from node.hub.unkeyed import UnkeyedDesk
from node.hub.witness import Witness, format_witness_vkey
from protocol.consent import ConsentStatus
from protocol.entry import KnownKind
from protocol.invitation import Invitation
from protocol.keys import PublicKey, SigningKey
from protocol.note import VerifierKey
from protocol.tile import TileAddress

HUB_KEY_USES = 3


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
    status_list_percent: int
    """How full the status list is; at 100 it takes no more."""
    signatures_missing: int
    """How many signatures the next snapshot waits for; 0 where none waits."""


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
        log_key: SigningKey,
        load_hub_keys: LoadKeys | None = None,
        load_witness_keys: LoadKeys | None = None,
        foreign_logs: Sequence[VerifierKey] = (),
        held: NodeError | None = None,
    ) -> None:
        """Take the ports, and publish the first snapshot where there is none.

        Args:
            settings: The hub's.
            database: Holds everything.
            clock: The hub's time.
            hub_key: The first key of the registry: the anchor.
            witness_key: The first key that cosigned.
            log_key: Signs the heads of the hub's own log.
            load_hub_keys: Finds later keys of the registry.
            load_witness_keys: Finds later keys that cosign.
            foreign_logs: Logs of others than members that are cosigned too.
            held: Why nothing is signed until ``log.admit``; None where nobody has to be asked.

        Raises:
            LegalBasisMissingError: The operator has recorded no legal basis.
            HubIdentityError: The database belongs to a hub of another id, kind or key.
        """
        check_legal_basis(settings)
        if len({hub_key.kid, witness_key.kid, log_key.kid}) != HUB_KEY_USES:
            raise HubIdentityError("registry, witness and log ask for a key each")
        self._settings = settings
        self._database = database
        self._clock = clock
        self._hub_key = hub_key
        signers = HubSigners(hub_key, load=load_hub_keys)
        witnesses = HubSigners(witness_key, load=load_witness_keys)
        self.log = HubLog(
            clock=clock, hub=settings.member_id, origin=settings.first_log_origin, key=log_key
        )
        if held is not None:
            self.log.hold(held)
        identity = HubIdentity(
            hub=settings.member_id,
            name=self.name,
            url=settings.url,
            log_origin=settings.first_log_origin,
            simulated=settings.simulated,
            witness_vkey=format_witness_vkey(settings.witness_name, witness_key),
        )
        self._chain = RegistryChain(
            database=database,
            clock=clock,
            signers=signers,
            witnesses=witnesses,
            identity=identity,
            log=self.log,
        )
        self._witness = Witness(
            database=database,
            clock=clock,
            name=settings.witness_name,
            get_key=self._chain.get_witness,
            log=self.log,
            foreign=foreign_logs,
        )
        self._keys = KeyDesk(database=database, clock=clock, chain=self._chain, witnesses=witnesses)
        self.cosigning = CosigningDesk(database=database, chain=self._chain, keys=self._keys)
        face = HubFace(hub=settings.member_id, url=settings.url, anchor=hub_key.public)
        self._invitations = InvitationDesk(database=database, clock=clock, face=face)
        self._admission = AdmissionDesk(
            database=database,
            clock=clock,
            chain=self._chain,
            keys=self._keys,
            invitations=self._invitations,
            hub=settings.member_id,
            is_simulated=settings.simulated,
        )
        self._unkeyed = UnkeyedDesk(
            database=database,
            clock=clock,
            chain=self._chain,
            invitations=self._invitations,
            hub=settings.member_id,
            is_simulated=settings.simulated,
        )
        self._statuses = StatusBoard(
            database=database,
            clock=clock,
            chain=self._chain,
            hub=settings.member_id,
            log=self.log,
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

    def enrol_member(self, tokens: Sequence[str], *, invitation: str | None = None) -> Snapshot:
        """Enter a member; the same again changes nothing, a newer enrolment its name and address.

        With an invitation of kind ``rekey`` new keys take the place of revoked ones.

        Raises:
            NodeError: The leaf that says why it is not entered.
            ProtocolError: The enrolment does not hold.
        """
        return self._admission.enrol_member(tokens, invitation=invitation)

    def enrol_subject(self, tokens: Sequence[str], *, invitation: str | None = None) -> bytes:
        """Enter a subject and return its commitment; id and salt are checked and forgotten.

        Raises:
            NodeError: The leaf that says why it is not entered.
            ProtocolError: The enrolment does not hold, or names a natural person.
        """
        return self._admission.enrol_subject(tokens, invitation=invitation)

    def enrol_unkeyed(
        self, token: str, *, invitation: str | None = None, seen: bytes | None = None
    ) -> bytes:
        """Enter a subject without a key, whom a member brings, and return its commitment.

        Raises:
            NodeError: The leaf that says why it is not entered.
            ProtocolError: The enrolment does not hold, or names a natural person.
        """
        return self._unkeyed.enrol(token, invitation=invitation, seen=seen)

    def rekey_subject(
        self, tokens: Sequence[str], *, document: bytes, reason: RevocationReason
    ) -> Snapshot:
        """Enter a subject's new key after the operator's own check, and end its old ones.

        Raises:
            NodeError: The leaf that says why it is not entered.
            ProtocolError: The enrolment does not hold.
        """
        return self._admission.rekey_subject(tokens, document=document, reason=reason)

    def invite(self, *, kind: str, member: str, life_s: int) -> Invitation:
        """Make an invitation; its token is told now and never again."""
        return self._invitations.invite(kind=kind, member=member, life_s=life_s)

    def suspend_member(self, member: str) -> Snapshot:
        """Suspend a member: its messages are refused from now on; its log stays watched.

        Raises:
            MemberUnknownError: There is no such member.
            MemberSuspendedError: It has left.
        """
        return self._admission.suspend_member(member)

    def enter_leaving(self, member: str) -> Snapshot:
        """Enter that a member leaves, by the operator's word; its log stays watched.

        Raises:
            MemberUnknownError: There is no such member.
        """
        return self._admission.enter_leaving(member)

    def take_leaving(self, token: str) -> Snapshot:
        """Enter that a member leaves, by its own signed statement.

        Raises:
            MemberUnknownError: There is no such member.
            ProtocolError: The statement does not hold.
        """
        return self._admission.take_leaving(token)

    # --- keys

    def change_key(self, tokens: Sequence[str]) -> Snapshot:
        """Enter a member's new key; the same statement again changes nothing.

        Raises:
            NodeError: The leaf that says why it is not entered.
            ProtocolError: The statement does not hold.
        """
        return self._keys.change(tokens)

    def revoke_key(
        self, kid: str, *, reason: RevocationReason, since_s: int | None = None
    ) -> Snapshot:
        """Revoke a key of a member or subject; ``since_s`` reaches back for a compromise only.

        Raises:
            KeyNotHeldError: Nobody has this key; the hub's own is not revoked here.
            RevocationConflictError: Another end stands, or the time is not allowed.
        """
        return self._keys.revoke(kid, reason=reason, since_s=since_s)

    def force_rotation(self, kid: str, *, by_s: int) -> Snapshot:
        """Set the date by which a key has to be changed: it ends then.

        Raises:
            KeyNotHeldError: Nobody has this key.
            RevocationConflictError: Another end stands, or the date is too near.
        """
        return self._keys.force_rotation(kid, by_s=by_s)

    def rotate_hub_key(self, key: PublicKey) -> Snapshot:
        """Have the hub's key hand over to another; the anchor stays the first one.

        Raises:
            KeyTakenError: The key is somebody else's.
        """
        return self._keys.rotate_hub_key(key)

    def rotate_witness(self, key: SigningKey) -> Snapshot:
        """Cosign under another key from the next snapshot on.

        Raises:
            KeyTakenError: The key is somebody else's.
        """
        return self._keys.rotate_witness(format_witness_vkey(self._settings.witness_name, key))

    def is_own_key(self, key: SigningKey) -> bool:
        """Tell whether the registry says that this is, or was, a key of the hub's."""
        with self._database.read() as uow:
            newest = self._chain.get_registry(HubStore(uow.connection))
        witness = format_witness_vkey(self._settings.witness_name, key)
        return newest.witness_vkey == witness or any(
            entry.key == key.public for entry in newest.hub_keys
        )

    def list_key_ages(self) -> list[KeyAge]:
        """Return the keys of members and hub that count now, the oldest first."""
        return self._keys.list_ages()

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

    def revoke_consent(self, consent: bytes, *, reason: str) -> ConsentStatus:
        """State as the hub that a consent is revoked; its holders read it in the list.

        Raises:
            StatusConflictError: The hub has said so already.
            StatusListFullError: There is no room.
        """
        return self._statuses.revoke(consent, reason=reason)

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

    # --- the hub's own log

    def prove_snapshot(self, seq: int, *, since: int) -> tuple[str, list[bytes]]:
        """Return the proof of a snapshot, and that its head appends to the one of ``since``.

        Raises:
            SnapshotUnknownError: There is no such number.
            HubLogSizeError: The log has fewer entries than ``since``.
        """
        return self._chain.prove(seq, since=since)

    def read_log(self) -> LogState:
        """Return the log as it is committed."""
        with self._database.read() as uow:
            return self.log.read_state(HubStore(uow.connection).log)

    def get_tile(self, tile: TileAddress) -> bytes:
        """Return a tile, or a bundle of entries, as far as the newest head reaches.

        Raises:
            TileUnknownError: There is none.
        """
        with self._database.read() as uow:
            return self.log.get_tile(HubStore(uow.connection).log, tile)

    def list_active_members(self) -> list[DirectoryEntry]:
        """Return the members that may exchange."""
        return [entry for entry in self.directory() if entry.status == "active"]

    def log_event(self, entry: KnownKind) -> None:
        """Append an entry that is of no other change: ``start`` or ``stop``.

        Raises:
            NodeError: The log is held, or takes no entry.
        """
        with self._database.write() as uow:
            self.log.append(HubStore(uow.connection).log, [entry])

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
        self.log.check_open()
        self.refresh_registry()
        at_s = now_s(self._clock)
        with self._database.read() as uow:
            store = HubStore(uow.connection)
            registry = self._chain.get_registry(store)
            cosigned = [log.cosigned_at_s for log in store.list_logs() if log.note]
            sizes = store.measure_statuses(signer="", since_s=at_s - STATUS_KEPT_S)
            draft = self._chain.find_draft(store)
        return HubHealth(
            registry_seq=registry.seq,
            registry_ends_in_s=registry.exp - at_s,
            members=registry.member_count,
            subjects=len(registry.subjects),
            logs_cosigned=len(cosigned),
            oldest_cosignature_s=at_s - min(cosigned, default=at_s),
            status_list_percent=measure_percent(sizes),
            signatures_missing=0 if draft is None else registry.threshold - len(draft.tokens),
        )


def check_legal_basis(settings: Settings) -> None:
    """Check that the operator has recorded the statement without which the hub stays off.

    Raises:
        LegalBasisMissingError: It is empty.
    """
    if not settings.legal_basis.strip():
        raise LegalBasisMissingError("set legal_basis: members must be able to read it")
