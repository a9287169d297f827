"""The published vectors (docs/protocol/vectors.json) are frozen: they must be read for ever."""

import json
from pathlib import Path
from typing import Any

import pytest

from protocol.bundle import build_policy
from protocol.checkpoint import open_checkpoint
from protocol.consent import commit_subject, hash_consent, open_consent, open_status
from protocol.cosignature import adopt_cosignatures, decide_cosign, parse_add_checkpoint
from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.enrolment import open_member_enrolment, open_subject_enrolment
from protocol.entry import UnknownEntry, parse_entry
from protocol.exchange import check_content, open_reply, open_request
from protocol.identifiers import parse_subject_id
from protocol.keys import PublicKey, SigningKey
from protocol.limits import ANSWER_BYTES_MAX, MESSAGE_BYTES_MAX
from protocol.log_policy import open_witnessed
from protocol.manifest import open_manifest
from protocol.merkle import EMPTY_FRONTIER, EMPTY_ROOT, leaf_hash
from protocol.message import Envelope, WireMessage, digest_body, parse_message
from protocol.note import SignatureKind, VerifierKey, parse_vkey
from protocol.registry import Registry, open_registry
from protocol.status_list import open_status_list
from protocol.strict_json import canonical_json
from schemas.exchange import (
    AcceptedBody,
    PollBody,
    QueryBatchBody,
    QueryBody,
    SummaryBatchBody,
)
from schemas.notices import AckBody, CorrectBody, EraseBody, PushBody
from schemas.summary import Summary
from schemas.wire import WireModel
from tests.support.published import build_later

REPLIES = {"answer": "query", "receipt_held": "receipt", "problem": "refused_query"}
REQUESTS = ("query", "receipt", "refused_query", "consent_put")


@pytest.fixture(scope="module")
def vectors(project_root: Path) -> dict[str, Any]:
    path = project_root / "docs" / "protocol" / "vectors.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def registry(vectors: dict[str, Any]) -> Registry:
    anchor = PublicKey(decode_b64u(vectors["anchor"]))
    return open_registry(vectors["registry"]["tokens"], anchors=[anchor])


def open_one(
    vectors: dict[str, Any], registry: Registry, name: str
) -> tuple[WireMessage, Envelope]:
    raw = vectors["messages"][name]["message"].encode()
    message = parse_message(raw, bytes_max=MESSAGE_BYTES_MAX)
    assert message.to_bytes() == raw
    opened = open_request(message, registry=registry, audience="beta.example", now_s=vectors["now"])
    return message, opened


def find_snapshot(registry: Registry) -> dict[int, tuple[bytes, int, int]]:
    return {registry.seq: (registry.hash, registry.iat, registry.exp)}


def test_every_key_has_its_name(vectors: dict[str, Any]) -> None:
    for row in vectors["keys"]:
        key = SigningKey(decode_b64u(row["seed"]))

        assert (encode_b64u(key.public.raw), key.kid) == (row["x"], row["kid"])


def test_the_snapshot_opens_and_has_its_hash(vectors: dict[str, Any], registry: Registry) -> None:
    assert encode_b64u(registry.hash) == vectors["registry"]["hash"]


def test_the_enrolments_open(vectors: dict[str, Any]) -> None:
    tokens, now_s = vectors["enrolment"], vectors["now"]

    member = open_member_enrolment(tokens["member"], hub="hub.example", now_s=now_s)
    subject = open_subject_enrolment(tokens["subject"], hub="hub.example", now_s=now_s)

    assert member.member == "alpha.example"
    assert str(subject.subject) == vectors["subject"]["id"]


