"""The subject's consent: one immutable statement a provider (docs/protocol/consent.md §1 to §3).

Signed by a key that the registry binds to the subject's commitment SHA-256(salt ‖ subject id); of a
subject without a key, by the consumer, who vouches for a paper that the artefact names by its hash.
Subject id and salt travel beside the artefact and can be erased, so that a redacted bundle still
carries it. A consent is never above the ceilings of the purpose template that it pins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protocol.consent.span import Span, parse_span
from protocol.encoding import encode_b64u, sha256
from protocol.errors import SchemaError
from protocol.identifiers import SubjectId
from protocol.jws import open_compact, sign_compact, split_compact
from protocol.keys import PublicKey, SigningKey
from protocol.limits import (
    CONSENT_MONTHS_MAX,
    CONSENT_TEXT_CHARACTERS_MAX,
    CONSENT_USES_MAX,
    MEMBER_ID_CHARACTERS_MAX,
    STATEMENT_BYTES_MAX,
    VOUCHED_LIFE_S_MAX,
    VOUCHED_USES_MAX,
)
from protocol.problems import OverCeilingError
from protocol.purpose import (
    DERIVATIONS,
    METRICS,
    TEMPLATES,
    WATCHED_METRICS,
    PurposeTemplate,
)
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, canonical_json, parse_object

CONSENT_TYP = "cx-consent+jws"
_BASES = frozenset({"subject-consent", "contract-clause", "member-agreement", "legal"})
_OPS = frozenset({"query", "push"})
# A paper shows what its signer agreed to: neither a law nor an agreement among members.
_VOUCHED_BASES = frozenset({"subject-consent", "contract-clause"})
_VOUCHED_OPS = frozenset({"query"})
_VOUCHED_METRICS = frozenset(WATCHED_METRICS)  # how a customer pays, not how much it buys


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """The template, pinned by hash, and the text that the subject read."""

    code: str
    template: str
    template_hash: bytes
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The claims of one artefact (docs/protocol/consent.md §1).

    Times are Unix seconds; hashes are 32 bytes.
    """

    id: str
    iat: int
    nbf: int
    exp: int
    basis: str
    basis_ref: str
    subject: bytes
    consumer: str
    provider: str
    purpose: Purpose
    ops: tuple[str, ...]
    metrics: tuple[str, ...]
    last_months: int
    k_min: int
    frequency: Span
    max_uses: int
    data_life: Span
    derive: tuple[str, ...]
    notice_uri: str
    notice_hash: bytes
    notice_language: str
    jurisdiction: str
    storage: str
    withdraw: str
    bundle: str
    replaces: bytes | None = None
    evidence: bytes | None = None
    """SHA-256 of the paper that its consumer vouches for; None where its subject has signed."""


def hash_consent(token: str) -> bytes:
    """Return the artefact's name, SHA-256 of the compact JWS."""
    return sha256(token.encode("ascii"))


def commit_subject(subject: SubjectId, *, salt: bytes) -> bytes:
    """Return the subject's commitment, SHA-256(salt ‖ subject id)."""
    return sha256(salt, str(subject).encode("utf-8"))


def commit_document(document: bytes, *, salt: bytes) -> bytes:
    """Return what the registry shows of a document, SHA-256(salt ‖ SHA-256 of the document).

    With the subject's salt: without it nobody can find a customer by its published papers.
    """
    return sha256(salt, document)


def sign_consent(consent: Consent, *, key: SigningKey) -> str:
    """Sign an artefact after checking it against its purpose's ceilings, and those of a paper.

    Raises:
        OverCeilingError: It allows more than its purpose.
        SchemaError: A claim is out of bounds.
    """
    return sign_compact(encode_consent(consent), key=key, typ=CONSENT_TYP)


def encode_consent(consent: Consent) -> bytes:
    """Return the payload that a signature is made over, for whoever signs elsewhere.

    Raises:
        OverCeilingError: It allows more than its purpose.
        SchemaError: A claim is out of bounds.
    """
    payload = canonical_json(_format_consent(consent))
    check_ceilings(_parse_consent(payload))
    return payload


