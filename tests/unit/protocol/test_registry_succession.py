"""What may follow a registry snapshot: nothing is dropped, a key's end moves only as specified."""

from dataclasses import replace
from typing import Any

import pytest

from protocol.errors import (
    EvidenceError,
    SchemaError,
    UnknownKeyError,
)
from protocol.registry import (
    FIRST_PREVIOUS,
    ORDERLY_ENDS,
    KeyEntry,
    RegistryChainError,
    check_succession,
    open_registry,
    sign_registry,
)
from tests.support.snapshots import (
    ALPHA,
    FIRST,
    HUB,
    HUB_2,
    LOG,
    MESSAGE,
    NOW_S,
    STRANGER,
    SUBJECT,
    entry,
    follow,
    key,
    opened,
    with_keys,
)

REVOKED = entry(MESSAGE, "message", revoked_at=NOW_S + 5, reason="lost")
LOG_ENTRY = entry(LOG, "log")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="renewed"),
        pytest.param({"members": (replace(ALPHA, status="left", name="New"),)}, id="left"),
        pytest.param(with_keys(REVOKED, LOG_ENTRY), id="revoked"),
        pytest.param(with_keys(*ALPHA.keys, entry(STRANGER, "message")), id="one-key-more"),
        pytest.param(
            {
                "members": (
                    ALPHA,
                    replace(ALPHA, member="beta.example", log_origin="beta.example/log", keys=()),
                )
            },
            id="one-member-more",
        ),
    ],
)
def test_snapshot_that_only_adds_follows(changed: dict[str, Any]) -> None:
    check_succession(follow(FIRST, **changed), older=opened())


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"seq": 3}, id="number"),
        pytest.param({"prev": FIRST_PREVIOUS}, id="link"),
        pytest.param({"hub": "other.example"}, id="hub"),
        pytest.param({"simulated": False}, id="real-from-simulated"),
        pytest.param({"members": ()}, id="member-dropped"),
        pytest.param({"members": (replace(ALPHA, log_origin="alpha.example/2"),)}, id="log-moved"),
        pytest.param({"subjects": ()}, id="subject-dropped"),
        pytest.param({"hub_keys": (entry(HUB, "hub"),)}, id="hub-key-dropped"),
        pytest.param(with_keys(ALPHA.keys[0]), id="key-dropped"),
        pytest.param(
            with_keys(entry(MESSAGE, "log", origin="alpha.example/2"), LOG_ENTRY), id="use-altered"
        ),
        pytest.param(with_keys(entry(MESSAGE, "message", nbf=1), LOG_ENTRY), id="nbf-altered"),
        pytest.param(with_keys(entry(MESSAGE, "message", exp=NOW_S), LOG_ENTRY), id="exp-altered"),
    ],
)
def test_snapshot_that_drops_or_alters_does_not_follow(changed: dict[str, Any]) -> None:
    with pytest.raises(RegistryChainError):
        check_succession(follow(FIRST, **changed), older=opened())


@pytest.mark.parametrize(
    "altered",
    [
        pytest.param({"revoked_at": None, "reason": None}, id="taken-back"),
        pytest.param({"revoked_at": NOW_S + 6}, id="moved"),
        pytest.param({"reason": "compromised"}, id="other-reason"),
    ],
)
def test_revocation_stays_as_it_was_made(altered: dict[str, Any]) -> None:
    second = follow(FIRST, **with_keys(REVOKED, LOG_ENTRY))
    third = follow(second, **with_keys(replace(REVOKED, **altered), LOG_ENTRY))

    with pytest.raises(RegistryChainError):
        check_succession(third, older=second)


def test_a_revocation_that_stands_follows() -> None:
    second = follow(FIRST, **with_keys(REVOKED, LOG_ENTRY))

    check_succession(follow(second), older=second)


def orderly_end(reason: str, **values: Any) -> KeyEntry:  # noqa: ANN401  fields of a table
    return entry(MESSAGE, "message", **{"revoked_at": NOW_S + 900, "reason": reason, **values})


@pytest.mark.parametrize("reason", sorted(ORDERLY_ENDS))
def test_an_orderly_end_may_be_moved_earlier_by_compromised(reason: str) -> None:
    second = follow(FIRST, **with_keys(orderly_end(reason), LOG_ENTRY))
    third = follow(
        second, **with_keys(orderly_end("compromised", revoked_at=NOW_S - 50), LOG_ENTRY)
    )

    check_succession(third, older=second)


@pytest.mark.parametrize(
    "altered",
    [
        pytest.param({"revoked_at": NOW_S + 900, "reason": "compromised"}, id="same-time"),
        pytest.param({"revoked_at": NOW_S + 901, "reason": "compromised"}, id="later"),
        pytest.param({"revoked_at": NOW_S + 5, "reason": "lost"}, id="earlier-but-lost"),
        pytest.param({"revoked_at": NOW_S + 5}, id="earlier-and-superseded"),
        pytest.param({"revoked_at": None, "reason": None}, id="taken-back"),
    ],
)
def test_an_orderly_end_is_moved_by_nothing_else(altered: dict[str, Any]) -> None:
    second = follow(FIRST, **with_keys(orderly_end("superseded"), LOG_ENTRY))
    third = follow(second, **with_keys(replace(orderly_end("superseded"), **altered), LOG_ENTRY))

    with pytest.raises(RegistryChainError):
        check_succession(third, older=second)


