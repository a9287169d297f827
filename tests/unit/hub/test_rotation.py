"""The hub changes its own keys: the chain goes on, and the anchor stays the first key."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.core.database import Database, metadata
from node.hub.errors import HubIdentityError, KeyTakenError
from node.hub.service import HubService
from node.sharing.registry import RegistryHolder
from protocol.encoding import sha256
from protocol.keys import SigningKey
from protocol.note import parse_vkey
from protocol.status_list import open_status_list
from tests.support.hubs import (
    ALPHA,
    HUB_KEY,
    LOG_KEY,
    NOW_S,
    WITNESS_KEY,
    TestHub,
    enrol_subject,
    make_status,
)
from tests.support.stores import store_url

NEW = SigningKey(sha256(b"hub: second registry key"))
NEW_WITNESS = SigningKey(sha256(b"hub: second witness key"))


def open_service(hub: TestHub, *, hub_key: SigningKey = HUB_KEY) -> HubService:
    """Open the hub as another process does that finds all key files."""
    return HubService(
        settings=hub.settings,
        database=hub.database,
        clock=hub.clock,
        hub_key=hub_key,
        witness_key=WITNESS_KEY,
        log_key=LOG_KEY,
        load_hub_keys=lambda: [HUB_KEY, NEW],
        load_witness_keys=lambda: [WITNESS_KEY, NEW_WITNESS],
    )


@pytest.fixture
def service(hub: TestHub) -> HubService:
    return open_service(hub)


@pytest.fixture
def member(tmp_path: Path) -> Iterator[RegistryHolder]:
    database = Database(url=store_url(tmp_path / "member.sqlite"))
    metadata.create_all(database.engine)
    holder = RegistryHolder(database=database, anchor=HUB_KEY.public)
    yield holder
    database.dispose()


def follow(member: RegistryHolder, service: HubService) -> None:
    newest = service.get_snapshot(None).seq
    for seq in range(member.newest_seq + 1, newest + 1):
        member.adopt(service.get_snapshot(seq).tokens)


def test_members_follow_from_the_first_key_to_the_new_one(
    service: HubService, member: RegistryHolder
) -> None:
    follow(member, service)

    service.rotate_hub_key(NEW.public)
    service.enrol_member(ALPHA.enrol())
    follow(member, service)

    assert member.newest_seq == 3
    assert member.newest.list_signers() == (NEW.public,)
    assert service.anchor == HUB_KEY.public


def test_a_rotation_repeated_changes_nothing(service: HubService) -> None:
    service.rotate_hub_key(NEW.public)
    newest = service.rotate_witness(NEW_WITNESS)

    assert service.rotate_hub_key(NEW.public) == newest
    assert service.rotate_witness(NEW_WITNESS) == newest


def test_a_hub_that_runs_beside_it_signs_with_the_new_key(
    service: HubService, member: RegistryHolder, hub: TestHub
) -> None:
    running = open_service(hub)

    service.rotate_hub_key(NEW.public)
    running.enrol_member(ALPHA.enrol())
    running.enrol_subject(enrol_subject())
    running.report_status(make_status())
    follow(member, running)

    listed = open_status_list(
        running.status_list(), find_key=member.newest.get_hub_key, now_s=NOW_S
    )
    assert len(listed.entries) == 1
    assert member.newest_seq == 4


def test_a_hub_without_the_new_key_publishes_nothing(service: HubService, hub: TestHub) -> None:
    seq = service.rotate_hub_key(NEW.public).seq

    with pytest.raises(HubIdentityError):
        hub.service.enrol_member(ALPHA.enrol())

    assert service.get_snapshot(None).seq == seq


def test_heads_are_cosigned_under_the_new_witness_key(
    service: HubService, member: RegistryHolder
) -> None:
    service.enrol_member(ALPHA.enrol())
    service.rotate_witness(NEW_WITNESS)
    follow(member, service)

    line = service.add_checkpoint(ALPHA.ask_witness(0, 5))

    assert parse_vkey(member.newest.witness_vkey).public == NEW_WITNESS.public
    assert service.witness_vkey == member.newest.witness_vkey
    assert line


@pytest.mark.parametrize("taken", [ALPHA.message_key, WITNESS_KEY], ids=["member", "witness"])
def test_a_key_of_anybody_else_is_no_key_of_the_hub(service: HubService, taken: SigningKey) -> None:
    service.enrol_member(ALPHA.enrol())

    with pytest.raises(KeyTakenError):
        service.rotate_hub_key(taken.public)
    with pytest.raises(KeyTakenError):
        service.rotate_witness(ALPHA.log_key)


def test_a_hub_opened_with_another_first_key_is_refused(service: HubService, hub: TestHub) -> None:
    service.rotate_hub_key(NEW.public)
    with pytest.raises(HubIdentityError):
        open_service(hub, hub_key=SigningKey(sha256(b"another")))


def test_own_keys_are_known_as_such(service: HubService) -> None:
    service.rotate_witness(NEW_WITNESS)

    assert service.is_own_key(HUB_KEY)
    assert service.is_own_key(NEW_WITNESS)
    assert not service.is_own_key(NEW)


def test_hub_restarts_after_both_rotations(hub: TestHub, service: HubService) -> None:
    service.rotate_hub_key(NEW.public)
    service.rotate_witness(NEW_WITNESS)

    again = open_service(hub)

    assert again.enrol_member(ALPHA.enrol()).seq == 4
