"""Subjects without a key: entered by the hash of a paper, kept salted, given a key later."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from node.core.errors import NodeError
from node.hub.errors import (
    DocumentMismatchError,
    InvitationInvalidError,
    InvitationUsedError,
    SimulatedSubjectError,
    StatusConflictError,
    SubjectExistsError,
)
from node.hub.rules_snapshot import RevocationReason
from node.hub.tables import hub_subject
from protocol.consent import commit_document, commit_subject
from protocol.encoding import encode_b64u, sha256
from protocol.enrolment import ENROLMENT_TYP, UnkeyedEnrolment, sign_unkeyed_enrolment
from protocol.errors import IdentifierError, ProtocolError
from protocol.identifiers import parse_subject_id
from protocol.jws import sign_compact
from protocol.keys import SigningKey
from protocol.problems import (
    ExpiredError,
    NotAMemberError,
    UnknownKeyProblemError,
    WrongAudienceError,
    WrongIssuerError,
)
from protocol.status_list import open_status_list
from protocol.strict_json import JsonObject, canonical_json
from tests.support.hubs import (
    ALPHA,
    BETA,
    HUB,
    HUB_KEY,
    NOW_S,
    SALT,
    SUBJECT,
    SUBJECT_KEY,
    TestHub,
    enrol_subject,
    open_test_hub,
)

PAPER = sha256(b"%PDF business licence")
BROUGHT = UnkeyedEnrolment(
    hub=HUB,
    iat=NOW_S,
    member=ALPHA.member,
    subject=parse_subject_id(SUBJECT),
    salt=SALT,
    document=PAPER,
)
COMMITMENT = commit_subject(BROUGHT.subject, salt=SALT)


def bring(*, key: SigningKey = ALPHA.message_key, **changes: object) -> str:
    enrolment = replace(BROUGHT, **changes)  # type: ignore[arg-type]  # any field in turn
    return sign_unkeyed_enrolment(enrolment, key=key)


@pytest.fixture
def ready(hub: TestHub) -> TestHub:
    hub.service.enrol_member(ALPHA.enrol())
    return hub


def test_a_subject_without_a_key_is_in_the_registry_under_a_salted_hash(ready: TestHub) -> None:
    assert ready.service.enrol_unkeyed(bring()) == COMMITMENT

    subject = ready.open_newest().find_subject(COMMITMENT)
    assert subject is not None
    assert (subject.keys, subject.verified) == ((), "simulated")
    assert subject.document == commit_document(PAPER, salt=SALT)


def test_neither_id_nor_salt_nor_the_papers_own_hash_is_kept(ready: TestHub) -> None:
    with capture_logs() as logs:
        ready.service.enrol_unkeyed(bring())

    with ready.database.read() as uow:
        row = uow.connection.execute(select(hub_subject)).one()
    kept = repr(tuple(row)) + repr(logs)
    for secret in (SUBJECT, SUBJECT.partition(":")[2], repr(SALT), repr(PAPER)):
        assert secret not in kept
    assert encode_b64u(SALT) not in kept
    assert ALPHA.member in repr(logs)


def test_the_same_again_changes_nothing_and_another_paper_is_refused(ready: TestHub) -> None:
    ready.service.enrol_unkeyed(bring())
    seq = ready.open_newest().seq

    assert ready.service.enrol_unkeyed(bring(iat=NOW_S + 1)) == COMMITMENT
    assert ready.open_newest().seq == seq
    with pytest.raises(SubjectExistsError):
        ready.service.enrol_unkeyed(bring(document=sha256(b"%PDF business licencf")))


def test_a_subject_with_a_key_does_not_become_one_without(ready: TestHub) -> None:
    ready.service.enrol_subject(enrol_subject())

    with pytest.raises(SubjectExistsError):
        ready.service.enrol_unkeyed(bring())


def test_one_paper_under_two_salts_tells_nobody_of_the_other(ready: TestHub) -> None:
    ready.service.enrol_member(BETA.enrol())
    ready.service.enrol_unkeyed(bring())

    other = bring(key=BETA.message_key, member=BETA.member, salt=sha256(b"salt of beta"))
    ready.service.enrol_unkeyed(other)

    first, second = ready.open_newest().subjects
    assert first.document != second.document


@pytest.mark.parametrize(
    ("token", "error"),
    [
        pytest.param(bring(key=ALPHA.log_key), UnknownKeyProblemError, id="log-key"),
        pytest.param(bring(key=SUBJECT_KEY), UnknownKeyProblemError, id="strangers-key"),
        pytest.param(bring(member=BETA.member), WrongIssuerError, id="another-member"),
        pytest.param(bring(member="gone.example"), WrongIssuerError, id="unknown-member"),
        pytest.param(bring(hub="other.example"), WrongAudienceError, id="another-hub"),
        pytest.param(bring(iat=NOW_S - 86_401), ExpiredError, id="old"),
        pytest.param(enrol_subject()[0], UnknownKeyProblemError, id="enrolment-with-key"),
    ],
)
def test_what_no_member_has_signed_for_this_hub_is_refused(
    ready: TestHub, token: str, error: type[ProtocolError]
) -> None:
    with pytest.raises(error):
        ready.service.enrol_unkeyed(token)

    assert ready.open_newest().subjects == ()


def test_a_natural_person_is_refused(ready: TestHub) -> None:
    claims: JsonObject = {
        "v": 1, "kind": "unkeyed", "hub": HUB, "iat": NOW_S, "member": ALPHA.member,
        "subject": "sg.uen:12345678A", "salt": encode_b64u(SALT), "document": encode_b64u(PAPER),
    }  # fmt: skip
    token = sign_compact(canonical_json(claims), key=ALPHA.message_key, typ=ENROLMENT_TYP)

    with pytest.raises(IdentifierError):
        ready.service.enrol_unkeyed(token)


def test_a_suspended_member_brings_nobody(ready: TestHub) -> None:
    ready.service.suspend_member(ALPHA.member)

    with pytest.raises(NotAMemberError):
        ready.service.enrol_unkeyed(bring())


def test_a_simulated_subject_has_no_place_in_a_real_federation(tmp_path: Path) -> None:
    hub = open_test_hub(tmp_path, simulated=False)
    hub.service.enrol_member(ALPHA.enrol())

    with pytest.raises(SimulatedSubjectError):
        hub.service.enrol_unkeyed(bring())
    hub.service.enrol_unkeyed(bring(subject=parse_subject_id("cn.uscc:91350100M000100Y43")))

    assert hub.open_newest().subjects[0].verified == "document"
    hub.database.dispose()


# --- the officer's own look, invitations


def test_an_officer_who_sees_another_paper_enters_nobody(ready: TestHub) -> None:
    with pytest.raises(DocumentMismatchError):
        ready.service.enrol_unkeyed(bring(), seen=sha256(b"%PDF business licencf"))

    assert ready.open_newest().subjects == ()
    assert ready.service.enrol_unkeyed(bring(), seen=PAPER) == COMMITMENT


def test_an_invitation_of_a_subject_admits_one_without_a_key_once(ready: TestHub) -> None:
    invited = ready.service.invite(kind="subject", member="", life_s=100)

    ready.service.enrol_unkeyed(bring(), invitation=invited.token)

    with pytest.raises(InvitationUsedError):
        ready.service.enrol_unkeyed(bring(salt=bytes(32)), invitation=invited.token)
    assert ready.service.enrol_unkeyed(bring(), invitation=invited.token) == COMMITMENT


def test_a_members_invitation_admits_no_subject(ready: TestHub) -> None:
    invited = ready.service.invite(kind="member", member=BETA.member, life_s=100)

    with pytest.raises(InvitationInvalidError):
        ready.service.enrol_unkeyed(bring(), invitation=invited.token)


# --- a key later, a withdrawal by the officer


def test_a_subject_without_a_key_gets_one_by_the_officers_check(ready: TestHub) -> None:
    ready.service.enrol_unkeyed(bring())
    with pytest.raises(NodeError):  # A token alone does not put a key to somebody's commitment.
        ready.service.enrol_subject(enrol_subject())

    ready.service.rekey_subject(
        enrol_subject(), document=sha256(b"passport"), reason=RevocationReason.LOST
    )

    subject = ready.open_newest().find_subject(COMMITMENT)
    assert subject is not None
    assert [entry.key for entry in subject.keys] == [SUBJECT_KEY.public]
    assert subject.document == commit_document(PAPER, salt=SALT)


def test_the_officer_withdraws_a_consent_by_the_hubs_own_word(ready: TestHub) -> None:
    consent = sha256(b"consent")

    status = ready.service.revoke_consent(consent, reason="the customer called")

    listed = open_status_list(
        ready.service.status_list(),
        now_s=NOW_S,
        find_key=lambda _kid: HUB_KEY.public,
    )
    assert (status.by, status.seq) == ("hub", 1)
    assert len(listed.entries) == 1
    with pytest.raises(StatusConflictError):
        ready.service.revoke_consent(consent, reason="again")
