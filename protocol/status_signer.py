"""Who may change a consent: the subject, its provider, a hub, each with a key of the registry.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusKey:
    """A key that may sign statuses; ``member`` is a provider's, ``commitment`` a subject's."""

    signer: StatusSigner
    entry: KeyEntry
    member: str = ""
    commitment: bytes = b""


def find_status_key(registry: Registry, kid: str) -> StatusKey:
    """Return a key of any validity and whose it is.

    Raises:
        UnknownKeyError: No subject, member or hub has it.
    """
    if (subject := registry.find_subject_key(kid)) is not None:
        return StatusKey(
            signer=StatusSigner.SUBJECT, entry=subject[1], commitment=subject[0].commitment
        )
    if (member := registry.find_message_key(kid)) is not None:
        return StatusKey(signer=StatusSigner.PROVIDER, entry=member[1], member=member[0].member)
    for entry in registry.hub_keys:
        if entry.key.kid == kid:
            return StatusKey(signer=StatusSigner.HUB, entry=entry)
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
    if status.by != key.signer.value:
        raise ConsentSignatureError(f"signed by a key of a {key.signer.value}, not of {status.by}")
    if not may_sign(key.signer, status.state):
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


def check_party(key: StatusKey, consent: Consent) -> None:
    """Check that the signer is a party of this consent, or a hub.

    Raises:
        ConsentSignatureError: Another subject, or a member that is not its provider.
    """
    is_subject = key.signer is StatusSigner.SUBJECT and key.commitment == consent.subject
    is_provider = key.signer is StatusSigner.PROVIDER and key.member == consent.provider
    if not (is_subject or is_provider or key.signer is StatusSigner.HUB):
        raise ConsentSignatureError("the signer may not change this consent")
