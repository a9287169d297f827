"""The hub's own keys: which of them signs is what the newest snapshot says, not which is newest.

Another process may have rotated them meanwhile, so keys that are not known yet are looked for in
their folder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from node.hub.errors import HubIdentityError
from protocol.keys import PublicKey, SigningKey

LoadKeys = Callable[[], Sequence[SigningKey]]


class HubSigners:
    """Finds the private half of a public key of one use."""

    def __init__(self, first: SigningKey, *, load: LoadKeys | None = None) -> None:
        """Take the key that the hub began with, and where the later ones are."""
        self._known = {first.kid: first}
        self._load = load
        self.first = first

    def has(self, kid: str) -> bool:
        """Tell whether a key is one of these; the folder is looked at where it seems not."""
        if kid not in self._known and self._load is not None:
            self._known |= {key.kid: key for key in self._load()}
        return kid in self._known

    def list_held(self, keys: Sequence[PublicKey]) -> list[SigningKey]:
        """Return the private halves of those that are here."""
        return [self._known[key.kid] for key in keys if self.has(key.kid)]

    def get(self, key: PublicKey) -> SigningKey:
        """Return the private half.

        Raises:
            HubIdentityError: It is not here.
        """
        if not self.has(key.kid):
            raise HubIdentityError(f"the key {key.kid} of the published registry is not here")
        return self._known[key.kid]
