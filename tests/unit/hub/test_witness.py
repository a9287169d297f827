import hashlib
import threading

import pytest

from node.core.errors import InvariantError
from node.hub.errors import CheckpointUnknownError
from node.hub.rules_snapshot import RevocationReason
from node.hub.store import HubStore, WitnessedLog
from protocol.cosignature import (
    LogUnsignedError,
    StaleSizeError,
    UnknownOriginError,
    WitnessRefusalError,
    WitnessRequestError,
    adopt_cosignatures,
)
from protocol.limits import NOTE_SIGNATURES_MAX
from protocol.note import cosign_text, parse_note, parse_vkey
from tests.support.hubs import ALPHA, BETA, LEAVES, NOW_S, WITNESS_KEY, TestHub

DIGEST = hashlib.sha256(ALPHA.log_origin.encode()).hexdigest()


@pytest.fixture(autouse=True)
def enrolled(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())


def test_log_gets_a_cosignature_that_verifies(hub: TestHub) -> None:
    answer = hub.service.add_checkpoint(ALPHA.ask_witness(0, 3))

    vkey = parse_vkey(hub.open_newest().witness_vkey)
    _, verified = adopt_cosignatures(ALPHA.head(3), answer=answer, keys=[vkey])
    assert [signature.at_s for signature in verified] == [NOW_S]


def test_log_is_cosigned_step_by_step_and_again_at_the_same_size(hub: TestHub) -> None:
    for old_size, new_size in ((0, 0), (0, 3), (3, 3), (3, 7), (7, 9)):
        hub.clock.advance_s(10)
        hub.service.add_checkpoint(ALPHA.ask_witness(old_size, new_size))

    assert hub.service.get_witnessed(DIGEST).startswith(f"{ALPHA.log_origin}\n9\n")


def test_newest_head_carries_the_signatures_of_log_and_witness_and_no_others(
    hub: TestHub,
) -> None:
    text = parse_note(ALPHA.head(3)).text
    foreign = cosign_text(text, name="foreign.example", key=BETA.log_key, at_s=NOW_S).line

    line = hub.service.add_checkpoint(ALPHA.ask_witness(0, 3, note=ALPHA.head(3) + foreign))

    assert hub.service.get_witnessed(DIGEST) == ALPHA.head(3) + line.decode()


def test_signature_repeated_to_the_limit_is_kept_once(hub: TestHub) -> None:
    text, _, line = ALPHA.head(3).partition("\n\n")
    note = f"{text}\n\n{line * NOTE_SIGNATURES_MAX}"

    hub.service.add_checkpoint(ALPHA.ask_witness(0, 3, note=note))

    assert len(parse_note(hub.service.get_witnessed(DIGEST)).signatures) == 2


def test_head_is_not_found_before_the_first_cosignature(hub: TestHub) -> None:
    for digest in (DIGEST, "0" * 64, "nonsense"):
        with pytest.raises(CheckpointUnknownError):
            hub.service.get_witnessed(digest)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        pytest.param(b"old", WitnessRequestError, id="no-request"),
        pytest.param(BETA.ask_witness(0, 3), UnknownOriginError, id="no-member"),
        pytest.param(
            ALPHA.ask_witness(0, 3, note=ALPHA.head(3, key=BETA.log_key)),
            LogUnsignedError,
            id="signed-by-another",
        ),
        pytest.param(
            ALPHA.ask_witness(0, 3, note=ALPHA.head(3, key=ALPHA.message_key)),
            LogUnsignedError,
            id="signed-by-the-message-key",
        ),
        pytest.param(ALPHA.ask_witness(2, 3), StaleSizeError, id="another-size"),
        pytest.param(
            ALPHA.ask_witness(5, 7, note=ALPHA.head(7, root=LEAVES[0])),
            WitnessRefusalError,
            id="fork",
        ),
        pytest.param(
            ALPHA.ask_witness(5, 5, note=ALPHA.head(5, root=LEAVES[0])),
            WitnessRefusalError,
            id="two-roots-at-one-size",
        ),
    ],
)
def test_refused_request_leaves_the_record_as_it_was(
    hub: TestHub, raw: bytes, error: type[Exception]
) -> None:
    hub.service.add_checkpoint(ALPHA.ask_witness(0, 5))
    before = hub.service.get_witnessed(DIGEST)

    with pytest.raises(error):
        hub.service.add_checkpoint(raw)

    assert hub.service.get_witnessed(DIGEST) == before


def test_log_of_a_suspended_member_stays_watched(hub: TestHub) -> None:
    hub.service.suspend_member(ALPHA.member)

    assert hub.service.add_checkpoint(ALPHA.ask_witness(0, 3))


def test_revoked_log_key_speaks_for_no_log(hub: TestHub) -> None:
    hub.service.revoke_key(ALPHA.log_key.kid, reason=RevocationReason.COMPROMISED)

    with pytest.raises(UnknownOriginError):
        hub.service.add_checkpoint(ALPHA.ask_witness(0, 3))


def test_of_two_that_race_from_one_size_exactly_one_wins(hub: TestHub) -> None:
    hub.service.add_checkpoint(ALPHA.ask_witness(0, 3))
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def ask(new_size: int) -> None:
        start.wait()
        try:
            hub.service.add_checkpoint(ALPHA.ask_witness(3, new_size))
            outcomes.append(f"cosigned {new_size}")
        except StaleSizeError as err:
            outcomes.append(f"stale {err.known_size}")

    threads = [threading.Thread(target=ask, args=(size,)) for size in (7, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (won,) = (outcome for outcome in outcomes if outcome.startswith("cosigned"))
    size = won.removeprefix("cosigned ")
    assert sorted(outcomes) == [won, f"stale {size}"]
    assert hub.service.get_witnessed(DIGEST).startswith(f"{ALPHA.log_origin}\n{size}\n")


def test_record_that_moved_between_check_and_update_is_not_overwritten(hub: TestHub) -> None:
    hub.service.add_checkpoint(ALPHA.ask_witness(0, 5))
    late = WitnessedLog(
        origin=ALPHA.log_origin, size=4, root=LEAVES[0], note="late", cosigned_at_s=NOW_S
    )

    with pytest.raises(InvariantError), hub.database.write() as uow:
        HubStore(uow.connection).record_head(late, old_size=3)

    assert hub.service.get_witnessed(DIGEST).startswith(f"{ALPHA.log_origin}\n5\n")


def test_witness_key_is_not_the_registry_key(hub: TestHub) -> None:
    assert parse_vkey(hub.service.witness_vkey).public == WITNESS_KEY.public
    assert hub.service.anchor != WITNESS_KEY.public
