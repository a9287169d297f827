"""The key of a log: one that signs, or the public half of one whose file is gone.

A log whose key is lost stays readable and provable; it does not grow. The member goes on in the
next one, under a key that its hub enters by invitation.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.core.errors import UnavailableError
from protocol.keys import PublicKey, SigningKey


class LogKeyLostError(UnavailableError):
    """The key file of the log that is written is gone: nothing can be signed into it."""

    code = "log-key-lost"

    def __init__(self, kid: str) -> None:
        """Say which key, and the ways out."""
        super().__init__(
            f"no file in keys/ holds the log's key {kid}: restore it from its backup, or have the "
            "hub revoke the key as lost and begin the next log: chengxin log new --reason key "
            "--invitation FILE"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LostKey:
    """What is left of a key whose file is gone: it verifies, and signs nothing."""

    public: PublicKey

    @property
    def kid(self) -> str:
        """Return the key's thumbprint."""
        return self.public.kid


LogKey = SigningKey | LostKey


def get_signing_key(key: LogKey) -> SigningKey:
    """Return a key that signs.

    Raises:
        LogKeyLostError: Its file is gone.
    """
    if isinstance(key, LostKey):
        raise LogKeyLostError(key.kid)
    return key
