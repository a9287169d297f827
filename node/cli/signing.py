"""What an officer does with a subject's key: sign consents in one act, and withdraw one.

For a customer without a key its consumer signs the same, with the hash of the customer's paper.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.sharing.granting import Grant, build_consents
from protocol.consent import ConsentState, ConsentStatus, sign_consent, sign_status
from protocol.encoding import encode_b64u
from protocol.keys import SigningKey
from schemas.exchange import DeliveredConsent

__all__ = ["Grant", "format_bundle", "sign_bundle", "sign_change", "sign_revocation"]


def sign_bundle(grant: Grant, *, key: SigningKey, now_s: int) -> list[DeliveredConsent]:
    """Sign one artefact a provider; their common number tells a provider nothing of the others.

    Raises:
        OverCeilingError: The grant is above its purpose's ceilings.
    """
    return [
        DeliveredConsent(
            token=sign_consent(consent, key=key),
            subject=str(grant.subject),
            salt=encode_b64u(grant.salt),
        )
        for consent in build_consents(grant, now_s=now_s)
    ]


def sign_revocation(consent: bytes, *, seq: int, key: SigningKey, now_s: int) -> str:
    """Sign the withdrawal of a consent."""
    return sign_change(
        consent,
        state=ConsentState.REVOKED,
        reason="withdrawn by the subject",
        seq=seq,
        key=key,
        now_s=now_s,
    )


def sign_change(
    consent: bytes, *, state: ConsentState, reason: str, seq: int, key: SigningKey, now_s: int
) -> str:
    """Sign a change of a consent's state as its subject."""
    status = ConsentStatus(
        consent=consent, seq=seq, state=state, iat=now_s, by="subject", reason=reason
    )
    return sign_status(status, key=key)


def format_bundle(consents: Sequence[DeliveredConsent]) -> dict[str, object]:
    """Return a bundle as the file that an officer hands over."""
    return {"consents": [consent.model_dump(mode="json") for consent in consents]}
