from collections.abc import Callable
from dataclasses import replace

import pytest

from node.core.errors import NodeError
from node.hub.errors import (
    KeyNotHeldError,
    KeyTakenError,
    MemberSuspendedError,
    MemberUnknownError,
    RegistryFullError,
    RevocationConflictError,
)
from node.hub.rules_keys import KEY_CHANGE_AGE_S_MAX
from node.hub.rules_snapshot import RevocationReason
from node.hub.store import AdmissionStore
from protocol.checkpoint import Checkpoint, hash_origin, sign_checkpoint
from protocol.cosignature import build_add_checkpoint
from protocol.encoding import sha256
from protocol.errors import ProtocolError, SignatureInvalidError
from protocol.jws import split_compact
from protocol.keychange import KeyChange, sign_key_change
from protocol.keys import SigningKey
from protocol.limits import KEY_OVERLAP_S, REGISTRY_KEYS_PER_MEMBER_MAX
from protocol.problems import ExpiredError, KeyRevokedError, UnknownKeyProblemError
from protocol.registry import KeyEntry
from tests.support.hubs import (
    ALPHA,
    BETA,
    EDGE,
    HUB_KEY,
    NOW_S,
    SUBJECT_KEY,
    WITNESS_KEY,
    TestHub,
    enrol_subject,
)

NEW = SigningKey(sha256(b"alpha: second message"))
THIRD = SigningKey(sha256(b"alpha: third message"))
NEW_LOG = SigningKey(sha256(b"alpha: second log"))
ORIGIN_2 = "alpha.example/chengxin/log/2"
CHANGE = KeyChange(
    member=ALPHA.member,
    use="message",
    old=ALPHA.message_key.kid,
    new=NEW.public,
    iat=NOW_S,
    nbf=NOW_S + 600,
    reason="routine",
)
LOG_CHANGE = replace(
    CHANGE,
    use="log",
    old=ALPHA.log_key.kid,
    new=NEW_LOG.public,
    reason="year",
    origin=ORIGIN_2,
)
DAY_S = 86_400


@pytest.fixture(autouse=True)
def _enrolled(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())


def change(hub: TestHub, claims: KeyChange = CHANGE, *, new: SigningKey = NEW) -> int:
    old = ALPHA.log_key if claims.use == "log" else ALPHA.message_key
    return hub.service.change_key(sign_key_change(claims, old=old, new=new)).seq


def find(hub: TestHub, key: SigningKey) -> KeyEntry:
    found = hub.open_newest().find_message_key(key.kid)
    assert found is not None
    return found[1]


def test_new_key_counts_from_its_beginning_and_the_old_one_for_thirty_days_beside_it(
    hub: TestHub,
) -> None:
    change(hub)

    new, old = find(hub, NEW), find(hub, ALPHA.message_key)
    assert (new.nbf, new.revoked_at) == (CHANGE.nbf, None)
    assert (old.revoked_at, old.reason) == (CHANGE.nbf + KEY_OVERLAP_S, "superseded")
    assert old.is_valid_at(CHANGE.nbf + KEY_OVERLAP_S - 1)


def test_the_same_change_again_changes_nothing_and_the_statement_is_kept(hub: TestHub) -> None:
    tokens = sign_key_change(CHANGE, old=ALPHA.message_key, new=NEW)
    first = hub.service.change_key(tokens)
    hub.clock.advance_s(KEY_CHANGE_AGE_S_MAX + 1)  # It is old by now, and has long been entered.

    again = hub.service.change_key(tokens)

    assert again.seq == first.seq
    with hub.database.read() as uow:
        kept = AdmissionStore(uow.connection).find_key_change(
            sha256(split_compact(tokens[0]).payload)
        )
    assert kept is not None
    assert (kept.kid, kept.tokens) == (NEW.kid, tokens)


def test_a_key_that_has_handed_over_does_not_hand_over_again(hub: TestHub) -> None:
    change(hub)

    with pytest.raises(KeyRevokedError):
        change(hub, replace(CHANGE, new=THIRD.public), new=THIRD)


def test_the_new_key_hands_over_once_it_counts(hub: TestHub) -> None:
    change(hub)
    next_change = replace(CHANGE, old=NEW.kid, new=THIRD.public, iat=NOW_S + 700, nbf=NOW_S + 700)
    tokens = sign_key_change(next_change, old=NEW, new=THIRD)
    with pytest.raises(KeyRevokedError):
        hub.service.change_key(tokens)
    hub.clock.advance_s(700)

    hub.service.change_key(tokens)

    assert find(hub, THIRD).nbf == NOW_S + 700


