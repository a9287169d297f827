"""Who may report a change of a consent's state, and whether it may stand in the list. Pure.

The hub does not see consents, so it cannot tell whose a hash is. It makes sure that the signer is
who ``by`` says, and keeps one entry a signer; the provider, who holds the consent, takes the right
one.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.hub.errors import StatusConflictError, StatusListFullError
from node.hub.store import StatusRow, StatusSizes
from protocol.consent import ConsentState, ConsentStatus, follows, open_status
from protocol.encoding import encode_b64u
from protocol.errors import TooLargeError, UnknownKeyError
from protocol.keys import PublicKey
from protocol.limits import CONSENT_LIFE_S_MAX, REGISTRY_BYTES_MAX
from protocol.problems import ClockSkewError, KeyRevokedError, UnknownKeyProblemError
from protocol.registry import Registry
from protocol.status_signer import StatusKey, check_statement, find_status_key

STATUS_BYTES_MAX = 4_096  # one status; a statement may be longer, a list of such could not be sent
# Base64url makes 4 characters of 3 bytes; a hundredth is left for the claims and the signature.
STATUS_LIST_CHARACTERS_MAX = REGISTRY_BYTES_MAX * 3 // 4 * 99 // 100
STATUS_SEPARATOR_CHARACTERS = len('"",')
STATUSES_PER_SIGNER_MAX = 5_000
STATUS_KEPT_S = CONSENT_LIFE_S_MAX  # no consent lives longer than this after a status of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A verified status and whose it is: ``hub``, ``member:…`` or ``subject:…``."""

    status: ConsentStatus
    signer: str
    token: str


def verify_reported(token: str, *, registry: Registry, now_s: int, ahead_s: int) -> Reported:
    """Verify a status against the newest snapshot: signature, key valid now, signer as ``by`` says.

    Raises:
        TooLargeError: Larger than a list can carry.
        UnknownKeyProblemError: No subject, member or hub has the key.
        KeyRevokedError: The key is not valid now.
        NotAMemberError: A provider that is suspended or has left.
        ConsentSignatureError: The signer is not who ``by`` says.
        ClockSkewError: It comes from the future.
        ProtocolError: Another leaf: form, signature, claims.
    """
    if len(token) > STATUS_BYTES_MAX:
        raise TooLargeError(f"a status has at most {STATUS_BYTES_MAX} characters")
    keys: list[StatusKey] = []

    def find_key(kid: str) -> PublicKey:
        keys.append(_get_signer(registry, kid, now_s=now_s))
        return keys[-1].entry.key

    status, _ = open_status(token, find_key=find_key)
    check_statement(status, keys[0], now_s=now_s)
    if status.iat > now_s + ahead_s:
        raise ClockSkewError(f"{status.iat - now_s} s ahead of server time {now_s}")
    signer = _name_signer(keys[0])
    return Reported(status=status, signer=signer, token=token)


def check_follows(reported: Reported, *, known: StatusRow) -> None:
    """Check that a status may take the place of the signer's older one.

    Raises:
        StatusConflictError: A lower or equal number, or the older state is final.
    """
    status = reported.status
    state = ConsentState(known.state)
    if status.seq <= known.seq or not follows(state, status.state):
        raise StatusConflictError(f"the consent is {known.state} as of status {known.seq}")


def check_room(reported: Reported, *, sizes: StatusSizes) -> None:
    """Check that the list can carry one more status.

    Raises:
        StatusListFullError: It, or the signer's share of it, is full.
    """
    needed = _count_characters(sizes) + len(reported.token) + STATUS_SEPARATOR_CHARACTERS
    if needed > STATUS_LIST_CHARACTERS_MAX or sizes.of_signer >= STATUSES_PER_SIGNER_MAX:
        raise StatusListFullError("the status list can take no more entries")


def measure_percent(sizes: StatusSizes) -> int:
    """Return how full a list is, in whole percent."""
    return 100 * _count_characters(sizes) // STATUS_LIST_CHARACTERS_MAX


def _count_characters(sizes: StatusSizes) -> int:
    return sizes.characters + sizes.entries * STATUS_SEPARATOR_CHARACTERS


def _get_signer(registry: Registry, kid: str, *, now_s: int) -> StatusKey:
    try:
        key = find_status_key(registry, kid)
    except UnknownKeyError as err:
        raise UnknownKeyProblemError("no subject, member or hub has this key") from err
    if key.member:
        registry.get_message_key(kid, now_s=now_s)  # Suspended members report nothing.
    if not key.entry.is_valid_at(now_s):
        raise KeyRevokedError("the key is not valid now")
    return key


def _name_signer(key: StatusKey) -> str:
    if key.commitment:
        return f"subject:{encode_b64u(key.commitment)}"
    return f"member:{key.member}" if key.member else "hub"
