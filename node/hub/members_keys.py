"""Whose message key has signed a statement that is brought to the hub."""

from __future__ import annotations

from node.hub.store import HubStore, MemberRow
from protocol.keys import PublicKey
from protocol.problems import UnknownKeyProblemError, WrongIssuerError


class MessageSigner:
    """Finds the key of one statement, and remembers whose it is."""

    def __init__(self, store: HubStore, *, now_s: int) -> None:
        """Look at the keys that count now."""
        self._store = store
        self._now_s = now_s
        self._owner: int | None = None

    def find_key(self, kid: str) -> PublicKey:
        """Return the key of a thumbprint.

        Raises:
            UnknownKeyProblemError: It is no message key, or does not count now.
        """
        row = self._store.find_key(kid)
        if row is None or row.entry.use != "message" or not row.entry.is_valid_at(self._now_s):
            raise UnknownKeyProblemError("no message key that is valid now")
        self._owner = row.member_id
        return row.entry.key

    def get_member(self, member: str) -> MemberRow:
        """Return the member that the statement names.

        Raises:
            WrongIssuerError: Its signature is somebody else's.
        """
        known = self._store.find_member(member)
        if known is None or known.id != self._owner:
            raise WrongIssuerError("signed by a key of somebody else")
        return known