# --- several logs of one member

ORIGIN, ORIGIN_2 = ALPHA.log_origin, "alpha.example/chengxin/log/2"
RETIRED_LOG = entry(LOG, "log", origin=ORIGIN)
NEW_LOG = entry(STRANGER, "log")
MOVED = replace(ALPHA, log_origin=ORIGIN_2, keys=(ALPHA.keys[0], RETIRED_LOG, NEW_LOG))


def test_a_new_log_comes_with_a_new_key_and_the_old_one_stays() -> None:
    second = follow(FIRST, members=(MOVED,))
    check_succession(second, older=opened())

    assert second.get_log_key(ALPHA.member) == (ORIGIN_2, STRANGER.public)
    assert second.get_log_key(ALPHA.member, origin=ORIGIN) == (ORIGIN, LOG.public)
    assert second.members[0].log_keys == {ORIGIN: RETIRED_LOG, ORIGIN_2: NEW_LOG}
    assert second.list_log_origins() == (ORIGIN_2, ORIGIN)
    for origin in (ORIGIN, ORIGIN_2):
        assert second.find_log(origin) == MOVED
    assert second.find_log("beta.example/chengxin/log/1") is None
    with pytest.raises(UnknownKeyError):
        second.get_log_key(ALPHA.member, origin="alpha.example/chengxin/log/3")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"keys": (ALPHA.keys[0], RETIRED_LOG)}, id="no-new-key"),
        pytest.param({"keys": ALPHA.keys}, id="old-key-taken-along"),
        pytest.param(
            {"keys": (ALPHA.keys[0], entry(LOG, "log", origin="alpha.example/0"), NEW_LOG)},
            id="old-key-of-another-log",
        ),
        pytest.param(
            {
                "keys": (
                    ALPHA.keys[0],
                    entry(LOG, "log", origin="alpha.example/0"),
                    entry(SUBJECT, "log", origin=ORIGIN),
                    NEW_LOG,
                )
            },
            id="old-log-with-another-key",
        ),
    ],
)
def test_a_log_moves_only_to_a_new_one_with_a_key_of_its_own(changed: dict[str, Any]) -> None:
    newer = follow(FIRST, members=(replace(MOVED, **changed),), subjects=())

    with pytest.raises(RegistryChainError, match=r"alpha\.example: "):
        check_succession(newer, older=opened())


def test_a_retired_log_is_not_taken_up_again() -> None:
    second = follow(FIRST, members=(MOVED,))
    back = replace(ALPHA, keys=(ALPHA.keys[0], LOG_ENTRY, entry(STRANGER, "log", origin=ORIGIN_2)))

    with pytest.raises(RegistryChainError, match="no new log"):
        check_succession(follow(second, members=(back,)), older=second)


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param((entry(LOG, "log", origin=ORIGIN),), id="origin-of-the-newest-is-not-said"),
        pytest.param((LOG_ENTRY, NEW_LOG), id="two-keys-of-the-newest"),
        pytest.param((LOG_ENTRY, entry(STRANGER, "log", origin=ORIGIN)), id="two-keys-of-one-log"),
        pytest.param((entry(MESSAGE, "message", origin=ORIGIN_2), LOG_ENTRY), id="of-no-log-key"),
    ],
)
def test_one_log_has_one_key_and_one_way_to_say_so(keys: tuple[KeyEntry, ...]) -> None:
    with pytest.raises(SchemaError):
        opened(replace(FIRST, **with_keys(*keys)))


# --- the hub's own keys


def test_a_snapshot_that_no_key_could_follow_is_refused() -> None:
    ended = entry(HUB_2, "hub", revoked_at=NOW_S, reason="lost")

    with pytest.raises(SchemaError, match="threshold"):
        opened(replace(FIRST, threshold=2, hub_keys=(entry(HUB, "hub"), ended)))


def test_old_hub_keys_hand_over_to_new_ones_and_are_then_refused() -> None:
    both = opened(replace(FIRST, threshold=2))
    heirs = (key("heir 1"), key("heir 2"))
    ended = [entry(one, "hub", revoked_at=NOW_S + 1, reason="superseded") for one in (HUB, HUB_2)]
    draft = replace(
        both,
        seq=2,
        prev=both.hash,
        hub_keys=(*ended, *(entry(heir, "hub") for heir in heirs)),
        witness_vkey="hub.example/witness+11111111+BBBB",
    )
    old_anchors = [held.key for held in both.hub_keys]

    with pytest.raises(EvidenceError):  # one of two is not enough to hand the federation over
        open_registry(sign_registry(draft, keys=[HUB]), anchors=old_anchors, threshold=2)
    with pytest.raises(UnknownKeyError):  # nor can the heirs enter themselves
        open_registry(sign_registry(draft, keys=heirs), anchors=old_anchors, threshold=2)
    second = open_registry(
        sign_registry(draft, keys=[HUB, HUB_2]), anchors=old_anchors, threshold=2
    )
    check_succession(second, older=both)

    assert second.list_signers() == tuple(heir.public for heir in heirs)