def open_consent(token: str, *, find_key: Callable[[str], PublicKey]) -> Consent:
    """Verify an artefact.

    ``find_key`` knows the keys of the registry that may sign consents; the caller then checks that
    this one may sign for this subject (``protocol.consent_signer``).

    Raises:
        MalformedError: Not the specified form.
        SignatureInvalidError: The signature does not verify.
        SchemaError: A claim is missing, unknown or wrong.
        OverCeilingError: It allows more than its purpose.
    """
    payload, _ = open_compact(
        token, typ=CONSENT_TYP, find_key=find_key, bytes_max=STATEMENT_BYTES_MAX
    )
    consent = _parse_consent(payload)
    check_ceilings(consent)
    return consent


def read_held_consent(token: str) -> Consent:
    """Read the claims of an artefact that was verified when it was taken in.

    Raises:
        ProtocolError: It has not the specified form.
    """
    return _parse_consent(split_compact(token, bytes_max=STATEMENT_BYTES_MAX).payload)


def read_held_derivations(token: str) -> tuple[str, ...]:
    """Read of an artefact that was verified when it was taken in only what may be derived.

    Raises:
        ProtocolError: It has not the specified form.
    """
    payload = split_compact(token, bytes_max=STATEMENT_BYTES_MAX).payload
    reader = ShapeReader(parse_object(payload), what="consent")
    return reader.texts("derive", count_max=len(DERIVATIONS), allowed=DERIVATIONS)


def check_ceilings(consent: Consent) -> None:
    """Check a consent against the template that it pins, and against what a paper may allow.

    Raises:
        OverCeilingError: The template is unknown or allows less, or a paper does.
    """
    purpose, template = consent.purpose, TEMPLATES.get(consent.purpose.code)
    if template is None or (purpose.template, purpose.template_hash) != (
        template.template,
        template.hash,
    ):
        raise OverCeilingError("the purpose's template is not known here")
    check_against(consent, template)
    if consent.evidence is not None:
        _check_vouched(consent)


def check_against(consent: Consent, template: PurposeTemplate) -> None:
    """Check a consent against a template.

    Raises:
        OverCeilingError: The template allows less.
    """
    if consent.last_months > template.months_max:
        raise OverCeilingError(
            f"{consent.last_months} months, the purpose allows {template.months_max}"
        )
    if consent.max_uses > template.uses_max:
        raise OverCeilingError(f"{consent.max_uses} uses, the purpose allows {template.uses_max}")
    if not 0 < consent.exp - consent.nbf <= template.life_s_max:
        raise OverCeilingError(
            f"a life of {consent.exp - consent.nbf} s, the purpose allows {template.life_s_max}"
        )
    _check_content(consent, template)


def _check_content(consent: Consent, template: PurposeTemplate) -> None:
    if not set(consent.ops) <= set(template.ops):
        raise OverCeilingError("an operation that the purpose does not allow")
    if not set(consent.metrics) <= set(template.metrics):
        raise OverCeilingError("a metric that the purpose does not allow")
    if consent.k_min < template.k_min:
        raise OverCeilingError(f"k_min {consent.k_min}, the purpose asks for {template.k_min}")
    if consent.data_life.longest_s > template.data_life_s_max:
        raise OverCeilingError(
            f"data kept up to {consent.data_life.longest_s} s, "
            f"the purpose allows {template.data_life_s_max}"
        )
    if not set(consent.derive) <= set(template.derive):
        raise OverCeilingError("a derivation that the purpose does not allow")


def _check_vouched(consent: Consent) -> None:
    """Check what a consent may allow at most where only a paper shows what the subject said."""
    if consent.basis not in _VOUCHED_BASES:
        raise OverCeilingError(f"a paper is no ground for the basis {consent.basis}")
    if consent.exp - consent.nbf > VOUCHED_LIFE_S_MAX:
        raise OverCeilingError(
            f"a life of {consent.exp - consent.nbf} s, a paper allows {VOUCHED_LIFE_S_MAX}"
        )
    if consent.max_uses > VOUCHED_USES_MAX:
        raise OverCeilingError(f"{consent.max_uses} uses, a paper allows {VOUCHED_USES_MAX}")
    if not set(consent.ops) <= _VOUCHED_OPS:
        raise OverCeilingError("an operation that a paper does not allow")
    if not set(consent.metrics) <= _VOUCHED_METRICS:
        raise OverCeilingError("a metric that a paper does not allow")


