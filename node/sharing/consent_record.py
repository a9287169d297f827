"""A consent as a record for regulators: the fields of ISO/IEC TS 27560, plain or in DPV's words.

Derived from the artefact and its signed statuses for people and their tools, and never signed: what
counts is the artefact, which the record names by its hash (docs/protocol/consent.md §9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from protocol.consent import Consent, ConsentState, Span
from protocol.encoding import encode_b64u
from protocol.strict_json import JsonObject, JsonValue

RECORD_SCHEMA = "ISO/IEC TS 27560"
_LEGAL_BASES = {
    "subject-consent": "dpv:Consent",
    "contract-clause": "dpv:Contract",
    "member-agreement": "dpv:LegitimateInterest",
    "legal": "dpv:LegalObligation",
}
_STATUSES = {
    ConsentState.ACTIVE: "dpv:ConsentGiven",
    ConsentState.PAUSED: "dpv:ConsentUnknown",
    ConsentState.REVOKED: "dpv:ConsentWithdrawn",
    ConsentState.EXPIRED: "dpv:ConsentExpired",
    ConsentState.EXHAUSTED: "dpv:ConsentExpired",
    ConsentState.REPLACED: "dpv:ConsentInvalidated",
}
_PERIODS = {"hour": ("PT", "H"), "day": ("P", "D"), "month": ("P", "M"), "year": ("P", "Y")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent:
    """A change of state as its signer stated it."""

    state: ConsentState
    at_s: int
    signer: str
    reason: str


def build_record(
    consent: Consent, *, name: bytes, state: ConsentState, events: Sequence[ConsentEvent]
) -> JsonObject:
    """Return the record with 27560's fields in plain words."""
    return {
        "schema_version": RECORD_SCHEMA,
        "record_id": encode_b64u(name),
        "pii_principal_id": encode_b64u(consent.subject),
        "collected_at": _format_time(consent.iat),
        "valid_from": _format_time(consent.nbf),
        "valid_until": _format_time(consent.exp),
        "lawful_basis": consent.basis,
        "lawful_basis_reference": consent.basis_ref,
        "indication": _describe_indication(consent),
        "privacy_notice": {
            "uri": consent.notice_uri,
            "sha256": encode_b64u(consent.notice_hash),
            "language": consent.notice_language,
        },
        "purposes": [
            {
                "purpose": consent.purpose.text,
                "purpose_code": consent.purpose.code,
                "template": consent.purpose.template,
                "template_sha256": encode_b64u(consent.purpose.template_hash),
                "operations": list(consent.ops),
                "derivations": list(consent.derive),
                "uses_max": consent.max_uses,
                "frequency": {"per": consent.frequency.unit, "times": consent.frequency.n},
            }
        ],
        "pii_information": [
            {"type": metric, "months": consent.last_months, "invoices_min": consent.k_min}
            for metric in consent.metrics
        ],
        "pii_controllers": [{"party_id": consent.provider, "party_type": "provider"}],
        "recipients": [{"party_id": consent.consumer, "party_type": "consumer", "onward": "none"}],
        "storage_location": consent.storage,
        "retention_period": format_period(consent.data_life),
        "jurisdiction": consent.jurisdiction,
        "withdrawal_method": consent.withdraw,
        "state": state.value,
        "events": [
            {
                "event_time": _format_time(event.at_s),
                "event_type": event.state.value,
                "entity": event.signer,
                "reason": event.reason,
            }
            for event in events
        ],
        "signed": False,
    }


def build_json_ld(
    consent: Consent, *, name: bytes, state: ConsentState, events: Sequence[ConsentEvent]
) -> JsonObject:
    """Return the record as JSON-LD with the terms of the W3C Data Privacy Vocabulary."""
    statuses: list[JsonValue] = [
        {
            "@type": _STATUSES[event.state],
            "dct:date": _format_time(event.at_s),
            "dpv:isIndicatedBy": event.signer,
            "dct:description": event.reason,
        }
        for event in events
    ]
    return {
        "@context": {
            "dct": "http://purl.org/dc/terms/",
            "dpv": "https://w3id.org/dpv#",
            "cx": "urn:chengxin:consent:",
        },
        "@id": f"urn:chengxin:consent:{encode_b64u(name)}",
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": RECORD_SCHEMA,
        "dct:created": _format_time(consent.iat),
        "dct:valid": f"{_format_time(consent.nbf)}/{_format_time(consent.exp)}",
        "dpv:hasLegalBasis": {
            "@type": _LEGAL_BASES[consent.basis],
            "dct:description": consent.basis_ref,
        },
        **_indicate(consent),
        "dpv:hasDataSubject": {"dct:identifier": encode_b64u(consent.subject)},
        "dpv:hasDataController": {"dct:identifier": consent.provider},
        "dpv:hasRecipient": {"dct:identifier": consent.consumer},
        "dpv:hasPurpose": {
            "dct:identifier": consent.purpose.template,
            "dct:description": consent.purpose.text,
            "cx:template_sha256": encode_b64u(consent.purpose.template_hash),
        },
        "dpv:hasPersonalData": [f"cx:{metric}" for metric in consent.metrics],
        "dpv:hasProcessing": [f"cx:{one}" for one in (*consent.ops, *consent.derive)],
        "dpv:hasNotice": {
            "dct:identifier": consent.notice_uri,
            "dct:language": consent.notice_language,
            "cx:sha256": encode_b64u(consent.notice_hash),
        },
        "dpv:hasStorageCondition": {
            "dpv:hasLocation": consent.storage,
            "dpv:hasDuration": format_period(consent.data_life),
        },
        "dpv:hasFrequency": f"{consent.frequency.n}/{consent.frequency.unit}",
        "dpv:hasJurisdiction": consent.jurisdiction,
        "dpv:hasWithdrawalMethod": consent.withdraw,
        "dpv:hasConsentStatus": [{"@type": _STATUSES[state]}, *statuses],
    }


def _describe_indication(consent: Consent) -> JsonObject:
    """Say how the subject gave it: by its key, or on a paper that is vouched for."""
    if consent.evidence is None:
        return {"method": "key", "by": "subject"}
    return {"method": "paper", "by": consent.consumer, "sha256": consent.evidence.hex()}


def _indicate(consent: Consent) -> JsonObject:
    if consent.evidence is None:
        return {"dpv:hasIndicationMethod": "key of the subject"}
    return {
        "dpv:hasIndicationMethod": "paper, vouched for by the recipient",
        "dpv:isIndicatedBy": consent.consumer,
        "cx:evidence_sha256": consent.evidence.hex(),
    }


def format_period(span: Span) -> str:
    """Return a span as an ISO 8601 duration."""
    before, after = _PERIODS[span.unit]
    return f"{before}{span.n}{after}"


def _format_time(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, tz=UTC).isoformat().replace("+00:00", "Z")
