import threading
from itertools import pairwise
from pathlib import Path

import pytest

from node.core.errors import InvariantError, NodeError
from node.hub import chain as chain_module
from node.hub.errors import (
    HubIdentityError,
    RegistryFullError,
    SnapshotRaceError,
    SnapshotUnknownError,
)
from node.hub.rules_snapshot import check_capacity
from node.hub.store import HubStore, Snapshot
from protocol.errors import EvidenceError, ProtocolError, TooLargeError
from protocol.limits import REGISTRY_LIFE_S
from protocol.registry import (
    FIRST_PREVIOUS,
    MEMBERS_MAX,
    SUBJECTS_MAX,
    check_succession,
    open_registry,
)
from tests.support.hubs import (
    ALPHA,
    BETA,
    HUB,
    HUB_KEY,
    NOW_S,
    TestHub,
    enrol_subject,
    open_test_hub,
)


def test_first_snapshot_names_the_hub_its_key_and_its_witness(hub: TestHub) -> None:
    first = hub.open_newest()

    assert (first.seq, first.prev, first.hub, first.simulated) == (1, FIRST_PREVIOUS, HUB, True)
    assert first.get_hub_key(HUB_KEY.kid) == HUB_KEY.public
    assert first.witness_vkey == hub.service.witness_vkey
    assert (first.iat, first.exp) == (NOW_S, NOW_S + REGISTRY_LIFE_S)


def test_every_change_makes_one_snapshot_that_follows_the_one_before(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())
    hub.service.enrol_subject(enrol_subject())
    hub.service.enrol_member(BETA.enrol())
    hub.service.suspend_member(ALPHA.member)
    hub.service.publish()

    opened = [
        open_registry(hub.service.get_snapshot(seq).tokens, anchors=[HUB_KEY.public])
        for seq in range(1, 7)
    ]
    for older, newer in pairwise(opened):
        check_succession(newer, older=older)
    assert hub.service.get_snapshot(None).hash == opened[-1].hash


def test_snapshot_is_renewed_at_half_its_life_when_somebody_asks(hub: TestHub) -> None:
    hub.clock.advance_s(REGISTRY_LIFE_S // 2 - 1)
    assert hub.service.get_snapshot(None).seq == 1
    hub.clock.advance_s(1)

    renewed = hub.service.get_snapshot(None)

    assert renewed.seq == 2
    assert renewed.exp == NOW_S + REGISTRY_LIFE_S // 2 + REGISTRY_LIFE_S
    assert hub.service.get_snapshot(None).seq == 2


def test_two_who_renew_at_once_make_one_snapshot(hub: TestHub) -> None:
    hub.clock.advance_s(REGISTRY_LIFE_S)
    start = threading.Barrier(4)

    def refresh() -> None:
        start.wait()
        hub.service.refresh_registry()

    threads = [threading.Thread(target=refresh) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert hub.service.get_snapshot(None).seq == 2


def test_clock_set_back_does_not_make_a_snapshot_older_than_the_one_before(hub: TestHub) -> None:
    hub.clock.advance_s(-3600)

    assert hub.service.publish().iat == NOW_S


def test_hub_started_again_goes_on_with_its_chain(hub: TestHub, tmp_path: Path) -> None:
    hub.service.enrol_member(ALPHA.enrol())

    again = open_test_hub(tmp_path)

    assert again.service.enrol_member(BETA.enrol()).seq == 3
    # The first process sees what the second has published.
    assert hub.service.publish().seq == 4
    again.database.dispose()


@pytest.mark.parametrize("seq", [0, -1, 2, 2**31, 2**80])
def test_number_that_was_never_given_is_not_found(hub: TestHub, seq: int) -> None:
    with pytest.raises(SnapshotUnknownError):
        hub.service.get_snapshot(seq)


def test_number_is_given_once(hub: TestHub) -> None:
    taken = Snapshot(seq=1, hash=bytes(32), tokens=("t",), iat=NOW_S, exp=NOW_S + 1)

    with pytest.raises(SnapshotRaceError), hub.database.write() as uow:
        HubStore(uow.connection).add_snapshot(taken)


def test_snapshot_that_the_hub_did_not_sign_stops_it(hub: TestHub, tmp_path: Path) -> None:
    forged = Snapshot(seq=2, hash=bytes(32), tokens=("a.b.c",), iat=NOW_S, exp=NOW_S + 1)
    with hub.database.write() as uow:
        HubStore(uow.connection).add_snapshot(forged)

    with pytest.raises(HubIdentityError):
        open_test_hub(tmp_path)


@pytest.mark.parametrize(
    ("found", "error"),
    [(TooLargeError, RegistryFullError), (EvidenceError, InvariantError)],
    ids=["too-large", "our-own-mistake"],
)
def test_snapshot_that_members_would_refuse_is_not_published(
    hub: TestHub,
    monkeypatch: pytest.MonkeyPatch,
    found: type[ProtocolError],
    error: type[NodeError],
) -> None:
    def refuse(*_args: object, **_values: object) -> None:
        raise found("refused")

    monkeypatch.setattr(chain_module, "check_next", refuse)

    with pytest.raises(error):
        hub.service.enrol_member(ALPHA.enrol())
    monkeypatch.undo()
    assert hub.service.directory() == []
    assert hub.service.get_snapshot(None).seq == 1


def test_more_than_a_snapshot_may_hold_is_refused() -> None:
    # The hub's own entry is one of a snapshot's members.
    check_capacity(members=MEMBERS_MAX - 1, subjects=SUBJECTS_MAX)

    for members, subjects in ((MEMBERS_MAX, 0), (0, SUBJECTS_MAX + 1)):
        with pytest.raises(RegistryFullError):
            check_capacity(members=members, subjects=subjects)


def test_health_counts_and_renews(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())
    hub.service.enrol_subject(enrol_subject())
    hub.service.add_checkpoint(ALPHA.ask_witness(0, 3))
    hub.clock.advance_s(REGISTRY_LIFE_S + 1)

    health = hub.service.health()

    assert (health.members, health.subjects, health.logs_cosigned) == (1, 1, 1)
    assert health.registry_ends_in_s == REGISTRY_LIFE_S
    assert health.oldest_cosignature_s == REGISTRY_LIFE_S + 1
    assert health.status_list_percent == 0
