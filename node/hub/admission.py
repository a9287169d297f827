"""Who is let in, who leaves, and how a lost key is replaced.

The hub learns a subject's id and salt for as long as it takes to check them; neither is stored or
logged. Every change publishes a snapshot in its own transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from node.core.clock import Clock, now_s
from node.core.database import Database
from node.hub.chain import RegistryChain
from node.hub.errors import (
    MemberExistsError,
    MemberSuspendedError,
    MemberUnknownError,
    RegistryFullError,
    SubjectExistsError,
    SubjectUnknownError,
)
from node.hub.invitations import InvitationDesk
from node.hub.keys import KeyDesk
from node.hub.members_keys import MessageSigner
from node.hub.rules_snapshot import RevocationReason, check_scheme, open_key
from node.hub.store import AdmissionStore, HubStore, InvitationRow, MemberRow, Snapshot
from node.hub.witness import watch_log
from protocol.checkpoint import hash_origin
from protocol.consent import commit_subject
from protocol.enrolment import (
    MemberEnrolment,
    open_leaving,
    open_member_enrolment,
    open_subject_enrolment,
)
from protocol.keys import PublicKey
from protocol.limits import REGISTRY_KEYS_PER_MEMBER_MAX
from protocol.registry import KeyEntry

_FOR_NEWCOMERS = frozenset({"member"})
_FOR_MEMBERS = frozenset({"member", "rekey"})
_FOR_SUBJECTS = frozenset({"subject"})

_log = structlog.get_logger()


class AdmissionDesk:
    """Members and subjects come and go here."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        chain: RegistryChain,
        keys: KeyDesk,
        invitations: InvitationDesk,
        hub: str,
        is_simulated: bool,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock
        self._chain = chain
        self._keys = keys
        self._invitations = invitations
        self._hub = hub
        self._is_simulated = is_simulated

    def enrol_member(self, tokens: Sequence[str], *, invitation: str | None) -> Snapshot:
        """Enter a member; the same again changes nothing, a newer enrolment its name and address.

        Args:
            tokens: The enrolment, signed by every key that it brings.
            invitation: The token of an invitation; None where the operator's own token was shown.

        Raises:
            NodeError: The leaf that says why it is not entered.
            ProtocolError: The enrolment does not hold.
        """
        at_s = now_s(self._clock)
        enrolment = open_member_enrolment(tokens, hub=self._hub, now_s=at_s)
        with self._database.write() as uow:
            store, admission = HubStore(uow.connection), AdmissionStore(uow.connection)
            known = store.find_member(enrolment.member)
            invited = None
            if invitation is not None:
                kinds = _FOR_NEWCOMERS if known is None else _FOR_MEMBERS
                invited = self._invitations.get(
                    admission, invitation, kinds=kinds, member=enrolment.member
                )
            is_used = True
            if known is None:
                self._admit(store, enrolment, at_s=at_s)
            elif invited is not None and _brings_new_key(store, enrolment, known=known):
                self._replace_keys(store, admission, enrolment, known=known, invited=invited)
            elif _amend(store, enrolment, known=known, at_s=at_s):
                is_used = False
            else:
                return self._chain.get_newest(store)
            if invited is not None and is_used:
                self._invitations.use(admission, invited, at_s=at_s)
            snapshot = self._chain.publish(store)
        _log.info("member_enrolled", member=enrolment.member, registry=snapshot.seq)
        return snapshot

    def enrol_subject(self, tokens: Sequence[str], *, invitation: str | None) -> bytes:
        """Enter a subject and return its commitment; id and salt are checked and forgotten.

        Raises:
            SimulatedSubjectError: A simulated subject in a real federation.
            SubjectExistsError: The commitment is entered with another key.
            NodeError: Another leaf: the key or the invitation.
            ProtocolError: The enrolment does not hold, or names a natural person.
        """
        at_s = now_s(self._clock)
        commitment, key = self._open_subject(tokens, at_s=at_s)
        verified = "simulated" if self._is_simulated else "operator"
        with self._database.write() as uow:
            store, admission = HubStore(uow.connection), AdmissionStore(uow.connection)
            invited = None
            if invitation is not None:
                invited = self._invitations.get(
                    admission, invitation, kinds=_FOR_SUBJECTS, member=""
                )
            if (known := store.find_subject(commitment)) is not None:
                held = store.find_key(key.kid)
                if held is None or held.subject_id != known.id:
                    raise SubjectExistsError("the subject is enrolled with another key")
                return commitment
            if invited is not None:
                self._invitations.use(admission, invited, at_s=at_s)
            self._keys.check_free(store, key)
            subject_id = store.add_subject(commitment, verified=verified, at_s=at_s)
            store.add_key(open_key(key, use="consent", at_s=at_s), subject_id=subject_id)
            snapshot = self._chain.publish(store)
        _log.info("subject_enrolled", registry=snapshot.seq)
        return commitment

    def rekey_subject(
        self, tokens: Sequence[str], *, document: bytes, reason: RevocationReason
    ) -> Snapshot:
        """Enter a subject's new key after the operator's own check, and end its old ones.

        What the old keys have signed stays good. The same again changes nothing.

        Args:
            tokens: The subject's enrolment with the salt that it has always had, and the new key.
            document: SHA-256 of what the operator has seen.
            reason: Why the old keys end.

        Raises:
            SubjectUnknownError: No such commitment is enrolled.
            KeyTakenError: The new key is somebody's already.
            ProtocolError: The enrolment does not hold.
        """
        at_s = now_s(self._clock)
        commitment, key = self._open_subject(tokens, at_s=at_s)
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            known = store.find_subject(commitment)
            if known is None:
                raise SubjectUnknownError("no subject has this commitment: is it the same salt?")
            held = store.find_key(key.kid)
            if held is not None and held.subject_id == known.id:
                return self._chain.get_newest(store)
            self._keys.check_free(store, key)
            old = store.list_subject_keys(known.id)
            if len(old) >= REGISTRY_KEYS_PER_MEMBER_MAX:
                raise RegistryFullError("the subject has as many keys as a snapshot holds")
            for entry in old:
                if entry.revoked_at is None:
                    store.revoke_key(entry.key.kid, reason=reason.value, at_s=at_s)
            entered = open_key(key, use="consent", at_s=at_s)
            store.add_key(entered, subject_id=known.id, document=document)
            snapshot = self._chain.publish(store)
        _log.info("subject_rekeyed", reason=reason.value, registry=snapshot.seq)
        return snapshot

    def suspend_member(self, member: str) -> Snapshot:
        """Suspend a member: its messages are refused from now on; its log stays watched.

        Raises:
            MemberUnknownError: There is no such member.
            MemberSuspendedError: It has left.
        """
        with self._database.write() as uow:
            return self._set_status(HubStore(uow.connection), member, status="suspended")

    def enter_leaving(self, member: str) -> Snapshot:
        """Enter that a member leaves, by the operator's word; its log stays watched.

        Raises:
            MemberUnknownError: There is no such member.
        """
        with self._database.write() as uow:
            return self._set_status(HubStore(uow.connection), member, status="left")

    def take_leaving(self, token: str) -> Snapshot:
        """Enter that a member leaves, by its own signed statement; the same changes nothing.

        Raises:
            ProtocolError: The statement does not hold.
        """
        at_s = now_s(self._clock)
        with self._database.read() as uow:  # A stranger's statement must not hold up the writers.
            signer = MessageSigner(HubStore(uow.connection), now_s=at_s)
            leaving = open_leaving(token, hub=self._hub, now_s=at_s, find_key=signer.find_key)
            known = signer.get_member(leaving.member)
        with self._database.write() as uow:
            return self._set_status(HubStore(uow.connection), known.member, status="left")

    def _set_status(self, store: HubStore, member: str, *, status: str) -> Snapshot:
        known = store.find_member(member)
        if known is None:
            raise MemberUnknownError(f"no member {member}")
        if known.status == status:
            return self._chain.get_newest(store)
        if known.status == "left":
            raise MemberSuspendedError(f"{member} has left")
        store.set_member_status(member, status=status)
        snapshot = self._chain.publish(store)
        _log.info("member_status_set", member=member, status=status, registry=snapshot.seq)
        return snapshot

    def _open_subject(self, tokens: Sequence[str], *, at_s: int) -> tuple[bytes, PublicKey]:
        enrolment = open_subject_enrolment(tokens, hub=self._hub, now_s=at_s)
        check_scheme(enrolment.subject, is_simulated=self._is_simulated)
        return commit_subject(enrolment.subject, salt=enrolment.salt), enrolment.key

    def _admit(self, store: HubStore, enrolment: MemberEnrolment, *, at_s: int) -> None:
        if enrolment.member == self._hub:
            raise MemberExistsError("this is the hub's own name")
        for key in enrolment.keys.values():
            self._keys.check_free(store, key)
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

    def _replace_keys(
        self,
        store: HubStore,
        admission: AdmissionStore,
        enrolment: MemberEnrolment,
        *,
        known: MemberRow,
        invited: InvitationRow,
    ) -> None:
        """Enter keys in the place of revoked ones, which cannot hand over themselves."""
        if invited.kind != "rekey":
            raise MemberExistsError(f"{known.member} is enrolled with other keys or another log")
        if known.status != "active":
            raise MemberSuspendedError(f"{known.member} is {known.status}")
        at_s = now_s(self._clock)
        newest = _newest_keys(store, known)
        new = {use: key for use, key in enrolment.keys.items() if newest[use].key != key}
        for use, key in new.items():
            if newest[use].is_valid_at(at_s):
                raise MemberExistsError(f"the {use} key is valid: change it by a key change")
            self._keys.check_free(store, key)
        if ("log" in new) != (enrolment.log_origin != known.log_origin):
            raise MemberExistsError("a new log key comes with a new log, and the other way round")
        if "log" in new:
            self._move_log(store, admission, known, new_origin=enrolment.log_origin)
        for use, key in new.items():
            store.add_key(open_key(key, use=use, at_s=at_s), member_id=known.id)

    def _move_log(
        self, store: HubStore, admission: AdmissionStore, known: MemberRow, *, new_origin: str
    ) -> None:
        if store.find_log(origin_sha256_hex=hash_origin(new_origin)) is not None:
            raise MemberExistsError(f"{new_origin} is a log already")
        admission.retire_log(known.id, old_origin=known.log_origin, new_origin=new_origin)
        watch_log(store, new_origin)


def _newest_keys(store: HubStore, known: MemberRow) -> dict[str, KeyEntry]:
    return {entry.use: entry for entry in store.list_member_keys(known.id)}


def _brings_new_key(store: HubStore, enrolment: MemberEnrolment, *, known: MemberRow) -> bool:
    newest = _newest_keys(store, known)
    return any(newest[use].key != key for use, key in enrolment.keys.items())


def _amend(store: HubStore, enrolment: MemberEnrolment, *, known: MemberRow, at_s: int) -> bool:
    """Enter what an enrolled member states anew; tell whether anything changed."""
    held = [
        (entry.use, entry.key)
        for entry in store.list_member_keys(known.id)
        if entry.is_valid_at(at_s)
    ]
    is_theirs = all((use, key) in held for use, key in enrolment.keys.items())
    if not is_theirs or known.log_origin != enrolment.log_origin:
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
