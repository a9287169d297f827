"""Snapshots that change during the run, and, last, one that ends."""

from __future__ import annotations

from dataclasses import replace

from protocol.message import MEDIA_TYPE
from protocol.registry import MemberEntry, Registry, SubjectEntry, sign_registry
from tests.conformance.peer.case import CaseList, Role, expect, expect_equal
from tests.conformance.peer.cases.common import (
    check_unsigned,
    get_answered,
    refuse_signed,
    refuse_unsigned,
)
from tests.conformance.peer.kit import Kit
from tests.conformance.peer.node import MESSAGES_PATH
from tests.conformance.peer.parts import make_key, read_clock_s

CASES = CaseList("registry")
SHORT_S = 6
FOLLOWING_S = 3  # as often as conformance.md asks a node to look for snapshots


def revoke_subject(registry: Registry, commitment: bytes, *, at_s: int) -> Registry:
    """Return the registry with a customer's keys revoked."""

    def revoke(subject: SubjectEntry) -> SubjectEntry:
        if subject.commitment != commitment:
            return subject
        keys = tuple(replace(key, revoked_at=at_s, reason="a case") for key in subject.keys)
        return replace(subject, keys=keys)

    return replace(registry, subjects=tuple(map(revoke, registry.subjects)))


def set_status(registry: Registry, member_id: str, status: str) -> Registry:
    """Return the registry with a member of another status."""

    def change(member: MemberEntry) -> MemberEntry:
        return replace(member, status=status) if member.member == member_id else member

    return replace(registry, members=tuple(map(change, registry.members)))


@CASES.case("CON-8", "CON-9", "CON-23", "EXC-11")
def a_consent_signed_after_its_key_was_revoked_covers_nothing(kit: Kit) -> None:
    granted = kit.hold(customer=kit.lost)
    get_answered(kit, kit.write_query(granted))

    commitment, at_s = granted.consent.subject, granted.consent.iat
    kit.publish(lambda registry: revoke_subject(registry, commitment, at_s=at_s))

    refuse_signed(kit, kit.write_query(granted), code="consent-signature")


@CASES.case("EXC-15", "REG-4", "EXC-13")
def a_member_that_is_suspended_is_refused_from_the_next_snapshot_on(kit: Kit) -> None:
    kit.publish(lambda registry: set_status(registry, kit.other.member, "suspended"))

    refuse_unsigned(kit, kit.write_query(kit.grant()), code="not-a-member", party=kit.other)

    kit.publish(lambda registry: set_status(registry, kit.other.member, "active"))
    refuse_signed(kit, kit.write_query(kit.grant()), code="consent-missing", party=kit.other)


@CASES.case("REG-3", "REG-4", "KEY-11")
def a_snapshot_that_the_hub_has_not_signed_changes_nothing(kit: Kit) -> None:
    forged = kit.hub.publish(lambda registry: set_status(registry, kit.asker.member, "left"))
    kit.hub.snapshots[-1] = (forged, sign_registry(forged, keys=[make_key("nobody")]))
    kit.pause(FOLLOWING_S)
    del kit.hub.snapshots[-1]

    reply = get_answered(kit, kit.write_query(kit.hold()))
    expect_equal(reply.envelope.reg.seq, kit.hub.newest.seq, "the snapshot that the node names")


@CASES.case("EXC-10", "REG-9", "PRB-4", role=Role.ENDING)
def a_node_whose_newest_snapshot_has_ended_exchanges_nothing(kit: Kit) -> None:
    granted = kit.hold()
    ending = kit.publish(lambda registry: registry, life_s=SHORT_S)
    kit.wait(lambda: read_clock_s() > ending.exp, "time does not pass")

    sealed = kit.seal(kit.write_query(granted))
    http = kit.node.post(MESSAGES_PATH, sealed.raw, content_type=MEDIA_TYPE)

    check_unsigned(http, code="unavailable")
    expect("retry-after" in http.headers, "no Retry-After")
    kit.hub.publish()
    kit.wait(kit.is_exchanging, "the node does not exchange again")
    get_answered(kit, kit.write_query(granted))
