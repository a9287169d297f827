"""The subject's consent: one immutable statement a provider, and statements that change its state.

Signed by a key that the registry binds to the subject's commitment SHA-256(salt ‖ subject id).
Subject id and salt travel beside the artefact and can be erased, so that a redacted bundle still
carries it. The status list is keyed by the consent's hash.
``check_use`` is check 9: pure, in order, the same at the provider, the consumer and the auditor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

from protocol.encoding import encode_b64u, sha256
from protocol.errors import SchemaError
from protocol.identifiers import SubjectId
from protocol.jws import open_compact, sign_compact
from protocol.keys import PublicKey, SigningKey
from protocol.limits import (
    CONSENT_MONTHS_MAX,
    CONSENT_TEXT_CHARACTERS_MAX,
    CONSENT_USES_MAX,
    MEMBER_ID_CHARACTERS_MAX,
    STATEMENT_BYTES_MAX,
)
from protocol.problems import (
    ConsentExhaustedError,
    ConsentExpiredError,
    ConsentNotYetValidError,
    ConsentPausedError,
    ConsentReplacedError,
    ConsentRevokedError,
    FrequencyError,
    MetricNotAllowedError,
    OperationNotAllowedError,
    OverCeilingError,
    PeerProblemError,
    PurposeMismatchError,
    WrongConsumerError,
    WrongProviderError,
)
from protocol.purpose import METRICS, TEMPLATES
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, canonical_json, parse_object

CONSENT_TYP = "cx-consent+jws"
STATUS_TYP = "cx-consent-status+jws"
STATUS_LIST_TYP = "cx-status-list+jws"
_UNITS = frozenset({"hour", "day", "month", "year"})
_BASES = frozenset({"subject-consent", "contract-clause", "member-agreement", "legal"})
_OPS = frozenset({"query", "push"})


class ConsentState(StrEnum):
    """States of a consent; the last four are final."""

    ACTIVE = "active"
    PAUSED = "paused"
    REVOKED = "revoked"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"
    REPLACED = "replaced"


FINAL_STATES = frozenset(
    {ConsentState.REVOKED, ConsentState.EXPIRED, ConsentState.EXHAUSTED, ConsentState.REPLACED}
)
TRANSITIONS = MappingProxyType(
    {
        ConsentState.ACTIVE: frozenset(ConsentState) - {ConsentState.ACTIVE},
        ConsentState.PAUSED: frozenset(ConsentState) - {ConsentState.PAUSED},
    }
    | dict.fromkeys(FINAL_STATES, frozenset[ConsentState]())
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A number of calendar units (UTC)."""

    unit: str
    n: int


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentStatus:
    """A signed change of state; a lower ``seq`` never wins."""

    consent: bytes
    seq: int
    state: ConsentState
    iat: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a query asks of a consent."""

    consumer: str
    provider: str
    purpose: str
    op: str
    metrics: Collection[str]
    last_months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a consent stands when it is used: state, uses so far, uses in the present window."""

    state: ConsentState
    uses: int
    uses_in_window: int


def hash_consent(token: str) -> bytes:
    """Return the artefact's name, SHA-256 of the compact JWS."""
    return sha256(token.encode("ascii"))


def commit_subject(subject: SubjectId, *, salt: bytes) -> bytes:
    """Return the subject's commitment, SHA-256(salt ‖ subject id)."""
    return sha256(salt, str(subject).encode("utf-8"))


def sign_consent(consent: Consent, *, key: SigningKey) -> str:
    """Sign an artefact after checking it against its purpose's ceilings.

    Raises:
        OverCeilingError: It allows more than its purpose.
        SchemaError: A claim is out of bounds.
    """
    payload = canonical_json(_format_consent(consent))
    check_ceilings(_parse_consent(payload))
    return sign_compact(payload, key=key, typ=CONSENT_TYP)