REFUSED: dict[str, tuple[Callable[[TestHub], object], KeyChange, type[Exception]]] = {
    "of nobody": (
        lambda _hub: None,
        replace(CHANGE, member="nobody.example"),
        MemberUnknownError,
    ),
    "of another member": (
        lambda hub: hub.service.enrol_member(BETA.enrol()),
        replace(CHANGE, member=BETA.member),
        UnknownKeyProblemError,
    ),
    "of a suspended member": (
        lambda hub: hub.service.suspend_member(ALPHA.member),
        CHANGE,
        MemberSuspendedError,
    ),
    "of another use": (
        lambda _hub: None,
        replace(LOG_CHANGE, old=ALPHA.message_key.kid),
        SignatureInvalidError,
    ),
    "of a revoked key": (
        lambda hub: hub.service.revoke_key(
            ALPHA.message_key.kid, reason=RevocationReason.COMPROMISED
        ),
        CHANGE,
        KeyRevokedError,
    ),
    "old": (lambda hub: hub.clock.advance_s(KEY_CHANGE_AGE_S_MAX + 1), CHANGE, ExpiredError),
    "from the future": (
        lambda _hub: None,
        replace(CHANGE, iat=NOW_S + DAY_S + 1, nbf=NOW_S + DAY_S + 1),
        ExpiredError,
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_change_that_is_not_the_owners_to_make_now_is_refused(hub: TestHub, what: str) -> None:
    prepare, claims, error = REFUSED[what]
    prepare(hub)
    before = hub.service.get_snapshot(None).seq

    with pytest.raises(error):
        change(hub, claims, new=NEW_LOG if claims.use == "log" else NEW)

    assert hub.service.get_snapshot(None).seq == before


def test_a_key_change_by_nobodys_key_is_refused(hub: TestHub) -> None:
    stranger = replace(CHANGE, old=THIRD.kid)

    with pytest.raises(UnknownKeyProblemError):
        hub.service.change_key(sign_key_change(stranger, old=THIRD, new=NEW))


@pytest.mark.parametrize(
    "taken", [ALPHA.log_key, HUB_KEY, WITNESS_KEY], ids=["log", "hub", "witness"]
)
def test_a_new_key_that_has_an_owner_is_refused(hub: TestHub, taken: SigningKey) -> None:
    with pytest.raises(KeyTakenError):
        change(hub, replace(CHANGE, new=taken.public), new=taken)


def test_a_member_with_as_many_keys_as_a_snapshot_holds_gets_no_more(hub: TestHub) -> None:
    old = ALPHA.message_key
    for number in range(REGISTRY_KEYS_PER_MEMBER_MAX - 2):
        new = SigningKey(sha256(b"many", str(number).encode()))
        claims = replace(CHANGE, old=old.kid, new=new.public, nbf=NOW_S)
        hub.service.change_key(sign_key_change(claims, old=old, new=new))
        old = new
    last = replace(CHANGE, old=old.kid, nbf=NOW_S)

    with pytest.raises(RegistryFullError):
        hub.service.change_key(sign_key_change(last, old=old, new=NEW))


# --- a new log


def ask_witness(hub: TestHub, *, origin: str, key: SigningKey) -> bytes:
    head = Checkpoint(origin=origin, size=EDGE.size, root=EDGE.root)
    note = sign_checkpoint(head, key=key)
    return hub.service.add_checkpoint(
        build_add_checkpoint(old_size=0, proof=[], note=note).text.encode()
    )


def test_a_new_log_key_opens_a_new_log_and_both_are_watched(hub: TestHub) -> None:
    change(hub, LOG_CHANGE, new=NEW_LOG)

    registry = hub.open_newest()
    assert registry.get_log_key(ALPHA.member) == (ORIGIN_2, NEW_LOG.public)
    assert registry.get_log_key(ALPHA.member, origin=ALPHA.log_origin)[1] == ALPHA.log_key.public
    hub.clock.advance_s(600)
    for origin, key in ((ALPHA.log_origin, ALPHA.log_key), (ORIGIN_2, NEW_LOG)):
        assert ask_witness(hub, origin=origin, key=key)
        assert hub.service.get_witnessed(hash_origin(origin)).startswith(f"{origin}\n9\n")


def test_a_log_is_not_opened_twice(hub: TestHub) -> None:
    hub.service.enrol_member(BETA.enrol())
    change(hub, LOG_CHANGE, new=NEW_LOG)
    third = SigningKey(sha256(b"alpha: third log"))
    hub.clock.advance_s(600)
    for origin in (ALPHA.log_origin, ORIGIN_2):
        again = replace(
            LOG_CHANGE,
            old=NEW_LOG.kid,
            new=third.public,
            origin=origin,
            iat=NOW_S + 600,
            nbf=NOW_S + 600,
        )
        with pytest.raises(KeyTakenError):
            hub.service.change_key(sign_key_change(again, old=NEW_LOG, new=third))


# --- the operator ends keys


def test_only_a_compromise_reaches_back(hub: TestHub) -> None:
    hub.clock.advance_s(3_600)
    kid = ALPHA.message_key.kid
    with pytest.raises(RevocationConflictError):
        hub.service.revoke_key(kid, reason=RevocationReason.LOST, since_s=NOW_S)
    for since_s in (NOW_S - DAY_S, NOW_S + 3_601):
        with pytest.raises(RevocationConflictError):
            hub.service.revoke_key(kid, reason=RevocationReason.COMPROMISED, since_s=since_s)

    hub.service.revoke_key(kid, reason=RevocationReason.COMPROMISED, since_s=NOW_S + 60)

    entry = find(hub, ALPHA.message_key)
    assert (entry.revoked_at, entry.reason) == (NOW_S + 60, "compromised")


def test_a_superseded_key_may_turn_out_to_be_compromised_and_to_nothing_else(
    hub: TestHub,
) -> None:
    change(hub)
    hub.clock.advance_s(700)
    kid = ALPHA.message_key.kid
    with pytest.raises(RevocationConflictError):
        hub.service.revoke_key(kid, reason=RevocationReason.LOST)

    hub.service.revoke_key(kid, reason=RevocationReason.COMPROMISED, since_s=NOW_S)
    hub.service.revoke_key(kid, reason=RevocationReason.COMPROMISED)

    assert find(hub, ALPHA.message_key).revoked_at == NOW_S


def test_a_forced_rotation_ends_the_key_on_its_date_and_the_member_changes_it_before(
    hub: TestHub,
) -> None:
    by_s = NOW_S + 10 * DAY_S
    hub.service.force_rotation(ALPHA.message_key.kid, by_s=by_s)
    forced = find(hub, ALPHA.message_key)
    assert (forced.revoked_at, forced.reason) == (by_s, "rotation-forced")

    change(hub, replace(CHANGE, reason="forced"))

    assert find(hub, ALPHA.message_key) == forced  # no longer than the operator allowed
    assert find(hub, NEW).revoked_at is None


@pytest.mark.parametrize(
    ("kid", "by_s", "error"),
    [
        (ALPHA.message_key.kid, NOW_S + DAY_S - 1, RevocationConflictError),
        (HUB_KEY.kid, NOW_S + DAY_S, KeyNotHeldError),
        (THIRD.kid, NOW_S + DAY_S, KeyNotHeldError),
    ],
    ids=["too-soon", "the-hubs-own", "unknown"],
)
def test_a_rotation_is_forced_of_a_members_key_with_a_day_left(
    hub: TestHub, kid: str, by_s: int, error: type[NodeError]
) -> None:
    with pytest.raises(error):
        hub.service.force_rotation(kid, by_s=by_s)


def test_ages_show_whose_keys_count_and_when_they_end(hub: TestHub) -> None:
    hub.service.enrol_subject(enrol_subject())
    hub.clock.advance_s(5 * DAY_S)
    hub.service.enrol_member(BETA.enrol(iat=NOW_S + 5 * DAY_S))
    hub.service.revoke_key(BETA.log_key.kid, reason=RevocationReason.LOST)
    hub.service.force_rotation(ALPHA.log_key.kid, by_s=NOW_S + 9 * DAY_S)

    ages = hub.service.list_key_ages()

    assert [(age.owner, age.use, age.age_days) for age in ages] == [
        ("alpha.example", "log", 5),
        ("alpha.example", "message", 5),
        ("hub", "hub", 5),
        ("hub", "log", 5),
        ("beta.example", "message", 0),
    ]
    assert (ages[0].ends_at, ages[0].reason) == (NOW_S + 9 * DAY_S, "rotation-forced")
    assert SUBJECT_KEY.kid not in {age.kid for age in ages}


def test_a_change_that_fails_leaves_nothing_behind(hub: TestHub) -> None:
    with pytest.raises((NodeError, ProtocolError)):
        change(hub, replace(LOG_CHANGE, origin="alpha.example/chengxin/log/1"), new=NEW_LOG)

    registry = hub.open_newest()
    assert registry.get_log_key(ALPHA.member) == (ALPHA.log_origin, ALPHA.log_key.public)
    member = registry.find_member(ALPHA.member)
    assert member is not None
    assert len(member.keys) == 2
