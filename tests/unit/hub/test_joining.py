"""Who comes by invitation, who leaves, and how lost keys are replaced."""

from dataclasses import replace

import pytest

from node.hub.errors import (
    InvitationInvalidError,
    InvitationUsedError,
    KeyTakenError,
    MemberExistsError,
    MemberSuspendedError,
    MemberUnknownError,
    RegistryFullError,
    SubjectUnknownError,
)
from node.hub.rules_snapshot import RevocationReason
from protocol.checkpoint import hash_origin
from protocol.consent import commit_subject
from protocol.encoding import sha256
from protocol.enrolment import Leaving, MemberEnrolment, sign_leaving, sign_member_enrolment
from protocol.identifiers import parse_subject_id
from protocol.invitation import format_fingerprint
from protocol.keys import SigningKey
from protocol.limits import REGISTRY_KEYS_PER_MEMBER_MAX
from protocol.problems import NotAMemberError, UnknownKeyProblemError, WrongIssuerError
from tests.support.hubs import (
    ALPHA,
    BETA,
    HUB,
    HUB_KEY,
    NOW_S,
    SALT,
    SUBJECT,
    SUBJECT_KEY,
    Company,
    TestHub,
    enrol_subject,
)

DAY_S = 86_400
NEW = SigningKey(sha256(b"joining: new"))
NEW_LOG = SigningKey(sha256(b"joining: new log"))
COMMITMENT = commit_subject(parse_subject_id(SUBJECT), salt=SALT)
DOCUMENT = sha256(b"the register's extract")


def invite(hub: TestHub, *, kind: str = "member", member: str = ALPHA.member) -> str:
    return hub.service.invite(kind=kind, member=member, life_s=DAY_S).token


def count_members(hub: TestHub) -> int:
    return hub.open_newest().member_count


def test_invitation_says_where_the_hub_is_and_how_its_anchor_is_known(hub: TestHub) -> None:
    made = hub.service.invite(kind="member", member=ALPHA.member, life_s=DAY_S)

    assert (made.hub, made.url) == (HUB, hub.settings.url)
    assert made.fingerprint == format_fingerprint(HUB_KEY.public)
    assert (made.kind, made.member) == ("member", ALPHA.member)
    assert made.expires_at_s == NOW_S + DAY_S


def test_invitation_admits_its_member_once(hub: TestHub) -> None:
    token = invite(hub)

    hub.service.enrol_member(ALPHA.enrol(), invitation=token)
    seq = hub.service.enrol_member(ALPHA.enrol(), invitation=token).seq

    assert count_members(hub) == 1
    assert seq == 2  # the same again is answered, and changes nothing
    moved = ALPHA.enrol(endpoint="https://new.example", iat=NOW_S + 1)
    assert hub.service.enrol_member(moved, invitation=token).seq == 3


def test_invitation_of_another_kind_or_member_admits_nobody(hub: TestHub) -> None:
    for token in (
        invite(hub, member=BETA.member),
        invite(hub, kind="subject", member=""),
        invite(hub, kind="rekey"),
        "A" * 43,
    ):
        with pytest.raises(InvitationInvalidError):
            hub.service.enrol_member(ALPHA.enrol(), invitation=token)
    with pytest.raises(InvitationInvalidError):
        hub.service.enrol_subject(enrol_subject(), invitation=invite(hub))

    assert count_members(hub) == 0
    assert hub.open_newest().subjects == ()


def test_invitation_ends(hub: TestHub) -> None:
    token = invite(hub)
    hub.clock.advance_s(DAY_S)

    with pytest.raises(InvitationInvalidError):
        hub.service.enrol_member(ALPHA.enrol(iat=NOW_S + DAY_S), invitation=token)

    assert count_members(hub) == 0