def test_the_consent_is_its_subjects_and_the_status_withdraws_it(
    vectors: dict[str, Any], registry: Registry
) -> None:
    def find_key(kid: str) -> PublicKey:
        found = registry.find_subject_key(kid)
        assert found is not None
        return found[1].key

    subject, token = vectors["subject"], vectors["consent"]["token"]
    consent = open_consent(token, find_key=find_key)
    status, _ = open_status(vectors["status"]["token"], find_key=find_key)
    listed = open_status_list(
        vectors["status_list"]["token"],
        find_key=registry.get_hub_key,
        now_s=vectors["status_list"]["at"],
    )

    commitment = commit_subject(parse_subject_id(subject["id"]), salt=decode_b64u(subject["salt"]))
    assert encode_b64u(commitment) == subject["commitment"]
    assert consent.subject == commitment
    assert encode_b64u(hash_consent(token)) == vectors["consent"]["hash"]
    assert status.consent == hash_consent(token)
    assert encode_b64u(sha256(vectors["status"]["token"].encode())) == vectors["status"]["hash"]
    assert listed.entries == (vectors["status"]["token"],)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_passes_every_check_before_the_consent(
    vectors: dict[str, Any], registry: Registry, name: str
) -> None:
    message, envelope = open_one(vectors, registry, name)
    check_content(
        message,
        envelope,
        registry=registry,
        find_registry=find_snapshot(registry).get,
        now_s=vectors["now"],
    )

    stated = vectors["messages"][name]
    assert encode_b64u(message.msg_hash) == stated["msg_hash"]
    assert (message.body.decode(), encode_b64u(envelope.bd)) == (stated["body"], stated["bd"])


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_is_bound_to_its_request(
    vectors: dict[str, Any], registry: Registry, name: str
) -> None:
    request, asked = open_one(vectors, registry, REPLIES[name])
    raw = vectors["messages"][name]["message"].encode()
    reply = parse_message(raw, bytes_max=ANSWER_BYTES_MAX)

    envelope, _ = open_reply(
        reply,
        request=asked,
        request_hash=request.msg_hash,
        registry=registry,
        find_registry=find_snapshot(registry).get,
        now_s=vectors["now"],
    )

    assert envelope.req == request.msg_hash
    assert encode_b64u(reply.msg_hash) == vectors["messages"][name]["msg_hash"]


@pytest.mark.parametrize("name", [*REQUESTS, *REPLIES])
def test_the_entry_of_a_message_is_in_its_senders_log(vectors: dict[str, Any], name: str) -> None:
    stated = vectors["messages"][name]

    assert encode_b64u(leaf_hash(stated["entry"].encode())) == stated["leaf"]
    assert any(stated["entry"] in log["entries"] for log in vectors["logs"].values())


@pytest.mark.parametrize("member", ["alpha", "beta"])
def test_the_entries_of_a_log_are_understood_and_hash_to_its_checkpoint(
    vectors: dict[str, Any], registry: Registry, member: str
) -> None:
    log = vectors["logs"][member]
    entries = [entry.encode() for entry in log["entries"]]
    origin, key = registry.get_log_key(f"{member}.example")
    vkey = VerifierKey(name=origin, kind=SignatureKind.ED25519, public=key)

    checkpoint = open_checkpoint(log["checkpoint"], vkey=vkey)

    root = EMPTY_FRONTIER.extend(map(leaf_hash, entries)).root
    assert (checkpoint.origin, checkpoint.size) == (log["origin"], len(entries))
    assert [encode_b64u(root), root] == [log["root"], checkpoint.root]
    assert not any(isinstance(parse_entry(entry), UnknownEntry) for entry in entries)


def test_the_witness_cosigns_the_log(vectors: dict[str, Any], registry: Registry) -> None:
    stated = vectors["witness"]
    origin, key = registry.get_log_key("beta.example")
    log_key = VerifierKey(name=origin, kind=SignatureKind.ED25519, public=key)
    witness = parse_vkey(stated["vkey"])
    request = parse_add_checkpoint(stated["add_checkpoint"].encode())

    cosigned = decide_cosign(request, log_keys=[log_key], known_size=0, known_root=EMPTY_ROOT)
    note, _ = adopt_cosignatures(
        request.note, answer=stated["cosignature"].encode(), keys=[witness]
    )

    assert registry.witness_vkey == stated["vkey"]
    policy = build_policy(log=log_key, witnesses=[witness])
    assert open_witnessed(note, policy=policy).checkpoint == cosigned


# --- the section "later"

TELLERS = {"push", "correct", "erase_ack"}
LATER = {
    "deferred_query": "accepted",
    "early_poll": "accepted_again",
    "poll": "polled_answer",
    "query_batch": "summary_batch",
    "push": "push_ack",
    "correct": "correct_ack",
    "erase": "erase_ack",
}
BODIES: dict[str, type[WireModel]] = {
    "deferred_query": QueryBody,
    "accepted": AcceptedBody,
    "accepted_again": AcceptedBody,
    "early_poll": PollBody,
    "poll": PollBody,
    "polled_answer": Summary,
    "query_batch": QueryBatchBody,
    "summary_batch": SummaryBatchBody,
    "push": PushBody,
    "push_ack": AckBody,
    "correct": CorrectBody,
    "correct_ack": AckBody,
    "erase": EraseBody,
    "erase_ack": AckBody,
}


