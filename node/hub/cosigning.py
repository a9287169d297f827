"""A cosigner: it keeps one hub key away from the hub, and signs what follows what it knows.

It follows the chain of snapshots from the anchor by itself, so that what a hub shows it is checked
like by a member. It signs one snapshot of each number and no other until that one has expired: a
hub that is in a thief's hands cannot have two made of one number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from node.core.errors import ConflictError, RejectedError
from node.core.files import read_file, replace_file
from node.hub.rules_draft import list_differences
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import ProtocolError
from protocol.keys import PublicKey, SigningKey
from protocol.limits import CLOCK_AHEAD_S_CEILING, REGISTRY_BYTES_MAX
from protocol.registry import (
    Registry,
    check_succession,
    open_registry,
    parse_registry,
    sign_registry,
)
from protocol.shape import ShapeReader
from protocol.strict_json import parse_object

STATE_BYTES_MAX = 1_024
NEWEST_FILE_NAME = "newest.json"
SIGNED_FILE_NAME = "signed.json"


class CosignerStateError(RejectedError):
    """What the cosigner remembers cannot be read: it signs nothing."""

    code = "cosigner-state"


class DraftRefusedError(RejectedError):
    """The snapshot does not follow the newest one, or is not of now."""

    code = "draft-refused"


class SignedOtherError(ConflictError):
    """Another snapshot of this number was signed, and has not expired."""

    code = "signed-other"


class NotASignerError(RejectedError):
    """The newest snapshot does not name this cosigner's key."""

    code = "not-a-signer"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDraft:
    """A snapshot that may be signed, and what it would change."""

    registry: Registry
    differences: tuple[str, ...]

    @property
    def is_renewal(self) -> bool:
        """Tell whether it changes nothing but its time."""
        return not self.differences


class Cosigner:
    """One key, the newest snapshot it has verified, and what it has signed."""

    def __init__(self, folder: Path, *, key: SigningKey, anchor: PublicKey) -> None:
        """Remember in this folder; the anchor is the hub key given out of band."""
        self._folder = folder
        self._key = key
        self._anchor = anchor

    def follow(self, fetch: Callable[[int], Sequence[str] | None]) -> Registry:
        """Follow the chain to its newest snapshot and remember that.

        Args:
            fetch: Gives the tokens of a number, None where there is none yet.

        Raises:
            ProtocolError: The hub shows what does not follow.
            DraftRefusedError: It shows no snapshot at all.
        """
        newest = self._load_newest()
        while True:
            tokens = fetch(1 if newest is None else newest.seq + 1)
            if tokens is None:
                break
            if newest is None:
                newest = open_registry(tokens, anchors=[self._anchor])
                check_first(newest)
            else:
                newer = open_registry(
                    tokens, anchors=newest.list_signers(), threshold=newest.threshold
                )
                check_succession(newer, older=newest)
                newest = newer
            content = json.dumps({"tokens": list(tokens)}).encode()
            replace_file(content, path=self._folder / NEWEST_FILE_NAME)
        if newest is None:
            raise DraftRefusedError("the hub shows no snapshot")
        return newest

    def check(self, payload: bytes, *, newest: Registry, now_s: int) -> CheckedDraft:
        """Return what a snapshot that waits would change, if it may be signed.

        Raises:
            NotASignerError: This key does not sign for the hub.
            DraftRefusedError: It does not follow, or is not of now.
            SignedOtherError: Another one of its number was signed.
        """
        if self._key.public not in newest.list_signers():
            raise NotASignerError(f"{self._key.kid} does not sign for {newest.hub}")
        try:
            draft = parse_registry(payload)
            check_succession(draft, older=newest)
        except ProtocolError as err:
            raise DraftRefusedError(f"the snapshot does not follow: {err.detail}") from err
        if draft.iat > now_s + CLOCK_AHEAD_S_CEILING or draft.exp <= now_s:
            raise DraftRefusedError("the snapshot is not of now: is a clock wrong?")
        self._check_signed(draft, now_s=now_s)
        return CheckedDraft(
            registry=draft, differences=tuple(list_differences(draft, older=newest))
        )

    def sign(self, draft: CheckedDraft, *, now_s: int) -> str:
        """Remember that this snapshot is signed, and return the signature without the payload.

        Raises:
            SignedOtherError: Another one of its number was signed meanwhile.
        """
        registry = draft.registry
        self._check_signed(registry, now_s=now_s)
        content = {"seq": registry.seq, "hash": encode_b64u(registry.hash), "exp": registry.exp}
        replace_file(json.dumps(content).encode(), path=self._folder / SIGNED_FILE_NAME)
        (token,) = sign_registry(registry, keys=[self._key])
        header, _, signature = token.split(".")
        return f"{header}..{signature}"

    def _check_signed(self, draft: Registry, *, now_s: int) -> None:
        path = self._folder / SIGNED_FILE_NAME
        if not path.exists():
            return
        try:
            reader = ShapeReader(parse_object(_read(path, STATE_BYTES_MAX)), what="signed")
            seq = reader.integer("seq", low=1)
            exp = reader.integer("exp")
            digest = reader.octets("hash")
            reader.finish()
        except ProtocolError as err:
            raise CosignerStateError(f"{path} cannot be read: {err.detail}") from err
        if draft.seq == seq and draft.hash != digest and exp > now_s:
            raise SignedOtherError(f"another snapshot {seq} was signed, and is good until {exp}")

    def _load_newest(self) -> Registry | None:
        path = self._folder / NEWEST_FILE_NAME
        if not path.exists():
            return None
        try:
            reader = ShapeReader(parse_object(_read(path, 2 * REGISTRY_BYTES_MAX)), what="newest")
            payload = reader.texts("tokens", count_max=16)[0].split(".")[1]
            reader.finish()
            # It was verified before it was written, and the keys that signed it may have ended.
            return parse_registry(decode_b64u(payload))
        except (ProtocolError, IndexError) as err:
            raise CosignerStateError(f"{path} cannot be read") from err


def check_first(registry: Registry) -> None:
    """Check that a snapshot is the first one.

    Raises:
        DraftRefusedError: It is not.
    """
    if registry.seq != 1 or any(registry.prev):
        raise DraftRefusedError("the hub's first snapshot is not number 1")


def _read(path: Path, bytes_max: int) -> bytes:
    return read_file(path, bytes_max=bytes_max)
