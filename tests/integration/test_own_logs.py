"""A node ends its log and begins the next: in order, after a crash at any step, after a restore."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, update

from node.bootstrap.home import load_member_keys
from node.core.log_tables import log_batch
from node.core.log_transactions import LogUnavailableError
from node.sharing.guard import GuardState
from node.sharing.peers import PeerUnreachableError
from node.web.app import build_app
from node.web.health import Health
from protocol.audit.findings import LogVerdict, Verdict
from protocol.checkpoint import hash_origin
from protocol.encoding import sha256
from protocol.entry import (
    GenesisEntry,
    KeyChangeEntry,
    PreviousLog,
    StartEntry,
    StopEntry,
)
from protocol.jws import split_compact
from protocol.tile import encode_bundle
from tests.support import hubs
from tests.support.faults import AFTER, BEFORE, FailingCommit
from tests.support.log_sites import (
    DAY_S,
    LEAD_S,
    ORIGIN,
    ORIGIN_2,
    ORIGIN_3,
    announce,
    announce_and_wait,
    audit,
    find_witnessed,
    get_cosigned,
    kinds,
    open_ring,
    read_head,
)
from tests.support.logs import append
from tests.support.sites import MemberSite


@pytest.fixture
def site(site: MemberSite) -> MemberSite:
    site.begin_session()
    return site


def test_the_old_log_ends_in_order_and_the_new_one_begins_at_its_head(site: MemberSite) -> None:
    new = announce(site)
    assert not site.follow_logs()  # announced, and its time has not come
    assert read_head(site)[0] == ORIGIN
    site.hub.clock.advance_s(LEAD_S)

    assert site.follow_logs()
    assert not site.follow_logs()

    assert kinds(site, 1) == [GenesisEntry, StartEntry, KeyChangeEntry, StopEntry]
    assert kinds(site, 2) == [GenesisEntry, StartEntry]
    old, open_one = site.node.own_logs.list_logs()
    genesis = site.read_log(2)[0]
    assert isinstance(genesis, GenesisEntry)
    assert (genesis.member, genesis.origin) == (hubs.ALPHA.member, ORIGIN_2)
    assert genesis.previous == PreviousLog(origin=ORIGIN, head=old.head, reason="year")
    assert (old.end_reason, open_one.end_reason) == ("year", None)
    change = site.read_log(1)[2]
    tokens = open_ring(site).find_statement(new.number)
    assert tokens is not None
    assert isinstance(change, KeyChangeEntry)
    assert (change.use, change.kid) == ("log", new.key.kid)
    assert change.statement == sha256(split_compact(tokens[0]).payload)
    assert site.node.guard.state is GuardState.CONFIRMED
    site.node.writer.run(append(b"goes on"))
    assert read_head(site)[1].size == 3


def test_both_last_heads_are_cosigned(site: MemberSite) -> None:
    get_cosigned(site)
    announce_and_wait(site)
    site.follow_logs()

    assert get_cosigned(site) == 2

    assert (find_witnessed(site, 1), find_witnessed(site, 2)) == (4, 2)


def test_a_last_head_that_the_hub_could_not_take_is_submitted_later(site: MemberSite) -> None:
    announce_and_wait(site)
    site.follow_logs()
    site.restart()
    site.stop_hub()
    with pytest.raises(PeerUnreachableError):
        get_cosigned(site)
    site.start_hub()

    get_cosigned(site)

    assert find_witnessed(site, 1) == 4


def test_a_restart_goes_on_in_the_new_log_with_its_key(site: MemberSite) -> None:
    new = announce_and_wait(site)
    site.follow_logs()

    site.restart()
    site.follow_registry()
    site.confirm()

    assert read_head(site)[0] == ORIGIN_2
    assert not site.follow_logs()
    assert site.node.guard.state is GuardState.CONFIRMED
    site.node.writer.run(append(b"goes on"))
    keys = load_member_keys(site.settings, database=site.node.local.database)
    assert (keys.log.kid, keys.log_origin) == (new.key.kid, ORIGIN_2)


def test_a_restart_before_the_change_begins_the_new_log_then(site: MemberSite) -> None:
    announce_and_wait(site)
    site.restart()
    assert read_head(site)[0] == ORIGIN
    site.confirm()

    assert site.follow_logs()

    assert read_head(site)[0] == ORIGIN_2
    assert kinds(site, 2) == [GenesisEntry, StartEntry]


def test_nothing_is_begun_before_the_old_log_is_confirmed(site: MemberSite) -> None:
    announce_and_wait(site)
    site.restart()

    assert not site.follow_logs()

    assert read_head(site)[0] == ORIGIN


def test_a_log_that_its_operator_calls_rolled_back_ends_as_it_stands(site: MemberSite) -> None:
    announce_and_wait(site, reason="rolled-back")  # by what the guard could not see

    site.follow_logs()

    assert kinds(site, 1) == [GenesisEntry, StartEntry]
    assert kinds(site, 2) == [GenesisEntry, KeyChangeEntry, StartEntry]


def test_a_key_without_its_statement_is_not_logged(site: MemberSite) -> None:
    announce_and_wait(site)
    (site.settings.home / "keys" / "log-2.statement.json").unlink()

    site.follow_logs()

    assert kinds(site, 1) == [GenesisEntry, StartEntry, StopEntry]
    assert site.node.own_logs.list_logs()[0].end_reason == "key"


def test_a_log_whose_key_is_not_here_is_not_begun_and_warned_of(site: MemberSite) -> None:
    announce_and_wait(site)
    (site.settings.home / "keys" / "log-2.pem").rename(site.settings.home / "elsewhere.pem")

    assert not site.follow_logs()

    assert any("whose key is not here" in one for one in site.node.own_logs.list_warnings())


@pytest.mark.parametrize("mode", [BEFORE, AFTER])
def test_a_commit_that_fails_leaves_one_log_or_the_other(site: MemberSite, mode: str) -> None:
    announce_and_wait(site)
    head = read_head(site)
    FailingCommit(site.node.local.database, mode=mode)
    with pytest.raises(LogUnavailableError):
        site.follow_logs()

    if mode == AFTER:
        assert read_head(site)[0] == ORIGIN_2
        assert not site.follow_logs()
    else:
        assert read_head(site) == head
        assert site.follow_logs()
    site.confirm()
    site.begin_session()
    assert kinds(site, 1) == [GenesisEntry, StartEntry, KeyChangeEntry, StopEntry]
    assert kinds(site, 2) == [GenesisEntry, StartEntry]
    assert len(site.node.own_logs.list_logs()) == 2


def test_a_crash_before_the_commit_leaves_the_old_log_open(site: MemberSite) -> None:
    announce_and_wait(site)
    engine = site.node.local.database.engine

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    event.listen(engine, "commit", stop)
    with pytest.raises(KeyboardInterrupt):
        site.follow_logs()
    event.remove(engine, "commit", stop)
    site.restart()
    assert read_head(site)[0] == ORIGIN
    site.confirm()

    assert site.follow_logs()

    assert read_head(site)[0] == ORIGIN_2


def test_after_the_commit_and_before_the_start_entry_a_restart_logs_it(site: MemberSite) -> None:
    announce_and_wait(site)
    site.node.session.begin = None  # type: ignore[assignment,method-assign]  # as if it stopped here
    with pytest.raises(TypeError):
        site.follow_logs()
    site.restart()
    site.confirm()

    site.begin_session()

    assert kinds(site, 2) == [GenesisEntry, StartEntry]


# --- upkeep


def test_a_log_of_last_year_is_warned_of_until_the_next_is_begun(site: MemberSite) -> None:
    assert site.node.own_logs.list_warnings() == []
    site.hub.clock.advance_s(366 * DAY_S)
    (warning,) = site.node.own_logs.list_warnings()
    assert "is still open: chengxin log new --reason year" in warning
    site.follow_registry()
    announce_and_wait(site)

    site.follow_logs()

    assert site.node.own_logs.list_warnings() == []


def test_an_ended_log_is_checked_whole_once(site: MemberSite) -> None:
    announce_and_wait(site)
    site.follow_logs()
    assert [log.is_verified for log in site.node.own_logs.list_logs()] == [False, False]

    asyncio.run(site.node.log_check.run())
    asyncio.run(site.node.log_check.check_ended())

    assert [log.is_verified for log in site.node.own_logs.list_logs()] == [True, False]
    assert site.node.log_check.list_warnings() == []


def test_damage_in_an_ended_log_is_told_and_the_open_one_goes_on(site: MemberSite) -> None:
    announce_and_wait(site)
    site.follow_logs()
    with site.node.local.database.write() as uow:
        uow.connection.execute(
            update(log_batch)
            .where(log_batch.c.first == 1)
            .values(entries=encode_bundle([b"another"]))
        )

    asyncio.run(site.node.log_check.check_ended())

    (warning,) = site.node.log_check.list_warnings()
    assert warning.startswith(f"{ORIGIN} is damaged")
    site.node.writer.run(append(b"goes on"))


# --- under the node's HTTP face


def test_each_checkpoint_is_served_by_the_name_of_its_log(site: MemberSite) -> None:
    announce_and_wait(site)
    site.follow_logs()
    http = TestClient(build_app(site.node))  # not entered: no rounds

    newest = http.get("/chengxin/v1/log/checkpoint").text
    first, second = (
        http.get(f"/chengxin/v1/logs/{hash_origin(origin)}/checkpoint")
        for origin in (ORIGIN, ORIGIN_2)
    )
    absent = http.get(f"/chengxin/v1/logs/{hash_origin(ORIGIN_3)}/checkpoint")

    assert first.text.startswith(f"{ORIGIN}\n4\n")
    assert second.text == newest
    assert newest.startswith(f"{ORIGIN_2}\n2\n")
    assert (absent.status_code, absent.json()["code"]) == (404, "log-not-found")


def test_health_shows_each_log_and_what_is_cosigned_of_it(site: MemberSite) -> None:
    get_cosigned(site)
    health = Health(site.node)
    assert "logs" not in health.report()
    announce_and_wait(site)
    site.follow_logs()

    said = health.report()

    assert (said["log_origin"], said["log_size"], said["witnessed_size"]) == (ORIGIN_2, 2, 0)
    assert said["exchanging"] is True  # the member's newest cosignature is fresh
    get_cosigned(site)
    site.hub.clock.advance_s(2)  # what costs a look at the database is that old at most
    assert health.report()["logs"] == [
        {"origin": ORIGIN, "size": 4, "witnessed_size": 4, "end_reason": "year"},
        {"origin": ORIGIN_2, "size": 2, "witnessed_size": 2, "end_reason": None},
    ]


def test_a_running_node_changes_its_log_and_has_both_heads_cosigned(site: MemberSite) -> None:
    announce_and_wait(site)

    with TestClient(build_app(site.node)) as http:
        said = http.get("/readyz").json()
        assert said["log_origin"] == ORIGIN_2
        assert [log["end_reason"] for log in said["logs"]] == ["year", None]
        assert all(log["witnessed_size"] == log["size"] for log in said["logs"])
    site.restart_from_disk()

    assert kinds(site, 1) == [GenesisEntry, StartEntry, KeyChangeEntry, StopEntry]
    assert kinds(site, 2) == [GenesisEntry, StartEntry, StopEntry]


# --- under audit, with the hub's own cosignatures


def test_two_logs_that_the_hub_has_cosigned_hold(site: MemberSite, tmp_path: Path) -> None:
    announce_and_wait(site)
    site.follow_logs()
    get_cosigned(site)

    report = audit(site, tmp_path / "out")

    assert [(log.origin, log.size, log.verdict) for log in report.logs] == [
        (ORIGIN, 4, LogVerdict.HOLDS),
        (ORIGIN_2, 2, LogVerdict.HOLDS),
    ]
    assert report.verdict is Verdict.PROVEN
