"""What a node tells everybody: discovery, its checkpoint, the heads that it holds of others."""

from __future__ import annotations

import json
from dataclasses import replace

from protocol.checkpoint import Checkpoint, hash_origin, open_checkpoint
from protocol.consent import commit_subject
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError
from protocol.log_proof import parse_log_proof
from protocol.merkle import node_hash
from protocol.message import MEDIA_TYPE
from protocol.note import SignatureKind, VerifierKey
from tests.conformance.peer.case import CaseList, Failed, NotApplicable, Role, expect, expect_equal
from tests.conformance.peer.cases.common import get_answered
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.node import CHECKPOINT_PATH, DISCOVERY_PATH

CASES = CaseList("heads")
HEADS_PATH = "/chengxin/v1/heads"
ATTEMPTS_MAX = 5


def open_note(note: bytes, *, vkey: VerifierKey) -> Checkpoint:
    """Open a checkpoint that the node serves."""
    try:
        return open_checkpoint(note.decode("utf-8"), vkey=vkey)
    except (ProtocolError, UnicodeDecodeError) as err:
        raise Failed(f"the checkpoint does not hold: {err}") from err


def get_node_key(kit: Kit) -> VerifierKey:
    """Return the node's log key as the registry names it."""
    origin, key = kit.hub.newest.get_log_key(kit.member)
    return VerifierKey(name=origin, kind=SignatureKind.ED25519, public=key)


@CASES.case("LIM-2")
def discovery_names_member_versions_and_limits(kit: Kit) -> None:
    http = kit.node.get(DISCOVERY_PATH)

    expect_equal(http.status, 200, "the HTTP status")
    told = json.loads(http.body)
    expect_equal(told.get("member"), kit.member, "the member")
    expect(1 in told.get("versions", []), "version 1 is not named")
    expect(MEDIA_TYPE in told.get("media_types", []), "the media type is not named")
    limits = told.get("limits", {})
    for name in ("rate_per_s", "rate_burst", "message_bytes_max"):
        expect(isinstance(limits.get(name), int), f"the limit {name} is not named")


@CASES.case("LOG-22", "LOG-7", "LOG-8")
def the_newest_checkpoint_is_served_and_holds_the_last_exchange(kit: Kit) -> None:
    reply = get_answered(kit, kit.write_query(kit.hold()))

    served = open_note(kit.node.get(CHECKPOINT_PATH).body, vkey=get_node_key(kit))

    claimed = reply.envelope.head.size
    expect(served.size > claimed, f"the log of {served.size} entries lacks what it answered last")


@CASES.case("MSG-11", "LOG-6", "LOG-11")
def the_head_in_a_message_is_the_log_just_before_its_entry(kit: Kit) -> None:
    for _ in range(ATTEMPTS_MAX):
        reply = kit.exchange(kit.write_query(kit.grant()))
        proof = parse_log_proof(reply.message.inclusion)
        size = open_note(proof.note.encode(), vkey=get_node_key(kit)).size
        head = reply.envelope.head
        if (proof.index, size) == (head.size, head.size + 1):
            # The path of a tree's last leaf is the roots of the whole trees to its left.
            expect_equal(join_roots(proof.hashes), head.root, "the root that the message states")
            return
    raise NotApplicable("something else is logged each time")


def join_roots(roots: tuple[bytes, ...]) -> bytes:
    """Return the root of a tree from its whole subtrees, the last one first."""
    joined, *others = roots
    for root in others:
        joined = node_hash(root, joined)
    return joined


@CASES.case("LOG-1", "PRB-2")
def no_log_entry_and_no_refusal_names_a_customer(kit: Kit) -> None:
    granted = kit.grant()
    replies = [
        kit.deliver(granted),
        get_answered(kit, kit.write_query(granted)),
        kit.exchange(kit.write_query(granted, purpose="P2")),
        kit.exchange(kit.write_query(kit.hold(customer=kit.unknown))),
        kit.exchange(kit.write_put(replace(granted, customer=kit.unknown))),
    ]

    secrets = [
        text.encode()
        for customer in (kit.known, kit.unknown)
        for text in (
            customer.subject.value,
            encode_b64u(customer.salt),
            encode_b64u(commit_subject(customer.subject, salt=customer.salt)),
        )
    ]
    for reply in replies:
        logged = parse_log_proof(reply.message.inclusion).extra or b""
        told = logged if reply.code == "200" else logged + reply.message.body
        found = [secret.decode() for secret in secrets if secret in told]
        expect_equal(found, [], "what of a customer is told")


@CASES.case("MSG-10", "MSG-13", "EXC-39", role=Role.ENDING)
def what_was_sent_to_each_member_in_this_run_is_numbered_without_a_gap(kit: Kit) -> None:
    expect(len(kit.asker.heard) > 0, "nothing was sent to the asker")
    expect_equal(kit.faults, [], "numbers that do not follow")


@CASES.case("LOG-23")
def the_newest_head_held_of_a_member_is_served(kit: Kit) -> None:
    get_answered(kit, kit.write_query(kit.hold()))
    vkey = VerifierKey(
        name=kit.asker.log.origin, kind=SignatureKind.ED25519, public=kit.asker.log.key.public
    )

    http = kit.node.get(f"{HEADS_PATH}/{hash_origin(kit.asker.log.origin)}")

    expect_equal(http.status, 200, "the HTTP status")
    expect_equal(
        open_note(http.body, vkey=vkey).size, kit.asker.log.head.size, "the size of the head"
    )


@CASES.case("LOG-23")
def of_a_log_that_nobody_has_no_head_is_held(kit: Kit) -> None:
    http = kit.node.get(f"{HEADS_PATH}/{hash_origin('nobody.example/chengxin/log/1')}")

    expect_equal(http.status, 404, "the HTTP status")


@CASES.case("LOG-23", "LOG-15")
def a_head_in_a_message_that_was_refused_for_its_proof_is_not_held(kit: Kit) -> None:
    held = kit.node.get(f"{HEADS_PATH}/{hash_origin(kit.asker.log.origin)}").body
    draft = kit.write_query(kit.grant())
    draft.inclusion = lambda text: text.replace("index ", "index 1", 1)

    expect_equal(kit.exchange(draft).code, "bad-inclusion", "the code of the refusal")
    still = kit.node.get(f"{HEADS_PATH}/{hash_origin(kit.asker.log.origin)}").body
    expect_equal(still, held, "the head that is held")
