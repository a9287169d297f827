"""``chengxin log`` against a real hub on loopback, again and again after a crash."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from node.bootstrap.home import open_key_ring
from node.bootstrap.member import build_node
from node.cli.http import ServerRefusedError
from node.cli.logs import LogNameError, LogPendingError
from node.core.clock import ManualClock, SystemClock
from node.core.config import load_settings
from node.core.decision import Batch, Decided
from node.core.errors import NodeError
from node.core.keyring import KeyRing
from node.core.keystore import KeyFileError
from node.core.log import LogDamagedError
from node.core.log_key import LogKeyLostError
from node.hub.rules_snapshot import RevocationReason
from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.cosignature import build_add_checkpoint
from protocol.encoding import sha256
from protocol.entry import StopEntry, format_entry
from tests.support import hubs
from tests.support.places import MEMBER, Place, call, check, error_of, open_place

ORIGIN, ORIGIN_2, ORIGIN_3 = (f"{MEMBER}/chengxin/log/{number}" for number in (1, 2, 3))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as opened:
        check(opened.join(opened.invite()))
        yield opened


def new(place: Place, *arguments: str) -> str:
    return check(call("log", "new", *arguments, "--home", str(place.home)))


def refuse(place: Place, *arguments: str) -> BaseException:
    return error_of(call("log", "new", *arguments, "--home", str(place.home)))


def open_ring(place: Place) -> KeyRing:
    return open_key_ring(load_settings(place.home), "log")


def run_node(place: Place, *, later_s: int = 0) -> None:
    """Have the node come up, follow its registry to the log that it names, and stop."""
    clock = ManualClock(SystemClock().now_ms() + later_s * 1000)
    place.hub.clock.at_ms = clock.at_ms

    async def live() -> None:
        node = build_node(load_settings(place.home), clock=clock)
        await node.upkeep.refresh_registry()
        await node.guard.confirm()
        await node.session.begin()
        await node.own_logs.follow()
        await node.upkeep.get_cosigned()
        await node.close()

    asyncio.run(live())


def test_a_new_log_is_entered_and_the_node_begins_it(place: Place) -> None:
    run_node(place)

    said = new(place, "--reason", "year", "--lead", "0")
    run_node(place)

    assert f"{ORIGIN_2} is entered as of snapshot 3" in said
    assert f"ends {ORIGIN}" in said
    assert place.find_member().log_origin == ORIGIN_2
    lines = check(call("log", "list", "--home", str(place.home))).splitlines()
    assert any(ORIGIN in line and "year" in line and " 5 " in line for line in lines)
    assert any(ORIGIN_2 in line and " 2 " in line for line in lines)
    assert len(open_ring(place).load()) == 2


def test_the_same_command_again_sends_the_same_statement(place: Place) -> None:
    run_node(place)

    new(place)
    assert "as of snapshot 3" in new(place)  # the node has not heard of it yet

    assert len(open_ring(place).load()) == 2
    place.follow()
    assert isinstance(refuse(place), LogPendingError)


def test_a_crash_after_the_key_was_made_uses_that_key(place: Place) -> None:
    run_node(place)
    made = open_ring(place).add()

    new(place)

    assert place.find_member().log_keys[ORIGIN_2].key == made.key.public


def test_a_crash_before_the_statement_was_sent_may_go_on_with_another(place: Place) -> None:
    run_node(place)
    hub_url = load_settings(place.home).hub_url
    config = place.home / "chengxin.toml"
    text = config.read_text()
    config.write_text(text.replace(hub_url, "http://127.0.0.1:9"))
    assert call("log", "new", "--home", str(place.home)).exit_code == 1
    config.write_text(text)

    new(place, "--reason", "key", "--origin", f"{MEMBER}/chengxin/log/2027")

    member = place.find_member()
    assert member.log_origin == f"{MEMBER}/chengxin/log/2027"
    assert len(open_ring(place).load()) == 2


def test_logs_follow_each_other_by_number(place: Place) -> None:
    run_node(place)
    new(place, "--lead", "0")
    run_node(place)

    new(place, "--lead", "0")
    run_node(place)

    assert place.find_member().log_origin == ORIGIN_3
    assert set(place.find_member().log_keys) == {ORIGIN, ORIGIN_2, ORIGIN_3}


@pytest.mark.parametrize(
    "origin",
    ["other.example/chengxin/log/2", f"{MEMBER}/a+b", f"{MEMBER}/a b", "", ORIGIN],
    ids=["of-another", "plus", "space", "empty", "its-own"],
)
def test_a_name_that_is_none_makes_no_key(place: Place, origin: str) -> None:
    run_node(place)

    assert isinstance(refuse(place, "--origin", origin), LogNameError)

    assert len(open_ring(place).load()) == 1


def test_wrong_words_are_wrong_usage(place: Place) -> None:
    for wrong in (("--reason", "boredom"), ("--lead", "-1"), ("--lead", "90000")):
        assert call("log", "new", *wrong, "--home", str(place.home)).exit_code == 2


def test_without_the_old_key_no_change_can_be_signed(place: Place) -> None:
    run_node(place)
    new(place, "--lead", "0")
    run_node(place)
    (place.home / "keys" / "log-2.pem").unlink()

    assert isinstance(refuse(place), LogKeyLostError)


def test_a_log_that_a_newer_copy_has_begun_is_passed_over(place: Place) -> None:
    run_node(place)
    new(place, "--lead", "0")
    place.follow()
    assert isinstance(refuse(place, "--reason", "rollback"), LogPendingError)
    key = open_ring(place).load()[-1].key
    head = Checkpoint(origin=ORIGIN_2, size=1, root=sha256(b"elsewhere"))
    note = sign_checkpoint(head, key=key)
    place.hub.clock.at_ms = SystemClock().now_ms()
    place.hub.service.add_checkpoint(
        build_add_checkpoint(old_size=0, proof=[], note=note).text.encode()
    )
    assert isinstance(refuse(place, "--reason", "year"), LogPendingError)

    assert f"The node ends {ORIGIN} and" in new(place, "--reason", "rollback")

    assert place.find_member().log_origin == ORIGIN_3


def test_a_revoked_log_key_gives_way_by_invitation(place: Place) -> None:
    run_node(place)
    old = open_ring(place).load()[0].key
    place.hub.service.revoke_key(old.kid, reason=RevocationReason.COMPROMISED)
    place.follow()
    assert isinstance(refuse(place, "--reason", "key"), ServerRefusedError)

    invitation = str(place.invite(kind="rekey"))
    new(place, "--reason", "key", "--invitation", invitation)
    new(place, "--reason", "key", "--invitation", invitation)
    run_node(place)

    assert place.find_member().log_origin == ORIGIN_2
    lines = check(call("log", "list", "--home", str(place.home))).splitlines()
    assert any(ORIGIN in line and "key" in line for line in lines)


def lose_key(place: Place, name: str) -> None:
    (place.home / "keys" / f"{name}.pem").unlink()


def test_a_lost_log_key_lets_the_node_run_and_names_the_way_out(place: Place) -> None:
    run_node(place)
    lose_key(place, "log")

    async def look() -> tuple[NodeError | None, bool]:
        node = build_node(load_settings(place.home))
        await node.guard.confirm()
        begun = await node.session.begin()
        held = node.writer.held
        with pytest.raises(LogKeyLostError):
            await node.upkeep.get_cosigned() if begun else node.writer.submit(_grow).result(10)
        await node.close()
        return held, begun

    held, begun = asyncio.run(look())

    assert isinstance(held, LogKeyLostError)
    assert not begun
    assert "chengxin log new --reason key --invitation" in held.detail
    assert held.code == "log-key-lost"
    assert isinstance(refuse(place, "--reason", "key"), LogKeyLostError)
    token = place.folder / "token"
    token.write_text(hubs.TOKEN)
    enrolled = call("enrol", "--home", str(place.home), "--token-file", str(token))
    assert isinstance(error_of(enrolled), LogKeyLostError)


def test_after_a_lost_log_key_a_log_under_a_new_key_goes_on(place: Place) -> None:
    run_node(place)
    kid = open_ring(place).load()[0].key.kid
    lose_key(place, "log")
    place.hub.service.revoke_key(kid, reason=RevocationReason.LOST)
    place.follow()
    invitation = str(place.invite(kind="rekey"))

    new(place, "--reason", "key", "--invitation", invitation)
    new(place, "--reason", "key", "--invitation", invitation)
    run_node(place)

    assert place.find_member().log_origin == ORIGIN_2
    names = sorted(path.name for path in (place.home / "keys").glob("log*.pem"))
    assert names == ["log-2.pem"]  # the lost file's name stays free for its backup
    lines = check(call("log", "list", "--home", str(place.home))).splitlines()
    assert any(ORIGIN in line and "key" in line for line in lines)
    assert any(ORIGIN_2 in line and " 3 " in line for line in lines)
    run_node(place)


def test_a_lost_key_of_an_ended_log_stops_nothing(place: Place) -> None:
    run_node(place)
    new(place, "--lead", "0")
    run_node(place)
    lose_key(place, "log")

    run_node(place)
    new(place, "--lead", "0")
    run_node(place)

    assert place.find_member().log_origin == ORIGIN_3


def test_a_log_that_no_known_key_has_signed_is_damaged(place: Place) -> None:
    run_node(place)
    lose_key(place, "log")
    open_key_ring(load_settings(place.home), "log").add()
    with closing(sqlite3.connect(place.home / "node.sqlite")) as database:
        database.execute("DELETE FROM registry_snapshot")
        database.commit()

    with pytest.raises(LogDamagedError):
        build_node(load_settings(place.home))


def test_a_log_key_lost_before_the_log_was_begun_is_asked_for(place: Place) -> None:
    lose_key(place, "log")

    with pytest.raises(KeyFileError):
        build_node(load_settings(place.home))


def _grow(_batch: Batch) -> Decided[None]:
    return Decided(entry=format_entry(StopEntry(at_ms=0)), finish=lambda _placement: None)


def test_an_invitation_for_another_kind_begins_no_log(place: Place) -> None:
    run_node(place)

    refuse(place, "--reason", "key", "--invitation", str(place.invite(kind="subject")))

    assert place.find_member().log_origin == ORIGIN


def test_enrolling_again_names_the_log_that_is_written(place: Place) -> None:
    run_node(place)
    new(place, "--lead", "0")
    run_node(place)
    token = place.folder / "token"
    token.write_text(hubs.TOKEN)
    seq = place.hub.service.get_snapshot(None).seq

    check(call("enrol", "--home", str(place.home), "--token-file", str(token)))

    assert place.hub.service.get_snapshot(None).seq == seq
