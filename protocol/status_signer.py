"""Who may change a consent: the subject, its provider, a hub, each with a key of the registry.

Of a consent that its consumer vouches for, the consumer too may say that it is withdrawn.

One rule for the holder, the hub and the auditor (docs/protocol/consent.md §5). The table of states
is in ``protocol.consent.states``.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.consent import Consent, ConsentState, ConsentStatus, StatusSigner, may_sign
from protocol.errors import UnknownKeyError
from protocol.limits import CLOCK_AHEAD_S_CEILING
from protocol.problems import ClockSkewError, ConsentSignatureError
from protocol.registry import KeyEntry, Registry

_SUBJECT = frozenset({StatusSigner.SUBJECT})
_MEMBER = frozenset({StatusSigner.PROVIDER, StatusSigner.CONSUMER})
_HUB = frozenset({StatusSigner.HUB})


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusKey:
    """A key that may sign statuses; ``member`` owns a member's, ``commitment`` a subject's.

    ``signers`` are those that its owner may be; which of them a member is, its consent says.
    """

    signers: frozenset[StatusSigner]
    entry: KeyEntry
    member: str = ""
    commitment: bytes = b""


def find_status_key(registry: Registry, kid: str) -> StatusKey:
    """Return a key of any validity and whose it is.

    Raises:
        UnknownKeyError: No subject, member or hub has it.
    """
    if (subject := registry.find_subject_key(kid)) is not None:
        return StatusKey(signers=_SUBJECT, entry=subject[1], commitment=subject[0].commitment)
    if (member := registry.find_message_key(kid)) is not None:
        return StatusKey(signers=_MEMBER, entry=member[1], member=member[0].member)
    for entry in registry.hub_keys:
        if entry.key.kid == kid:
            return StatusKey(signers=_HUB, entry=entry)
    raise UnknownKeyError("no subject's, member's or hub's key")


def check_statement(status: ConsentStatus, key: StatusKey, *, now_s: int | None = None) -> None:
    """Check what can be checked without the consent: the signer is who ``by`` says, and may.

    Args:
        status: What was signed.
        key: Who signed it.
        now_s: The present; an auditor has none.

    Raises:
        ConsentSignatureError: Another signer, a state that is not this signer's to state, or a key
            that was not valid when it was signed.
        ClockSkewError: It comes from the future.
    """
    signer = StatusSigner(status.by)
    if signer not in key.signers:
        raise ConsentSignatureError(f"signed by a key that is not of a {status.by}")
    if not may_sign(signer, status.state):
        raise ConsentSignatureError(f"a {status.by} does not state {status.state.value}")
    if not key.entry.is_valid_at(status.iat):
        raise ConsentSignatureError("the signing key was not valid then")
    if now_s is None:
        return
    if status.iat > now_s + CLOCK_AHEAD_S_CEILING:
        raise ClockSkewError(f"{status.iat - now_s} s ahead of server time {now_s}")
    # Whoever holds a revoked key can write any date: it may close a consent, never open one.
    if status.state is ConsentState.ACTIVE and not key.entry.is_valid_at(now_s):
        raise ConsentSignatureError("the signing key is not valid now")


def check_party(status: ConsentStatus, key: StatusKey, *, consent: Consent) -> None:
    """Check that the signer is the party of this consent that ``by`` says, or a hub.

    Raises:
        ConsentSignatureError: Another subject, a member that is not its provider, or a consumer
            that does not vouch for it.
    """
    is_vouched = consent.evidence is not None
    is_party = {
        StatusSigner.SUBJECT: key.commitment == consent.subject,
        StatusSigner.PROVIDER: key.member == consent.provider,
        StatusSigner.CONSUMER: is_vouched and key.member == consent.consumer,
        StatusSigner.HUB: True,
    }
    if not is_party[StatusSigner(status.by)]:
        raise ConsentSignatureError("the signer may not change this consent")
