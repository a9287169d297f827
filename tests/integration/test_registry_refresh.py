"""A node works on the last good snapshot: the hub may be away, old or false, but not believed."""

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from node.core.errors import UnavailableError
from node.sharing.registry import RegistryForkError
from node.sharing.store import ForkStore
from node.sharing.upkeep import FOLLOW_PAUSE_MS
from protocol.errors import ProtocolError, UnknownKeyError
from protocol.registry import sign_registry
from protocol.status_list import sign_status_list
from tests.support import hubs
from tests.support.sites import MemberSite
from tests.unit.hub.test_rotation import NEW, NEW_WITNESS, open_service


def warn(site: MemberSite) -> list[str]:
    return site.node.registry.list_warnings(now_s=site.now_s)


def test_node_works_on_without_its_hub_until_the_snapshot_ends(site: MemberSite) -> None:
    newest = site.node.registry.newest
    site.hub.service.add_checkpoint(hubs.ALPHA.ask_witness(0, 1))
    site.stop_hub()
    with pytest.raises(UnavailableError):
        site.follow_registry()

    assert site.node.registry.newest == newest
    assert warn(site) == []
    site.hub.clock.advance_s((newest.exp - newest.iat) // 2 + 1)
    assert "is the hub reachable" in warn(site)[0]
    site.hub.clock.advance_s(newest.exp - site.now_s)
    with pytest.raises(UnavailableError, match="registry snapshot has expired"):
        site.node.upkeep.check_exchanging()

    site.start_hub()
    assert site.follow_registry() > newest.seq
    assert warn(site) == []


def test_hub_that_serves_an_old_snapshot_takes_nothing_back(site: MemberSite) -> None:
    old = site.hub.service.get_snapshot(1)
    newest = site.node.registry.newest
    site.answer_with(
        lambda _request: httpx.Response(200, json={"tokens": list(old.tokens)}),
    )

    assert site.follow_registry() == 1

    assert site.node.registry.newest == newest


def test_hub_that_signs_two_snapshots_of_a_number_is_found_out_and_both_are_kept(
    site: MemberSite, tmp_path: Path
) -> None:
    newest = site.node.registry.newest
    (tmp_path / "other").mkdir()
    other = hubs.open_test_hub(tmp_path / "other")
    other.service.enrol_member(hubs.BETA.enrol())
    other.service.enrol_member(hubs.make_company("gamma").enrol())
    site.start_hub(other)  # the same keys, another history, one number further

    with pytest.raises(ProtocolError):
        site.follow_registry()

    with site.node.local.database.read() as uow:
        ((seq, tokens),) = ForkStore(uow.connection).list_tokens()
    assert seq == newest.seq
    assert tuple(tokens) == other.service.get_snapshot(seq).tokens
    assert site.node.registry.newest == newest
    assert "contradict" in warn(site)[0]
    other.database.dispose()


def test_another_snapshot_of_the_newest_number_is_a_fork(site: MemberSite) -> None:
    newest = site.node.registry.newest
    forged = sign_registry(replace(newest, exp=newest.exp - 1), keys=[hubs.HUB_KEY])
    site.answer_with(lambda _request: httpx.Response(200, json={"tokens": list(forged)}))

    with pytest.raises(RegistryForkError):
        site.follow_registry()

    assert site.node.registry.newest == newest


def rotate(site: MemberSite) -> None:
    """Have the hub change both of its keys; the member has not followed yet."""
    site.hub = replace(site.hub, service=open_service(site.hub))
    site.hub.service.rotate_hub_key(NEW.public)
    site.hub.service.rotate_witness(NEW_WITNESS)
    site.start_hub()


def test_a_list_and_a_head_under_new_keys_of_the_hub_are_taken_at_once(site: MemberSite) -> None:
    seq = site.node.registry.newest.seq
    rotate(site)

    assert asyncio.run(site.node.upkeep.poll_statuses()) == 0
    assert site.node.registry.newest.seq == seq + 2
    assert asyncio.run(site.node.upkeep.get_cosigned()).size > 0


def test_a_head_under_a_new_witness_key_is_taken_before_any_list(site: MemberSite) -> None:
    rotate(site)

    assert asyncio.run(site.node.upkeep.get_cosigned()).size > 0


def test_a_key_that_no_snapshot_holds_is_looked_for_once_in_a_while(site: MemberSite) -> None:
    asked: list[str] = []
    stranger = sign_status_list([], hub="hub.example", iat=site.now_s, key=NEW)
    newest = site.hub.service.get_snapshot(None)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path.endswith("status-list"):
            return httpx.Response(200, text=stranger)
        return httpx.Response(200, json={"tokens": list(newest.tokens)})

    site.answer_with(answer)
    for _ in range(3):
        with pytest.raises(UnknownKeyError):
            asyncio.run(site.node.upkeep.poll_statuses())
    assert asked.count("/hub/v1/registry") == 1

    site.hub.clock.advance_s(FOLLOW_PAUSE_MS // 1_000)
    with pytest.raises(UnknownKeyError):
        asyncio.run(site.node.upkeep.poll_statuses())
    assert asked.count("/hub/v1/registry") == 2
