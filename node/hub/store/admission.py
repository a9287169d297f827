"""Who was invited, and which keys were changed by which statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from node.hub.tables import hub_invitation, hub_key, hub_key_change, hub_member


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRow:
    """An invitation without its token; ``member`` is empty where it is for a subject."""

    token_sha256: bytes
    kind: str
    member: str
    expires_at_s: int
    used_at_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChangeRow:
    """A statement that changed a key; the hash is that of its payload."""

    hash: bytes
    kid: str
    tokens: tuple[str, ...]


class AdmissionStore:
    """Reads and writes on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_invitation(self, invitation: InvitationRow, *, at_s: int) -> None:
        """Append an invitation."""
        self._connection.execute(
            insert(hub_invitation).values(
                token_sha256=invitation.token_sha256,
                kind=invitation.kind,
                member=invitation.member,
                expires_at_s=invitation.expires_at_s,
                entered_at_s=at_s,
            )
        )

    def find_invitation(self, token_sha256: bytes) -> InvitationRow | None:
        """Return an invitation, used or not, and keep other writers from it until the commit."""
        row = self._connection.execute(
            select(hub_invitation)
            .where(hub_invitation.c.token_sha256 == token_sha256)
            .with_for_update()
        ).one_or_none()
        if row is None:
            return None
        return InvitationRow(
            token_sha256=row.token_sha256,
            kind=row.kind,
            member=row.member,
            expires_at_s=row.expires_at_s,
            used_at_s=row.used_at_s,
        )

    def use_invitation(self, token_sha256: bytes, *, at_s: int) -> None:
        """Mark an invitation as used; the first use stays."""
        self._connection.execute(
            update(hub_invitation)
            .where(
                hub_invitation.c.token_sha256 == token_sha256,
                hub_invitation.c.used_at_s.is_(None),
            )
            .values(used_at_s=at_s)
        )

    def find_key_change(self, hash_: bytes) -> KeyChangeRow | None:
        """Return a key change that was entered."""
        row = self._connection.execute(
            select(hub_key_change).where(hub_key_change.c.hash == hash_)
        ).one_or_none()
        if row is None:
            return None
        return KeyChangeRow(hash=row.hash, kid=row.kid, tokens=tuple(json.loads(row.tokens)))

    def add_key_change(self, hash_: bytes, *, kid: str, tokens: Sequence[str], at_s: int) -> None:
        """Keep the statement that changed a key."""
        self._connection.execute(
            insert(hub_key_change).values(
                hash=hash_, kid=kid, tokens=json.dumps(list(tokens)), entered_at_s=at_s
            )
        )

    def retire_log(self, member_id: int, *, old_origin: str, new_origin: str) -> None:
        """Name the log of the log keys held so far, and the member's new one."""
        self._connection.execute(
            update(hub_key)
            .where(
                hub_key.c.member_id == member_id,
                hub_key.c.use == "log",
                hub_key.c.origin.is_(None),
            )
            .values(origin=old_origin)
        )
        self._connection.execute(
            update(hub_member).where(hub_member.c.id == member_id).values(log_origin=new_origin)
        )
