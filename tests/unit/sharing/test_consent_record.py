"""A consent as a record for regulators: every field of ISO/IEC TS 27560, and never a signature."""

from __future__ import annotations

import json

import pytest

from node.sharing.consent_record import (
    ConsentEvent,
    build_json_ld,
    build_record,
    format_period,
)
from protocol.consent import ConsentState, Span
from protocol.encoding import encode_b64u
from tests.support.forging import build_consent
from tests.support.nodes import NOW_S, SUBJECT, SUBJECT_SALT

CONSENT = build_consent(now_s=NOW_S)
NAME = b"\x07" * 32
EVENT = ConsentEvent(
    state=ConsentState.REVOKED, at_s=NOW_S + 60, signer="subject", reason="withdrawn"
)
MANDATORY = {
    "schema_version", "record_id", "pii_principal_id", "privacy_notice", "purposes",
    "pii_information", "pii_controllers", "recipients", "storage_location", "retention_period",
    "jurisdiction", "withdrawal_method", "lawful_basis", "state", "events",
}  # fmt: skip


def test_the_plain_record_has_every_field_of_27560() -> None:
    record = build_record(CONSENT, name=NAME, state=ConsentState.REVOKED, events=[EVENT])

    assert set(record) >= MANDATORY
    assert (record["record_id"], record["state"]) == (encode_b64u(NAME), "revoked")
    assert record["retention_period"] == "P12M"
    assert record["events"] == [
        {
            "event_time": "2026-09-21T14:14:20Z",
            "event_type": "revoked",
            "entity": "subject",
            "reason": "withdrawn",
        }
    ]


@pytest.mark.parametrize("build", [build_record, build_json_ld])
def test_no_record_names_the_subject_or_is_signed(build: type) -> None:
    text = json.dumps(build(CONSENT, name=NAME, state=ConsentState.ACTIVE, events=[]))

    assert str(SUBJECT) not in text
    assert encode_b64u(SUBJECT_SALT) not in text
    assert "signature" not in text
    assert "proof" not in text


def test_json_ld_says_it_in_the_terms_of_the_vocabulary() -> None:
    record = build_json_ld(CONSENT, name=NAME, state=ConsentState.REVOKED, events=[EVENT])

    assert record["@type"] == "dpv:ConsentRecord"
    assert record["@id"] == f"urn:chengxin:consent:{encode_b64u(NAME)}"
    assert record["dpv:hasRecipient"] == {"dct:identifier": "alpha.example"}
    statuses = record["dpv:hasConsentStatus"]
    assert isinstance(statuses, list)
    assert [one["@type"] for one in statuses if isinstance(one, dict)] == [
        "dpv:ConsentWithdrawn",
        "dpv:ConsentWithdrawn",
    ]


@pytest.mark.parametrize("state", ConsentState)
def test_every_state_has_a_word(state: ConsentState) -> None:
    record = build_json_ld(CONSENT, name=NAME, state=state, events=[])

    assert record["dpv:hasConsentStatus"]


@pytest.mark.parametrize(
    ("unit", "period"), [("hour", "PT2H"), ("day", "P2D"), ("month", "P2M"), ("year", "P2Y")]
)
def test_a_span_is_an_iso_8601_duration(unit: str, period: str) -> None:
    assert format_period(Span(unit=unit, n=2)) == period
