"""What a node tells everybody: discovery, its checkpoint, the heads that it holds of others."""

from __future__ import annotations

import json

from protocol.checkpoint import Checkpoint, hash_origin, open_checkpoint
from protocol.errors import ProtocolError
from protocol.message import MEDIA_TYPE
from protocol.note import SignatureKind, VerifierKey
from tests.conformance.peer.case import CaseList, Failed, expect, expect_equal
from tests.conformance.peer.cases.common import get_answered
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.node import CHECKPOINT_PATH, DISCOVERY_PATH

CASES = CaseList("heads")
HEADS_PATH = "/chengxin/v1/heads"


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


@CASES.case("MSG-11", "MSG-14", "LOG-18")
def what_a_message_says_of_the_log_is_what_the_witness_has_seen(kit: Kit) -> None:
    origin = get_node_key(kit).name
    reply = get_answered(kit, kit.write_query(kit.hold()))
    kit.wait(
        lambda: kit.hub.watched[origin].size > reply.envelope.head.size,
        "the node does not have its log cosigned",
    )

    expect(kit.hub.watched[origin].size > 0, "the witness has seen nothing")


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
