"""The frozen bytes of tests/conformance/fixtures: they must be read for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from protocol.audit.findings import Verdict
from protocol.bundle import parse_bundle_files
from protocol.checkpoint import open_checkpoint
from protocol.consent import (
    commit_subject,
    hash_consent,
    open_consent,
    open_status,
)
from protocol.cosignature import adopt_cosignatures, decide_cosign, parse_add_checkpoint
from protocol.enrolment import (
    open_leaving,
    open_member_enrolment,
    open_subject_enrolment,
    open_unkeyed_enrolment,
)
from protocol.entry import KnownKind, UnknownEntry, format_entry, parse_entry
from protocol.exchange import check_content, open_request
from protocol.jws import split_compact
from protocol.keychange import open_key_change
from protocol.keys import PublicKey
from protocol.limits import ANSWER_BYTES_MAX, MESSAGE_BYTES_MAX
from protocol.log_policy import open_witnessed, parse_log_policy
from protocol.log_proof import parse_log_proof, verify_log_proof
from protocol.manifest import open_manifest
from protocol.message import OPERATIONS, Envelope, parse_envelope, parse_message
from protocol.note import SignatureKind, VerifierKey
from protocol.registry import Registry, open_registry
from protocol.status_list import open_status_list
from schemas.exchange import (
    ConsentHeldBody,
    ConsentPutBody,
    ProblemBody,
    QueryBody,
    ReceiptHeldBody,
)
from schemas.notices import AckBody, CorrectBody, EraseBody, PushBody
from schemas.summary import Summary
from schemas.wire import WireModel
from tests.support.auditing import audit
from tests.support.federation_parts import HUB, HUB_KEY, NOW_S, WITNESS
from tests.support.fixture_parts import ALPHA, BETA
from tests.support.fixtures import build_fixtures

V1 = Path(__file__).with_name("fixtures") / "v1"
MESSAGES = sorted(path.name for path in (V1 / "message").iterdir())
ENTRIES = sorted(path.name for path in (V1 / "entry").iterdir())
BODIES: dict[str, type[WireModel]] = {
    "consent-put.json": ConsentPutBody,
    "consent-put.answer.json": ConsentHeldBody,
    "query.json": QueryBody,
    "query.answer.json": Summary,
    "query-refused.json": QueryBody,
    "query-refused.problem.json": ProblemBody,
    "receipt.answer.json": ReceiptHeldBody,
    "push.json": PushBody,
    "push.ack.json": AckBody,
    "correct.json": CorrectBody,
    "correct.ack.json": AckBody,
    "erase.json": EraseBody,
    "erase.ack.json": AckBody,
}


@pytest.fixture(scope="module")
def registry() -> Registry:
    tokens = json.loads((V1 / "statement/registry.json").read_bytes())["tokens"]
    return open_registry(tokens, anchors=[HUB_KEY.public])


def read_tokens(name: str) -> list[str]:
    tokens: list[str] = json.loads((V1 / "statement" / name).read_bytes())["tokens"]
    return tokens


def read_text(path: str) -> str:
    return (V1 / path).read_text(encoding="utf-8")


def read_envelope(name: str) -> Envelope:
    message = parse_message((V1 / "message" / name).read_bytes(), bytes_max=MESSAGE_BYTES_MAX)
    return parse_envelope(split_compact(message.env).payload)


def log_key(registry: Registry, member: str) -> VerifierKey:
    origin, key = registry.get_log_key(member)
    return VerifierKey(name=origin, kind=SignatureKind.ED25519, public=key)


def test_making_them_anew_gives_the_same_bytes() -> None:
    stored = {
        path.relative_to(V1).as_posix(): path.read_bytes()
        for path in V1.rglob("*")
        if path.is_file()
    }

    assert build_fixtures() == stored


def test_there_is_one_of_every_operation_and_kind() -> None:
    operations = {read_envelope(name).op for name in MESSAGES}
    kinds = {type(parse_entry((V1 / "entry" / name).read_bytes())) for name in ENTRIES}

    assert operations == set(OPERATIONS)
    assert kinds == set(get_args(KnownKind))


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_passes_every_check_of_its_form(registry: Registry, name: str) -> None:
    raw = (V1 / "message" / name).read_bytes()
    message = parse_message(raw, bytes_max=2 * ANSWER_BYTES_MAX)
    audience = read_envelope(name).aud

    envelope = open_request(message, registry=registry, audience=audience, now_s=NOW_S)
    check_content(
        message,
        envelope,
        registry=registry,
        find_registry={registry.seq: (registry.hash, registry.iat, registry.exp)}.get,
        now_s=NOW_S,
    )

    assert message.to_bytes() == raw


@pytest.mark.parametrize("name", BODIES)
def test_a_body_fits_its_schema_in_its_canonical_form(name: str) -> None:
    message = parse_message((V1 / "message" / name).read_bytes(), bytes_max=MESSAGE_BYTES_MAX)

    assert BODIES[name].from_bytes(message.body).to_bytes() == message.body


@pytest.mark.parametrize("name", [name for name in MESSAGES if name.count(".") > 1])
def test_a_reply_is_bound_to_its_request(name: str) -> None:
    asked = f"{name.partition('.')[0]}.json"
    request = parse_message((V1 / "message" / asked).read_bytes(), bytes_max=MESSAGE_BYTES_MAX)

    assert read_envelope(name).req == request.msg_hash


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_is_understood_and_written_back(name: str) -> None:
    raw = (V1 / "entry" / name).read_bytes()

    entry = parse_entry(raw)

    assert not isinstance(entry, UnknownEntry)
    assert format_entry(entry) == raw


def test_the_statements_open(registry: Registry) -> None:
    def find_subject(kid: str) -> PublicKey:
        found = registry.find_subject_key(kid)
        assert found is not None
        return found[1].key

    def find_member(kid: str) -> PublicKey:
        return registry.get_message_key(kid, now_s=NOW_S)[1]

    token = read_text("statement/consent.jws")
    consent = open_consent(token, find_key=find_subject)
    status, _ = open_status(read_text("statement/consent-status.jws"), find_key=find_subject)
    listed = open_status_list(
        read_text("statement/status-list.jws"), find_key=registry.get_hub_key, now_s=NOW_S
    )
    manifest = open_manifest(read_text("statement/manifest.jws"), find_key=find_member)

    assert (consent.consumer, consent.provider) == (ALPHA, BETA)
    assert (status.consent, status.state.value) == (hash_consent(token), "revoked")
    assert listed.entries == (read_text("statement/consent-status.jws"),)
    assert [item.outcome for item in manifest.items] == ["200"]


def test_the_enrolments_and_the_change_of_a_key_open(registry: Registry) -> None:
    member = open_member_enrolment(read_tokens("enrolment-member.json"), hub=HUB, now_s=NOW_S)
    subject = open_subject_enrolment(read_tokens("enrolment-subject.json"), hub=HUB, now_s=NOW_S)
    key = registry.get_message_key(member.keys["message"].kid, now_s=NOW_S)[1]
    leaving = open_leaving(
        read_text("statement/leaving.jws"), hub=HUB, now_s=NOW_S, find_key=lambda _kid: key
    )
    change = open_key_change(read_tokens("key-change.json"), find_key=lambda _kid: key)

    assert (member.member, leaving.member, change.change.member) == (ALPHA, ALPHA, ALPHA)
    assert subject.key.kid in {entry.key.kid for one in registry.subjects for entry in one.keys}


def test_what_a_consumer_signs_for_a_customer_without_a_key_opens(registry: Registry) -> None:
    def find_member(kid: str) -> PublicKey:
        return registry.get_message_key(kid, now_s=NOW_S)[1]

    token = read_text("statement/consent-vouched.jws")
    enrolment = open_unkeyed_enrolment(
        read_text("statement/enrolment-unkeyed.jws"), hub=HUB, now_s=NOW_S, find_key=find_member
    )
    consent = open_consent(token, find_key=find_member)
    status, _ = open_status(read_text("statement/consent-vouched-status.jws"), find_key=find_member)

    assert consent.subject == commit_subject(enrolment.subject, salt=enrolment.salt)
    assert (enrolment.member, consent.consumer, consent.evidence is None) == (ALPHA, ALPHA, False)
    assert (status.consent, status.by) == (hash_consent(token), "consumer")


def test_the_texts_of_a_log_hold(registry: Registry) -> None:
    vkey = log_key(registry, BETA)
    note = read_text("log/checkpoint")
    policy = parse_log_policy((V1 / "log/policy").read_bytes())
    entry = parse_log_proof(read_text("log/proof")).extra or b""

    checkpoint = open_checkpoint(note, vkey=vkey)
    index, head = verify_log_proof(read_text("log/proof"), entry=entry, trust=vkey)

    assert open_witnessed(note, policy=policy).checkpoint == checkpoint == head
    assert (index, isinstance(parse_entry(entry), UnknownEntry)) == (1, False)


def test_a_witness_may_cosign_what_it_is_asked(registry: Registry) -> None:
    request = parse_add_checkpoint((V1 / "log/add-checkpoint").read_bytes())
    bundle = parse_bundle_files(read_bundle(BETA), name=BETA)
    first = bundle.tiles["tile/0/000.p/5"][:32]

    head = decide_cosign(
        request, log_keys=[log_key(registry, BETA)], known_size=1, known_root=first
    )
    note, _ = adopt_cosignatures(
        request.note, answer=(V1 / "log/cosignature").read_bytes(), keys=[WITNESS]
    )

    assert head == open_checkpoint(note, vkey=log_key(registry, BETA))


def read_bundle(member: str) -> dict[str, bytes]:
    folder = V1 / "bundle" / member
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_bundles_are_proven() -> None:
    bundles = [parse_bundle_files(read_bundle(member), name=member) for member in (ALPHA, BETA)]

    report = audit(bundles)

    assert report.verdict is Verdict.PROVEN