def test_invitation_of_a_subject_admits_one(hub: TestHub) -> None:
    token = invite(hub, kind="subject", member="")
    assert hub.service.enrol_subject(enrol_subject(), invitation=token) == COMMITMENT
    assert hub.service.enrol_subject(enrol_subject(), invitation=token) == COMMITMENT

    with pytest.raises(InvitationUsedError):
        hub.service.enrol_subject(enrol_subject(salt=sha256(b"2"), key=NEW), invitation=token)

    assert len(hub.open_newest().subjects) == 1


# --- keys in the place of revoked ones


def enrol_again(**changed: SigningKey | str) -> tuple[str, ...]:
    message = changed.get("message", ALPHA.message_key)
    log = changed.get("log", ALPHA.log_key)
    assert isinstance(message, SigningKey)
    assert isinstance(log, SigningKey)
    enrolment = MemberEnrolment(
        hub=HUB,
        iat=NOW_S,
        member=ALPHA.member,
        name="A company",
        endpoint="https://node.example",
        log_origin=str(changed.get("origin", ALPHA.log_origin)),
        keys={"message": message.public, "log": log.public},
    )
    return sign_member_enrolment(enrolment, keys=[message, log])


def test_a_new_message_key_takes_the_place_of_a_compromised_one_by_invitation(
    hub: TestHub,
) -> None:
    hub.service.enrol_member(ALPHA.enrol())
    hub.service.revoke_key(ALPHA.message_key.kid, reason=RevocationReason.COMPROMISED)
    tokens = enrol_again(message=NEW)
    with pytest.raises(MemberExistsError):
        hub.service.enrol_member(tokens)  # not even by the operator's own token
    with pytest.raises(MemberExistsError):
        hub.service.enrol_member(tokens, invitation=invite(hub))
    token = invite(hub, kind="rekey")

    hub.service.enrol_member(tokens, invitation=token)

    owner, key = hub.open_newest().get_message_key(NEW.kid, now_s=NOW_S)
    assert (owner.member, key) == (ALPHA.member, NEW.public)
    assert hub.service.enrol_member(tokens, invitation=token).seq == 4
    hub.service.revoke_key(NEW.kid, reason=RevocationReason.LOST)
    third = SigningKey(sha256(b"joining: third"))
    with pytest.raises(InvitationUsedError):
        hub.service.enrol_member(enrol_again(message=third), invitation=token)


def test_a_new_log_takes_the_place_of_one_whose_key_is_lost(hub: TestHub) -> None:
    origin = "alpha.example/chengxin/log/2"
    hub.service.enrol_member(ALPHA.enrol())
    hub.service.revoke_key(ALPHA.log_key.kid, reason=RevocationReason.LOST)
    token = invite(hub, kind="rekey")
    for tokens in (enrol_again(log=NEW_LOG), enrol_again(message=NEW, origin=origin)):
        with pytest.raises(MemberExistsError):
            hub.service.enrol_member(tokens, invitation=token)

    hub.service.enrol_member(enrol_again(log=NEW_LOG, origin=origin), invitation=token)

    registry = hub.open_newest()
    assert registry.get_log_key(ALPHA.member) == (origin, NEW_LOG.public)
    assert registry.get_log_key(ALPHA.member, origin=ALPHA.log_origin)[1] == ALPHA.log_key.public


def test_a_key_that_is_valid_is_not_replaced_by_invitation(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())

    with pytest.raises(MemberExistsError, match="valid"):
        hub.service.enrol_member(enrol_again(message=NEW), invitation=invite(hub, kind="rekey"))


def test_a_suspended_member_brings_no_new_keys(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())
    hub.service.revoke_key(ALPHA.message_key.kid, reason=RevocationReason.LOST)
    hub.service.suspend_member(ALPHA.member)

    with pytest.raises(MemberSuspendedError):
        hub.service.enrol_member(enrol_again(message=NEW), invitation=invite(hub, kind="rekey"))


# --- leaving


def leave(hub: TestHub, *, member: str = ALPHA.member, key: SigningKey) -> int:
    return hub.service.take_leaving(
        sign_leaving(Leaving(hub=HUB, iat=NOW_S, member=member), key=key)
    ).seq