def open_consent(token: str, *, find_key: Callable[[str], PublicKey]) -> Consent:
    """Verify an artefact.

    ``find_key`` knows the keys that the registry binds to the subject; the caller then compares
    ``subject`` with the commitment that the key belongs to.

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


def check_ceilings(consent: Consent) -> None:
    """Check a consent against the template that it pins.

    Raises:
        OverCeilingError: The template is unknown or allows less.
    """
    purpose, template = consent.purpose, TEMPLATES.get(consent.purpose.code)
    if template is None or (purpose.template, purpose.template_hash) != (
        template.template,
        template.hash,
    ):
        raise OverCeilingError("the purpose's template is not known here")
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
    if not set(consent.ops) <= set(template.ops):
        raise OverCeilingError("an operation that the purpose does not allow")


_STATE_ERRORS: MappingProxyType[ConsentState, type[PeerProblemError]] = MappingProxyType(
    {
        ConsentState.REVOKED: ConsentRevokedError,
        ConsentState.PAUSED: ConsentPausedError,
        ConsentState.EXPIRED: ConsentExpiredError,
        ConsentState.EXHAUSTED: ConsentExhaustedError,
        ConsentState.REPLACED: ConsentReplacedError,
    }
)


def check_use(consent: Consent, *, use: Use, standing: Standing, now_s: int) -> None:
    """Check one use of a verified consent (check 9); the first failing check wins.

    Raises:
        PeerProblemError: The leaf that says which condition fails.
    """
    # Strangers first: who is not a party learns nothing of the state.
    if use.consumer != consent.consumer:
        raise WrongConsumerError("the consent names another consumer")
    if use.provider != consent.provider:
        raise WrongProviderError("the consent names another provider")
    _check_standing(consent, standing=standing, now_s=now_s)
    if use.purpose != consent.purpose.code:
        raise PurposeMismatchError(f"asked for {use.purpose}, given for {consent.purpose.code}")
    if use.op not in consent.ops:
        raise OperationNotAllowedError(f"{use.op} is not among the operations")
    if not set(use.metrics) <= set(consent.metrics):
        raise MetricNotAllowedError(", ".join(sorted(set(use.metrics) - set(consent.metrics))))
    if use.last_months > consent.last_months:
        raise OverCeilingError(f"{use.last_months} months asked for, {consent.last_months} allowed")
    if standing.uses_in_window >= consent.frequency.n:
        raise FrequencyError(f"{consent.frequency.n} uses a {consent.frequency.unit}")


def _check_standing(consent: Consent, *, standing: Standing, now_s: int) -> None:
    error = _STATE_ERRORS.get(standing.state)
    if error is not None:
        raise error(f"the consent is {standing.state.value}")
    if now_s < consent.nbf:
        raise ConsentNotYetValidError(f"valid from {consent.nbf}")
    if now_s >= consent.exp:
        raise ConsentExpiredError(f"valid until {consent.exp}")
    if standing.uses >= consent.max_uses:
        raise ConsentExhaustedError(f"all {consent.max_uses} uses are used")


def window_start(span: Span, *, now_s: int) -> int:
    """Return the beginning of the calendar window (UTC) that holds ``now_s``."""
    moment = datetime.fromtimestamp(now_s, tz=UTC).replace(minute=0, second=0, microsecond=0)
    if span.unit != "hour":
        moment = moment.replace(hour=0)
    if span.unit in {"month", "year"}:
        moment = moment.replace(day=1)
    if span.unit == "year":
        moment = moment.replace(month=1)
    return int(moment.timestamp())


def sign_status(status: ConsentStatus, *, key: SigningKey) -> str:
    """Sign a change of state."""
    claims: JsonObject = {
        "v": 1,
        "consent": encode_b64u(status.consent),
        "seq": status.seq,
        "state": status.state.value,
        "iat": status.iat,
        "by": status.by,
        "reason": status.reason,
    }
    return sign_compact(canonical_json(claims), key=key, typ=STATUS_TYP)


def open_status(token: str, *, find_key: Callable[[str], PublicKey]) -> tuple[ConsentStatus, str]:
    """Verify a change of state; return it and its signer's ``kid``, whose right the caller checks.

    Raises:
        MalformedError: Not the specified form.
        SignatureInvalidError: The signature does not verify.
        SchemaError: A claim is missing, unknown or wrong.
    """
    payload, header = open_compact(
        token, typ=STATUS_TYP, find_key=find_key, bytes_max=STATEMENT_BYTES_MAX
    )
    reader = ShapeReader(parse_object(payload), what="status")
    reader.integer("v", low=1, high=1)
    status = ConsentStatus(
        consent=reader.octets("consent"),
        seq=reader.integer("seq", low=1),
        state=ConsentState(reader.choice("state", {state.value for state in ConsentState})),
        iat=reader.integer("iat"),
        by=reader.choice("by", {"subject", "provider", "hub"}),
        reason=reader.text("reason", characters_max=CONSENT_TEXT_CHARACTERS_MAX),
    )
    reader.finish()
    return status, header.kid


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
        "freq": {"unit": consent.frequency.unit, "n": consent.frequency.n},
        "max_uses": consent.max_uses,
        "data_life": {"unit": consent.data_life.unit, "n": consent.data_life.n},
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
        frequency=_parse_span(reader.inner("freq")),
        max_uses=reader.integer("max_uses", low=1, high=CONSENT_USES_MAX),
        data_life=_parse_span(reader.inner("data_life")),
        derive=reader.texts("derive", count_max=3, allowed={"rating", "alert", "model"}),
        notice_uri=notice.text("uri"),
        notice_hash=notice.octets("hash"),
        notice_language=notice.text("lang", characters_max=16),
        jurisdiction=reader.text("jurisdiction", characters_max=16),
        storage=reader.text("storage", characters_max=64),
        withdraw=reader.text("withdraw"),
        bundle=reader.text("bundle", characters_max=64),
        replaces=reader.octets("replaces") if reader.has("replaces") else None,
    )
    for part in (purpose, ranges, notice, reader):
        part.finish()
    if not consent.metrics or not consent.ops:
        raise SchemaError("consent: names no metric or no operation")
    return consent


def _parse_span(reader: ShapeReader) -> Span:
    span = Span(
        unit=reader.choice("unit", _UNITS), n=reader.integer("n", low=1, high=CONSENT_USES_MAX)
    )
    reader.finish()
    return span