@pytest.fixture(scope="module")
def later(vectors: dict[str, Any]) -> dict[str, Any]:
    section: dict[str, Any] = vectors["later"]
    return section


def test_the_same_code_continues_the_story_with_the_same_bytes(
    vectors: dict[str, Any], later: dict[str, Any]
) -> None:
    assert build_later(vectors) == later


def test_every_message_of_the_section_is_tried(later: dict[str, Any]) -> None:
    assert set(later["messages"]) == {*LATER, *LATER.values()} == set(BODIES)


@pytest.mark.parametrize(("asked", "replied"), LATER.items())
def test_a_later_exchange_holds_on_both_sides(
    later: dict[str, Any], registry: Registry, asked: str, replied: str
) -> None:
    request, reply = (
        parse_message(later["messages"][name]["message"].encode(), bytes_max=ANSWER_BYTES_MAX)
        for name in (asked, replied)
    )
    receiver = "alpha.example" if asked in TELLERS else "beta.example"
    find, now_s = find_snapshot(registry).get, later["now"]

    envelope = open_request(request, registry=registry, audience=receiver, now_s=now_s)
    check_content(request, envelope, registry=registry, find_registry=find, now_s=now_s)
    answer, _ = open_reply(
        reply,
        request=envelope,
        request_hash=request.msg_hash,
        registry=registry,
        find_registry=find,
        now_s=now_s,
    )

    assert answer.st == ("202" if replied.startswith("accepted") else "200")


@pytest.mark.parametrize("name", BODIES)
def test_a_later_message_is_as_stated(later: dict[str, Any], name: str) -> None:
    stated = later["messages"][name]
    raw = stated["message"].encode()
    message = parse_message(raw, bytes_max=ANSWER_BYTES_MAX)

    BODIES[name].from_bytes(message.body)
    assert message.to_bytes() == raw
    assert encode_b64u(message.msg_hash) == stated["msg_hash"]
    assert message.body.decode() == stated["body"]
    assert encode_b64u(digest_body(message.body, salt=message.salt)) == stated["bd"]
    assert encode_b64u(leaf_hash(stated["entry"].encode())) == stated["leaf"]
    assert any(stated["entry"] in log["entries"] for log in later["logs"].values())


@pytest.mark.parametrize("member", ["alpha", "beta"])
def test_a_later_log_appends_to_the_earlier_one(
    vectors: dict[str, Any], later: dict[str, Any], registry: Registry, member: str
) -> None:
    earlier, log = vectors["logs"][member], later["logs"][member]
    origin, key = registry.get_log_key(f"{member}.example")
    vkey = VerifierKey(name=origin, kind=SignatureKind.ED25519, public=key)
    entries = [entry.encode() for entry in log["entries"]]

    checkpoint = open_checkpoint(log["checkpoint"], vkey=vkey)

    root = EMPTY_FRONTIER.extend(map(leaf_hash, entries)).root
    assert log["entries"][: len(earlier["entries"])] == earlier["entries"]
    assert (checkpoint.size, checkpoint.root) == (len(entries), root)
    assert encode_b64u(root) == log["root"]
    assert not any(isinstance(parse_entry(entry), UnknownEntry) for entry in entries)


def test_the_manifest_opens_and_names_what_its_signer_logged(
    later: dict[str, Any], registry: Registry
) -> None:
    def find_key(kid: str) -> PublicKey:
        found = registry.find_message_key(kid)
        assert found is not None
        return found[1].key

    stated = later["manifest"]
    manifest = open_manifest(stated["token"], find_key=find_key)

    first, second = manifest.items
    logged = "\n".join(later["logs"]["alpha"]["entries"])
    assert canonical_json(json.loads(stated["payload"])) == stated["payload"].encode()
    assert (first.outcome, second.outcome) == ("202", "consent-missing")
    assert first.msg is not None
    assert first.ans is not None
    assert encode_b64u(first.msg) in logged
    assert encode_b64u(first.ans) in logged
    assert (second.msg, second.ans) == (None, None)
