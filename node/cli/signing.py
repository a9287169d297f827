"""What an officer does with a subject's key: sign consents in one act, and withdraw one.

For a customer without a key its consumer signs the same, with the hash of the customer's paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.core.keystore import draw_bytes
from protocol.consent import (
    Consent,
    ConsentState,
    ConsentStatus,
    Purpose,
    Span,
    commit_subject,
    sign_consent,
    sign_status,
)
from protocol.encoding import encode_b64u, sha256
from protocol.identifiers import SubjectId
from protocol.keys import SigningKey
from protocol.limits import JTI_BYTES
from protocol.purpose import TEMPLATES
from schemas.exchange import DeliveredConsent
from schemas.summary import Section

DAY_S = 86_400
NOTICE_URI = "https://chengxin.example/notice/consent-1"
NOTICE_TEXT = b"chengxin/notice/consent-1"
USES_A_DAY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a subject allows one consumer to ask of several providers; one artefact each."""

    subject: SubjectId
    salt: bytes
    consumer: str
    providers: tuple[str, ...]
    purpose: str
    metrics: tuple[Section, ...]
    last_months: int
    days: int
    max_uses: int
    language: str
    jurisdiction: str
    uses_a_day: int = USES_A_DAY
    may_push: bool = False
    k_min: int = 1
    data_life_months: int = 6
    evidence: bytes | None = None
    """SHA-256 of the paper that the consumer vouches for, with its own key."""


def sign_bundle(grant: Grant, *, key: SigningKey, now_s: int) -> list[DeliveredConsent]:
    """Sign one artefact a provider; their common number tells a provider nothing of the others.

    Raises:
        OverCeilingError: The grant is above its purpose's ceilings.
    """
    bundle = draw_bytes(JTI_BYTES).hex()
    return [
        DeliveredConsent(
            token=sign_consent(
                _build_consent(grant, provider=provider, bundle=bundle, now_s=now_s), key=key
            ),
            subject=str(grant.subject),
            salt=encode_b64u(grant.salt),
        )
        for provider in grant.providers
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


def _build_consent(grant: Grant, *, provider: str, bundle: str, now_s: int) -> Consent:
    template = TEMPLATES[grant.purpose]
    return Consent(
        id=draw_bytes(JTI_BYTES).hex(),
        iat=now_s,
        nbf=now_s,
        exp=now_s + grant.days * DAY_S,
        basis="subject-consent",
        basis_ref="signed by the subject"
        if grant.evidence is None
        else "paper signed by the subject, vouched for by the consumer",
        subject=commit_subject(grant.subject, salt=grant.salt),
        consumer=grant.consumer,
        provider=provider,
        purpose=Purpose(
            code=template.code,
            template=template.template,
            template_hash=template.hash,
            text=template.text,
        ),
        ops=("query", "push") if grant.may_push else ("query",),
        metrics=tuple(metric.value for metric in grant.metrics),
        last_months=grant.last_months,
        k_min=grant.k_min,
        frequency=Span(unit="day", n=grant.uses_a_day),
        max_uses=grant.max_uses,
        data_life=Span(unit="month", n=grant.data_life_months),
        derive=("rating",),
        notice_uri=NOTICE_URI,
        notice_hash=sha256(NOTICE_TEXT),
        notice_language=grant.language,
        jurisdiction=grant.jurisdiction,
        storage="consumer's own node",
        withdraw="chengxin consent revoke, or the hub"
        if grant.evidence is None
        else "a word to the consumer, the provider or the hub",
        bundle=bundle,
        evidence=grant.evidence,
    )