def test_who_leaves_is_refused_and_its_log_stays_watched(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())

    seq = leave(hub, key=ALPHA.message_key)

    assert leave(hub, key=ALPHA.message_key) == seq  # again changes nothing
    with pytest.raises(NotAMemberError):
        hub.open_newest().get_message_key(ALPHA.message_key.kid, now_s=NOW_S)
    assert hub.service.add_checkpoint(ALPHA.ask_witness(0, 5))
    name = hash_origin(ALPHA.log_origin)
    assert hub.service.get_witnessed(name).startswith(f"{ALPHA.log_origin}\n5\n")
    with pytest.raises(MemberSuspendedError):
        hub.service.enrol_member(ALPHA.enrol(iat=NOW_S + 1))
    with pytest.raises(MemberSuspendedError):
        hub.service.suspend_member(ALPHA.member)


@pytest.mark.parametrize(
    ("company", "key", "error"),
    [
        (ALPHA, BETA.message_key, WrongIssuerError),
        (ALPHA, ALPHA.log_key, UnknownKeyProblemError),
        (ALPHA, NEW, UnknownKeyProblemError),
        (replace(ALPHA, member="nobody.example"), ALPHA.message_key, WrongIssuerError),
    ],
    ids=["another-members-key", "log-key", "nobodys-key", "another-name"],
)
def test_nobody_else_says_that_a_member_leaves(
    hub: TestHub, company: Company, key: SigningKey, error: type[Exception]
) -> None:
    for one in (ALPHA, BETA):
        hub.service.enrol_member(one.enrol())

    with pytest.raises(error):
        leave(hub, member=company.member, key=key)

    assert {entry.status for entry in hub.open_newest().members} == {"active"}


def test_the_operator_sees_a_member_off(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())
    hub.service.suspend_member(ALPHA.member)

    hub.service.enter_leaving(ALPHA.member)

    member = hub.open_newest().find_member(ALPHA.member)
    assert member is not None
    assert member.status == "left"
    with pytest.raises(MemberUnknownError):
        hub.service.enter_leaving(BETA.member)


# --- a subject's new key


def rekey(hub: TestHub, *, key: SigningKey = NEW, salt: bytes = SALT) -> int:
    return hub.service.rekey_subject(
        enrol_subject(key=key, salt=salt), document=DOCUMENT, reason=RevocationReason.LOST
    ).seq


def test_a_subjects_new_key_stands_beside_the_old_one_which_keeps_what_it_signed(
    hub: TestHub,
) -> None:
    hub.service.enrol_subject(enrol_subject())
    hub.clock.advance_s(60)

    seq = rekey(hub)

    assert rekey(hub) == seq
    (subject,) = hub.open_newest().subjects
    old, new = subject.keys
    assert (subject.commitment, old.key, new.key) == (COMMITMENT, SUBJECT_KEY.public, NEW.public)
    assert (old.revoked_at, old.reason) == (NOW_S + 60, "lost")
    assert old.is_valid_at(NOW_S)
    assert new.is_valid_at(NOW_S + 60)


def test_a_key_that_is_somebodys_and_a_subject_that_is_nobody_are_refused(hub: TestHub) -> None:
    hub.service.enrol_member(ALPHA.enrol())
    hub.service.enrol_subject(enrol_subject())

    with pytest.raises(KeyTakenError):
        rekey(hub, key=ALPHA.message_key)
    with pytest.raises(SubjectUnknownError):
        rekey(hub, salt=sha256(b"another salt"))


def test_a_subject_with_as_many_keys_as_a_snapshot_holds_gets_no_more(hub: TestHub) -> None:
    hub.service.enrol_subject(enrol_subject())
    for number in range(REGISTRY_KEYS_PER_MEMBER_MAX - 1):
        rekey(hub, key=SigningKey(sha256(b"many", str(number).encode())))

    with pytest.raises(RegistryFullError):
        rekey(hub)
