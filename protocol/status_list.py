"""The hub's status list: the newest signed status of every consent that was reported to it.

It is signed itself and lives for 300 s. The hub cannot tell whose a consent is, so there may be one
entry for each signer: who holds the consent takes the one whose signer may speak. A provider polls
it, so that a revocation reaches one whom the subject cannot reach.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from protocol.consent import STATUS_LIST_TYP
from protocol.encoding import sha256
from protocol.jws import open_compact, sign_compact
from protocol.keys import PublicKey, SigningKey
from protocol.limits import (
    CLOCK_AHEAD_S_CEILING,
    MEMBER_ID_CHARACTERS_MAX,
    REGISTRY_BYTES_MAX,
    STATUS_LIST_LIFE_S,
)
from protocol.problems import ClockSkewError, ExpiredError
from protocol.shape import ShapeReader
from protocol.strict_json import canonical_json, parse_object

STATUSES_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusList:
    """Signed statuses (compact JWS each) as the hub knew them at ``iat``."""

    hub: str
    iat: int
    entries: tuple[str, ...]


def sign_status_list(entries: Sequence[str], *, hub: str, iat: int, key: SigningKey) -> str:
    """Sign the list; it lives for 300 s."""
    payload = canonical_json(
        {"v": 1, "hub": hub, "iat": iat, "exp": iat + STATUS_LIST_LIFE_S, "entries": list(entries)}
    )
    return sign_compact(payload, key=key, typ=STATUS_LIST_TYP)


def hash_statuses(entries: Sequence[str]) -> bytes:
    """Return what the hub's log names a list by: the hash of its statuses, whenever signed."""
    return sha256(canonical_json(list(entries)))


def open_status_list(token: str, *, find_key: Callable[[str], PublicKey], now_s: int) -> StatusList:
    """Verify a list.

    Raises:
        MalformedError: Not the specified form.
        SignatureInvalidError: The signature does not verify.
        SchemaError: A claim is missing, unknown or wrong.
        ClockSkewError: It is of more than 60 s in the future.
        ExpiredError: Its 300 s have passed.
    """
    payload, _ = open_compact(
        token, typ=STATUS_LIST_TYP, find_key=find_key, bytes_max=REGISTRY_BYTES_MAX
    )
    reader = ShapeReader(parse_object(payload), what="status-list")
    reader.integer("v", low=1, high=1)
    hub = reader.text("hub", characters_max=MEMBER_ID_CHARACTERS_MAX)
    iat = reader.integer("iat")
    exp = reader.integer("exp", low=iat, high=iat + STATUS_LIST_LIFE_S)
    entries = reader.texts("entries", count_max=STATUSES_MAX)
    reader.finish()
    if iat > now_s + CLOCK_AHEAD_S_CEILING:
        raise ClockSkewError(f"the status list is of {iat}, now is {now_s}")
    if exp <= now_s:
        raise ExpiredError(f"the status list ended at {exp}")
    return StatusList(hub=hub, iat=iat, entries=entries)
