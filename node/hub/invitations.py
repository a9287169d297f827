"""Invitations: a token for one member's name and one purpose, or for one subject; it admits once.

The hub keeps the hash of the token alone, so that a thief of its database cannot enrol.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.core.clock import Clock, now_s
from node.core.database import Database
from node.core.keystore import SECRET_BYTES, draw_bytes
from node.hub.errors import InvitationInvalidError, InvitationUsedError
from node.hub.store import AdmissionStore, InvitationRow
from protocol.encoding import encode_b64u, sha256
from protocol.invitation import Invitation, format_fingerprint
from protocol.keys import PublicKey

_DOMAIN = b"chengxin/invitation/v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFace:
    """What an invitation says of the hub."""

    hub: str
    url: str
    anchor: PublicKey


class InvitationDesk:
    """Writes invitations and takes them back in."""

    def __init__(self, *, database: Database, clock: Clock, face: HubFace) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock
        self._face = face

    def invite(self, *, kind: str, member: str, life_s: int) -> Invitation:
        """Make an invitation; its token is told now and never again."""
        at_s = now_s(self._clock)
        token = encode_b64u(draw_bytes(SECRET_BYTES))
        row = InvitationRow(
            token_sha256=_hash(token),
            kind=kind,
            member=member,
            expires_at_s=at_s + life_s,
            used_at_s=None,
        )
        with self._database.write() as uow:
            AdmissionStore(uow.connection).add_invitation(row, at_s=at_s)
        return Invitation(
            hub=self._face.hub,
            url=self._face.url,
            fingerprint=format_fingerprint(self._face.anchor),
            kind=kind,
            member=member,
            expires_at_s=row.expires_at_s,
            token=token,
        )

    def get(
        self, store: AdmissionStore, token: str, *, kinds: frozenset[str], member: str
    ) -> InvitationRow:
        """Return the invitation of a token, used or not.

        Raises:
            InvitationInvalidError: There is none, or it is for somebody or something else.
        """
        row = store.find_invitation(_hash(token))
        if row is None or row.kind not in kinds or row.member != member:
            raise InvitationInvalidError("no invitation of this hub for this")
        return row

    def use(self, store: AdmissionStore, row: InvitationRow, *, at_s: int) -> None:
        """Use an invitation up, inside the caller's transaction.

        Raises:
            InvitationUsedError: It has admitted already.
            InvitationInvalidError: It has ended.
        """
        if row.used_at_s is not None:
            raise InvitationUsedError("this invitation has admitted already")
        if row.expires_at_s <= at_s:
            raise InvitationInvalidError("the invitation has ended: ask for a new one")
        store.use_invitation(row.token_sha256, at_s=at_s)


def _hash(token: str) -> bytes:
    return sha256(_DOMAIN, token.encode("utf-8"))
