"""Signed changes of a consent's state (docs/protocol/consent.md §5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protocol.consent.states import ConsentState, StatusSigner
from protocol.encoding import encode_b64u
from protocol.jws import open_compact, sign_compact, split_compact
from protocol.keys import PublicKey, SigningKey
from protocol.limits import CONSENT_TEXT_CHARACTERS_MAX, STATEMENT_BYTES_MAX
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, canonical_json, parse_object

STATUS_TYP = "cx-consent-status+jws"
STATUS_LIST_TYP = "cx-status-list+jws"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentStatus:
    """A signed change of state; a lower ``seq`` of the same signer never wins."""

    consent: bytes
    seq: int
    state: ConsentState
    iat: int
    by: str
    reason: str


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
    return _parse_status(payload), header.kid


def read_held_status(token: str) -> ConsentStatus:
    """Read the claims of a status that was verified when it was taken.

    Raises:
        ProtocolError: It has not the specified form.
    """
    return _parse_status(split_compact(token, bytes_max=STATEMENT_BYTES_MAX).payload)


def _parse_status(payload: bytes) -> ConsentStatus:
    reader = ShapeReader(parse_object(payload), what="status")
    reader.integer("v", low=1, high=1)
    status = ConsentStatus(
        consent=reader.octets("consent"),
        seq=reader.integer("seq", low=1),
        state=ConsentState(reader.choice("state", {state.value for state in ConsentState})),
        iat=reader.integer("iat"),
        by=reader.choice("by", {signer.value for signer in StatusSigner}),
        reason=reader.text("reason", characters_max=CONSENT_TEXT_CHARACTERS_MAX),
    )
    reader.finish()
    return status