def _format_consent(consent: Consent) -> JsonObject:
    claims: JsonObject = {
        "v": 1,
        "id": consent.id,
        "iat": consent.iat,
        "nbf": consent.nbf,
        "exp": consent.exp,
        "basis": consent.basis,
        "basis_ref": consent.basis_ref,
        "subject": encode_b64u(consent.subject),
        "consumer": consent.consumer,
        "onward": "none",
        "provider": consent.provider,
        "purpose": {
            "code": consent.purpose.code,
            "template": consent.purpose.template,
            "template_hash": encode_b64u(consent.purpose.template_hash),
            "text": consent.purpose.text,
        },
        "ops": list(consent.ops),
        "metrics": list(consent.metrics),
        "range": {"last_months": consent.last_months, "gran": "month", "k_min": consent.k_min},
        "freq": consent.frequency.to_object(),
        "max_uses": consent.max_uses,
        "data_life": consent.data_life.to_object(),
        "derive": list(consent.derive),
        "notice": {
            "uri": consent.notice_uri,
            "hash": encode_b64u(consent.notice_hash),
            "lang": consent.notice_language,
        },
        "jurisdiction": consent.jurisdiction,
        "storage": consent.storage,
        "withdraw": consent.withdraw,
        "bundle": consent.bundle,
    }
    if consent.replaces is not None:
        claims["replaces"] = encode_b64u(consent.replaces)
    if consent.evidence is not None:
        claims["evidence"] = encode_b64u(consent.evidence)
    return claims


def _parse_consent(payload: bytes) -> Consent:
    reader = ShapeReader(parse_object(payload), what="consent")
    reader.integer("v", low=1, high=1)
    purpose, ranges, notice = reader.inner("purpose"), reader.inner("range"), reader.inner("notice")
    reader.choice("onward", {"none"})
    ranges.choice("gran", {"month"})
    consent = Consent(
        id=reader.text("id", characters_max=64),
        iat=reader.integer("iat"),
        nbf=reader.integer("nbf"),
        exp=reader.integer("exp"),
        basis=reader.choice("basis", _BASES),
        basis_ref=reader.text("basis_ref", characters_max=CONSENT_TEXT_CHARACTERS_MAX),
        subject=reader.octets("subject"),
        consumer=reader.text("consumer", characters_max=MEMBER_ID_CHARACTERS_MAX),
        provider=reader.text("provider", characters_max=MEMBER_ID_CHARACTERS_MAX),
        purpose=Purpose(
            code=purpose.text("code", characters_max=8),
            template=purpose.text("template", characters_max=64),
            template_hash=purpose.octets("template_hash"),
            text=purpose.text("text", characters_max=CONSENT_TEXT_CHARACTERS_MAX),
        ),
        ops=reader.texts("ops", count_max=len(_OPS), allowed=_OPS),
        metrics=reader.texts("metrics", count_max=len(METRICS), allowed=METRICS),
        last_months=ranges.integer("last_months", low=1, high=CONSENT_MONTHS_MAX),
        k_min=ranges.integer("k_min", low=1, high=1000),
        frequency=parse_span(reader.inner("freq")),
        max_uses=reader.integer("max_uses", low=1, high=CONSENT_USES_MAX),
        data_life=parse_span(reader.inner("data_life")),
        derive=reader.texts("derive", count_max=len(DERIVATIONS), allowed=DERIVATIONS),
        notice_uri=notice.text("uri"),
        notice_hash=notice.octets("hash"),
        notice_language=notice.text("lang", characters_max=16),
        jurisdiction=reader.text("jurisdiction", characters_max=16),
        storage=reader.text("storage", characters_max=64),
        withdraw=reader.text("withdraw"),
        bundle=reader.text("bundle", characters_max=64),
        replaces=reader.octets("replaces") if reader.has("replaces") else None,
        evidence=reader.octets("evidence") if reader.has("evidence") else None,
    )
    for part in (purpose, ranges, notice, reader):
        part.finish()
    if not consent.metrics or not consent.ops:
        raise SchemaError("consent: names no metric or no operation")
    return consent
