"""Subjects without a key: entered by the hash of a paper that the hub's officer has seen.

A member brings them, signed with its message key. The paper never comes over the network; id and
salt are checked and forgotten, and of the paper's hash stays what the registry shows: salted, so
that nobody finds a customer by a paper that anybody can get.
"""

from __future__ import annotations

import structlog

from node.core.clock import Clock, now_s
from node.core.database import Database
from node.hub.chain import RegistryChain
from node.hub.errors import DocumentMismatchError, SubjectExistsError
from node.hub.invitations import InvitationDesk
from node.hub.members_keys import MessageSigner
from node.hub.rules_snapshot import check_scheme
from node.hub.store import AdmissionStore, HubStore
from protocol.consent import commit_document, commit_subject
from protocol.enrolment import UnkeyedEnrolment, open_unkeyed_enrolment
from protocol.problems import NotAMemberError

_FOR_SUBJECTS = frozenset({"subject"})

_log = structlog.get_logger()


class UnkeyedDesk:
    """Subjects without a key come in here."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        chain: RegistryChain,
        invitations: InvitationDesk,
        hub: str,
        is_simulated: bool,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock
        self._chain = chain
        self._invitations = invitations
        self._hub = hub
        self._is_simulated = is_simulated

    def enrol(self, token: str, *, invitation: str | None, seen: bytes | None) -> bytes:
        """Enter a subject and return its commitment; the same again changes nothing.

        Args:
            token: The enrolment, signed by a message key of the member that brings the subject.
            invitation: The token of an invitation; None where the operator's own token was shown.
            seen: SHA-256 of the paper that the officer has before them, where they give it.

        Raises:
            DocumentMismatchError: The paper seen is another one.
            SimulatedSubjectError: A simulated subject in a real federation.
            SubjectExistsError: The commitment is entered with a key or another document.
            NotAMemberError: The member that brings it is suspended or has left.
            NodeError: Another leaf: the invitation.
            ProtocolError: The enrolment does not hold, or names a natural person.
        """
        at_s = now_s(self._clock)
        enrolment = self._open(token, at_s=at_s)
        if seen is not None and seen != enrolment.document:
            raise DocumentMismatchError("the paper is not the one whose hash was enrolled")
        commitment = commit_subject(enrolment.subject, salt=enrolment.salt)
        document = commit_document(enrolment.document, salt=enrolment.salt)
        with self._database.write() as uow:
            store, admission = HubStore(uow.connection), AdmissionStore(uow.connection)
            invited = None
            if invitation is not None:
                invited = self._invitations.get(
                    admission, invitation, kinds=_FOR_SUBJECTS, member=""
                )
            if (known := store.find_subject(commitment)) is not None:
                if known.document != document:
                    raise SubjectExistsError("the subject is entered with a key or another paper")
                return commitment
            if invited is not None:
                self._invitations.use(admission, invited, at_s=at_s)
            verified = "simulated" if self._is_simulated else "document"
            store.add_subject(commitment, verified=verified, document=document, at_s=at_s)
            snapshot = self._chain.publish(store)
        _log.info("unkeyed_subject_enrolled", member=enrolment.member, registry=snapshot.seq)
        return commitment

    def _open(self, token: str, *, at_s: int) -> UnkeyedEnrolment:
        with self._database.read() as uow:  # A stranger's statement must not hold up the writers.
            signer = MessageSigner(HubStore(uow.connection), now_s=at_s)
            enrolment = open_unkeyed_enrolment(
                token, hub=self._hub, now_s=at_s, find_key=signer.find_key
            )
            member = signer.get_member(enrolment.member)
        if member.status != "active":
            raise NotAMemberError(f"{member.member} is {member.status}")
        check_scheme(enrolment.subject, is_simulated=self._is_simulated)
        return enrolment
