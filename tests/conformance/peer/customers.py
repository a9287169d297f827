"""The kit's customers and what they sign."""

from __future__ import annotations

from dataclasses import dataclass, replace

from protocol.consent import Consent, Purpose, Span, commit_subject, hash_consent
from protocol.encoding import encode_b64u, sha256
from protocol.identifiers import SubjectId, parse_subject_id
from protocol.keys import SigningKey
from protocol.limits import VOUCHED_USES_MAX
from protocol.purpose import TEMPLATES, WATCHED_METRICS
from protocol.registry import SubjectEntry
from protocol.strict_json import JsonObject
from tests.conformance.peer.parts import draw_bytes, key_entry, make_key, read_clock_s

DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A subject of the kit: id, salt and key."""

    subject: SubjectId
    salt: bytes
    key: SigningKey
    has_key: bool = True

    @property
    def entry(self) -> SubjectEntry:
        """Return the customer as a snapshot names it."""
        return SubjectEntry(
            commitment=commit_subject(self.subject, salt=self.salt),
            verified="kit",
            keys=(key_entry(self.key, "consent"),) if self.has_key else (),
            document=None if self.has_key else sha256(self.salt, sha256(b"kit: a document")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A consent as its customer signed it."""

    consent: Consent
    token: str
    customer: Customer

    @property
    def hash(self) -> bytes:
        """Return the consent's name."""
        return hash_consent(self.token)

    @property
    def delivered(self) -> JsonObject:
        """Return the consent as it is handed over."""
        return {
            "token": self.token,
            "subject": str(self.customer.subject),
            "salt": encode_b64u(self.customer.salt),
        }


def make_customer(value: str, *, has_key: bool = True) -> Customer:
    """Return a customer of the simulated scheme."""
    return Customer(
        subject=parse_subject_id(f"sim:{value}"),
        salt=sha256(f"conformance kit: salt of {value}".encode()),
        key=make_key(f"customer {value}"),
        has_key=has_key,
    )


def rest_on_paper(consent: Consent) -> Consent:
    """Return the most that a paper may allow."""
    return replace(
        consent, metrics=WATCHED_METRICS, max_uses=VOUCHED_USES_MAX, evidence=sha256(b"kit: paper")
    )


def build_consent(
    customer: Customer, *, consumer: str, provider: str, purpose: str = "P1"
) -> Consent:
    """Return a consent of the present moment to everything that its purpose allows."""
    template, now_s = TEMPLATES[purpose], read_clock_s()
    return Consent(
        id=encode_b64u(draw_bytes(16)),
        iat=now_s,
        nbf=now_s,
        exp=now_s + 90 * DAY_S,
        basis="subject-consent",
        basis_ref="-",
        subject=commit_subject(customer.subject, salt=customer.salt),
        consumer=consumer,
        provider=provider,
        purpose=Purpose(
            code=template.code,
            template=template.template,
            template_hash=template.hash,
            text=template.text,
        ),
        ops=("query",),
        metrics=template.metrics,
        last_months=12,
        k_min=1,
        frequency=Span(unit="year", n=100),
        max_uses=50,
        data_life=Span(unit="month", n=12),
        derive=("rating",),
        notice_uri="https://notice.example/1",
        notice_hash=sha256(b"notice"),
        notice_language="en",
        jurisdiction="CN",
        storage="own node",
        withdraw="hub",
        bundle="kit",
    )
