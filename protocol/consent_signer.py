"""Who may sign a consent: its subject, or for one without a key the consumer that vouches for it.

One rule for the holder, who looks each time, and the auditor (docs/protocol/consent.md §3).
"""

from __future__ import annotations

from protocol.consent import Consent
from protocol.errors import UnknownKeyError
from protocol.keys import PublicKey
from protocol.problems import ConsentSignatureError
from protocol.registry import Registry


def find_consent_key(registry: Registry, kid: str) -> PublicKey:
    """Return a key of a subject, or a message key of a member, of any validity.

    Raises:
        UnknownKeyError: Nobody has it.
    """
    found = registry.find_subject_key(kid) or registry.find_message_key(kid)
    if found is None:
        raise UnknownKeyError("signed by no subject's and no member's key")
    return found[1].key


def check_signer(consent: Consent, *, kid: str, registry: Registry) -> None:
    """Check that a key could sign this consent when it was made.

    Raises:
        ConsentSignatureError: It is not its subject's, or not valid then; or, where a paper stands
            behind the consent, not its consumer's, or the subject is not one without a key.
    """
    if consent.evidence is not None:
        _check_voucher(consent, kid=kid, registry=registry)
        return
    found = registry.find_subject_key(kid)
    if (
        found is None
        or found[0].commitment != consent.subject
        or not found[1].is_valid_at(consent.iat)
    ):
        raise ConsentSignatureError("the signing key is not bound to this subject at that time")


def check_unkeyed(consent: Consent, *, registry: Registry, at_s: int) -> None:
    """Check that the subject was entered without a key, and had none by then.

    A holder checks it for the present too when it takes the consent in: the consumer writes the
    date of what it signs, and a subject that has a key speaks for itself.

    Raises:
        ConsentSignatureError: It is not so entered, or has a key.
    """
    subject = registry.find_subject(consent.subject)
    if subject is None or subject.document is None:
        raise ConsentSignatureError("the subject is not entered as one without a key")
    if any(entry.nbf <= at_s for entry in subject.keys):
        raise ConsentSignatureError("the subject has a key and signs for itself")


def _check_voucher(consent: Consent, *, kid: str, registry: Registry) -> None:
    found = registry.find_message_key(kid)
    if (
        found is None
        or found[0].member != consent.consumer
        or not found[1].is_valid_at(consent.iat)
    ):
        raise ConsentSignatureError("the signing key is not of the consumer at that time")
    check_unkeyed(consent, registry=registry, at_s=consent.iat)
