"""The way out of a rollback: the old log ends as it stands, and the next one begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.core.witnesses import LogRolledBackError
from node.hub.rules_snapshot import RevocationReason
from node.sharing.guard import GuardState
from node.sharing.own_logs import NUMBERS_SKIPPED_MAX
from node.sharing.store import SharingStore
from protocol.audit.findings import LogVerdict, Verdict
from protocol.entry import (
    GenesisEntry,
    KeyChangeEntry,
    PreviousLog,
    StartEntry,
    format_entry,
)
from protocol.limits import TREE_SIZE_MAX
from protocol.note import VerifierKey
from tests.support import hubs
from tests.support.log_sites import (
    ORIGIN,
    ORIGIN_2,
    ORIGIN_3,
    announce_and_wait,
    audit,
    back_up,
    find_witnessed,
    get_cosigned,
    go_back,
    kinds,
    open_ring,
    read_head,
    roll_back,
)
from tests.support.logs import append
from tests.support.sites import MemberSite


@pytest.fixture
def site(site: MemberSite) -> MemberSite:
    site.begin_session()
    return site


def test_a_rolled_back_log_ends_as_it_stands_and_the_next_one_begins(site: MemberSite) -> None:
    roll_back(site, lost=[b"lost"] * 3)
    head = read_head(site)
    announce_and_wait(site, reason="rolled-back")

    assert site.follow_logs()

    assert kinds(site, 1) == [GenesisEntry, StartEntry]
    assert kinds(site, 2) == [GenesisEntry, KeyChangeEntry, StartEntry]
    genesis = site.read_log(2)[0]
    assert isinstance(genesis, GenesisEntry)
    assert genesis.previous == PreviousLog(origin=head[0], head=head[1], reason="rolled-back")
    assert site.node.guard.state is GuardState.CONFIRMED
    site.node.upkeep._age_s_max = 0
    site.node.upkeep.check_exchanging()
    assert get_cosigned(site) == 3
    assert find_witnessed(site, 1) is None  # nobody would cosign it


def test_a_rolled_back_log_is_said_to_be_so_whatever_the_operator_says(site: MemberSite) -> None:
    roll_back(site, lost=[b"lost"])
    announce_and_wait(site, reason="year")

    assert site.follow_logs()

    assert site.node.own_logs.list_logs()[0].end_reason == "rolled-back"


def test_a_copy_from_before_the_change_does_not_begin_the_new_log_again(site: MemberSite) -> None:
    backup = back_up(site)
    announce_and_wait(site)
    site.follow_logs()
    get_cosigned(site)
    go_back(site, backup)

    with pytest.raises(LogRolledBackError):
        site.confirm()
    with pytest.raises(LogRolledBackError, match=f"of {ORIGIN_2}, which is not here"):
        site.follow_logs()
    assert read_head(site)[0] == ORIGIN
    announce_and_wait(site, ORIGIN_3, reason="rolled-back")

    assert site.follow_logs()

    assert read_head(site)[0] == ORIGIN_3


def test_numbers_that_the_lost_part_may_have_used_are_passed_over(site: MemberSite) -> None:
    site.hub.service.enrol_member(hubs.BETA.enrol(endpoint="http://beta.example"))
    site.follow_registry()
    get_cosigned(site)  # 2 entries are common to both histories
    seen = roll_back(site, lost=[b"lost"] * 5)
    announce_and_wait(site, reason="rolled-back")

    site.follow_logs()

    with site.node.local.database.read() as uow:
        assert SharingStore(uow.connection).read_counter(hubs.BETA.member) == seen - 2


def test_numbers_of_a_lost_log_after_the_lost_part_are_passed_over_too(site: MemberSite) -> None:
    site.hub.service.enrol_member(hubs.BETA.enrol(endpoint="http://beta.example"))
    site.follow_registry()
    get_cosigned(site)  # 2 entries are common to both histories
    backup = back_up(site)
    announce_and_wait(site)
    site.follow_logs()
    for _ in range(5):
        site.node.writer.run(append(b"lost"))
    get_cosigned(site)
    seen = sum(log.size for log in site.node.own_logs.list_logs())
    go_back(site, backup)
    with pytest.raises(LogRolledBackError):
        site.confirm()
    announce_and_wait(site, ORIGIN_3, reason="rolled-back")

    site.follow_logs()

    with site.node.local.database.read() as uow:
        assert SharingStore(uow.connection).read_counter(hubs.BETA.member) == seen - 2


def test_a_false_head_of_a_thief_does_not_use_up_the_numbers(
    site: MemberSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.hub.service.enrol_member(hubs.BETA.enrol(endpoint="http://beta.example"))
    get_cosigned(site)
    roll_back(site, lost=[b"lost"])
    announce_and_wait(site, reason="rolled-back")

    async def find_largest(_vkey: VerifierKey) -> int:
        return TREE_SIZE_MAX

    monkeypatch.setattr(site.node.guard, "ask_largest_seen", find_largest)

    site.follow_logs()

    with site.node.local.database.read() as uow:
        counter = SharingStore(uow.connection).read_counter(hubs.BETA.member)
    assert counter == NUMBERS_SKIPPED_MAX < TREE_SIZE_MAX


def test_a_log_under_a_revoked_key_ends_as_it_stands(site: MemberSite) -> None:
    site.hub.service.revoke_key(hubs.ALPHA.log_key.kid, reason=RevocationReason.COMPROMISED)
    new = open_ring(site).add()
    fresh = hubs.Company(
        member=hubs.ALPHA.member, message_key=hubs.ALPHA.message_key, log_key=new.key
    )
    token = site.hub.service.invite(kind="rekey", member=hubs.ALPHA.member, life_s=60).token
    tokens = fresh.enrol(log_origin=ORIGIN_2)
    open_ring(site).keep_statement(new.number, tokens)
    site.hub.service.enrol_member(tokens, invitation=token)
    site.follow_registry()

    assert site.follow_logs()

    assert kinds(site, 1) == [GenesisEntry, StartEntry]
    assert kinds(site, 2) == [GenesisEntry, KeyChangeEntry, StartEntry]
    assert site.node.own_logs.list_logs()[0].end_reason == "key"
    get_cosigned(site)
    assert find_witnessed(site, 1) is None


def test_after_a_rollback_both_logs_hold_as_far_as_they_are_here(
    site: MemberSite, tmp_path: Path
) -> None:
    get_cosigned(site)
    roll_back(site, lost=[format_entry(StartEntry(at_ms=1, software="lost"))])
    announce_and_wait(site, reason="rolled-back")
    site.follow_logs()
    get_cosigned(site)

    report = audit(site, tmp_path / "out")

    assert [(log.origin, log.size, log.verdict) for log in report.logs] == [
        (ORIGIN, 2, LogVerdict.HOLDS),
        (ORIGIN_2, 3, LogVerdict.HOLDS),
    ]
    # What the rollback has lost is open, by its owner's own word (docs/decisions/0030).
    assert report.verdict is Verdict.UNDETERMINED
    assert "log-rolled-back" in {finding.code for finding in report.findings}
